"""The kinds of samples: what is drawn, which answers are right, and which values are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from . import form_factors as form
from . import phenomenological as law
from . import structure_factors as structure
from .instruments import Intensity, Measurement, Sample, draw_instrument, measure
from .size_distributions import sizes_of

Array = NDArray[np.float64]
Rng = np.random.Generator

#: Contrasts in 10⁻⁶ Å⁻² and volumes in Å³ make intensities in 10⁻⁴ cm⁻¹.
UNIT = 1e-4


@dataclass(frozen=True)
class Drawn:
    """One sample of a kind, as it is drawn."""

    sample: Sample
    #: Quantity -> value; the names are those of `scoring.QUANTITIES`.
    values: Mapping[str, float] = field(default_factory=dict)
    slit: float | None = None  #: Half length of a slit that the file does not state, Å⁻¹.
    instrument: str | None = None  #: Where the kind needs one.


@dataclass(frozen=True)
class Kind:
    """A kind of sample."""

    name: str
    draw: Callable[[Rng], Drawn]
    #: Names of models, with structure factors and sums as answers spell them, that are right. A trailing
    #: ``@*`` accepts the model alone and with any structure factor.
    right: frozenset[str]
    everyday: bool = True
    interacting: bool = False
    #: Words of a caution that make any answer right, as of a slit that the file does not state.
    said: str = ""


@dataclass(frozen=True)
class Curve:
    """A measured curve of known truth."""

    kind: Kind
    seed: int
    drawn: Drawn
    measurement: Measurement


def drawn_of(kind: Kind, seed: int) -> tuple[Drawn, Rng]:
    """The sample of a kind and seed, and the generator that goes on to measure it."""
    rng = np.random.default_rng([seed, crc32(kind.name.encode())])
    return kind.draw(rng), rng


def curve_of(kind: Kind, seed: int, instrument: str = "", *, faults: bool = True) -> Curve:
    """Draw and measure a curve; the same of the same kind and seed. An instrument may be chosen."""
    drawn, rng = drawn_of(kind, seed)
    used = instrument or drawn.instrument or draw_instrument(rng)
    return Curve(kind, seed, drawn, measure(drawn.sample, used, rng, faults=faults, slit=drawn.slit))


def _log(rng: Rng, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _range_of(rng: Rng, size: float, high: float = 0.0) -> tuple[float, float]:
    """A range of q that shows a particle of this size (Å): from below Guinier's region to Porod's."""
    return max(_log(rng, 0.25, 0.6) / size, 0.0008), float(
        np.clip(max(_log(rng, 8, 20) / size, high), 0.05, 0.6)
    )


def _keeps_range(rng: Rng, low: float) -> str:
    """An instrument that measures from `low` on, where what the kind shows lies at the lowest q."""
    names = ["SANS, distances merged", "synchrotron SAXS", *(["lab SAXS"] if low >= 0.006 else [])]
    return str(rng.choice(names))


def _volume_average(
    q: Array, sizes: Array, numbers: Array, squared: Callable[[Array, float], Array],
    volume: Callable[[float], float],
) -> Array:  # fmt: skip
    """<F²> / <V>, F² not normalised."""
    total = sum(n * squared(q, float(s)) for s, n in zip(sizes, numbers, strict=True))
    return total / sum(n * volume(float(s)) for s, n in zip(sizes, numbers, strict=True))


def _of_spheres(scale: float, sizes: Array, numbers: Array) -> Intensity:
    def squared(q: Array, radius: float) -> Array:
        return (form.sphere_volume(radius) * form.sphere_amplitude(q, radius)) ** 2

    return lambda q: (
        scale * _volume_average(q, sizes, numbers, squared, lambda r: float(form.sphere_volume(r)))
    )


def _prefactor(rng: Rng) -> float:
    """Volume fraction times contrast squared, cm⁻¹ Å⁻³."""
    return UNIT * _log(rng, 0.002, 0.02) * rng.uniform(2.0, 6.0) ** 2


def _spheres(shape: str) -> Callable[[Rng], Drawn]:
    def draw(rng: Rng) -> Drawn:
        mean, relative = _log(rng, 20, 250), _log(rng, 0.05, 0.3)
        sizes, numbers = sizes_of(shape, mean, relative)
        intensity = _of_spheres(_prefactor(rng), sizes, numbers)
        seen = mean * (1 + 6 * relative**2)
        return Drawn(
            Sample(intensity, 2 * mean * (1 + 3 * relative), _range_of(rng, seen)),
            {"radius": mean, "relative deviation": relative},
        )

    return draw


def _layered(
    q: Array, outer: Array, radii_of: Callable[[float], Array], numbers: Array, contrasts: Array
) -> Array:
    def squared(q: Array, size: float) -> Array:
        return form.layered_sphere_amplitude(q, radii_of(size), contrasts) ** 2

    return _volume_average(q, outer, numbers, squared, lambda s: float(form.sphere_volume(radii_of(s)[-1])))


def _core_shell(rng: Rng) -> Drawn:
    core, shell, relative = _log(rng, 25, 120), _log(rng, 8, 30), _log(rng, 0.05, 0.15)
    sign = -1 if rng.random() < 0.5 else 1
    contrasts = np.array([sign * rng.uniform(0.8, 3.0), rng.uniform(1.5, 4.0)])
    if sign > 0:
        contrasts[0] = contrasts[1] * rng.choice([rng.uniform(0.0, 0.4), rng.uniform(2.0, 3.5)])
    sizes, numbers = sizes_of("schulz", core, relative, 41)
    scale = UNIT * _log(rng, 0.002, 0.02)

    def intensity(q: Array) -> Array:
        return scale * _layered(q, sizes, lambda r: np.array([r, r + shell]), numbers, contrasts)

    return Drawn(
        Sample(intensity, 2 * (core * 1.3 + shell), _range_of(rng, core + shell, 0.3)),
        {
            "core radius": core,
            "shell thickness": shell,
            "outer radius": core + shell,
            "core deviation": relative,
        },
    )


def _vesicles(rng: Rng) -> Drawn:
    inner, wall, relative = _log(rng, 100, 400), rng.uniform(28, 45), _log(rng, 0.08, 0.25)
    sizes, numbers = sizes_of("schulz", inner, relative, 61)
    scale, contrasts = UNIT * _log(rng, 0.003, 0.01), np.array([0.0, rng.uniform(3.0, 6.0)])

    def intensity(q: Array) -> Array:
        return scale * _layered(q, sizes, lambda r: np.array([r, r + wall]), numbers, contrasts)

    low = max(0.3 / inner, 0.001)
    return Drawn(Sample(intensity, 2.6 * inner, (low, 0.3)), {"wall thickness": wall, "inner radius": inner})


def _multilamellar(rng: Rng) -> Drawn:
    """Concentric bilayers whose distances vary, by Monte Carlo over vesicles."""
    spacing, bilayer, disorder = rng.uniform(55, 75), rng.uniform(32, 42), rng.uniform(0.03, 0.08)
    layers, scale = int(rng.integers(5, 18)), 1e-4 * rng.uniform(0.5, 3)
    seed = int(rng.integers(2**31))

    def intensity(q: Array) -> Array:
        own, total = np.random.default_rng(seed), np.zeros_like(q)
        for _ in range(60):
            count = max(2, int(own.poisson(layers)))
            first = spacing * own.uniform(0.7, 2.0)
            at = first + np.cumsum(spacing * (1 + disorder * own.standard_normal(count)))
            amplitude = np.zeros_like(q)
            for middle in at:
                for radius, sign in ((middle + bilayer / 2, 1), (middle - bilayer / 2, -1)):
                    amplitude += sign * form.sphere_volume(radius) * form.sphere_amplitude(q, radius)
            total += amplitude**2 / form.sphere_volume(at[-1])
        return scale * total / 60

    return Drawn(
        Sample(intensity, 2 * (layers + 3) * spacing, (_log(rng, 0.003, 0.01), 0.35)),
        {"spacing": spacing},
    )


def _ellipsoids(rng: Rng) -> Drawn:
    equatorial = _log(rng, 20, 100)
    ratio = _log(rng, 1.6, 4.0) if rng.random() < 0.5 else 1 / _log(rng, 1.8, 4.0)
    polar, scale = equatorial * ratio, _prefactor(rng)
    volume = 4 * np.pi / 3 * polar * equatorial**2
    return Drawn(
        Sample(
            lambda q: scale * volume * form.ellipsoid_moments(q, polar, equatorial)[1],
            2 * max(polar, equatorial),
            _range_of(rng, max(polar, equatorial), min(0.45, 8 / min(polar, equatorial))),
        ),
        {"polar radius": polar, "equatorial radius": equatorial},
    )


def _cylinder_like(radius: tuple[float, float], length: tuple[float, float]) -> Callable[[Rng], Drawn]:
    def draw(rng: Rng) -> Drawn:
        r, long, relative = _log(rng, *radius), _log(rng, *length), rng.uniform(0.0, 0.08)
        sizes, numbers = (
            sizes_of("gaussian", r, relative, 13) if relative > 0.03 else sizes_of("gaussian", r, 0.0)
        )
        scale = _prefactor(rng)

        def squared(q: Array, own: float) -> Array:
            return (np.pi * own**2 * long) ** 2 * form.cylinder_form(q, own, long)

        def intensity(q: Array) -> Array:
            return scale * _volume_average(q, sizes, numbers, squared, lambda own: np.pi * own**2 * long)

        longest = max(2 * r, long)
        return Drawn(
            Sample(intensity, longest, _range_of(rng, 0.5 * longest, min(0.5, 9 / min(r, long / 2)))),
            {"cylinder radius": r, "length": long},
        )

    return draw


def _wormlike(rng: Rng) -> Drawn:
    contour, kuhn, radius = _log(rng, 600, 1500), _log(rng, 80, 250), rng.uniform(15, 25)
    scale, seed = _prefactor(rng) * np.pi * radius**2 * contour, int(rng.integers(2**31))

    def intensity(q: Array) -> Array:
        return scale * form.wormlike_chains(q, contour, kuhn, radius, np.random.default_rng(seed))

    return Drawn(Sample(intensity, 250.0, (_log(rng, 0.0025, 0.006), 0.3)), {"cylinder radius": radius})


def _coils(rng: Rng) -> Drawn:
    rg, scale = _log(rng, 20, 180), _log(rng, 0.3, 30)
    return Drawn(
        Sample(lambda q: scale * form.debye((q * rg) ** 2), rg, _range_of(rng, rg, 0.15)), {"rg": rg}
    )


def _schulz_coils(rng: Rng) -> Drawn:
    rg, scale, dispersity = _log(rng, 30, 180), _log(rng, 0.3, 30), rng.uniform(1.3, 2.5)
    return Drawn(
        Sample(
            lambda q: scale * form.schulz_zimm_coils(q, rg, dispersity), rg, _range_of(rng, 1.5 * rg, 0.15)
        ),
        {"rg": rg},
    )


def _swollen_coils(rng: Rng) -> Drawn:
    rg, scale, exponent = _log(rng, 30, 180), _log(rng, 0.3, 30), rng.uniform(0.54, 0.62)
    return Drawn(
        Sample(lambda q: scale * form.swollen_coil(q, rg, exponent), rg, _range_of(rng, rg, 0.2)),
        {"rg": rg, "mass exponent": 1 / exponent},
    )


def _stars(rng: Rng) -> Drawn:
    rg, scale, arms = _log(rng, 40, 150), _log(rng, 0.3, 30), int(rng.integers(3, 13))
    return Drawn(
        Sample(lambda q: scale * form.star_polymer(q, rg, arms), rg, _range_of(rng, rg, 0.15)), {"rg": rg}
    )


def _micelles(rng: Rng) -> Drawn:
    core, relative = rng.uniform(25, 60), rng.uniform(0.05, 0.1)
    rg, chains = rng.uniform(15, 35), int(rng.integers(40, 120))
    core_weight, chain_weight = float(form.sphere_volume(core)) * 1.0, rg**2 * rng.uniform(2.0, 6.0)
    sizes, numbers = sizes_of("gaussian", core, relative, 21)
    scale = _log(rng, 1, 20)

    def intensity(q: Array) -> Array:
        total = np.zeros_like(q)
        for radius, number in zip(sizes, numbers, strict=True):
            heavier = (radius / core) ** 3
            own = form.micelle(
                q, radius, max(2, round(chains * heavier)), rg, core_weight * heavier, chain_weight
            )
            total += number * heavier**2 * own
        return scale * total

    return Drawn(
        Sample(intensity, 2 * (core + 2 * rg), _range_of(rng, core + rg, 0.25)), {"core radius": core}
    )


def _boxes(ratios: tuple[tuple[float, float], tuple[float, float]]) -> Callable[[Rng], Drawn]:
    def draw(rng: Rng) -> Drawn:
        edge = _log(rng, 40, 120)
        sides = [edge, edge * rng.uniform(*ratios[0]), edge * rng.uniform(*ratios[1])]
        relative, scale = rng.uniform(0.03, 0.07), _prefactor(rng)
        sizes, numbers = sizes_of("gaussian", 1.0, relative, 15)
        volume = float(np.prod(sides))

        def squared(q: Array, factor: float) -> Array:
            return (volume * factor**3) ** 2 * form.box_form(q, *(factor * side for side in sides))

        def intensity(q: Array) -> Array:
            table = np.geomspace(0.98 * q.min(), 1.02 * q.max(), 700)
            values = _volume_average(table, sizes, numbers, squared, lambda f: volume * f**3)
            return scale * np.exp(np.interp(np.log(q), np.log(table), np.log(values)))

        return Drawn(
            Sample(intensity, max(sides) * 1.5, _range_of(rng, max(sides) * 0.6, min(0.4, 16 / edge))),
            {"shortest side": min(sides)},
        )

    return draw


def _hard_spheres(fraction: tuple[float, float]) -> Callable[[Rng], Drawn]:
    def draw(rng: Rng) -> Drawn:
        mean, relative, eta = _log(rng, 25, 120), rng.uniform(0.04, 0.09), rng.uniform(*fraction)
        sizes, numbers = sizes_of("gaussian", mean, relative, 11)
        numbers = numbers[sizes > 0]
        contrast = rng.uniform(2, 5)

        def intensity(q: Array) -> Array:
            amplitudes = np.stack(
                [form.sphere_volume(r) * form.sphere_amplitude(q, r) for r in sizes], axis=1
            )
            mean_volume = float((numbers * form.sphere_volume(sizes)).sum())
            total = structure.hard_sphere_mixture(q, sizes, numbers, eta, amplitudes)
            return UNIT * eta * contrast**2 * total / mean_volume

        values = {"radius": mean, "relative deviation": relative}
        if eta > 0.1:
            values["volume fraction"] = eta
        return Drawn(Sample(intensity, 2.5 * mean, _range_of(rng, mean, 9 / mean)), values)

    return draw


def _decoupled(
    scale: float, moments: Callable[[Array], tuple[Array, Array]], factor: Callable[[Array], Array]
) -> Intensity:
    """<F²> (1 + <F>²/<F²> (S - 1)) (M. Kotlarchyk, S.-H. Chen, J. Chem. Phys. 79 (1983) 2461)."""

    def intensity(q: Array) -> Array:
        first, second = moments(q)
        return scale * (second + first**2 * (factor(q) - 1))

    return intensity


def _repelling_ellipsoids(rng: Rng) -> Drawn:
    equatorial, ratio, eta = rng.uniform(15, 30), rng.uniform(1.4, 2.2), rng.uniform(0.02, 0.06)
    polar = equatorial * ratio
    effective = (polar * equatorial**2) ** (1 / 3) * rng.uniform(1.0, 1.2)
    scale = UNIT * eta * rng.uniform(3, 6) ** 2 * 4 * np.pi / 3 * polar * equatorial**2
    return Drawn(
        Sample(
            _decoupled(
                scale,
                lambda q: form.ellipsoid_moments(q, polar, equatorial),
                lambda q: structure.hard_spheres(q, effective, eta),
            ),
            2 * polar,
            (_log(rng, 0.006, 0.015), 0.4),
        ),
        {"polar radius": polar, "equatorial radius": equatorial},
    )


def _charged_spheres(rng: Rng) -> Drawn:
    """Micelles or small colloids whose pairs repel each other by a screened charge; hypernetted chain."""
    mean, relative, eta = rng.uniform(20, 45), rng.uniform(0.05, 0.1), rng.uniform(0.01, 0.06)
    energy, decay = structure.debye_hueckel(rng.uniform(12, 25), 2 * mean, rng.uniform(0.01, 0.05))
    sizes, numbers = sizes_of("gaussian", mean, relative, 21)
    mean_volume = float((numbers * form.sphere_volume(sizes)).sum())

    def moments(q: Array) -> tuple[Array, Array]:
        amplitudes = np.stack([form.sphere_volume(r) * form.sphere_amplitude(q, r) for r in sizes], axis=1)
        return amplitudes @ numbers, amplitudes**2 @ numbers

    intensity = _decoupled(
        UNIT * eta * rng.uniform(3, 6) ** 2 / mean_volume,
        moments,
        lambda q: structure.liquid(q, 2 * mean, eta, energy, decay),
    )
    return Drawn(Sample(intensity, 2.5 * mean, (_log(rng, 0.005, 0.01), 0.4)), {"radius": mean})


def _sticky_spheres(rng: Rng) -> Drawn:
    mean, relative, eta = rng.uniform(25, 80), rng.uniform(0.04, 0.08), rng.uniform(0.05, 0.25)
    stickiness, contrast = rng.uniform(0.12, 0.25), rng.uniform(2, 5)
    sizes, numbers = sizes_of("gaussian", mean, relative, 21)
    mean_volume = float((numbers * form.sphere_volume(sizes)).sum())

    def intensity(
        q: Array,
    ) -> Array:  # local monodisperse approximation, J. S. Pedersen, J. Appl. Cryst. 27 (1994) 595
        total = np.zeros_like(q)
        for radius, number in zip(sizes, numbers, strict=True):
            own = (form.sphere_volume(radius) * form.sphere_amplitude(q, radius)) ** 2
            total += number * own * structure.sticky_spheres(q, radius, eta, stickiness)
        return UNIT * eta * contrast**2 * total / mean_volume

    return Drawn(
        Sample(intensity, 2.5 * mean, _range_of(rng, 2 * mean, 9 / mean)),
        {"radius": mean, "relative deviation": relative},
    )


def _lorentzian(rng: Rng) -> Drawn:
    length, scale = _log(rng, 15, 150), _log(rng, 0.5, 50)
    return Drawn(
        Sample(lambda q: scale * law.lorentzian(q, length), length, _range_of(rng, length, 0.15)),
        {"correlation length": length},
    )


def _lorentz_porod(rng: Rng) -> Drawn:
    """A gel or network, and surfaces of large domains by Porod's law, that cross within the data."""
    length, scale = _log(rng, 10, 80), _log(rng, 0.5, 30)
    low, high = _log(rng, 0.003, 0.009), rng.uniform(0.25, 0.45)
    exponent = 4.0 if rng.random() < 0.5 else rng.uniform(3.2, 4.0)
    crossing = low * _log(rng, 1.4, 8.0)
    upturn = scale * float(law.lorentzian(np.array([crossing]), length)[0])

    def intensity(q: Array) -> Array:
        return scale * law.lorentzian(q, length) + upturn * (q / crossing) ** -exponent

    return Drawn(
        Sample(intensity, length, (low, high)),
        {"correlation length": length, "Porod exponent": exponent},
        instrument=_keeps_range(rng, low),
    )


