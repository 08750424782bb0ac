"""Patterns of growing films of clusters, from their prior to a measured image.

The same sum as BornAgain's (distorted wave Born approximation, radial paracrystal), in numpy and averaged
over pixels; a test holds it to BornAgain's, pixel by pixel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import map_coordinates, spline_filter
from scipy.special import j1

from ...domains.heads import Targets
from ...domains.simulator import Layout, Mix, Row, Simulator
from ...simulate.dataset import digest_of, scale_targets
from ...simulate.draws import draw_all, read_priors
from ...types import Image
from .. import bornagain, simulation
from ..gisas.simulation import project_in_plane
from ..simulation import FILM_WINDOW, MARGIN, Film, Window, describe_training, simulate_measurement
from .specification import FILM

# --- How clusters scatter: the form factor of half a spheroid, and the radial paracrystal of their
# --- distances.

#: Step and size of the table in q_r R and q_z H; beyond, the window of the growth domain does not reach.
STEP, MAX_U, MAX_V = 0.125, 60.0, 150.0
_NODES = 128


def form_factor(
    q_r: NDArray[np.float64], q_z: NDArray[np.float64], radius: float, height: float
) -> NDArray[np.complex128]:
    """Return the Fourier transform of the upper half of a spheroid on its base, Å³; q_r >= 0 and q_z in Å⁻¹,
    radius R of the base and height H in Å. Raises ValueError if q lies beyond the table.
    """
    # F = R²H [a(w)/2 + i b(q_r R, q_z H)], w² = (q_r R)² + (q_z H)², a(w) = 4π (sin w − w cos w)/w³, b(u, v)
    # = 2π ∫₀¹ (1 − s²) J₁(u√(1 − s²))/(u√(1 − s²)) sin(vs) ds; the even part is half of the whole spheroid's.
    u, v = q_r * radius, q_z * height
    up = np.abs(v)
    if u.max(initial=0.0) > MAX_U or up.max(initial=0.0) > MAX_V:
        raise ValueError(f"the table ends at q_r R = {MAX_U:g} and q_z H = {MAX_V:g}; use smaller values.")
    odd = map_coordinates(_table(), [u / STEP, up / STEP], order=3, prefilter=False, mode="nearest")
    scale = radius**2 * height
    return np.asarray(scale * (0.5 * _sphere(np.hypot(u, v)) + 1j * np.sign(v) * odd))


def _sphere(w: NDArray[np.float64]) -> NDArray[np.float64]:
    """4π (sin w − w cos w)/w³, by its series where that loses digits."""
    small = w < 0.05
    safe = np.where(small, 1.0, w)
    exact = (np.sin(safe) - safe * np.cos(safe)) / safe**3
    return np.asarray(4 * np.pi * np.where(small, 1 / 3 - w**2 / 30, exact))


def odd_part(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """b(u, v) by quadrature, (len(u), len(v)): what the table holds."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    s, weights = (nodes + 1) / 2, weights / 2
    across = np.sqrt(1 - s**2)
    w = np.outer(u, across)
    small = w < 1e-6
    disc = np.where(small, 0.5, j1(w) / np.where(small, 1.0, w))
    return np.asarray((2 * np.pi * weights * across**2 * disc) @ np.sin(np.outer(s, v)))


@lru_cache(maxsize=1)
def _table() -> NDArray[np.float64]:
    """Coefficients of a cubic spline through b."""
    beyond = 4 * STEP
    u, v = np.arange(0, MAX_U + beyond, STEP), np.arange(0, MAX_V + beyond, STEP)
    # b is even in u and odd in v: continued so, the spline has no false edge at 0.
    values = odd_part(np.concatenate((-u[16:0:-1], u)), np.concatenate((-v[16:0:-1], v)))
    return np.ascontiguousarray(spline_filter(values, order=3, mode="nearest")[16:, 16:])


def transform(q_r: NDArray[np.float64], distance: float, distance_spread: float) -> NDArray[np.complex128]:
    """Fourier transform Ω of the distribution of distances, a Gaussian; Å⁻¹ and Å."""
    return np.asarray(np.exp(1j * q_r * distance - 0.5 * (q_r * distance_spread) ** 2))


def order(
    q_r: NDArray[np.float64],
    distance: float,
    distance_spread: float,
    self_coupling: NDArray[np.complex128] | float = 1.0,
) -> NDArray[np.complex128]:
    """Return the factor Ω/(1 − p₂Ω) of the neighbours' term; q_r > 0 in Å⁻¹, distances in Å, p₂
    (`self_coupling`) the mean of exp(2iκ q ΔR) over sizes, 1 without coupling.
    """
    # I = ⟨|F|²⟩ + 2 Re(F₊F₋ Ω/(1 − p₂Ω)), F₊ = ⟨F exp(iκqΔR)⟩ and F₋ = ⟨F* exp(iκqΔR)⟩ (R. Lazzari, F. Leroy,
    # G. Renaud, Phys. Rev. B 76, 125411, 2007).
    omega = transform(q_r, distance, distance_spread)
    return np.asarray(omega / (1 - self_coupling * omega))


