"""Data sets of bases, as `sasnet simulate` plans them."""

from __future__ import annotations

from pathlib import Path

from ..plans import Plan, Wish, check_rows
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
        check=lambda some: check_rows(some, store.PER_SHARD, "bases"),
        disk_need=lambda some: store.disk_need(list(some)),
        content=lambda missing, _: f"bases of {store.PER_SHARD * len(missing):,} geometries",
        label=lambda chunk: f"geometries {store.PER_SHARD * chunk.index + 1:,} on",
    )
