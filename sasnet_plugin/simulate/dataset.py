"""Datasets of clean measurements: planned as shards, made where they are missing, read back.

A simulator says what a row is (`domains.Simulator`); how rows lie on disk is the same for all of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compute import Workers, unordered_map
from ..files import put_in_one_step
from ..types import SimulationError
from .folder import check_settings

#: Arrays of one clean measurement by name; ``parameters`` is a mapping of numbers by name.
Row = Mapping[str, Any]
PARAMETERS = "parameters"


@dataclass(frozen=True)
class Request:
    """What may be asked of a dataset; a domain has no use for some of it.

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

    def only(self, *understood: str) -> None:
        """See that nothing is asked for that the domain has no use for.

        Raises
        ------
        SimulationError
            Something is; the sentence names its option.
        """
        for one in fields(self):
            if one.name in ("rounds", "seed", *understood):
                continue
            if getattr(self, one.name) != one.default:
                raise SimulationError(
                    f"--{one.name} means nothing for this kind of measurement; leave it out."
                )


@dataclass(frozen=True)
class Layout:
    """How the rows of a simulator lie on disk; it is the simulator's attribute ``layout``.

    Parameters
    ----------
    format : int
        Raised when the way from parameters to a row changes.
    stem : str
        What the names of shards begin with: ``films-00000.h5``.
    content : str
        Of ``rows`` and ``parts``, words for so many: "{rows:,} films".
    rows, per_round : int
        Of a shard, about a second to a minute of work, which is what a kill loses; of a round.
    row_bytes, shard_bytes : int
        At most, on disk; of a shard besides its rows.
    settings : callable or None
        () to everything besides seed and number that the content of a shard depends on; JSON holds it.
    unit : callable or None
        (name) to the unit of a parameter; None writes no units.
    constants : mapping of str to (array, str)
        The same for all rows, each with its unit.
    compressed : tuple of str
        Arrays that are worth it.
    in_memory : bool
        Whether a dataset is read whole: rows are small and drawn one by one.
    """

    format: int = 1
    stem: str = "rows"
    content: str = "{rows:,} rows"
    rows: int = 128
    per_round: int = 1024
    row_bytes: int = 10_000
    shard_bytes: int = 10_000
    settings: Callable[[], Mapping[str, Any]] | None = None
    unit: Callable[[str], str] | None = None
    constants: Mapping[str, tuple[NDArray[Any], str]] = field(default_factory=dict)
    compressed: tuple[str, ...] = ()
    in_memory: bool = True


@dataclass(frozen=True)
class Shard:
    """One file to be made.

    Parameters
    ----------
    folder, name : str
    simulator : Simulator
        Of its rows, with a ``layout``; it is sent to other processes.
    rows : int
    seed : tuple of int
        Of its generator, so that its bytes depend on no worker and on no order.
    attributes : mapping
        Of the file.
    label : str
        A few words for a progress bar.
    part : str
        Kind of its rows, where there are several: the model.
    """

    folder: str
    name: str
    simulator: Any
    rows: int
    seed: tuple[int, ...]
    attributes: Mapping[str, Any]
    label: str
    part: str = ""

    @property
    def path(self) -> Path:
        """Where the finished shard lies."""
        return Path(self.folder) / f"{self.name}.h5"


@dataclass(frozen=True)
class Plan:
    """The shards of a dataset.

    Parameters
    ----------
    shards : tuple of Shard
        In the order in which they are begun.
    settings : mapping
        Everything besides the name of a shard that its content depends on.
    """

    shards: tuple[Shard, ...]
    settings: Mapping[str, Any]

    def missing(self) -> list[Shard]:
        """Shards that do not exist yet."""
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
        """See that the shards which exist hold as many rows as planned.

        Raises
        ------
        SimulationError
            One holds another number (another scale or limit) or cannot be read.
        """
        for shard in self.shards:
            if not shard.path.exists():
                continue
            with opened(shard.path) as file:
                found = len(file[PARAMETERS])
            if found != shard.rows:
                noun = shard.simulator.layout.content.split()[1]
                raise SimulationError(
                    f"{shard.path}: holds {found} {noun} where {shard.rows} are planned;"
                    " choose another folder or the same options."
                )

    def run(self, *, workers: Workers = 1) -> Iterator[Shard]:
        """Make the shards that are missing; yields each as it is done.

        Parameters
        ----------
        workers : int or str
            See `compute.unordered_map`.

        Raises
        ------
        SimulationError
            The folder holds shards of another seed or other settings.
        """
        folder = Path(self.shards[0].folder)
        folder.mkdir(parents=True, exist_ok=True)
        check_settings(folder, self.settings)
        yield from unordered_map(make_shard, self.missing(), workers=workers)


