"""A figure of patterns beside the distributions of the rotation angle behind them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..types import Image, OrientationGuess
from .plot import MAX_ROWS
from .whole import write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_orientations(path: str | Path, pairs: Sequence[tuple[Image, OrientationGuess]]) -> None:
    """Draw one row for each image: the pattern with what is masked left white, and p(ξ) with its band.

    Parameters
    ----------
    path : str or Path
        File to write; its ending chooses the format (PNG, PDF, SVG).
    pairs : sequence of (Image, OrientationGuess)
        At least one; those beyond `plot.MAX_ROWS` are not drawn.

    Raises
    ------
    SasnetError
        The file cannot be written, or its ending is no format of matplotlib.
    """
    from matplotlib.figure import Figure

    pairs = pairs[:MAX_ROWS]
    figure = Figure(figsize=(10, 3.6 * len(pairs)), layout="constrained")
    axes = figure.subplots(len(pairs), 2, squeeze=False, width_ratios=[2, 3])
    for row, (image, guess) in zip(axes, pairs, strict=True):
        _pattern(row[0], image)
        _distribution(row[1], guess)
    write_figure(figure, path)


def _pattern(axes: Axes, image: Image) -> None:
    lit = image.counts[image.mask & (image.counts > 0)]
    low, high = (float(x) for x in np.percentile(lit, [5, 99.8])) if lit.size else (0.0, 1.0)
    shown = np.where(image.mask, np.log10(np.maximum(image.counts, max(low, 1e-12))), np.nan)
    extent = (
        image.geometry.phi[0],
        image.geometry.phi[-1],
        image.geometry.alpha_f[0],
        image.geometry.alpha_f[-1],
    )
    axes.imshow(shown, origin="lower", extent=extent, aspect="auto", vmax=np.log10(max(high, 1e-12)))
    axes.set(xlabel="φ / degrees", ylabel="α_f / degrees", title=Path(image.file).name)


def _distribution(axes: Axes, guess: OrientationGuess) -> None:
    axes.fill_between(guess.xi, guess.p_low, guess.p_high, color="0.8", label="90 % band", step="mid")
    axes.step(guess.xi, guess.p, where="mid", label="p(ξ)")
    axes.axhline(1 / guess.p.size, color="0.6", linewidth=0.8, linestyle="--")
    # Where nothing is said the band goes to 1.
    axes.set(xlabel="ξ / degrees", ylabel="share", xlim=(0, 60), ylim=(0, 1.3 * float(guess.p.max()) + 0.02))
    axes.set_title(f"in scope {100 * guess.in_scope:.0f} %")
    axes.legend(fontsize="small")
