"""Physics fitted from the answer to an image on, simulated again and compared: `--verify` of the command."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...files import put_whole
from ...fitting.result.verdict import DOES_NOT, DOUBTS, EXPLAINS
from ...predict.findings import DistributionFinding
from ...service.fits import FitJob
from ...service.messages import plain
from ...service.places import Place
from ...types import SasnetError
from .desk import Seen, compares, describe_answer, look
from .kinds import how_of

if TYPE_CHECKING:
    from ...domains import Domain

#: Files of the pictures, by what they show.
MEASURED, SIMULATED, RESIDUAL = PARTS = "measured", "simulated", "residual"


def verify_by_fit(job: FitJob, report: Callable[[str], None]) -> tuple[dict[str, Any], list[str]]:
    """Return a fit's result as plain data and the names of files written; `report` gets each stage. Raises
    SasnetError if there is nothing to fit.
    """
    from ..report.pages import parts

    report("the image is read")
    (place,) = job.places
    view = look(place, how_of(job.body))
    domain = _find_fitted_kind(place, view)
    assert domain.refine is not None
    fitted = domain.refine(view.measurement, view.answer, float(job.body.get("time_limit", 30.0)), report)
    report("pictures are drawn")
    again = [finding for finding in fitted.findings if hasattr(finding, "title")]
    new = [note for note in fitted.notes if note not in view.answer.notes]
    if not again:
        raise SasnetError(" ".join(new) or "Nothing was fitted.")
    folder = Path(job.folder)
    parts_made = parts(domain, view.measurement, fitted, looked=False)
    files, pictures = _write_results(domain, view.measurement, fitted, parts_made, folder)
    level, headline, doubt = _verdict(fitted, again[-1], new)
    summary = {
        "verdict": level, "headline": headline, "doubt": doubt, "next": "", "purpose": "", "fits": [],
        "kind": domain.name, "geometry": list(job.body.get("geometry") or ()),
    }  # fmt: skip
    return {
        "image": plain({**describe_answer(view.measurement, fitted, parts_made), **summary, **pictures})
    }, files


def _find_fitted_kind(place: Place, view: Seen) -> Domain:
    name = Path(place.path).name
    if view.domain is None or view.answer is None:
        raise SasnetError(f"{name}: has no answer that a fit can start from: {view.reason}")
    if view.domain.refine is None:
        raise SasnetError(f"{name}: {view.domain.title} are not fitted; SANS and GISAS images are.")
    return view.domain


def _verdict(fitted: Any, again: Any, new: Sequence[str]) -> tuple[str, str, str]:
    """Level, headline and doubt, in the words of the fit; `new` are notes that it has added."""
    sentence = again.sentences()[0]
    if hasattr(again, "verified"):  # of an image with a direction
        return (EXPLAINS, again.headline or sentence, "") if again.verified else (DOES_NOT, sentence, "")
    doubt = next(iter(new), sentence)
    if fitted.in_scope < 0.5:  # as the inversion counts it
        return DOES_NOT, doubt, ""
    angles = fitted.finding(DistributionFinding)
    headline = f"p({angles.symbol}): {next(iter(angles.sentences()), sentence)}" if angles else sentence
    return (EXPLAINS, headline, "") if fitted.in_scope >= 1.0 else (DOUBTS, headline, doubt)


def _write_results(
    domain: Domain, image: Any, fitted: Any, parts_made: Any, folder: Path
) -> tuple[list[str], dict[str, Any]]:
    """Report, answer and pictures; names of the files, and what the page needs beside the pictures."""
    from ..report import raster
    from ..report.compared import compare
    from ..report.pages import answer_page
    from ..report.raster_place import describe_axes

    folder.mkdir(parents=True, exist_ok=True)
    names = [answer_page(domain, image, fitted, folder, parts_made).name]
    content = {"answer.json": json.dumps(plain(fitted.as_dict()), indent=1).encode()}
    again = compare(image, fitted)
    pictures: dict[str, Any] = {"parts": [], "about": None}
    if again is not None:
        comparison = raster.draw_comparison(again.image, again.simulated, again.residual)
        content |= {f"{name}.png": data for name, data in comparison.items()}
        pictures = {
            "parts": [f"{name}.png" for name in PARTS],
            "about": describe_axes(again.image, raster.Look()),
        }
    content |= _figures(parts_made[1][1:])
    for name, data in content.items():
        put_whole(folder / name, data, "picture of a fit")
    return [*names, *content], pictures


def _figures(sections: Sequence[Any]) -> dict[str, bytes]:
    from ...report.canvas import png

    figures = [(number, part) for number, part in enumerate(sections) if part.draw and not compares(part)]
    return {
        figure_name(number, night): png(part.draw, part.size, night=night)
        for number, part in figures
        for night in (False, True)
    }


def figure_name(number: int, night: bool) -> str:
    return f"figure-{number}{'-night' if night else ''}.png"
