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

    def ask(self, request: Asked) -> Any:
        """Return the answer. Raises SasnetError, or UnansweredError if it may come another time."""
        with self._turn:
            if self._pool.closed:
                raise SasnetError("sasnet is closing.")
            patience = self._pool.patience(self._seconds)
            with self._pool.doing(request):
                for reply in self._pool.hear(patience):
                    if reply.error is not None:
                        raise _make_lost_error(request, reply.error)
                    kind, answer = reply.message
                    if kind == "problem":
                        raise SasnetError(answer)
                    return answer
        raise UnansweredError(f"{_name_question(request)}: took more than {patience:.0f} s and was stopped.")

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._pool.close()


def _make_lost_error(request: Asked, error: Exception) -> SasnetError:
    if isinstance(error, GoneError):
        return UnansweredError(f"{_name_question(request)}: the process that worked on it ended; try again.")
    return SasnetError(f"{_name_question(request)}: failed ({type(error).__name__}: {error}).")


def _name_question(request: Asked) -> str:
    if request.do in ("evaluate", "start", "model") and request.body.get("model"):
        return str(request.body["model"])[:80]
    return PurePath(request.place.path).name if request.place else "The question"
