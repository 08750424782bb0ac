"""Training batches: worker processes measure examples, a reservoir mixes and reuses them a few times."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domains import Domain
from ..domains.heads import FRAME_MASK, Inputs, Targets
from ..simulate.dataset import Stream, as_read, augment
from ..types import SimulationError
from ..workers.pool import GoneError, Pool
from ..workers.threads import environment_of_one_thread

#: Takes from a stream that are on their way to the trainer at a time, of all processes together.
_AHEAD = 24


def begin(domain: Domain, folder: str, seed: Sequence[int]) -> Callable[[Any, Any], tuple[Inputs, Targets]]:
    """Return what measures further examples in a process of the feed."""
    if hasattr(os, "nice"):
        os.nice(10)  # a step of the network waits for its slowest thread; examples can wait
    source = Stream(domain, Path(folder), np.random.default_rng(seed))

    def take(_: Any, __: Any) -> tuple[Inputs, Targets]:
        inputs, targets = source.take()
        return {name: _half(values) for name, values in inputs.items()}, targets

    return take


def _half(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(np.float16) if values.dtype.kind == "f" else values


class Feed:
    """An endless iterator of (inputs, targets) batches, measured from shards by workers."""

    def __init__(
        self,
        domain: Domain,
        folder: Path,
        *,
        seed: int,
        batch: int = 512,
        workers: int = 1,
    ) -> None:
        self.batch, self.domain = batch, domain
        self.reuse, self.capacity = domain.network.reuse, domain.network.reservoir
        self._rng = np.random.default_rng([seed, 1 << 20])
        # Threads of linear algebra take turns with the network's, and double what an example costs.
        threads = environment_of_one_thread()
        self._pool = Pool(
            f"{__name__}:begin", workers, first=(domain, str(folder)), ahead=-(-_AHEAD // max(workers, 1)),
            each=[([seed, index],) for index in range(workers)], environment=threads,
        )  # fmt: skip
        while self._pool.room:
            self._pool.ask("one more")
        # In half precision; batches are random draws from them.
        self._kept: dict[str, dict[str, NDArray[Any]]] = {}
        self._filled = 0
        self._least = min(self.capacity // 2, 16 * batch)  # of many settings before the first batch
        self._next = 0
        # Where each example is drawn once: which have not been.
        self._once = self.reuse <= 1
        self._fresh = np.zeros(self.capacity, dtype=bool)
        self.received = 0
        self.drawn = 0

    def close(self) -> None:
        self._pool.close()

    def _take(self) -> tuple[Inputs, Targets]:
        for reply in self._pool.hear():
            if reply.error is not None and not isinstance(reply.error, GoneError):
                raise reply.error
            if reply.error is None:
                self._pool.ask("one more")
                inputs, targets = reply.message
                return inputs, targets
        raise SimulationError(
            "a process that simulates training data ended, perhaps because memory ran out; the same command"
            " continues from the last checkpoint."
        )

    def _store(self, inputs: Inputs, targets: Targets) -> None:
        n = len(next(iter(targets.values())))
        if self._once:
            rows = np.flatnonzero(~self._fresh)[:n]
            self._fresh[rows] = True
        else:
            rows = (self._next + np.arange(n)) % self.capacity
        for kind, arrays in (("inputs", inputs), ("targets", targets)):
            stored = self._kept.setdefault(kind, {})
            for name, values in arrays.items():
                if name not in stored:
                    stored[name] = np.empty((self.capacity, *values.shape[1:]), values.dtype)
                stored[name][rows] = values
        self._next = int((self._next + n) % self.capacity)
        self._filled = min(self._filled + n, self.capacity)
        self.received += n

    def __iter__(self) -> Iterator[tuple[Any, Targets]]:
        while True:
            # New examples are taken as they are needed, no sooner: measuring them costs the network time.
            while self._wanting():
                self._store(*self._take())
            rows, frames = self._rows()
            self.drawn += self.batch
            inputs = {name: _single(stored[rows], frames) for name, stored in self._kept["inputs"].items()}
            targets = {name: stored[rows] for name, stored in self._kept["targets"].items()}
            inputs, targets = augment(self.domain, inputs, targets, self._rng)
            yield as_read(inputs), targets

    def _wanting(self) -> bool:
        if self._once:
            # What is left after this batch still mixes many settings.
            return bool(np.count_nonzero(self._fresh) < self._least)
        return self.drawn + self.batch > self.reuse * self.received or self._filled < self._least

    def _rows(self) -> tuple[NDArray[np.intp], int]:
        """Which examples make a batch; of sets, how many frames each of them has."""
        # A batch holds sets of one length, each as often as there are such sets: most have fewer frames than
        # fit, and a network's time goes by the frames, there or not.
        if self._once:
            rows = self._rng.choice(np.flatnonzero(self._fresh), self.batch, replace=False)
            self._fresh[rows] = False
            return rows, 0
        mask = self._kept["inputs"].get(FRAME_MASK)
        if mask is None:
            return self._rng.integers(self._filled, size=self.batch), 0
        lengths = mask[: self._filled].sum(axis=1)
        length = lengths[self._rng.integers(self._filled)]
        # Keras takes an axis for a variable one where the first two batches differ in it.
        if self.drawn < 2 * self.batch:
            length = lengths.max() if self.drawn else lengths.min()
        return self._rng.choice(np.flatnonzero(lengths == length), self.batch), int(length)


def _single(values: NDArray[Any], frames: int) -> NDArray[Any]:
    """Convert to single precision; of a set, keep the frames that are there."""
    if frames and values.ndim > 1:
        values = values[:, :frames]
    return values.astype(np.float32) if values.dtype.kind == "f" else values
