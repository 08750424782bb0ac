"""Get the answers: from processes of this machine, from a Dask cluster, or frame after frame of a series."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..types import SasnetError
from ..workers.spread import map_unordered
from . import rows
from .journal import Journal, Record
from .plan import Options, version
from .results import write_results
from .samples import stamp_of
from .supervisor import Done, Supervisor

#: Seconds between two times that the results file is written, and the share of the time that may go into it.
EVERY, SHARE = 60.0, 0.02
Answers = Generator[Record, None, None]
#: No samples: each file stands alone.
NONE: Mapping[str, tuple[str, ...]] = MappingProxyType({})
#: What a thread of a Dask worker keeps.
_own = threading.local()


def answer_file(
    supervisor: Supervisor,
    path: str,
    options: Options,
    limit: float,
    start: Any = None,
    files: tuple[str, ...] = (),
) -> Record:
    """Return all that the journal keeps about one file or sample; `limit` in seconds for each data set."""
    when = stamp_of(path, files)  # before it is read: a file that changes meanwhile is done again
    return record(path, supervisor.answer(path, options, limit, start, files), options, limit, when)


def record(path: str, outcome: Done, options: Options, limit: float, when: tuple[int, int]) -> Record:
    return {
        "file": path, "size": when[0], "mtime": when[1], "options": options.digest, "limit": limit,
        "late": outcome.late, "time": time.time(), "version": version(), "rows": outcome.rows,
    }  # fmt: skip


def local(
    paths: Sequence[str],
    options: Options,
    limit: float,
    workers: int,
    samples: Mapping[str, tuple[str, ...]] = NONE,
) -> Answers:
    """Yield answers from processes on this machine; closing the generator ends the processes at once."""
    # `limit` in seconds for each data set; `samples` maps the name of a sample to its files.
    stamps: dict[str, tuple[int, int]] = {}

    def stamp_paths() -> Iterator[str]:
        for path in paths:
            # Before it is read: a file that changes meanwhile is done again.
            stamps[path] = stamp_of(path, samples.get(path, ()))
            yield path

    with Supervisor(min(workers, len(paths))) as supervisor:
        for path, outcome in supervisor.answers(stamp_paths(), options, limit, samples):
            yield record(path, outcome, options, limit, stamps.pop(path))


def answer_on_cluster(
    address: str,
    paths: Sequence[str],
    options: Options,
    limit: float,
    samples: Mapping[str, tuple[str, ...]] = NONE,
) -> Answers:
    """Yield answers from a Dask cluster with a scheduler at `address`, as ``tcp://host:8786``; `limit` in
    seconds for each data set.
    """
    # Every worker needs sasnet-plugin and must find the files under the same names.

    def record_failure(request: tuple[str, tuple[str, ...]], reason: str) -> Record:
        path, files = request
        row = rows.make_failure_row(path, SasnetError(f"{path}: {reason}"))
        return record(path, Done([row]), options, limit, stamp_of(path, files))

    answer = partial(_answer_there, options=options, limit=limit)
    requests = [(path, samples.get(path, ())) for path in paths]
    yield from map_unordered(answer, requests, workers=address, threads=True, failed=record_failure)


def _answer_there(request: tuple[str, tuple[str, ...]], options: Options, limit: float) -> Record:
    """Answer a file from a thread of a Dask worker, which keeps its process for the next one."""
    if getattr(_own, "supervisor", None) is None:
        _own.supervisor = Supervisor()
    path, files = request
    return answer_file(_own.supervisor, path, options, limit, files=files)


def series(
    paths: Sequence[str], todo: Sequence[str], journal: Journal, options: Options, limit: float
) -> Answers:
    """Yield answers frame after frame, each fit also starting from the previous answer; `limit` in seconds
    for each data set. `journal` holds the answers of those `paths` that are not in `todo`.
    """
    from .series import start_of

    todo_paths = set(todo)
    earlier: Record | None = None
    with Supervisor() as supervisor:
        for path in paths:
            if path in todo_paths:
                frame_record = answer_file(supervisor, path, options, limit, start_of(earlier))
                yield frame_record
            else:
                frame_record = next(journal.records([path]))
            if start_of(frame_record) is not None:
                earlier = frame_record  # a frame without an answer does not break the chain


@dataclass
class Progress:
    """How far a batch is."""

    #: total, done, failed: files.
    total: int
    done: int = 0
    failed: int = 0
    last: str = ""  #: The file answered last.


def keep(
    answers: Answers, journal: Journal, out: Path, total: int, progress: Callable[[Progress], None]
) -> Progress:
    """Put answers into the journal as they come, and now and then the results file in place."""
    state = Progress(total)
    due = time.monotonic() + EVERY
    for answer in answers:
        journal.add(answer)
        state.done += 1
        state.failed += any(row["error"] for row in answer["rows"])
        state.last = answer["file"]
        progress(state)
        if time.monotonic() > due:
            start_time = time.monotonic()
            # Held open by another program, say: the journal has it all, and the end says it again.
            with contextlib.suppress(SasnetError):
                publish(journal, out)
            current_time = time.monotonic()
            due = current_time + max(EVERY, (current_time - start_time) / SHARE)
    return state


def publish(journal: Journal, out: Path) -> tuple[int, int]:
    """Write HDF5 and CSV of all answers; how many data sets there are, and how many without an answer."""
    return write_results(journal.records, journal.options, out)
