"""Data sets of growing films, as `sasnet simulate` plans them."""

from __future__ import annotations

from pathlib import Path

from ..plans import Plan, Wish, plan_of_rows
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
    return plan_of_rows(store, chunks, "{:,} films", "films", "films")
