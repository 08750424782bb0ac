"""A figure of what was measured beside what was found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sasnet_plugin.files import write_figure
from sasnet_plugin.types import Curve, Image

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sasnet_plugin.predict import Answer

MAX_ROWS = 24  # more would make a picture too tall to read


def plot_answers(path: str | Path, pairs: Sequence[tuple[Any, Answer]]) -> None:
    """Draw one row for each measurement: what was measured, and the first finding about it.

    Parameters
    ----------
    path : str or Path
        File to write; its ending chooses the format (PNG, PDF, SVG).
    pairs : sequence of (measurement, Answer)
        At least one; those beyond `MAX_ROWS` are not drawn.

    Raises
    ------
    SasnetError
        The file cannot be written, or its ending is no format of matplotlib.
    """
    from matplotlib.figure import Figure

    pairs = pairs[:MAX_ROWS]
    figure = Figure(figsize=(10, 3.6 * len(pairs)), layout="constrained")
    axes = figure.subplots(len(pairs), 2, squeeze=False)
    for (left, right), (measurement, answer) in zip(axes, pairs, strict=True):
        _draw_curve(left, measurement) if isinstance(measurement, Curve) else _draw_image(left, measurement)
        if answer.findings:
            answer.findings[0].draw(right)
        right.set_title(f"in scope: {answer.in_scope:.2f}", fontsize=9)
        left.set_title(
            _plain(" · ".join(part for part in (Path(measurement.file).name, measurement.entry) if part)),
            fontsize=9,
        )
    write_figure(figure, path)


def _draw_curve(axes: Axes, curve: Curve) -> None:
    positive = curve.intensity > 0
    q, intensity = curve.q[positive], curve.intensity[positive]
    if curve.dintensity is None:
        axes.plot(q, intensity, ".", color="C0", markersize=3)
    else:
        # An error bar that reaches zero has no lower end on a logarithmic axis.
        error = curve.dintensity[positive]
        lower = np.minimum(error, intensity * (1 - 1e-3))
        axes.errorbar(q, intensity, yerr=[lower, error], fmt=".", color="C0", markersize=3, elinewidth=0.6)
    axes.set_xscale("log")
    if positive.any():
        axes.set_yscale("log")
        # A few points that scatter down to zero would squeeze the rest.
        axes.set_ylim(0.5 * np.percentile(intensity, 1), 2 * intensity.max())
    axes.set_xlabel("q / Å⁻¹")
    axes.set_ylabel("I(q)")


def _draw_image(axes: Axes, image: Image) -> None:
    """Counts in logarithmic colours; what is masked is left white."""
    from sasnet_plugin.report.images.canvas import axes_of

    lit = image.counts[image.mask & (image.counts > 0)]
    low, high = (float(x) for x in np.percentile(lit, [5, 99.8])) if lit.size else (0.0, 1.0)
    shown = np.where(image.mask, np.log10(np.maximum(image.counts, max(low, 1e-12))), np.nan)
    extent, across, upwards = axes_of(image)
    axes.imshow(shown, origin="lower", extent=extent, aspect="auto", vmax=np.log10(max(high, 1e-12)))
    axes.set(xlabel=across, ylabel=upwards)


def _plain(text: str) -> str:
    return text.replace("$", r"\$")  # else matplotlib would typeset it as mathematics
