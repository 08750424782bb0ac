"""Simulated specular reflectivities, and small-angle curves scaled to one as reflectivities are.

Reflectivities follow L. G. Parratt (Phys. Rev. 95 (1954) 359) with the roughness of L. Névot and P. Croce
(Rev. Phys. Appl. 15 (1980) 761); form factors are those of J. S. Pedersen (Adv. Colloid Interface Sci. 70
(1997) 171), written here in plain numpy. Nothing of this is shared with what sasnet is trained with.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Generator = np.random.Generator

#: Scattering length densities of substrates and of films, 1e-6 Å⁻²: for neutrons Si, SiO₂, quartz, D₂O,
#: sapphire, and polymers, lipids, metals; for X-rays Si, glass, water, sapphire, Au, and the same.
SUBSTRATES = {"neutrons": (2.07, 3.47, 4.2, 6.36, 5.7), "X-rays": (20.1, 18.9, 9.4, 33.0, 124.0)}
FILMS = {
    "neutrons": (0.3, 1.4, 6.4, 9.4, 4.6, 8.0, -1.9, 3.0),
    "X-rays": (9.5, 8.0, 10.5, 64.0, 124.0, 40.0, 18.9, 30.0),
}
#: Imaginary over real part, at most, of a film or a substrate.
ABSORPTION = {"neutrons": 1e-4, "X-rays": 0.08}


@dataclass(frozen=True)
class Sample:
    """One simulated measurement."""

    kind: str  #: "specular" or "small angle".
    sample: str  #: What was simulated.
    #: q, intensity, dintensity: (n,), Å⁻¹ and any unit.
    q: Array
    intensity: Array
    dintensity: Array
    #: Whether the intensity is scaled to 1, as a reflectivity is.
    scaled: bool = True
    footprint: bool = False  #: Whether the beam is wider than the sample at low q, uncorrected.


def _log(rng: Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def parratt(q: Array, sld: NDArray[np.complex128], thickness: Array, roughness: Array) -> Array:
    """Specular reflectivity of layers.

    Parameters
    ----------
    q : (n,) float array
        Å⁻¹.
    sld : (m,) complex array
        1e-6 Å⁻², from the medium that the beam comes from to the substrate.
    thickness : (m,) float array
        Å; the first and the last are not used.
    roughness : (m - 1,) float array
        Å, of each interface.
    """
    k0 = q / 2
    k = [np.sqrt(k0**2 - 4e-6 * np.pi * (one - sld[0]) + 0j) for one in sld]
    below = np.zeros(q.size, complex)
    for layer in range(sld.size - 2, -1, -1):
        up, down = k[layer], k[layer + 1]
        fresnel = (up - down) / (up + down) * np.exp(-2 * up * down * roughness[layer] ** 2)
        wave = np.exp(2j * down * thickness[layer + 1]) if layer < sld.size - 2 else 0.0
        below = (fresnel + below * wave) / (1 + fresnel * below * wave)
    return np.abs(below) ** 2


def smeared(curve: Any, q: Array, relative: float, constant: float) -> Array:
    """A function of q, averaged over a Gaussian resolution of a relative and a constant part."""
    steps = np.linspace(-2.5, 2.5, 21)
    width = np.hypot(relative * q, constant)
    points = np.maximum(q[:, None] + width[:, None] * steps, 1e-5)
    weight = np.exp(-(steps**2) / 2)
    return np.asarray(curve(points.ravel()).reshape(points.shape) @ weight / weight.sum())


def _layers(rng: Generator, beam: str) -> tuple[str, Array, Array]:
    """Words, densities and thicknesses of the films of a sample, 1e-6 Å⁻² and Å."""
    kind = str(rng.choice(["bare", "film", "film", "bilayer", "two films", "stack"]))
    films = np.array(FILMS[beam])
    if kind == "bare":
        return kind, np.zeros(0), np.zeros(0)
    if kind == "film":
        return kind, rng.choice(films, 1), np.array([_log(rng, 20, 1500)])
    if kind == "bilayer":
        head, tail = (2.0, -0.3) if beam == "neutrons" else (12.5, 8.0)
        return kind, np.array([head, tail, head]), np.array([9.0, rng.uniform(25, 40), 9.0])
    if kind == "two films":
        return kind, rng.choice(films, 2), np.exp(rng.uniform(np.log(15), np.log(600), 2))
    pair, sizes = rng.choice(films, 2, replace=False), rng.uniform(15, 70, 2)
    count = int(rng.integers(3, 15))
    return kind, np.tile(pair, count), np.tile(sizes, count)


def specular(rng: Generator) -> Sample:
    """A specular reflectivity with total reflection at its first points."""
    while True:
        beam = str(rng.choice(["neutrons", "X-rays"]))
        kind, films, sizes = _layers(rng, beam)
        substrate = float(rng.choice(SUBSTRATES[beam]))
        front = 2.07 if beam == "neutrons" and substrate == 6.36 and rng.random() < 0.7 else 0.0
        sld = np.concatenate([[front], films, [substrate]])
        edge = 4 * np.sqrt(np.pi * 1e-6 * (substrate - front))
        absorbed = 1 - 1j * ABSORPTION[beam] * rng.random(sld.size)
        absorbed[0] = 1.0
        thick = np.concatenate([[0.0], sizes, [0.0]])
        rough = np.minimum(rng.uniform(1, 10, sld.size - 1), 0.35 * np.append(sizes, 30.0))
        low, high = edge * rng.uniform(0.25, 0.75), edge * _log(rng, 6, 20)
        size = int(rng.integers(80, 400))
        q = np.geomspace(low, high, size) if rng.random() < 0.4 else np.linspace(low, high, size)
        relative = rng.uniform(0.01, 0.07) if beam == "neutrons" else 0.0
        constant = rng.uniform(1e-4, 6e-4) if beam == "X-rays" else 0.0

        def curve(x: Array, layers: Any = (sld * absorbed, thick, rough)) -> Array:
            return parratt(x, *layers)

        clean = smeared(curve, q, relative, constant) + _log(rng, 1e-8, 1e-5)
        if np.count_nonzero(q < 0.95 * edge) < 6:
            continue
        footprint = bool(rng.random() < 0.35)
        if footprint:  # the beam spills over the sample up to an angle
            clean = clean * np.minimum(q / (edge * rng.uniform(0.3, 1.3)), 1.0)
        scaled = bool(rng.random() < 0.7)
        level = rng.uniform(0.9, 1.1) if scaled else _log(rng, 1e-3, 1e6)
        sigma = clean * np.sqrt(rng.uniform(0.01, 0.05) ** 2 + _log(rng, 1e-8, 1e-5) / clean)
        noisy = (clean + sigma * rng.standard_normal(size)) * level
        return Sample("specular", f"{beam}, {kind}", q, noisy, sigma * level, scaled, footprint)


def _ball(x: Array) -> Array:
    """Amplitude of a sphere at qR, 1 at 0."""
    x = np.maximum(x, 1e-4)
    return 3 * (np.sin(x) - x * np.cos(x)) / x**3


def _spread(amplitude: Any, x: Array, width: float) -> Array:
    """Mean square of an amplitude of qR over a normal distribution of R."""
    if width == 0:
        return np.asarray(amplitude(x) ** 2)
    steps = np.linspace(-3, 3, 41)
    factor, weight = np.maximum(1 + width * steps, 0.05), np.exp(-(steps**2) / 2)
    return np.asarray(sum(w * (f**3 * amplitude(x * f)) ** 2 for f, w in zip(factor, weight, strict=True)))


def _sphere(q: Array, r: float, rng: Generator) -> Array:
    return _spread(_ball, q * r, float(rng.choice([0.0, 0.05, 0.15])))


def _core_shell(q: Array, r: float, rng: Generator) -> Array:
    core, ratio = rng.uniform(0.3, 0.9), rng.uniform(-1.5, 3.0)
    return _spread(
        lambda x: _ball(x) + (ratio - 1) * core**3 * _ball(core * x), q * r, float(rng.choice([0.0, 0.08]))
    )


def _janus(q: Array, r: float, rng: Generator) -> Array:
    """Two halves of a sphere of different contrast, averaged over directions."""
    ratio = rng.uniform(-1.2, 0.5)
    return np.asarray(_hemispheres(tuple(q * r), ratio))


@cache
def _hemispheres(x: tuple[float, ...], ratio: float) -> Array:
    """Mean square amplitude of a half at z > 0 and one at z < 0 of a contrast.

    The disc at height z of a unit sphere has the amplitude 2π a J₁(x a sin θ)/(x sin θ), a² = 1 - z².
    """
    from scipy.special import j1

    points = np.array(x)
    z, weight = np.polynomial.legendre.leggauss(60)
    z, weight = (z + 1) / 2, weight / 2
    cosines, over = np.polynomial.legendre.leggauss(40)
    cosines, over = (cosines + 1) / 2, over / 2
    radius = np.sqrt(1 - z**2)
    total = np.zeros(points.size)
    for cosine, part in zip(cosines, over, strict=True):
        across = np.maximum(points[:, None] * np.sqrt(1 - cosine**2), 1e-9)
        half = (2 * np.pi * radius * j1(across * radius) / across * weight) * np.exp(
            1j * points[:, None] * cosine * z
        )
        upper = half.sum(axis=1)
        total += part * np.abs(upper + ratio * np.conj(upper)) ** 2
    return total


def _vesicle_layers(q: Array, r: float, rng: Generator) -> Array:
    """Spherical shells at equal distances, with disorder: vesicles of many layers."""
    count, d = int(rng.integers(3, 25)), rng.uniform(45, 80)
    core = rng.uniform(0, 5) * d
    total = np.zeros(q.size)
    for _ in range(12):
        at = core + np.cumsum(d * (1 + rng.uniform(0, 0.06) * rng.standard_normal(count)))
        half = 0.3 * d
        wave = sum(
            (a + half) ** 3 * _ball(q * (a + half)) - (a - half) ** 3 * _ball(q * (a - half)) for a in at
        )
        total += np.asarray(wave) ** 2
    return total


def _stack(q: Array, r: float, rng: Generator) -> Array:
    """A finite stack of flat layers (paracrystal), of 2 to 25."""
    count, d, sigma = int(rng.integers(2, 26)), rng.uniform(45, 200), rng.uniform(0.02, 0.1)
    thickness = d * rng.uniform(0.3, 0.7)
    n = np.arange(1, count)[:, None]
    between = 2 * ((1 - n / count) * np.cos(n * q * d) * np.exp(-n * (q * d * sigma) ** 2 / 2)).sum(axis=0)
    return np.asarray((np.sin(q * thickness / 2) / (q * thickness / 2)) ** 2 * (1 + between) / q**2)


def _hard_spheres(q: Array, r: float, rng: Generator) -> Array:
    from sasnet_plugin.data.shadow import percus_yevick

    return _sphere(q, r, rng) * percus_yevick(rng.uniform(0.1, 0.5), 2 * q * r)


def _coil(q: Array, r: float, rng: Generator) -> Array:
    u = np.maximum((q * r) ** 2, 1e-6)
    return np.asarray(2 * (np.exp(-u) - 1 + u) / u**2)


def _rod(q: Array, r: float, rng: Generator) -> Array:
    from scipy.special import j1

    cosines, over = np.polynomial.legendre.leggauss(80)
    cosines, length = (cosines + 1) / 2, r * rng.uniform(0.2, 12)
    across = np.maximum(q[:, None] * r * np.sqrt(1 - cosines**2), 1e-9)
    along = np.maximum(q[:, None] * length / 2 * cosines, 1e-9)
    return np.asarray((2 * j1(across) / across * np.sin(along) / along) ** 2 @ over)


def _two_balls(q: Array, r: float, rng: Generator) -> Array:
    """Clusters of equal spheres that touch: two, or a tetrahedron."""
    count = int(rng.choice([2, 4]))
    return _ball(q * r) ** 2 * (1 + (count - 1) * np.sinc(2 * q * r / np.pi))


def _lattice(q: Array, r: float, rng: Generator) -> Array:
    first, width = rng.uniform(2.5, 8) / r, _log(rng, 0.005, 0.06)
    at = first * np.sqrt(np.array(rng.choice([[1, 3, 4, 7, 9], [2, 4, 6, 8, 10], [3, 4, 8, 11, 12]]), float))
    at /= np.sqrt(at[0] / first) if at[0] else 1.0
    peaks = sum(np.exp(-0.5 * ((q / one - 1) / width) ** 2) / (1 + k) for k, one in enumerate(at))
    return _ball(q * r / 2) ** 2 * (rng.uniform(0.01, 1.0) + 20 * np.asarray(peaks))


def _microemulsion(q: Array, r: float, rng: Generator) -> Array:
    d, xi = 4 * r, r * rng.uniform(0.5, 4)
    k, x = 2 * np.pi / d, 1 / xi
    return np.asarray(1 / ((k**2 + x**2) ** 2 - 2 * (k**2 - x**2) * q**2 + q**4))


def _guinier(q: Array, r: float, rng: Generator) -> Array:
    return np.asarray(np.exp(-((q * r) ** 2) / 3))


def _network(q: Array, r: float, rng: Generator) -> Array:
    return np.asarray(1 / (1 + (q * r) ** rng.uniform(2, 4)))


def _box(q: Array, r: float, rng: Generator) -> Array:
    """Boxes, averaged over directions."""
    u, over_u = np.polynomial.legendre.leggauss(40)
    angle, over = np.polynomial.legendre.leggauss(40)
    u, angle = (u + 1) / 2, (angle + 1) * np.pi / 4
    sides = r * np.array([1.0, rng.uniform(1, 3), rng.uniform(1, 5)])
    across = np.sqrt(1 - u**2)
    total = np.zeros(q.size)
    for phi, weight in zip(angle, over, strict=True):
        ways = (across * np.cos(phi), across * np.sin(phi), u)
        wave = [np.sinc(q[:, None] * way * side / 2 / np.pi) for way, side in zip(ways, sides, strict=True)]
        total += weight / 2 * ((wave[0] * wave[1] * wave[2]) ** 2 @ (over_u / 2))
    return total


SMALL_ANGLE = {
    "sphere": _sphere, "core-shell sphere": _core_shell, "Janus sphere": _janus,
    "multilamellar vesicle": _vesicle_layers, "stack of layers": _stack, "hard spheres": _hard_spheres,
    "coil": _coil, "rod": _rod, "touching spheres": _two_balls, "lattice": _lattice,
    "microemulsion": _microemulsion, "Guinier": _guinier, "network": _network, "box": _box,
}  # fmt: skip


def small_angle(rng: Generator) -> Sample:
    """A small-angle curve; two in three are scaled to 1 at their first point, their highest, or q = 0."""
    name = str(rng.choice(list(SMALL_ANGLE)))
    r = _log(rng, 20, 500)
    low = _log(rng, 0.05, 3.0) / r
    high = min(low * _log(rng, 8, 100), 1.0)
    if high < 5 * low:
        low = high / 5
    size = int(rng.integers(60, 400))
    q = np.geomspace(low, high, size) if rng.random() < 0.5 else np.linspace(low, high, size)
    r_draw = rng.spawn(1)[0]
    seed = int(r_draw.integers(2**31))
    fine = np.geomspace(low / 3, high * 1.1, 800)
    exact = SMALL_ANGLE[name](fine, r, np.random.default_rng(seed))
    exact = np.maximum(np.nan_to_num(exact), 1e-300)

    def curve(x: Array) -> Array:
        return np.asarray(np.exp(np.interp(np.log(x), np.log(fine), np.log(exact))))

    clean = smeared(curve, q, rng.uniform(0.0, 0.06), 0.0)
    top = float(rng.choice([clean[0], clean.max(), exact[0]]))
    scaled = bool(rng.random() < 0.67)
    clean = clean / top + _log(rng, 1e-7, 1e-2)
    level = rng.uniform(0.98, 1.02) if scaled else _log(rng, 1e-4, 1e4)
    sigma = clean * np.sqrt(rng.uniform(0.005, 0.03) ** 2 + _log(rng, 1e-8, 1e-5) / clean)
    noisy = (clean + sigma * rng.standard_normal(size)) * level
    return Sample("small angle", name, q, noisy, sigma * level, scaled)


KINDS = {"specular": specular, "small angle": small_angle}