def plan(simulator: Any, folder: Path | str, request: Request) -> Plan:
    """All shards of a dataset.

    A simulator whose rows are of several kinds plans itself, by a method ``plan`` of folder and request.

    Parameters
    ----------
    simulator : Simulator
    folder : Path
    request : Request

    Raises
    ------
    SimulationError
        Something is asked for that this domain has no use for.
    """
    own = getattr(simulator, "plan", None)
    if own is not None:
        found: Plan = own(folder, request)
        return found
    request.only("scale")
    layout = layout_of(simulator)
    number = -(-max(1, round(request.rounds * request.scale * layout.per_round)) // layout.rows)
    more = layout.settings() if layout.settings else {}
    settings = {"format": layout.format, "seed": request.seed, **more}
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


def layout_of(simulator: Any) -> Layout:
    """A simulator's own layout, or the usual one."""
    found: Layout = getattr(simulator, "layout", Layout())
    return found


def make_shard(shard: Shard) -> Shard:
    """Simulate the rows of one shard and put it in place in one step."""
    import h5py

    rng = np.random.default_rng(list(shard.seed))
    simulator, layout = shard.simulator, layout_of(shard.simulator)
    rows = [simulator.clean(simulator.sample(rng)) for _ in range(shard.rows)]
    with put_in_one_step(shard.path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update(shard.attributes)
        for name, (values, unit) in layout.constants.items():
            file.create_dataset(name, data=values, track_times=False).attrs["units"] = unit
        for name in rows[0]:
            if name == PARAMETERS:
                _write_parameters(file, [row[name] for row in rows], layout)
                continue
            # lzf would be faster, but its bytes depend on what lay in memory before, for equal data too.
            how = {"compression": "gzip", "compression_opts": 1} if name in layout.compressed else {}
            file.create_dataset(name, data=np.stack([row[name] for row in rows]), track_times=False, **how)
    return shard


def _write_parameters(file: Any, drawn: Sequence[Mapping[str, float]], layout: Layout) -> None:
    """One column for each name; those that some rows lack are sorted, and NaN there."""
    keys = list(drawn[0])
    if any(list(one) != keys for one in drawn):
        keys = sorted({key for one in drawn for key in one})
    values = np.array([[one.get(key, np.nan) for key in keys] for one in drawn])
    table = file.create_dataset(PARAMETERS, data=values, track_times=False)
    table.attrs["names"] = keys
    if layout.unit is not None:
        table.attrs["units"] = [layout.unit(key) for key in keys]


def shard_paths(folder: Path | str) -> list[Path]:
    """All finished shards of a folder, sorted by name.

    Raises
    ------
    SimulationError
        There is none.
    """
    found = sorted(Path(folder).glob("*-[0-9][0-9][0-9][0-9]*.h5"))
    if not found:
        raise SimulationError(f"{folder}: no shards here; make them with 'sasnet simulate --out {folder}'.")
    return found


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A shard to read from.

    Raises
    ------
    SimulationError
        It is damaged, or lacks what is read of it.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, KeyError, IndexError, ValueError) as error:
        raise SimulationError(
            f"{path}: not a shard of sasnet ({error}); delete it and simulate again."
        ) from None


class Dataset:
    """The rows of a folder.

    Parameters
    ----------
    folder : Path
    simulator : Simulator
        One with a method ``configured`` is asked to fit itself to the folder's settings (its window).

    Raises
    ------
    SimulationError
        There is no shard in it, its note of settings cannot be read, or a shard is damaged.
    """

    def __init__(self, folder: Path | str, simulator: Any) -> None:
        self.paths = shard_paths(folder)
        try:
            self.settings = dict(json.loads((Path(folder) / "settings.json").read_text(encoding="utf-8")))
            configured = getattr(simulator, "configured", None)
            self.simulator = simulator if configured is None else configured(self.settings)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SimulationError(
                f"{folder}: its settings.json cannot be read ({error}); simulate into another folder."
            ) from None
        self._per_shard = layout_of(simulator).rows

    def __len__(self) -> int:
        return len(self.paths) * self._per_shard

    def __getitem__(self, index: int) -> Row:
        """One row, arrays as stored.

        Raises
        ------
        IndexError
            There are not so many.
        SimulationError
            Its shard is damaged.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        number, row = divmod(index, self._per_shard)
        if layout_of(self.simulator).in_memory:
            names, columns = self._columns
            at: Any = index
        else:
            with opened(self.paths[number]) as file:
                names = [str(name) for name in file[PARAMETERS].attrs["names"]]
                columns, at = {name: file[name][row : row + 1] for name in file}, 0
        values = {name: column[at] for name, column in columns.items()}
        drawn = map(float, values[PARAMETERS])
        return {**values, PARAMETERS: dict(zip(names, drawn, strict=True))}

    @cached_property
    def _columns(self) -> tuple[list[str], dict[str, NDArray[Any]]]:
        parts = []
        for path in self.paths:
            with opened(path) as file:
                names = [str(name) for name in file[PARAMETERS].attrs["names"]]
                parts.append({name: file[name][()] for name in file})
        return names, {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
