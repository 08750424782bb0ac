"""The contestants of both protocols, made ready to run on given arrays."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contest import Answer, Contestant
from .protocol_a import FixedGrid, add_noise

Array = NDArray[Any]
Say = Callable[[str], None]


def neural(
    key: str,
    title: str,
    build: Callable[[], Any],
    inputs: Any,
    data: tuple[Array, Array, Array],
    schedule: dict[str, Any],
    say: Say,
) -> Contestant:
    """A network trained with the common loop.

    Parameters
    ----------
    key, title : str
    build : callable
        Makes the network.
    inputs : callable
        From stored rows and a generator for noise (or None) to its input.
    data : (train, label, test)
    schedule : dict
        Arguments of `peers.neural.Schedule`.
    say : callable
    """

    def run(folder: Path) -> Answer:
        from .peers.neural import Schedule, probabilities, train

        curves, label, test = data
        network, seconds = train(
            build, inputs, curves, label, Schedule(**schedule), folder, lambda text: say(f"{key}: {text}")
        )
        parameters = int(sum(np.prod(v.shape) for v in network.trainable_variables))
        remark = f"{schedule['epochs']} epochs"
        return Answer(probabilities(network, inputs, test), seconds, parameters, remark)

    return Contestant(key, title, schedule, run)


def nearest(data: tuple[Array, Array, Array], n_classes: int) -> Contestant:
    """Weighted k-nearest neighbours on rows as they are."""

    def run(folder: Path) -> Answer:
        from .peers.neighbours import NEIGHBOURS, neighbours

        began = time.perf_counter()
        train, label, test = data
        probability, power = neighbours(train, label, test, n_classes, np.random.default_rng(0))
        remark = f"{NEIGHBOURS} neighbours, weight distance^-{power:g}"
        return Answer(probability, time.perf_counter() - began, 0, remark)

    return Contestant("knn", "weighted k-nearest neighbours", {"axes": 32, "neighbours": 32}, run)


def boosted(
    data: tuple[Array, Array, Array], n_classes: int, rounds: int, threads: int, say: Say
) -> Contestant:
    """Gradient-boosted trees on coarsened rows."""

    def run(folder: Path) -> Answer:
        from .peers.trees import boost, tree_features

        train, label, test = data
        first, second = tree_features(train, test, np.random.default_rng(0))
        probability, seconds, leaves = boost(
            first,
            label,
            second,
            n_classes,
            folder,
            lambda text: say(f"trees: {text}"),
            rounds=rounds,
            threads=threads,
        )
        return Answer(probability, seconds, leaves, f"{rounds} rounds; leaves counted as parameters")

    return Contestant("trees", "gradient-boosted trees", {"rounds": rounds}, run)


def for_protocol_a(
    data: FixedGrid, *, epochs: int, peer_epochs: int, rounds: int, threads: int, mixed: bool, say: Say
) -> list[Contestant]:
    """SASNets on raw and on log I, neighbours, trees and the residual network, on the fixed grid.

    All networks see each training curve with new noise in each epoch; neighbours and trees see it once.
    """
    n_q, n_classes = data.train.shape[1], len(data.names)
    # One number each for the whole set, so that the absolute level stays.
    mean, spread = float(data.train.mean()), float(data.train.std())
    typical = float(np.exp(np.median(data.train.max(axis=1))))

    def noisy(rows: Array, rng: np.random.Generator | None) -> Array:
        return rows if rng is None else add_noise(rows, rng)

    def raw(rows: Array, rng: np.random.Generator | None) -> Array:
        return (np.exp(noisy(rows, rng)) / typical)[..., None].astype(np.float32)

    def log(rows: Array, rng: np.random.Generator | None) -> Array:
        return ((noisy(rows, rng) - mean) / spread)[..., None].astype(np.float32)

    def ours(rows: Array, rng: np.random.Generator | None) -> Array:
        from .peers.residual import channels

        return channels(noisy(rows, rng))

    def build_peer() -> Any:
        from .peers.sasnets import build_sasnets

        return build_sasnets(n_q, 1, n_classes)

    def build_ours() -> Any:
        from .peers.residual import build_residual

        return build_residual(n_q, 4, n_classes)

    clean = (data.train, data.train_label, data.test)
    once = (add_noise(data.train, np.random.default_rng(2)), data.train_label, data.test)
    peer = {"epochs": peer_epochs, "batch": 256, "learning_rate": 1e-3, "mixed": False}
    own = {"epochs": epochs, "batch": 256, "learning_rate": 1e-3, "mixed": mixed}
    return [
        nearest(once, n_classes),
        neural("sasnets-log", "SASNets' architecture, log I", build_peer, log, clean, peer, say),
        neural("sasnets-raw", "SASNets' architecture, raw I", build_peer, raw, clean, peer, say),
        neural("ours", "sasnet's residual network", build_ours, ours, clean, own, say),
        boosted(once, n_classes, rounds, threads, say),
    ]


def for_protocol_b(
    train: Array,
    label: Array,
    test: Array,
    n_classes: int,
    *,
    peer_epochs: int,
    rounds: int,
    threads: int,
    say: Say,
) -> list[Contestant]:
    """The peers on the resampled grid.

    Parameters
    ----------
    train, test : (n, N_GRID, 2) float16 arrays
        log I (normalised, zero outside the window) and the window's mask.
    label : (n,) int array
    n_classes, peer_epochs, rounds, threads : int
    say : callable
    """
    from .protocol_b import flat, log_input, raw_input

    def build() -> Any:
        from .peers.sasnets import build_sasnets

        return build_sasnets(train.shape[1], 1, n_classes)

    schedule = {"epochs": peer_epochs, "batch": 256, "learning_rate": 1e-3, "mixed": False}
    data = (train, label, test)
    level = (flat(train), label, flat(test))
    return [
        nearest(level, n_classes),
        neural("sasnets-log", "SASNets' architecture, log I", build, log_input, data, schedule, say),
        neural("sasnets-raw", "SASNets' architecture, raw I", build, raw_input, data, schedule, say),
        boosted(level, n_classes, rounds, threads, say),
    ]
