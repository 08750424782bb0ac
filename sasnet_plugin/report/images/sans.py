"""What a page of a small-angle-scattering image shows besides: sectors, harmonics and the fit over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.sans.anisotropy import anisotropy
from ...data.sans.features import images_of
from ...data.sans.polar import N_RINGS, N_SECTORS, RINGS, harmonics, polar
from ...fitting.images.oriented_fit import OrientedFit
from ...predict.sans import most_counted
from .canvas import Paint, framed
from .pages import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ...predict import Answer

#: Half width of a sector that is averaged, degrees; fewer counts than this are no point.
_HALF, _LEAST = 20.0, 5


def sections(measurement: Any, answer: Answer) -> list[Section]:
    """Intensity along two directions and around the beam, with the fit where there is one; harmonics.

    Parameters
    ----------
    measurement : Image or data.sans.features.Settings
        Of several settings, the image with the most counts is drawn.
    """
    image = most_counted(images_of(measurement))
    if image is None:
        return []
    found = polar(image)
    axis = anisotropy([found]).axis
    fit = next((one for one in answer.findings if isinstance(one, OrientedFit)), None)
    if fit is not None:
        axis = fit.values["director"].value
    fitted = None
    if fit is not None:
        fitted = np.zeros(N_RINGS * N_SECTORS)
        fitted[fit.cells.where] = fit.expected
    middle = (np.arange(N_SECTORS) + 0.5) * 360 / N_SECTORS
    relative, error = harmonics(found)

    def mean(values: NDArray[np.float64], direction: float | None) -> NDArray[np.float64]:
        near = np.ones(N_SECTORS, bool)
        if direction is not None:
            near = np.abs(np.mod(middle - direction + 90, 180) - 90) <= _HALF
        total, seen = values[:, near].sum(axis=1), found.exposure[:, near].sum(axis=1)
        there = (found.counts[:, near].sum(axis=1) >= _LEAST) & (seen > 0)
        return np.divide(total * found.scale, seen, out=np.full(N_RINGS, np.nan), where=there)

    def draw(figure: Figure, paint: Paint) -> None:
        left, right = figure.subplots(1, 2)
        for place in (left, right):
            framed(place, paint)
            place.set(xscale="log", xlabel="q / Å⁻¹")
            place.xaxis.set_minor_formatter("")
        lines = [("all around", None, "data"), ("along", axis, "fit1"), ("across", axis + 90, "fit2")]
        for name, direction, colour in lines:
            left.plot(
                RINGS, mean(found.counts, direction), ".", color=paint(colour), label=name, markersize=4
            )
            if fitted is not None and direction is not None:
                shown = mean(fitted.reshape(N_RINGS, N_SECTORS), direction)
                left.plot(RINGS, shown, color=paint(colour), linewidth=1.1)
        left.set(yscale="log", ylabel="intensity, arbitrary")
        left.legend(frameon=False, fontsize="small", labelcolor=paint("ink"))
        told = error[:, 0] < 0.3
        for order, colour in ((2, "fit1"), (4, "fit3"), (6, "fit4")):
            size = np.hypot(relative[:, order - 2], relative[:, order - 1])
            sharp = error[told, order - 2]
            right.errorbar(RINGS[told], size[told], sharp, color=paint(colour), fmt=".", label=f"m = {order}")
        right.set(ylabel="harmonic over the mean", ylim=(0, None))
        right.legend(frameon=False, fontsize="small", labelcolor=paint("ink"))
        for place in (left, right):
            for text in (place.xaxis.label, place.yaxis.label):
                text.set_color(paint("ink"))

    said = f"Sectors of ±{_HALF:g}° along {axis:.0f}° from qx and across it" + (
        "; lines: the fit." if fit is not None else "."
    )
    return [Section("Profile and harmonics", draw, (8.4, 3.4), said)]
