"""One map(): in this process or over local processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")


def unordered_map(function: Callable[[T], R], items: Iterable[T], *, workers: int = 1) -> Iterator[R]:
    """Apply a function to items; results come as they are done, in any order.

    Parameters
    ----------
    function : callable
        Importable by name (it is sent to other processes).
    items : iterable
    workers : int
        1 stays in this process.
    """
    if workers <= 1:
        for item in items:
            yield function(item)
        return
    import multiprocessing

    # A forked child would inherit threads and locks of numerical libraries in an unknown state.
    context: Any = multiprocessing.get_context("spawn")
    with context.Pool(workers) as pool:
        yield from pool.imap_unordered(function, items)
