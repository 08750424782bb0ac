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
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..types import SasnetError

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Kinds of events: a tag is said to be there or not, an action is taken back, or done again.
LABEL, UNDO, REDO = "label", "undo", "redo"
#: Values of a label.
YES, NO, UNKNOWN = 1, 0, -1
#: Labels of one image that are shown.
_HISTORY = 50


@dataclass(frozen=True)
class Event:
    """What one person did to one tag of one image; or to an earlier action, then the rest is empty.

    Parameters
    ----------
    kind : str
        `LABEL`, `UNDO` or `REDO`.
    action : str
        Events of one keystroke have this in common; of `UNDO` and `REDO` the action that is meant.
    who : str
    file : str
        Relative to the folder, with "/".
    number : int
        Of the image in its file, from 1.
    tag : str
    value : int
        `YES`, `NO` or `UNKNOWN`.
    model : str
        ``name@version`` where a model's suggestion was accepted or rejected.
    probability : float or None
        Of that suggestion.
    time : float
        Seconds since 1970, UTC; 0 is filled in.
    id : int
        Place in the log, from 1; 0 before it is there.
    """

    kind: str
    action: str
    who: str
    file: str = ""
    number: int = 0
    tag: str = ""
    value: int = UNKNOWN
    model: str = ""
    probability: float | None = None
    time: float = 0.0
    id: int = 0


@dataclass(frozen=True)
class Prediction:
    """What a model said of one image.

    Parameters
    ----------
    model : str
        ``name@version``.
    file, number
        See `Event`.
    probability : mapping of str to float
        By tag; empty where nothing is said.
    in_scope : float
        0..1.
    said : tuple of str
        The answer in sentences.
    """

    model: str
    file: str
    number: int
    probability: Mapping[str, float]
    in_scope: float
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Told:
    """What one model said of several images.

    Parameters
    ----------
    model : str
    tags : tuple of str
        All that it knows.
    keys : tuple of (str, int)
        File and number of each image.
    probability : (n, tags) float array
        NaN where nothing is said.
    in_scope : (n,) float array
    said : tuple of str
        JSON of the sentences of each.
    last : int
        Id of the last.
    """

    model: str
    tags: tuple[str, ...]
    keys: tuple[tuple[str, int], ...]
    probability: NDArray[np.float32]
    in_scope: NDArray[np.float32]
    said: tuple[str, ...]
    last: int


