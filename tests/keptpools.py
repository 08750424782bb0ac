"""Processes that fit, kept from one fit to the next: to start one costs as much as a simple fit."""

from __future__ import annotations

import os
from typing import Any

from sasnet_plugin.workers.pool import Pool

#: Closed pools without work under way, by all that their processes have begun with.
_IDLE: dict[Any, KeptPool] = {}


class KeptPool(Pool):
    """A pool whose processes wait for the next that is made like it, in the same folder and environment."""

    def __init__(self, target: str, count: int = 1, **how: Any) -> None:
        super().__init__(target, count, **how)
        self._kind = (target, count, repr(how), os.getcwd(), _environment())

    def close(self) -> None:
        if self.active_jobs or self.closed or self._kind in _IDLE:
            super().close()
        else:
            _IDLE[self._kind] = self


def take_pool(target: str, count: int = 1, **how: Any) -> Pool:
    """Return a pool that waits, or else a new one."""
    new = KeptPool(target, count, **how)
    return _IDLE.pop(new._kind, new)


def end_pools() -> None:
    """End all processes that wait."""
    while _IDLE:
        Pool.close(_IDLE.popitem()[1])


def _environment() -> tuple[tuple[str, str], ...]:
    return tuple(sorted((k, v) for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"))
