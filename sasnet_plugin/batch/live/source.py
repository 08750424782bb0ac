"""Curves as they arrive in files that come and grow: each once, in their order, whoever writes them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from ...types import Curve, SasnetError
from ..journal import natural

#: From a file and a number of curves to pass over to those after them, in their order.
Read = Callable[[str, int], Iterator[Curve | Exception]]


@dataclass(frozen=True)
class Waiting:
    """How long a file is waited for, s."""

    still: float = 0.4  #: A file has to stand still so long before its last curve is taken for whole.
    #: A file that cannot be read, and those behind it in the order, wait so long for its writer.
    patience: float = 5.0


WAITING = Waiting()


@dataclass(frozen=True)
class Arrived:
    """A curve that is to be answered, or why there is none."""

    file: str  #: Absolute.
    part: int  #: Its number among the curves of the file, from 1; 0 where the file cannot be read at all.
    one: Curve | Exception


def key_of(file: str) -> int:
    """A file by a number: a million names would take more room than a million numbers."""
    return int.from_bytes(blake2b(os.fsencode(file), digest_size=8).digest(), "big")


@dataclass
class _Stamp:
    """A file as it was at the last look: size, time of change, since when it is so, nothing left to take."""

    size: int
    changed: int
    since: float
    done: bool = False


@dataclass
class Source:
    """Files that are looked at again and again."""

    #: The files that there are now; what is no file is a sentence.
    listed: Callable[[], Iterable[str | SasnetError]]
    read: Read
    #: Curves that have their answer, by `key_of` their file; goes on with what is taken here.
    answered: dict[int, int] = field(default_factory=dict)
    watch: bool = False  #: Files may still be written; else all are whole.
    waiting: Waiting = WAITING
    #: Files of which it was said that they cannot be read; they are tried again, and not said again.
    failed: set[int] = field(default_factory=set)
    _stamps: dict[int, _Stamp] = field(default_factory=dict)

    def remember(self, file: str, part: int) -> None:
        """Take a curve for answered; part 0: it was said that the file cannot be read."""
        key = key_of(file)
        if part == 0:
            self.failed.add(key)
        self.answered[key] = max(self.answered.get(key, 0), part)

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def look(self) -> Iterator[Arrived]:
        for file in self._files():
            if isinstance(file, SasnetError):
                if not self.watch:
                    yield Arrived(str(file).partition(":")[0], 0, file)
                continue
            blocked = False
            for arrival in self._read_new_curves(file):
                if arrival is None:
                    blocked = True
                else:
                    yield arrival
            if blocked:
                return

    def _files(self) -> list[str | SasnetError]:
        complaints: list[str | SasnetError] = []
        names: dict[str, None] = {}
        for path in self.listed():
            if not isinstance(path, str):
                complaints.append(path)
            elif not path.endswith(".toml"):
                names[os.path.abspath(path)] = None
        return [*complaints, *sorted(names, key=natural)]

    def _read_new_curves(self, file: str) -> Iterator[Arrived | None]:
        """New curves of a file; None at the end where those behind it have to wait."""
        key, current_time = key_of(file), time.time()
        try:
            stat = os.stat(file)
        except OSError as error:
            if not self.watch:
                yield Arrived(file, 0, SasnetError(f"{file}: cannot be read ({error.strerror}); check it."))
            return
        earlier_stamp = self._stamps.get(key)
        if earlier_stamp is None or (earlier_stamp.size, earlier_stamp.changed) != (
            stat.st_size,
            stat.st_mtime_ns,
        ):
            # A clock that is ahead of the disk's must not make a file look old.
            since = min(current_time, stat.st_mtime) if earlier_stamp is None else current_time
            self._stamps[key] = stamp = _Stamp(stat.st_size, stat.st_mtime_ns, since)
            grows = earlier_stamp is not None
        else:
            stamp, grows = earlier_stamp, False
        if stamp.done:
            return
        whole = not self.watch or current_time - stamp.since >= self.waiting.still
        young = self.watch and current_time - stamp.since < self.waiting.patience
        if whole or grows:
            yield from self._take_curves(file, key, stamp, whole, young)
        else:
            yield None

    def _take_curves(
        self, file: str, key: int, stamp: _Stamp, whole: bool, young: bool
    ) -> Iterator[Arrived | None]:
        """Curves of a file that can be taken now; the last one only of a file that is whole."""
        waiting_arrival: Arrived | None = None
        part = self.answered.get(key, 0)
        try:
            for curve in self.read(file, part):
                if waiting_arrival is not None:
                    yield self._mark_answered(key, waiting_arrival)
                part += 1
                waiting_arrival = Arrived(file, part, curve)
        except Exception as error:  # whatever is wrong with a file, the others come
            if young or not whole:
                yield None
                return
            stamp.done = True
            if waiting_arrival is not None:
                yield self._mark_answered(key, waiting_arrival)
            elif not self.answered.get(key) and key not in self.failed:
                self.failed.add(key)
                yield Arrived(file, 0, error)
            return
        if not whole:
            yield None
            return
        stamp.done = True
        if waiting_arrival is not None:
            yield self._mark_answered(key, waiting_arrival)

    def _mark_answered(self, key: int, arrival: Arrived) -> Arrived:
        """Count a curve as answered from now on and return it."""
        self.answered[key] = arrival.part
        return arrival