class Log:
    """An opened database.

    Parameters
    ----------
    place : str
        A file, or a URL of SQLAlchemy, such as ``postgresql+psycopg://user@host/labels``.

    Raises
    ------
    SasnetError
        It cannot be opened, or holds something else.
    """

    def __init__(self, place: str) -> None:
        import sqlalchemy as sql

        self.place = place
        url = place if "://" in place else f"sqlite:///{Path(place).absolute()}"
        shape = sql.MetaData()
        number = sql.BigInteger().with_variant(sql.Integer, "sqlite")  # SQLite counts those alone
        self._events = sql.Table(
            "events", shape,
            sql.Column("id", number, primary_key=True, autoincrement=True),
            sql.Column("time", sql.Double, nullable=False), sql.Column("kind", sql.String(8), nullable=False),
            sql.Column("action", sql.String(32), nullable=False), sql.Column("who", sql.Text, nullable=False),
            sql.Column("file", sql.Text), sql.Column("number", sql.Integer), sql.Column("tag", sql.Text),
            sql.Column("value", sql.SmallInteger), sql.Column("model", sql.Text),
            sql.Column("probability", sql.Double),
            sqlite_autoincrement=True,
        )  # fmt: skip
        self._models = sql.Table(
            "models", shape,
            sql.Column("name", sql.String(200), primary_key=True),
            sql.Column("tags", sql.Text, nullable=False),
        )  # fmt: skip
        self._predictions = sql.Table(
            "predictions", shape,
            sql.Column("id", number, primary_key=True, autoincrement=True),
            sql.Column("time", sql.Double, nullable=False),
            sql.Column("model", sql.String(200), nullable=False),
            sql.Column("file", sql.Text, nullable=False), sql.Column("number", sql.Integer, nullable=False),
            sql.Column("probability", sql.LargeBinary), sql.Column("in_scope", sql.Double),
            sql.Column("said", sql.Text),
            sqlite_autoincrement=True,
        )  # fmt: skip
        self._sql = sql
        try:
            options = {"connect_args": {"timeout": 60}} if url.startswith("sqlite:") else {}
            self._engine = sql.create_engine(url, **options)
            shape.create_all(self._engine)
            with self._engine.connect() as connection:
                connection.execute(sql.select(*self._events.c).limit(1)).all()
        except (sql.exc.SQLAlchemyError, ImportError, OSError) as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise SasnetError(
                f"{_without_password(place)}: labels cannot be kept there ({reason}); name a file in a folder"
                " that may be written to, or the URL of a database whose driver is installed."
            ) from None

    def append(self, events: Iterable[Event]) -> None:
        """Add events, all of them or none; they are on the disk when this returns.

        Raises
        ------
        SasnetError
            They could not be written.
        """
        now = time.time()
        rows = [
            {
                "time": e.time or now, "kind": e.kind, "action": e.action, "who": e.who,
                "file": e.file or None,
                "number": e.number, "tag": e.tag, "value": e.value, "model": e.model or None,
                "probability": e.probability,
            }
            for e in events
        ]  # fmt: skip
        self._insert(self._events, rows)

    def since(self, last: int) -> list[Event]:
        """Events after the one with this id, in their order."""
        return self._read(self._events.c.id > last, self._events.c.id)

    def history(self, file: str, number: int) -> list[Event]:
        """Labels of one image, the newest first; those that were taken back, too."""
        columns = self._events.c
        return self._read(
            (columns.file == file) & (columns.number == number), self._sql.desc(columns.id), most=_HISTORY
        )

    def add_predictions(self, tags: Sequence[str], found: Sequence[Prediction]) -> None:
        """Add what models said.

        Parameters
        ----------
        tags : sequence of str
            All that these models know; the same each time.
        found : sequence of Prediction

        Raises
        ------
        SasnetError
            They could not be written.
        """
        sql, now = self._sql, time.time()
        with self._engine.connect() as connection:
            known = set(connection.execute(sql.select(self._models.c.name)).scalars())
        for name in {one.model for one in found} - known:
            try:
                self._insert(self._models, [{"name": name, "tags": json.dumps(list(tags))}])
            except SasnetError:  # another server was quicker, or the next line says why not
                continue
        self._insert(
            self._predictions,
            [
                {
                    "time": now, "model": one.model, "file": one.file, "number": one.number,
                    "probability": np.array([one.probability.get(t, np.nan) for t in tags], "<f4").tobytes()
                    if one.probability else None,
                    "in_scope": one.in_scope, "said": json.dumps(one.said),
                }
                for one in found
            ],
        )  # fmt: skip

    def predictions_since(self, last: int) -> list[Told]:
        """What models said after the prediction with this id, in its order, that of one model together."""
        sql, columns = self._sql, self._predictions.c
        with self._engine.connect() as connection:
            tags = {
                name: tuple(json.loads(names))
                for name, names in connection.execute(sql.select(self._models.c.name, self._models.c.tags))
            }
            rows = connection.execute(
                sql.select(
                    columns.model, columns.id, columns.file, columns.number, columns.probability,
                    columns.in_scope, columns.said,
                ).where(columns.id > last).order_by(columns.id)
            ).all()  # fmt: skip
        found = []
        for model, some in itertools.groupby(rows, key=operator.itemgetter(0)):
            _, ids, files, numbers, blobs, scopes, said = zip(*some, strict=True)
            known = tags.get(model, ())
            nothing = np.full(len(known), np.nan, "<f4").tobytes()
            joined = b"".join(blob or nothing for blob in blobs)
            values = np.frombuffer(joined, "<f4").reshape(len(ids), len(known))
            keys = tuple(zip(files, numbers, strict=True))
            found.append(Told(model, known, keys, values, np.array(scopes, np.float32), said, ids[-1]))
        return found

    @property
    def shown(self) -> str:
        """Where it is, as it may be shown."""
        return _without_password(self.place)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _read(self, where: Any, order: Any, most: int | None = None) -> list[Event]:
        columns = self._events.c
        with self._engine.connect() as connection:
            found = connection.execute(
                self._sql.select(
                    columns.kind, columns.action, columns.who, columns.file, columns.number, columns.tag,
                    columns.value, columns.model, columns.probability, columns.time, columns.id,
                ).where(where).order_by(order).limit(most)
            )  # fmt: skip
            return [
                Event(kind, action, who, file or "", number, tag, value, model or "", p, at, id)
                for kind, action, who, file, number, tag, value, model, p, at, id in found
            ]

    def _insert(self, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        try:
            with self._engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    # Numbers are given before the commit: without a lock a reader may pass over a slow one.
                    connection.execute(self._sql.text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))
                connection.execute(self._sql.insert(table), rows)
        except self._sql.exc.SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise SasnetError(
                f"{_without_password(self.place)}: this was not kept ({reason}); make room or mend the"
                " database, and do it again."
            ) from None


def _without_password(place: str) -> str:
    """A URL as it may be shown."""
    scheme, found, rest = place.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if found else place
