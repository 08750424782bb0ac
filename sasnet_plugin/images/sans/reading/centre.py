"""Where the beam meets the detector, found from an image that a turn by half leaves as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....arrays import Floats

    BoolArray = NDArray[np.bool_]

#: Pixels over which counts are averaged first, and least share of all pixels that the two halves must share.
_SMOOTH, _SHARED = 1.5, 0.1


#: A stated centre is held against the found one from this correlation on, where that of the stated one is as
#: much less, and where the two are as far apart: pixels, and share of the detector's shorter side.
_TRUSTED, _CLEARLY, _APART = 0.5, 0.1, (3.0, 0.02)


def find_centre(values: Floats, mask: BoolArray) -> tuple[float, float, float]:
    """Find the centre of symmetry, as scattering at q and −q is alike, to a quarter of a pixel, and the
    correlation (−1..1) with the rotated image; below 0.2 do not trust it. Values are finite where the mask is
    True.
    """
    worth, correlation = _symmetry(values, mask)
    row, column = np.unravel_index(int(np.argmax(worth)), worth.shape)
    return _top(worth, row, column, 1) / 2, _top(worth, row, column, 0) / 2, float(correlation[row, column])


def better_centre(values: Floats, mask: BoolArray, stated: tuple[float, float]) -> tuple[float, float] | None:
    """Return (column, row) about which an image is clearly more symmetric than the stated centre, else
    None.
    """
    worth, correlation = _symmetry(values, mask)
    row, column = np.unravel_index(int(np.argmax(worth)), worth.shape)
    centre = _top(worth, row, column, 1) / 2, _top(worth, row, column, 0) / 2
    far = float(np.hypot(centre[0] - stated[0], centre[1] - stated[1]))
    if far < max(_APART[0], _APART[1] * min(values.shape)) or correlation[row, column] < _TRUSTED:
        return None
    position = tuple(
        int(np.clip(round(2 * x), 0, n - 1)) for x, n in zip(stated[::-1], worth.shape, strict=True)
    )
    # The found centre must be better than the stated one where that can be judged at all.
    is_known = correlation[position] > -1.0
    if (
        is_known
        and correlation[row, column] - correlation[position] > _CLEARLY
        and worth[row, column] > worth[position]
    ):
        return centre
    return None


def _symmetry(values: Floats, mask: BoolArray) -> tuple[Floats, Floats]:
    """Return the worth of each centre in half pixels and its correlation, (2 rows − 1, 2 columns − 1)."""
    # The correlation of f with f rotated by half a turn about c, over common pixels, is for all c at once Σ
    # f(x) f(2c − x), a convolution of f with itself.
    from scipy.fft import irfft2, next_fast_len, rfft2
    from scipy.ndimage import gaussian_filter

    weights = mask.astype(float)
    weight = gaussian_filter(weights, _SMOOTH)
    smooth = gaussian_filter(np.where(mask, values, 0.0), _SMOOTH) / np.maximum(weight, 1e-9)
    floor = max(float(np.median(smooth[mask])), 1e-12) if np.any(mask) else 1.0
    # A cubic root between counts and their logarithm: neither the beam alone, nor noise alone, decides.
    picture = np.where(mask, np.cbrt(np.maximum(smooth, 0.0) / floor), 0.0)
    picture -= picture[mask].mean() * mask
    shape = [next_fast_len(2 * n - 1, real=True) for n in values.shape]

    def together(a: Floats, b: Floats) -> Floats:
        product = irfft2(rfft2(a, shape) * rfft2(b, shape), shape)
        return np.asarray(product[: 2 * a.shape[0] - 1, : 2 * a.shape[1] - 1])

    number = np.maximum(together(weights, weights), 1e-9)
    mean = together(picture, weights) / number
    variance = together(picture**2, weights) / number - mean**2
    covariance = together(picture, picture) / number - mean**2
    enough = number > _SHARED * mask.sum()
    correlation = np.where(enough & (variance > 1e-9), covariance / np.maximum(variance, 1e-9), -1.0)
    # A correlation over more pixels is worth more: its error falls with the root of their number.
    return correlation * np.sqrt(np.where(enough, number, 0.0) / max(mask.sum(), 1)), correlation


def _top(values: Floats, row: np.intp, column: np.intp, axis: int) -> float:
    """Place of the largest value along an axis, by the parabola through it and its neighbours."""
    index = int(column if axis else row)
    line = values[row] if axis else values[:, column]
    if not 0 < index < line.size - 1:
        return float(index)
    low, middle, high = (float(x) for x in line[index - 1 : index + 2])
    bend = low - 2 * middle + high
    return index + (0.5 * (low - high) / bend if bend < 0 else 0.0)