def _debye_bueche(rng: Rng) -> Drawn:
    length, scale = _log(rng, 25, 200), _log(rng, 5, 500)
    return Drawn(
        Sample(lambda q: scale * law.debye_bueche(q, length), length, _range_of(rng, 1.5 * length, 0.1)),
        {"correlation length": length},
    )


def _teubner_strey(rng: Rng) -> Drawn:
    period, scale = _log(rng, 100, 350), _log(rng, 5, 200)
    length = period * rng.uniform(0.3, 0.7)
    return Drawn(
        Sample(
            lambda q: scale * law.teubner_strey(q, period, length),
            period,
            (_log(rng, 0.3, 0.8) / period, _log(rng, 30, 80) / period),
        ),
        {"repeat distance": period, "microemulsion length": length},
    )


def _lamellar_stack(rng: Rng) -> Drawn:
    spacing, layers, scale = _log(rng, 55, 130), int(rng.integers(8, 40)), 1e-4 * rng.uniform(0.5, 3)
    layer = rng.uniform(0.35, 0.55) * spacing
    if rng.random() < 0.5:
        disorder = rng.uniform(0.03, 0.1)
        stack: Intensity = lambda q: structure.paracrystalline_stack(q, layers, spacing, disorder)  # noqa: E731
    else:
        caille = rng.uniform(0.05, 0.25)
        stack = lambda q: structure.caille_stack(q, layers, spacing, caille)  # noqa: E731

    def intensity(q: Array) -> Array:  # a layer scatters as (sin(q t/2)/q)², its normals point anywhere: 1/q²
        return np.asarray(scale * (np.sin(q * layer / 2) / q) ** 2 / q**2 * stack(q))

    return Drawn(
        Sample(intensity, layers * spacing, (_log(rng, 0.004, 0.01), 0.4)),
        {"spacing": spacing, "layer thickness": layer},
    )


