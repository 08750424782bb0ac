"""Answers written back to the server: into the metadata of what they are about, or as a table beside it.

The table of the series on this machine is what counts: lines are written there first, and what the server
lacks of the newest of them is made up for when a series goes on. What others have written is not touched
unasked.
"""

from __future__ import annotations

import io
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ...types import SasnetError, TechnicalError
from .address import Address, address_of
from .connection import NoEntryError, Server
from .nodes import PAGE, node_at, table
from .source import FIRST_PAUSE, LONGEST_PAUSE

Line = Mapping[str, str]
#: Key of an answer in metadata, and behind the name of a container that of its table.
KEY, BEHIND = "sasnet", "_sasnet"
_ARROW = "application/vnd.apache.arrow.file"
_PATCH = "application/json-patch+json"
_COUNTS = frozenset({"frame", "part", "change_from"})
_TEXTS = frozenset({"file", "entry", "note", "change", "group", "model", "class", "tags"})
_UNIT = re.compile(r"^(.*?) \[(.*)\]$")


def as_data(line: Line) -> dict[str, Any]:
    """A line of the table as data: numbers as numbers, and nothing where the cell is empty."""
    return {title: _value(title, cell) for title, cell in line.items() if cell}


def _value(title: str, cell: str) -> Any:
    return cell if title in _TEXTS else int(cell) if title in _COUNTS else float(cell)


def patiently(act: Callable[[], None], watch: bool, tell: Callable[[str], None]) -> None:
    """Do something with the server, again and again while it is away.

    Raises
    ------
    TechnicalError
        It is away, and one does not watch.
    """
    pause, gone = FIRST_PAUSE, ""
    while True:
        try:
            act()
        except TechnicalError as error:
            if not watch:
                raise
            if not gone:
                gone = error.name
                tell(f"{error} Waiting for it.")
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            continue
        if gone:
            tell(f"{gone}: the server answers again.")
        return


@dataclass
class InMetadata:
    """Answers in the metadata of their entries, under `KEY`.

    Parameters
    ----------
    series : str
        By which an answer is known as this series' own, and may be replaced.
    known : mapping
        Metadata of the newest entries by address, as they were listed; others are asked for.
    force : bool
        Replace answers of others, too.
    left : int
        Entries whose answer is another's and was left.
    """

    server: Server
    series: str
    known: Mapping[str, Mapping[str, Any]]
    watch: bool = False
    force: bool = False
    tell: Callable[[str], None] = print
    left: int = 0

    def catch_up(self, earlier: Callable[[], Iterable[Line]]) -> None:
        """Give the newest lines that their entries lack."""
        self.give(list(deque(earlier(), maxlen=PAGE)))

    def give(self, lines: Sequence[Line]) -> None:
        """Give each entry the answer of its newest line."""
        newest = {line["file"]: line for line in lines}
        for file, line in newest.items():
            patiently(lambda file=file, line=line: self._one(file, line), self.watch, self.tell)  # type: ignore[misc]

    def _one(self, file: str, line: Line) -> None:
        at = address_of(file)
        answer = {"series": self.series, **{k: v for k, v in as_data(line).items() if k != "file"}}
        try:
            there = self.known[file] if file in self.known else node_at(self.server, at).metadata
            before = there.get(KEY)
            own = isinstance(before, Mapping) and before.get("series") == self.series
            if before == answer:
                return
            if before is not None and not (own or self.force):
                self.left += 1
                return
            patch = [{"op": "add", "path": f"/{KEY}", "value": answer}]
            content = {"content-type": _PATCH, "metadata": patch, "specs": None, "access_tags": None}
            # Nothing is lost without a copy of metadata to which something was added.
            alone = {"drop_revision": "true"} if before is None or own else {}
            self.server.send("PATCH", "metadata", at, content, **alone)
        except NoEntryError:  # it was deleted meanwhile
            return


@dataclass
class InTable:
    """Answers as a table beside the container, a row a frame.

    Parameters
    ----------
    container : Address
        Of what is followed.
    titles : sequence of str
        Of the columns.
    force : bool
        Begin it anew, whosever it is.
    """

    server: Server
    series: str
    container: Address
    titles: Sequence[str]
    watch: bool = False
    force: bool = False
    tell: Callable[[str], None] = print
    # Number of the last frame that is in the server's table.
    _last: int = field(default=-1)

    @property
    def at(self) -> Address:
        """Of the table."""
        return self.container.parent.below(f"{self.container.name or 'root'}{BEHIND}")

    def catch_up(self, earlier: Callable[[], Iterable[Line]]) -> None:
        """Give the lines that the table lacks."""
        some: list[Line] = []
        for line in earlier():
            some.append(line)
            if len(some) == PAGE:
                self.give(some)
                some = []
        self.give(some)

    def give(self, lines: Sequence[Line]) -> None:
        """Give lines; those that the table has are passed over."""
        if lines:
            patiently(lambda: self._give(lines), self.watch, self.tell)

    def _give(self, lines: Sequence[Line]) -> None:
        if self._last < 0:
            self._last = self._opened()
        new = [line for line in lines if int(line["frame"]) > self._last]
        if not new:
            return
        last, self._last = int(new[-1]["frame"]), -1
        # Should the answer to this be lost on its way, the table is asked what it holds.
        self.server.append("table/partition", self.at, self._arrow(new), _ARROW, partition=0)
        self._last = last

    def _opened(self) -> int:
        """Number of the last frame in the table, made where there is none."""
        try:
            there = node_at(self.server, self.at)
        except NoEntryError:
            self._make()
            return 0
        own = there.metadata.get("series") == self.series
        if not own and not self.force:
            raise SasnetError(
                f"{self.at}: is there already and holds other answers; remove it, or repeat the command with"
                " --force to do so."
            )
        if self.force:
            # Once: from then on it is what this run has written.
            self.force = False
            self.server.send("DELETE", "metadata", self.at, None, recursive="true", external_only="false")
            self._make()
            return 0
        frames = table(self.server, there, column="frame").get("frame", ())
        return int(max(frames, default=0))

    def _make(self) -> None:
        from tiled.structures.table import TableStructure

        structure = TableStructure.from_schema(self._schema(), 1)
        source = {
            "structure_family": "table", "structure": asdict(structure),
            "mimetype": "application/x-tiled-sql-table",
        }  # fmt: skip
        units = {_name(title): found[2] for title in self.titles if (found := _UNIT.match(title))}
        content = {
            "id": self.at.name, "structure_family": "table", "data_sources": [source], "specs": [],
            "metadata": {"series": self.series, "of": str(self.container), "units": units},
        }  # fmt: skip
        self.server.send("POST", "metadata", self.at.parent, content)

    def _schema(self) -> Any:
        import pyarrow as pa

        kinds = {True: pa.string(), False: pa.float64()}
        return pa.schema(
            [(_name(one), pa.int64() if one in _COUNTS else kinds[one in _TEXTS]) for one in self.titles]
        )

    def _arrow(self, lines: Sequence[Line]) -> bytes:
        import pyarrow as pa

        rows = [{_name(title): value for title, value in as_data(line).items()} for line in lines]
        held = io.BytesIO()
        found = pa.Table.from_pylist(rows, schema=self._schema())
        with pa.ipc.new_file(held, found.schema) as writer:
            writer.write_table(found)
        return held.getvalue()


def _name(title: str) -> str:
    """A title as databases take it: without its unit, which the table's metadata have."""
    found = _UNIT.match(title)
    return re.sub(r"\W+", "_", found[1] if found else title)
