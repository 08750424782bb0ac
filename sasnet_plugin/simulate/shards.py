"""Datasets of clean measurements: planned as shards, made where they are missing.

A simulator says what a row is (`domains.Simulator`); how rows lie on disk is the same for all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from ..domains.simulator import Layout, Simulator
from ..files import new_hdf5, put_in_one_step
from ..types import SimulationError
from ..workers.spread import Workers, map_unordered
from .dataset import PARAMETERS, open_shard


@dataclass(frozen=True)
class Request:
    """What may be asked of a dataset; a domain has no use for some of it."""

    rounds: int  #: Passes, each with new measurements.
    seed: int
    scale: float = 1.0  #: Measurements in a round, times what the domain holds right.
    limit: int | None = None  #: No more of one model in a round than this.
    models: tuple[str, ...] | None = None  #: Only these.
    spread: bool = False  #: Also monodisperse measurements whose sizes are spread when they are drawn.
    monodisperse: bool = False  #: Leave size distributions out.
    #: The earlier prior, whose curves end where an average over orientations cannot be trusted.
    truncated: bool = False

    def only(self, *understood: str) -> None:
        """See that nothing is asked for that the domain has no use for.

        Raises
        ------
        SimulationError
            Something is; the sentence names its option.
        """
        for field in fields(self):
            if field.name in ("rounds", "seed", *understood):
                continue
            if getattr(self, field.name) != field.default:
                raise SimulationError(
                    f"--{field.name} has no effect for this kind of measurement; do not give it."
                )


@dataclass(frozen=True)
class Shard:
    """One file to be made."""

    folder: str
    name: str
    simulator: Simulator  #: Of its rows, with a ``layout``; it is sent to other processes.
    rows: int
    seed: tuple[int, ...]  #: Of its generator, so that its bytes depend on no worker and on no order.
    attributes: Mapping[str, Any]
    label: str  #: A few words for a progress bar.
    part: str = ""  #: Kind of its rows, where there are several: the model.

    @property
    def path(self) -> Path:
        return Path(self.folder) / f"{self.name}.h5"


@dataclass(frozen=True)
class Plan:
    """The shards of a dataset."""

    shards: tuple[Shard, ...]  #: In the order in which they are begun.
    settings: Mapping[str, Any]  #: Everything besides the name of a shard that its content depends on.

    def missing(self) -> list[Shard]:
        return [shard for shard in self.shards if not shard.path.exists()]

    def content(self, shards: Sequence[Shard]) -> str:
        """Words such as "1,200 curves of 80 models" for some of them."""
        parts = {shard.part for shard in self.shards}
        words = self.shards[0].simulator.layout.content
        return str(words.format(rows=sum(shard.rows for shard in shards), parts=len(parts)))

    def disk_need(self, shards: Sequence[Shard]) -> int:
        """Bytes that some of them will take at most."""
        layouts = [(shard.rows, shard.simulator.layout) for shard in shards]
        return sum(rows * layout.row_bytes + layout.shard_bytes for rows, layout in layouts)

    def check(self) -> None:
        """Check that existing shards have the planned rows. Raises SimulationError for another number (scale,
        limit) or an unreadable one.
        """
        for shard in self.shards:
            if not shard.path.exists():
                continue
            with open_shard(shard.path) as file:
                count = len(file[PARAMETERS])
            if count != shard.rows:
                noun = shard.simulator.layout.content.split()[1]
                raise SimulationError(
                    f"{shard.path}: holds {count} {noun} where {shard.rows} are planned;"
                    " choose another folder or the same options."
                )

    def run(self, *, workers: Workers = 1) -> Iterator[Shard]:
        """Make missing shards, yielding each when done; `workers` as in `workers.spread.map_unordered`.
        Raises SimulationError if the folder has shards of another seed or settings.
        """
        folder = Path(self.shards[0].folder)
        folder.mkdir(parents=True, exist_ok=True)
        check_settings(folder, self.settings)
        yield from map_unordered(make_shard, self.missing(), workers=workers)


def plan(simulator: Simulator, folder: Path | str, request: Request) -> Plan:
    """All shards of a dataset.

    A simulator whose rows are of several kinds plans itself.

    Raises
    ------
    SimulationError
        Something is asked for that this domain has no use for.
    """
    own_plan: Plan | None = simulator.plan(folder, request)
    if own_plan is not None:
        return own_plan
    request.only("scale")
    layout = simulator.layout
    number = -(-max(1, round(request.rounds * request.scale * layout.per_round)) // layout.rows)
    layout_settings = layout.settings() if layout.settings else {}
    settings = {"format": layout.format, "seed": request.seed, **layout_settings}
    noun = layout.content.split()[-1]
    shards = (
        Shard(
            str(folder),
            f"{layout.stem}-{index:05d}",
            simulator,
            layout.rows,
            (request.seed, index),
            {"settings": json.dumps(settings)},
            f"{noun} {layout.rows * index + 1:,} on",
        )
        for index in range(number)
    )
    return Plan(tuple(shards), settings)


def make_shard(shard: Shard) -> Shard:
    """Simulate the rows of one shard and put it in place in one step."""
    rng = np.random.default_rng(list(shard.seed))
    simulator, layout = shard.simulator, shard.simulator.layout
    rows = [simulator.clean(simulator.sample(rng)) for _ in range(shard.rows)]
    with put_in_one_step(shard.path) as temporary, new_hdf5(temporary) as file:
        file.attrs.update(shard.attributes)
        # Each is written out at once: otherwise that happens when Python frees it, and where its chunks lie
        # in the file depends on who else looks at this frame (Dask's profiler does).
        for name, (values, unit) in layout.constants.items():
            file.create_dataset(name, data=values, track_times=False).attrs["units"] = unit
            file.flush()
        for name in rows[0]:
            column = [row[name] for row in rows]
            if name == PARAMETERS:
                _write_parameters(file, column, layout)
            else:
                # lzf would be faster, but its bytes depend on what lay in memory before, for equal data too.
                options = {"compression": "gzip", "compression_opts": 1} if name in layout.compressed else {}
                file.create_dataset(name, data=np.stack(column), track_times=False, **options)
            file.flush()
    return shard


def _write_parameters(file: Any, parameters: Sequence[Mapping[str, float]], layout: Layout) -> None:
    """One column for each name; those that some rows lack are sorted, and NaN there."""
    keys = list(parameters[0])
    if any(list(row) != keys for row in parameters):
        keys = sorted({key for row in parameters for key in row})
    values = np.array([[row.get(key, np.nan) for key in keys] for row in parameters])
    table = file.create_dataset(PARAMETERS, data=values, track_times=False)
    table.attrs["names"] = keys
    if layout.unit is not None:
        table.attrs["units"] = [layout.unit(key) for key in keys]


def check_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """Check that a folder's shards were made with these JSON settings (all that content depends on besides a
    shard's name), or note them in an empty one. Raises SimulationError for others or an unreadable note.
    """
    path = folder / "settings.json"
    if path.exists():
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SimulationError(f"{path}: cannot be read ({error}); choose another folder.") from None
        if stored != json.loads(json.dumps(settings)):
            raise SimulationError(
                f"{folder}: holds shards made with {stored}, not {dict(settings)};"
                " choose another folder or the same options."
            )
        return
    with put_in_one_step(path) as temporary:
        temporary.write_text(json.dumps(settings) + "\n", encoding="utf-8")
