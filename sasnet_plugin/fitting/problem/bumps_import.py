"""Import Bumps without scipy.stats, scipy.optimize and h5py, which its least squares do not use.

Bumps imports a few distributions from scipy.stats, and one class each from scipy.optimize and h5py. All
three cost more than half a second and 80 MB in each process. Here the names are imported when they are first
used: by DREAM, or by a prior that is a distribution.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from types import ModuleType
from typing import Any

_DEFERRED = ("scipy.stats", "scipy.optimize", "h5py")
_NEEDED = ("sasmodels.bumps_model", "bumps.fitproblem", "bumps.fitters")
_LOCK = threading.Lock()


class _Deferred:
    """A name of a module that is imported when the name is used."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def _load(self) -> Any:
        return getattr(import_module(self._module), self._name)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._load(), attribute)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._load()(*arguments, **options)

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, self._load())

    def __or__(self, other: Any) -> Any:
        return Any  # in an annotation

    __ror__ = __or__


class _DeferredModule(ModuleType):
    """Replace a module while others are imported that only take names from it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Deferred(self.__name__, name)


def import_bumps() -> None:
    """Import what fits need of Bumps and of sasmodels for Bumps; later calls cost nothing."""
    if all(name in sys.modules for name in _NEEDED):
        return
    with _LOCK:
        # Another version of Bumps may use one of these while it is imported.
        with suppress(Exception), _defer(name for name in _DEFERRED if name not in sys.modules):
            _import()
        _import()


def _import() -> None:
    for name in _NEEDED:
        import_module(name)


@contextmanager
def _defer(names: Iterable[str]) -> Iterator[None]:
    """Let imports in the block take names from these modules without importing them."""
    replaced = {name: _DeferredModule(name) for name in names}
    sys.modules.update(replaced)
    try:
        yield
    finally:
        for name, module in replaced.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
