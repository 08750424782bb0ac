"""Answers written back to the server: into the metadata of what they are about, or as tables beside it.

The table of the series on this machine is what counts: lines are written there first, and what the server
lacks of the newest of them is made up for when a series goes on. What others have written is not touched
unasked.
"""

from __future__ import annotations

import io
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any

from ...types import SasnetError, TechnicalError
from .connection import Address, NoEntryError, Server, address_of
from .nodes import CONTAINER, PAGE, node_at, page_of
from .source import FIRST_PAUSE, LONGEST_PAUSE, NAMES

# --- Answers written back to the server: into the metadata of what they are about, or as tables
# --- beside it.

Line = Mapping[str, str]
#: Key of an answer in metadata, and behind the name of a container that of its table.
KEY, BEHIND = "sasnet", "_sasnet"
#: Frames of a table that is written back: so many are sent again with each new answer, and so many tables has
#: who reads them to join.
ROWS = 500
#: Tries, after the first, of who does not wait.
TRIES = 2
_ARROW = "application/vnd.apache.arrow.file"
_PATCH = "application/json-patch+json"
_COUNTS = frozenset({"frame", "part", "change_from"})
#: Of these the ones that every line has.
_WHOLE = frozenset({"frame", "part"})
_TEXTS = frozenset({"file", "entry", "note", "change", "group", "model", "class", "tags"})
_UNIT = re.compile(r"^(.*?) \[(.*)\]$")


def as_data(line: Line) -> dict[str, Any]:
    """A line of the table as data: numbers as numbers, and nothing where the cell is empty."""
    return {title: _value(title, cell) for title, cell in line.items() if cell}


def _value(title: str, cell: str) -> Any:
    return cell if title in _TEXTS else int(cell) if title in _COUNTS else float(cell)


@dataclass(frozen=True)
class Manner:
    """How one deals with a server that is away, and with what others have written."""

    watch: bool = False  #: Wait for it.
    force: bool = False  #: Replace answers of others.
    tell: Callable[[str], None] = print  #: Told when it goes and comes.
    #: From then on it is waited for no more.
    ending: threading.Event = field(default_factory=threading.Event)


def patiently(act: Callable[[], None], manner: Manner) -> None:
    """Repeat an action while the server is away; TechnicalError if nobody waits."""
    # The first failure is not reported: a server may refuse one of two simultaneous writes to its database.
    pause, failures = FIRST_PAUSE, 0
    while True:
        try:
            act()
        except TechnicalError as error:
            failures += 1
            if failures > TRIES and (manner.ending.is_set() or not manner.watch):
                raise
            if failures == 2:
                manner.tell(f"{error} Waiting for it.")
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            continue
        if failures > 1:
            manner.tell("The server can be written to again, and the answers are saved there.")
        return


@dataclass
class InMetadata:
    """Answers in the metadata of their entries, under `KEY`."""

    server: Server
    series: str  #: By which an answer is known as this series' own, and may be replaced.
    #: Metadata of the newest entries by address, as they were listed; others are asked for.
    known: Mapping[str, Mapping[str, Any]]
    manner: Manner = field(default_factory=Manner)
    left: int = 0  #: Entries whose answer is another's and was left.

    def catch_up(self, earlier: Callable[[], Iterable[Line]]) -> None:
        """Give the newest lines that their entries lack."""
        self.give(list(deque(earlier(), maxlen=PAGE)))

    def give(self, lines: Sequence[Line]) -> None:
        """Give each entry the answer of its newest line."""
        newest = {line["file"]: line for line in lines}
        for file, line in newest.items():
            patiently(lambda file=file, line=line: self._one(file, line), self.manner)  # type: ignore[misc]

    def _one(self, file: str, line: Line) -> None:
        address = address_of(file)
        answer = {"series": self.series, **{k: v for k, v in as_data(line).items() if k != "file"}}
        try:
            metadata = self.known.get(file)
            metadata = node_at(self.server, address).metadata if metadata is None else metadata
            previous = metadata.get(KEY)
            is_own = isinstance(previous, Mapping) and previous.get("series") == self.series
            if previous == answer:
                return
            if previous is not None and not (is_own or self.manner.force):
                self.left += 1
                return
            patch = [{"op": "add", "path": f"/{KEY}", "value": answer}]
            content = {"content-type": _PATCH, "metadata": patch, "specs": None, "access_tags": None}
            # Nothing is lost without a copy of metadata to which something was added.
            params = {"drop_revision": "true"} if previous is None or is_own else {}
            self.server.send("PATCH", "metadata", address, content, **params)
        except NoEntryError:  # it was deleted meanwhile
            return


