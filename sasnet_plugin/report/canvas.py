"""Where the figures of images are drawn: as a piece of a page, or as a file of their own."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..files import write_figure
from ..types import Image
from .page.document import COLOURS, inline_svg, placeholder, plain_axes, settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


#: From a role of `page.document` to a colour.
Paint = Callable[[str], str]
#: A figure is drawn by this onto an empty figure, in these colours.
Draw = Callable[["Figure", Paint], object]
#: Pixels of a picture along each side, at most; more do not fit on a screen.
MAX_PIXELS = 480


def day(role: str) -> str:
    """The colour of a role by day."""
    return COLOURS[role][0]


def svg(
    draw: Draw,
    name: str,
    label: str,
    size: tuple[float, float],
    *,
    whole: bool = False,
    layout: Any = "constrained",
) -> str:
    """Draw a figure as ``svg`` in the page's colours; `name` is unique on the page, `label` its text
    alternative, size in inches; `whole` as `document.inline_svg`.
    """  # fmt: skip
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context(["default", settings(name)]):
        figure = Figure(figsize=size, layout=layout, dpi=100)
        draw(figure, placeholder)
        return inline_svg(figure, name, label, whole=whole)


def save(draw: Draw, path: str | Path, size: tuple[float, float]) -> None:
    """Save a figure as PNG, PDF or SVG. Raises SasnetError if that fails or the format is unknown."""
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context(["default", settings("file")]):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure, day)
        write_figure(figure, path)


def png(draw: Draw, size: tuple[float, float], *, night: bool = False) -> bytes:
    """Draw a transparent PNG in colours of day or night; size in inches."""
    from matplotlib import style
    from matplotlib.figure import Figure

    out = io.BytesIO()

    def paint(role: str) -> str:
        return COLOURS[role][night]

    # What a drawing names no colour for, such as the numbers of a colour bar.
    names = "text.color", "axes.labelcolor", "xtick.color", "ytick.color"
    inks = dict.fromkeys(names, paint("ink")) | {"legend.facecolor": paint("panel")}
    with style.context(["default", settings("file"), inks]):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure, paint)
        figure.savefig(out, format="png", dpi=120, transparent=True)
    return out.getvalue()


def frame_axes(axes: Axes, paint: Paint) -> None:
    """Thin axes in the page's colours."""
    plain_axes(axes)
    for spine in axes.spines.values():
        spine.set_color(paint("muted"))
    axes.tick_params(which="both", color=paint("muted"), labelcolor=paint("ink"))


