"""The trend of a series of curves: what each frame is, and its numbers, with lines where it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from ..digits import unit_text
from .canvas import Draw, Paint, frame_axes, svg
from .page.document import document, notes, verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..arrays import Floats

#: Groups of which the probability is drawn: those that matter most, and reach this somewhere.
_GROUPS, _LEAST = 8, 0.2
_WIDTH, _HEIGHT = 8.4, 1.9
#: Of lines: a frame between two that have nothing is a point.
_LINE: dict[str, Any] = {"linewidth": 1.2, "marker": ".", "markersize": 2.5}
#: Titles of columns as people write them.
_TITLES = {"rg": "Rg", "i0": "I(0)"}
#: The panel of probabilities.
SHARES = "probability"
#: Of the width of a panel, below which a reason is written upwards.
_NARROW = 0.2
_UPWARDS: dict[str, Any] = {"rotation": 90, "fontsize": 6}
_ACROSS: dict[str, Any] = {"fontsize": 8}


@dataclass(frozen=True)
class Gap:
    """Where a panel has nothing to draw, and why."""

    panel: str  #: Its name; `SHARES` that of the probabilities.
    first: float  #: Time or number of the first frame, and of the last.
    last: float
    reason: str


def gaps_of(panel: str, time: Floats, value: Floats, reasons: Sequence[str]) -> list[Gap]:
    """Find where a panel has nothing to draw (NaN values), with each frame's reason."""
    missing = [why if np.isnan(number) else "" for number, why in zip(value, reasons, strict=True)]
    gaps = []
    for why, subset in groupby(range(len(missing)), lambda row: missing[row]):
        rows = list(subset)
        if why:
            gaps.append(Gap(panel, float(time[rows[0]]), float(time[rows[-1]]), why))
    return gaps


def describe_gaps(gaps: Sequence[Gap], against: str) -> list[str]:
    """Say of each gap which panels have it, and why."""
    panels: dict[tuple[float, float, str], list[str]] = {}
    for gap in gaps:
        panels.setdefault((gap.first, gap.last, gap.reason), []).append(_plain_title(gap.panel))
    sentences = []
    for (first, last, why), names in sorted(panels.items()):
        place = f"{first:g}" if first == last else f"{first:g} to {last:g}"
        sentences.append(f"Not shown at {against} {place}: {', '.join(names)}. {why[:1].upper()}{why[1:]}.")
    return sentences


def _plain_title(panel: str) -> str:
    name = panel.partition(" [")[0].partition(" / ")[0]
    return _TITLES.get(name, name)


def _title(panel: str) -> str:
    """Title of an axis: of a column "rg [Å]" or "background [1/cm]", Rg / Å and background / unit of I."""
    name, bracket, unit = panel.partition(" [")
    if not bracket:
        return _TITLES.get(panel, panel)
    unit = unit.removesuffix("]")
    return f"{_TITLES.get(name, name)} / {'unit of I' if unit == '1/cm' else unit_text(unit)}"


def trend_size(numbers: int) -> tuple[float, float]:
    """Inches of the figure with so many numbers."""
    return _WIDTH, 0.8 + _HEIGHT * (1.3 + numbers)


def trend(
    time: Floats,
    shares: Mapping[str, Floats],
    numbers: Mapping[str, tuple[Floats, Floats]],
    changes: Sequence[float] = (),
    gaps: Sequence[Gap] = (),
    *,
    against: str = "frame",
) -> Draw:
    """Draw group probabilities (NaN: no answer) and a panel for each number with its standard deviation,
    against time or frame; changes are lines, gaps shaded with the reason.
    """
    most = {name: float(np.nanmax(p)) for name, p in shares.items() if np.isfinite(p).any()}
    groups_drawn = sorted((n for n, p in most.items() if p >= _LEAST), key=lambda n: -np.nansum(shares[n]))[
        :_GROUPS
    ]

    def draw(figure: Figure, paint: Paint) -> None:
        places = figure.subplots(
            1 + len(numbers), 1, sharex=True, squeeze=False, height_ratios=[1.3, *[1.0] * len(numbers)]
        )[:, 0]
        for number, name in enumerate(groups_drawn):
            places[0].plot(time, shares[name], color=f"C{number}", label=name, gid=name, **_LINE)
        places[0].set(ylabel=SHARES, ylim=(-0.02, 1.02))
        if groups_drawn:
            places[0].legend(fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
        for axes, (name, (value, error)) in zip(places[1:], numbers.items(), strict=True):
            sure = np.where(np.isfinite(error), error, 0.0)
            axes.fill_between(time, value - sure, value + sure, color=paint("fit1"), alpha=0.3, linewidth=0)
            axes.plot(time, value, color=paint("fit1"), gid=name, **_LINE)
            axes.set_ylabel(_title(name))
        for axes, name in zip(places, (SHARES, *numbers), strict=True):
            _draw_gaps(axes, [gap for gap in gaps if gap.panel == name], time, paint)
            frame_axes(axes, paint)
            for change in changes:
                axes.axvline(change, color=paint("muted"), linewidth=0.9, linestyle="--")
        places[-1].set_xlabel(against, color=paint("ink"))

    return draw


def _draw_gaps(axes: Any, gaps: Sequence[Gap], time: Floats, paint: Paint) -> None:
    """Shade where there is nothing to draw, half a frame wider, and write the reason into it."""
    if not gaps:
        return
    step = float(np.median(np.diff(time, append=time[-1] + 1.0)))
    whole = float(time[-1] - time[0]) + step
    for gap in gaps:
        first, last = gap.first - step / 2, gap.last + step / 2
        axes.axvspan(first, last, color=paint("muted"), alpha=0.15, linewidth=0)
        style = _UPWARDS if last - first < _NARROW * whole else _ACROSS
        axes.text(
            (first + last) / 2, 0.5, gap.reason, transform=axes.get_xaxis_transform(), ha="center",
            va="center", color=paint("muted"), parse_math=False, clip_on=True, **style,
        )  # fmt: skip


def trend_page(
    title: str,
    draw: Draw,
    size: tuple[float, float],
    sentences: Sequence[str],
    facts: str,
    gaps: Sequence[str] = (),
    *,
    again: float | None,
) -> str:
    """Write a page with picture and sentences: changes (newest last), progress, and gaps with reasons;
    browsers reload after `again` seconds, None for never.
    """
    newest = sentences[-1] if sentences else "No change was found."
    picture = svg(draw, "trend", "probabilities and numbers against the frame", size)
    body = (
        f"<h1>{escape(title)}</h1>{verdict(escape(newest), escape(facts))}"
        f"<section>{picture}</section>{notes([*sentences[:-1], *gaps])}"
    )
    page = document(title, body)
    if again is None:
        return page
    return page.replace("<head>", f'<head><meta http-equiv="refresh" content="{again:g}">', 1)
