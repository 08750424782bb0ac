"""Curves as they arrive in files that come and grow: each once, in their order, whoever writes them."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Protocol
from zipfile import BadZipFile

from ...data.frames import EmptyFrameError, is_being_written
from ...data.limits import sentence_of
from ...files import put_whole
from ...predict import Answer, Predictor
from ...predict.predictor import Elsewhere
from ...types import Curve, DataError, SasnetError
from ..journal import natural
from .line import text
from .states import Changed, States, states_of
from .table import Line, Table

# --- Curves as they arrive in files that come and grow: each once, in their order, whoever writes
# --- them.

#: From a file and a number of curves to pass over to those after them, in their order.
Read = Callable[[str, int], Iterator[Curve | Exception]]


@dataclass(frozen=True)
class Waiting:
    """How long a file is waited for, s."""

    still: float = 0.4  #: A file has to stand still so long before its last curve is taken for whole.
    #: A file that cannot be read, and those behind it in the order, wait so long for its writer.
    patience: float = 5.0
    #: Frames without values are waited for so long while their writer has the file open, else `patience`.
    abandoned: float = 600.0


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


def _lacks_values(arrival: Arrived) -> bool:
    """Whether a frame has no values in its file yet, or none of the uncertainties that it has room for."""
    curve = arrival.one
    return isinstance(curve, EmptyFrameError) or (isinstance(curve, Curve) and curve.replaced == len(curve))


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
        """Curves of a file that can be taken now; the last one with values only of a file that is whole."""
        part = self.answered.get(key, 0)
        # The last curve with values, and frames behind it that have none.
        held: list[Arrived] = []
        try:
            for curve in self.read(file, part):
                if not isinstance(curve, EmptyFrameError):
                    # Frames are written in their order: those before one with values stay as they are.
                    yield from (self._mark_answered(key, arrival) for arrival in held)
                    held = []
                part += 1
                held.append(Arrived(file, part, curve))
        except Exception as error:  # whatever is wrong with a file, the others come
            if young or not whole:
                yield None
                return
            stamp.done = True
            if held:
                yield from (self._mark_answered(key, arrival) for arrival in held)
            elif not self.answered.get(key) and key not in self.failed:
                self.failed.add(key)
                yield Arrived(file, 0, error)
            return
        if not whole:
            yield None
            return
        still = time.time() - stamp.since if self.watch else math.inf
        is_open = any(map(_lacks_values, held)) and still < self.waiting.abandoned and is_being_written(file)
        if held and not isinstance(held[0].one, EmptyFrameError) and not (is_open and _lacks_values(held[0])):
            yield self._mark_answered(key, held.pop(0))
        if held and (is_open or still < self.waiting.patience):
            yield None
            return
        stamp.done = True
        if held and key not in self.failed:
            # No line of their own: they are read when the file changes, and by the next command.
            self.failed.add(key)
            first, last = held[0].part, held[-1].part
            frames = f"frame {first} holds" if first == last else f"frames {first} to {last} hold"
            yield Arrived(file, 0, DataError(f"{file}: {frames} no values yet; give the same command later."))

    def _mark_answered(self, key: int, arrival: Arrived) -> Arrived:
        """Count a curve as answered from now on and return it."""
        self.answered[key] = arrival.part
        return arrival


# --- Follow curves: look, answer what has arrived, write its lines, keep where one is; again, until
# --- it ends.

#: Curves that are answered together: enough that the network is not asked for each alone.
TOGETHER = 16
#: Seconds between two looks; where a look takes long, so many times as long.
POLL, REST = 0.2, 4.0
#: Seconds between two times that pictures and copies of the table are made, and the share of time for them.
EVERY, SHARE = 2.0, 0.1
#: Seconds between two times that the state is kept: it costs as much as the answer to a curve.
KEEP = 1.0
#: Lines after the kept state that are read again when a series goes on; before more of them the state is new.
_AGAIN = 200


def state_path(table: Path) -> Path:
    return table.with_name(table.name + ".state")


class Arrivals(Protocol):
    """Where measurements come from: files, or a server."""

    def remember(self, file: str, part: int) -> None:
        """Take a measurement for answered; part 0: it was said that the file cannot be read."""

    def look(self) -> Iterator[Arrived]:
        """What has arrived since the last look."""

    def read(self, file: str, start: int) -> Iterator[Any]:
        """Measurements of a file from a number on."""

    def wait(self, seconds: float) -> None:
        """Wait for more, no longer than that."""


class Lines(Protocol):
    """What a line of the table says of a measurement."""

    #: Measurements that are answered together.
    together: ClassVar[int]

    def titles(self) -> list[str]:
        """Titles of all columns, those of `line.HEAD` first."""

    def cells(self, measurement: Any, answer: Answer | None) -> list[str]:
        """The cells after those of `line.HEAD`; without an answer they are empty."""


class Back(Protocol):
    """Where answers go besides the table: back to where the measurements came from."""

    def catch_up(self, earlier: Callable[[], Iterable[Line]]) -> None:
        """Give what is missing of the lines of an earlier run, as often as they are asked for."""

    def give(self, lines: Sequence[Line]) -> None:
        """Give lines that are in the table, now or soon; without any, say what has gone wrong since."""


@dataclass
class Follower:
    """A series that is followed into its table."""

    source: Arrivals
    table: Table
    predictor: Predictor | Elsewhere  #: Of the kind of measurement.
    lines: Lines
    interval: float = 1.0  #: Time between two frames.
    tell: Callable[[str], None] = print  #: Told of changes, in sentences.
    back: Back | None = None
    changes_sought: bool = True  #: Say where the series changes: of curves.
    together: int = field(default_factory=lambda: TOGETHER)  #: Measurements that are answered together.
    failures: int = 0
    frames: int = 0
    changes: list[str] = field(default_factory=list)
    states: States | None = None
    # When the state was kept, and after which frame.
    _kept_at: float = -math.inf
    _kept: int = 0

    def resume(self) -> int:
        """Go on after what the table holds; how many frames that are."""
        self.states = self._earlier_states() if self.changes_sought else None
        late = self._count_lines(getattr(self.states, "number", math.inf))
        if len(late) > _AGAIN:
            self.states = States(self._predict_outcomes)
        elif late:
            self._again(late)
        if self.back is not None and self.frames:
            self.back.catch_up(self.table.earlier)
        return self.frames

    def _earlier_states(self) -> States:
        try:
            return states_of(state_path(self.table.path).read_bytes(), self._predict_outcomes)
        except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, BadZipFile):
            return States(self._predict_outcomes)

    def _again(self, late: Iterable[Line]) -> None:
        """Curves that have their line but were not in the kept state: it takes them as if never stopped."""
        assert self.states is not None
        for line in late:
            try:
                curve = next(self.source.read(line["file"], int(line["part"]) - 1), None)
            except Exception:
                continue
            if isinstance(curve, Curve) and not line["note"]:
                self.states.add(int(line["frame"]), curve)

    def _predict_outcomes(self, curves: Sequence[Curve]) -> Sequence[Any]:
        return self.predictor.outcomes(curves)

    def look(self) -> int:
        """Answer what has arrived; how many curves that were."""
        count, arrived = 0, iter(self.source.look())
        while batch := list(islice(arrived, self.together)):
            self._answer(batch)
            count += len(batch)
        if not count and self.back is not None:
            self.back.give(())
        return count

    def _count_lines(self, reached: float) -> list[Line]:
        """Count the table's lines; the last of those behind the frame that was reached."""
        late: list[Line] = []
        for line in self.table.earlier():
            self.frames += 1
            self.failures += bool(line["note"])
            if line["change"]:
                self.changes.append(line["change"])
            self.source.remember(line["file"], int(line["part"]))
            if int(line["frame"]) > reached:
                late = [*late, line][-_AGAIN - 1 :]
        return late

    def _outcomes(self, arrived: Sequence[Arrived]) -> Iterator[tuple[Arrived, Any]]:
        measured = [arrival.one for arrival in arrived if not isinstance(arrival.one, Exception)]
        answers = iter(self.predictor.outcomes(measured) if measured else ())
        for arrival in arrived:
            yield arrival, arrival.one if isinstance(arrival.one, Exception) else next(answers)

    def _answer(self, arrived: Sequence[Arrived]) -> None:
        lines, notes = [], []
        for arrival, outcome in self._outcomes(arrived):
            line, note = self._line(arrival, outcome)
            lines.append(line)
            notes.append(note)
        self.table.add(lines, notes)
        if time.monotonic() - self._kept_at > KEEP:
            self.keep()
        if self.back is not None:
            self.back.give([dict(zip(self.lines.titles(), line, strict=True)) for line in lines])

    def keep(self) -> None:
        """Keep the state of the series; curves after it are read again should this process be killed."""
        if self.states is not None and self.frames > self._kept and not self.table.is_unchanged:
            put_whole(state_path(self.table.path), self.states.as_bytes(), "state of the series")
            self._kept_at, self._kept = time.monotonic(), self.frames

    def _line(self, arrival: Arrived, outcome: Any) -> tuple[list[str], str]:
        self.frames += 1
        if isinstance(outcome, Exception):
            self.failures += 1
            note = _sentence(arrival.file, outcome)
            return [*self._head(arrival, "", note, None), *self.lines.cells(arrival.one, None)], note
        cells = self.lines.cells(arrival.one, outcome)
        changed = None if self.states is None else self._detect_change(arrival.one, self.states)
        return [*self._head(arrival, text(outcome.in_scope), "", changed), *cells], ""

    def _detect_change(self, curve: Any, states: States) -> Changed | None:
        changed = states.add(self.frames, curve)
        if changed is not None:
            self.changes.append(changed.sentence)
            self.tell(changed.sentence)
        return changed

    def _head(self, arrival: Arrived, scope: str, note: str, changed: Changed | None) -> list[str]:
        time_of = text((self.frames - 1) * self.interval)
        entry = str(getattr(arrival.one, "entry", ""))
        change = ("", "") if changed is None else (str(changed.change.first), changed.sentence)
        return [str(self.frames), arrival.file, entry, str(arrival.part), time_of, scope, note, *change]


