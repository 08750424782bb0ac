"""One HTML page for a classified curve: data with the nearest simulated curve, sentences and the table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...predict import Answer
from ...predict.classes import ClassesFinding
from ...types import Curve
from ..notebook.picture import COLOURS, Drawn, picture
from ..sheet import nearest_simulated, open_bank
from . import document, names
from .document import FITS
from .interactive import curve_plot, figure_of, scripts, style
from .tables import swatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: What an answer's lesser sentences begin with.
_NOTE = "Note: "


def write_classified(curve: Curve, answer: Answer, folder: Path, command: str = "") -> Path:
    """Write the page of one curve with the next command, if any. Raises SasnetError if that fails."""
    page = Path(folder) / make_page_name(curve, folder)
    return document.write_page(page, make_page(curve, answer, command))


def make_page_name(curve: Curve, folder: Path) -> str:
    return names.page_name(folder, curve.file, curve.entry, _own(curve), default="curve")


def _own(curve: Curve) -> str:
    return names.identity(curve.file, curve.entry, curve.q, curve.intensity)


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
        f"{title} · sasnet", body, identity=_own(curve), scripts=scripts(), style=style()
    )


def _sentences(answer: Answer, command: str) -> tuple[str, str, list[str]]:
    """The first sentence and the others, as HTML, and the notes as they are."""
    first, *more_sentences = answer.sentences()
    notes = [sentence.removeprefix(_NOTE) for sentence in more_sentences if sentence.startswith(_NOTE)]
    sentences = [escape(sentence) for sentence in more_sentences if not sentence.startswith(_NOTE)]
    if unit := str(answer.q_unit or ""):
        sentences.append(escape(f"{unit}."))
    if command:
        sentences.append(f"Next, to fit what is likely: <code>{escape(command)}</code>")
    return escape(first), "<br>".join(sentences), notes


def _figure(curve: Curve, answer: Answer) -> str:
    name, nearest = _nearest(curve, answer)
    lines = [] if nearest is None else [nearest]
    figure = picture([Drawn(curve.q, curve.intensity, curve.dintensity, lines)], "Intensity against q")
    figure = figure.replace(COLOURS[0], f"var(--{FITS[0]})").replace("currentColor", "var(--ink)")
    key = (
        f'<div class="key"><span>{swatch(0)}<span class="name">{escape(name)}</span>, nearest simulated'
        " curve, not fitted</span></div>"
        if lines
        else ""
    )
    return f"{key}{figure_of(figure, curve_plot(curve, name, nearest))}"


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
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in rows[0])
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows[1:])
    return (
        f'<section><h2>{escape(rows[0][0].capitalize())}s</h2><div class="wide"><table><thead><tr>{head}</tr>'
        f"</thead><tbody>{body}</tbody></table></div></section>"
    )
