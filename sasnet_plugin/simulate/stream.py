"""Measured examples, drawn anew each time: an endless stream for training, and held-out sets.

Examples that are nothing the network knows are mixed in: they teach it to say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domains import Domain, HeldOut
from ..domains.heads import Classes, Distribution, Head, Inputs, Parameter, Quantities, Scope, Targets
from .dataset import Dataset


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
            signs = np.array(
                [-1.0 if parameter.odd else 1.0 for parameter in head.parameters], dtype=np.float32
            )
            mirrored[head.name] = mirrored[head.name] * signs
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
