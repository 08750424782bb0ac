"""Threads of linear algebra, one for each process; and memory that is given back to the system.

The threads of OpenBLAS wait for each other by working. Beside other processes the one that is waited for has
no core, and a fit costs several times its own time.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

# --- Return memory that is free again to the system: glibc keeps what lies between blocks in use.


def release_freed_memory() -> None:
    """Ask the C library to give up free memory; nothing where it has no such function."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


# --- Threads of linear algebra: one for each process, as small matrices gain nothing from more.


def environment_of_one_thread() -> dict[str, str]:
    """Variables for a process that is to compute on one thread, unless the user says otherwise."""
    return {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep linear algebra of this thread to itself meanwhile, where numpy was imported with more threads."""
    with _find_libraries(len(sys.modules)).limit(limits=1, user_api="blas"):
        yield


@lru_cache(maxsize=1)
def _find_libraries(loaded: int) -> Any:
    """Linear algebra among all that is loaded; looked for again once more modules are."""
    from threadpoolctl import ThreadpoolController

    del loaded
    return ThreadpoolController()
