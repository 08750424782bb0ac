"""Answers from the workers of a Dask cluster."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator, Sequence
from typing import Any

from .attendant import Attendant
from .journal import BatchError, Record
from .options import Options
from .plan import stamp
from .run import answer_file, failed_row, record

#: Files handed out for each thread of the cluster at a time: one in work, the next at hand.
_AHEAD = 2
_PATIENCE = "15s"
_own = threading.local()


def answer_here(path: str, options: Options, limit: float) -> Record:
    """Answer a file from a thread of a Dask worker, which keeps its process for the next one."""
    if getattr(_own, "attendant", None) is None:
        _own.attendant = Attendant()
    return answer_file(_own.attendant, path, options, limit)


def on_cluster(
    address: str, paths: Sequence[str], options: Options, limit: float
) -> Generator[Record, None, None]:
    """Answers from a Dask cluster, as they come; what a lost worker had in work is done by another.

    The files must be found under the same names by every worker, and sasnet-plugin be installed there.

    Parameters
    ----------
    address : str
        Of the scheduler, ``tcp://host:8786``.
    paths : sequence of str
    options : Options
    limit : float
        Seconds for each data set.

    Raises
    ------
    BatchError
        Dask is not installed, or the scheduler is not there or goes away.
    """
    try:
        from distributed import Client, as_completed
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise BatchError(
            "--scheduler needs Dask, which is not installed; run: pip install 'sasnet-plugin[cluster]'."
        ) from None
    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BatchError(
            f"{address}: no Dask scheduler answers there ({reason}); check the address and that it runs."
        ) from None
    todo = iter(paths)
    try:
        pending: dict[Any, str] = {}
        running = as_completed(loop=client.loop)

        def hand_out() -> None:
            # Asked anew each time: workers come and go.
            while len(pending) < _AHEAD * max(sum(client.nthreads().values()), 1):
                path = next(todo, None)
                if path is None:
                    return
                future = client.submit(answer_here, path, options, limit, pure=False)
                pending[future.key] = path
                running.add(future)

        hand_out()
        for future in running:
            path = pending.pop(future.key)
            try:
                found = future.result()
            except KilledWorker:
                reason = (
                    "every worker that tried it was lost, perhaps for want of memory; try it with sasnet fit."
                )
                found = record(path, failed_row(path, reason), options, limit, stamp(path))
            except Exception as error:
                if client.status != "running" or future.cancelled():
                    raise BatchError(
                        f"{address}: the Dask scheduler went away; start it and give the same command again."
                    ) from None
                reason = (
                    f"the worker failed ({type(error).__name__}: {str(error).splitlines()[:1]}); see its log."
                )
                found = record(path, failed_row(path, reason), options, limit, stamp(path))
            yield found
            hand_out()
    finally:
        with contextlib.suppress(Exception):
            client.close(timeout=2)
