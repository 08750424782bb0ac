"""The page of an answer about an image: what was measured and found, and where the network looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...digits import significant
from ...domains import Domain
from ...domains.heads import Classes, Distribution, Quantities, Tags
from ...report.canvas import Draw, Paint, frame_axes, svg
from ...report.page import document
from ...types import Image
from . import patterns

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ...predict import Answer


@dataclass(frozen=True)
class Section:
    """A part of the page: a figure, a table, or both."""

    title: str
    draw: Draw | None = None  #: The figure, see `canvas.Draw`.
    size: tuple[float, float] = (8.4, 3.2)  #: Of the figure, inches.
    text: str = ""  #: Below it, one sentence or two.
    table: Sequence[Sequence[str]] = field(default_factory=tuple)  #: The first row is the head.


@dataclass(frozen=True)
class Verdict:
    """The first sentence of the page."""

    text: str
    more: str = ""
    good: bool = True  #: Whether the answer can be relied on.


def page(
    title: str,
    verdict: Verdict,
    sections: Sequence[Section],
    *,
    facts: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    embedded: str = "",
) -> str:
    """Return the whole page as escaped text; `facts` are wavelength, incidence, counts."""
    body = [
        "<header>",
        '<p class="eyebrow">Scattering images · read by sasnet</p>',
        f"<h1><bdi>{escape(title)}</bdi></h1>",
        document.verdict(escape(verdict.text), escape(verdict.more), level="" if verdict.good else "doubt"),
        document.facts(facts or {}),
        "</header>",
        document.notes(notes),
        *(_section(section, number) for number, section in enumerate(sections)),
    ]
    text = "\n".join(part for part in body if part)
    return document.document(f"{title} · sasnet", text, pictures=True, identity=embedded)


def _section(section: Section, number: int) -> str:
    parts = [f"<h2>{escape(section.title)}</h2>"]
    if section.draw is not None:
        figure_text = svg(section.draw, f"figure{number}", section.title, section.size)
        parts.append(f"<figure>{figure_text}</figure>")
    if section.text:
        parts.append(f'<p class="small">{escape(section.text)}</p>')
    if section.table:
        parts.append(f'<div class="wide"><table>{_rows(section.table)}</table></div>')
    return f"<section>{''.join(parts)}</section>"


def _rows(table: Sequence[Sequence[str]]) -> str:
    head, *rest = table
    first = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rest)
    return f"<thead><tr>{first}</tr></thead><tbody>{rows}</tbody>"


#: Rows and columns that are covered at a time; of a larger image this share of each.
_PATCH, _SHARE = (8, 6), 0.125
#: Inches of the drawing of a finding.
_FINDING_SIZE = (8.4, 3.2)
_TITLES: Mapping[type, str] = {
    Classes: "Classes",
    Tags: "Tags",
    Quantities: "Quantities",
    Distribution: "Distribution of angles",
}


#: What a page says first, and its sections, that of the pattern in front.
Parts = tuple[Verdict, list[Section]]


def answer_page(
    domain: Domain, image: Image, answer: Answer, folder: Path, page_parts: Parts | None = None
) -> Path:
    """Write the page of an answer about an image and return its path; `page_parts` are `parts`,
    if there already.
    Raises SasnetError if it cannot be written.
    """
    verdict, sections = page_parts or parts(domain, image, answer)
    return _write_image_page(image, verdict, sections, answer.notes, folder)


def parts(domain: Domain, image: Image, answer: Answer, *, looked: bool = True) -> Parts:
    """Return verdict and sections of an image's page: the pattern, findings, then the domain's."""
    # `looked` adds where the classifier looks, some hundred evaluations.
    sections = [_make_pattern_section(image)]
    sentences = answer.sentences()
    # What was simulated again says whether it holds; a domain whose simulations always hold says nothing.
    again = [finding for finding in answer.findings if hasattr(finding, "title")]
    if not (answer.known or again):
        return Verdict("No answer is given.", answer.scope.outside, good=False), sections
    sections += [_section_of(finding) for finding in answer.findings]
    if domain.sections:
        sections += domain.sections(image, answer)
    elif looked and not again:
        sections.append(_make_attention_section(domain, image))
    return _verdict(domain, sentences, again), sections


def _verdict(domain: Domain, sentences: Sequence[str], again: Sequence[Any]) -> Verdict:
    more_sentences = [sentence for sentence in sentences[1:2] if not sentence.startswith("Note:")]
    if not domain.refine:
        return Verdict(sentences[0], " ".join(more_sentences), good=True)
    if not again:
        more_sentences.append("Not verified: nothing was simulated again.")
    verified = any(getattr(finding, "verified", True) for finding in again)
    return Verdict(sentences[0], " ".join(more_sentences), good=verified)


def _section_of(finding: Any) -> Section:
    """A finding, drawn, with its table and what it says."""
    text = " ".join(finding.sentences())
    if again := getattr(finding, "result", None):
        drawn_figure = patterns.comparison(again.image, again.simulated, again.residual)
        return Section(finding.title, drawn_figure, patterns.COMPARISON_SIZE, text)

    def draw(figure: Figure, paint: Paint) -> None:
        axes = figure.add_subplot()
        frame_axes(axes, paint)
        finding.draw(axes)
        legend = axes.get_legend()
        for text in (axes.xaxis.label, axes.yaxis.label, *(legend.get_texts() if legend else ())):
            text.set_color(paint("ink"))

    if getattr(finding, "mirror", None) is not None:
        text += " Dashed: the mirror solution, which the data cannot exclude."
    return Section(_title_of(finding), draw, _FINDING_SIZE, text, finding.rows())


def _title_of(finding: Any) -> str:
    texts = (getattr(finding, name, "") for name in ("title", "introduction"))
    return next(filter(None, texts), "") or _TITLES[type(finding.head)]


def page_name(image: Image, folder: Path) -> str:
    return document.page_name(folder, image.file, image.entry, _own(image), default="image")


def _own(image: Image) -> str:
    return document.identity(image.file, image.entry, image.counts)


def _make_pattern_section(image: Image) -> Section:
    return Section(
        "Pattern",
        patterns.pattern(image),
        patterns.PATTERN_SIZE,
        f"{100 * (1 - image.mask.mean()):.1f} % of the pixels are masked and left blank.",
    )


def _make_attention_section(domain: Domain, image: Image) -> Section:
    """Where covering a part of what the network sees changes its answer."""
    from ...predict import open_predictor
    from ...predict.arithmetic import sigmoid, softmax

    predictor = open_predictor(domain.name)
    measurement = predictor.prepare(image).measurement
    head = predictor.manifest.heads[0]

    def score(masks: NDArray[np.bool_]) -> NDArray[np.floating]:
        counts = np.where(masks, measurement.counts, 0.0)
        covered = [replace(measurement, counts=n, mask=mask) for n, mask in zip(counts, masks, strict=True)]
        outputs = predictor.runtime.run(predictor.features(covered))[head.name]
        # Of numbers with their errors the numbers, of logits the probabilities.
        if isinstance(head, Quantities):
            return np.asarray(outputs[..., 0])
        return np.asarray(sigmoid(outputs) if isinstance(head, Tags) else softmax(outputs))

    rows, columns = (max(n, int(_SHARE * m)) for n, m in zip(_PATCH, measurement.mask.shape, strict=True))
    occluded = patterns.occlusion(score, measurement.mask, patch=(rows, columns))
    return Section(
        "Where the network looks",
        patterns.attention(measurement, occluded),
        patterns.SIZE,
        "Change of the answer when a part of the image is covered, as by a beamstop.",
    )


def _write_image_page(
    image: Image,
    verdict: Verdict,
    sections: list[Section],
    notes: tuple[str, ...],
    folder: Path,
) -> Path:
    geometry: Any = image.geometry
    facts = {
        "Counts": significant(image.counts[image.mask].sum(), 3),
        "Pixels": f"{image.counts.shape[1]} × {image.counts.shape[0]}",
    }
    if hasattr(geometry, "alpha_i"):
        stated = {"Wavelength": f"{geometry.wavelength:.4g} Å", "Incidence": f"{geometry.alpha_i:.3g}°"}
        facts = stated | facts
    title = " · ".join(part for part in (Path(image.file).name, image.entry) if part) or "Image"
    all_notes = (*image.notes, *notes)
    text = page(title, verdict, sections, facts=facts, notes=all_notes, embedded=_own(image))
    return document.write_page(Path(folder) / page_name(image, folder), text)
