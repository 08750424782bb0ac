"""HTML pages of classified and fitted curves, alone or several of a sample: figures and tables in one file.

Without scripts, and on paper, the picture stays.

Drawn with matplotlib's objects alone, no window and no state of pyplot. The text stays text, the same input
gives the same bytes, and every colour is a role of `document`.
"""

from __future__ import annotations

import hashlib
import json
import math
import shlex
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...data.scatter import is_stated
from ...digits import chisq_text, format_with_error, interval, significant, unit_text
from ...domains.heads import Classes
from ...files import read_text
from ...fitting.result.fit_result import FitResult
from ...fitting.result.model_fit import STOPPED, ModelFit, Parameter, drop_unused
from ...fitting.result.reported_values import is_determined
from ...fitting.result.sample_result import SampleResult
from ...fitting.result.verdict import DOES_NOT, DOUBTS, EXPLAINS, Verdict
from ...fitting.verdict.equals import worth_showing
from ...fitting.verdict.sentences import NAMES
from ...model_free.results import lines
from ...predict import Answer
from ...predict.classes import ClassesFinding
from ...types import Curve, ModelZooError
from ...zoo import Manifest, open_model
from .. import summaries
from ..canvas import Paint, svg
from ..figure import (
    MAX_DRAWN,
    WIDTH,
    CurvePlot,
    data_plot,
    draw_figure,
    figure_size,
    fit_plot,
    sample_plot,
)
from ..plot import (
    MARGIN,
    PANEL,
    Ink,
    draw_corner,
    draw_panels,
    draw_tree,
    members_of_links,
    nearest_simulated,
    open_bank,
    select_drawn_names,
)
from ..summaries import distribution_of
from . import document
from .document import DASHES, FITS, plain_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# --- The figure of a report that answers to the hand: uPlot, within the page, in place of its
# --- picture.

#: Of uPlot, one file each, with its licence beside it.
_STATIC = Path(__file__).parents[2] / "web" / "static"
#: Below the page's own style.
STYLE = "\n" + read_text(__file__, "plot.css")


def draw_plot(plot: CurvePlot, name: str, label: str) -> str:
    """Return the key of a plot, its picture, and what replaces it where scripts run."""
    size = figure_size(plot)
    picture = svg(
        lambda figure, paint: draw_figure(figure, plot, paint), name, label, size, whole=True, layout=None
    )
    # Nothing in it may end the element, whatever a file's title says.
    data = json.dumps(plot.as_dict(), separators=(",", ":")).replace("<", "\\u003c").replace("&", "\\u0026")
    return (
        f'{make_key(plot.key)}<figure id="still">{picture}</figure><div id="plot" hidden></div>'
        f'<script type="application/json" id="plot-data">{data}</script>'
    )


@cache
def scripts() -> tuple[str, ...]:
    """What runs in the page: uPlot, then the figure."""
    names = ("uplot.min.js", "figure.js")
    texts = [(_STATIC / name).read_text(encoding="utf-8").strip() for name in names]
    return (*texts, read_text(__file__, "plot.js"))


@cache
def style() -> str:
    """The style sheets of both."""
    return (_STATIC / "uplot.min.css").read_text(encoding="utf-8") + STYLE


# --- Figures of a fit report as inline SVG: data with fits, residuals below, and the tree of
# --- models.


def model_free_figure(result: FitResult) -> str:
    """Guinier, dimensionless Kratky and Porod plots and p(r), an ``svg`` element."""

    def draw(figure: Figure, paint: Paint) -> None:
        axes = [figure.add_axes((left_edge, 0.2, 0.18, 0.68)) for left_edge in (0.06, 0.31, 0.56, 0.81)]
        for panel in axes:
            plain_axes(panel)
        curve = replace(result.curve, dintensity=result.dintensity)
        draw_panels(axes, curve, result.model_free, Ink(paint("data"), paint("fit1"), paint("ink")))

    label = "Guinier, Kratky and Porod plots of the data, and p(r)"
    return svg(draw, "model-free", label, (WIDTH, 2.7), layout=None)


