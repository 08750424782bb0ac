"""How far a fit is: a pool that says it, and, called from Python, a bar in a notebook or on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from ..digits import chisq_text
from .task import Task

if TYPE_CHECKING:
    from .task import Named, Plan, Pool, Work

#: Told how far a fit is: with ``done``, ``of``, ``name`` and, where a model was fitted, ``reduced_chisq``.
Progress = Callable[..., None]


@dataclass
class Watched:
    """A pool that reports how many of its fits are done."""

    pool: Pool
    #: Called with ``done``, ``of``, ``name`` and, where a model was fitted, ``reduced_chisq``; ``of`` is 0 as
    #: long as their number is not known.
    progress: Progress
    done: int = 0
    of: int = 0

    @property
    def count(self) -> int:
        """Jobs done at the same time."""
        return self.pool.count

    def run(
        self, work: Work, tasks: Sequence[Named], seconds: float, plan: Plan | None = None
    ) -> Iterator[tuple[int, Any]]:
        """See `sasnet_plugin.fitting.pool.Workers.run`."""
        fits = all(isinstance(task, Task) for task in tasks)
        if fits:
            self.of += len(tasks)
        if tasks:
            self.progress(done=self.done, of=self.of, name=tasks[0].name)
        for index, answer in self.pool.run(work, tasks, seconds, plan):
            if fits:
                self._tell(tasks[index].name, answer)
            yield index, answer

    def _tell(self, name: str, answer: Any) -> None:
        self.done += 1
        details = {"reduced_chisq": answer.reduced_chisq} if hasattr(answer, "reduced_chisq") else {}
        self.progress(done=self.done, of=self.of, name=name, **details)


def watch(pool: Pool, tell: Progress | None) -> Pool:
    """A pool whose fits are told of, if anybody is to be told."""
    return pool if tell is None else Watched(pool, tell)


#: Seconds between two pictures of a bar in a notebook, each of which is a message to a browser.
_EVERY = 0.2


@contextmanager
def show_progress(progress: bool | Progress, limit: float) -> Iterator[Progress | None]:
    """Show progress while the block runs: a bar, or a function called with the keywords of `Watched`."""
    # Yields what to call, None if nothing is shown; `limit` in s.
    if callable(progress):
        yield progress
        return
    bar = _bar() if progress else None
    if bar is None:
        yield None
        return
    draw, end = bar
    start_time, best = time.monotonic(), float("inf")

    def report(*, done: int, of: int, name: str, reduced_chisq: float = float("inf"), **extra: Any) -> None:
        nonlocal best
        best = min(best, reduced_chisq)
        best_text = f", best reduced χ² {chisq_text(best)}" if best < float("inf") else ""
        seconds_left = max(limit - (time.monotonic() - start_time), 0.0)
        draw(done, of, f"{name}{best_text}, at most {seconds_left:.0f} s left")

    try:
        yield report
    finally:
        end()


Bar = tuple[Callable[[int, int, str], None], Callable[[], None]]


def _bar() -> Bar | None:
    """What draws a bar, and what takes it away: in a notebook, or on a terminal; None elsewhere."""
    if _is_in_notebook():
        return _make_cell_bar()
    if sys.stderr is not None and sys.stderr.isatty():
        return _make_terminal_bar()
    return None


def _is_in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


def _make_cell_bar() -> Bar:
    """A bar of HTML below the cell, which needs no widgets and leaves nothing behind."""
    from IPython.display import HTML, display

    handle, due = display(HTML(""), display_id=True), 0.0

    def draw(done: int, of: int, text: str) -> None:
        nonlocal due
        if time.monotonic() < due:
            return
        due = time.monotonic() + _EVERY
        share = f' value="{done}" max="{of}"' if of else ""
        handle.update(HTML(f"<progress{share}></progress> {escape(text)}"))

    return draw, lambda: handle.update(HTML(""))


def _make_terminal_bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = BarColumn(), TextColumn("{task.description}", markup=False)
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.start()
    task = bar.add_task("screening", total=None)

    def draw(done: int, of: int, text: str) -> None:
        bar.update(task, completed=done, total=of or None, description=text)

    return draw, bar.stop
