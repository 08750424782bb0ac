"""Three measurements whose sizes are known, and what a reader must make of a file of them.

A sphere of radius 60 Å (Rg 46.5 Å), a Gaussian coil of Rg 60 Å, and lamellae 120 Å apart. Formulas of
the textbooks: Rayleigh's sphere, Debye's coil, two Lorentzian peaks on a falling background. The seed
varies how many points there are, where they lie, the noise, and the level.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """A data set as it must come out of a file."""

    q: Array  #: (n,), Å⁻¹, ascending.
    intensity: Array  #: (n,), any scale: the reader's must be proportional to it.
    error: Array | None = None  #: (n,), on the scale of the intensity; None where the file has none.
    dq: Array | None = None  #: (n,), one standard deviation, Å⁻¹; None where the file has none.
    slit: float | None = None  #: Half length of the slit, Å⁻¹.

    def rows(self, kept: NDArray[np.bool_]) -> Truth:
        """Only some of the points."""
        columns = [None if c is None else c[kept] for c in (self.q, self.intensity, self.error, self.dq)]
        return Truth(columns[0], columns[1], columns[2], columns[3])  # type: ignore[arg-type]

    @property
    def bare(self) -> Truth:
        """Without uncertainties and resolution."""
        return replace(self, error=None, dq=None)

    @property
    def pinhole_less(self) -> Truth:
        """With uncertainties, without resolution."""
        return replace(self, dq=None)


@dataclass(frozen=True)
class Measurement:
    """One of the three, as measured."""

    name: str
    truth: Truth  #: With uncertainties and resolution.
    model: Array  #: (n,), the curve without noise: what a program that fits writes beside the data.
    rng: np.random.Generator  #: For what a way of writing chooses: words, digits.

    def pick(self, *choices: str) -> str:
        """One of several wordings."""
        return choices[int(self.rng.integers(len(choices)))]

    def digits(self, low: int = 5, high: int = 9) -> str:
        """A ``%e`` form with that many decimals."""
        return f"%.{int(self.rng.integers(low, high + 1))}e"


@dataclass(frozen=True)
class File:
    """A file, and what is right."""

    suffix: str  #: With its dot.
    content: bytes
    #: Each a set of data sets that is right; empty where only a refusal is.
    right: tuple[tuple[Truth, ...], ...] = ()
    #: A refusal whose sentence holds one of these (any case) is right as well; empty where none is.
    refusal: tuple[str, ...] = ()
    #: One of these must stand in the notes of what is read; empty where nothing need be said.
    says: tuple[str, ...] = ()
    #: Numbers that are wrong by the unit alone count as "said" where a note holds one of these.
    said: tuple[str, ...] = ()
    options: tuple[tuple[str, str | float], ...] = ()  #: For `sasnet_plugin.load`.
    #: The unit is the format's, not the file's: whether it is said to be assumed is left open.
    loose: bool = False


def sphere(q: Array, radius: float = 60.0) -> Array:
    """I(q) of a sphere over I(0)."""
    x = q * radius
    return (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2


def coil(q: Array, rg: float = 60.0) -> Array:
    """Debye's function."""
    x = (q * rg) ** 2
    return 2 * (np.expm1(-x) + x) / x**2


def lamellae(q: Array, spacing: float = 120.0) -> Array:
    """Two orders of a lamellar stack on a background that falls."""
    peaks = sum(
        height / (1 + ((q - order * 2 * np.pi / spacing) / 0.0022) ** 2)
        for order, height in ((1, 1.0), (2, 0.22))
    )
    return np.asarray(peaks + 0.12 * (0.02 / q) ** 1.5 + 0.02)


#: Name, curve, q from and to, Å⁻¹.
KINDS = (
    ("sphere", sphere, 0.006, 0.25),
    ("coil", coil, 0.005, 0.30),
    ("lamellae", lamellae, 0.012, 0.26),
)


def measured(
    kind: int, seed: int, variant: int = 0, window: tuple[float, float] | None = None
) -> Measurement:
    """Measure one of `KINDS`."""
    name, curve, low, high = KINDS[kind]
    low, high = window or (low, high)
    rng = np.random.default_rng([seed, kind])
    n = int(rng.integers(110, 320))
    low, high = low * rng.uniform(0.9, 1.1), high * rng.uniform(0.9, 1.1)
    evenly = rng.random() < 0.5 and high < 50 * low
    q = np.linspace(low, high, n) if evenly else np.geomspace(low, high, n)
    level = 10 ** rng.uniform(-0.5, 2.5)
    model = level * (curve(q) + 0.01)
    rng = np.random.default_rng([seed, kind, variant])
    error = np.sqrt((0.012 * model) ** 2 + 4e-6 * level * model + (6e-4 * level) ** 2)
    error *= rng.uniform(0.9, 1.1, n)
    noise = np.clip(rng.standard_normal(n), -2.5, 2.5)
    dq = np.hypot(0.04 * q, 0.0009)
    return Measurement(name, Truth(q, model + error * noise, error, dq), model, rng)