def tree_figure(manifest: Manifest, result: FitResult) -> str:
    """Draw the tree of models with this answer's ranks. Raises ModelZooError without a tree."""
    rank = ranks(worth_showing(result.fits))
    inside = members_of_links(manifest)
    homes = [frozenset(group.members) for group in manifest.groups if rank.keys() & set(group.members)]
    near = frozenset().union(*homes)
    height = 0.165 * len(manifest.labels) + 0.7

    def draw(figure: Figure, paint: Paint) -> None:
        def colour(link: int) -> str:
            # What joins models of one group of this answer; above the cut a link holds several groups.
            return paint("fit1" if any(inside[link] <= home for home in homes) else "muted")

        axes = figure.add_axes((0.02, 0.6 / height, 0.63, 1 - 0.65 / height))
        draw_tree(axes, manifest, colour, cut=paint("ink"))
        plain_axes(axes)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0, pad=6)
        labels = [tick.get_text() for tick in axes.get_yticklabels()]
        axes.set_yticks(
            axes.get_yticks(), [f"{name}   ◂ {rank[name]}" if name in rank else name for name in labels]
        )
        for text, name in zip(axes.get_yticklabels(), labels, strict=True):
            role = "fit1" if name in rank else "ink" if name in near else "muted"
            text.set(fontsize=8.5, color=paint(role), parse_math=False)
            if name in rank:
                text.set_fontweight("bold")
        axes.set_xlabel("−ln of the probability that one is taken for the other", color=paint("ink"))

    label = "Tree of the models; those that were fitted are marked with their rank"
    return svg(draw, "tree", label, (WIDTH, height), layout=None)


def ranks(fits: Sequence[ModelFit]) -> dict[str, str]:
    """Rank of each form model among the fits, ``1``, or ``1, 3`` where it was fitted with two S(q)."""
    names_by_kind: dict[str, list[str]] = {}
    for number, fit in enumerate(fits, start=1):
        names_by_kind.setdefault(fit.model, []).append(str(number))
    return {model: ", ".join(numbers) for model, numbers in names_by_kind.items()}


#: Pixels an inch, and what `document` gives every figure at least.
_PIXELS, _NARROWEST = 120, 620


def posterior_section(fits: tuple[ModelFit, ...]) -> str:
    """A section for the best fit's posterior; empty where it has none."""
    if not fits or fits[0].posterior is None:
        return ""
    posterior = fits[0].posterior
    left_out = len(posterior.names) - len(select_drawn_names(fits[0]))
    more_text = f" {left_out} more parameters are in the table." if left_out else ""
    trust = (
        f"The chains agree (Gelman-Rubin R {posterior.gelman_rubin:.2f})."
        if posterior.converged
        else f"<strong>The chains have not converged</strong> (Gelman-Rubin R {posterior.gelman_rubin:.2f})."
    )
    return (
        "<section><h2>Posterior of the best fit</h2>"
        f'<figure style="max-width: {_width(fits[0])}px">{corner_svg(fits[0])}</figure>'
        f'<p class="small">{posterior.draws} samples by DREAM. Dashed: 95 % credible interval; contours hold'
        f" 68 and 95 % of the samples; lines cross at the best fit.{more_text} {trust} All this holds if the"
        " model"
        " is right and the uncertainties of the data are.</p></section>"
    )


def _width(fit: ModelFit) -> int:
    return max(round(_PIXELS * (MARGIN + PANEL * len(select_drawn_names(fit)))), _NARROWEST)


def corner_svg(fit: ModelFit) -> str:
    """Draw a posterior as ``svg`` with a group ``corner-panel-ROW-COLUMN`` for each pair of parameters."""
    side = MARGIN + PANEL * len(select_drawn_names(fit))

    def draw(figure: Figure, paint: Paint) -> None:
        draw_corner(figure, fit, ink=paint("ink"), fill=paint("fit1"), muted=paint("muted"))
        for axes in figure.axes:
            axes.patch.set_visible(False)

    return svg(draw, "corner", f"Posterior of the parameters of {fit.name}", (side, side), layout=None)


# --- Tables of a fit report: ranking, parameters, and what made the page.

