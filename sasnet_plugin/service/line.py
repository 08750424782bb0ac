"""One process that answers one question after another, and is killed where it takes too long."""

from __future__ import annotations

import threading
from pathlib import PurePath
from typing import Any

from ..types import SasnetError
from ..workers.pool import GoneError, Pool
from .interactive import Asked


class UnansweredError(SasnetError):
    """A question that took too long, or whose process ended: it may be answered if it is asked again."""


class Line:
    """Questions from any thread, each in its turn, given up (ending the process) after `seconds`; a process'
    first may wait for its start too.

    `target`, ``module:function``, answers; see `workers.pool.Pool`.
    """

    def __init__(self, seconds: float, target: str = "sasnet_plugin.service.interactive:begin") -> None:
        self._seconds = seconds
        self._turn = threading.Lock()
        self._pool = Pool(target, quiet=True)

    def start(self) -> None:
        """Start the process now, as it takes a moment."""
        with self._turn:
            self._pool.start()

    def ask(self, asked: Asked) -> Any:
        """Return the answer. Raises SasnetError, or UnansweredError if it may come another time."""
        with self._turn:
            if self._pool.closed:
                raise SasnetError("sasnet is closing.")
            patience = self._pool.patience(self._seconds)
            with self._pool.doing(asked):
                for said in self._pool.hear(patience):
                    if said.error is not None:
                        raise _lost(asked, said.error)
                    kind, found = said.message
                    if kind == "problem":
                        raise SasnetError(found)
                    return found
        raise UnansweredError(f"{_named(asked)}: took more than {patience:.0f} s and was stopped.")

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._pool.close()


def _lost(asked: Asked, error: Exception) -> SasnetError:
    if isinstance(error, GoneError):
        return UnansweredError(f"{_named(asked)}: the process that worked on it ended; try again.")
    return SasnetError(f"{_named(asked)}: failed ({type(error).__name__}: {error}).")


def _named(asked: Asked) -> str:
    if asked.do in ("evaluate", "start", "model") and asked.body.get("model"):
        return str(asked.body["model"])[:80]
    return PurePath(asked.place.path).name if asked.place else "The question"
