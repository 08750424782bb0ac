"""Data sets of growing films, as `sasnet simulate` plans them."""

from __future__ import annotations

from pathlib import Path

from ..plans import Plan, Wish, check_rows
from . import store

#: Films of one round: half a minute of one core.
ROUND = 1024


def plan(folder: Path, wish: Wish) -> Plan:
    """Shards of `ROUND` films a round, times the scale.

    Raises
    ------
    SimulationError
        Something is wished that only curves have.
    """
    wish.only("gisas_growth", "scale")
    chunks = store.plan(folder, films=max(1, round(wish.rounds * wish.scale * ROUND)), seed=wish.seed)
    return Plan(
        chunks=chunks,
        run=store.run,
        check=lambda some: check_rows(some, store.PER_SHARD, "films"),
        disk_need=lambda some: store.disk_need(list(some)),
        content=lambda missing, _: f"{store.PER_SHARD * len(missing):,} films",
        label=lambda chunk: f"films {store.PER_SHARD * chunk.index + 1:,} on",
    )
