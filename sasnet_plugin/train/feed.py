"""Training batches: worker processes measure curves, a reservoir mixes and reuses them a few times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.preprocess import N_CHANNELS, N_GRID
from ..simulate.examples import Examples, Stream, concatenate
from ..simulate.library import Library

_FORBIDDEN = -1e9


def allowed_table(library: Library) -> NDArray[np.float32]:
    """(forms, 1 + factors) array, 0 where the form takes the structure factor, -1e9 where not."""
    table = np.full((len(library), 1 + len(library.structure_factors)), _FORBIDDEN, dtype=np.float32)
    table[:, 0] = 0
    for row, names in enumerate(library.allowed):
        for name in names:
            table[row, 1 + library.structure_factors.index(name)] = 0
    return table


def answers(examples: Examples, allowed: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """What the losses compare with (see `sasnet_plugin.train.net.losses`)."""
    has_rg = np.isfinite(examples.log_rg)
    return {
        "form": examples.form.astype(np.int32),
        "structure_factor": examples.structure_factor.astype(np.int32),
        "allowed": allowed[np.maximum(examples.form, 0)],
        "in_scope": examples.in_scope,
        "log_rg": np.where(has_rg, examples.log_rg, 0).astype(np.float32),
        "has_rg": has_rg.astype(np.float32),
    }


def _work(folder: str, seed: list[int], queue: Any) -> None:
    import os
    import time

    if hasattr(os, "nice"):
        os.nice(10)  # a step of the network waits for its slowest thread; curves can wait
    stream = Stream(Library(Path(folder)), np.random.default_rng(seed))
    parent = os.getppid()
    while os.getppid() == parent:  # a trainer killed at once leaves no orphan behind
        part = concatenate([stream.chunk() for _ in range(8)])
        while queue.full() and os.getppid() == parent:
            time.sleep(0.02)
        queue.put(part)


class Feed:
    """An endless iterator of (features, answers) batches.

    Parameters
    ----------
    folder : Path
        Of shards; every worker reads them.
    allowed : (forms, 1 + factors) array
        From `allowed_table`.
    seed : int
    batch : int
    workers : int
        Processes that measure curves.
    reservoir : int
        Examples kept in memory (half precision, 4 kB each); batches are random draws from them.
    reuse : float
        How often an example is drawn on average.
    """

    def __init__(
        self,
        folder: Path,
        allowed: NDArray[np.float32],
        *,
        seed: int,
        batch: int = 512,
        workers: int = 1,
        reservoir: int = 60_000,
        reuse: float = 2.5,
    ) -> None:
        import multiprocessing

        self.allowed = allowed
        self.batch, self.reuse, self.capacity = batch, reuse, reservoir
        self._rng = np.random.default_rng([seed, 1 << 20])
        context = multiprocessing.get_context("spawn")
        self._queue: Any = context.Queue(maxsize=24)
        self._processes = [
            context.Process(target=_work, args=(str(folder), [seed, index], self._queue), daemon=True)
            for index in range(workers)
        ]
        for process in self._processes:
            process.start()
        self._features = np.empty((reservoir, N_GRID, N_CHANNELS), dtype=np.float16)
        self._answers: dict[str, NDArray[Any]] = {}
        self._filled = 0
        self._least = min(reservoir, 16 * batch)  # of many settings before the first batch
        self._next = 0
        self.received = 0
        self.drawn = 0

    def close(self) -> None:
        """End the workers."""
        for process in self._processes:
            process.terminate()
            process.join()

    def _store(self, part: Examples) -> None:
        table = answers(part, self.allowed)
        if not self._answers:
            self._answers = {
                key: np.empty((self.capacity, *value.shape[1:]), value.dtype) for key, value in table.items()
            }
        at = (self._next + np.arange(len(part))) % self.capacity
        self._features[at] = part.features
        for key, value in table.items():
            self._answers[key][at] = value
        self._next = int((self._next + len(part)) % self.capacity)
        self._filled = min(self._filled + len(part), self.capacity)
        self.received += len(part)

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], dict[str, NDArray[Any]]]]:
        while True:
            # New examples are taken as they are needed, no sooner: measuring them costs the network time.
            while self.drawn + self.batch > self.reuse * self.received or self._filled < self._least:
                self._store(self._queue.get())
            rows = self._rng.integers(self._filled, size=self.batch)
            self.drawn += self.batch
            yield (
                self._features[rows].astype(np.float32),
                {key: value[rows] for key, value in self._answers.items()},
            )
