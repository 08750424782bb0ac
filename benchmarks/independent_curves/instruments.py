"""Instruments that measure a curve: points of q, resolution, noise, faults, and the files written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Intensity = Callable[[Array], Array]

#: Share of the measurements with each fault.
SHARES = {"systematic": 0.2, "misstated": 0.15, "missing": 0.1}
#: A systematic error is at most this part of the intensity; stated errors are off by at most this factor.
LARGEST_SYSTEMATIC, LARGEST_MISSTATEMENT = 0.02, 2.5


@dataclass(frozen=True)
class Measurement:
    """One measured curve as a file states it."""

    q: Array  #: (n,), Å⁻¹.
    intensity: Array  #: (n,)
    dintensity: Array | None  #: (n,), as stated; None: not stated.
    dq: Array | None  #: (n,), standard deviation of q, Å⁻¹.
    slit: float | None = None  #: Half length of the slit as stated, Å⁻¹.
    instrument: str = ""
    faults: dict[str, float] = field(default_factory=dict)
    nanometres: bool = False  #: The file is in nm⁻¹.
    columns: str = "q I dI"

    def without(self, low: int, high: int) -> Measurement:
        """The same without the points from `low` to below `high`."""
        kept = np.r_[0:low, high : self.q.size]

        def cut(values: Array | None) -> Array | None:
            return None if values is None else values[kept]

        return replace(
            self, q=self.q[kept], intensity=self.intensity[kept], dintensity=cut(self.dintensity),
            dq=cut(self.dq),
        )  # fmt: skip

    def save(self, path: Path) -> None:
        """Write the file: canSAS where a slit is stated, else columns with their names and units above."""
        path.write_text(self._cansas() if self.slit else self._table(), encoding="utf-8")

    def _table(self) -> str:
        factor, unit = (10.0, "1/nm") if self.nanometres else (1.0, "1/A")
        columns = {f"q ({unit})": self.q * factor, "I (1/cm)": self.intensity}
        if self.dintensity is not None:
            columns["dI (1/cm)"] = self.dintensity
            if self.dq is not None:
                columns[f"dq ({unit})"] = self.dq * factor
        rows = np.column_stack(list(columns.values()))
        return "\n".join(
            ["# " + "   ".join(columns), *("  ".join(f"{value:.6e}" for value in row) for row in rows), ""]
        )

    def _cansas(self) -> str:
        errors = self.q * 0 if self.dintensity is None else self.dintensity
        rows = "\n".join(
            f'<Idata><Q unit="1/A">{q:.6e}</Q><I unit="1/cm">{i:.6e}</I><Idev unit="1/cm">{e:.6e}</Idev>'
            f'<dQw unit="1/A">0</dQw><dQl unit="1/A">{self.slit:.6e}</dQl></Idata>'
            for q, i, e in zip(self.q, self.intensity, errors, strict=True)
        )
        return (
            '<?xml version="1.0"?>\n<SASroot version="1.0" xmlns="cansas1d/1.0"><SASentry>'
            "<Title>sample</Title>"
            f"<Run>1</Run><SASdata>\n{rows}\n</SASdata><SASsample><ID>sample</ID></SASsample></SASentry>"
            "</SASroot>\n"
        )


@dataclass(frozen=True)
class Sample:
    """What an instrument measures."""

    intensity: Intensity  #: Of q (n,), Å⁻¹, in cm⁻¹, without background.
    largest: float  #: Å; fringes are this fine.
    q_range: tuple[float, float]  #: That a scientist would measure, Å⁻¹.


def measure(
    sample: Sample, instrument: str, rng: np.random.Generator, *, faults: bool = True,
    slit: float | None = None,
) -> Measurement:  # fmt: skip
    low, high = sample.q_range
    q, dq, sigma_of = INSTRUMENTS[instrument](low, high, rng)
    unstated = slit
    stated = float(rng.uniform(0.02, 0.12)) if instrument == "slit" else None
    clean = smeared(sample, q, dq, stated or unstated)
    sigma = sigma_of(q, clean)
    background = sigma.background
    expected, drawn, known = clean + background, {}, True
    if faults and rng.random() < SHARES["systematic"]:
        size = float(rng.uniform(0.003, LARGEST_SYSTEMATIC))
        expected, drawn["systematic"] = expected * (1 + size * _smooth(q, rng)), size
    measured = expected + sigma.value * rng.standard_normal(q.size)
    errors: Array = sigma.value * np.sqrt(np.maximum(rng.chisquare(400, q.size), 1) / 400)
    if faults and rng.random() < SHARES["misstated"]:
        factor = float(np.exp(rng.uniform(-1, 1) * np.log(LARGEST_MISSTATEMENT)))
        errors, drawn["misstated"] = errors * factor, factor
    if faults and instrument != "slit" and rng.random() < SHARES["missing"]:
        known, drawn["missing"] = False, 1.0
    return Measurement(
        q, measured, errors if known else None, dq, stated, instrument, drawn,
        nanometres=bool(instrument in ("lab SAXS", "synchrotron SAXS") and rng.random() < 0.4),
    )  # fmt: skip


def _smooth(q: Array, rng: np.random.Generator) -> Array:
    """A function that changes slowly along ln q, with a root mean square of about 1."""
    x = np.log(q / q[0]) / np.log(q[-1] / q[0])
    waves = rng.uniform(0.5, 4, 4)[:, None] * x + rng.random((4, 1))
    return np.cos(2 * np.pi * waves).sum(axis=0) / np.sqrt(2)


def smeared(sample: Sample, q: Array, dq: Array | None, slit: float | None) -> Array:
    """The sample's intensity as the instrument averages it."""
    if slit:
        t, w = np.polynomial.legendre.leggauss(400)
        u = 0.5 * (t + 1)
        across = slit * u**2  # more points near the beam's axis, where the intensity changes most
        reached = np.sqrt(q[:, None] ** 2 + across**2)
        fine = _fine(sample, 0.98 * q[0], 1.02 * float(reached.max()))
        return _interpolated(sample, fine, reached) @ (w * u)
    if dq is None:
        return sample.intensity(q)
    z, weights = resolution_shape()
    reached = np.abs(q[:, None] + dq[:, None] * z)
    fine = _fine(sample, max(float(reached.min()), 0.1 * q[0]), float(reached.max()))
    return _interpolated(sample, fine, reached) @ weights


