"""Outcomes of measurements in many files, a few at a time: none waits long, and memory does not grow."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from .files import curves_of, expand

CHUNK = 64  # measurements run at once, across files
PATIENCE = 0.25  # seconds after which answers are given, however few there are
MANY = 20  # files from which on progress is shown

#: File, measurement if there is one, answer or why there is none.
Outcome = tuple[str, Any, Any]


def outcomes(
    arguments: Iterable[str],
    read: Callable[[str], Iterable[Any]],
    answer: Callable[[list[Any]], list[Any]],
    window: tuple[float, float] | None,
    step: Callable[[], None],
) -> Iterator[Outcome]:
    """Yield the outcome of each measurement in order, a few at a time.

    Measurements of small files are run together, but none waits longer than `PATIENCE` for company; of a file
    with many no more than a few are held.
    """
    waiting: list[tuple[str, Any]] = []
    answered = -math.inf  # the first file is answered at once
    for path in expand(arguments):
        for pair in curves_of(path, read, window):
            waiting.append(pair)
            if len(waiting) >= CHUNK:
                yield from _answer(waiting, answer)
                waiting = []
                answered = time.monotonic()
        if time.monotonic() - answered > PATIENCE:
            yield from _answer(waiting, answer)
            waiting = []
            answered = time.monotonic()
        step()
    yield from _answer(waiting, answer)


def _answer(waiting: list[tuple[str, Any]], answer: Callable[[list[Any]], list[Any]]) -> Iterator[Outcome]:
    answered = iter(answer([one for _, one in waiting if not isinstance(one, Exception)]))
    for path, one in waiting:
        yield (path, None, one) if isinstance(one, Exception) else (path, one, next(answered))


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[], None]]:
    """Show on stderr how many files are done, where answers go elsewhere and the files are many."""
    if quiet or sys.stdout.isatty() or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.completed:.0f} files"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            bar.update(task, completed=done, visible=done >= MANY)

        yield step
