"""Measured patterns with their truth: basis → distribution → detector → Poisson counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from ..images.detector import MARGIN, expected_counts
from ..images.masks import sample_mask
from ..images.measurement import Measurement, sample_measurement
from ..images.window import Window
from .basis import Basis, mix
from .geometry import WINDOW, Geometry
from .orientation import sample_orientation
from .store import Store


@dataclass(frozen=True)
class Example:
    """One measured pattern and what is true of it.

    Parameters
    ----------
    counts : (rows, columns) float32 array
        0 where masked.
    mask : (rows, columns) bool array
        True where the pixel counts.
    wavelength : float
        Å.
    alpha_i : float
        As stated with the data, degrees.
    family : str
        Kind of distribution, see `orientation.FAMILIES`.
    p : (120,) float array
        Share of each rotation angle.
    geometry : Geometry
        The true one.
    measurement : Measurement
    """

    counts: NDArray[np.float32]
    mask: NDArray[np.bool_]
    wavelength: float
    alpha_i: float
    family: str
    p: NDArray[np.float64]
    geometry: Geometry
    measurement: Measurement

    def nuisance(self) -> Mapping[str, float]:
        """Everything that was drawn besides p, by name, in the units of the priors' tables."""
        return asdict(self.geometry) | asdict(self.measurement)


def example(
    basis: Basis,
    rng: np.random.Generator,
    *,
    window: Window = WINDOW,
    half: NDArray[np.float32] | None = None,
    family: str | None = None,
    counts: float | None = None,
) -> Example:
    """Draw one measurement of a sample of this geometry.

    Parameters
    ----------
    basis : Basis
        Of ``window.with_margin(MARGIN)``.
    rng : numpy.random.Generator
    window : Window
    half : (61, rows + MARGIN, columns + 2 MARGIN) float32 array, optional
        `basis.half()`, where several examples are drawn from one basis.
    family : str, optional
        Kind of distribution; default: drawn.
    counts : float, optional
        Expected counts of the pixels that count; default: drawn.
    """
    if basis.window != window.with_margin(MARGIN):
        raise ValueError("the basis belongs to another window; make it for window.with_margin(MARGIN).")
    kind, p = sample_orientation(rng, family=family)
    measurement = sample_measurement(rng, counts=counts)
    clean = mix(basis.half() if half is None else half, p)
    stated = basis.geometry.alpha_i - measurement.shift_alpha
    mask = sample_mask(window, stated, rng)
    return Example(
        counts=count(expected_counts(clean, window, measurement, mask), mask, rng),
        mask=mask,
        wavelength=basis.geometry.wavelength,
        alpha_i=stated,
        family=kind,
        p=p,
        geometry=basis.geometry,
        measurement=measurement,
    )


def group(store: Store, seed: int, index: int, *, uses: int = 32) -> list[Example]:
    """Several examples of one basis; which, and what is drawn, depends on the seed and the index alone.

    Workers that share the indices among them draw together what one alone would.

    Parameters
    ----------
    store : Store
    seed, index : int
    uses : int
        Examples; reading a basis costs as much as three.
    """
    chosen = np.random.default_rng([seed, index]).integers(len(store))
    basis = store[int(chosen)]
    half = basis.half()
    rngs = (np.random.default_rng([seed, index, use]) for use in range(uses))
    return [example(basis, rng, window=store.window, half=half) for rng in rngs]


def count(
    expected: NDArray[np.float64], mask: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Poisson counts where the mask is True, 0 elsewhere."""
    return np.where(mask, rng.poisson(expected), 0).astype(np.float32)
