"""Data sets of curves, as `sasnet simulate` plans them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..types import SimulationError
from . import shards
from .plans import Plan, Wish


def plan(folder: Path, wish: Wish) -> Plan:
    """Shards of the clean curves of all models, or of those wished for.

    Raises
    ------
    SimulationError
        A model that sasmodels does not know, or two plugin files of one name.
    """
    _check_names(wish.models)
    chunks = shards.plan(
        folder,
        rounds=wish.rounds,
        seed=wish.seed,
        models=wish.models,
        monodisperse=wish.monodisperse,
        scale=wish.scale,
        limit=wish.limit,
        spread=wish.spread,
    )
    return Plan(
        chunks=chunks,
        run=shards.run,
        check=lambda some: shards.check_counts(list(some)),
        disk_need=lambda some: shards.disk_need(list(some)),
        content=_content,
        label=lambda chunk: f"{Path(chunk.model).stem}, round {chunk.round + 1}",
    )


def _content(missing: Sequence[shards.Chunk], every: Sequence[shards.Chunk]) -> str:
    curves, kinds = sum(chunk.count for chunk in missing), len({chunk.model for chunk in every})
    return f"{curves:,} curves of {kinds} models"


def _check_names(names: tuple[str, ...] | None) -> None:
    from .priors import model_info

    stems: dict[str, str] = {}
    for name in names or ():
        model_info(name)
        stem = Path(name).stem
        if stem in stems:
            raise SimulationError(f"{name}: has the same name as {stems[stem]}; rename the plugin file.")
        stems[stem] = name
