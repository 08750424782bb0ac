"""What reads the users' files: a process of its own, so that no file brings the page down."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data import load
from ...data.limits import sentence_of
from ...domains import DEFAULT, specification
from ...domains.heads import Classes, Head, Tags
from ...predict.classes import ClassesFinding
from ...predict.predictor import open_predictor
from ...predict.tags import TagsFinding
from ...types import SasnetError
from ...web.content import Source, Stamp, see_unchanged, source_of
from ...web.settings import WEB
from ..raster import Look, describe_axes, picture, thumbnail
from ..service import How, measurement, measurements

_USUAL = Look()
THUMBNAILS, PREDICT, VIEW = "thumbnails", "predict", "view"


@dataclass(frozen=True)
class Job:
    """Something to be done with one file."""

    kind: str  #: `THUMBNAILS` and `PREDICT`, of all its images, or `VIEW`, of one.
    domain: str
    folder: str
    file: str
    number: int = 1  #: Of the image, for a view.
    geometry: tuple[str, ...] = ()  #: ``name=value``, as somebody has given it on the page.
    look: Look = _USUAL
    stamp: Stamp | None = None  #: Of the file, when somebody wanted it to be read.
    zoo: str = ""  #: Folder of the models; empty: the usual one.
    token: str = ""  #: By which whoever waits for it knows it.

    @property
    def path(self) -> str:
        return str(Path(self.folder) / self.file)

    @property
    def reading(self) -> How:
        return How(geometry=self.geometry)


@dataclass(frozen=True)
class Shown:
    """An image that was drawn: of what, its number, its entry's title, a PNG, what is compared, sentences.

    Of a view, ``about`` is what `pictures.about` says.
    """

    source: Source
    number: int
    title: str
    png: bytes
    descriptor: NDArray[np.float32] | None = None
    notes: tuple[str, ...] = ()
    about: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Predicted:
    """What a model says of an image: see `events.Prediction`."""

    source: Source
    number: int
    title: str
    model: str
    tags: tuple[str, ...]
    probability: dict[str, float]
    in_scope: float
    said: tuple[str, ...]


@dataclass(frozen=True)
class Failed:
    """A file, or one of its images (0: the file), that could not be used, and why in a sentence."""

    sentence: str
    number: int = 0
    curve: bool = False  #: It holds a curve, and no image.


def begin() -> Callable[[Job, Callable[[Any], None]], None]:
    os.environ.setdefault("MPLBACKEND", "Agg")
    return do


def do(job: Job, say: Callable[[Any], None]) -> None:
    """Do a job: say the `Source`, then what is found in it, each of it only if the file is still the same."""
    try:
        source = source_of(job.folder, job.file, job.domain)
        say(source)
        for result in _DO[job.kind](job, source):
            see_unchanged(job.folder, source)
            say(result)
    except Exception as error:  # one file must not stop the others, whatever is wrong with it
        say(Failed(sentence_of(job.path, error), curve=job.kind == THUMBNAILS and _is_curve(job)))


def _is_curve(job: Job) -> bool:
    if job.domain == DEFAULT:
        return False
    try:
        return bool(load(job.path))
    except Exception:  # whatever stops it, it is no curve
        return False


def vocabulary(heads: Sequence[Head]) -> tuple[str, ...]:
    """Tags that heads answer: their tags, and of the class that is asked for its groups and labels."""
    labels: list[str] = []
    for head in heads:
        if isinstance(head, Tags):
            labels += head.labels
        elif isinstance(head, Classes) and not head.given:
            labels += [group.name for group in head.groups if len(group.members) > 1]
            labels += [label for label in head.labels if label != head.others]
    return tuple(dict.fromkeys(labels))


def _thumbnails(job: Job, source: Source) -> Iterator[Shown]:
    number = 0
    for number, image in enumerate(measurements(job.path, specification(job.domain), job.reading), start=1):
        png, descriptor = thumbnail(image)
        yield Shown(source, number, image.entry, png, descriptor)
    if not number:
        raise SasnetError(f"{job.path}: holds no measurement.")


def _view(job: Job, source: Source) -> Iterator[Shown]:
    image = measurement(job.path, specification(job.domain), job.number, job.reading)
    if image is None:
        raise SasnetError(f"{job.path}: holds no measurement number {job.number}.")
    picture_drawn = picture(image, job.look)
    yield Shown(
        source,
        job.number,
        image.entry,
        picture_drawn,
        notes=tuple(image.notes),
        about=describe_axes(image, job.look),
    )


def _predict(job: Job, source: Source) -> Iterator[Predicted | Failed]:
    if job.zoo:
        os.environ["SASNET_MODEL_ZOO"] = job.zoo

    predictor = open_predictor(job.domain)
    name = f"{job.domain}@{predictor.manifest.sha256['model.onnx'][:10]}"
    images, start = measurements(job.path, specification(job.domain), job.reading), 1
    while batch := list(islice(images, WEB.batch)):
        yield from _answers(predictor, name, source, batch, start)
        start += len(batch)


def _answers(
    predictor: Any, model: str, source: Source, batch: Sequence[Any], start: int
) -> Iterator[Predicted | Failed]:
    tags = vocabulary(predictor.manifest.heads)
    for number, (image, answer) in enumerate(zip(batch, predictor.outcomes(batch), strict=True), start=start):
        if isinstance(answer, Exception):
            yield Failed(sentence_of(image.file, answer), number)
            continue
        probabilities: dict[str, float] = {}
        for finding in answer.findings:
            if isinstance(finding, TagsFinding):
                probabilities |= finding.probability
            elif isinstance(finding, ClassesFinding) and answer.known and _is_own(finding):
                single = dict(zip(finding.head.labels, finding.probability.tolist(), strict=True))
                groups = {g.name: sum(single[name] for name in g.members) for g in finding.head.groups}
                probabilities |= groups | single
        probabilities = {
            tag: min(max(float(probabilities[tag]), 0.0), 1.0) for tag in tags if tag in probabilities
        }
        sentences = tuple(answer.sentences())
        yield Predicted(
            source, number, image.entry, model, tags, probabilities, float(answer.in_scope), sentences
        )


def _is_own(finding: Any) -> bool:
    """Whether a finding names classes of the image: not of its average, and not given another class."""
    return not finding.head.given and not finding.introduction


_DO: dict[str, Callable[[Job, Source], Iterator[Any]]] = {
    THUMBNAILS: _thumbnails,
    PREDICT: _predict,
    VIEW: _view,
}
