"""What the network's outputs mean: p(ξ), its band, quantities with errors; to calibrate and to predict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .distances import circular_w1, mirrored
from .geometry import N_XI, PERIOD
from .nuisance import SIGNS

FloatArray = NDArray[np.float64]

#: Full width at half maximum, degrees, over which p(ξ) is averaged where a band is given. At 10⁶ counts about
#: 20 of its modes can be known; a Gaussian of this width leaves the first 20.
RESOLUTION = 3.0
#: A band's lower end below this, as a root of the share over the uniform one, is none.
_NOTHING = 0.15


class Reading(NamedTuple):
    """What n outputs say, before calibration.

    Parameters
    ----------
    p : (n, 120) array
        Share of each angle.
    height : (n, 120) array
        √(120 p) of p averaged over `RESOLUTION`.
    low, high : (n, 120) arrays
        Quantiles of it, as the network has them.
    centre, sigma : (n, quantities) arrays
        Scaled as in `nuisance`.
    scope : (n,) array
        Logit.
    """

    p: FloatArray
    height: FloatArray
    low: FloatArray
    high: FloatArray
    centre: FloatArray
    sigma: FloatArray
    scope: FloatArray


def read(straight: Mapping[str, NDArray[np.floating]], turned: Mapping[str, NDArray[np.floating]]) -> Reading:
    """Mean of what the network says of a pattern and of its mirror image, so that the mirror is exact.

    Parameters
    ----------
    straight, turned : mapping
        Outputs ``xi`` (n, 120), ``band`` (n, 120, 2), ``nuisance`` (n, quantities, 2), ``scope`` (n, 1).
    """
    one, other = (
        {k: np.asarray(v, dtype=np.float64) for k, v in found.items()} for found in (straight, turned)
    )
    p = (softmax(one["xi"]) + mirrored(softmax(other["xi"]))) / 2
    low, high = ((one["band"][..., k] + mirrored(other["band"][..., k])) / 2 for k in (0, 1))
    centres = one["nuisance"][..., 0], other["nuisance"][..., 0] * SIGNS
    log_sigma = np.clip((one["nuisance"][..., 1] + other["nuisance"][..., 1]) / 2, -5.0, 2.0)
    return Reading(
        p=p,
        height=np.sqrt(N_XI * resolved(p)),
        low=low,
        high=high,
        centre=(centres[0] + centres[1]) / 2,
        sigma=np.exp(log_sigma),
        scope=(one["scope"][:, 0] + other["scope"][:, 0]) / 2,
    )


def softmax(logits: FloatArray) -> FloatArray:
    """Softmax over the last axis."""
    weight = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def resolved(p: NDArray[np.floating], fwhm: float = RESOLUTION) -> FloatArray:
    """Distributions averaged with a Gaussian around the period; (..., 120) arrays."""
    sigma = fwhm / np.sqrt(8 * np.log(2))
    modes = np.exp(-2 * (np.pi * sigma * np.arange(N_XI // 2 + 1) / PERIOD) ** 2)
    found = np.fft.irfft(np.fft.rfft(np.asarray(p, dtype=np.float64), axis=-1) * modes, n=N_XI, axis=-1)
    return np.asarray(np.maximum(found, 0.0))


def band(reading: Reading, scale: float) -> tuple[FloatArray, FloatArray]:
    """Ends of the band of p averaged over `RESOLUTION`, (n, 120) each.

    The network's quantiles, widened about its answer by one factor that held-out patterns need (conformal
    quantile regression: Romano, Patterson & Candès, NeurIPS 2019, arXiv:1905.03222).
    """
    low = reading.height - scale * np.maximum(reading.height - reading.low, 0.0)
    high = reading.height + scale * np.maximum(reading.high - reading.height, 0.0)
    low = np.where(low < _NOTHING, 0.0, low)
    return np.asarray(low**2 / N_XI), np.asarray(high**2 / N_XI)


def covered(reading: Reading, truth: NDArray[np.floating], scale: float) -> NDArray[np.bool_]:
    """Whether the truth, averaged over `RESOLUTION`, lies in the band, (n, 120)."""
    low, high = band(reading, scale)
    found = resolved(truth)
    return np.asarray((found >= low - 1e-9) & (found <= high + 1e-9))


def from_uniform(p: NDArray[np.floating]) -> FloatArray:
    """Circular W1 from the uniform distribution, degrees; the larger, the less it can be uniform."""
    return circular_w1(p, np.full(N_XI, 1 / N_XI))