#: Programs whose versions decide what comes out.
_PROGRAMS = ("sasmodels", "bumps", "onnxruntime", "numpy", "scipy")
#: Where each model's equations and the papers behind them are.
_MODEL_PAGE = "https://www.sasview.org/docs/user/models/{}.html"


def make_key(names: Sequence[str]) -> str:
    """Which line is which."""
    items = "".join(
        f'<span>{swatch(i % len(FITS))}<bdi class="name">{escape(name)}</bdi></span>'
        for i, name in enumerate(names)
    )
    return f'<div class="key">{items}</div>' if items else ""


def swatch(index: int) -> str:
    """A short piece of a fit's line; nothing for a fit that is not drawn."""
    if index >= len(FITS):
        return ""
    dashes = f' stroke-dasharray="{" ".join(f"{1.4 * d:g}" for d in DASHES[index])}"' if DASHES[index] else ""
    return (
        '<svg class="swatch" viewBox="0 0 30 8" aria-hidden="true">'
        f'<line x1="0" x2="30" y1="4" y2="4" style="stroke: var(--{FITS[index]})"{dashes}/></svg>'
    )


def ranking(fits: Sequence[ModelFit]) -> str:
    """One row for each fit, its warnings below it; empty where there is no fit."""
    if not fits:
        return ""
    lowest = min(fit.bic for fit in fits)
    head = "".join(
        f'<th scope="col" class="{style}">{name}</th>'
        for name, style in (
            ("", "number"), ("Model", ""), ("S(q)", ""), ("Weight", ""), ("Reduced χ²", "number"),
            ("BIC", "number"), ("ΔBIC", "number"), ("Fitted parameters", "number"),
            ("Network", "number"),
        )
    )  # fmt: skip
    rows = "".join(_rank_row(number, fit, lowest) for number, fit in enumerate(fits, start=1))
    return (
        f'<section><h2>Ranking</h2><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        '<p class="small">Weight: share among these fits of the marginal likelihood times how common the'
        " model is; where no model fits the curve, times what the network gave its group (last column:"
        " the model). BIC = χ² + k ln n for k parameters fitted to n points is there for comparison with"
        " other programs and decides nothing.</p></section>"
    )


def _rank_row(number: int, fit: ModelFit, lowest: float) -> str:
    factor = f'<span class="name">{escape(fit.structure_factor)}</span>' if fit.structure_factor else "none"
    share = 100 * min(max(fit.weight, 0.0), 1.0)
    bar = f'<span class="share"><i style="width:{share:.1f}%"></i></span>'
    weight = STOPPED if fit.given_up else bar + _fraction(fit.weight)
    name = f'{swatch(number - 1)}<a href="#parameters-{number}" class="name">{escape(fit.short_model)}</a>'
    figures = (
        chisq_text(fit.reduced_chisq), f"{fit.bic:.1f}", f"{fit.bic - lowest:.1f}", str(len(fit.free)),
        _fraction(fit.probability),
    )  # fmt: skip
    cells = "".join(f'<td class="number">{figure}</td>' for figure in figures)
    row = (
        f'<tr{" class=warned" if fit.warnings else ""}><td class="number">{number}</td><td>{name}</td>'
        f"<td>{factor}</td><td>{weight}</td>{cells}</tr>"
    )
    if fit.warnings:
        items = "".join(f"<li>{escape(warning)}</li>" for warning in fit.warnings)
        row += f'<tr class="warning"><td colspan="9"><ul>{items}</ul></td></tr>'
    return row


def _fraction(value: float) -> str:
    return "&lt; 0.001" if 0 <= value < 0.0005 else f"{value:.3f}"


