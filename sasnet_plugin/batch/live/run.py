"""Follow curves: look, answer what has arrived, write its lines, keep where one is; again, until it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from ...files import put_whole
from ...types import Curve, SasnetError
from .fitted import Fitted
from .line import Said, cells, said, text
from .source import Arrived, Source, key_of
from .states import Changed, States, states_of
from .table import Line, Table

if TYPE_CHECKING:
    from ...predict import Predictor
    from ...predict.elsewhere import Elsewhere

#: Curves that are answered together: enough that the network is not asked for each alone.
TOGETHER = 16
#: Seconds between two looks; where a look takes long, so many times as long.
POLL, REST = 0.2, 4.0
#: Seconds between two times that pictures and copies of the table are made, and the share of time for them.
EVERY, SHARE = 2.0, 0.1
#: Lines after the kept state that are read again when a series goes on; before more of them the state is new.
_AGAIN = 200


def state_path(table: Path) -> Path:
    """Where the state of a series is kept, beside its table."""
    return table.with_name(table.name + ".state")


@dataclass
class Follower:
    """A series that is followed into its table.

    Parameters
    ----------
    predictor : Predictor or Elsewhere
        Of curves.
    interval : float
        Time between two frames.
    fitted : Fitted or None
        A model that is fitted to each curve.
    parameters : sequence of (name, unit)
        Of that model.
    tell : callable
        Told of changes, in sentences.
    """

    source: Source
    table: Table
    predictor: Predictor | Elsewhere
    groups: Sequence[str]
    interval: float = 1.0
    fitted: Fitted | None = None
    parameters: Sequence[tuple[str, str]] = ()
    tell: Callable[[str], None] = print
    failures: int = 0
    frames: int = 0
    changes: list[str] = field(default_factory=list)
    states: States | None = None

    def resume(self) -> int:
        """Go on after what the table holds; how many frames that are."""
        late: list[Line] = []
        self.states = self._kept()
        for line in self.table.earlier():
            self.frames += 1
            self.failures += bool(line["note"])
            if line["change"]:
                self.changes.append(line["change"])
            key, part = key_of(line["file"]), int(line["part"])
            if part == 0:
                self.source.failed.add(key)
            self.source.answered[key] = max(self.source.answered.get(key, 0), part)
            if int(line["frame"]) > self.states.number:
                late = [*late, line][-_AGAIN - 1 :]
        if len(late) > _AGAIN:
            self.states = States(self._asked)
        elif late:
            self._again(late)
        return self.frames

    def _kept(self) -> States:
        try:
            return states_of(state_path(self.table.path).read_bytes(), self._asked)
        except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, BadZipFile):
            return States(self._asked)

    def _again(self, late: Iterable[Line]) -> None:
        """Curves that have their line but were not in the kept state: it takes them as if never stopped."""
        assert self.states is not None
        for line in late:
            try:
                one = next(self.source.read(line["file"], int(line["part"]) - 1), None)
            except Exception:
                continue
            if isinstance(one, Curve) and not line["note"]:
                self.states.add(int(line["frame"]), one)

    def _asked(self, curves: Sequence[Curve]) -> Sequence[Any]:
        return self.predictor.outcomes(curves)

    def look(self) -> int:
        """Answer what has arrived; how many curves that were."""
        count = 0
        for some in _batches(self.source.look(), TOGETHER):
            self._answer(some)
            count += len(some)
        return count

    def _answer(self, arrived: Sequence[Arrived]) -> None:
        curves = [one.one for one in arrived if isinstance(one.one, Curve)]
        answers = iter(self.predictor.outcomes(curves) if curves else ())
        lines, notes = [], []
        for one in arrived:
            self.frames += 1
            answer = next(answers) if isinstance(one.one, Curve) else one.one
            about, note, fit, changed = None, "", None, None
            if isinstance(answer, Exception):
                note = _sentence(one.file, answer)
            else:
                about = said(answer)
            if isinstance(one.one, Curve) and about is not None:
                fit = self.fitted.fit(one.one) if self.fitted is not None else None
                changed = self._changed(one.one)
            lines.append(self._line(one, about, note, fit, changed))
            notes.append(note)
            self.failures += bool(note)
        self.table.add(lines, notes)
        if self.states is not None and not self.table.unchanged:
            put_whole(state_path(self.table.path), self.states.as_bytes(), "state of the series")

    def _changed(self, curve: Curve) -> Changed | None:
        assert self.states is not None
        changed = self.states.add(self.frames, curve)
        if changed is not None:
            self.changes.append(changed.sentence)
            self.tell(changed.sentence)
        return changed

    def _line(
        self,
        one: Arrived,
        about: Said | None,
        note: str,
        fit: dict[str, tuple[float, float]] | None,
        changed: Changed | None,
    ) -> list[str]:
        time_of = text((self.frames - 1) * self.interval)
        scope = "" if about is None else text(about.in_scope)
        entry = one.one.entry if isinstance(one.one, Curve) else ""
        change = ("", "") if changed is None else (str(changed.change.first), changed.sentence)
        head = [str(self.frames), one.file, entry, str(one.part), time_of, scope, note, *change]
        return [*head, *cells(about, self.groups, self.parameters, fit)]


def run(
    follower: Follower,
    *,
    watch: bool,
    quiet_for: float | None,
    shown: Callable[[], None] | None = None,
    poll: float = POLL,
) -> None:
    """Follow until nothing more is to come.

    Parameters
    ----------
    watch : bool
        Wait for more; else look once.
    quiet_for : float or None
        Seconds without a new curve after which it ends; None waits for ever.
    shown : callable or None
        Makes pictures and copies of the table, from time to time and at the end.
    """
    came, made, cost = time.monotonic(), -1e9, 0.0
    pending = True
    try:
        while True:
            began = time.monotonic()
            count = follower.look()
            now = time.monotonic()
            if count:
                came, pending = now, True
            if pending and shown is not None and now - made > max(EVERY, cost / SHARE):
                shown()
                made, pending = time.monotonic(), False
                cost = made - now
            if not watch or (quiet_for is not None and now - came > quiet_for):
                return
            time.sleep(max(poll, min(REST * (now - began), 10.0)) if not count else poll / 4)
    finally:
        if shown is not None and follower.frames:
            shown()


def arriving(
    source: Source, *, watch: bool, quiet_for: float | None, poll: float = POLL
) -> Iterator[Arrived]:
    """What arrives, one after the other, until nothing more is to come or Ctrl-C.

    Parameters
    ----------
    watch, quiet_for
        As for `run`.
    """
    came = time.monotonic()
    try:
        while True:
            for one in source.look():
                came = time.monotonic()
                yield one
            if not watch or (quiet_for is not None and time.monotonic() - came > quiet_for):
                return
            time.sleep(poll)
    except KeyboardInterrupt:
        if not watch:
            raise


def _batches(found: Iterator[Arrived], most: int) -> Iterator[list[Arrived]]:
    some: list[Arrived] = []
    for one in found:
        some.append(one)
        if len(some) == most:
            yield some
            some = []
    if some:
        yield some


def _sentence(file: str, error: Exception) -> str:
    from ...data.failure import sentence_of

    return str(error) if isinstance(error, SasnetError) else sentence_of(file, error)
