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
from .desk import Seen, answered, compares, look
from .kinds import how_of

if TYPE_CHECKING:
    from ...domains import Domain

#: Files of the pictures, by what they show.
MEASURED, SIMULATED, RESIDUAL = PARTS = "measured", "simulated", "residual"


def verified(job: FitJob, told: Callable[[str], None]) -> tuple[dict[str, Any], list[str]]:
    """Return a fit's result as plain data and the names of files written; `told` gets each stage. Raises
    SasnetError if there is nothing to fit.
    """
    from ..report.pages import parts

    told("the image is read")
    (place,) = job.places
    seen = look(place, how_of(job.body))
    domain = _fitted_kind(place, seen)
    assert domain.refine is not None
    found = domain.refine(seen.measurement, seen.answer, float(job.body.get("time_limit", 30.0)), told)
    told("pictures are drawn")
    again = [one for one in found.findings if hasattr(one, "title")]
    new = [note for note in found.notes if note not in seen.answer.notes]
    if not again:
        raise SasnetError(" ".join(new) or "Nothing was fitted.")
    folder = Path(job.folder)
    made = parts(domain, seen.measurement, found, looked=False)
    files, pictures = _written(domain, seen.measurement, found, made, folder)
    level, headline, doubt = _verdict(found, again[-1], new)
    summary = {
        "verdict": level, "headline": headline, "doubt": doubt, "next": "", "purpose": "", "fits": [],
        "kind": domain.name, "geometry": list(job.body.get("geometry") or ()),
    }  # fmt: skip
    return {"image": plain({**answered(seen.measurement, found, made), **summary, **pictures})}, files


def _fitted_kind(place: Place, seen: Seen) -> Domain:
    name = Path(place.path).name
    if seen.domain is None or seen.answer is None:
        raise SasnetError(f"{name}: has no answer that a fit can start from: {seen.reason}")
    if seen.domain.refine is None:
        raise SasnetError(f"{name}: {seen.domain.title} are not fitted; SANS and GISAS images are.")
    return seen.domain


def _verdict(found: Any, again: Any, new: Sequence[str]) -> tuple[str, str, str]:
    """Level, headline and doubt, in the words of the fit; `new` are notes that it has added."""
    said = again.sentences()[0]
    if hasattr(again, "verified"):  # of an image with a direction
        return (EXPLAINS, again.headline or said, "") if again.verified else (DOES_NOT, said, "")
    doubt = next(iter(new), said)
    if found.in_scope < 0.5:  # as the inversion counts it
        return DOES_NOT, doubt, ""
    angles = found.finding(DistributionFinding)
    headline = f"p({angles.symbol}): {next(iter(angles.sentences()), said)}" if angles else said
    return (EXPLAINS, headline, "") if found.in_scope >= 1.0 else (DOUBTS, headline, doubt)


def _written(
    domain: Domain, one: Any, found: Any, made: Any, folder: Path
) -> tuple[list[str], dict[str, Any]]:
    """Report, answer and pictures; names of the files, and what the page needs beside the pictures."""
    from ..report import raster
    from ..report.compared import compared
    from ..report.pages import answer_page
    from ..report.raster_place import about

    folder.mkdir(parents=True, exist_ok=True)
    names = [answer_page(domain, one, found, folder, made).name]
    content = {"answer.json": json.dumps(plain(found.as_dict()), indent=1).encode()}
    again = compared(one, found)
    pictures: dict[str, Any] = {"parts": [], "about": None}
    if again is not None:
        drawn = raster.compared(again.image, again.simulated, again.residual)
        content |= {f"{name}.png": data for name, data in drawn.items()}
        pictures = {"parts": [f"{name}.png" for name in PARTS], "about": about(again.image, raster.Look())}
    content |= _figures(made[1][1:])
    for name, data in content.items():
        put_whole(folder / name, data, "picture of a fit")
    return [*names, *content], pictures


def _figures(sections: Sequence[Any]) -> dict[str, bytes]:
    from ...report.canvas import png

    drawn = [(number, part) for number, part in enumerate(sections) if part.draw and not compares(part)]
    return {
        figure_name(number, night): png(part.draw, part.size, night=night)
        for number, part in drawn
        for night in (False, True)
    }


def figure_name(number: int, night: bool) -> str:
    return f"figure-{number}{'-night' if night else ''}.png"
