"""The page of an answer about an image: what was measured and found, and where the network looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...domains import Domain, resolve
from ...domains.heads import Classes, Distribution, Quantities, Tags
from ...types import Image
from ..page import document
from . import patterns
from .canvas import Paint, framed
from .page import Section, Verdict, page

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ...predict import Answer

#: Rows and columns that are covered at a time.
_PATCH = (8, 6)
#: Inches of the drawing of a finding.
_FINDING_SIZE = (8.4, 3.2)
_TITLES: Mapping[type, str] = {
    Classes: "Classes",
    Tags: "Tags",
    Quantities: "Quantities",
    Distribution: "Distribution of angles",
}


def answer_page(domain: Domain, image: Image, answer: Answer, folder: Path) -> Path:
    """Write the page of an answer about an image; returns its path.

    Parameters
    ----------
    domain : Domain
        Its own sections come after those of the findings.
    image : Image
    answer : Answer
    folder : Path

    Raises
    ------
    SasnetError
        It cannot be written.
    """
    sections = [_measured(image)]
    said = answer.sentences()
    if answer.known:
        sections += [_section_of(finding) for finding in answer.findings]
        sections += resolve(domain.sections)(image, answer) if domain.sections else []
        verified = any(hasattr(finding, "result") for finding in answer.findings)
        if not verified:
            sections.append(_looked_at(domain, image))
        more = [said[1]] if len(said) > 1 and not said[1].startswith("Note:") else []
        if domain.refine and not verified:
            more.append("Not verified: nothing was simulated again.")
        verdict = Verdict(said[0], " ".join(more), good=verified or not domain.refine)
    else:
        verdict = Verdict("No answer is given.", answer.scope.outside, good=False)
    return _written(image, verdict, sections, answer.notes, folder)


def _section_of(finding: Any) -> Section:
    """A finding, drawn, with its table and what it says."""
    text = " ".join(finding.sentences())
    if again := getattr(finding, "result", None):
        drawn = patterns.comparison(again.image, again.simulated, again.residual)
        return Section(finding.title, drawn, patterns.COMPARISON_SIZE, text)

    def draw(figure: Figure, paint: Paint) -> None:
        axes = figure.add_subplot()
        framed(axes, paint)
        finding.draw(axes)
        legend = axes.get_legend()
        for text in (axes.xaxis.label, axes.yaxis.label, *(legend.get_texts() if legend else ())):
            text.set_color(paint("ink"))

    if getattr(finding, "mirror", None) is not None:
        text += " Dashed: the mirror solution, which the data cannot exclude."
    return Section(_TITLES[type(finding.head)], draw, _FINDING_SIZE, text, finding.rows())


def page_name(image: Image) -> str:
    """Name of an image's page, see `page.document.page_name`."""
    return document.page_name(image.file, image.entry, image.counts, default="image")


def _measured(image: Image) -> Section:
    return Section(
        "Pattern",
        patterns.pattern(image),
        patterns.PATTERN_SIZE,
        f"{100 * (1 - image.mask.mean()):.1f} % of the pixels are masked and show the ground.",
    )


def _looked_at(domain: Domain, image: Image) -> Section:
    """Where covering a part of what the network sees changes its answer."""
    from ...predict import open_predictor
    from ...predict.arithmetic import softmax

    predictor = open_predictor(domain.name)
    seen = predictor.seen(image).measurement
    head = predictor.manifest.heads[0]

    def score(masks: NDArray[np.bool_]) -> NDArray[np.floating]:
        counts = np.where(masks, seen.counts, 0.0)
        covered = [replace(seen, counts=n, mask=mask) for n, mask in zip(counts, masks, strict=True)]
        found = predictor.runtime.run(predictor.features(covered))[head.name]
        # Of numbers with their errors the numbers, of logits the probabilities.
        return found[..., 0] if isinstance(head, Quantities) else softmax(found)

    found = patterns.occlusion(score, seen.mask, patch=_PATCH)
    return Section(
        "Where the network looks",
        patterns.attention(seen, found),
        patterns.SIZE,
        "How much the answer changes when a part of the window is covered as a beamstop would cover it.",
    )


def _written(
    image: Image, verdict: Verdict, sections: list[Section], notes: tuple[str, ...], folder: Path
) -> Path:
    geometry: Any = image.geometry
    facts = {
        "Counts": f"{image.counts[image.mask].sum():.3g}",
        "Pixels": f"{image.counts.shape[1]} × {image.counts.shape[0]}",
    }
    if hasattr(geometry, "alpha_i"):
        stated = {"Wavelength": f"{geometry.wavelength:.4g} Å", "Incidence": f"{geometry.alpha_i:.3g}°"}
        facts = stated | facts
    title = " · ".join(part for part in (Path(image.file).name, image.entry) if part) or "Image"
    every = (*image.notes, *notes)
    return document.write_page(
        Path(folder) / page_name(image), page(title, verdict, sections, facts=facts, notes=every)
    )
