"""Panels of what a curve says without a model: Guinier, dimensionless Kratky and Porod plots, p(r)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..digits import format_with_error, significant
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


def draw_panels(axes: Sequence[Axes], curve: Curve, model_free: ModelFree, ink: Ink = Ink()) -> None:
    """Draw the panels; where there is no such region, one says why."""
    drawers: tuple[Callable[..., str], ...] = (_guinier, _kratky, _porod, _distances)
    for panel, title, draw in zip(axes, TITLES, drawers, strict=True):
        reason = draw(panel, curve, model_free, ink)
        panel.set_title(title, fontsize=9, color=ink.text)
        panel.tick_params(labelsize=7)
        if reason:
            panel.set_xticks([])
            panel.set_yticks([])
            panel.text(
                0.5, 0.5, _wrap(reason), transform=panel.transAxes, ha="center", va="center", fontsize=8,
                color=ink.text, parse_math=False,
            )  # fmt: skip


def _guinier(axes: Axes, curve: Curve, model_free: ModelFree, ink: Ink) -> str:
    guinier = model_free.guinier
    if not isinstance(guinier, Guinier):
        return guinier.reason
    intensity = curve.intensity - guinier.background
    is_shown = (curve.q < _BEYOND * guinier.q_max) & (intensity > 0)
    x, y = curve.q[is_shown] ** 2, np.log(intensity[is_shown])
    axes.plot(1e3 * x, y, ".", color=ink.points, markersize=3)
    grid = np.linspace(0, guinier.q_max**2, 80)
    line = np.log(guinier.i0) - grid * guinier.rg**2 / 3
    axes.plot(1e3 * grid, guinier.log_intensity(np.sqrt(grid)), color=ink.law, linewidth=1.3)
    axes.plot(1e3 * grid, line, color=ink.law, linewidth=0.9, linestyle="--")
    axes.axvline(1e3 * guinier.q_max**2, color=ink.law, linewidth=0.7, linestyle=":")
    bottom = min(float(line[-1]), float(np.min(y)))
    axes.set_ylim(bottom - 0.2, float(np.log(guinier.i0)) + 0.4)
    _labels(axes, "q² / 10⁻³ Å⁻²", "ln I", ink)
    _note(
        axes,
        f"Rg {format_with_error(guinier.rg, guinier.rg_error)} Å\nq·Rg to {significant(guinier.qrg_max, 2)}",
        ink,
        right=True,
    )
    return ""


def _kratky(axes: Axes, curve: Curve, model_free: ModelFree, ink: Ink) -> str:
    kratky = model_free.kratky
    if not isinstance(kratky, Kratky):
        return kratky.reason
    is_shown = kratky.x < _KRATKY
    axes.plot(kratky.x[is_shown], kratky.y[is_shown], ".", color=ink.points, markersize=3)
    # Guinier's law has its maximum there, 3/e; so has nearly every compact body.
    axes.axvline(np.sqrt(3), color=ink.law, linewidth=0.7, linestyle=":")
    axes.axhline(3 / np.e, color=ink.law, linewidth=0.7, linestyle=":")
    axes.set_xlim(0, min(_KRATKY, 1.05 * float(kratky.x.max())))
    axes.set_ylim(0, max(1.3 * float(np.percentile(kratky.y[is_shown], _SHARE)), 1.3))
    _labels(axes, "q·Rg", "(q·Rg)² I / I(0)", ink)
    top = "no maximum" if kratky.peak_x is None else f"maximum {_two(kratky.peak_y)} at {_two(kratky.peak_x)}"
    _note(axes, top, ink, right=True)
    return ""


def _porod(axes: Axes, curve: Curve, model_free: ModelFree, ink: Ink) -> str:
    law = model_free.porod
    background = model_free.guinier.background if isinstance(model_free.guinier, Guinier) else 0.0
    background = law.background if isinstance(law, Porod) else background
    x = curve.q**4
    y = x * (curve.intensity - background)
    finite = np.isfinite(y)
    if not finite.any():
        return "no points"
    axes.plot(curve.q[finite], y[finite], ".", color=ink.points, markersize=3)
    text = ""
    if isinstance(law, Porod):
        text = f"q⁻ᵖ, p {format_with_error(law.exponent, law.exponent_error)}"
        if law.constant is not None:
            axes.hlines(law.constant, law.q_min, law.q_max, color=ink.law, linewidth=1.4, zorder=3)
            text = f"{text}\nK {format_with_error(law.constant, law.constant_error)}"
    top = float(np.percentile(y[finite], _SHARE))
    axes.set_ylim(min(0.0, -0.1 * top) if top > 0 else None, 1.35 * top if top > 0 else None)
    _labels(axes, "q / Å⁻¹", "q⁴ (I − background)" if background else "q⁴ I", ink)
    _note(axes, text or "no Porod law", ink, right=False)
    return ""


def _distances(axes: Axes, curve: Curve, model_free: ModelFree, ink: Ink) -> str:
    distances = curve.pair_distances()
    if not isinstance(distances, PairDistances):
        return distances.reason
    axes.fill_between(
        distances.r,
        distances.p - distances.p_error,
        distances.p + distances.p_error,
        color=ink.law,
        alpha=0.25,
        linewidth=0,
    )
    axes.plot(distances.r, distances.p, color=ink.law, linewidth=1.3)
    axes.axvline(distances.d_max, ymax=0.7, color=ink.law, linewidth=0.7, linestyle=":")
    axes.set_xlim(0, float(distances.r[-1]))
    axes.set_ylim(
        min(0.0, 1.1 * float(distances.p.min())), 1.35 * float((distances.p + distances.p_error).max())
    )
    _labels(axes, "r / Å", "p(r)", ink)
    text = (
        f"D_max {format_with_error(distances.d_max, distances.d_max_error)} Å\nRg"
        f" {format_with_error(distances.rg, distances.rg_error)} Å"
    )
    _note(axes, text, ink, right=True)
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
    alignment: dict[str, Any] = {"ha": "right"} if right else {"ha": "left"}
    axes.text(
        0.97 if right else 0.03, 0.96, text, transform=axes.transAxes, va="top", fontsize=7.5, color=ink.text,
        parse_math=False, **alignment,
    )  # fmt: skip


def _wrap(text: str, width: int = 26) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(f"{text[:1].upper()}{text[1:]}.", width))
