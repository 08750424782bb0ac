"""What is fitted on held-out patterns after training: widths of bands, errors, scope, the test of uniform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.images.features import CHANNELS, mirrored
from ..simulate.draws import Prior
from ..simulate.gisas.priors import GEOMETRY
from ..simulate.gisas.reading import RESOLUTION, Reading, covered, from_uniform, read
from ..simulate.gisas.store import Store
from ..simulate.gisas.stream import Held, held_out
from ..simulate.images.measurement import MEASUREMENT
from .calibrate import fit_platt, scope_threshold
from .package import Calibrated, Trained

#: Share of the truth that a band is to hold.
COVERAGE = 0.9
#: Known patterns, and patterns whose truth is uniform, for one stranger of each kind.
KNOWN, UNIFORM = 20, 10
_CLASSES, _QUANTILES = 5, 60


def calibrate_orientation(trained: Trained) -> Calibrated:
    """Fit all that the manifest says of how far the network's answers can be trusted."""
    from scipy.special import expit

    store = Store(trained.validation)
    rng = np.random.default_rng(trained.seed)
    n = trained.per_model
    known = held_out(store, rng, known=KNOWN * n, strangers=n)
    uniform = held_out(store, rng, known=UNIFORM * n, strangers=0, family="uniform")
    features, outputs = trained.answers(known.features)
    reading = read(outputs, trained.answers(mirrored(features))[1])
    rows = known.in_scope > 0
    seen = _rows(reading, rows)
    scale = band_scale(seen, known.p[rows])
    errors = error_scale(seen, known.nuisance[rows])
    slope, offset = fit_platt(reading.scope, known.in_scope)
    threshold = scope_threshold(expit(slope * seen.scope + offset))

    flat, other = (trained.answers(x)[1] for x in (uniform.features, mirrored(uniform.features)))
    levels, distances = levels_of(uniform.features), from_uniform(read(flat, other).p)
    settings = trained.settings
    return Calibrated(
        features=features,
        outputs=outputs,
        heads=("xi", "scope"),
        entries={
            "window": {key: settings[key] for key in ("rows", "columns", "phi", "alpha_f")},
            "n_xi": settings["n_xi"],
            "resolution": RESOLUTION,
            "quantities": settings["nuisance"],
            "stated": stated_ranges(),
            "calibration": {"band": scale, "errors": errors, "scope": [slope, offset]},
            "scope_threshold": threshold,
            "uniform": uniform_classes(levels, distances),
        },
        metrics={"bases": len(Store(trained.data)), "coverage": _coverage(seen, known, scale)},
        summary=f"p(ξ) and {len(settings['nuisance'])} quantities, {int(rows.sum()):,} patterns held out",
    )


def _rows(reading: Reading, rows: NDArray[np.bool_]) -> Reading:
    return Reading(*(values[rows] for values in reading))


def _coverage(reading: Reading, held: Held, scale: float) -> float:
    return float(np.mean(covered(reading, held.p[held.in_scope > 0], scale)))


def band_scale(reading: Reading, truth: NDArray[np.floating]) -> float:
    """The least factor with which bands hold `COVERAGE` of the truth, over all angles and patterns."""
    low, high = 0.05, 20.0
    for _ in range(40):
        middle = np.sqrt(low * high)
        if np.mean(covered(reading, truth, middle)) < COVERAGE:
            low = middle
        else:
            high = middle
    return float(high)


def error_scale(reading: Reading, truth: NDArray[np.floating]) -> list[float]:
    """Factor on each quantity's error with which 68.3 % of the truth lies within it."""
    miss = np.abs(truth - reading.centre) / reading.sigma
    return [float(x) for x in np.quantile(miss, 0.6827, axis=0)]


def stated_ranges(prior: Mapping[str, Prior] = GEOMETRY) -> dict[str, list[float]]:
    """Wavelength and angle of incidence as they were stated in training."""
    shift = MEASUREMENT["shift_alpha"].limits()
    low, high = prior["alpha_i"].limits()
    return {
        "wavelength": list(prior["wavelength"].limits()),
        "alpha_i": [low - shift[1], high - shift[0]],
    }


def levels_of(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """The channel "level", (n,)."""
    return features[:, 0, 0, CHANNELS.index("level")].astype(np.float64)


def uniform_classes(levels: NDArray[np.float64], distances: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Classes of equal numbers by level, each with quantiles of the distances; the last has no upper end."""
    order = np.argsort(levels)
    found = []
    for rows in np.array_split(order, _CLASSES):
        at = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
        quantiles = np.quantile(distances[rows], at)
        found.append({"level": float(levels[rows[-1]]), "distance": [float(f"{x:.4g}") for x in quantiles]})
    found[-1]["level"] = 99.0
    return found
