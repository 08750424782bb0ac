"""The log of labels: nothing in it is ever changed or removed, and what was said to be kept is on the disk.

A table of what people did, a table of what models said, and one of the models; SQLite's file by default. An
event is committed before anyone is told of it, so that a killed server loses nothing; events of several
servers on one database stand in the order in which they were committed.
"""

from __future__ import annotations

import itertools
import json
import operator
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...types import SasnetError
from ...web.settings import WEB
from .database import Database

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

#: Kinds of events: a tag is said to be there or not, an action is taken back, or done again.
LABEL, UNDO, REDO = "label", "undo", "redo"
#: Values of a label.
YES, NO, UNKNOWN = 1, 0, -1
#: Labels of one image that are shown.
_HISTORY = 50


@dataclass(frozen=True)
class Event:
    """What one person did to one tag of one image; or to an earlier action, then the rest is empty."""

    kind: str  #: `LABEL`, `UNDO` or `REDO`.
    #: Events of one keystroke have this in common; of `UNDO` and `REDO` the action that is meant.
    action: str
    who: str
    file: str = ""  #: Relative to the folder, with "/".
    number: int = 0  #: Of the image in its file, from 1.
    tag: str = ""
    value: int = UNKNOWN  #: `YES`, `NO` or `UNKNOWN`.
    #: ``name@version`` where a model's suggestion was accepted or rejected. Of what a person says without it
    #: both are empty.
    model: str = ""
    probability: float | None = None
    time: float = 0.0  #: Seconds since 1970, UTC; 0 is filled in.
    id: int = 0  #: Place in the log, from 1; 0 before it is there.

    @property
    def is_acceptance(self) -> bool:
        """Whether it says what a model had suggested; of older logs whatever agrees with the model."""
        p = self.probability
        return bool(self.model) and p is not None and (p >= WEB.present) == (self.value == YES)


@dataclass(frozen=True)
class Prediction:
    """What a model said of one image."""

    model: str  #: ``name@version``.
    #: file, number: see `Event`.
    file: str
    number: int
    content: str  #: What the file held, as `content.Source` has it: of another content nothing is said.
    tags: tuple[str, ...]  #: All that the model knows; the same each time.
    probability: Mapping[str, float]  #: By tag; empty where nothing is said.
    in_scope: float  #: 0..1.
    said: tuple[str, ...] = ()  #: The answer in sentences.


@dataclass(frozen=True)
class Answers:
    """What one model said of several images."""

    model: str
    tags: tuple[str, ...]  #: All that it knows.
    keys: tuple[tuple[str, int], ...]  #: File and number of each image.
    content: tuple[str, ...]  #: Of the file of each; empty where it was not kept.
    probability: NDArray[np.float32]  #: (n, tags), NaN where nothing is said.
    in_scope: NDArray[np.float32]  #: (n,)
    said: tuple[str, ...]  #: JSON of the sentences of each.
    last: int  #: Id of the last.


