"""Answers about growing films as figures: one pattern with its quantities, or a series against its frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..types import GrowthGuess, Image
from .images.canvas import Draw, Paint, bar, picture, save
from .images.patterns import PATTERN_SIZE, geometry, log_scale
from .images.trends import Column, trends, trends_size


def plot_growth(path: str | Path, pairs: Sequence[tuple[Image, GrowthGuess]]) -> None:
    """Draw one pattern with its numbers, or the quantities of several against their order.

    Raises
    ------
    SasnetError
        The file cannot be written.
    """
    if len(pairs) == 1:
        save(_one(*pairs[0]), path, PATTERN_SIZE)
        return
    names = list(dict.fromkeys(name for _, guess in pairs for name in guess.quantities))
    columns, units = columns_of([guess for _, guess in pairs], names)
    frames = np.arange(1, len(pairs) + 1, dtype=np.float64)
    save(trends(frames, columns, units), path, trends_size(max(len(names), 1)))


def columns_of(
    guesses: Sequence[GrowthGuess], names: Sequence[str]
) -> tuple[dict[str, Column], dict[str, str]]:
    """Value, low and high end of each quantity, NaN where there is no answer; and their units."""
    nothing = (np.nan, np.nan, np.nan, "")
    columns, units = {}, {}
    for name in names:
        rows = [guess.quantities.get(name, nothing) for guess in guesses]
        value, low, high = np.array([row[:3] for row in rows], dtype=np.float64).T
        columns[name] = (value, low, high)
        units[name] = next((row[3] for row in rows if row[3]), "")
    return columns, units


def _one(image: Image, guess: GrowthGuess) -> Draw:
    def draw(figure: object, paint: Paint) -> None:
        from matplotlib.figure import Figure

        assert isinstance(figure, Figure)
        axes = figure.add_subplot()
        drawn = picture(axes, image.counts, image, paint, norm=log_scale(image), cmap="viridis")
        bar(figure, drawn, axes, "counts", paint)
        geometry(axes, image, paint)
        lines = [
            f"{name} {v:.3g} ({low:.3g}–{high:.3g}) {u}"
            for name, (v, low, high, u) in guess.quantities.items()
        ]
        axes.set_title("\n".join(lines), fontsize=7, loc="left", color=paint("ink"), parse_math=False)

    return draw
