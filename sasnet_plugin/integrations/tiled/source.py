"""Entries of a container as they are made: each measurement once, in their order, over cuts and restarts.

The container itself is the only source: its entries are listed from the first that has no answer on, in the
order in which they were made. What a stream of the server says only shortens the wait (`bell`).
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...batch.live.run import WAITING, Arrived, Waiting, key_of
from ...data.clean import cut_to_q_range
from ...domains import ReadOptions
from ...types import Curve, DataError, SasnetError, TechnicalError
from .connection import Address, Bell, Server, address_of
from .nodes import (
    PAGE,
    Entry,
    Node,
    ask_ahead,
    entry_of,
    is_place,
    node_at,
    open_node,
    open_with_metadata,
    page_of,
    read,
)

#: Entries of which only the names are asked for at once.
NAMES = 300
#: Entries without an answer that are looked at again, and seconds to the first look and at most between two.
REMEMBERED, LOOK_AGAIN, SELDOM = 64, 5.0, 300.0
#: Seconds between two tries to reach a server that is away, the first and the longest.
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 2.0
#: Where the server rings: seconds between two looks, least (each costs it as much as to read an entry), and
#: so many times as long as its answer takes, as then it has much to do; and most.
LEAST, TIMES, QUIET = 0.4, 5.0, 2.0
#: Entries whose numbers are on their way while those before are answered.
AHEAD = 8


@dataclass
class TiledSource:
    """The measurements of an address: of a container's entries, or of an array that grows."""

    server: Server
    address: Address  #: Of a container, or of one measurement.
    domain: str | None  #: Of all entries; None asks their metadata.
    options: ReadOptions
    kind: str  #: Domain that is followed; of an entry of another it is said so.
    window: tuple[float, float] | None = None  #: Of curves only q within it, Å⁻¹.
    watch: bool = False  #: More is to come.
    tell: Callable[[str], None] = print  #: Told when the server goes and comes.
    waiting: Waiting = WAITING
    #: Measurements that have their answer, by `key_of` their entry.
    answered: dict[int, int] = field(default_factory=dict)
    #: Entries of which it was said that they hold no measurement.
    failed: set[int] = field(default_factory=set)
    #: Of the newest entries, by address: an answer may be in them already.
    metadata: OrderedDict[str, Mapping[str, Any]] = field(default_factory=OrderedDict)
    _root: Node | None = None
    # Metadata of all that lies above the entries.
    _above: dict[str, Any] = field(default_factory=dict)
    _bell: Bell | None = None
    # Entries from the container's first that are done with, and the name of the last of them.
    _done: int = 0
    _last: str = ""
    _first_seen: dict[str, float] = field(default_factory=dict)
    _as_it_was: dict[str, tuple[float, object]] = field(default_factory=dict)
    # Entries without an answer: when they are looked at again, and the pause after that.
    _again: OrderedDict[Address, tuple[float, float]] = field(default_factory=OrderedDict)
    _blocked: bool = False
    _looked: float = 0.0
    _gone: float = 0.0
    _took: float = 0.0
    _pause: float = FIRST_PAUSE

    def remember(self, file: str, part: int) -> None:
        """Take a measurement for answered; part 0: it was said that the entry holds none."""
        key = key_of(file)
        self.answered[key] = max(self.answered.get(key, 0), part)
        if part == 0:
            self.failed.add(key)
            self._look_again(address_of(file), 0.0, LOOK_AGAIN)

    def look(self) -> Iterator[Arrived]:
        """Return what has arrived; nothing while the server is away. Raises SasnetError without container or
        permission, and unless `watch` if the server is away.
        """
        if time.monotonic() < self._gone:
            return
        # While an entry is waited for, those behind it may still change.
        ahead, self._blocked = 0 if self._blocked else AHEAD, False
        self.server.forget()
        self._pass_over_the_pause()
        try:
            root = self._open_root()
            if is_place(root):
                yield from self._read_place(root, ahead)
                yield from self._try_again()
            else:
                yield from self._read_entry(root, self._above)
        except TechnicalError as error:
            if not self.watch:
                raise
            self._cut(error)
            return
        self._back()

    def wait(self, seconds: float) -> None:
        """Wait for more, no longer than that; where the server can be heard, until it rings."""
        if self._bell is None or not self._bell.heard:
            time.sleep(seconds)
            return
        time.sleep(LEAST if self._blocked else min(max(LEAST, TIMES * self._took), QUIET))
        if not self._blocked:
            self._bell.wait(QUIET)

    def read(self, file: str, start: int) -> Iterator[Any]:
        """Measurements of an entry from a number on; raises as `measured.read`."""
        node = node_at(self.server, address_of(file))
        self._open_root()
        entry = entry_of(self.server, node, self.domain, self._above)
        yield from map(self._apply_q_range, read(self.server, entry, self.options, start))

    def _apply_q_range(self, measurement: Any) -> Any:
        if self.window is None or not isinstance(measurement, Curve):
            return measurement
        try:
            return cut_to_q_range(measurement, *self.window)
        except SasnetError as error:
            return error

    def close(self) -> None:
        if self._bell is not None:
            self._bell.close()

    def _open_root(self) -> Node:
        """What the address stands for; what is no place for entries is asked again, as it may have grown."""
        if self._root is None:
            self._root, self._above = open_with_metadata(self.server, self.address, self.domain)
        elif not is_place(self._root):
            self._root = open_node(self.server, self.address, self.domain)
        if self.watch and self._bell is None and is_place(self._root):
            self._bell = Bell(self.address, self.server.key)
        return self._root

    def _cut(self, error: TechnicalError) -> None:
        if not self._gone:
            self.tell(f"{error} Waiting for it.")
        self._gone = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _back(self) -> None:
        if self._gone:
            self.tell(f"{self.address}: the server answers again.")
        self._gone, self._pause = 0.0, FIRST_PAUSE
        self._looked = time.monotonic()

    def _pass_over_the_pause(self) -> None:
        """Who writes an entry may have been cut off as long as we were: that time does not count."""
        current_time = time.monotonic()
        if self._looked and current_time - self._looked > self.waiting.patience:
            self._first_seen = {
                address: since + current_time - self._looked for address, since in self._first_seen.items()
            }
        self._looked = current_time

    def _read_place(self, root: Node, ahead: int) -> Iterator[Arrived]:
        """Return a container's new measurements from the first unfinished one, `ahead` sizes at once."""
        if not self._last and self.answered:
            self._find_the_place(root)
        has_more = True
        while has_more:
            start_time = time.monotonic()
            page = page_of(self.server, root.address, max(self._done - 1, 0), PAGE)
            self._took = time.monotonic() - start_time
            nodes, has_more = page.nodes, page.more
            if self._last:
                if not nodes or nodes[0].address.name != self._last:
                    # Entries were deleted, or one has come into sight late.
                    self._find_the_place(root)
                    has_more = True
                    continue
                nodes = nodes[1:]
            for number, node in enumerate(nodes):
                if key_of(str(node.address)) not in self.answered:
                    self._ask_ahead(nodes[number : number + ahead])
                    yield from self._read_entry(node, self._above)
                    if self._blocked:
                        return
                self._done, self._last = self._done + 1, node.address.name

    def _ask_ahead(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            if key_of(str(node.address)) not in self.answered:
                ask_ahead(self.server, node)

    def _find_the_place(self, root: Node) -> None:
        """Pass over all entries from the first on that are answered."""
        self._done, self._last = 0, ""
        has_more = not self._pass_answered(root)
        while has_more:
            page = page_of(self.server, root.address, self._done, NAMES, names_only=True)
            has_more = page.more
            for node in page.nodes:
                if key_of(str(node.address)) not in self.answered:
                    return
                self._done, self._last = self._done + 1, node.address.name

    def _pass_answered(self, root: Node) -> bool:
        """Pass over all that is answered at once, if these are the first entries without a gap."""
        # Where an entry was deleted or has come into sight late, the last of as many as have an answer has
        # none, or the next has one; where two such cancel, the late one is looked for among the newest alone.
        count = len(self.answered)
        newest = min(count, NAMES - 1)
        page = page_of(self.server, root.address, count - newest, NAMES, names_only=True)
        is_answered = [key_of(str(node.address)) in self.answered for node in page.nodes]
        if not newest or is_answered[:newest] != [True] * newest or any(is_answered[newest:]):
            return False
        self._done, self._last = count, page.nodes[newest - 1].address.name
        return True

    def _read_entry(self, node: Node, inherited: Mapping[str, Any]) -> Iterator[Arrived]:
        """New measurements of an entry; blocked at its end where it and those behind it have to wait."""
        file = str(node.address)
        key = key_of(file)
        try:
            entry = entry_of(self.server, node, self.domain, inherited)
            self._see_its_kind(entry)
            self._blocked = not self._stands_still(entry)
            if self._blocked:
                return
            part = self.answered.get(key, 0)
            for measurement in read(self.server, entry, self.options, part, whole=not self._young(file)):
                if isinstance(measurement, SasnetError) and (entry.parts == 1 or self._young(file)):
                    raise measurement
                part += 1
                self.answered[key] = part
                self._keep(file, node.metadata)
                yield Arrived(file, part, self._apply_q_range(measurement))
        except TechnicalError:
            raise
        except SasnetError as error:
            self._blocked = self._young(file)
            if self._blocked:
                return
            yield from self._handle_failure(file, key, error)
        self._first_seen.pop(file, None)
        self._as_it_was.pop(file, None)

    def _handle_failure(self, file: str, key: int, error: SasnetError) -> Iterator[Arrived]:
        address = address_of(file)
        if address not in self._again:
            self._look_again(address, LOOK_AGAIN, 2 * LOOK_AGAIN)
        if key not in self.failed and not self.answered.get(key):
            self.failed.add(key)
            self.answered.setdefault(key, 0)
            yield Arrived(file, 0, error)

    def _see_its_kind(self, entry: Entry) -> None:
        if entry.domain.name != self.kind:
            raise DataError(
                f"{entry.node.address}: it holds {entry.domain.title}; follow these with a separate"
                f" command and --domain {entry.domain.name}."
            )

    def _stands_still(self, entry: Entry) -> bool:
        """Whether a data set to which arrays may still be added has been as it is for a while."""
        if not self.watch or entry.complete:
            return True
        file, current_time = str(entry.node.address), time.monotonic()
        shapes = tuple((child.address.name, child.shape) for child in entry.children)
        since, previous = self._as_it_was.get(file, (current_time, None))
        if previous != shapes:
            self._as_it_was[file] = since, _ = current_time, shapes
        return current_time - since >= self.waiting.still or not self._young(file)

    def _young(self, file: str) -> bool:
        current_time = time.monotonic()
        return (
            self.watch
            and current_time - self._first_seen.setdefault(file, current_time) < self.waiting.patience
        )

    def _try_again(self) -> Iterator[Arrived]:
        """Entries that had no answer, some seconds later: their writer may have come back."""
        current_time = time.monotonic()
        due = (
            [address for address, (when, _) in self._again.items() if when <= current_time]
            if self.watch
            else []
        )
        for address in due:
            _, pause = self._again[address]
            self._look_again(address, pause, min(2 * pause, SELDOM))
            self._first_seen[str(address)] = -math.inf
            try:
                yield from self._read_entry(node_at(self.server, address), self._above)
            except TechnicalError:
                raise
            except SasnetError:  # it is gone
                del self._again[address]
                continue
            if self.answered.get(key_of(str(address))):
                del self._again[address]

    def _look_again(self, address: Address, wait: float, pause: float) -> None:
        self._again[address] = time.monotonic() + wait, pause
        while len(self._again) > REMEMBERED:
            self._again.popitem(last=False)

    def _keep(self, file: str, metadata: Mapping[str, Any]) -> None:
        self.metadata[file] = metadata
        while len(self.metadata) > 2 * PAGE:
            self.metadata.popitem(last=False)
