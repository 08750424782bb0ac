"""Measured films for training, drawn anew each time: what the network reads, and what is true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.images.features import mirrored
from ..gisas.sample import count
from ..gisas.stream import Stranger, features_of_measured
from ..images.detector import MARGIN, expected_counts
from ..images.masks import sample_mask
from ..images.measurement import sample_measurement
from .quantities import NAMES, scaled
from .sample import Example
from .store import Store
from .strangers import KINDS, Scene, stranger

#: Patterns of a chunk, and strangers among them.
ROWS, STRANGERS = 32, 3


class Stream:
    """An endless stream of training examples.

    Parameters
    ----------
    folder : Path
        Of a store of films.
    rng : numpy.random.Generator
    """

    def __init__(self, folder: Path | str, rng: np.random.Generator) -> None:
        self.store = Store(folder)
        self.rng = rng

    def take(self) -> tuple[NDArray[np.float32], dict[str, NDArray[Any]]]:
        """Features and answers of `ROWS` patterns, strangers last.

        Returns
        -------
        features : (ROWS, rows, columns, N_CHANNELS) float32 array
        answers : dict of arrays
            As `answers`.
        """
        chosen = self.rng.integers(len(self.store), size=ROWS)
        known = [self.store.example(int(index), self.rng) for index in chosen[STRANGERS:]]
        kinds = self.rng.choice(KINDS, size=STRANGERS)
        others = [
            measured_stranger(str(kind), self.store, int(index), self.rng)
            for kind, index in zip(kinds, chosen, strict=False)
        ]
        return features_of_measured([*known, *others], self.store.window), answers(known, len(others))


def measured_stranger(
    kind: str, store: Store, index: int, rng: np.random.Generator, *, counts: float | None = None
) -> Stranger:
    """A stranger as a detector counts it, under the faults and the geometry of a known pattern."""
    film, window = store.film(index), store.window
    measurement = sample_measurement(rng, counts=counts)
    stated = film.alpha_i - measurement.shift_alpha
    mask = sample_mask(window, stated, rng)
    clean = stranger(kind, Scene(window.with_margin(MARGIN), film), store.clean(index), rng)
    expected = expected_counts(clean, window, measurement, mask)
    return Stranger(count(expected, mask, rng), mask, film.wavelength, stated, kind)


def answers(known: Sequence[Example], strangers: int) -> dict[str, NDArray[Any]]:
    """What the losses compare with.

    Returns
    -------
    dict
        ``quantities`` (n, quantities) scaled, 0 for strangers, which come last; ``in_scope`` (n,).
    """
    n = len(known) + strangers
    quantities = np.zeros((n, len(NAMES)), dtype=np.float32)
    for row, one in enumerate(known):
        quantities[row] = scaled({name: getattr(one.film, name) for name in NAMES})
    return {"quantities": quantities, "in_scope": (np.arange(n) < len(known)).astype(np.float32)}


def augment(
    features: NDArray[np.float32], answers: dict[str, NDArray[Any]], rng: np.random.Generator
) -> tuple[NDArray[np.float32], dict[str, NDArray[Any]]]:
    """Half of the patterns seen in a mirror, φ → −φ, which changes nothing of an isotropic film."""
    turned = rng.random(len(features)) < 0.5
    features = features.copy()
    features[turned] = mirrored(features[turned])
    return features, answers


@dataclass(frozen=True)
class Held:
    """Patterns for calibration and tests, known ones first.

    Parameters
    ----------
    features : (n, rows, columns, N_CHANNELS) float32 array
    quantities, in_scope
        As in `answers`.
    counts : (n,) array
        Expected, in the pixels that count; NaN for strangers.
    kind : (n,) array of str
        Kind of stranger; empty for known patterns.
    """

    features: NDArray[np.float32]
    quantities: NDArray[np.float32]
    in_scope: NDArray[np.float32]
    counts: NDArray[np.float64]
    kind: NDArray[np.str_]


def held_out(
    store: Store,
    rng: np.random.Generator,
    *,
    known: int,
    strangers: int,
    counts: float | None = None,
) -> Held:
    """Measured films of a store, every film about as often, and so many strangers of each kind.

    Parameters
    ----------
    store : Store
        Of films that training never saw.
    rng : numpy.random.Generator
    known, strangers : int
        Known patterns; strangers of each kind.
    counts : float, optional
        Expected counts; default: the prior's.
    """
    order = rng.permutation(len(store))
    found = [store.example(int(order[row % len(order)]), rng, counts=counts) for row in range(known)]
    kinds = [kind for kind in KINDS for _ in range(strangers)]
    others = [
        measured_stranger(kind, store, int(rng.integers(len(store))), rng, counts=counts) for kind in kinds
    ]
    return Held(
        features=features_of_measured([*found, *others], store.window),
        **answers(found, len(others)),
        counts=np.array([one.measurement.counts for one in found] + [np.nan] * len(others)),
        kind=np.array([""] * len(found) + kinds),
    )


def labels(folder: Path | str) -> dict[str, Any]:
    """What a network for the films in a folder is built for."""
    window = Store(folder).window
    return {
        "domain": "gisas_growth",
        "rows": window.rows,
        "columns": window.columns,
        "phi": list(window.phi),
        "alpha_f": list(window.alpha_f),
        "quantities": list(NAMES),
    }
