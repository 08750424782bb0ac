"""Answers given back while those of the next measurements are found, so that nobody waits for the server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence

from ...types import SasnetError, TechnicalError
from .given_back import InMetadata, InTable, Line, Manner

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