def _fcc_lattice(rng: Rng) -> Drawn:
    neighbours, scale = _log(rng, 100, 220), _prefactor(rng)
    radius, relative = neighbours * rng.uniform(0.25, 0.42), rng.uniform(0.03, 0.07)
    displacement, domain = neighbours * rng.uniform(0.04, 0.08), neighbours * rng.uniform(8, 15)
    sizes, numbers = sizes_of("gaussian", radius, relative, 21)
    spheres, edge = _of_spheres(scale, sizes, numbers), neighbours * np.sqrt(2)
    high = min(0.4, 9 / radius)

    def intensity(q: Array) -> Array:
        reach = min(high * 1.5, 2.5 / displacement)
        return spheres(q) * structure.cubic_lattice(q, edge, "fcc", displacement, domain, reach)

    return Drawn(
        Sample(
            intensity,
            domain,
            (1.2 / neighbours, high),
        ),
        {"neighbour distance": neighbours, "radius": radius},
        instrument="synchrotron SAXS",
    )


def _power_law(rng: Rng) -> Drawn:
    exponent, scale = rng.uniform(2.2, 4.0), _log(rng, 0.01, 1)
    low = _log(rng, 0.002, 0.01)
    return Drawn(
        Sample(lambda q: scale * (q / 0.05) ** -exponent, 10.0, (low, low * rng.uniform(20, 60))),
        {"exponent": exponent},
    )


