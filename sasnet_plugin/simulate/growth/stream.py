"""Measured films for training, drawn anew each time: what the network reads, and what is true."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.images.features import mirrored
from ..gisas.detector import MARGIN, expected_counts
from ..gisas.masks import sample_mask
from ..gisas.priors import sample_measurement
from ..gisas.sample import count
from ..gisas.stream import Stranger, features_of_measured
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
        others = [measured_stranger(self.store, int(index), self.rng) for index in chosen[:STRANGERS]]
        return features_of_measured([*known, *others], self.store.window), answers(known, len(others))


def measured_stranger(
    store: Store, index: int, rng: np.random.Generator, *, counts: float | None = None
) -> Stranger:
    """A stranger as a detector counts it, under the faults and the geometry of a known pattern."""
    film, window = store.film(index), store.window
    measurement = sample_measurement(rng, counts=counts)
    stated = film.alpha_i - measurement.shift_alpha
    mask = sample_mask(window, stated, rng)
    kind = str(rng.choice(KINDS))
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
