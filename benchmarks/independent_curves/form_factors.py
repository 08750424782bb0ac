"""Form factors of particles and polymers, from the papers that published them.

Lengths are in Å, q in Å⁻¹. Amplitudes and form factors are normalised to 1 at q = 0 unless a function says
otherwise. "Pedersen 1997" is J. S. Pedersen, Adv. Colloid Interface Sci. 70 (1997) 171; "Glatter & Kratky" is
O. Glatter, O. Kratky (eds.), Small Angle X-ray Scattering, Academic Press, 1982.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import j1

Array = NDArray[np.float64]


def sphere_amplitude(q: ArrayLike, radius: ArrayLike) -> Array:
    """Amplitude of a homogeneous sphere, 3 (sin x - x cos x) / x³.

    Lord Rayleigh, Proc. R. Soc. A 84 (1911) 25.
    """
    x = np.asarray(q, float) * np.asarray(radius, float)
    small = x < 1e-2
    y = np.where(small, 1.0, x)
    return np.where(small, 1 - x**2 / 10, 3 * (np.sin(y) - y * np.cos(y)) / y**3)


def sphere_volume(radius: ArrayLike) -> Array:
    return 4 * np.pi / 3 * np.asarray(radius, float) ** 3


def normal_spheres(q: Array, mean: float, relative: float, reach: float = 4.0, points: int = 81) -> Array:
    """<V² F²> / <V> of spheres whose radii have a normal distribution, cut at `reach` deviations, Å³."""
    steps = np.linspace(-reach, reach, points)
    radii, number = mean * (1 + relative * steps), np.exp(-0.5 * steps**2)
    volume = sphere_volume(radii)
    return sphere_amplitude(q[:, None], radii) ** 2 @ (number * volume**2) / (number @ volume)


def layered_sphere_amplitude(q: Array, radii: Array, contrasts: Array) -> Array:
    """Amplitude of concentric shells, not normalised (Pedersen 1997, no. 3)."""
    steps = contrasts - np.append(contrasts[1:], 0.0)
    return sum(
        step * sphere_volume(radius) * sphere_amplitude(q, radius)
        for step, radius in zip(steps, radii, strict=True)
    )


def gauss_legendre(low: float, high: float, points: int) -> tuple[Array, Array]:
    """Abscissas and weights of an integral from `low` to `high`."""
    x, w = np.polynomial.legendre.leggauss(points)
    return 0.5 * (high - low) * x + 0.5 * (high + low), 0.5 * (high - low) * w


def orientation_points(q: Array, length: float) -> int:
    """Points of an average over orientation: some per fringe of the longest edge at the largest q."""
    return int(np.clip(24 + 0.8 * q.max() * length, 32, 600))


def ellipsoid_moments(q: Array, polar: float, equatorial: float) -> tuple[Array, Array]:
    """<F> and <F²> of an ellipsoid of revolution over orientations (A. Guinier, Ann. Phys. 12 (1939) 161)."""
    u, w = gauss_legendre(0.0, 1.0, orientation_points(q, max(polar, equatorial)))
    radius = np.sqrt(equatorial**2 * (1 - u**2) + polar**2 * u**2)
    amplitude = sphere_amplitude(q[:, None], radius[None, :])
    return amplitude @ w, amplitude**2 @ w


def _bessel(x: Array) -> Array:
    """2 J1(x) / x."""
    y = np.where(x < 1e-6, 1.0, x)
    return np.where(x < 1e-6, 1.0, 2 * j1(y) / y)


def cylinder_form(q: Array, radius: float, length: float) -> Array:
    """P(q) of a cylinder or disc (G. Fournet, Bull. Soc. Fr. Minéral. Cristallogr. 74 (1951) 39)."""
    return core_shell_cylinder_form(q, [(1.0, radius, length)])


def core_shell_cylinder_form(q: Array, parts: list[tuple[float, float, float]]) -> Array:
    """P(q) of coaxial cylinders that share their centre, each (contrast step, radius, length)."""
    longest = max(max(radius, length / 2) for _, radius, length in parts)
    points = orientation_points(q, 2 * longest)
    theta, w = gauss_legendre(0.0, np.pi / 2, points)
    sine, cosine = np.sin(theta), np.cos(theta)
    total, volume = np.zeros((q.size, points)), 0.0
    for step, radius, length in parts:
        own = step * np.pi * radius**2 * length
        axial = np.sinc(q[:, None] * length * cosine / (2 * np.pi))
        total += own * axial * _bessel(q[:, None] * radius * sine)
        volume += own
    return (total / volume) ** 2 @ (w * sine)


def box_form(q: Array, a: float, b: float, c: float) -> Array:
    """P(q) of a rectangular box (P. Mittelbach, G. Porod, Acta Phys. Austriaca 14 (1961) 185)."""
    points = orientation_points(q, max(a, b, c))
    u, wu = gauss_legendre(0.0, 1.0, points)
    phi, wp = gauss_legendre(0.0, np.pi / 2, points)
    sine = np.sqrt(1 - u**2)
    across = np.outer(sine, np.cos(phi)).ravel(), np.outer(sine, np.sin(phi)).ravel()
    along, weights = np.repeat(u, phi.size), (np.outer(wu, wp) * 2 / np.pi).ravel()
    found = np.empty(q.size)
    for i, value in enumerate(q):
        half = value / (2 * np.pi)
        amplitude = np.sinc(half * a * across[0]) * np.sinc(half * b * across[1]) * np.sinc(half * c * along)
        found[i] = amplitude**2 @ weights
    return found


def janus_form(q: Array, radius: float, upper: float, lower: float) -> Array:
    """P(q) of a sphere whose two halves have different contrasts, by integrals over discs.

    The amplitude of a disc of thickness dz at height z with radius r = √(R² - z²) is
    π r² · 2 J1(q r sin θ)/(q r sin θ) · exp(i q z cos θ) dz.
    """
    z, wz = gauss_legendre(0.0, radius, orientation_points(q, 2 * radius))
    u, wu = gauss_legendre(0.0, 1.0, orientation_points(q, 2 * radius))
    r = np.sqrt(radius**2 - z**2)
    found = np.empty(q.size)
    for i, value in enumerate(q):
        discs = np.pi * r**2 * wz * _bessel(value * np.outer(np.sqrt(1 - u**2), r))
        even = (discs * np.cos(value * np.outer(u, z))).sum(axis=1) * (upper + lower)
        odd = (discs * np.sin(value * np.outer(u, z))).sum(axis=1) * (upper - lower)
        found[i] = (even**2 + odd**2) @ wu
    return found / (0.5 * (upper + lower) * sphere_volume(radius)) ** 2


def debye(x: ArrayLike) -> Array:
    """2 (exp(-x) - 1 + x) / x² of x = q² Rg² (P. Debye, J. Phys. Colloid Chem. 51 (1947) 18)."""
    x = np.asarray(x, float)
    y = np.where(x < 1e-4, 1.0, x)
    return np.where(x < 1e-4, 1 - x / 3, 2 * (np.expm1(-y) + y) / y**2)


def schulz_zimm_coils(q: Array, rg_z: float, dispersity: float) -> Array:
    """P(q) of Gaussian coils whose masses have a Schulz-Zimm distribution, summed over the masses.

    `rg_z` is the z-average √<Rg²>_z that Guinier's law gives; `dispersity` is Mw/Mn. The number distribution
    of m = M/Mn is m^(k-1) exp(-k m), k = 1/(Mw/Mn - 1) (G. V. Schulz, Z. Phys. Chem. B 43 (1939) 25).
    """
    k = 1 / (dispersity - 1)
    m = np.geomspace(1e-4, 60, 3000)
    number = np.exp(k * np.log(m) - k * m + k)  # times m, as the sum is over ln m
    z_mean = (number * m**3).sum() / (number * m**2).sum()  # <m>_z, as Rg² grows with m
    weight = number * m**2
    form = debye(np.outer(q**2, rg_z**2 * m / z_mean))
    return form @ weight / weight.sum()


def swollen_coil(q: Array, rg: float, exponent: float) -> Array:
    """P(q) of a chain with excluded volume, 2 ∫ (1 - x) exp(-q² b² x^2ν / 6) dx.

    H. Benoit, C. R. 245 (1957) 2244. `exponent` is ν; q² b²/6 = q² Rg² (2ν + 1)(2ν + 2)/6.
    """
    # x = t^p puts the points where the integrand falls at large q.
    t, w = gauss_legendre(0.0, 1.0, 400)
    x, dx = t**3, 3 * t**2 * w
    u = (q * rg) ** 2 * (2 * exponent + 1) * (2 * exponent + 2) / 6
    return np.exp(-np.outer(u, x ** (2 * exponent))) @ (2 * (1 - x) * dx)


def star_polymer(q: Array, rg: float, arms: int) -> Array:
    """P(q) of a star of Gaussian arms; `rg` is that of the star (H. Benoit, J. Polym. Sci. 11 (1953) 507)."""
    v = (q * rg) ** 2 * arms / (3 * arms - 2)
    v = np.maximum(v, 1e-4)
    arm = -np.expm1(-v)
    return 2 / (arms * v**2) * (v - arm + 0.5 * (arms - 1) * arm**2)


def micelle(q: Array, core: float, chains: int, rg: float, core_weight: float, chain_weight: float) -> Array:
    """F²(q) of a spherical core with Gaussian chains on it, 1 at q = 0.

    J. S. Pedersen, M. C. Gerstenberg, Macromolecules 29 (1996) 1363; chains start Rg outside the core.
    `core_weight` and `chain_weight` are excess scattering lengths of the core and of one chain.
    """
    x = np.maximum((q * rg) ** 2, 1e-8)
    chain = -np.expm1(-x) / x
    start = np.sinc(q * (core + rg) / np.pi)
    core_amplitude = sphere_amplitude(q, core)
    total = (
        core_weight**2 * core_amplitude**2
        + chains * chain_weight**2 * debye(x)
        + chains * (chains - 1) * (chain_weight * chain * start) ** 2
        + 2 * chains * core_weight * chain_weight * core_amplitude * chain * start
    )
    return total / (core_weight + chains * chain_weight) ** 2


def wormlike_chains(
    q: Array, contour: float, kuhn: float, radius: float, rng: np.random.Generator, chains: int = 100
) -> Array:
    """P(q) of thin semiflexible chains by Monte Carlo, times the cross-section's form factor.

    Each chain is a Kratky-Porod walk (O. Kratky, G. Porod, Recl. Trav. Chim. 68 (1949) 1106) of steps much
    shorter than a Kuhn length; its Debye sum is taken over the histogram of all distances.
    """
    from scipy.special import sici

    steps = int(np.clip(contour / min(kuhn / 20, 2.5), 60, 700))
    step = contour / steps
    turn = np.exp(-2 * step / kuhn)  # mean cosine between neighbouring steps
    edges = np.linspace(0, contour, 4000)
    counts = np.zeros(edges.size - 1)
    first, second = np.triu_indices(steps, 1)
    for _ in range(chains):
        points = _walk(steps, turn, rng) * step
        counts += np.histogram(np.linalg.norm(points[first] - points[second], axis=1), edges)[0]
    middle, kept = 0.5 * (edges[1:] + edges[:-1]), counts > 0
    pairs = np.sinc(np.outer(q, middle[kept]) / np.pi) @ counts[kept] / chains
    x = np.maximum(q * step, 1e-9)
    # T. Neugebauer, Ann. Phys. 42 (1942) 509, of thin rods.
    own = 2 * sici(x)[0] / x - np.sinc(x / (2 * np.pi)) ** 2
    return (steps * own + 2 * pairs) / steps**2 * _bessel(q * radius) ** 2


def _walk(steps: int, turn: float, rng: np.random.Generator) -> Array:
    """Middles of the steps of a chain, in steps; the cosine of each turn has the mean `turn`."""
    from scipy.optimize import brentq

    strength = brentq(lambda k: 1 / np.tanh(k) - 1 / k - turn, 1e-3, 1e6)
    u = rng.random(steps)
    cosine = 1 + np.log(u + (1 - u) * np.exp(-2 * strength)) / strength
    phi = 2 * np.pi * rng.random(steps)
    direction = np.array([0.0, 0.0, 1.0])
    points, at = np.empty((steps, 3)), np.zeros(3)
    for i in range(steps):
        points[i] = at + direction / 2
        at = at + direction
        helper = np.array([1.0, 0.0, 0.0]) if abs(direction[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
        first = np.cross(direction, helper)
        first /= np.linalg.norm(first)
        second = np.cross(direction, first)
        sine = np.sqrt(max(0.0, 1 - cosine[i] ** 2))
        direction = cosine[i] * direction + sine * (np.cos(phi[i]) * first + np.sin(phi[i]) * second)
        direction /= np.linalg.norm(direction)
    return points