# --- What growing films are drawn from. docs/growth_prior.md publishes it.

#: What is drawn; the rest follows: σ = spread · D, R = filling · D/2.
FILM_PRIOR = read_priors(__file__)["film"]
#: Limits of what follows, Å; a film beyond them is drawn again.
SPREAD_LIMITS, MOST_METAL = (2.0, 40.0), 250.0


def sample_film(rng: np.random.Generator) -> Film:
    while True:
        values = draw_all(FILM_PRIOR, rng)
        spread = values.pop("spread") * values["distance"]
        radius = values.pop("filling") * values["distance"] / 2
        film = Film(distance_spread=spread, radius=radius, **values)
        if SPREAD_LIMITS[0] <= spread <= SPREAD_LIMITS[1] and film.metal <= MOST_METAL:
            return film


def growing(thickness: float, distance: float) -> Film:
    """Return a film of hemispheres from the effective thickness δ of metal and the distance D, Å."""
    # One hemisphere a cell: 2/3 π R³ = δ √3/2 D² (the geometrical model of M. Schwartzkopf et al., Nanoscale
    # 5, 5053, 2013). Once they touch, the rest is a layer below.
    radius = min((thickness * 3 * np.sqrt(3) * distance**2 / (4 * np.pi)) ** (1 / 3), distance / 2)
    bare = Film(distance, 0.15 * distance, float(radius), 1.0, 0.15, 0.0, 0.0, 300.0, 0.96, 0.4)
    rest = thickness - bare.metal
    return bare if rest < 1e-6 * thickness else replace(bare, layer=rest)


# --- What lies below the clusters: materials, and how strongly a wave from above is reflected.

#: Formula and density in g/cm³.
METAL, POLYMER, SUBSTRATE = ("Au", 19.3), ("C8H8", 1.05), ("Si", 2.33)


def layers(film: Film) -> tuple[list[tuple[float, float, float]], tuple[float, float]]:
    """Layers from above, (delta, beta, thickness in Å) each, and delta and beta of the substrate."""
    # A metal layer without thickness is left out.
    stack = [(METAL, film.layer), (POLYMER, film.polymer)]
    below = [
        (*bornagain.refraction(*material, film.wavelength), size) for material, size in stack if size > 0
    ]
    return below, bornagain.refraction(*SUBSTRATE, film.wavelength)