@dataclass
class InTable:
    """Answers as tables beside the container, a row a frame, `ROWS` frames a table.

    The table that fills is written as a whole each time: where the server's answer to that is lost on its
    way, or the server is killed, it is done again, and no row is there twice or missing. (Rows that are
    appended to a table in a server's embedded database get lost where two series do so at once: Tiled 0.2 has
    one connection to it, so that one's rollback takes back the other's rows.)
    """

    server: Server
    series: str
    container: Address  #: Of what is followed.
    titles: Sequence[str]
    manner: Manner = field(default_factory=Manner)
    # The table that fills, from 0, and its rows as Arrow has them; tables before are whole.
    _number: int = 0
    _rows: list[Any] = field(default_factory=list)
    # Tables that are known to be there; -1 while nothing is known.
    _made: int = -1
    _goes_on: bool = False

    @property
    def address(self) -> Address:
        """Address of what holds the tables."""
        return self.container.parent.descend(f"{self.container.name or 'root'}{BEHIND}")

    def catch_up(self, earlier: Callable[[], Iterable[Line]]) -> None:
        """Give the lines that the tables lack: those from the last table on, which may not be whole."""
        self._goes_on = True
        patiently(self._open, self.manner)
        first = max(self._made - 1, 0)
        for _, subset in groupby((line for line in earlier() if _table_of(line) >= first), _table_of):
            self.give(list(subset))

    def give(self, lines: Sequence[Line]) -> None:
        for number, subset in groupby(lines, _table_of):
            if number != self._number:
                self._number, self._rows = number, []
            self._rows = [self._join([*self._rows, self._arrow(list(subset))])]
            patiently(self._put, self.manner)

    def _put(self) -> None:
        if self._made < 0:
            self._open()
        address = self.address.descend(f"frames{self._number * ROWS + 1:08d}")
        if self._made <= self._number:
            self._make_table(address)
            self._made = self._number + 1
        self.server.put("table/full", address, self._content(), _ARROW)

    def _open(self) -> None:
        """Count the tables that are there; what holds them is made where it is not."""
        try:
            node = node_at(self.server, self.address)
        except NoEntryError:
            self._make()
            return
        is_own = node.family == CONTAINER and node.metadata.get("series") == self.series
        if is_own and self._goes_on:
            self._made = self._count()
            return
        if not is_own and not self.manner.force:
            raise SasnetError(
                f"{self.address}: exists already and contains other answers; remove it, or repeat the"
                f" command with --force."
            )
        # Of this series, too, if it begins anew.
        self.server.send("DELETE", "metadata", self.address, None, recursive="true", external_only="false")
        self._make()

    def _count(self) -> int:
        count, has_more = 0, True
        while has_more:
            page = page_of(self.server, self.address, count, NAMES, names_only=True)
            count, has_more = count + len(page.nodes), page.more
        return count

    def _make(self) -> None:
        units = {_name(title): match[2] for title in self.titles if (match := _UNIT.match(title))}
        content = {
            "id": self.address.name, "structure_family": "container", "data_sources": [], "specs": [],
            "metadata": {"series": self.series, "of": str(self.container), "units": units},
        }  # fmt: skip
        self.server.send("POST", "metadata", self.address.parent, content)
        # From then on it is what this run has written.
        self._made, self._goes_on = 0, True

    def _make_table(self, address: Address) -> None:
        from tiled.structures.table import TableStructure

        try:
            node_at(self.server, address)
        except NoEntryError:
            source = {
                "structure_family": "table", "mimetype": "application/x-parquet",
                "structure": asdict(TableStructure.from_schema(self._schema(), 1)),
            }  # fmt: skip
            content = {
                "id": address.name, "structure_family": "table", "data_sources": [source], "specs": [],
                "metadata": {},
            }  # fmt: skip
            self.server.send("POST", "metadata", self.address, content)

    def _schema(self) -> Any:
        import pyarrow as pa

        kinds = {True: pa.string(), False: pa.float64()}
        return pa.schema(
            [
                (_name(title), pa.int64() if title in _WHOLE else kinds[title in _TEXTS])
                for title in self.titles
            ]
        )

    def _arrow(self, lines: Sequence[Line]) -> Any:
        import pyarrow as pa

        rows = [{_name(title): value for title, value in as_data(line).items()} for line in lines]
        return pa.Table.from_pylist(rows, schema=self._schema())

    def _join(self, tables: Sequence[Any]) -> Any:
        import pyarrow as pa

        return pa.concat_tables(tables).combine_chunks()

    def _content(self) -> bytes:
        import pyarrow as pa

        buffer = io.BytesIO()
        with pa.ipc.new_file(buffer, self._schema()) as writer:
            for row in self._rows:
                writer.write_table(row)
        return buffer.getvalue()


