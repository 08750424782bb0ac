"""Fits in their turn, each in a process that is killed when it is no longer wanted."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ..types import SasnetError
from ..workers.pool import GoneError, Pool
from .fits import PROBLEM

#: Told the number of a fit, the kind of what is said of it (`fits`, `BEGUN`, `CANCELLED`), and what is said.
Hear = Callable[[int, str, Any], None]
BEGUN, CANCELLED = "begun", "cancelled"
#: Between two looks at whether the fit under way is still wanted, s.
_LOOK = 0.1
_LOG = logging.getLogger(__name__)


class Queue:
    """One fit after another, as each takes all cores; `hear` runs in a thread of the queue, `target`,
    ``module:function``, makes what does the jobs (`workers.pool.Pool`).
    """

    def __init__(self, workers: int, hear: Hear, target: str = "sasnet_plugin.service.fits:begin") -> None:
        self._hear = hear
        self._waiting: OrderedDict[int, Any] = OrderedDict()
        self._current, self._unwanted = 0, False
        self._ready, self._closed = threading.Condition(), False
        self._pool = Pool(target, first=(workers,), quiet=True)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, number: int, job: Any) -> None:
        """Have something done, under a number of the caller's."""
        with self._ready:
            self._waiting[number] = job
            self._ready.notify()

    def cancel(self, number: int) -> bool:
        """End a fit, under way or waiting; False where it is neither."""
        with self._ready:
            waited = self._waiting.pop(number, None) is not None
            under_way = number == self._current
            self._unwanted |= under_way
        if waited:
            self._hear(number, CANCELLED, None)
        return waited or under_way

    def close(self) -> None:
        with self._ready:
            self._closed = True
            self._ready.notify()
        self._pool.close()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while True:
            with self._ready:
                self._ready.wait_for(lambda: self._closed or self._waiting)
                if self._closed:
                    return
                self._current, job = self._waiting.popitem(last=False)
                self._unwanted = False
            try:
                self._hear(self._current, BEGUN, None)
                self._do(self._current, job)
            except Exception as error:  # no room for a process, or what was said could not be kept
                _LOG.warning("fit %d failed", self._current, exc_info=True)
                self._try_to_tell(self._current, error)
            finally:
                self._current = 0

    def _do(self, number: int, job: Any) -> None:
        with self._pool.doing(job):
            while not self._closed:
                if self._unwanted:
                    return self._hear(number, CANCELLED, None)
                for reply in self._pool.hear(_LOOK):
                    if reply.error is not None:
                        is_gone = isinstance(reply.error, GoneError)
                        why = "the process that fitted ended" if is_gone else str(reply.error)
                        return self._hear(number, PROBLEM, f"The fit failed: {why}; fit again.")
                    self._hear(number, *reply.message)
                    if reply.last:
                        return None
        return None

    def _try_to_tell(self, number: int, error: Exception) -> None:
        reason = str(error) if isinstance(error, SasnetError) else f"{type(error).__name__}: {error}"
        try:
            self._hear(number, PROBLEM, reason)
        except Exception:
            _LOG.warning("fit %d: %s", number, reason, exc_info=True)
