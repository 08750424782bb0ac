"""What is fitted on held-out films after training: the widths of bands, and the scope."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.images.features import mirrored
from ..simulate.growth.priors import FILM
from ..simulate.growth.reading import COVERAGE, Reading, read
from ..simulate.growth.store import Store
from ..simulate.growth.stream import held_out
from .calibrate import fit_platt, scope_threshold
from .gisas_package import levels_of, stated_ranges
from .package import Calibrated, Trained

#: Known films for one stranger of each kind.
KNOWN = 40
_CLASSES = 10


def calibrate_growth(trained: Trained) -> Calibrated:
    """Fit all that the manifest says of how far the network's answers can be trusted."""
    from scipy.special import expit

    store = Store(trained.validation)
    held = held_out(
        store,
        np.random.default_rng(trained.seed),
        known=KNOWN * trained.per_model,
        strangers=trained.per_model,
    )
    features, outputs = trained.answers(held.features)
    reading = read(outputs, trained.answers(mirrored(features))[1])
    rows = held.in_scope > 0
    seen = Reading(*(values[rows] for values in reading))
    scale = band_scale(seen, held.quantities[rows], levels_of(features)[rows])
    slope, offset = fit_platt(reading.scope, held.in_scope)
    settings = trained.settings
    return Calibrated(
        features=features,
        outputs=outputs,
        heads=("quantities", "scope"),
        entries={
            "window": {key: settings[key] for key in ("rows", "columns", "phi", "alpha_f")},
            "quantities": settings["quantities"],
            "stated": stated_ranges(FILM),
            "calibration": {"bands": scale, "scope": [slope, offset]},
            "scope_threshold": scope_threshold(expit(slope * seen.scope + offset)),
        },
        metrics={"films": len(Store(trained.data))},
        summary=f"{len(settings['quantities'])} quantities, {int(rows.sum()):,} films held out",
    )


def band_scale(
    reading: Reading, truth: NDArray[np.floating], levels: NDArray[np.float64]
) -> list[dict[str, Any]]:
    """Factors on each quantity's standard deviation with which the band holds `COVERAGE` of the truth.

    One for each of some classes of equal numbers by level: how much a network knows of its errors in short
    and in long measurements need not be the same. The last class has no upper end.
    """
    miss = np.abs(truth - reading.centre) / reading.sigma
    found = []
    for rows in np.array_split(np.argsort(levels), _CLASSES):
        factors = np.quantile(miss[rows], COVERAGE, axis=0)
        found.append({"level": float(levels[rows[-1]]), "factors": [float(x) for x in factors]})
    found[-1]["level"] = 99.0
    return found