class Log:
    """An opened database of labels; arguments and errors as of `Database`."""

    def __init__(self, place: str) -> None:
        self.database = Database(place)

    def append(self, events: Iterable[Event]) -> None:
        """Add all events or none, on disk on return. Raises SasnetError if that fails."""
        current_time = time.time()
        rows = [
            {
                "time": e.time or current_time, "kind": e.kind, "action": e.action, "who": e.who,
                "file": e.file or None,
                "number": e.number, "tag": e.tag, "value": e.value, "model": e.model or None,
                "probability": e.probability,
            }
            for e in events
        ]  # fmt: skip
        self.database.insert(self.database.events, rows)

    def read_since(self, last: int) -> list[Event]:
        """Events after the one with this id, in their order."""
        columns = self.database.events.c
        return self._read(columns.id > last, columns.id)

    def history(self, file: str, number: int) -> list[Event]:
        """Labels of one image, the newest first; those that were taken back, too."""
        columns = self.database.events.c
        return self._read(
            (columns.file == file) & (columns.number == number), columns.id.desc(), most=_HISTORY
        )

    def add_predictions(self, predictions: Sequence[Prediction]) -> None:
        """Add predictions of models. Raises SasnetError if that fails."""
        database, current_time = self.database, time.time()
        for name, tags in {prediction.model: prediction.tags for prediction in predictions}.items():
            if name not in self._models():
                try:
                    database.insert(database.models, [{"name": name, "tags": json.dumps(tags)}])
                except SasnetError:
                    if name not in self._models():  # no other server was quicker
                        raise
        order = self._models()
        rows = [
            {
                "time": current_time, "model": prediction.model, "file": prediction.file,
                "number": prediction.number,
                "content": prediction.content, "in_scope": prediction.in_scope,
                "said": json.dumps(prediction.said),
                "probability": _pack(prediction.probability, order[prediction.model]),
            }
            for prediction in predictions
        ]  # fmt: skip
        database.insert(database.predictions, rows)

    def predictions_since(self, last: int) -> list[Answers]:
        """What models said after the prediction with this id, in its order, that of one model together."""
        columns, select = self.database.predictions.c, self.database.sql.select
        columns_read = (
            columns.model, columns.id, columns.file, columns.number, columns.content, columns.probability,
            columns.in_scope, columns.said,
        )  # fmt: skip
        with self.database.reading() as connection:
            rows = connection.execute(
                select(*columns_read).where(columns.id > last).order_by(columns.id)
            ).all()
        tags = self._models() if rows else {}
        answers = []
        for model, group in itertools.groupby(rows, key=operator.itemgetter(0)):
            _, ids, files, numbers, contents, blobs, scopes, sentences = zip(*group, strict=True)
            known_tags = tags.get(model, ())
            values = _unpack(blobs, known_tags)
            keys, content = (
                tuple(zip(files, numbers, strict=True)),
                tuple(content_text or "" for content_text in contents),
            )
            scope = np.array(scopes, np.float32)
            answers.append(Answers(model, known_tags, keys, content, values, scope, sentences, ids[-1]))
        return answers

    @property
    def public_place(self) -> str:
        return self.database.public_place

    def claim(self, folder: Path, *, too: bool = False) -> None:
        self.database.claim(folder, too=too)

    def close(self) -> None:
        self.database.close()

    def _models(self) -> dict[str, tuple[str, ...]]:
        """Name of each model -> all tags that it knows, in the order in which its answers are kept."""
        columns = self.database.models.c
        with self.database.reading() as connection:
            rows = connection.execute(self.database.sql.select(columns.name, columns.tags))
            return {name: tuple(map(str, json.loads(tags))) for name, tags in rows}

    def _read(self, condition: Any, order: Any, most: int | None = None) -> list[Event]:
        columns = self.database.events.c
        with self.database.reading() as connection:
            rows = connection.execute(
                self.database.sql.select(
                    columns.kind, columns.action, columns.who, columns.file, columns.number, columns.tag,
                    columns.value, columns.model, columns.probability, columns.time, columns.id,
                ).where(condition).order_by(order).limit(most)
            )  # fmt: skip
            return [
                Event(kind, action, person, file or "", number, tag, value, model or "", p, time_stamp, id)
                for kind, action, person, file, number, tag, value, model, p, time_stamp, id in rows
            ]


def _pack(probability: Mapping[str, float], tags: Sequence[str]) -> bytes:
    """Probabilities in the order of tags, NaN where nothing is said."""
    return np.array([probability.get(tag, np.nan) for tag in tags], "<f4").tobytes()


def _unpack(blobs: Sequence[bytes | None], tags: Sequence[str]) -> NDArray[np.float32]:
    """(n, tags) probabilities; NaN for a blob of another length, which is of other tags."""
    empty = _pack({}, tags)
    joined = b"".join(blob if blob and len(blob) == len(empty) else empty for blob in blobs)
    return np.frombuffer(joined, "<f4").reshape(len(blobs), len(tags))
