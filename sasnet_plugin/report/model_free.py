"""Panels of what a curve says without a model: Guinier, dimensionless Kratky and Porod plots, p(r)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..digits import significant, with_error
from ..model_free import Guinier, Kratky, ModelFree, PairDistances, Porod

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..types import Curve

TITLES = ("Guinier", "Dimensionless Kratky", "Porod", "Pair distances")
#: Of q Rg that the Guinier and Kratky panels show, and per cent of the points that set their height.
_BEYOND, _KRATKY, _SHARE = 1.3, 8.0, 98.0


@dataclass(frozen=True)
class Ink:
    """Colours of points, of the law and of text."""

    points: str = "C0"
    law: str = "C1"
    text: str = "black"


def draw_panels(axes: Sequence[Axes], curve: Curve, found: ModelFree, ink: Ink = Ink()) -> None:
    """Draw the panels; where there is no such region, one says why."""
    drawers: tuple[Callable[..., str], ...] = (_guinier, _kratky, _porod, _distances)
    for one, title, draw in zip(axes, TITLES, drawers, strict=True):
        reason = draw(one, curve, found, ink)
        one.set_title(title, fontsize=9, color=ink.text)
        one.tick_params(labelsize=7)
        if reason:
            one.set_xticks([])
            one.set_yticks([])
            one.text(
                0.5, 0.5, _wrapped(reason), transform=one.transAxes, ha="center", va="center", fontsize=8,
                color=ink.text, parse_math=False,
            )  # fmt: skip


def _guinier(axes: Axes, curve: Curve, found: ModelFree, ink: Ink) -> str:
    own = found.guinier
    if not isinstance(own, Guinier):
        return own.reason
    intensity = curve.intensity - own.background
    shown = (curve.q < _BEYOND * own.q_max) & (intensity > 0)
    x, y = curve.q[shown] ** 2, np.log(intensity[shown])
    axes.plot(1e3 * x, y, ".", color=ink.points, markersize=3)
    grid = np.linspace(0, own.q_max**2, 80)
    line = np.log(own.i0) - grid * own.rg**2 / 3
    axes.plot(1e3 * grid, own.log_intensity(np.sqrt(grid)), color=ink.law, linewidth=1.3)
    axes.plot(1e3 * grid, line, color=ink.law, linewidth=0.9, linestyle="--")
    axes.axvline(1e3 * own.q_max**2, color=ink.law, linewidth=0.7, linestyle=":")
    bottom = min(float(line[-1]), float(np.min(y)))
    axes.set_ylim(bottom - 0.2, float(np.log(own.i0)) + 0.4)
    _labels(axes, "q² / 10⁻³ Å⁻²", "ln I", ink)
    _note(
        axes,
        f"Rg {with_error(own.rg, own.rg_error)} Å\nq·Rg to {significant(own.qrg_max, 2)}",
        ink,
        right=True,
    )
    return ""


def _kratky(axes: Axes, curve: Curve, found: ModelFree, ink: Ink) -> str:
    own = found.kratky
    if not isinstance(own, Kratky):
        return own.reason
    shown = own.x < _KRATKY
    axes.plot(own.x[shown], own.y[shown], ".", color=ink.points, markersize=3)
    # Guinier's law has its maximum there, 3/e; so has nearly every compact body.
    axes.axvline(np.sqrt(3), color=ink.law, linewidth=0.7, linestyle=":")
    axes.axhline(3 / np.e, color=ink.law, linewidth=0.7, linestyle=":")
    axes.set_xlim(0, min(_KRATKY, 1.05 * float(own.x.max())))
    axes.set_ylim(0, max(1.3 * float(np.percentile(own.y[shown], _SHARE)), 1.3))
    _labels(axes, "q·Rg", "(q·Rg)² I / I(0)", ink)
    top = "no maximum" if own.peak_x is None else f"maximum {_two(own.peak_y)} at {_two(own.peak_x)}"
    _note(axes, top, ink, right=True)
    return ""


def _porod(axes: Axes, curve: Curve, found: ModelFree, ink: Ink) -> str:
    law = found.porod
    background = found.guinier.background if isinstance(found.guinier, Guinier) else 0.0
    background = law.background if isinstance(law, Porod) else background
    x = curve.q**4
    y = x * (curve.intensity - background)
    finite = np.isfinite(y)
    if not finite.any():
        return "no points"
    axes.plot(curve.q[finite], y[finite], ".", color=ink.points, markersize=3)
    said = ""
    if isinstance(law, Porod):
        said = f"q⁻ᵖ, p {with_error(law.exponent, law.exponent_error)}"
        if law.constant is not None:
            axes.hlines(law.constant, law.q_min, law.q_max, color=ink.law, linewidth=1.4, zorder=3)
            said = f"{said}\nK {with_error(law.constant, law.constant_error)}"
    top = float(np.percentile(y[finite], _SHARE))
    axes.set_ylim(min(0.0, -0.1 * top) if top > 0 else None, 1.35 * top if top > 0 else None)
    _labels(axes, "q / Å⁻¹", "q⁴ (I − background)" if background else "q⁴ I", ink)
    _note(axes, said or "no Porod law", ink, right=False)
    return ""


def _distances(axes: Axes, curve: Curve, found: ModelFree, ink: Ink) -> str:
    own = curve.pair_distances()
    if not isinstance(own, PairDistances):
        return own.reason
    axes.fill_between(own.r, own.p - own.p_error, own.p + own.p_error, color=ink.law, alpha=0.25, linewidth=0)
    axes.plot(own.r, own.p, color=ink.law, linewidth=1.3)
    axes.axvline(own.d_max, ymax=0.7, color=ink.law, linewidth=0.7, linestyle=":")
    axes.set_xlim(0, float(own.r[-1]))
    axes.set_ylim(min(0.0, 1.1 * float(own.p.min())), 1.35 * float((own.p + own.p_error).max()))
    _labels(axes, "r / Å", "p(r)", ink)
    said = f"D_max {with_error(own.d_max, own.d_max_error)} Å\nRg {with_error(own.rg, own.rg_error)} Å"
    _note(axes, said, ink, right=True)
    return ""


def _two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _labels(axes: Axes, x: str, y: str, ink: Ink) -> None:
    axes.set_xlabel(x, fontsize=8, color=ink.text)
    axes.set_ylabel(y, fontsize=8, color=ink.text)
    axes.locator_params(nbins=6)
    axes.ticklabel_format(axis="y", scilimits=(-3, 4))
    axes.yaxis.get_offset_text().set_fontsize(7)


def _note(axes: Axes, text: str, ink: Ink, *, right: bool) -> None:
    where: dict[str, Any] = {"ha": "right"} if right else {"ha": "left"}
    axes.text(
        0.97 if right else 0.03, 0.96, text, transform=axes.transAxes, va="top", fontsize=7.5, color=ink.text,
        parse_math=False, **where,
    )  # fmt: skip


def _wrapped(text: str, width: int = 26) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(f"{text[:1].upper()}{text[1:]}.", width))
