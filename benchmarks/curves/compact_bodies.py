"""Compact bodies whose largest distance is known, measured with 2 % noise, for `distances` to invert."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .guinier import Array, intensity, truth

NOISE = 0.02
#: sasmodels' name, parameters, largest distance between two of its points.
Compact = tuple[str, dict[str, float], float]


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _sphere(rng: np.random.Generator, r: float) -> Compact:
    return "sphere", {"radius": r}, 2 * r


def _shell(rng: np.random.Generator, r: float) -> Compact:
    t = r * rng.uniform(0.1, 0.5)
    slds = {"sld_core": rng.uniform(1, 4), "sld_shell": rng.uniform(1, 4), "sld_solvent": 0.0}
    return "core_shell_sphere", {"radius": r, "thickness": t, **slds}, 2 * (r + t)


def _ellipsoid(rng: np.random.Generator, r: float) -> Compact:
    polar = r * _between(rng, 0.35, 3)
    return "ellipsoid", {"radius_polar": polar, "radius_equatorial": r}, 2 * max(polar, r)


def _triaxial(rng: np.random.Generator, r: float) -> Compact:
    a, b, c = sorted(r * _between(rng, 0.5, 2) for _ in range(3))
    return (
        "triaxial_ellipsoid",
        {"radius_equat_minor": a, "radius_equat_major": b, "radius_polar": c},
        2 * c,
    )


def _cylinder(rng: np.random.Generator, r: float) -> Compact:
    length = r * _between(rng, 0.5, 8)
    return "cylinder", {"radius": r, "length": length}, float(np.hypot(2 * r, length))


def _brick(rng: np.random.Generator, r: float) -> Compact:
    a, b, c = sorted(r * _between(rng, 0.6, 3) for _ in range(3))
    return (
        "parallelepiped",
        {"length_a": a, "length_b": b, "length_c": c},
        float(np.sqrt(a * a + b * b + c * c)),
    )


FAMILIES: tuple[Callable[[np.random.Generator, float], Compact], ...] = (
    _sphere, _shell, _ellipsoid, _triaxial, _cylinder, _brick,
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A measured compact body."""

    kind: str
    #: d_max, rg: true ones, Å.
    d_max: float
    rg: float
    body: Compact
    #: q, intensity, sigma: (n,)
    q: Array
    intensity: Array
    sigma: Array


def compact(number: int, rng: np.random.Generator) -> Case:
    """Body of a family after the other, q_min D from 0.3 to 2.2, q_max D from 12 to 60, a flat background."""
    body = FAMILIES[number % len(FAMILIES)](rng, _between(rng, 12, 150))
    name, parameters, d_max = body
    rg, i0 = truth((name, parameters, d_max / 3))
    ends = rng.uniform(0.3, 2.2) / d_max, _between(rng, 12, 60) / d_max
    count = int(rng.integers(80, 400))
    q = np.linspace(*ends, count) if rng.random() < 0.5 else np.geomspace(*ends, count)
    clean = intensity(name, parameters, q) + i0 * _between(rng, 1e-5, 1e-3)
    sigma = NOISE * clean
    return Case(name, d_max, rg, body, q, clean + sigma * rng.standard_normal(count), sigma)


def cases(count: int, seed: int) -> list[Case]:
    """Compact bodies."""
    rng = np.random.default_rng(seed)
    return [compact(number, rng) for number in range(count)]
