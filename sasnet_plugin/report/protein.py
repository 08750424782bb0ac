"""A page of a protein: its numbers and the four plots that the field reads."""

from __future__ import annotations

import math
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..protein.results import ProteinResult, Quality, StructureFit, Value
from ..protein.text import headline, rows_of_protein, verdicts
from ..types import Curve
from .canvas import Paint, frame_axes, svg
from .page.document import document, identity, page_name, table, verdict, write_page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Inches of the four plots.
_SIZE = (9.6, 7.2)
#: q Rg up to which the Guinier and the Kratky plot are drawn.
_GUINIER, _KRATKY = 1.6, 8.0


def draw_protein(figure: Figure, paint: Paint, curve: Curve, result: ProteinResult) -> None:
    """Draw log I, the Guinier plot, the dimensionless Kratky plot and p(r)."""
    panels = figure.subplots(2, 2)
    for axes in panels.ravel():
        frame_axes(axes, paint)
    (whole, guinier), (kratky, distances) = panels
    positive = curve.intensity > 0
    points: dict[str, Any] = {
        "marker": "o",
        "ls": "",
        "ms": 2.5,
        "markeredgewidth": 0,
        "color": paint("data"),
    }
    line: dict[str, Any] = {"color": paint("fit1"), "lw": 1.6}
    whole.plot(curve.q[positive], curve.intensity[positive], **points)
    whole.set(yscale="log", xlabel="q / Å⁻¹", ylabel=curve.intensity_label)
    rg, i0, fitted, distribution = result.rg, result.i0, result.fitted, result.pair_distribution
    known = isinstance(rg, Value) and isinstance(i0, Value)
    if not (known and fitted and distribution and isinstance(rg, Value) and isinstance(i0, Value)):
        for axes in (guinier, kratky, distances):
            axes.text(0.5, 0.5, "no Rg", transform=axes.transAxes, ha="center", color=paint("muted"))
        return
    constant = result.quality.constant.value if isinstance(result.quality, Quality) else 0.0
    whole.plot(fitted.q, np.maximum(fitted.intensity + constant, 1e-300), **line)
    if isinstance(result.structure, StructureFit):
        fit = result.structure
        whole.plot(fit.q, np.maximum(fit.fitted, 1e-300), color=paint("fit2"), lw=1.6, label="structure")
        whole.legend(frameon=False, labelcolor=paint("ink"))
    low = float(np.quantile(curve.intensity[positive], 0.02))
    whole.set_ylim(0.5 * low, 1.6 * float(curve.intensity.max()))
    near = positive & (curve.q * rg.value < _GUINIER)
    guinier.plot(curve.q[near] ** 2, np.log(curve.intensity[near]), **points)
    guinier.plot(curve.q[near] ** 2, math.log(i0.value) - (curve.q[near] * rg.value) ** 2 / 3, **line)
    guinier.set(xlabel="q² / Å⁻²", ylabel="ln I")
    guinier.locator_params(axis="x", nbins=4)
    x = curve.q * rg.value
    drawn = x < _KRATKY
    kratky.plot(x[drawn], x[drawn] ** 2 * (curve.intensity[drawn] - constant) / i0.value, **points)
    # A fit may have excluded points that p(r) has.
    of_fit = fitted.q * rg.value
    shown = of_fit < _KRATKY
    kratky.plot(of_fit[shown], of_fit[shown] ** 2 * fitted.intensity[shown] / i0.value, **line)
    kratky.axvline(math.sqrt(3), color=paint("line"), lw=0.8)
    kratky.axhline(3 / math.e, color=paint("line"), lw=0.8)
    kratky.set(xlabel="q·Rg", ylabel="(q·Rg)² I / I(0)", ylim=(-0.1, 2.2))
    band = distribution.p - distribution.error, distribution.p + distribution.error
    distances.fill_between(distribution.r, *band, color=paint("fit1"), alpha=0.25, linewidth=0)
    distances.plot(distribution.r, distribution.p, **line)
    distances.set(xlabel="r / Å", ylabel="p(r)", xlim=(0, distribution.r[-1]))


def write_protein_page(folder: Path, curve: Curve, result: ProteinResult) -> Path:
    """Write the page of one curve into a folder; return its path. Raises SasnetError if that fails."""
    own = identity(curve.file, curve.entry, curve.q, curve.intensity)
    label = "The curve, its Guinier plot, its dimensionless Kratky plot and p(r)"
    picture = svg(lambda figure, paint: draw_protein(figure, paint, curve, result), "protein", label, _SIZE)
    level = "doubt" if result.cautions or result.problems else ""
    sentences = escape(" ".join([*verdicts(result), *result.problems, *result.cautions]))
    body = "\n".join([
        f"<h1>{escape(Path(curve.file).name)}</h1>",
        verdict(escape(headline(result)), sentences, level=level),
        picture,
        table(("quantity", "value", "source"), rows_of_protein(result)),
    ])  # fmt: skip
    path = folder / page_name(folder, curve.file, curve.entry, own, default="protein")
    return write_page(path, document(f"{Path(curve.file).name}: protein", body, identity=own))
