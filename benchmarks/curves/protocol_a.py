"""The data set of SASNets' protocol: one fixed q grid, 3 % resolution, 2 % noise, monodisperse, scale 1.

Every model that the installed sasmodels lists is a class of its own, structure factors included. Parameters
are sasmodels' ``random()``, mended where it is missing or broken (docs/prior.md). Curves are computed over
the whole window whatever the size of the body, as SASNets does, so numerical artefacts at large q are part
of this protocol, for every contestant alike.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.simulate.priors import max_length, sample_prior
from sasnet_plugin.simulate.quick_models.cost_classes import cost_class
from sasnet_plugin.types import SimulationError
from sasnet_plugin.workers.spread import unordered_map

from .contest import replacing

Q = np.logspace(-3, 0, 100)
RESOLUTION = 0.03
NOISE = 0.02
BACKGROUND = 1e-5
#: Where a curve is computed before it is blurred: as far as 3 standard deviations reach, in 0.24 % steps.
FINE_Q = np.geomspace(Q[0] * (1 - 3 * RESOLUTION), Q[-1] * (1 + 3 * RESOLUTION), 3000)
#: Points at which a model is called; a spline of ln I through them gives the others.
NODES = {"fast": 3000, "medium": 600, "slow": 210}
#: Below q·size of a half, where there is nothing to see, a slow model is called at every fifth of its points.
QUIET, THIN = 0.5, 5
#: Curves of a chunk, so that a kill costs a minute at most.
CHUNK = {"fast": 500, "medium": 250, "slow": 50}
#: A curve of these takes seconds: they get a share of the curves that the others get.
FEWER = {"pringle": 0.15, "superball": 0.2}
SPLITS = ("train", "test")
_TRIES = 60


@cache
def all_models() -> tuple[str, ...]:
    """Every model of the installed sasmodels, sorted; structure factors included (83 in 1.1.0)."""
    from sasmodels.core import list_models

    return tuple(sorted(list_models()))


@cache
def blur() -> NDArray[np.float64]:
    """sasmodels' pinhole weights from ``FINE_Q`` to ``Q``, (100, 3000)."""
    from sasmodels.resolution import pinhole_resolution

    return np.ascontiguousarray(pinhole_resolution(FINE_Q, Q, RESOLUTION * Q).T)


def curve(name: str, parameters: dict[str, float]) -> NDArray[np.float64] | None:
    """I(q) on ``Q`` in cm⁻¹, blurred, with background; None where the model gives no valid curve.

    Parameters
    ----------
    name : str
        Form model or structure factor.
    parameters : dict
        sasmodels' parameters, monodisperse.
    """
    nodes = _nodes(name, parameters)
    intensity = call(name, nodes, parameters).intensity
    if not np.all(np.isfinite(intensity)) or np.any(intensity < 0) or not np.any(intensity > 0):
        return None
    if nodes.size < FINE_Q.size:
        from scipy.interpolate import CubicSpline

        log_i = np.log(np.maximum(intensity, 1e-30 * intensity.max()))
        intensity = np.exp(CubicSpline(np.log(nodes), log_i)(np.log(FINE_Q)))
    blurred = blur() @ intensity + BACKGROUND
    # Single precision is what the network and the file hold.
    return blurred if np.all(np.isfinite(np.log(blurred))) and blurred.max() < 1e30 else None


def _nodes(name: str, parameters: dict[str, float]) -> NDArray[np.float64]:
    """Where to call the model, Å⁻¹."""
    speed = cost_class(name)
    if speed == "fast":
        return FINE_Q
    nodes = np.geomspace(FINE_Q[0], FINE_Q[-1], NODES[speed])
    size = max_length(name, parameters) if speed == "slow" else None
    if size is None:
        return nodes
    knee = int(np.searchsorted(nodes, QUIET / size))
    return np.concatenate((nodes[:knee:THIN], nodes[knee:]))