def resolution_shape() -> tuple[Array, Array]:
    """Deviations of q in standard deviations, and their weights.

    Apertures, pixels and a velocity selector pass no tails: a triangle of wavelengths and one of angles
    (J. S. Pedersen, D. Posselt, K. Mortensen, J. Appl. Cryst. 23 (1990) 321) together, of equal widths,
    are nearly a Gaussian that ends at 3.5 standard deviations.
    """
    half = np.sqrt(3.0)  # of each triangle, whose variance is half²/6
    step = np.linspace(-half, half, 161)  # dense: Bragg peaks may be a tenth as wide as the resolution
    triangle = half - np.abs(step)
    weights = np.convolve(triangle, triangle)
    return np.linspace(-2 * half, 2 * half, weights.size), weights / weights.sum()


def _fine(sample: Sample, low: float, high: float) -> Array:
    """Points of q, as many as the largest length's fringes need."""
    logarithmic = np.geomspace(low, high, 500)
    step = np.pi / (10 * sample.largest)
    linear = np.arange(low, high, max(step, (high - low) / 4000))
    return np.unique(np.concatenate([logarithmic, linear, [high]]))


def _interpolated(sample: Sample, fine: Array, at: Array) -> Array:
    from scipy.interpolate import CubicSpline

    return CubicSpline(fine, sample.intensity(fine))(np.clip(at, fine[0], fine[-1]))


@dataclass(frozen=True)
class Noise:
    """Standard deviation of each intensity, and the background that is measured with it."""

    value: Array
    background: float


Noisy = Callable[[Array, Array], Noise]
Setting = tuple[Array, "Array | None", Noisy]