def parameter_tables(fits: Sequence[ModelFit]) -> str:
    """Parameters of each fit; the best one's are open, the others' behind their names."""
    if not fits:
        return ""
    tables = []
    # The id is inside: a browser opens what it must to show the target of a link.
    for number, fit in enumerate(fits, start=1):
        head = _parameter_head(fit)
        rows = "".join(_parameter_row(name, p, fit) for name, p in drop_unused(fit.parameters).items())
        tables.append(
            f"<details{' open' if number == 1 else ''}>"
            f'<summary>{number} {swatch(number - 1)}<span class="name">{escape(fit.short_name)}</span>'
            "</summary>"
            f'<div class="wide" id="parameters-{number}"><table class="parameters">'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{_describe_fitter(fit)}</details>"
        )
    return (
        f"<section><h2>Parameters</h2>{''.join(tables)}"
        f'<p class="small">{NAMES}</p>'
        '<p class="small">± is one standard deviation, from the curvature of χ² at the best fit, with two'
        " significant digits (JCGM 100:2008, 7.2.6). It holds if the model is right and the uncertainties of"
        " the data are; of the first fit also whatever width, exponent or resolution is not known. Fixed"
        " parameters were not fitted: they were given, or the data do not determine them.</p>"
        "</section>"
    )


def _describe_fitter(fit: ModelFit) -> str:
    return f'<p class="small">Fitted by {escape(fit.fitter)}.</p>' if fit.fitter else ""


def _parameter_head(fit: ModelFit) -> str:
    names = [("Parameter", ""), ("Value", "number"), ("Unit", ""), ("Fitted within", "")]
    if fit.posterior is not None:
        names.insert(2, ("95 % interval", "number"))
    return "".join(f'<th scope="col" class="{style}">{name}</th>' for name, style in names)


def _parameter_row(name: str, p: Parameter, fit: ModelFit) -> str:
    label = f'<span class="name">{escape(name)}</span>'
    if kind := distribution_of(fit, name, ""):
        label += f' <span class="small">relative width, {escape(kind)}</span>'
    value = escape(format_with_error(p.value, None if p.fixed else p.error))
    if p.fixed:
        within = '<span class="tag">fixed</span>'
    else:
        within = f'<span class="small">{_range(p.low, p.high)}</span>'
        if p.error is None:
            value += ' <span class="small">± unknown</span>'
        elif not is_determined(name, p):
            within = f'<span class="tag">not determined</span> {within}'
    return (
        f"<tr{' class=fixed' if p.fixed else ''}><td>{label}</td>"
        f'<td class="number">{value}</td>{_interval(name, fit)}'
        f"<td>{escape(unit_text(p.unit))}</td><td>{within}</td></tr>"
    )


def _interval(name: str, fit: ModelFit) -> str:
    """The cell of the credible interval, empty where it was not fitted; no cell without a posterior."""
    if fit.posterior is None:
        return ""
    if name not in fit.posterior.names:
        return '<td class="number"></td>'
    low, high = fit.posterior.interval95[name]
    return f'<td class="number">{interval(low, high)}</td>'


def _range(low: float, high: float) -> str:
    if not math.isfinite(low):
        return "no limit" if not math.isfinite(high) else f"at most {significant(high, 4)}"
    if not math.isfinite(high):
        return f"at least {significant(low, 4)}"
    return f"{significant(low, 4)} to {significant(high, 4)}"


def _digest(result: FitResult) -> str:
    digest = hashlib.sha256()
    for column in (result.curve.q, result.curve.intensity, result.dintensity):
        digest.update(np.ascontiguousarray(column, dtype="<f8").tobytes())
    return digest.hexdigest()


def _select_documented(result: FitResult, groups: Manifest) -> list[str]:
    """Forms and structure factors of the fits that the network knows: sasmodels' own."""
    known_names = {label for head in groups.heads if isinstance(head, Classes) for label in head.labels}
    names = [str(name) for fit in result.fits for name in (fit.model, fit.structure_factor)]
    return list(filter(known_names.__contains__, dict.fromkeys(names)))


