"""The database of labels: its tables, a sentence for all that can go wrong, the folder that it belongs to.

A table of what people did, a table of what models said, and one of the models; SQLite's file by default. An
event is committed before anyone is told of it, so that a killed server loses nothing; events of several
servers on one database stand in the order in which they were committed.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import operator
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...types import SasnetError, printable
from ...web.settings import WEB

# --- The database of labels: its tables, a sentence for all that can go wrong, the folder that it
# --- belongs to.


class Database:
    """An opened database: a file, or a URL of SQLAlchemy such as ``postgresql+psycopg://user@host/labels``.
    Raises SasnetError if it cannot be opened or holds something else.
    """

    def __init__(self, place: str) -> None:
        import sqlalchemy as sql

        self.place, self.sql = place, sql
        url = place if "://" in place else f"sqlite:///{Path(place).absolute()}"
        self._file = Path(place).absolute() if "://" not in place else None
        shape = sql.MetaData()
        self.events, self.models, self.predictions, self.about = _tables(sql, shape)
        try:
            if url.startswith("sqlite:"):
                # Opened anew each time: pages that are kept would hide that the file is damaged.
                patience = {"timeout": WEB.database_seconds}
                self._engine = sql.create_engine(url, connect_args=patience, poolclass=sql.pool.NullPool)
            else:  # a connection that the server has dropped is noticed before it is used
                self._engine = sql.create_engine(url, pool_pre_ping=True)
            shape.create_all(self._engine)
            self._add_content()
            with self._engine.connect() as connection:
                connection.execute(sql.select(*self.events.c).limit(1)).all()
        except (sql.exc.SQLAlchemyError, ImportError, OSError, ValueError) as error:
            raise SasnetError(
                f"{self.public_place}: labels cannot be saved there ({_reason(error)}); name a file in a"
                f" writable folder, or the URL of a database whose driver is installed."
            ) from None
        self._identity = self._find_on_disk()

    @property
    def public_place(self) -> str:
        scheme, separator, rest = self.place.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}" if separator else self.place

    def close(self) -> None:
        self._engine.dispose()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Any]:
        """Yield a connection to read by. Raises SasnetError if it cannot be read or has foreign content."""
        self._see_it_is_there()
        try:
            with self._engine.connect() as connection:
                yield connection
        except (self.sql.exc.SQLAlchemyError, ValueError, TypeError, OSError) as error:
            raise SasnetError(
                f"{self.public_place}: labels cannot be read ({_reason(error)}). Wait if another program uses"
                f" the database; otherwise restore a copy, and start sasnet tag again."
            ) from None

    def insert(self, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add all rows or none, on disk on return. Raises SasnetError if they were not kept."""
        if not rows:
            return
        self._see_it_is_there()
        try:
            with self._engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    # Numbers are given before the commit: without a lock a reader may pass over a slow one.
                    connection.execute(self.sql.text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))
                connection.execute(self.sql.insert(table), rows)
        except (self.sql.exc.SQLAlchemyError, ValueError, OverflowError, OSError) as error:
            raise SasnetError(
                f"{self.public_place}: this was not saved ({_reason(error)}); free disk space or repair the"
                f" database, and repeat it."
            ) from None
        self._see_it_is_there()

    def folders(self) -> list[str]:
        """Folders whose labels it holds; none where it is new."""
        about = self.about.c
        with self.reading() as connection:
            text = connection.execute(
                self.sql.select(about.value).where(about.name == "folders")
            ).scalar_one_or_none()
            return [str(folder) for folder in json.loads(text)] if text else []

    def belongs_to(self, folder: Path) -> bool:
        """Whether it holds labels of this folder, or none yet."""
        known_folders = self.folders()
        return not known_folders or any(_same(Path(name), folder) for name in known_folders)

    def claim(self, folder: Path, *, too: bool = False) -> None:
        """Record that it holds labels of this folder; with `too`, of this one as another place of the same.
        Raises SasnetError if it belongs to another folder, whose equal names would be confused.
        """
        known_folders, place = self.folders(), str(folder.resolve())
        if any(_same(Path(name), folder) for name in known_folders):
            return
        if known_folders and not too:
            raise SasnetError(
                f"{self.public_place}: contains labels of {printable(known_folders[0])}; name another"
                " --database for"
                f" {folder}, or add --moved if that folder was moved here."
            )
        if not known_folders:
            return self._claim_first(folder, place, too)
        value, sql = json.dumps([*known_folders, place]), self.sql
        try:
            with self._engine.begin() as connection:
                connection.execute(
                    sql.update(self.about).where(self.about.c.name == "folders").values(value=value)
                )
        except sql.exc.SQLAlchemyError as error:
            raise SasnetError(
                f"{self.public_place}: is not writable ({_reason(error)}); make it writable."
            ) from None

    def _claim_first(self, folder: Path, place: str, too: bool) -> None:
        try:
            self.insert(self.about, [{"name": "folders", "value": json.dumps([place])}])
        except SasnetError:
            if not self.folders():
                raise
            self.claim(folder, too=too)  # another server was quicker

    def _add_content(self) -> None:
        """A database from before answers were kept with what they are of: such answers are not believed."""
        sql, table = self.sql, self.predictions
        columns = {column["name"] for column in sql.inspect(self._engine).get_columns(table.name)}
        if table.c.content.name not in columns:
            with contextlib.suppress(sql.exc.SQLAlchemyError), self._engine.begin() as connection:
                connection.execute(sql.text(f"ALTER TABLE {table.name} ADD COLUMN content VARCHAR(64)"))

    def _find_on_disk(self) -> tuple[int, int] | None:
        if self._file is None:
            return None
        try:
            status = os.stat(self._file)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _see_it_is_there(self) -> None:
        """See that the file has not been removed or replaced: what goes into one without a name is lost."""
        if self._file is not None and self._find_on_disk() != self._identity:
            raise SasnetError(
                f"{self.public_place}: was removed or replaced while the page was open, so this was not"
                " saved;"
                f" put it back and start sasnet tag again."
            )


