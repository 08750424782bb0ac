"""A pattern as it was measured, and beside what was simulated of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...types import Image
from .canvas import Draw, Paint, bar, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

#: Inches.
PATTERN_SIZE, COMPARISON_SIZE = (7.2, 5.0), (12.5, 3.9)
#: Residuals beyond so many standard deviations have the last colour.
_FAR = 5.0


def pattern(image: Image, *, critical: float | None = None) -> Draw:
    """The counts in logarithmic colours, with the mask and what is known of the geometry.

    Drawn are the horizon, the place of the specular beam and, if it lies in the picture, that of the direct
    beam. Masked pixels show the ground.

    Parameters
    ----------
    image : Image
    critical : float, optional
        Angle of the Yoneda line, degrees.
    """

    def draw(figure: Figure, paint: Paint) -> None:
        axes = figure.add_subplot()
        drawn = picture(axes, image.counts, image, paint, norm=log_scale(image), cmap="viridis")
        bar(figure, drawn, axes, "counts", paint)
        geometry(axes, image, paint, critical=critical)

    return draw


def comparison(
    image: Image, simulated: NDArray[np.floating], residual: NDArray[np.floating] | None = None
) -> Draw:
    """Measured, simulated and their residuals, side by side, the first two in one scale.

    Parameters
    ----------
    image : Image
    simulated : (rows, columns) float array
        Expected counts.
    residual : (rows, columns) float array, optional
        Default: `signed_deviance`.
    """
    found = signed_deviance(image.counts, simulated) if residual is None else residual

    def draw(figure: Figure, paint: Paint) -> None:
        axes = figure.subplots(1, 3, sharex=True, sharey=True)
        norm = log_scale(image)
        for place, values, title in (
            (axes[0], image.counts, "measured"),
            (axes[1], simulated, "simulated"),
        ):
            drawn = picture(place, values, image, paint, norm=norm, cmap="viridis")
            place.set_title(title, color=paint("ink"), fontsize=11)
        bar(figure, drawn, list(axes[:2]), "counts", paint)
        drawn = picture(axes[2], found, image, paint, vmin=-_FAR, vmax=_FAR, cmap="RdBu_r")
        axes[2].set_title("residual", color=paint("ink"), fontsize=11)
        bar(figure, drawn, axes[2], "standard deviations", paint)

    return draw


def signed_deviance(counts: NDArray[np.floating], expected: NDArray[np.floating]) -> NDArray[np.float64]:
    """Signed root of each pixel's Poisson deviance, about standard normal where the expectation is right.

    Notes
    -----
    d² = 2 (n ln(n/μ) − n + μ) (McCullagh & Nelder, Generalized Linear Models, 1989).
    """
    n, mu = np.asarray(counts, dtype=np.float64), np.maximum(expected, 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.where(n > 0, n * np.log(n / mu), 0.0)
    return np.asarray(np.sign(n - mu) * np.sqrt(np.maximum(2 * (logarithm - n + mu), 0.0)))


def log_scale(image: Image) -> Any:
    """From the weakest to the brightest pixels that count, for all pictures of one image."""
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

    left, right, bottom, top = (*axes.get_xlim(), *axes.get_ylim())
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
        if bottom < height < top and left < 0 < right:
            axes.plot([0.0], [height], "o", markersize=9, fillstyle="none", gid=name.split()[0], **ink)
            axes.annotate(
                name, (0.0, height), xytext=(8, 0), textcoords="offset points", va="center", **words
            )
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
