"""The database of labels: its tables, a sentence for all that can go wrong, the folder that it belongs to."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...types import SasnetError, printable
from ...web.settings import WEB


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
