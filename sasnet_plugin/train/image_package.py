"""What the calibrations of networks for patterns have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.images.features import CHANNELS, mirrored
from ..domains.heads import Head
from ..predict.arithmetic import averaged
from ..simulate.draws import Prior
from ..simulate.gisas.priors import GEOMETRY
from ..simulate.images.measurement import MEASUREMENT
from .package import Trained


def outputs_of_patterns(
    trained: Trained, heads: tuple[Head, ...], features: NDArray[np.float32]
) -> tuple[NDArray[np.float32], dict[str, Any], dict[str, Any]]:
    """Features as the parity file keeps them, the network's outputs of them, and the mean with the mirror's.

    Returns
    -------
    features, straight, outputs
        The last with ``level``, (n,).
    """
    features, straight = trained.answers(features)
    mean = averaged(heads, straight, trained.answers(mirrored(features))[1])
    return features, straight, {**mean, "level": features[:, 0, 0, CHANNELS.index("level")]}


def described_inputs(
    settings: Mapping[str, Any], stated: Mapping[str, list[float]]
) -> dict[str, Mapping[str, Any]]:
    """The manifest's ``inputs``: the window, and the ranges of what is stated with a pattern."""
    return {
        "window": {key: settings[key] for key in ("rows", "columns", "phi", "alpha_f")},
        "stated": stated,
    }


def stated_ranges(prior: Mapping[str, Prior] = GEOMETRY) -> dict[str, list[float]]:
    """Wavelength and angle of incidence as they were stated in training."""
    shift = MEASUREMENT["shift_alpha"].limits()
    low, high = prior["alpha_i"].limits()
    return {
        "wavelength": list(prior["wavelength"].limits()),
        "alpha_i": [low - shift[1], high - shift[0]],
    }