def _counting(
    relative: float, background: float, weight: Callable[[Array], Array], floor: float = 0.0
) -> Noisy:
    """Counting noise: `relative` of I at the strongest point; `weight` is how long each point is counted.

    `background` is a share of the largest intensity; `floor` adds to the noise as a share of I.
    """

    def of(q: Array, clean: Array) -> Noise:
        level = background * float(np.max(clean))
        total = clean + level
        counts = total * weight(q)
        best = float(np.max(counts))
        return Noise(total * np.sqrt(1 / (counts / best) * relative**2 + floor**2), level)

    return of


def _merged_sans(low: float, high: float, rng: np.random.Generator) -> Setting:
    """Two or three detector distances, merged: dq is given and jumps where settings meet."""
    count = 2 if high / low < 40 else 3
    edges = np.geomspace(low, high, count + 1)
    spread = float(rng.uniform(0.035, 0.06))  # of the wavelength: 8 to 14 % full width
    q, dq = [], []
    for i in range(count):
        own = np.geomspace(edges[i] * (0.85 if i else 1), edges[i + 1], int(rng.integers(35, 60)))
        q.append(own)
        dq.append(np.hypot(spread * own, 0.06 * edges[i] * rng.uniform(0.8, 1.6)))
    points = np.concatenate(q)
    order = np.argsort(points, kind="stable")
    noise = _counting(
        float(10 ** rng.uniform(-2.5, -1.9)), float(10 ** rng.uniform(-4, -2.3)), lambda q: q, floor=0.003
    )
    return points[order], np.concatenate(dq)[order], noise


def _one_setting_sans(low: float, high: float, rng: np.random.Generator) -> Setting:
    """One distance: linear bins over little more than a decade."""
    low = max(low, high / rng.uniform(15, 35))
    q = np.linspace(low, high, int(rng.integers(60, 130)))
    dq = np.hypot(rng.uniform(0.035, 0.06) * q, 0.15 * low * rng.uniform(0.5, 1.0))
    noise = _counting(float(10 ** rng.uniform(-2.3, -1.8)), float(10 ** rng.uniform(-3.5, -2)), lambda q: q)
    return q, dq, noise


def _laboratory_saxs(low: float, high: float, rng: np.random.Generator) -> Setting:
    """A laboratory camera: no resolution given, and the noise of a subtracted background."""
    low = max(low, 0.006)
    q = np.linspace(low, max(high, 12 * low), int(rng.integers(150, 420)))
    noise = _counting(float(10 ** rng.uniform(-2.2, -1.6)), float(10 ** rng.uniform(-4, -2.7)), lambda q: q)
    return q, None, noise


def _synchrotron_saxs(low: float, high: float, rng: np.random.Generator) -> Setting:
    """Many points, small errors, no resolution given."""
    q = np.linspace(low, high, int(rng.integers(400, 900)))
    noise = _counting(
        float(10 ** rng.uniform(-2.7, -2.1)), float(10 ** rng.uniform(-4.5, -3)), lambda q: q, floor=0.002
    )
    return q, None, noise


def _slit_camera(low: float, high: float, rng: np.random.Generator) -> Setting:
    """A camera with a long slit whose half length the file states."""
    q = np.geomspace(low, high, int(rng.integers(90, 180)))
    noise = _counting(float(10 ** rng.uniform(-2.5, -1.9)), float(10 ** rng.uniform(-4, -3)), lambda q: q)
    return q, None, noise


INSTRUMENTS: dict[str, Callable[[float, float, np.random.Generator], Setting]] = {
    "SANS, distances merged": _merged_sans, "SANS, one setting": _one_setting_sans,
    "lab SAXS": _laboratory_saxs, "synchrotron SAXS": _synchrotron_saxs, "slit": _slit_camera,
}  # fmt: skip
#: How often each is used.
USED = {
    "SANS, distances merged": 0.35, "SANS, one setting": 0.15, "lab SAXS": 0.2, "synchrotron SAXS": 0.25,
    "slit": 0.05,
}  # fmt: skip


def draw_instrument(rng: np.random.Generator) -> str:
    """An instrument's name, as often as it is used."""
    return str(rng.choice(list(USED), p=list(USED.values())))