def run(
    follower: Follower,
    *,
    watch: bool,
    quiet_for: float | None,
    update: Callable[[], None] | None = None,
    poll: float = POLL,
) -> None:
    """Follow a series until nothing more is expected: once, or with `watch` until `quiet_for` seconds bring
    no new curve (None: for ever). `update` draws pictures and copies the table from time to time and at the
    end.
    """
    came, pictures = time.monotonic(), _Pictures(update)
    try:
        while True:
            start_time = time.monotonic()
            count = follower.look()
            current_time = time.monotonic()
            came = current_time if count else came
            pictures.update(bool(count), current_time)
            ends = not watch or _is_over(quiet_for, current_time - came)
            if ends or not count:
                follower.keep()
            if ends:
                return
            follower.source.wait(
                max(poll, min(REST * (current_time - start_time), 10.0)) if not count else poll / 4
            )
    finally:
        if update is not None and follower.frames:
            update()


def _is_over(quiet_for: float | None, quiet: float) -> bool:
    return quiet_for is not None and quiet > quiet_for


@dataclass
class _Pictures:
    """Pictures and copies, made anew from time to time, so that they take a small share of it."""

    make: Callable[[], None] | None
    made: float = -1e9
    cost: float = 0.0
    pending: bool = True

    def update(self, news: bool, current_time: float) -> None:
        """Make them where there is news and the last ones are old enough."""
        self.pending |= news
        if (
            self.make is not None
            and self.pending
            and current_time - self.made > max(EVERY, self.cost / SHARE)
        ):
            self.make()
            self.made, self.pending = time.monotonic(), False
            self.cost = self.made - current_time


def arriving(source: Arrivals, *, watch: bool, quiet_for: float | None) -> Iterator[Arrived]:
    """Yield what arrives, in order, until nothing more is expected or Ctrl-C; arguments as for `run`."""
    came = time.monotonic()
    try:
        while True:
            for arrival in source.look():
                came = time.monotonic()
                yield arrival
            if not watch or _is_over(quiet_for, time.monotonic() - came):
                return
            source.wait(POLL)
    except KeyboardInterrupt:
        if not watch:
            raise


def _sentence(file: str, error: Exception) -> str:
    return str(error) if isinstance(error, SasnetError) else sentence_of(file, error)
