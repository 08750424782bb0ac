"""What a user may wish of a data set, and what a domain makes of it: shards to be made and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..types import SimulationError


@dataclass(frozen=True)
class Wish:
    """What may be asked of a data set; a domain has no use for some of it.

    Parameters
    ----------
    rounds : int
        Passes, each with new measurements.
    seed : int
    scale : float
        Measurements in a round, times what the domain holds right.
    limit : int or None
        No more of one model in a round than this.
    models : tuple of str or None
        Only these.
    spread : bool
        Also monodisperse measurements whose sizes are spread when they are drawn.
    monodisperse : bool
        Leave size distributions out.
    """

    rounds: int
    seed: int
    scale: float = 1.0
    limit: int | None = None
    models: tuple[str, ...] | None = None
    spread: bool = False
    monodisperse: bool = False

    def only(self, domain: str, *understood: str) -> None:
        """See that nothing is wished that the domain has no use for.

        Raises
        ------
        SimulationError
            Something is; the sentence names its option.
        """
        for field in fields(self):
            if field.name in ("rounds", "seed", *understood):
                continue
            if getattr(self, field.name) != field.default:
                raise SimulationError(f"--{field.name} means nothing for {domain}; leave it out.")


@dataclass(frozen=True)
class Plan:
    """The shards of a data set.

    Parameters
    ----------
    chunks : sequence
        One for each shard; its ``path`` is where the finished shard lies.
    run : callable
        (chunks, workers=) makes those that are missing and yields each as it is done.
    check : callable
        (chunks) sees that the shards which exist are as planned.
    disk_need : callable
        (chunks) to the bytes that they take at most.
    content : callable
        (chunks missing, all chunks) to words such as "1,200 curves of 80 models".
    label : callable
        (chunk) to a few words for a progress bar.
    """

    chunks: Sequence[Any]
    run: Callable[..., Iterator[Any]]
    check: Callable[[Sequence[Any]], None]
    disk_need: Callable[[Sequence[Any]], int]
    content: Callable[[Sequence[Any], Sequence[Any]], str]
    label: Callable[[Any], str]

    def missing(self) -> list[Any]:
        """Chunks whose shards do not exist yet."""
        return [chunk for chunk in self.chunks if not Path(chunk.path).exists()]


def plan_of_rows(store: Any, chunks: Sequence[Any], content: str, noun: str, first: str) -> Plan:
    """The plan of a store whose shards hold equally many rows each.

    Parameters
    ----------
    store : module
        With ``run``, ``disk_need`` and ``PER_SHARD``, the rows of a shard.
    chunks : sequence
    content : str
        Words for so many rows, ``{:,} films``.
    noun : str
        What a shard holds, ``films``.
    first : str
        What is numbered on a progress bar, ``films``.
    """
    rows = store.PER_SHARD
    return Plan(
        chunks=chunks,
        run=store.run,
        check=lambda some: check_rows(some, rows, noun),
        disk_need=lambda some: store.disk_need(list(some)),
        content=lambda missing, _: content.format(rows * len(missing)),
        label=lambda chunk: f"{first} {rows * chunk.index + 1:,} on",
    )


def check_rows(chunks: Sequence[Any], rows: int, noun: str) -> None:
    """See that the shards which exist hold so many rows of parameters each.

    Raises
    ------
    SimulationError
        One is damaged, or holds another number; the sentence names it.
    """
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
        if found != rows:
            raise SimulationError(f"{chunk.path}: holds {found} {noun}, not {rows}; delete it.")
