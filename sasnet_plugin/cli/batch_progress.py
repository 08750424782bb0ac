"""How far a batch is, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from sasnet_plugin.batch.run import Progress

#: Seconds between two lines where there is no terminal.
EVERY = 60.0


@contextmanager
def shown(total: int) -> Iterator[Callable[[Progress], None]]:
    """Show progress while the block runs; yields what is to be called after each answer."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    began = time.monotonic()
    if not console.is_terminal:
        yield _lines(began)
        return
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}")
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=total)

        def step(state: Progress) -> None:
            bar.update(task, completed=state.done, description=words(state, time.monotonic() - began))

        yield step


def _lines(began: float) -> Callable[[Progress], None]:
    due = began + EVERY

    def step(state: Progress) -> None:
        nonlocal due
        now = time.monotonic()
        if now >= due and state.done < state.total:
            due = now + EVERY
            typer.echo(f"{state.done} of {state.total} files, {words(state, now - began)}", err=True)

    return step


def words(state: Progress, seconds: float) -> str:
    """Rate, time left and failures in words.

    Parameters
    ----------
    state : Progress
        At least one file done.
    seconds : float
        Since the beginning.
    """
    rate = state.done / max(seconds, 1e-3)
    left = duration((state.total - state.done) / rate)
    without = f", {state.failed} without an answer" if state.failed else ""
    return f"{60 * rate:.3g} a minute, {left} left{without}"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"