def _guinier_porod(rng: Rng) -> Drawn:
    rg, exponent, scale = _log(rng, 20, 150), rng.uniform(2.5, 4.0), _log(rng, 1, 100)
    return Drawn(
        Sample(lambda q: scale * law.guinier_porod(q, rg, exponent), rg, _range_of(rng, rg, 0.1)),
        {"rg": rg, "Porod exponent": exponent},
    )


def _mass_fractals(rng: Rng) -> Drawn:
    radius, dimension, length = rng.uniform(12, 30), rng.uniform(1.7, 2.5), _log(rng, 150, 500)
    scale = _prefactor(rng) * float(form.sphere_volume(radius))
    return Drawn(
        Sample(
            lambda q: (
                scale
                * form.sphere_amplitude(q, radius) ** 2
                * law.mass_fractal_factor(q, radius, dimension, length)
            ),
            2 * radius,
            (_log(rng, 0.4, 0.8) / length, 0.4),
        ),
        {"fractal dimension": dimension, "radius": radius, "correlation length": length},
    )


def _broad_peak(rng: Rng) -> Drawn:
    at, scale, exponent = _log(rng, 0.03, 0.15), _log(rng, 1, 30), rng.uniform(1.7, 2.5)
    length, low = rng.uniform(2.5, 6) / at, at / rng.uniform(8, 15)
    porod, steep = scale * rng.uniform(0.2, 2), rng.uniform(2.5, 4)

    def intensity(q: Array) -> Array:
        return scale * law.broad_peak(q, at, length, exponent) + porod * (q / (1.5 * low)) ** -steep

    return Drawn(
        Sample(intensity, length, (low, min(at * rng.uniform(4, 8), 0.5))),
        {"peak position": at},
        instrument=_keeps_range(rng, low),
    )


