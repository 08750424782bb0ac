"""Rows of clean measurements on disk, by the layout that their simulator says, read back.

A simulator says what a row is (`domains.Simulator`); how rows lie on disk is the same for all of them.

Examples that are nothing the network knows are mixed in: they teach it to say so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domains import Domain, HeldOut
from ..domains.heads import Classes, Distribution, Head, Inputs, Parameter, Quantities, Scope, Targets
from ..domains.simulator import Layout, Row, Simulator
from ..files import new_hdf5, put_in_one_step
from ..types import SimulationError
from ..workers.spread import Workers, map_unordered

# --- Rows of clean measurements on disk, by the layout that their simulator says, read back.

PARAMETERS = "parameters"


def shard_paths(folder: Path | str) -> list[Path]:
    """List finished shards of a folder by name. Raises SimulationError without one."""
    paths = sorted(Path(folder).glob("*-[0-9][0-9][0-9][0-9]*.h5"))
    if not paths:
        raise SimulationError(f"{folder}: no shards here; make them with 'sasnet simulate --out {folder}'.")
    return paths


@contextmanager
def open_shard(path: Path) -> Iterator[Any]:
    """Open a shard to read. Raises SimulationError if it is damaged or incomplete."""
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
    simulator : Simulator
        It is asked to fit itself to the folder's settings, such as its window.

    Raises
    ------
    SimulationError
        There is no shard in it, its note of settings cannot be read, or a shard is damaged.
    """

    def __init__(self, folder: Path | str, simulator: Simulator) -> None:
        self.paths = shard_paths(folder)
        try:
            self.settings = dict(json.loads((Path(folder) / "settings.json").read_text(encoding="utf-8")))
            self.simulator = simulator.configure(self.settings)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SimulationError(
                f"{folder}: its settings.json cannot be read ({error}); simulate into another folder."
            ) from None
        self._per_shard = simulator.layout.rows

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
        if self.simulator.layout.in_memory:
            names, columns = self._columns
            row_index: Any = index
        else:
            with open_shard(self.paths[number]) as file:
                names = [str(name) for name in file[PARAMETERS].attrs["names"]]
                columns, row_index = {name: file[name][row : row + 1] for name in file}, 0
        values = {name: column[row_index] for name, column in columns.items()}
        drawn_values = map(float, values[PARAMETERS])
        return {**values, PARAMETERS: dict(zip(names, drawn_values, strict=True))}

    @cached_property
    def _columns(self) -> tuple[list[str], dict[str, NDArray[Any]]]:
        parts = []
        for path in self.paths:
            with open_shard(path) as file:
                names = [str(name) for name in file[PARAMETERS].attrs["names"]]
                parts.append({name: file[name][()] for name in file})
        return names, {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def digest_of(tables: Any) -> str:
    """A short name of numbers that the content of shards depends on, such as a prior."""
    return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()[:16]


# --- Datasets of clean measurements: planned as shards, made where they are missing.


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
            _write_column(file, name, [row[name] for row in rows], layout)
            file.flush()
    return shard


def _write_column(file: Any, name: str, column: list[Any], layout: Layout) -> None:
    if name == PARAMETERS:
        _write_parameters(file, column, layout)
    else:
        # lzf would be faster, but its bytes depend on what lay in memory before, for equal data too.
        options = {"compression": "gzip", "compression_opts": 1} if name in layout.compressed else {}
        file.create_dataset(name, data=np.stack(column), track_times=False, **options)


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


# --- Measured examples, drawn anew each time: an endless stream for training, and held-out sets.


def scale_targets(parameters: Sequence[Parameter], values: Any) -> NDArray[np.float32]:
    """Return targets (len(parameters),) on the network's scale from values by name."""
    get = values.__getitem__ if isinstance(values, Mapping) else values.__getattribute__
    return np.array(
        [parameter.scale_value(float(get(parameter.name))) for parameter in parameters], dtype=np.float32
    )


class Stream:
    """An endless stream of training examples from a folder of shards."""

    def __init__(self, domain: Domain, folder: Path | str, rng: np.random.Generator) -> None:
        self.domain, self.rng = domain, rng
        simulator = domain.open_simulator()
        # A simulator whose rows must be drawn together brings its own way to draw them.
        self._own = simulator.examples(folder, rng)
        if self._own is None:
            self.data = Dataset(folder, simulator)

    def take(self) -> tuple[Inputs, Targets]:
        """What a network reads of some examples, and what is true of them, out-of-distribution ones last."""
        if self._own is not None:
            batch, targets = next(self._own)
            return inputs_of(self.domain, batch), only_heads(self.domain.heads, targets)
        simulator, rng = self.data.simulator, self.rng
        mix, kinds = simulator.mix, simulator.kinds
        rows = [self.data[int(index)] for index in rng.integers(len(self.data), size=mix.rows)]
        slots = [row for row in rows for _ in range(mix.uses)]
        n = mix.others if kinds else 0
        batch, targets = simulator.measure(slots[n:], rng)
        chosen = rng.choice(kinds, size=n) if n else ()
        parts = [
            simulator.simulate_unknown(str(kind), row, rng)
            for kind, row in zip(chosen, slots[:n], strict=True)
        ]
        return inputs_of(self.domain, [*batch, *parts]), only_heads(
            self.domain.heads, append_others(self.domain.heads, targets, len(slots) - n, n)
        )


def inputs_of(domain: Domain, batch: Any) -> Inputs:
    """What the network reads of measurements; a mapping is that already."""
    if isinstance(batch, Mapping):
        return batch
    return domain.features(batch)


def network_inputs(inputs: Inputs) -> dict[str, tuple[int, ...]]:
    """Shapes, without the first axis, of what a network reads; single numbers are for calibration."""
    return {name: values.shape[1:] for name, values in inputs.items() if values.ndim > 1}


def as_read(inputs: Inputs) -> Any:
    """What a network reads, as it takes it: one array where there is one, else a mapping."""
    read_inputs = {name: inputs[name] for name in network_inputs(inputs)}
    return read_inputs if len(read_inputs) > 1 else next(iter(read_inputs.values()))


def append_others(
    heads: Sequence[Head], targets: Targets, known_count: int, other_count: int
) -> dict[str, NDArray[Any]]:
    """Append `other_count` out-of-distribution examples to the targets of `known_count` ones."""
    extended: dict[str, NDArray[Any]] = {}
    for name, values in targets.items():
        filler: Any = np.nan if np.issubdtype(values.dtype, np.floating) else np.zeros(1, values.dtype)[0]
        extended[name] = np.concatenate(
            [values, np.full((other_count, *values.shape[1:]), filler, values.dtype)]
        )
    for head in heads:
        if isinstance(head, Scope):
            extended[head.name] = (np.arange(known_count + other_count) < known_count).astype(np.float32)
        elif isinstance(head, Classes) and head.name in extended:
            extended[head.name][known_count:] = head.labels.index(head.others) if head.others else -1
    return extended


def only_heads(heads: Sequence[Head], targets: Targets) -> dict[str, NDArray[Any]]:
    """Targets that heads are compared with; a simulator may give more, for evaluation."""
    return {head.name: targets[head.name] for head in heads if head.name in targets}


def augment(
    domain: Domain, inputs: Inputs, targets: Targets, rng: np.random.Generator
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Examples under each symmetry of the domain, half of them turned: they are just as true."""
    found_changed, true = dict(inputs), dict(targets)
    for symmetry in domain.symmetries:
        turned = rng.random(len(next(iter(found_changed.values())))) < 0.5
        changed = symmetry({name: values[turned] for name, values in found_changed.items()})
        for name, values in changed.items():
            found_changed[name] = found_changed[name].copy()
            found_changed[name][turned] = values
        for name, values in mirror_targets(domain.heads, {k: v[turned] for k, v in true.items()}).items():
            true[name] = true[name].copy()
            true[name][turned] = values
    return found_changed, true


def mirror_targets(heads: Sequence[Head], targets: Targets) -> dict[str, NDArray[Any]]:
    """What is true of mirror images: odd quantities change their sign, an angle is its period's rest."""
    mirrored = dict(targets)
    for head in heads:
        if head.name not in mirrored:
            continue
        if isinstance(head, Quantities):
            signs = np.where([parameter.odd for parameter in head.parameters], -1.0, 1.0)
            mirrored[head.name] = mirrored[head.name] * signs.astype(np.float32)
        elif isinstance(head, Distribution):
            mirrored[head.name] = np.roll(mirrored[head.name][:, ::-1], 1, axis=1)
    return mirrored


def draw_held_out(
    domain: Domain,
    data: Dataset,
    rng: np.random.Generator,
    *,
    known_count: int,
    others: int,
    exposure: float | tuple[float, float] | None = None,
    rows: Sequence[int] | None = None,
    **options: Any,
) -> HeldOut:
    """Measure rows of a dataset that training never saw, and `others` of each unknown kind."""
    # `exposure` is expected counts, or limits of a log-uniform draw; default: the prior's. `rows` select
    # known examples in turn, default all in random order, not for simulators that repeat rows. Options are of
    # ``measure``.
    simulator, uses = data.simulator, data.simulator.mix.held_out_uses
    kinds = [kind for kind in simulator.kinds for _ in range(others)]
    parts: list[tuple[Any, Targets]] = []
    strange: list[Any] = []

    def level() -> float | None:
        if isinstance(exposure, tuple):
            return float(np.exp(rng.uniform(*np.log(exposure))))
        return exposure

    def one(row: Any) -> None:
        parts.append(simulator.measure([row], rng, exposure=level(), **options))

    def other(row: Any) -> None:
        strange.append(simulator.simulate_unknown(kinds[len(strange)], row, rng, exposure=level()))

    def each_several_times() -> None:
        while len(parts) < known_count or len(strange) < len(kinds):
            row = data[int(rng.integers(len(data)))]
            for _ in range(min(uses, known_count - len(parts))):
                one(row)
            for _ in range(min(uses, len(kinds) - len(strange))):
                other(row)

    def draw_in_turn() -> None:
        order = rng.permutation(len(data)) if rows is None else rows
        for number in range(known_count):
            one(data[int(order[number % len(order)])])
        for _ in kinds:
            other(data[int(rng.integers(len(data)))])

    (each_several_times if uses else draw_in_turn)()
    joined = {name: np.concatenate([part[name] for _, part in parts]) for name in parts[0][1]}
    head_targets = append_others(domain.heads, joined, known_count, len(strange))
    targets = only_heads(domain.heads, head_targets)
    about = {name: values for name, values in head_targets.items() if name not in targets}
    about["kind"] = np.append(joined.get("kind", np.full(known_count, "")), kinds).astype(str)
    inputs = inputs_of(domain, [*(image for batch, _ in parts for image in batch), *strange])
    return HeldOut(inputs, targets, about, known_count)
