"""Bases on disk, in shards: planned, written whole or not at all, resumed by what is missing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.files import put_in_one_step

from ...compute import Workers
from ...types import SimulationError
from .. import bornagain
from ..folder import made
from ..images.detector import MARGIN
from ..images.window import Window
from .basis import Basis, basis
from .geometry import N_HALF, WINDOW, Geometry
from .priors import CLOSEST, GEOMETRY, sample_geometry

#: Raise it when the way from a geometry to its basis changes.
FORMAT = 1
#: Bases of a shard: a kill loses a second of work.
PER_SHARD = 8
_NAMES = tuple(field.name for field in fields(Geometry))


@dataclass(frozen=True)
class Chunk:
    """One shard to be made."""

    folder: str
    index: int
    seed: int
    seed_ranges: bool = False
    window: Window = WINDOW

    @property
    def path(self) -> Path:
        """Where the finished shard lies."""
        return Path(self.folder) / f"basis-{self.index:05d}.h5"


def plan(
    folder: Path | str, *, bases: int, seed: int, seed_ranges: bool = False, window: Window = WINDOW
) -> list[Chunk]:
    """All shards of a store; `bases` is rounded up to whole shards.

    Parameters
    ----------
    folder : Path
    bases : int
    seed : int
    seed_ranges : bool
        Geometries from the seed's ranges alone.
    window : Window
        Without its margin.
    """
    return [Chunk(str(folder), index, seed, seed_ranges, window) for index in range(-(-bases // PER_SHARD))]


def settings(chunk: Chunk) -> dict[str, Any]:
    """Everything besides its index that the content of a shard depends on."""
    tables: list[Any] = [astuple(prior) for prior in GEOMETRY.values()]
    tables += [CLOSEST, bornagain.PARTICLE, bornagain.FILM, bornagain.SUBSTRATE]
    return {
        "format": FORMAT,
        "seed": chunk.seed,
        "seed_ranges": chunk.seed_ranges,
        "window": asdict(chunk.window) | {"margin": MARGIN},
        "priors": hashlib.sha256(json.dumps(tables).encode()).hexdigest()[:16],
        "bornagain": bornagain.version(),
    }


def run(chunks: list[Chunk], *, workers: Workers = 1) -> Iterator[Chunk]:
    """Make the shards that are missing; yields each chunk as it is done.

    Raises
    ------
    SimulationError
        The folder holds shards of another seed, window, prior or BornAgain; BornAgain is not installed.
    """
    yield from made(chunks, settings, make_chunk, workers=workers)


def chunk_rng(chunk: Chunk) -> np.random.Generator:
    """A generator that depends on the seed and the index alone, so on no worker or order."""
    return np.random.default_rng([chunk.seed, chunk.index])


def make_chunk(chunk: Chunk) -> Chunk:
    """Compute the bases of one shard and put it in place in one step."""
    import h5py

    rng = chunk_rng(chunk)
    window = chunk.window.with_margin(MARGIN)
    geometries = [sample_geometry(rng, seed_ranges=chunk.seed_ranges) for _ in range(PER_SHARD)]
    found = [basis(geometry, window, dtype=np.float16) for geometry in geometries]
    with put_in_one_step(chunk.path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["settings"] = json.dumps(settings(chunk))
        parameters = file.create_dataset(
            "parameters", data=np.array([astuple(g) for g in geometries]), track_times=False
        )
        parameters.attrs["names"] = list(_NAMES)
        parameters.attrs["units"] = [GEOMETRY[name].unit for name in _NAMES]
        file.create_dataset("amplitude", data=np.stack([b.amplitude for b in found]), track_times=False)
        # As they are: reading is what training waits for.
        file.create_dataset("ratio", data=np.stack([b.ratio for b in found]), track_times=False)
    return chunk


def disk_need(chunks: list[Chunk]) -> int:
    """Bytes that the shards take."""
    window = chunks[0].window.with_margin(MARGIN) if chunks else WINDOW
    pixels = window.rows * window.columns
    return len(chunks) * (PER_SHARD * (pixels * (2 * N_HALF + 4) + 100) + 10_000)


def shard_paths(folder: Path | str) -> list[Path]:
    """All finished shards of a folder, sorted by name."""
    return sorted(Path(folder).glob("basis-[0-9][0-9][0-9][0-9][0-9].h5"))


class Store:
    """The bases of a folder, read when they are asked for.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    SimulationError
        There is no shard in it, or its note of settings cannot be read.
    """

    def __init__(self, folder: Path | str) -> None:
        self.paths = shard_paths(folder)
        if not self.paths:
            raise SimulationError(f"{folder}: no bases here; make them with simulate.gisas.store first.")
        try:
            note = json.loads((Path(folder) / "settings.json").read_text(encoding="utf-8"))
            stored = dict(note["window"])
            self.margin = int(stored.pop("margin"))
            stored = {key: tuple(v) if isinstance(v, list) else v for key, v in stored.items()}
            self.window = Window(**stored)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SimulationError(
                f"{folder}: its settings.json cannot be read ({error}); simulate into another folder."
            ) from None

    def __len__(self) -> int:
        return len(self.paths) * PER_SHARD

    def __getitem__(self, index: int) -> Basis:
        """One basis, in half precision as stored.

        Raises
        ------
        IndexError
            There are not so many.
        SimulationError
            Its shard is damaged.
        """
        import h5py

        if not 0 <= index < len(self):
            raise IndexError(index)
        path, row = self.paths[index // PER_SHARD], index % PER_SHARD
        try:
            with h5py.File(path, "r") as file:
                values = file["parameters"][row]
                amplitude, ratio = file["amplitude"][row], file["ratio"][row]
                names = [str(name) for name in file["parameters"].attrs["names"]]
        except (OSError, KeyError, IndexError, ValueError) as error:
            raise SimulationError(
                f"{path}: not a shard of bases ({error}); delete it and simulate again."
            ) from None
        geometry = Geometry(**{name: float(value) for name, value in zip(names, values, strict=True)})
        return Basis(geometry, self.window.with_margin(self.margin), amplitude, ratio)
