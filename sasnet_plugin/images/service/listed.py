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
from .kinds import How, find_sure_kind, how_of, list_companions, measurements, readable, settle_kind, short

#: What is said of an image that does not tell its kind.
CHOOSE = "of which kind?"


def is_surely_image(path: str) -> bool:
    """Whether a file is an image by what it is itself."""
    try:
        return bool(find_sure_kind(Path(path)))
    except SasnetError:  # of several kinds
        return True


def list_images(path: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A line for each image of a file, as a question says that it is read: see `list_lines`."""
    return list_lines(path, how_of(body))


def list_lines(path: str, reading: How) -> list[dict[str, Any]]:
    """List the first `IMAGES.most` images of a file. Raises SasnetError if no kind can read it."""
    # Entries are as of curves (`interactive.Desk.look`) plus ``image`` (the kind, empty if to be chosen),
    # ``answer``, ``thumb`` (PNG in base64), ``known``, ``note`` (why this kind), ``list_companions`` (files
    # that count
    # as well) and ``further`` (there are more images).
    kind, reason = settle_kind(path, reading)
    if kind:
        try:
            return _list_kind(path, specification(kind), reading, short(path, reason))
        except SasnetError as error:
            reason = f"As {specification(kind).title}: {error}"
    image = readable(path, 1, reading)
    return [_line(path, image, answer=CHOOSE, doubt=short(path, reason))]


def _list_kind(path: str, domain: Domain, reading: How, note: str) -> list[dict[str, Any]]:
    from ...predict.predictor import open_predictor

    predictor, lines = open_predictor(domain.name), []
    images = measurements(path, domain, reading)
    first = islice(images, IMAGES.most)
    while batch := list(islice(first, IMAGES.batch)):
        outcomes = predictor.outcomes(batch)
        lines += [
            {**_describe_answer(path, domain, *pair), "note": note}
            for pair in zip(batch, outcomes, strict=True)
        ]
    if not lines:
        raise DataError(f"{path}: holds no image.")
    if len(lines) == IMAGES.most and next(images, None) is not None:
        lines[-1]["further"] = True
    return lines


def _describe_answer(path: str, domain: Domain, image: Any, answer: Any) -> dict[str, Any]:
    from ...report.summaries import summarise_in_one_line

    if isinstance(answer, Exception):
        sentence = short(path, sentence_of(path, answer))
        return _line(path, image, image=domain.name, kind=domain.title, answer="no answer", doubt=sentence)
    classes = answer.finding(ClassesFinding)
    angle = "" if classes else _symbol(answer)
    best = next(iter(classes.classes), None) if classes else None
    return _line(
        path, image, image=domain.name, kind=domain.title, group=domain.title,
        model="" if best is None else best.name, known=answer.known,
        answer=f"{angle}{summarise_in_one_line(answer)}",
        probability=float(answer.in_scope if best is None else best.probability),
        doubt="" if answer.known else answer.scope.outside,
    )  # fmt: skip


def _symbol(answer: Any) -> str:
    """Symbol of the angle whose distribution is in an answer's line."""
    angles = answer.finding(DistributionFinding) if answer.known else None
    return f"{angles.symbol}: " if angles else ""


def _line(path: str, measurement: Any, **texts: Any) -> dict[str, Any]:
    from ..report.compared import as_seen
    from ..report.raster import thumbnail

    rows, columns = measurement.counts.shape
    thumb = base64.b64encode(thumbnail(as_seen(measurement))[0]).decode("ascii")
    empty: dict[str, Any] = {
        "image": "", "kind": "", "group": "", "model": "", "structure_factor": None, "probability": None,
        "known": False, "doubt": "", "spark": [], "points": None, "further": False, "note": "",
    }  # fmt: skip
    return {
        **empty, "entry": measurement.entry, "pixels": [columns, rows], "thumb": thumb,
        "beside": list_companions(Path(path)), **texts,
    }  # fmt: skip


def kinds_say(path: str, number: int, reading: How, names: Sequence[str]) -> list[dict[str, Any]]:
    """What each kind says of an image: read and known or not, and in one line what it sees."""
    # A network that was trained on one kind alone may be sure of an image of another.
    return [_try_kind(path, number, How(name, reading.geometry)) for name in names]


def _try_kind(path: str, number: int, reading: How) -> dict[str, Any]:
    from ...predict.predictor import open_predictor
    from .kinds import measurement

    domain = specification(reading.kind)
    description = {
        "kind": domain.name,
        "title": domain.title,
        "reads": False,
        "known": False,
        "in_scope": None,
    }
    try:
        image = measurement(path, domain, number, reading)
        if image is None:
            raise DataError(f"{path}: holds no image number {number}.")
        (answer,) = open_predictor(domain.name).outcomes([image])
        if isinstance(answer, Exception):
            raise answer
    except Exception as error:  # one kind must not stop the others
        return {**description, "said": short(path, sentence_of(path, error))}
    line = _describe_answer(path, domain, image, answer)
    return {
        **description, "reads": True, "known": answer.known, "in_scope": float(answer.in_scope),
        "said": line["answer"],
    }  # fmt: skip
