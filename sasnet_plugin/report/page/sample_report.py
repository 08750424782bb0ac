"""One HTML page for several curves of one sample, fitted together: curves, residuals, shared and own."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...fitting.result.sample_result import SampleResult
from ...fitting.result.verdict import DOES_NOT, DOUBTS, EXPLAINS
from .. import sample_rows
from . import document, names
from .document import FITS, inline_svg, placeholder, plain_axes, settings
from .interactive import figure_of, sample_plot, scripts, style
from .tables import swatch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Inches.
_WIDTH, _PLOT, _STRIP = 9.6, 4.6, 0.75
#: A curve's fit is drawn this much darker than its points.
_POINTS = 0.55
#: Joint fits that are listed.
_MOST = 10
_LEVEL = {EXPLAINS: "", DOUBTS: "doubt", DOES_NOT: "wrong"}


def write_sample_report(result: SampleResult, folder: Path) -> Path:
    """Write the page of a sample under a lasting name. Raises SasnetError on failure."""
    return document.write_page(Path(folder) / sample_page_name(result, folder), sample_page(result))


def sample_page_name(result: SampleResult, folder: Path) -> str:
    """Name of a sample's page in a folder."""
    first = result.sample.curves[0]
    return names.page_name(folder, first.file, "together", _own(result), default="sample")


def _own(result: SampleResult) -> str:
    columns = [c for curve in result.sample.curves for c in (curve.q, curve.intensity)]
    return names.identity(result.sample.curves[0].file, "together", *columns)


def sample_page(result: SampleResult) -> str:
    files = [Path(name).name for name in result.sample.files]
    title = f"{len(files)} curves of one sample"
    verdict = result.verdict
    cautions = [f"Caution: {escape(verdict.doubt)}"] if verdict.doubt else []
    single_items = "".join(
        f"<li><bdi>{escape(name)}</bdi> alone: {escape(single.headline)}</li>"
        for name, single in zip(files, result.singles, strict=False)
    )
    if result.as_one is not None:
        single_items = f"<li>All settings as one curve: {escape(result.as_one.headline)}</li>"
    headline = f"<strong>{escape(verdict.headline)}</strong>"
    heading = "Each curve alone" if result.as_one is None else "Before they were fitted together"
    body = f"""<header>
<p class="eyebrow">Small-angle scattering · fitted together by sasnet</p>
<h1>{title}</h1>
<p class="source"><bdi>{escape(", ".join(files))}</bdi></p>
{document.verdict(headline, "<br>".join(cautions), level=_LEVEL[verdict.level])}
</header>
<section><h2>Curves and the best fit</h2>
{_key(files)}
{figure_of(sample_figure(result), sample_plot(result))}
<p class="small">Error bars are one standard deviation. Each curve is multiplied by the power behind its name.
Shaded: residuals within 2 σ.</p></section>
{document.notes(result.remarks)}
{_ranking(result)}
{_parameters(result, files)}
<section><h2>{heading}</h2><ul class="notes">{single_items}</ul></section>"""
    return document.document(
        f"{title} · fits by sasnet", body, identity=_own(result), scripts=scripts(), style=style()
    )


def _key(files: list[str]) -> str:
    items = "".join(
        f"<span>{swatch(i % len(FITS))}<bdi>{escape(name)}</bdi></span>" for i, name in enumerate(files)
    )
    return f'<div class="key">{items}</div>'


def sample_figure(result: SampleResult) -> str:
    """Draw all curves, moved apart, with the best joint fit, above residual strips."""
    from matplotlib import style as rc
    from matplotlib.figure import Figure

    curves, best = result.sample.curves, result.best
    height = _PLOT + _STRIP * len(curves) + 0.9
    low, high = min(c.q[0] for c in curves), max(c.q[-1] for c in curves)
    with rc.context(["default", settings("sample")]):
        figure = Figure(figsize=(_WIDTH, height))
        grid = figure.add_gridspec(
            1 + len(curves), 1, height_ratios=[_PLOT] + [_STRIP] * len(curves), hspace=0.12,
            left=0.08, right=0.99, top=0.985, bottom=0.55 / height,
        )  # fmt: skip
        above = figure.add_subplot(grid[0])
        for i, curve in enumerate(curves):
            factor = 10.0 ** (len(curves) - 1 - i)
            colour = placeholder(FITS[i % len(FITS)])
            error = result.dintensities[i] * factor
            above.errorbar(
                curve.q, curve.intensity * factor, np.minimum(error, np.abs(curve.intensity) * factor * 0.99),
                fmt="o", color=colour, markersize=2.6, elinewidth=0.6, alpha=_POINTS, markeredgewidth=0,
            )  # fmt: skip
            if best is not None:
                above.plot(curve.q, best.theories[i] * factor, color=colour, linewidth=1.6)
            moved = f"  ×10{_power(len(curves) - 1 - i)}" if i < len(curves) - 1 else ""
            label = f"{Path(result.sample.files[i]).name}{moved}"
            above.text(
                0.985, 0.96 - 0.055 * i, label, transform=above.transAxes, ha="right", va="top", size=9,
                color=colour, parse_math=False,
            )  # fmt: skip
        above.set_yscale("log")
        above.set_ylabel("I(q), moved apart", color=placeholder("ink"))
        axes_drawn = [above]
        for i in range(len(curves)):
            axes_drawn.append(figure.add_subplot(grid[1 + i]))
            _residuals(axes_drawn[-1], result, i)
        for axes in axes_drawn:
            plain_axes(axes)
            axes.set_xscale("log")
            axes.set_xlim(low / 1.05, high * 1.05)
            axes.tick_params(labelbottom=axes is axes_drawn[-1])
        axes_drawn[-1].set_xlabel("q / Å⁻¹", color=placeholder("ink"))
        return inline_svg(figure, "sample", "Curves of one sample with their joint fit", whole=True)


def _power(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _residuals(axes: Axes, result: SampleResult, i: int) -> None:
    axes.axhspan(-2, 2, color=placeholder("line"), alpha=0.45, linewidth=0)
    axes.axhline(0, color=placeholder("muted"), linewidth=0.8)
    if result.best is None:
        return
    curve = result.sample.curves[i]
    residual = (curve.intensity - result.best.theories[i]) / result.dintensities[i]
    bound = 1.15 * max(3.0, float(np.percentile(np.abs(residual), 98)))
    axes.plot(
        curve.q, np.clip(residual, -bound, bound), "o", color=placeholder(FITS[i % len(FITS)]),
        markersize=2.4,
        markeredgewidth=0,
    )  # fmt: skip
    axes.set_ylim(-bound, bound)


def _row(cells: list[str], tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _ranking(result: SampleResult) -> str:
    head, rows = sample_rows.ranking(result, _MOST)
    return (
        f'<section><h2>Ranking</h2><div class="wide"><table><thead>{_row(head, "th")}</thead><tbody>'
        f"{''.join(map(_row, rows))}</tbody></table></div></section>"
    )


def _parameters(result: SampleResult, files: list[str]) -> str:
    best = result.best
    if best is None:
        return ""
    shared, own_rows = ("".join(map(_row, rows(best))) for rows in (sample_rows.list_shared, sample_rows.own))
    return (
        f"<section><h2>What all curves share: {escape(best.name)}</h2><div class='wide'><table><tbody>"
        f"{shared}</tbody></table></div></section><section><h2>What each has of its own</h2>"
        "<div class='wide'><table>"
        f"<thead>{_row(['', *files], 'th')}</thead><tbody>{own_rows}</tbody></table></div></section>"
    )
