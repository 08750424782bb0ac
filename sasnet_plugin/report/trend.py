"""The trend of a series of curves: what each frame is, and its numbers, with lines where it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from .canvas import Draw, Paint, framed, svg
from .page.document import document, notes, verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..arrays import Floats

#: Groups of which the probability is drawn: those that matter most, and reach this somewhere.
_GROUPS, _LEAST = 8, 0.2
_WIDTH, _HEIGHT = 8.4, 1.9


def trend_size(numbers: int) -> tuple[float, float]:
    """Inches of the figure with so many numbers."""
    return _WIDTH, 0.8 + _HEIGHT * (1.3 + numbers)


def trend(
    time: Floats,
    shares: Mapping[str, Floats],
    numbers: Mapping[str, tuple[Floats, Floats]],
    changes: Sequence[float] = (),
    *,
    against: str = "frame",
) -> Draw:
    """A panel of probabilities, and one for each number with its error.

    Parameters
    ----------
    time : (n,) float array
        Or number of the frame.
    shares : mapping of str to (n,) float array
        Probability of each group, NaN where there is no answer.
    numbers : mapping of str to (value, error), each a (n,) float array
        By name with unit; error one standard deviation.
    changes : sequence of float
        Where the series changes.
    """
    most = {name: float(np.nanmax(p)) for name, p in shares.items() if np.isfinite(p).any()}
    drawn = sorted((n for n, p in most.items() if p >= _LEAST), key=lambda n: -np.nansum(shares[n]))[:_GROUPS]

    def draw(figure: Figure, paint: Paint) -> None:
        places = figure.subplots(
            1 + len(numbers), 1, sharex=True, squeeze=False, height_ratios=[1.3, *[1.0] * len(numbers)]
        )[:, 0]
        for number, name in enumerate(drawn):
            places[0].plot(time, shares[name], color=f"C{number}", linewidth=1.2, label=name, gid=name)
        places[0].set(ylabel="probability", ylim=(-0.02, 1.02))
        if drawn:
            places[0].legend(fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
        for axes, (name, (value, error)) in zip(places[1:], numbers.items(), strict=True):
            sure = np.where(np.isfinite(error), error, 0.0)
            axes.fill_between(time, value - sure, value + sure, color=paint("fit1"), alpha=0.3, linewidth=0)
            axes.plot(time, value, color=paint("fit1"), linewidth=1.2, gid=name)
            axes.set_ylabel(name)
        for axes in places:
            framed(axes, paint)
            for at in changes:
                axes.axvline(at, color=paint("muted"), linewidth=0.9, linestyle="--")
        places[-1].set_xlabel(against, color=paint("ink"))

    return draw


def trend_page(
    title: str, draw: Draw, size: tuple[float, float], said: Sequence[str], facts: str, *, again: float | None
) -> str:
    """A page with the picture and the sentences.

    Parameters
    ----------
    said : sequence of str
        Changes, the newest last.
    facts : str
        How far it is.
    again : float or None
        Seconds after which a browser reads it again; None where nothing more is to come.
    """
    newest = said[-1] if said else "No change is seen."
    picture = svg(draw, "trend", "probabilities and numbers against the frame", size)
    body = (
        f"<h1>{escape(title)}</h1>{verdict(escape(newest), escape(facts))}"
        f"<section>{picture}</section>{notes(said[:-1])}"
    )
    page = document(title, body)
    if again is None:
        return page
    return page.replace("<head>", f'<head><meta http-equiv="refresh" content="{again:g}">', 1)
