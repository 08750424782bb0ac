"""Data sets of bases, as `sasnet simulate` plans them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...types import SimulationError
from ..plans import Plan, Wish
from . import store

#: Bases of one round: two minutes of one core.
ROUND = 1000


def plan(folder: Path, wish: Wish) -> Plan:
    """Shards of the bases of `ROUND` geometries a round, times the scale.

    Raises
    ------
    SimulationError
        Something is wished that only curves have.
    """
    wish.only("gisas_hex", "scale")
    chunks = store.plan(folder, bases=max(1, round(wish.rounds * wish.scale * ROUND)), seed=wish.seed)
    return Plan(
        chunks=chunks,
        run=store.run,
        check=_check,
        disk_need=lambda some: store.disk_need(list(some)),
        content=lambda missing, _: f"bases of {store.PER_SHARD * len(missing):,} geometries",
        label=lambda chunk: f"geometries {store.PER_SHARD * chunk.index + 1:,} on",
    )


def _check(chunks: Sequence[store.Chunk]) -> None:
    import h5py

    for chunk in chunks:
        if not chunk.path.exists():
            continue
        try:
            with h5py.File(chunk.path, "r") as file:
                found = len(file["parameters"])
        except (OSError, KeyError) as error:
            raise SimulationError(
                f"{chunk.path}: not a shard of sasnet ({error}); delete it and simulate again."
            ) from None
        if found != store.PER_SHARD:
            raise SimulationError(f"{chunk.path}: holds {found} bases, not {store.PER_SHARD}; delete it.")