def _two_populations(rng: Rng) -> Drawn:
    small = _log(rng, 20, 50)
    large = small * rng.uniform(2.5, 4.5)
    first = _of_spheres(1.0, *sizes_of("schulz", small, 0.1))
    second = _of_spheres(1.0, *sizes_of("schulz", large, 0.1))
    share, scale = _log(rng, 0.05, 0.4), _prefactor(rng)
    return Drawn(
        Sample(
            lambda q: scale * ((1 - share) * first(q) + share * second(q)),
            2.6 * large,
            _range_of(rng, large, 8 / small),
        ),
        {"smaller radius": small, "larger radius": large},
    )


def _with_upturn(rng: Rng) -> Drawn:
    mean, relative = _log(rng, 20, 60), _log(rng, 0.06, 0.2)
    spheres = _of_spheres(_prefactor(rng), *sizes_of("schulz", mean, relative))
    low, exponent = _log(rng, 0.08, 0.2) / mean, rng.uniform(3.0, 4.0)
    upturn, at = rng.uniform(0.8, 5.0) * float(spheres(np.array([low]))[0]), low

    def intensity(q: Array) -> Array:
        return spheres(q) + upturn * (q / at) ** -exponent

    return Drawn(
        Sample(intensity, 3 * mean, (low, float(np.clip(10 / mean, 0.15, 0.5)))),
        {"radius": mean, "relative deviation": relative},
        instrument=_keeps_range(rng, low),
    )


