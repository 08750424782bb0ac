"""Simulated measurements for the beamstop's shadow: with one, with repulsion and no shadow, and plain ones.

Sample and instrument are drawn here and nowhere else: nothing of this is shared with what sasnet is trained
with. Intensities are sasmodels', smeared by the instrument's pinhole resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_WIDTHS = (0.0, 0.05, 0.1, 0.2)
"""Relative standard deviations of radii."""


@dataclass(frozen=True)
class Measured:
    """One simulated measurement."""

    kind: str  #: "shadow", "repulsion" or "plain".
    sample: str  #: sasmodels' name of the sample.
    #: q, intensity, dintensity, dq: (n,), Å⁻¹ and cm⁻¹.
    q: Array
    intensity: Array
    dintensity: Array
    dq: Array
    #: q where the beamstop lets half of the intensity pass, Å⁻¹; nan without a shadow.
    edge: float = float("nan")
    clear: float = float("nan")  #: q from which on it lets 97 % pass, Å⁻¹; nan without a shadow.
    #: How fast ln I rises with ln q at the edge at most; nan without a shadow.
    steepness: float = float("nan")


@cache
def _kernel(name: str) -> Any:
    from sasmodels.core import load_model

    return load_model(name, dtype="double", platform="dll")


def computed(name: str, q: Array, dq: Array | None, **parameters: float) -> Array:
    """Intensity of a model of sasmodels, cm⁻¹."""
    from sasmodels.data import empty_data1D
    from sasmodels.direct_model import DirectModel

    data = empty_data1D(q, resolution=0.0)
    if dq is not None:
        data.dx = dq
    return np.asarray(DirectModel(data, _kernel(name))(**parameters), dtype=np.float64)


def _log(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def instrument(rng: np.random.Generator, low: float, high: float) -> tuple[Array, Array, float]:
    """q, its resolution, and the relative error of the strongest point, of a SANS or a SAXS instrument."""
    if rng.random() < 0.5:  # SANS: wide bands of wavelength, few points
        points = int(rng.integers(60, 180))
        q = np.geomspace(low, high, points) if rng.random() < 0.6 else np.linspace(low, high, points)
        dq = np.hypot(rng.uniform(0.04, 0.1) * q, rng.uniform(0.05, 0.25) * low)
        return q, dq, _log(rng, 0.003, 0.05)
    q = np.linspace(low, high, int(rng.integers(150, 600)))
    return q, np.full(q.size, rng.uniform(0.02, 0.15) * low), _log(rng, 0.001, 0.02)


def noisy(rng: np.random.Generator, clean: Array, shadow: Array, relative: float) -> tuple[Array, Array]:
    """Intensity and its uncertainty: counted, with a background subtracted that counts as well."""
    background = _log(rng, 1e-5, 3e-3) * float(np.max(clean))
    expected = shadow * clean
    strongest = float(np.max(expected))
    variance = relative**2 * strongest * (np.maximum(expected, 0) + background)
    variance += (rng.uniform(0.0, 0.005) * expected) ** 2
    sigma = np.sqrt(variance)
    return expected + sigma * rng.standard_normal(clean.size), sigma


def _plain_sample(rng: np.random.Generator) -> tuple[str, dict[str, float], float]:
    """Model, parameters, and a length, Å, about which its curve turns."""
    length = _log(rng, 25, 600)
    pd = float(rng.choice(_WIDTHS))
    spread = {"radius_pd": pd, "radius_pd_n": 35.0}
    level = {"background": 0.0, "scale": _log(rng, 1e-3, 0.1)}
    name = str(rng.choice(list(_PLAIN)))
    return name, level | _PLAIN[name](rng, length, spread), length


_PLAIN: dict[str, Any] = {
    "sphere": lambda rng, r, pd: {"radius": r, "sld": 1, "sld_solvent": 6} | pd,
    "core_shell_sphere": lambda rng, r, pd: (
        {"radius": r, "thickness": r * rng.uniform(0.1, 0.6), "sld_core": rng.uniform(-1, 6)}
        | {"sld_shell": rng.uniform(-1, 6), "sld_solvent": 6.36}
        | pd
    ),
    "vesicle": lambda rng, r, pd: {"radius": 2 * r, "thickness": rng.uniform(25, 60), "sld": 0.5} | pd,
    "cylinder": lambda rng, r, pd: {"radius": r / 3, "length": r * rng.uniform(3, 15), "sld_solvent": 6},
    "ellipsoid": lambda rng, r, pd: {"radius_polar": r * rng.uniform(0.3, 4), "radius_equatorial": r},
    "mono_gauss_coil": lambda rng, r, pd: {"rg": r, "i_zero": 100.0},
    "dab": lambda rng, r, pd: {"cor_length": r},
    "guinier_porod": lambda rng, r, pd: {"rg": r, "s": rng.uniform(0, 2), "porod_exp": rng.uniform(3, 4)},
    "power_law": lambda rng, r, pd: {"power": rng.uniform(1, 4)},
    "correlation_length": lambda rng, r, pd: {"cor_length": r, "lorentz_scale": rng.uniform(1, 100)},
    "teubner_strey": lambda rng, r, pd: {"d": 4 * r, "xi": r * rng.uniform(0.8, 3)},
    "broad_peak": lambda rng, r, pd: (
        {"peak_pos": 1.5 / r, "correlation_length": r * rng.uniform(0.5, 4), "peak_scale": 10.0}
        | {"porod_scale": _log(rng, 1e-7, 1e-4), "width_exp": rng.uniform(1.5, 3)}
        | {"porod_exp": rng.uniform(2.5, 4)}
    ),
    "lamellar_hg": lambda rng, r, pd: {"length_tail": rng.uniform(10, 20), "length_head": rng.uniform(5, 12)},
    "fractal": lambda rng, r, pd: {"radius": r / 5, "cor_length": 3 * r, "fractal_dim": rng.uniform(1.6, 3)},
}  # fmt: skip


def plain(rng: np.random.Generator) -> Measured:
    """A measurement without shadow and without repulsion between particles."""
    name, parameters, length = _plain_sample(rng)
    low = _log(rng, 0.1, 1.5) / length
    q, dq, relative = instrument(rng, low, low * _log(rng, 25, 120))
    clean = computed(name, q, dq, **parameters)
    clean = clean + _log(rng, 1e-5, 1e-2) * float(np.max(clean))
    return Measured("plain", name, q, *noisy(rng, clean, np.ones(q.size), relative), dq)


def passed(rng: np.random.Generator, q: Array, edge: float) -> tuple[Array, float, float]:
    """What a beamstop lets pass, from the sharp to the gradual; where 97 % pass, and its steepness."""
    form = rng.choice(["logistic", "error function", "ramp"])
    width = _log(rng, 0.01, 0.12) * edge  # one standard deviation of the edge's blur
    step = (q - edge) / width

    def shape(step: Array) -> Array:
        from scipy.special import erf, expit

        if form == "logistic":
            return np.asarray(expit(1.6 * step))
        if form == "error function":
            return np.asarray(0.5 * (1 + erf(step / np.sqrt(2))))
        return np.clip(0.5 + step / np.sqrt(12), 0, 1)

    floor = float(rng.choice([0.0, 0.0, _log(rng, 1e-4, 1e-2)]))
    fine = np.linspace(-8, 8, 3201)
    clear = edge + width * float(fine[np.searchsorted(shape(fine), 0.97)])
    through = floor + (1 - floor) * shape(step)
    slope = float(edge * 1.6 / width / 4) * 2
    return through, clear, slope


def shadowed(rng: np.random.Generator) -> Measured:
    """A measurement whose first points lie behind the beamstop; some of the samples repel one another."""
    while True:
        if rng.random() < 0.15:
            name, parameters, length = _repelling_sample(rng)
        else:
            name, parameters, length = _plain_sample(rng)
        edge = _log(rng, 0.1, 1.2) / length
        low = edge / rng.uniform(1.3, 4.0)
        q, dq, relative = instrument(rng, low, edge * _log(rng, 20, 100))
        through, clear, steepness = passed(rng, q, edge)
        if np.count_nonzero(through < 0.5) < 3 or through[0] > 0.1:
            continue
        # The beamstop casts its shadow on the detector, where the beam's width blurs the curve already.
        clean = computed(name, q, dq, **parameters)
        clean = clean + _log(rng, 1e-5, 1e-2) * float(np.max(clean[q > edge]))
        shadow = through
        near = clean[(q > 0.9 * edge) & (q < 1.2 * clear)]
        if not np.all(np.isfinite(clean)) or near.size < 2:
            continue
        if np.median(near) < 0.02 * np.max(clean[q > edge]):
            continue
        clean = np.minimum(clean, 50 * np.median(near))
        intensity, sigma = noisy(rng, clean, shadow, relative)
        return Measured("shadow", name, q, intensity, sigma, dq, edge, clear, steepness)


def _repelling_sample(rng: np.random.Generator) -> tuple[str, dict[str, float], float]:
    radius = _log(rng, 20, 300)
    level = {"background": 0.0, "sld": 1.0, "sld_solvent": 6.0}
    form = str(rng.choice(["sphere", "sphere", "ellipsoid", "core_shell_sphere"]))
    shape = {
        "sphere": {"radius": radius, "radius_pd_n": 35.0, "radius_pd": float(rng.choice(_WIDTHS))},
        "ellipsoid": {"radius_polar": radius * rng.uniform(0.6, 1.8), "radius_equatorial": radius},
        "core_shell_sphere": {
            "radius": 0.7 * radius, "thickness": 0.3 * radius,
            "sld_core": rng.uniform(0, 3), "sld_shell": rng.uniform(0, 3),
        },
    }[form]  # fmt: skip
    if form == "core_shell_sphere":
        level.pop("sld")
    if rng.random() < 0.5:
        forces = {"volfraction": rng.uniform(0.1, 0.52)}
        return f"{form}@hardsphere", level | shape | forces, radius
    forces = {
        "volfraction": _log(rng, 0.005, 0.3),
        "charge": _log(rng, 5, 150),
        "temperature": 298.0,
        "concentration_salt": _log(rng, 1e-5, 0.05),
        "dielectconst": 78.0,
    }
    return f"{form}@hayter_msa", level | shape | forces, radius


def repulsion(rng: np.random.Generator) -> Measured:
    """A measurement of particles that repel one another; the window starts below the peak of I(q)."""
    while True:
        name, parameters, radius = _repelling_sample(rng)
        fine = np.geomspace(0.02 / radius, 8 / radius, 600)
        with np.errstate(all="ignore"):
            ideal = computed(name, fine, None, **parameters)
        if not np.all(np.isfinite(ideal)) or np.any(ideal <= 0):
            continue
        peak = int(np.argmax(ideal))
        # A peak that is one: the intensity has risen by a fifth at least from q = 0.
        if peak == 0 or ideal[peak] < 1.2 * ideal[0]:
            continue
        low = fine[peak] * rng.uniform(0.08, 0.75)
        q, dq, relative = instrument(rng, low, fine[peak] * _log(rng, 5, 30))
        clean = computed(name, q, dq, **parameters)
        clean = clean + _log(rng, 1e-5, 1e-2) * float(np.max(clean))
        if not np.all(np.isfinite(clean)):
            continue
        return Measured("repulsion", name, q, *noisy(rng, clean, np.ones(q.size), relative), dq)


KINDS = {"shadow": shadowed, "repulsion": repulsion, "plain": plain}
