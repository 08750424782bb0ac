"""Import Bumps without scipy.stats, which its least squares do not use.

Bumps imports the names of a few distributions from scipy.stats. That costs half a second and 40 MB in each
process. Here these distributions are imported when they are first used: by DREAM, or by a prior that is a
distribution.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from types import ModuleType
from typing import Any

_STATISTICS = "scipy.stats"
_NEEDED = ("sasmodels.bumps_model", "bumps.fitproblem", "bumps.fitters")
_LOCK = threading.Lock()


class _Deferred:
    """A name of scipy.stats that is imported when the name is used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _load(self) -> Any:
        return getattr(import_module(_STATISTICS), self._name)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._load(), attribute)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._load()(*arguments, **options)


class _DeferredStatistics(ModuleType):
    """Replace scipy.stats while modules are imported that only take names from it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Deferred(name)


def import_bumps() -> None:
    """Import what fits need of Bumps and of sasmodels for Bumps; later calls cost nothing."""
    if all(name in sys.modules for name in _NEEDED):
        return
    with _LOCK:
        # Another version of Bumps may use a distribution while it is imported.
        with suppress(Exception), _statistics_deferred():
            _import()
        _import()


def _import() -> None:
    for name in _NEEDED:
        import_module(name)


@contextmanager
def _statistics_deferred() -> Iterator[None]:
    """Let imports in the block take names from scipy.stats without importing it."""
    if _STATISTICS in sys.modules:
        yield
        return
    sys.modules[_STATISTICS] = replaced = _DeferredStatistics(_STATISTICS)
    try:
        yield
    finally:
        if sys.modules.get(_STATISTICS) is replaced:
            del sys.modules[_STATISTICS]