def _parasitic(rng: Rng) -> Drawn:
    """Ellipsoids, and the wings of the beam on the lowest points."""
    equatorial, ratio = rng.uniform(15, 40), rng.uniform(1.5, 2.5)
    scale = _prefactor(rng) * 4 * np.pi / 3 * ratio * equatorial**3
    low, share = 0.25 / (ratio * equatorial), rng.uniform(0.1, 0.4)
    width = low * rng.uniform(0.2, 0.5)

    def intensity(q: Array) -> Array:
        own = scale * form.ellipsoid_moments(q, ratio * equatorial, equatorial)[1]
        return own + share * scale * np.exp(-(q - low) / width)

    return Drawn(
        Sample(intensity, 2 * ratio * equatorial, (low, min(0.5, 10 / equatorial))),
        {"polar radius": ratio * equatorial, "equatorial radius": equatorial},
        instrument=_keeps_range(rng, low),
    )


def _slit_not_stated(rng: Rng) -> Drawn:
    mean, relative = _log(rng, 40, 150), _log(rng, 0.05, 0.15)
    spheres = _of_spheres(_prefactor(rng), *sizes_of("schulz", mean, relative))
    return Drawn(
        Sample(spheres, 2.5 * mean, (0.3 / mean, min(0.3, 12 / mean))),
        {"radius": mean},
        slit=float(rng.uniform(4, 12)) / mean,
        instrument="lab SAXS",
    )


