"""What scenes are composed of: diffuse terms, peaks over q, texture around rings, bodies by sasmodels."""

from __future__ import annotations

import numpy as np

from ....arrays import Floats

#: q of stored curves, in units of q at the reference radius: half of the detector's longer side.
GRID: Floats = np.asarray(np.geomspace(0.008, 4.0, 256), dtype=np.float64)
#: FWHM of a Gaussian over its standard deviation.
FWHM = float(np.sqrt(8 * np.log(2)))
DIFFUSE = ("power_law", "ornstein_zernike", "debye_bueche", "guinier")
#: Bodies by sasmodels, each with the parameter that is its length, and others as multiples of it.
BODIES: dict[str, tuple[str, dict[str, float]]] = {
    "sphere": ("radius", {}),
    "core_shell_sphere": ("radius", {"thickness": 0.35}),
    "ellipsoid": ("radius_equatorial", {"radius_polar": 2.0}),
    "cylinder": ("radius", {"length": 6.0}),
}


def diffuse_low_q(q: Floats, kind: str, scale: float) -> Floats:
    """Scattering that falls with q, of a kind in `DIFFUSE`; `scale` is n, ξ or Rg in q's inverse unit."""
    # q^-n; 1/(1 + q²ξ²) (L. S. Ornstein and F. Zernike, 1914); 1/(1 + q²ξ²)² (P. Debye and A. M. Bueche, J.
    # Appl. Phys. 20 (1949) 518); exp(−q²Rg²/3) (A. Guinier, 1939).
    if kind == "power_law":
        return np.asarray(np.maximum(q, GRID[0]) ** -scale)
    if kind == "guinier":
        return np.asarray(np.exp(-((q * scale) ** 2) / 3))
    return np.asarray((1 + (q * scale) ** 2) ** (-1.0 if kind == "ornstein_zernike" else -2.0))


def diffuse_high_q(q: Floats, sigma: float) -> Floats:
    """1 − exp(−σ²q²): what thermal and static displacements take from the peaks (Debye and Waller)."""
    return np.asarray(-np.expm1(-((sigma * q) ** 2)))


def peak(q: Floats, position: float, fwhm: float) -> Floats:
    """A Gaussian over q of height 1."""
    return np.asarray(np.exp(-0.5 * ((q - position) * (FWHM / fwhm)) ** 2))


def texture(phi: Floats, eta: float, fold: float, chi: float) -> Floats:
    """(1 − η²)/((1 + η)² − 4η cos²(m(φ − χ)/2)) around a ring, mean 1: η 0 is isotropic, towards 1 gives m
    sharp arcs, one at χ; radians.
    """
    return np.asarray(
        (1 - eta * eta) / ((1 + eta) ** 2 - 4 * eta * np.cos(fold * (phi - chi) / 2) ** 2), dtype=np.float64
    )


def paracrystal_width(order: Floats, g: float) -> Floats:
    """Width of a peak over the first ring's q, (π g h)², at order h of a paracrystal with relative distance
    spread g (R. Hosemann and S. N. Bagchi, Direct Analysis of Diffraction by Matter, 1962).
    """
    return np.asarray((np.pi * g * order) ** 2)


def speckle(rng: np.random.Generator, grains: float, width: float) -> Floats:
    """Return spots around a ring (720,), mean 1, of `grains` expected and Gaussian `width`, radians."""
    from scipy.ndimage import gaussian_filter1d

    bins = 720
    # Grains differ in size: their strengths are exponential.
    lit = rng.gamma(np.maximum(rng.poisson(grains / bins, bins), 1e-12), 1.0)
    lit[int(rng.integers(bins))] += 1.0
    grains_lit = gaussian_filter1d(lit, max(width * bins / (2 * np.pi), 0.5), mode="wrap")
    return np.asarray(grains_lit / grains_lit.mean())


def body(name: str, size: float, spread: float, volume_fraction: float) -> Floats:
    """I(q) on `GRID` of one of `BODIES` by sasmodels, with relative size spread, of size in q's inverse unit;
    a volume fraction adds Percus-Yevick hard spheres.
    """
    from ....simulate.kernel import call

    length, defaults = BODIES[name]
    values: dict[str, float] = {length: size, **{key: factor * size for key, factor in defaults.items()}}
    found_intensity = call(name, GRID, {**values, f"{length}_pd": spread})
    intensity = np.asarray(found_intensity.intensity)
    if volume_fraction:
        radius = found_intensity.radius_effective or size
        s = call("hardsphere", GRID, {"radius_effective": radius, "volfraction": volume_fraction})
        intensity = intensity * np.asarray(s.intensity)
    return np.asarray(intensity / max(float(intensity.max()), 1e-300))
