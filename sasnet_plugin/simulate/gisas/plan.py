"""Data sets of bases, as `sasnet simulate` plans them."""

from __future__ import annotations

from pathlib import Path

from ..plans import Plan, Wish, plan_of_rows
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
    return plan_of_rows(store, chunks, "bases of {:,} geometries", "bases", "geometries")
