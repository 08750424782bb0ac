"""What is fitted on held-out films after training: the widths of bands, and the scope."""

from __future__ import annotations

import numpy as np

from ..domains.gisas_growth import HEADS
from ..simulate.growth.priors import FILM
from ..simulate.growth.store import Store
from ..simulate.growth.stream import held_out
from .image_package import described_inputs, outputs_of_patterns, stated_ranges
from .package import Calibrated, Trained, calibrated, head_entries

#: Known films for one stranger of each kind.
KNOWN = 40


def calibrate_growth(trained: Trained) -> Calibrated:
    """Fit all that the manifest says of how far the network's answers can be trusted."""
    held = held_out(
        Store(trained.validation),
        np.random.default_rng(trained.seed),
        known=KNOWN * trained.per_model,
        strangers=trained.per_model,
    )
    features, straight, outputs = outputs_of_patterns(trained, HEADS, held.features)
    known = held.in_scope > 0
    targets = {"quantities": np.where(known[:, None], held.quantities, np.nan), "scope": held.in_scope}
    said = calibrated(HEADS, outputs, targets)
    return Calibrated(
        features=features,
        outputs=straight,
        heads=("quantities", "scope"),
        entries={
            **head_entries(HEADS, said),
            "inputs": described_inputs(trained.settings, stated_ranges(FILM)),
        },
        metrics={"films": len(Store(trained.data))},
        summary=f"{len(HEADS[0].names)} quantities, {int(known.sum()):,} films held out",
    )
