"""How many points of q a bumps experiment needs for its smearing: the product's own rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from sasnet_plugin.fitting.problem.resolution import apply_sampling, has_resolution, sampling_needed
from sasnet_plugin.fitting.settings import PROBLEM


def sampling_of(fitness: Any, curve: Any, finest: int = PROBLEM.finest) -> int | None:
    """As `sampling_needed`, of an experiment; it is left with the last sampling that was tried."""

    def residual(per_decade: int | None) -> Any:
        apply_sampling(fitness, curve, per_decade)
        return np.asarray(fitness.theory(), dtype=float) / fitness.dIq

    return sampling_needed(residual, finest=finest) if has_resolution(curve) else None