def draw_curve(name: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """A curve of parameters drawn from the prior.

    Raises
    ------
    SimulationError
        No draw gave a valid curve.
    """
    for _ in range(_TRIES):
        found = curve(name, sample_prior(name, rng))
        if found is not None:
            return found
    raise SimulationError(f"{name}: none of {_TRIES} draws gave a valid curve; it is left out.")


@dataclass(frozen=True)
class Chunk:
    """Some curves of one model for one split; which ones depends on seed, model, split and index alone."""

    folder: str
    model: str
    split: str
    index: int
    count: int
    seed: int

    @property
    def path(self) -> Path:
        """Where the finished chunk lies."""
        return Path(self.folder) / f"{self.model}-{self.split}-{self.index:03d}.npz"


def plan(
    folder: Path, *, train: int, test: int, seed: int, models: tuple[str, ...] | None = None
) -> list[Chunk]:
    """All chunks of the data set, slow models last.

    Parameters
    ----------
    folder : Path
    train, test : int
        Curves a model.
    seed : int
    models : tuple of str, optional
        Default: all.
    """
    chunks = []
    order = {"fast": 0, "medium": 1, "slow": 2}
    for name in sorted(models or all_models(), key=lambda n: (n in FEWER, order[cost_class(n)], n)):
        for split, wanted in zip(SPLITS, (train, test), strict=True):
            left, index = max(1, round(wanted * FEWER.get(name, 1.0))), 0
            while left > 0:
                count = min(left, CHUNK[cost_class(name)])
                chunks.append(Chunk(str(folder), name, split, index, count, seed))
                left, index = left - count, index + 1
    return chunks


def make_chunk(chunk: Chunk) -> Chunk:
    """Compute one chunk and put its file in place in one step; an empty one: the model gives no curve."""
    digest = hashlib.sha256(f"{chunk.model} {chunk.split}".encode()).digest()[:8]
    rng = np.random.default_rng([chunk.seed, int.from_bytes(digest, "little"), chunk.index])
    try:
        curves = [draw_curve(chunk.model, rng) for _ in range(chunk.count)]
    except SimulationError:
        curves = []
    with replacing(chunk.path) as file:
        np.savez(file, log_intensity=np.log(np.array(curves).reshape(-1, Q.size)).astype(np.float32))
    return chunk


def build(chunks: list[Chunk], *, workers: int = 1) -> Iterator[Chunk]:
    """Make the chunks that are missing; yields each as it is done."""
    for folder in {c.folder for c in chunks}:
        Path(folder).mkdir(parents=True, exist_ok=True)
    yield from unordered_map(make_chunk, [c for c in chunks if not c.path.exists()], workers=workers)


def cost(name: str, rng: np.random.Generator, *, seconds: float = 0.3) -> float:
    """CPU seconds a curve, prior included, from as many curves as `seconds` allow (at least two)."""
    draw_curve(name, rng)  # compiles
    start, count = time.process_time(), 0
    while count < 2 or time.process_time() - start < seconds:
        draw_curve(name, rng)
        count += 1
    return (time.process_time() - start) / count


@dataclass(frozen=True)
class FixedGrid:
    """A classification problem with every curve on the same q."""

    names: tuple[str, ...]  #: Of the classes.
    #: train, test: (n, n_q), ln I; without noise for training (each contestant draws its own), with noise for
    #: testing.
    train: NDArray[np.float32]
    #: train_label, test_label: (n,)
    train_label: NDArray[np.intp]
    test: NDArray[np.float32]
    test_label: NDArray[np.intp]


def add_noise(log_i: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Ln of I(1 + 0.02 g), g normal: 2 % Gaussian noise."""
    noise = rng.standard_normal(log_i.shape, dtype=np.float32)
    return log_i + np.log1p(NOISE * noise, dtype=np.float32)


def load(chunks: list[Chunk]) -> FixedGrid:
    """Read a finished data set; models without a valid curve are left out.

    Raises
    ------
    SimulationError
        A chunk is missing.
    """
    found: dict[tuple[str, str], list[NDArray[np.float32]]] = {}
    for chunk in chunks:
        if not chunk.path.exists():
            raise SimulationError(f"{chunk.path}: is not there yet; build the data set to its end first.")
        with np.load(chunk.path) as file:
            found.setdefault((chunk.split, chunk.model), []).append(file["log_intensity"])
    sets = {key: np.concatenate(parts) for key, parts in found.items()}
    models = sorted({model for _, model in sets})
    names = tuple(m for m in models if all(len(sets[split, m]) for split in SPLITS))
    curves, labels = {}, {}
    for split in SPLITS:
        curves[split] = np.concatenate([sets[split, m] for m in names])
        labels[split] = np.repeat(np.arange(len(names)), [len(sets[split, m]) for m in names])
    rng = np.random.default_rng([chunks[0].seed, 1])
    return FixedGrid(names, curves["train"], labels["train"], add_noise(curves["test"], rng), labels["test"])
