"""One map(): here, over processes of this machine, or over the workers of a Dask cluster."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from typing import Any, TypeVar

from ..types import SasnetError, SimulationError, describe_install
from .pool import GoneError, Pool

T = TypeVar("T")
R = TypeVar("R")
#: How many processes of this machine; or the address of a Dask scheduler, whose workers are used.
Workers = int | str
#: Items handed out for each worker at a time: one in work, the next at hand.
_AHEAD = 2
#: How long to wait for a scheduler.
_PATIENCE = "15s"
#: Seconds without any worker, which may come from a queue, until it is said that they are waited for.
_LONELY = 10.0
_ALONE = threading.Lock()


class ClusterError(SasnetError):
    """A Dask cluster that is not there, or not any more."""


def map_unordered(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    workers: Workers = 1,
    threads: bool = False,
    failed: Callable[[T, str], R] | None = None,
) -> Iterator[R]:
    """Apply an importable function to items and yield results as they are done; items are handed out as
    needed. Closing the iterator, an exception or Ctrl-C ends workers and their work at once.
    """
    # `workers` 1 stays in this process; on a cluster every worker needs sasnet-plugin and the same file
    # names, and `threads` allows several in a process. `failed` (item, reason) replaces an item that failed
    # or whose workers were lost, else an exception. Raises SimulationError if a process was killed, as by
    # lack of memory; ClusterError without Dask or scheduler.
    if isinstance(workers, str):
        try:
            with _cluster(workers, threads) as (executor, count):
                done_items = _submit_and_wait(
                    executor, count, function if threads else partial(_alone, function), items
                )
                for item, future in done_items:
                    yield _result(item, future, failed)
        except (OSError, CancelledError):
            raise _make_gone_error(workers) from None
    elif workers == 1:
        yield from map(function, items)
    else:
        yield from _local(function, items, workers)


def _local(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Work on this machine, each worker with one item at a time."""
    # No pool of the standard library: Ctrl-C at the wrong moment leaves a lock of it taken for ever, and the
    # threads for which Python waits at its end want that lock.
    pool = Pool(f"{__name__}:begin", workers)
    todo = iter(items)
    try:
        for item in islice(todo, workers):
            pool.ask((function, item))
        while pool.active_jobs:
            for reply in pool.hear():
                if isinstance(reply.error, GoneError):
                    raise SimulationError(
                        "a worker process was killed, perhaps because memory ran out; run again with"
                        " fewer workers."
                    )
                if reply.error is not None:
                    raise reply.error
                for item in islice(todo, 1):
                    pool.ask((function, item))
                yield reply.message
    finally:
        pool.close()


def begin() -> Callable[[tuple[Callable[[T], R], T], Any], R]:
    """What a worker does: apply a function to an item."""
    return lambda job, say: job[0](job[1])


def _submit_and_wait(
    executor: Executor, count: Callable[[], int], function: Callable[[T], R], items: Iterable[T]
) -> Iterator[tuple[T, Future[R]]]:
    todo = iter(items)
    pending: dict[Future[R], T] = {}
    while True:
        for item in islice(todo, max(_AHEAD * count() - len(pending), 0)):
            pending[executor.submit(function, item)] = item
        if not pending:
            return
        # Without a timeout, Windows would not hear Ctrl-C.
        for future in wait(pending, timeout=1.0, return_when=FIRST_COMPLETED).done:
            yield pending.pop(future), future


def _result(item: T, future: Future[R], failed: Callable[[T, str], R] | None) -> R:
    error = future.exception()
    if error is None:
        return future.result()
    if failed is not None:
        return failed(item, _reason(error))
    raise error if isinstance(error, SasnetError) else SimulationError(f"{item}: {_reason(error)}")


@dataclass(frozen=True)
class Cluster:
    """A cluster that stays connected, for work that comes in small pieces."""

    _address: str
    _executor: Executor
    _count: Callable[[], int]

    def spread(self, function: Callable[[list[T]], list[R]], items: Sequence[T]) -> list[R]:
        """Share items evenly among workers and return results in order, by an importable function of lists.
        Raises ClusterError if the scheduler goes away, SimulationError if the function fails or all workers
        that tried are lost.
        """
        shares = _shares(items, self._count())
        try:
            futures = [self._executor.submit(partial(_alone, function), share) for share in shares]
            while wait(futures, timeout=1.0).not_done:
                self._count()  # says that there is none
            results = [_result(share, future, None) for share, future in zip(shares, futures, strict=True)]
        except (OSError, CancelledError):
            raise _make_gone_error(self._address) from None
        return list(chain.from_iterable(results))


@dataclass
class _Company:
    """Says once that a scheduler has no workers, each time that it has none."""

    address: str
    told: bool = False
    since: float = field(default_factory=time.monotonic)

    def count_workers(self, workers: int) -> None:
        """Take how many workers there are."""
        if workers:
            self.told, self.since = False, time.monotonic()
        elif not self.told and time.monotonic() - self.since > _LONELY:
            self.told = True
            print(
                f"{self.address}: this Dask scheduler has no workers; waiting for them. Start one with"
                f" 'dask worker {self.address}', or stop with Ctrl-C.",
                file=sys.stderr,
                flush=True,
            )


@contextlib.contextmanager
def connect(address: str) -> Iterator[Cluster]:
    """Yield a cluster by its scheduler's address. Raises ClusterError without Dask or scheduler."""
    with _cluster(address, False) as (executor, count):
        yield Cluster(address, executor, count)


def _shares(items: Sequence[T], count: int) -> list[list[T]]:
    """Divide items in order into at most so many equal parts."""
    size = max(-(-len(items) // max(count, 1)), 1)
    return [list(items[k : k + size]) for k in range(0, len(items), size)]


def _make_gone_error(address: str) -> ClusterError:
    return ClusterError(
        f"{address}: the connection to the Dask scheduler was lost; start it and repeat the command."
    )


def _alone(function: Callable[[T], R], item: T) -> R:
    """One at a time in a process: what models keep between calls is not for several threads."""
    with _ALONE:
        return function(item)


@contextlib.contextmanager
def _cluster(address: str, threads: bool) -> Iterator[tuple[Executor, Callable[[], int]]]:
    """A cluster, and how many items it works on at a time: asked anew each time, as workers come and go."""
    try:
        from distributed import Client
        from distributed.comm.addressing import get_address_host_port
    except ImportError:
        raise ClusterError(
            f"--scheduler needs Dask, which is not installed; run {describe_install('cluster')}"
        ) from None
    try:
        get_address_host_port(address)  # else a client is left half-made, and ends in a traceback
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ClusterError(
            f"{address}: no Dask scheduler answers there ({reason}); check the address and that it runs."
        ) from None
    # What it says of a lost scheduler is a page long; ours is a sentence.
    log = logging.getLogger("distributed.client")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)

    company = _Company(address)

    def count() -> int:
        thread_counts = client.nthreads()
        company.count_workers(len(thread_counts))
        return max(sum(thread_counts.values()) if threads else len(thread_counts), 1)

    try:
        yield client.get_executor(pure=False), count
    finally:
        with contextlib.suppress(Exception):
            client.close(timeout=2)
        log.setLevel(level)


def _reason(error: BaseException) -> str:
    from distributed.scheduler import KilledWorker

    if isinstance(error, KilledWorker):
        return "every worker that tried it was lost, perhaps because memory ran out; try it on this machine."
    text = (str(error).strip() or "no reason given").splitlines()[0]
    return f"the worker failed ({type(error).__name__}: {text}); see its log."
