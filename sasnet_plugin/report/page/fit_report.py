"""One HTML page for a fitted data set: self-contained, in light and dark, safe whatever a title says."""

from __future__ import annotations

import shlex
from base64 import b64encode
from html import escape
from pathlib import Path, PurePath

import numpy as np

from ...digits import significant
from ...fitting.result.fit_result import FitResult
from ...fitting.result.verdict import DOES_NOT, DOUBTS, EXPLAINS, Verdict
from ...fitting.verdict.equals import worth_showing
from ...fitting.verdict.next_step import EXPORTS, PAGES, TO_GO_ON, TO_LOOK
from ...model_free.in_words import lines
from ...types import Curve, ModelZooError
from ...zoo import Manifest, open_model
from . import document, names
from .figures import MAX_DRAWN, fit_figure, model_free_figure, posterior_section, tree_figure
from .interactive import figure_of, fit_plot, scripts, style
from .tables import key, make_footer, parameter_tables, ranking


def write_report(
    result: FitResult, folder: Path, *, groups: Manifest | None = None, origin: str = "", tree: bool = False
) -> Path:
    """Write the page of a data set and return its path; the same data get the same name, others never."""
    # `groups` defaults to the shipped network, `made` says when and by which command, `tree` adds all models.
    # Raises SasnetError if it cannot be written, ModelZooError if that network is missing or damaged.
    text = page(result, open_model().manifest if groups is None else groups, origin, tree=tree)
    return document.write_page(Path(folder) / page_name(result.curve, folder), text)


def page_name(curve: Curve, folder: Path) -> str:
    return names.page_name(folder, curve.file, curve.entry, _own(curve), default="curve")


def _own(curve: Curve) -> str:
    return names.identity(curve.file, curve.entry, curve.q, curve.intensity)


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
{key(worth_showing(result.fits))}
{figure_of(fit_figure(result), fit_plot(result, MAX_DRAWN))}
<p class="small">Error bars are one standard deviation. Shaded: residuals within 2 σ.{_caption(result)}
{_download(result)}</p>
</section>
{document.notes((*_describe_verification(result), *curve.notes, *result.notes))}
{_make_model_free_section(result)}
{ranking(worth_showing(result.fits))}
{parameter_tables(worth_showing(result.fits))}
{posterior_section(result.fits)}
{_groups(result, groups, tree=tree)}
{make_footer(result, groups, origin)}"""
    return document.document(
        f"{title} · fits by sasnet", body, identity=_own(curve), scripts=scripts(), style=style()
    )


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


def _verdict(result: FitResult) -> str:
    verdict = result.verdict
    level = {EXPLAINS: "", DOUBTS: "doubt", DOES_NOT: "wrong"}[verdict.level]
    cautions = [f"Caution: {escape(verdict.doubt)}"] if verdict.doubt else []
    code, purpose = _next(verdict)
    if code:
        cautions.append(f"Next, {escape(purpose)}: <code>{escape(_strip_folders(code))}</code>")
    return document.verdict(
        f"<strong>{escape(verdict.headline)}</strong>", "<br>".join(cautions), level=level
    )


def _next(verdict: Verdict) -> tuple[str, str]:
    """The command that is next, and why; in a report none that would write one, but what follows upon it."""
    if verdict.purpose != TO_LOOK:
        return verdict.next, verdict.purpose
    report = f"--report {PAGES}"
    return (
        (verdict.next.replace(report, f"--export {EXPORTS}"), TO_GO_ON)
        if report in verdict.next
        else ("", "")
    )


def _strip_folders(command: str) -> str:
    """A command with the names of its files alone: where they lie is nobody else's business."""
    if not command.startswith("sasnet "):  # a line of Python, which names no folder
        return command
    words = [
        ",".join(PurePath(name).name for name in word.split(",")) if "/" in word else word
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
        if curve.intensity_unit:
            facts["Unit of I"] = curve.intensity_unit
    facts["Resolution"] = _resolution(curve)
    facts["Uncertainties"] = "estimated" if curve.dintensity is None else "as measured"
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
    name = f"{names.plain(Path(curve.file).stem) or 'curve'}.csv"
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
