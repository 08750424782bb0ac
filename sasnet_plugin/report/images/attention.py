"""Where a network looks: Grad-CAM++ from feature maps and gradients, or what covering a part changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ...types import Image
from .canvas import Draw, Paint, bar, picture
from .patterns import geometry, log_scale

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

#: Inches.
SIZE = (10.5, 4.2)


def grad_cam(maps: NDArray[np.floating], gradients: NDArray[np.floating]) -> NDArray[np.float64]:
    r"""Grad-CAM++ (Chattopadhay et al., WACV 2018, arXiv:1710.11063).

    .. math::

        L = \mathrm{relu} \sum_k w_k A^k,\quad w_k = \sum_{ij} \alpha^k_{ij}\, \mathrm{relu}(g^k_{ij}),\quad
        \alpha^k_{ij} = \frac{(g^k_{ij})^2}{2 (g^k_{ij})^2 + \sum_{ab} A^k_{ab}\, (g^k_{ij})^3}

    Parameters
    ----------
    maps : (rows, columns, channels) float array
        Activations A of a layer of convolutions.
    gradients : (rows, columns, channels) float array
        g, of the score that is explained, with respect to them.

    Returns
    -------
    (rows, columns) float array
        At most 1; all 0 where nothing speaks for the score.
    """
    a, g = np.asarray(maps, dtype=np.float64), np.asarray(gradients, dtype=np.float64)
    below = 2 * g**2 + a.sum(axis=(0, 1)) * g**3
    alpha = np.divide(g**2, below, out=np.zeros_like(g), where=np.abs(below) > 1e-30)
    weight = (alpha * np.maximum(g, 0)).sum(axis=(0, 1))
    found = np.maximum(a @ weight, 0)
    return np.asarray(found / found.max() if found.max() > 0 else found)


def occlusion(
    score: Callable[[NDArray[np.bool_]], NDArray[np.floating]],
    mask: NDArray[np.bool_],
    *,
    patch: tuple[int, int],
    batch: int = 64,
) -> NDArray[np.float64]:
    """How much an answer changes when a part of the pattern is covered as a beamstop would cover it.

    It needs no gradients, so that it works with the exported network (M. D. Zeiler, R. Fergus, ECCV 2014).

    Parameters
    ----------
    score : callable
        (n, rows, columns) masks of one pattern to (n, …) answers.
    mask : (rows, columns) bool array
        The pattern's own, True where the pixel counts.
    patch : (int, int)
        Rows and columns that are covered at a time; a step is half of it.
    batch : int
        Masks at once.

    Returns
    -------
    (rows, columns) float array
        Root mean square change of the answers while the pixel was covered, averaged over the patches that
        held it.
    """
    rows, columns = mask.shape
    up, across = max(1, patch[0] // 2), max(1, patch[1] // 2)
    spans = [
        (slice(max(r, 0), r + patch[0]), slice(max(c, 0), c + patch[1]))
        for r in range(1 - up, rows, up)
        for c in range(1 - across, columns, across)
    ]
    whole = np.asarray(score(mask[None]), dtype=np.float64).reshape(-1)
    total, number = np.zeros((rows, columns)), np.zeros((rows, columns))
    for start in range(0, len(spans), batch):
        some = spans[start : start + batch]
        covered = np.repeat(mask[None], len(some), axis=0)
        for one, (r, c) in zip(covered, some, strict=True):
            one[r, c] = False
        found = np.asarray(score(covered), dtype=np.float64).reshape(len(some), -1)
        change = np.sqrt(np.mean((found - whole) ** 2, axis=1))
        for (r, c), value in zip(some, change, strict=True):
            total[r, c] += value
            number[r, c] += 1
    return total / np.maximum(number, 1)


def spread_over(found: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.float64]:
    """A coarse map as a smooth one of so many rows and columns, between its least and its largest value."""
    from scipy.ndimage import zoom

    factors = [n / m for n, m in zip(shape, found.shape, strict=True)]
    smooth = zoom(np.asarray(found, np.float64), factors, order=1, mode="nearest", grid_mode=True)
    return np.clip(smooth, np.min(found), np.max(found))


def attention(image: Image, found: NDArray[np.floating]) -> Draw:
    """The pattern, and the map over it.

    Parameters
    ----------
    image : Image
    found : array of any shape
        `grad_cam` or `occlusion`; spread over the image's pixels.
    """
    fine = spread_over(found, (image.counts.shape[0], image.counts.shape[1]))

    def draw(figure: Figure, paint: Paint) -> None:
        left, right = figure.subplots(1, 2, sharex=True, sharey=True)
        norm = log_scale(image)
        drawn = picture(left, image.counts, image, paint, norm=norm, cmap="viridis")
        bar(figure, drawn, left, "counts", paint)
        geometry(left, image, paint)
        picture(right, image.counts, image, paint, norm=norm, cmap="Greys_r")
        drawn = picture(right, fine, image, paint, cmap="inferno", alpha=0.65, vmin=0.0)
        bar(figure, drawn, right, "attention", paint)

    return draw
