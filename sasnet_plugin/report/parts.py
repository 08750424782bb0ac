"""An evaluation in parts: any process measures and answers them, and the figures are the same wherever.

What is drawn depends on the seed and the part alone. Parts are told where the files lie, and each process
reads them once; what comes back are answers, not what was measured.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from ..predict import Predictor
from ..workers.spread import Workers, map_unordered
from ..zoo import ZooModel, open_folder

P = TypeVar("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Job:
    """What all parts of one evaluation have in common."""

    folder: Path
    sha256: tuple[tuple[str, str], ...]  #: Names of its files, and what a worker has to find there.
    test: Path  #: Folder of the shards.
    seed: int  #: Of the measurement.
    #: Its own: a worker of a cluster outlives it, and files are read anew for the next one.
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    @classmethod
    def create(cls, model: ZooModel, test: Path, seed: int) -> Job:
        """The evaluation of a model on a folder of shards."""
        return cls(model.folder.absolute(), tuple(model.sha256.items()), test.absolute(), seed)

    def predictor(self) -> Predictor:
        """Open the model anew. Raises ModelZooError if it is missing or another."""
        return Predictor.load(open_folder(self.folder, dict(self.sha256)))

    def rng(self, number: int) -> np.random.Generator:
        """What a part is drawn with."""
        return np.random.default_rng([self.seed, number])


def run_parts(
    function: Callable[[Job, int, P], R],
    job: Job,
    parts: Sequence[P],
    *,
    workers: Workers = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[R]:
    """Return results of all parts in order, from an importable function of (job, number, part)."""
    results: dict[int, R] = {}
    for number, result in map_unordered(partial(_one, function, job), enumerate(parts), workers=workers):
        results[number] = result
        if progress is not None:
            progress(len(results), len(parts))
    return [results[number] for number in range(len(parts))]


def _one(function: Callable[[Job, int, P], R], job: Job, item: tuple[int, P]) -> tuple[int, R]:
    number, part = item
    return number, function(job, number, part)