def make_footer(result: FitResult, groups: Manifest, origin: str = "") -> str:
    """How to cite, which versions made the page, when and by which command, and from which numbers."""
    from ... import __version__

    origin_text = f"{escape(origin)}. " if origin else ""
    versions = {"sasnet_plugin": __version__} | {name: _version(name) for name in _PROGRAMS}
    listed = ", ".join(f"{name} {number}" for name, number in versions.items())
    sentence = (
        f"Models were suggested, fitted and ranked with sasnet_plugin {__version__} (a neural network trained"
        f" on simulated curves of {len(groups.labels)} models), sasmodels {versions['sasmodels']} and"
        f" bumps {versions['bumps']}."
    )
    pages = ", ".join(
        f'<a href="{_MODEL_PAGE.format(name)}">{escape(name)}</a>'
        for name in _select_documented(result, groups)
    )
    models = f"<p>The papers behind each model are named on its page: {pages}.</p>" if pages else ""
    return (
        "<footer><h2>How to cite</h2>"
        f"<p>“{escape(sentence)}”</p>{models}"
        '<p>How sasmodels and bumps wish to be cited: <a href="https://www.sasview.org">sasview.org</a>,'
        ' <a href="https://bumps.readthedocs.io">bumps.readthedocs.io</a>.</p>'
        f'<p class="small">{origin_text}Data: sha256 of q, I and its error {_digest(result)[:16]}; I in the'
        " unit"
        f" of the file. Made with {escape(listed)}. Network {escape(groups.name)}, training data"
        f" {escape(groups.data_hash[:16])}.</p></footer>"
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


# --- One HTML page for a classified curve: data with the nearest simulated curve, sentences and the
# --- table.


def write_classified(curve: Curve, answer: Answer, folder: Path, command: str = "") -> Path:
    """Write the page of one curve with the next command, if any. Raises SasnetError if that fails."""
    page = Path(folder) / page_name(curve, folder)
    return document.write_page(page, make_page(curve, answer, command))


def _curve_identity(curve: Curve) -> str:
    return document.identity(curve.file, curve.entry, curve.q, curve.intensity)


def make_page(curve: Curve, answer: Answer, command: str = "") -> str:
    file = Path(curve.file).name
    title = curve.entry or file or "Curve"
    source = f'<p class="source"><bdi>{escape(file)}</bdi></p>' if file and file != title else ""
    first, paragraph, notes = _sentences(answer, command)
    sure = answer.known and not (answer.q_unit and answer.q_unit.doubt)
    body = f"""<header>
<p class="eyebrow">Small-angle scattering · classified by sasnet</p>
<h1><bdi>{escape(title)}</bdi></h1>
{source}
{document.verdict(f"<strong>{first}</strong>", paragraph, level="" if sure else "doubt")}
</header>
<section><h2>Data</h2>
{_figure(curve, answer)}
</section>
{document.notes(notes)}
{_table(answer)}"""
    return document.document(
        f"{title} · sasnet", body, identity=_curve_identity(curve), scripts=scripts(), style=style()
    )


def _sentences(answer: Answer, command: str) -> tuple[str, str, list[str]]:
    """The first sentence and the others, as HTML, and the notes as they are."""
    (first, *more_sentences), notes = answer.sentences_and_notes()
    sentences = list(map(escape, more_sentences))
    if unit := str(answer.q_unit or ""):
        sentences.append(escape(f"{unit}."))
    if command:
        sentences.append(f"Next, to fit what is likely: <code>{escape(command)}</code>")
    return escape(first), "<br>".join(sentences), notes


def _figure(curve: Curve, answer: Answer) -> str:
    return draw_plot(data_plot(curve, *_nearest(curve, answer)), "curve", "Intensity against q")


def _nearest(curve: Curve, answer: Answer) -> tuple[str, tuple[NDArray[Any], NDArray[Any]] | None]:
    """The likeliest model, and its nearest simulated curve; None where there is none."""
    finding, bank = answer.finding(ClassesFinding), open_bank()
    if finding is None or not finding.classes:
        return "", None
    best = finding.classes[0]
    factor = next((label for label, _ in best.given.values()), "")
    name = "@".join(filter(None, (best.name, factor)))
    return name, None if bank is None else nearest_simulated(curve, best.name, factor or None, bank)


def _table(answer: Answer) -> str:
    return "".join(_section(rows) for finding in answer.findings if (rows := finding.rows()))


def _section(rows: Sequence[Sequence[str]]) -> str:
    title = escape(rows[0][0].capitalize())
    return f"<section><h2>{title}s</h2>{document.table(rows[0], rows[1:])}</section>"


# --- One HTML page for a fitted data set: self-contained, in light and dark, safe whatever a title
# --- says.


def write_report(
    result: FitResult, folder: Path, *, groups: Manifest | None = None, origin: str = "", tree: bool = False
) -> Path:
    """Write the page of a data set and return its path; the same data get the same name, others never."""
    # `groups` defaults to the shipped network, `made` says when and by which command, `tree` adds all models.
    # Raises SasnetError if it cannot be written, ModelZooError if that network is missing or damaged.
    text = page(result, open_model().manifest if groups is None else groups, origin, tree=tree)
    return document.write_page(Path(folder) / page_name(result.curve, folder), text)


def page_name(curve: Curve, folder: Path) -> str:
    return document.page_name(folder, curve.file, curve.entry, _curve_identity(curve), default="curve")


def page(result: FitResult, groups: Manifest, origin: str = "", *, tree: bool = False) -> str:
    curve = result.curve
    file = Path(curve.file).name
    title = curve.entry or file or "Curve"
    source = f'<p class="source"><bdi>{escape(file)}</bdi></p>' if file and file != title else ""
    body = f"""<header>
<p class="eyebrow">Small-angle scattering · models fitted by sasnet</p>
<h1><bdi>{escape(title)}</bdi></h1>
{source}
{_verdict(result)}
{_facts(result)}
</header>
<section>
<h2>Data and fits</h2>
{_draw_fit(result)}
<p class="small">Error bars are one standard deviation. Shaded: residuals within 2 σ.{_caption(result)}
{_download(result)}</p>
</section>
{document.notes((*_describe_verification(result), *curve.notes, *result.notes))}
{_make_model_free_section(result)}
{_make_protein_section(result)}
{ranking(worth_showing(result.fits))}
{parameter_tables(worth_showing(result.fits))}
{posterior_section(result.fits)}
{_groups(result, groups, tree=tree)}
{make_footer(result, groups, origin)}"""
    return document.document(
        f"{title} · fits by sasnet", body, identity=_curve_identity(curve), scripts=scripts(), style=style()
    )


def _draw_fit(result: FitResult) -> str:
    names = [fit.short_name for fit in worth_showing(result.fits)[:1]] or ["no fit"]
    return draw_plot(fit_plot(result), "fit", f"Intensity against q with {names[0]}; residuals below")


def _make_model_free_section(result: FitResult) -> str:
    text = "".join(f"<p>{escape(line)}</p>" for line in lines(result.model_free))
    return (
        f"<section><h2>Without a model</h2>{text}<figure>{model_free_figure(result)}</figure>"
        '<p class="small">Guinier: dashed, the law; solid, with the terms after it, over the range used.'
        " Kratky: dotted, the maximum of Guinier's law, near which compact bodies have theirs; chains rise to"
        " 2. Porod: level where"
        " the interfaces are sharp. Pair distances: p(r) with one standard deviation; dotted, the largest"
        " distance.</p></section>"
    )


def _make_protein_section(result: FitResult) -> str:
    """Four plots and the numbers of a protein, or of compact particles that no model fits."""
    from ..protein import draw_protein, rows_of_protein

    protein = result.protein
    if protein is None:
        return ""
    label = "The curve, its Guinier plot, its dimensionless Kratky plot and p(r)"
    picture = svg(
        lambda figure, paint: draw_protein(figure, paint, result.curve, protein), "protein", label, (9.6, 7.2)
    )
    sentences = "".join(f"<p>{escape(text)}</p>" for text in (*protein.problems, *protein.cautions))
    rows = rows_of_protein(protein)
    numbers = document.table(("quantity", "value", "source"), rows) if rows else ""
    return f"<section><h2>Protein</h2>{picture}{numbers}{sentences}</section>"


#: How `document.verdict` shows each.
_LEVEL = {EXPLAINS: "", DOUBTS: "doubt", DOES_NOT: "wrong"}


def _verdict(result: FitResult) -> str:
    verdict = result.verdict
    cautions = [f"Caution: {escape(verdict.doubt)}"] if verdict.doubt else []
    code, purpose = _next(verdict)
    if code:
        cautions.append(f"Next, {escape(purpose)}: <code>{escape(_strip_folders(code))}</code>")
    return document.verdict(
        f"<strong>{escape(verdict.headline)}</strong>", "<br>".join(cautions), level=_LEVEL[verdict.level]
    )


def _next(verdict: Verdict) -> tuple[str, str]:
    """The command that is next, and why; in a report none that would write one, but what follows upon it."""
    return (verdict.next, verdict.purpose) if verdict.after_report is None else verdict.after_report


def _strip_folders(command: str) -> str:
    """A command without where its files lie on this machine: that is nobody else's business."""
    if not command.startswith("sasnet "):  # a line of Python, which names no folder
        return command
    words = [
        ",".join(p.name if (p := PurePath(name)).is_absolute() else name for name in word.split(","))
        for word in shlex.split(command)
    ]
    return shlex.join(words)


def _describe_verification(result: FitResult) -> list[str]:
    """How the best fit was verified, what is doubted less, and how many fits are too far off to be shown."""
    sentences = list(result.verdict.doubts[1:])
    if result.verification is not None:
        sentences.append(result.verification.describe())
    far = len(result.fits) - len(worth_showing(result.fits))
    if far:
        sentences.append(
            f"{far} more {'models were' if far > 1 else 'model was'} fitted, with χ² more than 100"
            f" times the smallest, {'are' if far > 1 else 'is'} not shown."
        )
    return sentences


def _facts(result: FitResult) -> str:
    curve = result.curve
    facts = {"Points": str(len(curve))}
    if len(curve):
        facts["q range"] = f"{significant(curve.q[0], 3)} to {significant(curve.q[-1], 3)} Å⁻¹"
        facts["Unit of q"] = curve.q_unit.cell_text
        facts["Unit of I"] = curve.intensity_unit or "not given in the file"
    facts["Resolution"] = _resolution(curve)
    facts["Uncertainties"] = "as measured" if is_stated(curve) else "estimated"
    return document.facts(facts)


def _download(result: FitResult) -> str:
    """A link to the columns of the figure as CSV, which lies within the page."""
    curve = result.curve
    columns = {"q_per_angstrom": curve.q, "intensity": curve.intensity, "dintensity": result.dintensity}
    if curve.dq is not None:
        columns["dq_per_angstrom"] = curve.dq
    columns |= {fit.short_name: fit.theory for fit in worth_showing(result.fits)[:MAX_DRAWN]}
    lines = [
        ",".join(columns),
        *(",".join(f"{v:.7g}" for v in row) for row in zip(*columns.values(), strict=True)),
    ]
    data = b64encode("\n".join(lines).encode()).decode()
    name = f"{document.plain(Path(curve.file).stem) or 'curve'}.csv"
    return f'<a download="{name}" href="data:text/csv;base64,{data}">Data and fits as CSV</a>'


def _resolution(curve: Curve) -> str:
    if curve.has_slit:
        return "slit"
    if curve.dq is None or not np.any(curve.dq > 0):
        return "not given"
    return f"pinhole, median Δq/q {significant(100 * float(np.median(curve.dq / curve.q)), 2)} %"


def _caption(result: FitResult) -> str:
    count = int(np.sum(result.curve.intensity <= 0))
    left_out = f" The best {MAX_DRAWN} fits are drawn." if len(worth_showing(result.fits)) > MAX_DRAWN else ""
    if count == 0 or count == len(result.curve):
        return left_out
    points_text = "1 point with I ≤ 0 is" if count == 1 else f"{count} points with I ≤ 0 are"
    return f" {points_text} marked by triangles on the lower edge; the fits use them.{left_out}"


def _groups(result: FitResult, groups: Manifest, *, tree: bool) -> str:
    if not result.fits:
        return ""
    own_members: dict[str, list[str]] = {}
    for model in dict.fromkeys(fit.short_model for fit in worth_showing(result.fits)):
        home = next((g.name for g in groups.groups if model in g.members), "")
        own_members.setdefault(home, []).append(model)
    sizes = {g.name: len(g.members) for g in groups.groups}
    items = []
    for home, models in own_members.items():
        names = ", ".join(f'<span class="name">{escape(m)}</span>' for m in models)
        if not home:
            items.append(f"<li>{names}: not among the models that the network knows.</li>")
        elif sizes[home] == 1:
            items.append(f"<li>{names}: alone.</li>")
        else:
            items.append(f"<li>{names}: in the group “{escape(home)}” of {sizes[home]} models.</li>")
    try:
        figure = f"<figure>{tree_figure(groups, result)}</figure>" if tree else ""
    except ModelZooError:  # a network without a tree still has groups
        figure = ""
    return (
        "<section><h2>Models that data rarely distinguish</h2>"
        "<p>Models of one group give curves so alike that data of this kind seldom decide between them: "
        "where one fits, consider the others of its group.</p>"
        f'<ul class="notes">{"".join(items)}</ul>{figure}'
        + (
            '<p class="small">Branches that meet right of the dotted line are one group. Marked ◂: the models'
            " of this answer with their rank.</p>"
            if figure
            else ""
        )
        + "</section>"
    )


# --- One HTML page for several curves of one sample, fitted together: curves, residuals, shared and
# --- own.

#: Joint fits that are listed.
_MOST = 10


def write_sample_report(result: SampleResult, folder: Path) -> Path:
    """Write the page of a sample under a lasting name. Raises SasnetError on failure."""
    return document.write_page(Path(folder) / sample_page_name(result, folder), sample_page(result))


def sample_page_name(result: SampleResult, folder: Path) -> str:
    """Name of a sample's page in a folder."""
    first = result.sample.curves[0]
    return document.page_name(folder, first.file, "together", _sample_identity(result), default="sample")


def _sample_identity(result: SampleResult) -> str:
    columns = [c for curve in result.sample.curves for c in (curve.q, curve.intensity)]
    return document.identity(result.sample.curves[0].file, "together", *columns)


def sample_page(result: SampleResult) -> str:
    files = [Path(name).name for name in result.sample.files]
    title = f"{len(files)} curves of one sample"
    verdict = result.verdict
    cautions = [f"Caution: {escape(verdict.doubt)}"] if verdict.doubt else []
    single_items = "".join(
        f"<li><bdi>{escape(name)}</bdi> alone: {escape(single.headline)}</li>"
        for name, single in zip(files, result.singles, strict=False)
    )
    heading = "Each curve alone"
    if result.as_one is not None:
        single_items = f"<li>All settings as one curve: {escape(result.as_one.headline)}</li>"
        heading = "Before they were fitted together"
    headline = f"<strong>{escape(verdict.headline)}</strong>"
    if single_items:
        single_items = f'<section><h2>{heading}</h2><ul class="notes">{single_items}</ul></section>'
    body = f"""<header>
<p class="eyebrow">Small-angle scattering · fitted together by sasnet</p>
<h1>{title}</h1>
<p class="source"><bdi>{escape(", ".join(files))}</bdi></p>
{document.verdict(headline, "<br>".join(cautions), level=_LEVEL[verdict.level])}
</header>
<section><h2>Curves and the best fit</h2>
{draw_plot(sample_plot(result), "sample", "Curves of one sample with their joint fit")}
<p class="small">Error bars are one standard deviation. Each curve is multiplied by the power behind its name.
Shaded: residuals within 2 σ.</p></section>
{document.notes(result.remarks)}
{_ranking(result)}
{_parameters(result, files)}
{single_items}"""
    return document.document(
        f"{title} · fits by sasnet", body, identity=_sample_identity(result), scripts=scripts(), style=style()
    )


def _ranking(result: SampleResult) -> str:
    return f"<section><h2>Ranking</h2>{document.table(*summaries.ranking(result, _MOST))}</section>"


def _parameters(result: SampleResult, files: list[str]) -> str:
    best = result.best
    if best is None:
        return ""
    shared = document.table((), summaries.list_shared(best))
    own_values = document.table(["", *files], summaries.own(best))
    return (
        f"<section><h2>What all curves share: {escape(best.name)}</h2>{shared}</section>"
        f"<section><h2>What each has of its own</h2>{own_values}</section>"
    )
