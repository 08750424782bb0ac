"""One map(): in this process or over local processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from .processes import prepare_worker
from .types import SimulationError

T = TypeVar("T")
R = TypeVar("R")


def unordered_map(function: Callable[[T], R], items: Iterable[T], *, workers: int = 1) -> Iterator[R]:
    """Apply a function to items; results come as they are done, in any order.

    Closing the iterator early, an exception or Ctrl-C ends the worker processes at once; what they had
    under way is lost.

    Parameters
    ----------
    function : callable
        Importable by name (it is sent to other processes).
    items : iterable
    workers : int
        1 stays in this process.

    Raises
    ------
    SimulationError
        A worker process was killed, as the system does when memory runs out.
    """
    if workers <= 1:
        for item in items:
            yield function(item)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool

    others = set(multiprocessing.active_children())
    # A forked child would inherit threads and locks of numerical libraries in an unknown state.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=prepare_worker)
    finished = False
    try:
        for future in as_completed([executor.submit(function, item) for item in items]):
            yield future.result()
        finished = True
    except BrokenProcessPool:
        raise SimulationError(
            "a worker process was killed, perhaps for want of memory; run again with fewer workers."
        ) from None
    finally:
        if not finished:
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
        executor.shutdown(cancel_futures=True)