def reflection(film: Film, alpha: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Return the reflected amplitude by Parratt's recursion (Phys. Rev. 95, 359, 1954), sharp interfaces,
    angles in radians; phase at the uppermost interface, where clusters stand.
    """
    below, substrate = layers(film)
    k = 2 * np.pi / film.wavelength
    sine = np.sin(alpha)
    media = [(0.0, 0.0, np.inf), *below, (*substrate, np.inf)]
    # k_z = k √(n² − cos²α) with n = 1 − δ + iβ.
    normal = [k * np.sqrt(sine**2 + (complex(1 - delta, beta) ** 2 - 1) + 0j) for delta, beta, _ in media]
    amplitude = np.zeros(np.shape(alpha), dtype=np.complex128)
    for upper in range(len(media) - 2, -1, -1):
        upper_normal, lower_normal = normal[upper], normal[upper + 1]
        fresnel = (upper_normal - lower_normal) / (upper_normal + lower_normal)
        inside = amplitude
        if upper + 1 < len(media) - 1:
            inside = amplitude * np.exp(2j * lower_normal * media[upper + 1][2])
        amplitude = (fresnel + inside) / (1 + fresnel * inside)
    return amplitude


# --- The pattern of a growing film: what one cluster scatters over its substrate, times how
# --- clusters lie.

#: Parts of a pixel's height over which the clusters' scattering is averaged, below this angle in degrees,
#: where the critical angles lie, and above it; parts of its width.
_STEEP = 0.5
_ROWS, _COLUMNS = (4, 2), 2
#: A pixel is divided so that the orders of the paracrystal are at least so many parts wide.
_PARTS_PER_PEAK = 4.0
_MAX_PARTS = 16


def pattern(film: Film, window: Window) -> NDArray[np.float32]:
    """The pattern averaged over each pixel as a detector does, (rows, columns), arbitrary scale.

    What clusters scatter is slow across a pixel and fast up (reflections, interference in the film); the
    orders of the paracrystal are the other way round. So the first is averaged over rows, on two columns a
    pixel, and continued by a spline to as many parts of a pixel as the second needs. Raises ValueError where
    the window is not symmetric in φ.
    """
    if window.columns % 2 or not np.isclose(-window.phi[0], window.phi[1]):
        raise ValueError("the angular range must be symmetric in φ, with an even number of columns.")
    parts = columns_per_pixel(film, window)
    alpha, phi = window.finer(1, parts).directions()
    phi = phi[phi.size // 2 :]  # an isotropic film scatters alike to the left and to the right
    incoherent, product = _average_over_rows(film, window, phi)
    qx, qy = project_in_plane(phi, alpha, film.wavelength, film.alpha_i)
    q_r = np.hypot(qx, qy)
    pair = _pair(film, q_r)
    total = incoherent + 2 * (product * order(q_r, film.distance, film.distance_spread, pair)).real
    half = total.reshape(window.rows, window.columns // 2, parts).mean(axis=2)
    whole = np.concatenate((half[:, ::-1], half), axis=1) * (_density(film) * solid_angle(window))
    return np.maximum(whole, 0.0).astype(np.float32)


def clusters(
    film: Film, alpha: NDArray[np.float64], q_r: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.complex128], NDArray[np.complex128], NDArray[np.complex128]]:
    """Average over sizes what a cluster scatters: ⟨|A|²⟩, ⟨A exp(iκqΔR)⟩, ⟨A* exp(iκqΔR)⟩ and ⟨exp(2iκqΔR)⟩,
    each (rows, columns); exit angles in radians, q_r in Å⁻¹.
    """
    # With reflected amplitudes ρ_i and ρ_f of the incoming and outgoing waves, A = F(−q₊) + ρ_i F(−q₋) + ρ_f
    # F(q₋) + ρ_i ρ_f F(q₊), q± = k_z,f ± k_z,i.
    k = 2 * np.pi / film.wavelength
    incoming = np.radians(film.alpha_i)
    into = complex(reflection(film, np.array([incoming]))[0])
    out = reflection(film, alpha)[:, None]
    sine = k * np.sin(alpha)[:, None]
    sum_, difference = (
        np.broadcast_to(q, q_r.shape) for q in (sine + k * np.sin(incoming), sine - k * np.sin(incoming))
    )
    radii, shares = film.radii()
    incoherent = np.zeros(q_r.shape)
    plus, minus = np.zeros(q_r.shape, complex), np.zeros(q_r.shape, complex)
    for radius, share in zip(radii, shares, strict=True):
        far = form_factor(q_r, sum_, radius, radius * film.aspect)
        near = form_factor(q_r, difference, radius, radius * film.aspect)
        amplitude = far.conj() + into * near.conj() + out * near + into * out * far
        incoherent += share * (amplitude.real**2 + amplitude.imag**2)
        if film.coupling:
            shift = share * np.exp(1j * film.coupling * (radius - film.radius) * q_r)
        else:
            shift = share
        plus += shift * amplitude
        minus += shift * amplitude.conj()
    return incoherent, plus, minus, _pair(film, q_r)


def _pair(film: Film, q_r: NDArray[np.float64]) -> NDArray[np.complex128]:
    if not film.coupling:
        return np.ones(q_r.shape, complex)
    radii, shares = film.radii()
    return np.asarray(
        sum(
            share * np.exp(2j * film.coupling * (radius - film.radius) * q_r)
            for radius, share in zip(radii, shares, strict=True)
        )
    )


def columns_per_pixel(film: Film, window: Window) -> int:
    """Parts across a pixel that resolve the first order of a paracrystal; even."""
    q = 2 * np.pi / film.distance
    width = max((q * film.distance_spread) ** 2 / film.distance, 1e-6)
    step = np.radians(window.pixel[1]) * 2 * np.pi / film.wavelength
    return int(np.clip(2 * np.ceil(_PARTS_PER_PEAK * step / width / 2), 2, _MAX_PARTS))


def solid_angle(window: Window) -> NDArray[np.float64]:
    """Solid angle of each pixel over the mean, (rows, columns), edges where BornAgain has them."""
    alpha, phi = (
        np.arctan(np.linspace(np.radians(first), np.radians(last), n + 1))
        for (first, last), n in ((window.alpha_f, window.rows), (window.phi, window.columns))
    )
    angles = np.outer(np.diff(np.sin(alpha)), np.diff(phi))
    return np.asarray(angles / angles.mean())


def _density(film: Film) -> float:
    """Clusters per Å²."""
    return 2 / (np.sqrt(3) * film.distance**2)


def _average_over_rows(
    film: Film, window: Window, angle: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
    """⟨|A|²⟩ and ⟨A…⟩⟨A*…⟩, averaged over the height of each row, at given φ ≥ 0 in radians."""
    height, width = window.pixel
    columns = window.columns // 2 + 2  # to beyond the edge; not beyond the middle, where |q| has a kink
    phi = (0.0, columns * width)
    steep = int(np.clip(np.ceil((_STEEP - window.alpha_f[0]) / height), 0, window.rows))
    parts = []
    for first, last, up in ((0, steep, _ROWS[0]), (steep, window.rows, _ROWS[1])):
        if last > first:
            limits = (window.alpha_f[0] + first * height, window.alpha_f[0] + last * height)
            nodes = Window((last - first) * up, columns * _COLUMNS, phi, limits)
            alpha, across = nodes.directions()
            qx, qy = project_in_plane(across, alpha, film.wavelength, film.alpha_i)
            incoherent, plus, minus, _ = clusters(film, alpha, np.hypot(qx, qy))
            products = np.stack((incoherent + 0j, plus * minus))
            parts.append(products.reshape(2, last - first, up, nodes.columns).mean(axis=2))
    nodes = Window(1, columns * _COLUMNS, phi, window.alpha_f)
    spline = CubicSpline(nodes.directions()[1], np.concatenate(parts, axis=1), axis=2)
    incoherent, product = spline(angle)
    return incoherent.real, product


# --- The simulator of growing films: film → pattern → detector → Poisson counts.


@dataclass(frozen=True)
class FilmSimulator(Simulator):
    """Patterns of growing films."""

    window: Window = FILM_WINDOW  #: Without its margin.
    #: Kinds that need no lattice, and films that lie on their side.
    kinds = ("empty", "rings", "halo", "clouds", "turned")
    mix = Mix(rows=32, uses=1, others=3, known=40)

    @property
    def layout(self) -> Layout:
        """Shards of three seconds of work; a round is half a minute of one core."""
        pixels = int(np.prod(self.window.add_margin(MARGIN).shape))
        return Layout(
            stem="films",
            content="{rows:,} films",
            rows=128,
            per_round=1024,
            row_bytes=2 * pixels + 8 * len(astuple(growing(1.0, 100.0))),
            settings=self._settings,
        )

    def _settings(self) -> dict[str, Any]:
        tables: list[Any] = [astuple(prior) for prior in FILM_PRIOR.values()]
        tables += [SPREAD_LIMITS, MOST_METAL, METAL, POLYMER, SUBSTRATE]
        return {
            "window": asdict(self.window) | {"margin": MARGIN},
            "priors": digest_of(tables),
            "bornagain": bornagain.version(),
        }

    def configure(self, settings: Mapping[str, Any]) -> FilmSimulator:
        return replace(self, window=Window.from_json(settings["window"]))

    def inputs(self, folder: Path | str) -> dict[str, Any]:
        """What the manifest of a network says of its training data."""
        return describe_training(self.window, FILM_PRIOR)

    def sample(self, rng: np.random.Generator) -> Film:
        return sample_film(rng)

    def clean(self, params: Film) -> Row:
        """The square root of its pattern over the largest: half precision keeps ten decades to 0.1 %."""
        clean = pattern(params, self.window.add_margin(MARGIN))
        return {"parameters": asdict(params), "patterns": np.sqrt(clean / clean.max()).astype(np.float16)}

    def measure(
        self, rows: Sequence[Row], rng: np.random.Generator, *, exposure: float | None = None
    ) -> tuple[list[Image], Targets]:
        """Measure films anew; besides what is asked of them, ``counts`` says what was expected."""
        images, levels = [], []
        for row in rows:
            film, clean = Film(**row["parameters"]), partial(unpack_pattern, row)
            beam = film.wavelength, film.alpha_i
            image, measurement = simulate_measurement(clean, self.window, *beam, rng, exposure=exposure)
            images.append(image)
            levels.append(measurement.counts)
        true = [scale_targets(FILM, Film(**row["parameters"])) for row in rows]
        return images, {"quantities": np.stack(true), "counts": np.array(levels)}

    def simulate_unknown(
        self, kind: str, row: Row, rng: np.random.Generator, *, exposure: float | None = None
    ) -> Image:
        """A pattern of one of the `kinds` under the faults and the geometry of a film's."""
        film, wide = Film(**row["parameters"]), self.window.add_margin(MARGIN)

        def clean() -> NDArray[np.floating]:
            if kind == "turned":
                return simulation.turn_pattern(unpack_pattern(row), int(rng.choice([1, 3])))
            return simulation.KINDS[kind](wide, film.alpha_i, rng)

        return simulate_measurement(
            clean, self.window, film.wavelength, film.alpha_i, rng, exposure=exposure
        )[0]


def unpack_pattern(row: Row) -> NDArray[np.float32]:
    """The pattern of a stored row, its margin included; its largest pixel is 1."""
    return np.asarray(np.square(row["patterns"].astype(np.float32)))


SIMULATOR = FilmSimulator()
