"""What is fitted on held-out patterns after training: widths of bands, errors, scope, the test of uniform."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domains.gisas_hex import HEADS
from ..simulate.gisas.store import Store
from ..simulate.gisas.stream import held_out
from .image_package import described_inputs, outputs_of_patterns, stated_ranges
from .package import Calibrated, Trained, calibrated, head_entries

#: Known patterns, and patterns whose truth is uniform, for one stranger of each kind.
KNOWN, UNIFORM = 20, 10


def calibrate_orientation(trained: Trained) -> Calibrated:
    """Fit all that the manifest says of how far the network's answers can be trusted."""
    store = Store(trained.validation)
    rng = np.random.default_rng(trained.seed)
    n = trained.per_model
    known = held_out(store, rng, known=KNOWN * n, strangers=n)
    uniform = held_out(store, rng, known=UNIFORM * n, strangers=0, family="uniform")
    features, straight, outputs = outputs_of_patterns(trained, HEADS, known.features)
    said = calibrated(HEADS, outputs, _targets(known))
    _, _, flat = outputs_of_patterns(trained, HEADS, uniform.features)
    said["xi"]["uniform"] = calibrated(HEADS[:1], flat, _targets(uniform))["xi"]["uniform"]
    rows = int((known.in_scope > 0).sum())
    return Calibrated(
        features=features,
        outputs=straight,
        heads=("xi", "scope"),
        entries={**head_entries(HEADS, said), "inputs": described_inputs(trained.settings, stated_ranges())},
        metrics={"bases": len(Store(trained.data))},
        summary=f"p(ξ) and {len(trained.settings['nuisance'])} quantities, {rows:,} patterns held out",
    )


def _targets(held: Any) -> dict[str, NDArray[np.floating]]:
    """By head; NaN for strangers."""
    known = (held.in_scope > 0)[:, None]
    return {
        "xi": np.where(known, held.p, np.nan),
        "geometry": np.where(known, held.nuisance, np.nan),
        "scope": held.in_scope,
    }
