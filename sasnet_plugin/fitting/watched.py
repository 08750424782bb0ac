"""A pool of processes that fit, and that says how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .task import Task

if TYPE_CHECKING:
    from .task import Named, Plan, Pool, Work

#: Told how far a fit is: with ``done``, ``of``, ``name`` and, where a model was fitted, ``reduced_chisq``.
Progress = Callable[..., None]


@dataclass
class Watched:
    """A pool that reports how many of its fits are done.

    Parameters
    ----------
    progress : callable
        Called with ``done``, ``of``, ``name`` and, where a model was fitted, ``reduced_chisq``; ``of`` is 0
        as long as their number is not known.
    """

    pool: Pool
    progress: Progress
    done: int = 0
    of: int = 0

    @property
    def count(self) -> int:
        """Jobs done at the same time."""
        return self.pool.count

    def run(
        self, work: Work, asked: Sequence[Named], seconds: float, plan: Plan | None = None
    ) -> Iterator[tuple[int, Any]]:
        """See `sasnet_plugin.fitting.pool.Workers.run`."""
        fits = all(isinstance(task, Task) for task in asked)
        self.of += len(asked) if fits else 0
        if asked:
            self.progress(done=self.done, of=self.of, name=asked[0].name)
        for index, answer in self.pool.run(work, asked, seconds, plan):
            if fits:
                self.done += 1
                more = {"reduced_chisq": answer.reduced_chisq} if hasattr(answer, "reduced_chisq") else {}
                self.progress(done=self.done, of=self.of, name=asked[index].name, **more)
            yield index, answer
