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
from ..workers.spread import unordered_map
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


def record(path: str, done: Done, options: Options, limit: float, when: tuple[int, int]) -> Record:
    return {
        "file": path, "size": when[0], "mtime": when[1], "options": options.digest, "limit": limit,
        "late": done.late, "time": time.time(), "version": version(), "rows": done.rows,
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

    def begun() -> Iterator[str]:
        for path in paths:
            # Before it is read: a file that changes meanwhile is done again.
            stamps[path] = stamp_of(path, samples.get(path, ()))
            yield path

    with Supervisor(min(workers, len(paths))) as supervisor:
        for path, done in supervisor.answers(begun(), options, limit, samples):
            yield record(path, done, options, limit, stamps.pop(path))


def on_cluster(
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

    def failed(asked: tuple[str, tuple[str, ...]], reason: str) -> Record:
        path, files = asked
        row = rows.failed(path, SasnetError(f"{path}: {reason}"))
        return record(path, Done([row]), options, limit, stamp_of(path, files))

    answer = partial(_answer_there, options=options, limit=limit)
    asked = [(path, samples.get(path, ())) for path in paths]
    yield from unordered_map(answer, asked, workers=address, threads=True, failed=failed)


def _answer_there(asked: tuple[str, tuple[str, ...]], options: Options, limit: float) -> Record:
    """Answer a file from a thread of a Dask worker, which keeps its process for the next one."""
    if getattr(_own, "supervisor", None) is None:
        _own.supervisor = Supervisor()
    path, files = asked
    return answer_file(_own.supervisor, path, options, limit, files=files)


def series(
    paths: Sequence[str], todo: Sequence[str], journal: Journal, options: Options, limit: float
) -> Answers:
    """Yield answers frame after frame, each fit also starting from the previous answer; `limit` in seconds
    for each data set. `journal` holds the answers of those `paths` that are not in `todo`.
    """
    from .series import start_of

    wanted = set(todo)
    before: Record | None = None
    with Supervisor() as supervisor:
        for path in paths:
            if path in wanted:
                found = answer_file(supervisor, path, options, limit, start_of(before))
                yield found
            else:
                found = next(journal.records([path]))
            if start_of(found) is not None:
                before = found  # a frame without an answer does not break the chain


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
            began = time.monotonic()
            # Held open by another program, say: the journal has it all, and the end says it again.
            with contextlib.suppress(SasnetError):
                publish(journal, out)
            now = time.monotonic()
            due = now + max(EVERY, (now - began) / SHARE)
    return state


def publish(journal: Journal, out: Path) -> tuple[int, int]:
    """Write HDF5 and CSV of all answers; how many data sets there are, and how many without an answer."""
    return write_results(journal.records, journal.options, out)
