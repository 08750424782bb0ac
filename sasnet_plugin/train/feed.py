"""Training batches: worker processes measure examples, a reservoir mixes and reuses them a few times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domains import Domain, resolve


def _work(stream: str, folder: str, seed: list[int], queue: Any) -> None:
    import os
    import time

    if hasattr(os, "nice"):
        os.nice(10)  # a step of the network waits for its slowest thread; examples can wait
    # What a killed trainer has not read holds nobody back from ending.
    queue.cancel_join_thread()
    source = resolve(stream)(folder, np.random.default_rng(seed))
    parent = os.getppid()
    while os.getppid() == parent:  # a trainer killed at once leaves no orphan behind
        features, answers = source.take()
        while queue.full() and os.getppid() == parent:
            time.sleep(0.02)
        queue.put((features.astype(np.float16), answers))


class Feed:
    """An endless iterator of (features, answers) batches.

    Parameters
    ----------
    domain : Domain
        Its stream is run by every worker.
    folder : Path
        Of shards; every worker reads them.
    seed : int
    batch : int
    workers : int
        Processes that measure examples.
    """

    def __init__(
        self,
        domain: Domain,
        folder: Path,
        *,
        seed: int,
        batch: int = 512,
        workers: int = 1,
    ) -> None:
        import multiprocessing

        self.batch, self.reuse, self.capacity = batch, domain.reuse, domain.reservoir
        self._augment = resolve(domain.augment) if domain.augment else None
        self._rng = np.random.default_rng([seed, 1 << 20])
        context = multiprocessing.get_context("spawn")
        self._queue: Any = context.Queue(maxsize=24)
        self._processes = [
            context.Process(
                target=_work, args=(domain.stream, str(folder), [seed, index], self._queue), daemon=True
            )
            for index in range(workers)
        ]
        for process in self._processes:
            process.start()
        # In half precision; batches are random draws from them.
        self._features: NDArray[np.float16] = np.empty(0, dtype=np.float16)
        self._answers: dict[str, NDArray[Any]] = {}
        self._filled = 0
        self._least = min(self.capacity, 16 * batch)  # of many settings before the first batch
        self._next = 0
        self.received = 0
        self.drawn = 0

    def close(self) -> None:
        """End the workers."""
        for process in self._processes:
            process.terminate()
            process.join()

    def _store(self, features: NDArray[np.float16], answers: dict[str, NDArray[Any]]) -> None:
        if not self._answers:
            self._features = np.empty((self.capacity, *features.shape[1:]), dtype=np.float16)
            self._answers = {
                key: np.empty((self.capacity, *value.shape[1:]), value.dtype)
                for key, value in answers.items()
            }
        n = len(features)
        at = (self._next + np.arange(n)) % self.capacity
        self._features[at] = features
        for key, value in answers.items():
            self._answers[key][at] = value
        self._next = int((self._next + n) % self.capacity)
        self._filled = min(self._filled + n, self.capacity)
        self.received += n

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], dict[str, NDArray[Any]]]]:
        while True:
            # New examples are taken as they are needed, no sooner: measuring them costs the network time.
            while self.drawn + self.batch > self.reuse * self.received or self._filled < self._least:
                self._store(*self._queue.get())
            rows = self._rng.integers(self._filled, size=self.batch)
            self.drawn += self.batch
            features = self._features[rows].astype(np.float32)
            answers = {key: value[rows] for key, value in self._answers.items()}
            yield self._augment(features, answers, self._rng) if self._augment else (features, answers)
