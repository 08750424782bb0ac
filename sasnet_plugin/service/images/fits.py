"""Physics fitted from the answer to an image on, simulated again and compared: `--verify` of the command."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...files import put_whole
from ...fitting.result.verdict import DOES_NOT, DOUBTS, EXPLAINS
from ...types import SasnetError
from ..messages import plain
from ..places import Place
from .desk import Seen, answered, look
from .kinds import how_of

if TYPE_CHECKING:
    from ...domains import Domain

#: Files of the pictures, by what they show.
MEASURED, SIMULATED, RESIDUAL = PARTS = "measured", "simulated", "residual"


@dataclass(frozen=True)
class ImageJob:
    """An image whose physics is to be fitted.

    Parameters
    ----------
    places : tuple of Place
        The one.
    folder : str
        For what is written of it; made.
    body : mapping
        ``kind``, ``geometry`` (see `kinds.How`), ``time_limit`` in seconds.
    """

    places: tuple[Place, ...]
    folder: str
    body: Mapping[str, Any] = field(default_factory=dict)


def verified(job: ImageJob, told: Callable[[str], None]) -> tuple[dict[str, Any], list[str]]:
    """What the fit says as plain data, and names of the files that were written.

    Parameters
    ----------
    told : callable
        Told of each stage in a few words.

    Raises
    ------
    SasnetError
        There is nothing to be fitted, and why.
    """
    told("the image is read")
    (place,) = job.places
    seen = look(place, how_of(job.body))
    domain = _fitted_kind(place, seen)
    assert domain.refine is not None
    found = domain.refine(seen.measurement, seen.answer, float(job.body.get("time_limit", 30.0)), told)
    told("pictures are drawn")
    again = [one for one in found.findings if hasattr(one, "title")]
    if not again:
        new = [note for note in found.notes if note not in seen.answer.notes]
        raise SasnetError(" ".join(new) or "Nothing was fitted.")
    folder = Path(job.folder)
    files, pictures = _written(domain, seen.measurement, found, folder)
    level, headline, doubt = _verdict(found, again[-1])
    summary = {
        "verdict": level, "headline": headline, "doubt": doubt, "next": "", "purpose": "", "fits": [],
        "kind": domain.name, "geometry": list(job.body.get("geometry") or ()),
    }  # fmt: skip
    return {"image": plain({**answered(domain, seen.measurement, found), **summary, **pictures})}, files


def _fitted_kind(place: Place, seen: Seen) -> Domain:
    name = Path(place.path).name
    if seen.domain is None or seen.answer is None:
        raise SasnetError(f"{name}: has no answer to begin from: {seen.reason}")
    if seen.domain.refine is None:
        raise SasnetError(f"{name}: {seen.domain.title} are not fitted; SANS and GISAS images are.")
    return seen.domain


def _verdict(found: Any, again: Any) -> tuple[str, str, str]:
    """Level, headline and doubt, in the words of the fit."""
    said = [*again.sentences()]
    if hasattr(again, "verified"):  # of an image with a direction
        headline = again.headline or said[0]
        return (EXPLAINS, headline, "") if again.verified else (DOES_NOT, said[0], "")
    first = next(iter(found.sentences()), said[0])
    inside = found.in_scope >= 1.0
    level = EXPLAINS if inside else DOUBTS if found.in_scope > 0.5 else DOES_NOT
    return level, first, "" if inside else " ".join(said)


def _written(domain: Domain, one: Any, found: Any, folder: Path) -> tuple[list[str], dict[str, Any]]:
    """Report, answer and pictures; names of the files, and what the page needs beside the pictures."""
    from ...report.images import raster
    from ...report.images.canvas import png
    from ...report.images.compared import compared
    from ...report.images.pages import answer_page, parts
    from ...report.images.raster_place import about

    folder.mkdir(parents=True, exist_ok=True)
    names = [answer_page(domain, one, found, folder).name]
    content = {"answer.json": json.dumps(plain(found.as_dict()), indent=1).encode()}
    again = compared(one, found)
    pictures: dict[str, Any] = {"parts": [], "about": None}
    if again is not None:
        drawn = raster.compared(again.image, again.simulated, again.residual)
        content |= {f"{name}.png": data for name, data in drawn.items()}
        pictures = {"parts": [f"{name}.png" for name in PARTS], "about": about(again.image, raster.Look())}
    for number, part in enumerate(parts(domain, one, found, looked=False)[1][1:]):
        if part.draw is not None:
            for night in (False, True):
                content[figure_name(number, night)] = png(part.draw, part.size, night=night)
    for name, data in content.items():
        put_whole(folder / name, data, "picture of a fit")
    return [*names, *content], pictures


def figure_name(number: int, night: bool) -> str:
    """Name of the file of a figure."""
    return f"figure-{number}{'-night' if night else ''}.png"
