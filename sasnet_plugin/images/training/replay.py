"""Simulated scenes that a network is trained on again beside a user's images, so that it forgets nothing.

Of each scene only what the last layer reads is kept, in parts: a few kilobytes a hundred, and a training that
was stopped goes on with the part that was under way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ...domains import Domain
from ...domains.heads import Tags
from ...files import put_in_one_step
from ...simulate.stream import inputs_of
from ...train.last_layer import Layer

#: Scenes of a part: some seconds of work, which is what a kill loses.
PART = 200
#: Of the scenes' generator; no shard for training or tests has been made with it.
_SEED = 7_041_776


@dataclass(frozen=True)
class Scenes:
    """What the last layer reads of simulated scenes, and what is true of them."""

    seen: Floats  #: (n, size + 1), as of `Layer.read`.
    truth: Floats  #: (n, labels), 0, 1, or NaN where it is not known.


def replay(
    domain: Domain,
    layer: Layer,
    head: Tags,
    number: int,
    folder: Path,
    progress: Callable[[int], None] | None = None,
) -> Scenes:
    """Simulate scenes (if the domain has a simulator) as the network reads them, reusing those in `folder`;
    `progress` gets their number.
    """
    size, labels = layer.kernel.shape
    layer_inputs, truth = [np.zeros((0, size + 1))], [np.zeros((0, labels))]
    if domain.simulator is None:
        return Scenes(layer_inputs[0], truth[0])
    simulator = domain.simulator()
    settings = simulator.layout.settings
    about = [layer.digest, domain.features_version, settings() if settings else {}]
    key = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
    for part in range(-(-number // PART)):
        path = folder / f"{domain.name}-{key}-{part:04d}.npz"
        arrays = _read_kept(path)
        if arrays is None:
            folder.mkdir(parents=True, exist_ok=True)
            arrays = _part(domain, simulator, layer, head, np.random.default_rng([_SEED, part]))
            with put_in_one_step(path, ending=".npz") as aside:
                np.savez_compressed(aside, **arrays)  # type: ignore[arg-type]
        layer_inputs.append(arrays["seen"].astype(np.float64))
        truth.append(arrays["truth"].astype(np.float64))
        if progress is not None:
            progress(min(number, (part + 1) * PART))
    return Scenes(np.concatenate(layer_inputs)[:number], np.concatenate(truth)[:number])


def _read_kept(path: Path) -> dict[str, NDArray[np.float32]] | None:
    """A part that was made before; None where there is none, or a disk has damaged it."""
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            return {name: file[name] for name in ("seen", "truth")}
    except (OSError, ValueError, KeyError, BadZipFile):
        return None


def _part(
    domain: Domain, simulator: Any, layer: Layer, head: Tags, rng: np.random.Generator
) -> dict[str, NDArray[np.float32]]:
    rows = [simulator.clean(simulator.sample(rng)) for _ in range(PART)]
    batch, targets = simulator.measure(rows, rng)
    layer_inputs = layer.read(inputs_of(domain, batch))
    return {"seen": layer_inputs.astype(np.float32), "truth": np.asarray(targets[head.name], np.float32)}
