"""Measured patterns for training, drawn anew each time: what the network reads, and what is true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.images.features import features_of
from ...data.images.features import mirrored as mirrored_features
from ..images.detector import expected_counts
from ..images.masks import sample_mask
from ..images.measurement import sample_measurement
from ..images.window import Window
from .distances import mirrored
from .geometry import N_XI
from .nuisance import NAMES, SIGNS, scaled
from .sample import Example, count, example
from .store import Store
from .strangers import KINDS, stranger

#: Patterns drawn from a basis while it is in memory, and strangers among them.
USES, STRANGERS = 28, 4


@dataclass(frozen=True)
class Measured:
    """A pattern as a detector counts it.

    Parameters
    ----------
    counts : (rows, columns) float32 array
        0 where masked.
    mask : (rows, columns) bool array
    wavelength, alpha_i : float
        As stated with the data; Å, degrees.
    """

    counts: NDArray[np.float32]
    mask: NDArray[np.bool_]
    wavelength: float
    alpha_i: float


@dataclass(frozen=True)
class Stranger(Measured):
    """A pattern that is none of ordered particles.

    Parameters
    ----------
    kind : str
        One of `strangers.KINDS`.
    """

    kind: str = ""


class Stream:
    """An endless stream of training examples.

    Parameters
    ----------
    folder : Path
        Of a store of bases.
    rng : numpy.random.Generator
    """

    def __init__(self, folder: Path | str, rng: np.random.Generator) -> None:
        self.store = Store(folder)
        self.rng = rng

    def take(self) -> tuple[NDArray[np.float32], dict[str, NDArray[Any]]]:
        """Features and answers of `USES` patterns of one geometry, strangers among them.

        Returns
        -------
        features : (USES, rows, columns, N_CHANNELS) float32 array
        answers : dict of arrays
            As `answers`.
        """
        rng = self.rng
        basis = self.store[int(rng.integers(len(self.store)))]
        half = basis.half()
        known = [example(basis, rng, window=self.store.window, half=half) for _ in range(USES - STRANGERS)]
        kinds = rng.choice(list(KINDS), size=STRANGERS)
        others = [measured_stranger(str(kind), basis, half, self.store.window, rng) for kind in kinds]
        return features_of_measured([*known, *others], self.store.window), answers(known, len(others))


def measured_stranger(
    kind: str,
    basis: Any,
    half: NDArray[np.float32],
    window: Window,
    rng: np.random.Generator,
    *,
    counts: float | None = None,
) -> Stranger:
    """A stranger as a detector counts it, under the same faults as a known pattern."""
    measurement = sample_measurement(rng, counts=counts)
    stated = basis.geometry.alpha_i - measurement.shift_alpha
    mask = sample_mask(window, stated, rng)
    expected = expected_counts(stranger(kind, basis, half, rng), window, measurement, mask)
    return Stranger(count(expected, mask, rng), mask, basis.geometry.wavelength, stated, kind)


def features_of_measured(patterns: Sequence[Measured | Example], window: Window) -> NDArray[np.float32]:
    """What the network reads of patterns, (n, rows, columns, N_CHANNELS)."""
    return features_of(
        np.stack([p.counts for p in patterns]),
        np.stack([p.mask for p in patterns]),
        window.centres()[1],
        np.array([p.wavelength for p in patterns]),
        np.array([p.alpha_i for p in patterns]),
    )


def answers(known: Sequence[Example], strangers: int) -> dict[str, NDArray[Any]]:
    """What the losses compare with.

    Returns
    -------
    dict
        ``p`` (n, 120), ``nuisance`` (n, quantities) scaled, ``in_scope`` (n,); of strangers, which come last,
        the first two are 0.
    """
    n = len(known) + strangers
    p, nuisance = np.zeros((n, N_XI), dtype=np.float32), np.zeros((n, len(NAMES)), dtype=np.float32)
    for row, one in enumerate(known):
        p[row], nuisance[row] = one.p, scaled(one.nuisance())
    in_scope = (np.arange(n) < len(known)).astype(np.float32)
    return {"p": p, "nuisance": nuisance, "in_scope": in_scope}


def augment(
    features: NDArray[np.float32], answers: dict[str, NDArray[Any]], rng: np.random.Generator
) -> tuple[NDArray[np.float32], dict[str, NDArray[Any]]]:
    """Half of the patterns seen in a mirror: φ → −φ is ξ → 60° − ξ, exactly."""
    turned = rng.random(len(features)) < 0.5
    features, answers = features.copy(), dict(answers)
    features[turned] = mirrored_features(features[turned])
    p, nuisance = answers["p"].copy(), answers["nuisance"].copy()
    p[turned] = mirrored(p[turned])
    nuisance[turned] *= SIGNS
    return features, answers | {"p": p, "nuisance": nuisance}


def labels(folder: Path | str) -> dict[str, Any]:
    """What a network for the bases in a folder is built for."""
    window = Store(folder).window
    return {
        "domain": "gisas_hex",
        "rows": window.rows,
        "columns": window.columns,
        "phi": list(window.phi),
        "alpha_f": list(window.alpha_f),
        "n_xi": N_XI,
        "nuisance": list(NAMES),
    }


@dataclass(frozen=True)
class Held:
    """Patterns for calibration and tests, known ones first.

    Parameters
    ----------
    features : (n, rows, columns, N_CHANNELS) float32 array
    p, nuisance, in_scope
        As in `answers`.
    counts : (n,) array
        Expected, in the pixels that count; NaN for strangers.
    width : (n,) array
        Decay length of the order, Å; NaN for strangers.
    kind : (n,) array of str
        Family of p(ξ), or kind of stranger.
    """

    features: NDArray[np.float32]
    p: NDArray[np.float32]
    nuisance: NDArray[np.float32]
    in_scope: NDArray[np.float32]
    counts: NDArray[np.float64]
    width: NDArray[np.float64]
    kind: NDArray[np.str_]


def held_out(
    store: Store,
    rng: np.random.Generator,
    *,
    known: int,
    strangers: int,
    family: str | None = None,
    counts: tuple[float, float] | None = None,
    uses: int = 4,
) -> Held:
    """Patterns of the prior, and so many strangers of each kind.

    Parameters
    ----------
    store : Store
        Of geometries that training never saw.
    rng : numpy.random.Generator
    known, strangers : int
        Known patterns; strangers of each kind.
    family : str, optional
        Kind of p(ξ); default: drawn.
    counts : (float, float), optional
        Counts are drawn uniform in their logarithm between these; default: the prior's.
    uses : int
        Patterns of one basis.
    """

    def level() -> float | None:
        return None if counts is None else float(np.exp(rng.uniform(*np.log(counts))))

    found: list[Example] = []
    others: list[Stranger] = []
    kinds = [kind for kind in KINDS for _ in range(strangers)]
    while len(found) < known or len(others) < len(kinds):
        basis = store[int(rng.integers(len(store)))]
        half = basis.half()
        for _ in range(min(uses, known - len(found))):
            found.append(example(basis, rng, window=store.window, half=half, family=family, counts=level()))
        for kind in kinds[len(others) : len(others) + uses]:
            others.append(measured_stranger(kind, basis, half, store.window, rng, counts=level()))
    table = answers(found, len(others))
    nan = np.full(len(others), np.nan)
    return Held(
        features=features_of_measured([*found, *others], store.window),
        **table,
        counts=np.append([one.measurement.counts for one in found], nan),
        width=np.append([one.geometry.width for one in found], nan),
        kind=np.array([one.family for one in found] + [one.kind for one in others]),
    )