def _table_of(line: Line) -> int:
    """Number of the table of a line, from 0."""
    return (int(line["frame"]) - 1) // ROWS


def _name(title: str) -> str:
    """A title as databases take it: without its unit, which the table's metadata have."""
    match = _UNIT.match(title)
    return re.sub(r"\W+", "_", match[1] if match else title)


# --- Answers given back while those of the next measurements are found, so that nobody waits for
# --- the server.

#: Seconds between two times that lines are given back, and where that takes long, so many times as long: one
#: request costs a server as much as many lines in it, and it has others to answer.
GATHER, REST = 0.5, 10.0
LONGEST = 3.0
#: Lines that wait at most (6 kB each), where the server takes them slower than they come.
MOST = 1000


class Behind:
    """A thread that gives lines back, with the `manner` of the ways."""

    def __init__(self, ways: Sequence[InMetadata | InTable], manner: Manner) -> None:
        self._ways, self._manner = ways, manner
        self._lines: list[Line] = []
        self._news = threading.Condition()
        self._done = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="sasnet-tiled-back", daemon=True)
        self._thread.start()

    def __enter__(self) -> Behind:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """Give what is left; SasnetError as the ways, unless the series has failed already."""
        with self._news:
            self._done = True
            self._news.notify_all()
        self._manner.ending.set()
        self._thread.join()
        if self._manner.watch and isinstance(self._error, TechnicalError):
            self._manner.tell(
                f"{self._error} The newest answers are written to the server when the"
                f" same command runs again."
            )
        elif kind is None or not issubclass(kind, SasnetError):
            self._check()

    @property
    def remaining(self) -> int:
        """Entries that keep another's answer."""
        return sum(way.left for way in self._ways if isinstance(way, InMetadata))

    def catch_up(self, earlier: Callable[[], Iterable[Line]]) -> None:
        """Give each way what it lacks before anything new; raises as they do."""
        for way in self._ways:
            way.catch_up(earlier)

    def give(self, lines: Sequence[Line]) -> None:
        """Give lines soon; raises as the ways did of lines before."""
        if not self._ways:
            return
        with self._news:
            self._news.wait_for(lambda: len(self._lines) < MOST or self._error is not None)
            self._lines += lines
            self._news.notify_all()
        self._check()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while lines := self._next():
                start_time = time.monotonic()
                for way in self._ways:
                    way.give(lines)
                rest = max(GATHER, REST * (time.monotonic() - start_time))
                with self._news:
                    self._news.wait_for(lambda: self._done, min(rest, LONGEST))
        except Exception as error:  # for who gives the next lines, and who waits for the last
            with self._news:
                self._error = error
                self._news.notify_all()

    def _next(self) -> list[Line]:
        """The lines that wait, at least one until the end."""
        with self._news:
            self._news.wait_for(lambda: bool(self._lines) or self._done)
            lines, self._lines = self._lines, []
            self._news.notify_all()
            return lines