def _janus(rng: Rng) -> Drawn:
    radius, scale = _log(rng, 40, 150), _prefactor(rng)
    upper = 1.0
    lower = rng.uniform(-0.5, 0.4)
    relative = rng.uniform(0.03, 0.08)
    sizes, numbers = sizes_of("gaussian", radius, relative, 15)

    def squared(q: Array, size: float) -> Array:
        middle = 0.5 * (upper + lower)
        return (middle * form.sphere_volume(size)) ** 2 * form.janus_form(q, size, upper, lower)

    def intensity(q: Array) -> Array:
        table = np.geomspace(0.98 * q.min(), 1.02 * q.max(), 500)
        values = _volume_average(table, sizes, numbers, squared, lambda r: float(form.sphere_volume(r)))
        return scale * np.exp(np.interp(np.log(q), np.log(table), np.log(values)))

    return Drawn(Sample(intensity, 2.4 * radius, _range_of(rng, radius)), {"outer radius": radius})


def _models(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Models of a sphere that a homogeneous one is a limit of are not accepted: they claim a shell or a surface.
_SPHERE = _models("sphere")
KINDS: tuple[Kind, ...] = (
    Kind("spheres, Gaussian", _spheres("gaussian"), _SPHERE),
    Kind("spheres, Schulz", _spheres("schulz"), _SPHERE),
    Kind("spheres, log-normal", _spheres("lognormal"), _SPHERE),
    Kind("core-shell spheres", _core_shell, _models("core_shell_sphere")),
    Kind("vesicles", _vesicles, _models("vesicle core_shell_sphere")),
    Kind(
        "multilamellar vesicles",
        _multilamellar,
        _models(
            "multilayer_vesicle onion lamellar_stack_paracrystal lamellar_stack_caille"
            " lamellar_hg_stack_caille"
        ),
        everyday=False,
    ),
    Kind("ellipsoids", _ellipsoids, _models("ellipsoid")),
    Kind("cylinders", _cylinder_like((10, 35), (200, 900)), _models("cylinder")),
    Kind("discs", _cylinder_like((60, 200), (20, 45)), _models("cylinder")),
    Kind(
        "wormlike chains",
        _wormlike,
        _models("flexible_cylinder flexible_cylinder_elliptical"),
        everyday=False,
    ),
    Kind("coils", _coils, _models("mono_gauss_coil poly_gauss_coil")),
    Kind("coils, Schulz", _schulz_coils, _models("poly_gauss_coil")),
    Kind("swollen coils", _swollen_coils, _models("polymer_excl_volume")),
    Kind("star polymers", _stars, _models("star_polymer"), everyday=False),
    Kind("block-copolymer micelles", _micelles, _models("polymer_micelle"), everyday=False),
    Kind(
        "cubes",
        _boxes(((1.0, 1.0), (1.0, 1.0))),
        _models("parallelepiped rectangular_prism superball"),
        everyday=False,
    ),
    Kind(
        "boxes", _boxes(((1.3, 2.0), (2.2, 4.0))), _models("parallelepiped rectangular_prism"), everyday=False
    ),
    Kind("hard spheres, dilute", _hard_spheres((0.02, 0.06)), _models("sphere@*"), interacting=True),
    Kind("hard spheres, dense", _hard_spheres((0.15, 0.4)), _models("sphere@hardsphere"), interacting=True),
    Kind(
        "ellipsoids, weakly repelling", _repelling_ellipsoids,
        _models("ellipsoid ellipsoid@hardsphere ellipsoid@hayter_msa"), everyday=False, interacting=True,
    ),
    Kind(
        "charged spheres", _charged_spheres, _models("sphere@hayter_msa sphere@hardsphere"), interacting=True
    ),
    Kind(
        "sticky spheres", _sticky_spheres, _models("sphere@stickyhardsphere sphere@squarewell"),
        everyday=False, interacting=True,
    ),
    Kind("Lorentzian", _lorentzian, _models("lorentz")),
    Kind("Debye-Bueche", _debye_bueche, _models("dab")),
    Kind("Teubner-Strey", _teubner_strey, _models("teubner_strey")),
    Kind(
        "lamellar stacks",
        _lamellar_stack,
        _models("lamellar_stack_paracrystal lamellar_stack_caille lamellar_hg_stack_caille"),
    ),
    Kind("fcc lattice", _fcc_lattice, _models("fcc_paracrystal"), everyday=False, interacting=True),
    Kind("power law", _power_law, _models("power_law porod")),
    Kind("Guinier-Porod", _guinier_porod, _models("guinier_porod unified_power_Rg")),
    Kind("mass fractals", _mass_fractals, _models("fractal mass_fractal"), interacting=True),
    Kind("broad peak", _broad_peak, _models("broad_peak peak_lorentz+power_law"), interacting=True),
    Kind("two populations", _two_populations, _models("sphere+sphere")),
    Kind("spheres with an upturn", _with_upturn, _models("sphere+power_law")),
    Kind(
        "parasitic scattering", _parasitic, _models("ellipsoid ellipsoid+power_law"), everyday=False,
        said="parasitic|beamstop|lowest|first points",
    ),
    Kind("slit not stated", _slit_not_stated, _models(""), everyday=False, said="slit|smear"),
    Kind(
        "Janus spheres",  # no model has halves; a sphere of its radius, layered or not, is what can be said
        _janus,
        _models("sphere core_shell_sphere fuzzy_sphere vesicle core_multi_shell onion spherical_sld"),
        everyday=False,
    ),
    Kind(
        "Lorentzian and Porod",
        _lorentz_porod,
        _models("correlation_length lorentz+power_law lorentz+porod two_lorentzian"),
    ),
)  # fmt: skip
BY_NAME = {kind.name: kind for kind in KINDS}