def _tables(sql: Any, shape: Any) -> tuple[Any, Any, Any, Any]:
    number = sql.BigInteger().with_variant(sql.Integer, "sqlite")  # SQLite counts those alone
    events = sql.Table(
        "events", shape,
        sql.Column("id", number, primary_key=True, autoincrement=True),
        sql.Column("time", sql.Double, nullable=False), sql.Column("kind", sql.String(8), nullable=False),
        sql.Column("action", sql.String(32), nullable=False), sql.Column("who", sql.Text, nullable=False),
        sql.Column("file", sql.Text), sql.Column("number", sql.Integer), sql.Column("tag", sql.Text),
        sql.Column("value", sql.SmallInteger), sql.Column("model", sql.Text),
        sql.Column("probability", sql.Double),
        sqlite_autoincrement=True,
    )  # fmt: skip
    models = sql.Table(
        "models", shape,
        sql.Column("name", sql.String(200), primary_key=True),
        sql.Column("tags", sql.Text, nullable=False),
    )  # fmt: skip
    predictions = sql.Table(
        "predictions", shape,
        sql.Column("id", number, primary_key=True, autoincrement=True),
        sql.Column("time", sql.Double, nullable=False), sql.Column("model", sql.String(200), nullable=False),
        sql.Column("file", sql.Text, nullable=False), sql.Column("number", sql.Integer, nullable=False),
        sql.Column("content", sql.String(64)),
        sql.Column("probability", sql.LargeBinary), sql.Column("in_scope", sql.Double),
        sql.Column("said", sql.Text),
        sqlite_autoincrement=True,
    )  # fmt: skip
    about = sql.Table(
        "about", shape,
        sql.Column("name", sql.String(40), primary_key=True), sql.Column("value", sql.Text, nullable=False),
    )  # fmt: skip
    return events, models, predictions, about


def _same(first: Path, second: Path) -> bool:
    try:
        return first == second.resolve() or os.path.samefile(first, second)
    except OSError:
        return False


def _reason(error: Exception) -> str:
    return (str(getattr(error, "orig", None) or error).strip() or type(error).__name__).splitlines()[0]


# --- The log of labels: nothing in it is ever changed or removed, and what was said to be kept is
# --- on the disk.

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

    def _add_model(self, name: str, tags: Sequence[str]) -> None:
        if name not in self._models():
            try:
                self.database.insert(self.database.models, [{"name": name, "tags": json.dumps(tags)}])
            except SasnetError:
                if name not in self._models():  # no other server was quicker
                    raise

    def add_predictions(self, predictions: Sequence[Prediction]) -> None:
        """Add predictions of models. Raises SasnetError if that fails."""
        database, current_time = self.database, time.time()
        for name, tags in {prediction.model: prediction.tags for prediction in predictions}.items():
            self._add_model(name, tags)
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
