"""What the network's outputs mean: quantities with their bands; for calibration and for prediction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .quantities import QUANTITIES

FloatArray = NDArray[np.float64]

#: Share of the truth that a band is to hold.
COVERAGE = 0.9


class Reading(NamedTuple):
    """What n outputs say, before calibration.

    Parameters
    ----------
    centre, sigma : (n, quantities) arrays
        Scaled as in `quantities`.
    scope : (n,) array
        Logit.
    """

    centre: FloatArray
    sigma: FloatArray
    scope: FloatArray


def read(straight: Mapping[str, NDArray[np.floating]], turned: Mapping[str, NDArray[np.floating]]) -> Reading:
    """Mean of what the network says of a pattern and of its mirror image, which are of the same film.

    Parameters
    ----------
    straight, turned : mapping
        Outputs ``quantities`` (n, quantities, 2), ``scope`` (n, 1).
    """
    one, other = (np.asarray(found["quantities"], dtype=np.float64) for found in (straight, turned))
    sigmas = [np.exp(np.clip(head[..., 1], -5.0, 2.0)) for head in (one, other)]
    return Reading(
        centre=(one[..., 0] + other[..., 0]) / 2,
        sigma=(sigmas[0] + sigmas[1]) / 2,
        scope=(
            np.asarray(straight["scope"], dtype=np.float64)[:, 0]
            + np.asarray(turned["scope"], dtype=np.float64)[:, 0]
        )
        / 2,
    )


def values_of(scaled: FloatArray) -> FloatArray:
    """From scaled quantities, (n, quantities), to those in their units; order is kept."""
    return np.stack(
        [
            np.array([quantity.value(float(x), 0.0)[0] for x in column])
            for quantity, column in zip(QUANTITIES, scaled.T, strict=True)
        ],
        axis=1,
    )