def shrunk(values: NDArray[np.floating], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Reduce a picture to at most `MAX_PIXELS` a side by means of usable pixels, else NaN."""
    up, across = (max(1, -(-n // MAX_PIXELS)) for n in values.shape)
    rows, columns = (-(-n // step) * step for n, step in zip(values.shape, (up, across), strict=True))
    pad = [(0, rows - values.shape[0]), (0, columns - values.shape[1])]
    shape = (rows // up, up, columns // across, across)
    good = np.pad(mask, pad).reshape(shape)
    sums = np.pad(np.where(mask, values, 0.0), pad).reshape(shape)
    number = good.sum(axis=(1, 3))
    total = sums.sum(axis=(1, 3))
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def extent(phi: NDArray[np.float64], alpha_f: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Outer edges of a picture from the centres of its pixels, as matplotlib has them."""

    def edges(centres: NDArray[np.float64]) -> tuple[float, float]:
        if centres.size == 1:
            return float(centres[0] - 0.5), float(centres[0] + 0.5)
        first, last = centres[1] - centres[0], centres[-1] - centres[-2]
        return float(centres[0] - first / 2), float(centres[-1] + last / 2)

    return (*edges(phi), *edges(alpha_f))


def axes_of(image: Image) -> tuple[tuple[float, float, float, float], str, str]:
    """Outer edges of a picture and the labels of its axes: exit angles, or pixels where it has none."""
    geometry: Any = image.geometry
    if hasattr(geometry, "qx") and min(image.counts.shape) > 1:
        middle = tuple(n // 2 for n in image.counts.shape)
        return extent(geometry.qx[middle[0]], geometry.qy[:, middle[1]]), "qx / Å⁻¹", "qy / Å⁻¹"
    if not hasattr(geometry, "alpha_f"):
        rows, columns = image.counts.shape
        return (-0.5, columns - 0.5, -0.5, rows - 0.5), "column", "row"
    return extent(geometry.phi, geometry.alpha_f), "φ / degrees", "α_f / degrees"


def upright(image: Image) -> Image:
    """Return an image as it is drawn: over q with qx to the right, qy up; lists of pixels as a picture."""
    geometry: Any = image.geometry
    if not hasattr(geometry, "qx"):
        return image
    if min(image.counts.shape) == 1:
        return _average_in_cells(image)
    names = [
        n for n in ("qx", "qy", "weight", "along", "across", "error") if getattr(geometry, n) is not None
    ]
    lies = np.abs(np.diff(geometry.qx, axis=1)).mean() < np.abs(np.diff(geometry.qx, axis=0)).mean()
    qx, qy = (q.T if lies else q for q in (geometry.qx, geometry.qy))
    across, upwards = (1 if np.median(np.diff(q, axis=axis)) >= 0 else -1 for q, axis in ((qx, 1), (qy, 0)))

    def turn(values: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray((values.T if lies else values)[::upwards, ::across])

    return replace(
        image,
        counts=turn(image.counts),
        mask=turn(image.mask),
        geometry=replace(geometry, **{name: turn(getattr(geometry, name)) for name in names}),
    )


#: Pixels of a list that a cell of a picture holds, on average.
_TOGETHER = 3.0


def _average_in_cells(image: Image) -> Image:
    """A list of pixels as means over the cells of a grid in q."""
    geometry: Any = image.geometry
    used = image.mask & (geometry.weight > 0)
    qx, qy = geometry.qx[used], geometry.qy[used]
    if qx.size < 2:
        return image
    wide, high = max(float(np.ptp(qx)), 1e-9), max(float(np.ptp(qy)), 1e-9)
    step = max(np.sqrt(wide * high * _TOGETHER / qx.size), max(wide, high) / MAX_PIXELS)
    edges = [np.arange(low, low + size + step, step) for low, size in ((qx.min(), wide), (qy.min(), high))]
    bins = [np.append(e, e[-1] + step) for e in edges][::-1]
    number = np.histogram2d(qy, qx, bins)[0]

    def average(values: Any) -> Any:
        return np.histogram2d(qy, qx, bins, weights=values[used])[0] / np.maximum(number, 1)

    averages = {"weight": average(geometry.weight)}
    if geometry.error is not None:
        averages["error"] = np.where(number > 0, average(geometry.error), 1.0)
    across, upwards = np.meshgrid(edges[0] + step / 2, edges[1] + step / 2)
    placed = replace(geometry, qx=across, qy=upwards, along=None, across=None, **averages)
    return replace(image, counts=average(image.counts), mask=number > 0, geometry=placed)


def picture(axes: Axes, values: NDArray[np.floating], image: Any, paint: Paint, **options: Any) -> Any:
    """Draw one picture over exit angles, masked pixels as ground; further arguments are ``imshow``'s."""
    frame_axes(axes, paint)
    edges, across, upwards = axes_of(image)
    axes.patch.set_visible(True)
    axes.patch.set_facecolor(paint("line"))
    artist = axes.imshow(
        np.ma.masked_invalid(shrunk(values, image.mask)),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=edges,
        **options,
    )
    axes.set_xlabel(across, color=paint("ink"))
    axes.set_ylabel(upwards, color=paint("ink"))
    return artist


def bar(figure: Figure, artist: Any, axes: Any, label: str, paint: Paint) -> None:
    """The scale of a picture's colours."""
    colour_bar = figure.colorbar(artist, ax=axes, fraction=0.06, pad=0.02)
    colour_bar.outline.set_visible(False)
    colour_bar.set_label(label, color=paint("ink"))
    colour_bar.ax.tick_params(which="both", color=paint("muted"), labelcolor=paint("ink"), labelsize=8)
