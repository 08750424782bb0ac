"""How far a command is, on stderr, and how it is ended from outside."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from ..digits import chisq_text

if TYPE_CHECKING:
    from ..batch.run import Progress


# --- How a command is ended from outside.


@contextmanager
def term_as_interrupt() -> Iterator[None]:
    """A job scheduler ends what ran out of time by SIGTERM, some seconds before it kills."""
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


class Ending:
    """Whether a fit is to end with what it has, asked for by Ctrl-C or SIGTERM; twice ends the command."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        return self.asked

    @contextmanager
    def listen(self) -> Iterator[None]:
        """While the block runs, in the main thread; what is ignored, as by a shell's background, stays so."""
        usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        handlers = {number: handler for number, handler in usual.items() if handler is not signal.SIG_IGN}
        for number in handlers:
            signal.signal(number, self._ask)
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _ask(self, number: int, frame: object) -> None:
        self.asked = True
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(signal_number) == self._ask:
                signal.signal(signal_number, _interrupt)
        # Not by print: this may come in the middle of one.
        os.write(2, b"\nsasnet: ending with what is fitted; Ctrl-C once more ends at once.\n")


# --- How far a command is, on stderr: a bar on a terminal, a line now and then without one.

#: Seconds between two lines where there is no terminal: while one file is fitted, and while many are.
FIT_EVERY = 5.0
STAGE_EVERY = 2.0
EVERY = 60.0
MANY = 20  # files from which on progress is shown beside answers


@contextmanager
def show_progress(total: int, quiet: bool = False) -> Iterator[Callable[[Progress], None]]:
    """Show progress over many files while the block runs; yields what is to be called after each answer."""
    if quiet:
        yield lambda state: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    start_time = time.monotonic()
    if not console.is_terminal:
        yield _lines(start_time)
        return
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}")
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=total)

        def step(state: Progress) -> None:
            bar.update(task, completed=state.done, description=words(state, time.monotonic() - start_time))

        yield step


def _lines(start_time: float) -> Callable[[Progress], None]:
    due = start_time + EVERY

    def step(state: Progress) -> None:
        nonlocal due
        current_time = time.monotonic()
        if current_time >= due and state.done < state.total:
            due = current_time + EVERY
            typer.echo(
                f"{state.done} of {state.total} files, {words(state, current_time - start_time)}", err=True
            )

    return step


@contextmanager
def classifying() -> Iterator[Callable[[], None]]:
    """Show on stderr how many files are done, where these are many."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.completed:.0f} files"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)
        count = 0

        def step() -> None:
            nonlocal count
            count += 1
            bar.update(task, completed=count, visible=count >= MANY)

        yield step


@contextmanager
def show_fit_progress(limit: float, quiet: bool = False) -> Iterator[Callable[..., None]]:
    """Show the model being fitted, the best χ² and the time left of `limit` seconds; yield the ``progress``
    of `fitting.progress.Watched`.
    """
    if quiet:
        yield lambda **details: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    console, start_time = Console(stderr=True), time.monotonic()
    best, due = float("inf"), start_time + FIT_EVERY

    def line(done: int, of: int, name: str) -> str:
        suffix = f", best reduced χ² {chisq_text(best)}" if best < float("inf") else ""
        seconds_left = max(limit - (time.monotonic() - start_time), 0.0)
        return f"{f'{done} of {of}, ' if of else ''}{name}{suffix}, at most {duration(seconds_left)} left"

    if not console.is_terminal:

        def say(
            *, done: int, of: int, name: str, reduced_chisq: float = float("inf"), **details: Any
        ) -> None:
            nonlocal best, due
            best = min(best, reduced_chisq)
            if time.monotonic() >= due:
                due = time.monotonic() + FIT_EVERY
                typer.echo(f"Fitting: {line(done, of, name)}", err=True)

        yield say
        return
    columns = BarColumn(), TextColumn("{task.description}", markup=False)
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("screening", total=None)

        def draw(
            *, done: int, of: int, name: str, reduced_chisq: float = float("inf"), **details: Any
        ) -> None:
            nonlocal best
            best = min(best, reduced_chisq)
            bar.update(task, completed=done, total=of or None, description=line(done, of, name))

        yield draw


def words(state: Progress, seconds: float) -> str:
    """Describe rate, time left and failures, once a file is done; `seconds` since the beginning."""
    rate = state.done / max(seconds, 1e-3)
    time_left = duration((state.total - state.done) / rate)
    suffix = f", {state.failed} without an answer" if state.failed else ""
    return f"{60 * rate:.3g} a minute, {time_left} left{suffix}"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def stages(quiet: bool = False) -> Callable[[str], None]:
    """What is told of the stages of one long computation: a line on stderr, not more often than is read."""
    due = time.monotonic() + STAGE_EVERY

    def tell(stage: str) -> None:
        nonlocal due
        current_time = time.monotonic()
        if not quiet and current_time >= due:
            due = current_time + STAGE_EVERY
            typer.echo(f"{stage} …", err=True)

    return tell
