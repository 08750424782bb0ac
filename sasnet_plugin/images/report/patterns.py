"""A pattern as it was measured, beside what was simulated of it, and where a network looks: Grad-CAM++."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...report.canvas import Draw, Paint, bar, picture, upright
from ...types import Image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

#: Inches.
PATTERN_SIZE, COMPARISON_SIZE = (7.2, 5.0), (12.5, 3.9)
#: Residuals beyond so many standard deviations have the last colour.
_FAR = 5.0


def pattern(image: Image, *, critical: float | None = None) -> Draw:
    """Draw counts in logarithmic colours with horizon, specular and direct beam, and the Yoneda line at
    `critical` degrees; masked pixels show the ground.
    """
    image = upright(image)

    def draw(figure: Figure, paint: Paint) -> None:
        axes = figure.add_subplot()
        artist = picture(axes, image.counts, image, paint, norm=log_scale(image), cmap="viridis")
        bar(figure, artist, axes, "counts", paint)
        geometry(axes, image, paint, critical=critical)

    return draw


def comparison(
    image: Image, simulated: NDArray[np.floating], residual: NDArray[np.floating] | None = None
) -> Draw:
    """Draw measured, simulated and residual (default `compute_signed_deviance`) side by side,
    the first two on one
    scale.
    """
    deviance = compute_signed_deviance(image.counts, simulated) if residual is None else residual

    def draw(figure: Figure, paint: Paint) -> None:
        axes = figure.subplots(1, 3, sharex=True, sharey=True)
        norm = log_scale(image)
        for place, values, title in (
            (axes[0], image.counts, "measured"),
            (axes[1], simulated, "simulated"),
        ):
            artist = picture(place, values, image, paint, norm=norm, cmap="viridis")
            place.set_title(title, color=paint("ink"), fontsize=11)
        bar(figure, artist, list(axes[:2]), "counts", paint)
        artist = picture(axes[2], deviance, image, paint, vmin=-_FAR, vmax=_FAR, cmap="RdBu_r")
        axes[2].set_title("residual", color=paint("ink"), fontsize=11)
        bar(figure, artist, axes[2], "standard deviations", paint)

    return draw


def compute_signed_deviance(
    counts: NDArray[np.floating], expected: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Signed root of each pixel's Poisson deviance, about standard normal: d² = 2 (n ln(n/μ) − n + μ)
    (McCullagh & Nelder, Generalized Linear Models, 1989).
    """
    n, mu = np.asarray(counts, dtype=np.float64), np.maximum(expected, 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.where(n > 0, n * np.log(n / mu), 0.0)
    return np.asarray(np.sign(n - mu) * np.sqrt(np.maximum(2 * (logarithm - n + mu), 0.0)))


def log_scale(image: Image) -> Any:
    """Make one logarithmic scale for an image's pictures, from weakest to brightest usable pixel."""
    from matplotlib.colors import LogNorm

    positive = image.counts[image.mask & (image.counts > 0)]
    if not positive.size:
        return LogNorm(0.5, 1.0)
    low, high = np.quantile(positive, (0.01, 0.9995))
    return LogNorm(max(float(low), 1e-12) / 1.5, max(float(high), float(low) * 3), clip=True)


def geometry(axes: Axes, image: Image, paint: Paint, *, critical: float | None = None) -> None:
    """Mark horizon, beams and Yoneda line where they lie in the picture; none where there is no incidence."""
    if not hasattr(image.geometry, "alpha_i"):
        return
    from matplotlib.patheffects import withStroke

    left_end, right, bottom, top = (*axes.get_xlim(), *axes.get_ylim())
    # White on a dark rim is seen on every colour of the picture.
    rim = [withStroke(linewidth=2.2, foreground="#00000090")]
    ink: dict[str, Any] = {"color": "#ffffff", "path_effects": rim}
    ground = {"boxstyle": "round,pad=0.15", "facecolor": "#000000", "alpha": 0.45, "linewidth": 0}
    words: dict[str, Any] = {"fontsize": 8, "color": "#ffffff", "bbox": ground}
    for height, line, name in ((0.0, "--", "horizon"), (critical, ":", "Yoneda")):
        if height is not None and bottom < height < top:
            axes.axhline(height, linestyle=line, linewidth=0.9, **ink)
            axes.annotate(name, (right, height), ha="right", va="bottom", **words)
    for height, name in ((image.geometry.alpha_i, "specular beam"), (-image.geometry.alpha_i, "direct beam")):
        if bottom < height < top and left_end < 0 < right:
            axes.plot([0.0], [height], "o", markersize=9, fillstyle="none", gid=name.split()[0], **ink)
            axes.annotate(
                name, (0.0, height), xytext=(8, 0), textcoords="offset points", va="center", **words
            )
    axes.set_xlim(left_end, right)
    axes.set_ylim(bottom, top)


#: Inches.
SIZE = (10.5, 4.2)


def grad_cam(maps: NDArray[np.floating], gradients: NDArray[np.floating]) -> NDArray[np.float64]:
    """Compute Grad-CAM++ (Chattopadhay et al., WACV 2018, arXiv:1710.11063), (rows, columns), at most 1, from
    activations A and gradients g of a score, (rows, columns, channels).
    """
    # L = relu Σ_k w_k A^k, w_k = Σ_ij α^k_ij relu(g^k_ij), α^k_ij = (g^k_ij)² / [2 (g^k_ij)² + Σ_ab A^k_ab
    # (g^k_ij)³].
    a, g = np.asarray(maps, dtype=np.float64), np.asarray(gradients, dtype=np.float64)
    below = 2 * g**2 + a.sum(axis=(0, 1)) * g**3
    alpha = np.divide(g**2, below, out=np.zeros_like(g), where=np.abs(below) > 1e-30)
    weight = (alpha * np.maximum(g, 0)).sum(axis=(0, 1))
    activation = np.maximum(a @ weight, 0)
    return np.asarray(activation / activation.max() if activation.max() > 0 else activation)


def occlusion(
    score: Callable[[NDArray[np.bool_]], NDArray[np.floating]],
    mask: NDArray[np.bool_],
    *,
    patch: tuple[int, int],
    batch: int = 64,
) -> NDArray[np.float64]:
    """Map how much an answer changes when patches, half overlapping, are covered as by a beamstop: root mean
    square, averaged over patches with the pixel.
    """
    # Needs no gradients, so works with exported networks (M. D. Zeiler, R. Fergus, ECCV 2014); `score` maps
    # (n, rows, columns) masks to (n, …) answers.
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
        batch_spans = spans[start : start + batch]
        covered = np.repeat(mask[None], len(batch_spans), axis=0)
        for covered_mask, (r, c) in zip(covered, batch_spans, strict=True):
            covered_mask[r, c] = False
        scores = np.asarray(score(covered), dtype=np.float64).reshape(len(batch_spans), -1)
        change = np.sqrt(np.mean((scores - whole) ** 2, axis=1))
        for (r, c), value in zip(batch_spans, change, strict=True):
            total[r, c] += value
            number[r, c] += 1
    return total / np.maximum(number, 1)


def spread_over(values: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.float64]:
    """A coarse map as a smooth one of so many rows and columns, between its least and its largest value."""
    from scipy.ndimage import zoom

    factors = [n / m for n, m in zip(shape, values.shape, strict=True)]
    smooth = zoom(np.asarray(values, np.float64), factors, order=1, mode="nearest", grid_mode=True)
    return np.clip(smooth, np.min(values), np.max(values))


def attention(image: Image, values: NDArray[np.floating]) -> Draw:
    """Draw the pattern with a `grad_cam` or `occlusion` map of any shape over it."""
    fine = spread_over(values, (image.counts.shape[0], image.counts.shape[1]))

    def draw(figure: Figure, paint: Paint) -> None:
        left_axes, right = figure.subplots(1, 2, sharex=True, sharey=True)
        norm = log_scale(image)
        artist = picture(left_axes, image.counts, image, paint, norm=norm, cmap="viridis")
        bar(figure, artist, left_axes, "counts", paint)
        geometry(left_axes, image, paint)
        picture(right, image.counts, image, paint, norm=norm, cmap="Greys_r")
        artist = picture(right, fine, image, paint, cmap="inferno", alpha=0.65, vmin=0.0)
        bar(figure, artist, right, "attention", paint)

    return draw
