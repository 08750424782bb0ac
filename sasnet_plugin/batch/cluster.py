"""Answers from the workers of a Dask cluster."""

from __future__ import annotations

import contextlib
import logging
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
    # What it says of a lost scheduler is a page long; ours is a sentence.
    log = logging.getLogger("distributed.client")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
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
            if future.status == "finished":
                yield future.result()
            elif future.status == "error":
                yield record(path, failed_row(path, _reason(future.exception())), options, limit, stamp(path))
            else:
                raise _gone(address)
            hand_out()
    except OSError:
        raise _gone(address) from None
    finally:
        with contextlib.suppress(Exception):
            client.close(timeout=2)
        log.setLevel(level)


def _reason(error: BaseException) -> str:
    from distributed.scheduler import KilledWorker

    if isinstance(error, KilledWorker):
        return "every worker that tried it was lost, perhaps for want of memory; try it with sasnet fit."
    text = (str(error).strip() or "no reason given").splitlines()[0]
    return f"the worker failed ({type(error).__name__}: {text}); see its log."


def _gone(address: str) -> BatchError:
    return BatchError(f"{address}: the Dask scheduler went away; start it and give the same command again.")
