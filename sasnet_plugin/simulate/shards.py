"""Shards of clean curves on disk: planned, written whole or not at all, resumed by what is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import SimulationError
from .clean import cost_class, simulate_clean
from .folder import made, put_in_one_step
from .grid import N_WIDE, WIDE_Q
from .priors import form_models, model_info, structure_factors

FORMAT = 2
RADIUS = "radius_effective"
#: Curves of one model in one round: a chunk that is lost with a kill is seconds to a minute of work.
CHUNK = {"fast": 150, "medium": 50, "slow": 20}
#: A curve of these takes seconds even so.
VERY_SLOW = {"pringle": 2, "superball": 5}
#: Monodisperse curves besides, whose sizes are spread when they are drawn (`library.spread`): a tenth of the
#: cost of a polydisperse one. Fast models need none.
SPREAD = {"fast": 0, "medium": 100, "slow": 80}
SPREAD_VERY_SLOW = {"superball": 12, "bcc_paracrystal": 15, "fcc_paracrystal": 15, "sc_paracrystal": 15}


@dataclass(frozen=True)
class Chunk:
    """One shard to be made: `count` curves of one model."""

    folder: str
    model: str
    round: int
    count: int
    seed: int
    monodisperse: bool
    spread: bool = False

    @property
    def path(self) -> Path:
        """Where the finished shard lies."""
        kind = "-spread" if self.spread else ""
        return Path(self.folder) / f"{Path(self.model).stem}{kind}-{self.round:04d}.h5"


def plan(
    folder: Path,
    *,
    rounds: int,
    seed: int,
    models: tuple[str, ...] | None = None,
    monodisperse: bool = False,
    scale: float = 1.0,
    limit: int | None = None,
    spread: bool = False,
) -> list[Chunk]:
    """All chunks of a data set, round by round, so that stopping early leaves every model represented.

    Parameters
    ----------
    folder : Path
    rounds : int
        Each holds 150 curves of a fast model, 50 of a medium and 20 of a slow one, times `scale`.
    seed : int
    models : tuple of str, optional
        Default: all form models and the four structure factors.
    monodisperse : bool
    scale : float
    limit : int, optional
        No more than this many curves of a model in a round.
    spread : bool
        For training: also 100 monodisperse curves of a medium model and 80 of a slow one, whose sizes are
        spread when they are drawn.
    """
    names = models or (*form_models(), *structure_factors())
    chunks = []
    for index in range(rounds):
        for name in names:
            count = VERY_SLOW.get(name, CHUNK[cost_class(name)])
            count = max(1, round(count * scale))
            if limit is not None:
                count = min(count, limit)
            chunks.append(Chunk(str(folder), name, index, count, seed, monodisperse))
            more = SPREAD_VERY_SLOW.get(name, SPREAD[cost_class(name)]) if spread else 0
            if more:
                count = max(1, round(more * scale))
                chunks.append(Chunk(str(folder), name, index, count, seed, True, spread=True))
    return chunks


def disk_need(chunks: list[Chunk]) -> int:
    """Bytes that the shards will take at most, from the size of their curves (compression saves some)."""
    return sum(c.count * (N_WIDE * 4 + 600) + N_WIDE * 8 + 12_000 for c in chunks)


def run(chunks: list[Chunk], *, workers: int = 1) -> Iterator[Chunk]:
    """Make the shards that are missing; yields each chunk as it is done.

    Raises
    ------
    SimulationError
        The folder holds shards of another seed or plan.
    """
    # Slow chunks first within the queue would starve early rounds; order is kept as planned.
    yield from made(chunks, settings, make_chunk, workers=workers)


def settings(chunk: Chunk) -> dict[str, Any]:
    """Everything besides its model and number that the content of a shard depends on."""
    monodisperse = chunk.monodisperse and not chunk.spread
    return {"format": FORMAT, "seed": chunk.seed, "monodisperse": monodisperse}


def check_counts(chunks: list[Chunk]) -> None:
    """See that the shards which exist hold as many curves as planned.

    Raises
    ------
    SimulationError
        One holds another number (another scale or limit) or cannot be read.
    """
    import h5py

    for chunk in chunks:
        if not chunk.path.exists():
            continue
        try:
            with h5py.File(chunk.path, "r") as file:
                found = len(file["n_valid"])
        except (OSError, KeyError) as error:
            raise SimulationError(
                f"{chunk.path}: not a shard of sasnet ({error}); delete it and simulate again."
            ) from None
        if found != chunk.count:
            raise SimulationError(
                f"{chunk.path}: holds {found} curves where {chunk.count} are planned;"
                " choose another folder or the same options."
            )


def chunk_rng(chunk: Chunk) -> np.random.Generator:
    """A generator that depends on the seed, the model and the round alone, so on no worker or order."""
    kind = " spread" if chunk.spread else ""
    digest = hashlib.sha256(f"{Path(chunk.model).stem}{kind}".encode()).digest()[:8]
    return np.random.default_rng([chunk.seed, int.from_bytes(digest, "little"), chunk.round])


def make_chunk(chunk: Chunk) -> Chunk:
    """Simulate one chunk and put its shard in place in one step."""
    import h5py

    rng = chunk_rng(chunk)
    cleans = [simulate_clean(chunk.model, rng, monodisperse=chunk.monodisperse) for _ in range(chunk.count)]
    keys = sorted({key for clean in cleans for key in clean.parameters})
    values = np.array([[c.parameters.get(key, np.nan) for key in keys] for c in cleans])
    units = [_unit(chunk.model, key) for key in keys]
    with put_in_one_step(chunk.path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update(
            format=FORMAT,
            model=chunk.model,
            seed=chunk.seed,
            round=chunk.round,
            monodisperse=chunk.monodisperse,
            spread=chunk.spread,
            **_versions(),
        )
        file.create_dataset("q", data=WIDE_Q, track_times=False).attrs["units"] = "1/Ang"
        curves = np.stack([c.log_intensity for c in cleans])
        # lzf would be faster, but its bytes depend on what lay in memory before, for equal data too.
        file.create_dataset(
            "log_intensity", data=curves, track_times=False, compression="gzip", compression_opts=1
        )
        file.create_dataset("n_valid", data=np.array([c.n_valid for c in cleans]), track_times=False)
        parameters = file.create_dataset("parameters", data=values, track_times=False)
        parameters.attrs["names"] = keys
        parameters.attrs["units"] = units
        for name in ("radius_effective", "max_length", "log_rg"):
            column = np.array([getattr(c, name) for c in cleans])
            file.create_dataset(name, data=column, track_times=False)
    return chunk


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("sasmodels", "numpy")}


def _unit(model: str, key: str) -> str:
    if "_pd" in key:
        return ""
    units = {p.name: p.units for p in model_info(model).parameters.call_parameters}
    return str(units.get(key, ""))


@dataclass(frozen=True)
class Shelf:
    """All clean curves of one model.

    Parameters
    ----------
    model : str
        sasmodels' name, or the path of a plugin model file.
    log_intensity : (n, N_WIDE) float32 array
        ln I, largest value 0; NaN from ``n_valid`` on.
    n_valid : (n,) int array
    radius_effective, max_length, log_rg : (n,) float arrays
        Å, Å, log10 of Å.
    spread : (n,) bool array
        Monodisperse curves whose sizes are to be spread when they are drawn.
    """

    model: str
    log_intensity: NDArray[np.float32]
    n_valid: NDArray[np.intp]
    radius_effective: NDArray[np.float64]
    max_length: NDArray[np.float64]
    log_rg: NDArray[np.float64]
    spread: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.n_valid)


def shard_paths(folder: Path) -> list[Path]:
    """All finished shards of a folder, sorted by name."""
    return sorted(Path(folder).glob("*-[0-9][0-9][0-9][0-9].h5"))


def read_shelves(folder: Path) -> dict[str, Shelf]:
    """All finished shards of a folder, by the model's name.

    Raises
    ------
    SimulationError
        There is none, or one cannot be read.
    """
    import h5py

    paths = shard_paths(folder)
    if not paths:
        raise SimulationError(f"{folder}: no shards here; make them with 'sasnet simulate --out {folder}'.")
    parts: dict[str, list[dict[str, NDArray]]] = {}
    names = ("log_intensity", "n_valid", RADIUS, "max_length", "log_rg")
    for path in paths:
        try:
            with h5py.File(path, "r") as file:
                part = {n: file[n][()] for n in names}
                part["spread"] = np.full(len(part["n_valid"]), bool(file.attrs["spread"]))
                keys = list(file["parameters"].attrs["names"])
                if RADIUS in keys:  # a structure factor's own parameter
                    part[RADIUS] = file["parameters"][:, keys.index(RADIUS)]
                parts.setdefault(str(file.attrs["model"]), []).append(part)
        except (OSError, KeyError) as error:
            raise SimulationError(
                f"{path}: not a shard of sasnet ({error}); delete it and simulate again."
            ) from None
    shelves = {}
    for model, found in sorted(parts.items()):
        columns = {n: np.concatenate([part[n] for part in found]) for n in (*names, "spread")}
        # A plugin file's model goes by the file's name, as SasView has it.
        shelves[Path(model).stem] = Shelf(model, **columns)
    return shelves
