"""Clean patterns of growing films on disk, in shards: planned, written whole or not at all, resumed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.files import put_in_one_step

from ...compute import Workers
from ...types import SimulationError
from .. import bornagain
from ..folder import made
from ..images.detector import MARGIN
from ..images.window import Window
from . import priors, stack
from .film import WINDOW, Film
from .pattern import pattern
from .sample import Example, example

#: Raise it when the way from a film to its pattern changes.
FORMAT = 1
#: Patterns of a shard: a kill loses three seconds of work.
PER_SHARD = 128
_NAMES = tuple(field.name for field in fields(Film))


@dataclass(frozen=True)
class Chunk:
    """One shard to be made."""

    folder: str
    index: int
    seed: int
    window: Window = WINDOW

    @property
    def path(self) -> Path:
        """Where the finished shard lies."""
        return Path(self.folder) / f"films-{self.index:05d}.h5"


def plan(folder: Path | str, *, films: int, seed: int, window: Window = WINDOW) -> list[Chunk]:
    """All shards of a store; `films` is rounded up to whole shards.

    Parameters
    ----------
    folder : Path
    films : int
    seed : int
    window : Window
        Without its margin.
    """
    return [Chunk(str(folder), index, seed, window) for index in range(-(-films // PER_SHARD))]


def settings(chunk: Chunk) -> dict[str, Any]:
    """Everything besides its index that the content of a shard depends on."""
    tables: list[Any] = [astuple(prior) for prior in priors.FILM.values()]
    tables += [priors.SPREAD_LIMITS, priors.MOST_METAL, stack.METAL, stack.POLYMER, stack.SUBSTRATE]
    return {
        "format": FORMAT,
        "seed": chunk.seed,
        "window": asdict(chunk.window) | {"margin": MARGIN},
        "priors": hashlib.sha256(json.dumps(tables).encode()).hexdigest()[:16],
        "bornagain": bornagain.version(),
    }


def run(chunks: list[Chunk], *, workers: Workers = 1) -> Iterator[Chunk]:
    """Make the shards that are missing; yields each chunk as it is done.

    Raises
    ------
    SimulationError
        The folder holds shards of another seed, window or prior.
    """
    yield from made(chunks, settings, make_chunk, workers=workers)


def make_chunk(chunk: Chunk) -> Chunk:
    """Compute the patterns of one shard and put it in place in one step."""
    import h5py

    rng = np.random.default_rng([chunk.seed, chunk.index])
    window = chunk.window.with_margin(MARGIN)
    films = [priors.sample_film(rng) for _ in range(PER_SHARD)]
    found = np.stack([_scaled(pattern(film, window)) for film in films])
    with put_in_one_step(chunk.path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["settings"] = json.dumps(settings(chunk))
        parameters = file.create_dataset(
            "parameters", data=np.array([astuple(film) for film in films]), track_times=False
        )
        parameters.attrs["names"] = list(_NAMES)
        file.create_dataset("patterns", data=found, track_times=False)
    return chunk


def disk_need(chunks: list[Chunk]) -> int:
    """Bytes that the shards take."""
    pixels = int(np.prod(chunks[0].window.with_margin(MARGIN).shape)) if chunks else 0
    return len(chunks) * (PER_SHARD * (2 * pixels + 8 * len(_NAMES)) + 10_000)


def _scaled(clean: NDArray[np.float32]) -> NDArray[np.float16]:
    """Square root over its largest: half precision then keeps ten decades, each to 0.1 %."""
    return np.sqrt(clean / clean.max()).astype(np.float16)


class Store:
    """The patterns of a folder, all in memory in half precision (10 kB each).

    Parameters
    ----------
    folder : Path
    window : Window
        Without its margin.

    Raises
    ------
    SimulationError
        There is no shard in it, or one is damaged or of another window.
    """

    def __init__(self, folder: Path | str, *, window: Window = WINDOW) -> None:
        import h5py

        paths = sorted(Path(folder).glob("films-[0-9][0-9][0-9][0-9][0-9].h5"))
        if not paths:
            raise SimulationError(f"{folder}: no films here; make them with simulate.growth.store first.")
        self.window = window
        films, patterns = [], []
        for path in paths:
            try:
                with h5py.File(path, "r") as file:
                    films.append(file["parameters"][:])
                    patterns.append(file["patterns"][:])
            except (OSError, KeyError, ValueError) as error:
                raise SimulationError(
                    f"{path}: not a shard of films ({error}); delete it and simulate again."
                ) from None
            if patterns[-1].shape[1:] != window.with_margin(MARGIN).shape:
                raise SimulationError(f"{path}: made for another window; simulate into another folder.")
        self._films, self._patterns = np.concatenate(films), np.concatenate(patterns)

    def __len__(self) -> int:
        return len(self._films)

    def film(self, index: int) -> Film:
        """The film of one pattern."""
        return Film(**dict(zip(_NAMES, map(float, self._films[index]), strict=True)))

    def clean(self, index: int) -> NDArray[np.float32]:
        """One pattern with its margin; its largest pixel is 1."""
        return np.asarray(np.square(self._patterns[index].astype(np.float32)))

    def example(self, index: int, rng: np.random.Generator, *, counts: float | None = None) -> Example:
        """Measure one of them; see `sample.example`."""
        return example(self.film(index), rng, window=self.window, clean=self.clean(index), counts=counts)
