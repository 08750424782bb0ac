"""The lines of a file's images in a list: of which kind they are, what they may show, how they look."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ...data.failure import sentence_of
from ...domains import Domain, specification
from ...predict.classes import ClassesFinding
from ...predict.findings import DistributionFinding
from ...types import DataError, SasnetError
from ..settings import IMAGES
from .kinds import How, beside, how_of, measurements, readable, settled, short, told

#: What is said of an image that does not tell its kind.
CHOOSE = "of which kind?"


def is_surely_image(path: str) -> bool:
    """Whether a file is an image by what it is itself."""
    try:
        return bool(told(Path(path)))
    except SasnetError:  # of several kinds
        return True


def list_images(path: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A line for each image of a file, as a question says that it is read: see `listed`."""
    return listed(path, how_of(body))


def listed(path: str, how: How) -> list[dict[str, Any]]:
    """List the first `IMAGES.most` images of a file. Raises SasnetError if no kind can read it."""
    # Entries are as of curves (`interactive.Desk.look`) plus ``image`` (the kind, empty if to be chosen),
    # ``answer``, ``thumb`` (PNG in base64), ``known``, ``note`` (why this kind), ``beside`` (files that count
    # as well) and ``further`` (there are more images).
    kind, reason = settled(path, how)
    if kind:
        try:
            return _of_kind(path, specification(kind), how, short(path, reason))
        except SasnetError as error:
            reason = f"As {specification(kind).title}: {error}"
    one = readable(path, 1, how)
    return [_line(path, one, answer=CHOOSE, doubt=short(path, reason))]


def _of_kind(path: str, domain: Domain, how: How, note: str) -> list[dict[str, Any]]:
    from ...predict.predictor import open_predictor

    predictor, found = open_predictor(domain.name), []
    some = measurements(path, domain, how)
    first = islice(some, IMAGES.most)
    while batch := list(islice(first, IMAGES.batch)):
        said = predictor.outcomes(batch)
        found += [{**_answered(path, domain, *pair), "note": note} for pair in zip(batch, said, strict=True)]
    if not found:
        raise DataError(f"{path}: holds no image.")
    if len(found) == IMAGES.most and next(some, None) is not None:
        found[-1]["further"] = True
    return found


def _answered(path: str, domain: Domain, one: Any, answer: Any) -> dict[str, Any]:
    from ...report.in_one_line import in_one_line

    if isinstance(answer, Exception):
        sentence = short(path, sentence_of(path, answer))
        return _line(path, one, image=domain.name, kind=domain.title, answer="no answer", doubt=sentence)
    classes = answer.finding(ClassesFinding)
    angle = "" if classes else _symbol(answer)
    best = next(iter(classes.classes), None) if classes else None
    return _line(
        path, one, image=domain.name, kind=domain.title, group=domain.title,
        model="" if best is None else best.name, known=answer.known,
        answer=f"{angle}{in_one_line(answer)}",
        probability=float(answer.in_scope if best is None else best.probability),
        doubt="" if answer.known else answer.scope.outside,
    )  # fmt: skip


def _symbol(answer: Any) -> str:
    """Symbol of the angle whose distribution is in an answer's line."""
    angles = answer.finding(DistributionFinding) if answer.known else None
    return f"{angles.symbol}: " if angles else ""


def _line(path: str, one: Any, **said: Any) -> dict[str, Any]:
    from ..report.compared import as_seen
    from ..report.raster import thumbnail

    rows, columns = one.counts.shape
    thumb = base64.b64encode(thumbnail(as_seen(one))[0]).decode("ascii")
    empty: dict[str, Any] = {
        "image": "", "kind": "", "group": "", "model": "", "structure_factor": None, "probability": None,
        "known": False, "doubt": "", "spark": [], "points": None, "further": False, "note": "",
    }  # fmt: skip
    return {
        **empty, "entry": one.entry, "pixels": [columns, rows], "thumb": thumb,
        "beside": beside(Path(path)), **said,
    }  # fmt: skip


def kinds_say(path: str, number: int, how: How, names: Sequence[str]) -> list[dict[str, Any]]:
    """What each kind says of an image: read and known or not, and in one line what it sees."""
    # A network that was trained on one kind alone may be sure of an image of another.
    return [_said(path, number, How(name, how.geometry)) for name in names]


def _said(path: str, number: int, how: How) -> dict[str, Any]:
    from ...predict.predictor import open_predictor
    from .kinds import measurement

    domain = specification(how.kind)
    found = {"kind": domain.name, "title": domain.title, "reads": False, "known": False, "in_scope": None}
    try:
        one = measurement(path, domain, number, how)
        if one is None:
            raise DataError(f"{path}: holds no image number {number}.")
        (answer,) = open_predictor(domain.name).outcomes([one])
        if isinstance(answer, Exception):
            raise answer
    except Exception as error:  # one kind must not stop the others
        return {**found, "said": short(path, sentence_of(path, error))}
    line = _answered(path, domain, one, answer)
    return {
        **found, "reads": True, "known": answer.known, "in_scope": float(answer.in_scope),
        "said": line["answer"],
    }  # fmt: skip
