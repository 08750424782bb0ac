"""What simulated images of several kinds share: windows, samples under grazing incidence, detectors,
counts, faults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr

from ..arrays import Floats
from ..simulate.draws import Prior, read_priors
from ..types import GrazingIncidence, Image

# --- What simulated images of several kinds have in common: stripes of no scattering, and uneven
# --- pixels.

#: More expected counts than this in a pixel are this many.
_MOST = 1e12


def stripes(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    """Draw waves in one direction, as of a read-out, about 1, not negative; x and y from -1 to 1."""
    waves = np.cos((x * rng.normal() + y * rng.normal()) * rng.uniform(5, 60))
    return np.asarray(1 + waves * rng.uniform(0.3, 1))


def count_unevenly(expected: Floats, scatter: float, rng: np.random.Generator) -> Floats:
    """Draw Poisson counts of pixels whose gains scatter about 1 by `scatter`, at least 0.2."""
    gain = np.maximum(1 + scatter * rng.standard_normal(expected.shape), 0.2)
    return rng.poisson(np.minimum(expected * gain, _MOST)).astype(np.float64)


# --- The window of exit angles that a network looks at.


@dataclass(frozen=True)
class Window:
    """Pixels in exit angles; row 0 is the lowest."""

    rows: int = 64
    columns: int = 64
    phi: tuple[float, float] = (-1.07, 1.07)  #: Outer edges in the plane, degrees.
    alpha_f: tuple[float, float] = (0.0, 2.2)  #: Outer edges above the horizon of the sample, degrees.

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Window:
        phi, alpha_f = (tuple(map(float, raw[name])) for name in ("phi", "alpha_f"))
        return cls(int(raw["rows"]), int(raw["columns"]), (phi[0], phi[1]), (alpha_f[0], alpha_f[1]))

    @property
    def pixel(self) -> tuple[float, float]:
        """Height and width of a pixel, degrees."""
        return (
            (self.alpha_f[1] - self.alpha_f[0]) / self.rows,
            (self.phi[1] - self.phi[0]) / self.columns,
        )

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.columns

    def centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """alpha_f of the rows and phi of the columns, degrees."""
        height, width = self.pixel
        return (
            np.asarray(self.alpha_f[0] + height * (np.arange(self.rows) + 0.5), dtype=np.float64),
            np.asarray(self.phi[0] + width * (np.arange(self.columns) + 0.5), dtype=np.float64),
        )

    def directions(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """alpha_f of the rows and phi of the columns as BornAgain 25 has them, radians."""
        # It takes the axis of an angular detector for a tangent: a pixel lies midway between the arcus
        # tangens of its edges. At 2 degrees that is 0.001 degrees off.
        return _midway(self.alpha_f, self.rows), _midway(self.phi, self.columns)

    def geometry(self, wavelength: float, alpha_i: float) -> GrazingIncidence:
        """Geometry of an image on these pixels; wavelength in Å, incidence in degrees."""
        alpha_f, phi = self.centres()
        return GrazingIncidence(phi, alpha_f, wavelength, alpha_i)

    def add_margin(self, pixels: int) -> Window:
        """The window with so many more pixels left, right and above (below is the sample)."""
        height, width = self.pixel
        return replace(
            self,
            rows=self.rows + pixels,
            columns=self.columns + 2 * pixels,
            phi=(self.phi[0] - pixels * width, self.phi[1] + pixels * width),
            alpha_f=(self.alpha_f[0], self.alpha_f[1] + pixels * height),
        )

    def finer(self, rows: int, columns: int) -> Window:
        """Divide each pixel of the window."""
        return replace(self, rows=self.rows * rows, columns=self.columns * columns)


def _midway(limits: tuple[float, float], n: int) -> NDArray[np.float64]:
    edges = np.arctan(np.linspace(np.radians(limits[0]), np.radians(limits[1]), n + 1))
    return np.asarray((edges[1:] + edges[:-1]) / 2, dtype=np.float64)


# --- How patterns under grazing incidence are measured: what is drawn of beam, detector and
# --- background.


@dataclass(frozen=True)
class Measurement:
    """How one pattern is measured."""

    #: sigma_phi, sigma_alpha: resolution and divergence together, one standard deviation, degrees.
    sigma_phi: float
    sigma_alpha: float
    shift_phi: float  #: What the stated φ is too large, degrees.
    #: What the stated α_f is too large and the stated α_i too small, degrees: a tilt of the sample.
    shift_alpha: float
    #: flat, diffuse: counts of the flat and of the decaying background over those of the pattern.
    flat: float
    diffuse: float
    #: diffuse_alpha, diffuse_phi: length over which the second decays upwards, and its half width to the
    #: sides, degrees.
    diffuse_alpha: float
    diffuse_phi: float
    counts: float  #: Expected counts of the pattern and its background together, in the pixels that count.


MEASUREMENT = read_priors(__file__)["measurement"]


def sample_measurement(rng: np.random.Generator, *, counts: float | None = None) -> Measurement:
    """Draw how a pattern is measured, with the prior's or the given expected counts."""
    values = {field.name: MEASUREMENT[field.name](rng) for field in fields(Measurement)}
    return Measurement(**(values if counts is None else values | {"counts": counts}))


def describe_training(window: Window, beam: Mapping[str, Prior]) -> dict[str, Any]:
    """Describe training images for the manifest: the window, and beams as stated."""
    # `beam` has ``wavelength`` and true ``alpha_i``, stated less the misalignment.
    shift = MEASUREMENT["shift_alpha"].limits()
    low, high = beam["alpha_i"].limits()
    return {
        "window": asdict(window),
        "stated": {
            "wavelength": list(beam["wavelength"].limits()),
            "alpha_i": [low - shift[1], high - shift[0]],
        },
    }


# --- From a clean pattern to counts: geometry as stated, resolution, background, mask, Poisson
# --- counts.

#: Pixels of margin around the window, from which resolution and misalignment bring counts into it.
MARGIN = 4


def compute_expected_counts(
    clean: NDArray[np.floating],
    window: Window,
    measurement: Measurement,
    mask: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return each pixel's expected counts from a pattern on ``window.add_margin(MARGIN)``, arbitrary scale.
    Their sum over the mask is ``measurement.counts``, as the specular rod has most counts and may be covered.
    """
    up = blur_matrix(
        window.rows,
        window.rows + MARGIN,
        0,
        measurement.sigma_alpha,
        measurement.shift_alpha,
        window.pixel[0],
    )
    across = blur_matrix(
        window.columns,
        window.columns + 2 * MARGIN,
        MARGIN,
        measurement.sigma_phi,
        measurement.shift_phi,
        window.pixel[1],
    )
    blurred = up @ clean.astype(np.float64) @ across.T
    total = blurred.sum()
    all_counts = blurred + total * background(window, measurement)
    visible_counts = all_counts.sum() if mask is None else all_counts.sum(where=mask)
    return np.asarray(all_counts * (measurement.counts / visible_counts))


def blur_matrix(
    n: int, n_in: int, first: int, sigma: float, shift: float, pixel: float
) -> NDArray[np.float64]:
    """Return the matrix (n, n_in) that blurs and shifts one axis."""
    # `first` is the first output pixel's input index; sigma, shift (to larger angles) and pixel have one
    # unit.
    # Counts are spread evenly over a pixel; columns sum to 1 but for losses beyond the window.
    # It depends on the difference of the two indices alone.
    steps = np.arange(first - n_in, first + n + 1, dtype=np.float64)
    ramp = _ramp(steps * pixel - shift, sigma)
    shares = np.diff(ramp, 2) / pixel
    return np.asarray(shares[np.arange(n)[:, None] + n_in - 1 - np.arange(n_in)])


def _ramp(x: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Integral of the Gaussian's distribution function: max(x, 0), rounded over sigma."""
    if sigma == 0:
        return np.maximum(x, 0.0)
    z = x / sigma
    return np.asarray(x * ndtr(z) + sigma * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi))


def background(window: Window, measurement: Measurement) -> NDArray[np.float64]:
    """Background over the pattern's sum, (rows, columns): flat, and decaying from the horizon's middle."""
    alpha, phi = window.centres()
    upwards = np.exp(-alpha / measurement.diffuse_alpha)
    across = 1 / (1 + (phi / measurement.diffuse_phi) ** 2)
    decaying = np.outer(upwards / upwards.sum(), across / across.sum())
    return np.asarray(measurement.flat / alpha.size / phi.size + measurement.diffuse * decaying)


#: Share of measurements with each fault.
SHARES = {"gaps": 0.5, "beamstop": 0.7, "hot": 0.3, "partial": 0.2}
#: Gaps up and across, at most, and their width in degrees.
GAPS, GAP_WIDTH = 2, (0.03, 0.15)
#: Beamstop: half width; a third of them each reach from below to an angle, lie about the specular beam with a
#: height, or cover the whole specular rod.
STOP_HALF, STOP_END, STOP_HEIGHT = (0.03, 0.2), (0.05, 0.6), (0.05, 0.3)
#: Pixels masked as hot, at most.
HOT = 20
#: Least part of the window's height and width that a partial detector covers.
COVERED = 0.6


def sample_mask(window: Window, alpha_i: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw a mask, True where a pixel counts; alpha_i in degrees places the specular beam."""
    alpha, phi = window.centres()
    mask = np.ones(window.shape, dtype=bool)
    gaps, stop, hot, partial = (rng.random() < share for share in SHARES.values())
    if gaps:
        for axis, angles in enumerate((alpha, phi)):
            for _ in range(int(rng.integers(0, GAPS, endpoint=True))):
                inside = np.abs(angles - rng.uniform(angles[0], angles[-1])) < rng.uniform(*GAP_WIDTH) / 2
                mask[_index_along(axis, inside)] = False
    if stop:
        across = np.abs(phi) < rng.uniform(*STOP_HALF)
        kind = int(rng.integers(3))
        end, height = rng.uniform(*STOP_END), rng.uniform(*STOP_HEIGHT)
        up = (alpha < end, np.abs(alpha - alpha_i) < height / 2, alpha >= 0)[kind]
        mask[np.outer(up, across)] = False
    if hot:
        n = int(rng.integers(1, HOT, endpoint=True))
        mask[rng.integers(0, window.rows, n), rng.integers(0, window.columns, n)] = False
    if partial:
        for axis, n in enumerate(window.shape):
            covered = int(np.ceil(rng.uniform(COVERED, 1.0) * n))
            # The detector covers the horizon in any case.
            first = 0 if axis == 0 else int(rng.integers(0, n - covered, endpoint=True))
            outside = (np.arange(n) < first) | (np.arange(n) >= first + covered)
            mask[_index_along(axis, outside)] = False
    return mask


def _index_along(axis: int, chosen: NDArray[np.bool_]) -> tuple[slice | NDArray[np.bool_], ...]:
    return (chosen, slice(None)) if axis == 0 else (slice(None), chosen)


def simulate_measurement(
    clean: Callable[[], NDArray[np.floating]],
    window: Window,
    wavelength: float,
    alpha_i: float,
    rng: np.random.Generator,
    *,
    exposure: float | None = None,
) -> tuple[Image, Measurement]:
    """Draw one measurement of a pattern."""
    # `clean` is called once the mask is drawn, for ``window.add_margin(MARGIN)``; wavelength in Å; alpha_i,
    # degrees, is true, stated is what misalignment leaves; exposure is the expected counts of usable pixels,
    # drawn by default.
    measurement = sample_measurement(rng, counts=exposure)
    stated = alpha_i - measurement.shift_alpha
    mask = sample_mask(window, stated, rng)
    counts = count(compute_expected_counts(clean(), window, measurement, mask), mask, rng)
    return Image(counts, mask, window.geometry(wavelength, stated)), measurement


def count(
    expected: NDArray[np.float64], mask: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Poisson counts where the mask is True, 0 elsewhere."""
    # In single precision, as the features have them.
    return np.where(mask, rng.poisson(expected), 0).astype(np.float32).astype(np.float64)


# --- Patterns that are of no known kind of sample: what must not get an answer, and teaches a
# --- network so.

#: (window with its margin, which is filled; angle of incidence in degrees; generator) to a clean pattern of
#: arbitrary scale, nowhere negative.
Kind = Callable[[Window, float, np.random.Generator], Floats]


def _empty(window: Window, alpha_i: float, rng: np.random.Generator) -> Floats:
    """Nothing but background, flat or sloping, with a specular rod or without."""
    alpha, phi = window.centres()
    slope = np.exp(rng.normal(0, 0.3) * alpha)[:, None] * np.exp(rng.normal(0, 0.3) * phi)[None, :]
    return slope + _rod(window, alpha_i, rng) * (rng.random() < 0.5)


def _rings(window: Window, alpha_i: float, rng: np.random.Generator) -> Floats:
    """Powder rings or a structure peak about the direct or the reflected beam."""
    radius = _radius(window, alpha_i, rng)
    intensity = _halo(window, alpha_i, rng)
    for _ in range(int(rng.integers(1, 7))):
        radius_of_ring, width = rng.uniform(0.15, 2.2), np.exp(rng.uniform(np.log(0.02), np.log(0.3)))
        strength = np.exp(rng.uniform(-2, 3)) * np.median(intensity)
        intensity = intensity + strength * np.exp(-0.5 * ((radius - radius_of_ring) / width) ** 2)
    return intensity


def _halo(window: Window, alpha_i: float, rng: np.random.Generator) -> Floats:
    """Small-angle scattering without a preferred direction: a power law with a Guinier region."""
    scale, power = np.exp(rng.uniform(np.log(0.05), np.log(1.0))), rng.uniform(0.7, 2.5)
    halo = (1 + (_radius(window, alpha_i, rng) / scale) ** 2) ** -power
    rod = _rod(window, alpha_i, rng) * (rng.random() < 0.6)
    return np.asarray(halo / halo.mean() + rod, dtype=np.float64)


def _streaks(window: Window, alpha_i: float, rng: np.random.Generator) -> Floats:
    """Growing islands: one broad correlation peak on either side, and its faint second."""
    alpha, phi = window.centres()
    place, width = rng.uniform(0.12, 1.0), rng.uniform(0.15, 0.5)
    across = sum(
        height / (1 + ((np.abs(phi) - n * place) / (n * width * place)) ** 2)
        for n, height in ((1, 1.0), (2, rng.uniform(0, 0.3)))
    ) + rng.uniform(0, 1) * np.exp(-np.abs(phi) / place)
    wave = 1 + rng.uniform(0, 0.9) * np.cos(2 * np.pi * alpha / rng.uniform(0.2, 1.5) + rng.uniform(0, 6))
    upwards = np.exp(-((alpha / rng.uniform(0.4, 2.0)) ** 2)) * wave
    horizon = 1 + rng.uniform(0, 5) * np.exp(-0.5 * ((alpha - rng.uniform(0.12, 0.35)) / 0.04) ** 2)
    streaks = np.outer(upwards * horizon, across)
    rod = _rod(window, alpha_i, rng)
    return np.asarray(streaks / streaks.mean() + rod, dtype=np.float64)


def _clouds(window: Window, alpha_i: float, rng: np.random.Generator) -> Floats:
    """Smooth structure anywhere, and spots."""
    rough = rng.normal(size=window.shape)
    smooth = gaussian_filter(rough, np.exp(rng.uniform(np.log(1.0), np.log(12), 2)), mode="reflect")
    clouds = np.exp(rng.uniform(0.5, 3) * smooth / smooth.std())
    for _ in range(int(rng.integers(0, 12))):
        spot = np.zeros_like(clouds)
        spot[rng.integers(clouds.shape[0]), rng.integers(clouds.shape[1])] = 1.0
        clouds += gaussian_filter(spot, rng.uniform(0.5, 3)) * clouds.mean() * np.exp(rng.uniform(1, 6))
    return np.asarray(clouds, dtype=np.float64)


#: Kinds that any window may show, with what makes them.
KINDS: dict[str, Kind] = {
    "empty": _empty,
    "rings": _rings,
    "halo": _halo,
    "streaks": _streaks,
    "clouds": _clouds,
}


def turn_pattern(pattern: NDArray[np.floating], quarters: int) -> Floats:
    """A pattern that lies on its side (1 or 3 quarters) or stands on its head (2), in the same window."""
    rows, columns = pattern.shape
    rotated = np.rot90(pattern, quarters)
    grown = np.pad(
        rotated, [(0, max(0, n - m)) for n, m in zip(pattern.shape, rotated.shape, strict=True)], "edge"
    )
    return np.asarray(grown[:rows, :columns], dtype=np.float64)


def _radius(window: Window, alpha_i: float, rng: np.random.Generator) -> Floats:
    """Angle from the direct or the reflected beam, or from somewhere near, degrees."""
    alpha, phi = window.centres()
    centre = rng.choice([-1, 1]) * alpha_i + (rng.random() < 0.2) * rng.uniform(-0.5, 0.5)
    squash = rng.uniform(0.7, 1.4) if rng.random() < 0.3 else 1.0
    return np.asarray(np.hypot((alpha[:, None] - centre) * squash, phi[None, :]), dtype=np.float64)


def _rod(window: Window, alpha_i: float, rng: np.random.Generator) -> Floats:
    """The specular rod, with its bright spot, over a pattern whose mean is 1."""
    alpha, phi = window.centres()
    across = np.exp(-0.5 * (phi / rng.uniform(0.01, 0.06)) ** 2)
    spot = np.exp(-0.5 * ((alpha - alpha_i) / rng.uniform(0.02, 0.1)) ** 2)
    upwards = np.exp(-alpha / rng.uniform(0.1, 0.8)) * rng.random() + spot
    return np.asarray(np.exp(rng.uniform(1, 8)) * np.outer(upwards, across), dtype=np.float64)


# --- What a pattern of ordered spheres depends on: the sample and its beam.

#: Bins of the rotation angle xi over its period, as the seed has them: 0, 0.5, … 59.5 degrees.
N_XI = 120
PERIOD = 60.0
XI = np.arange(N_XI) * (PERIOD / N_XI)
#: Patterns that are simulated: the mirror gives the rest.
N_HALF = N_XI // 2 + 1
#: Radii that stand for a spread of sizes (Gauss–Hermite).
_SPHERE_RADII = 5


@dataclass(frozen=True)
class Geometry:
    """Spheres on a hexagonal lattice on oxidised silicon, and the beam that meets them."""

    lattice: float  #: Lattice constant a, Å.
    #: Length over which the order of the lattice decays (Cauchy profile), Å; a long one gives sharp peaks.
    width: float
    position_spread: float  #: Scatter of the particles about their sites, rms in each direction, Å.
    radius: float  #: Mean radius of the spheres, Å.
    radius_pd: float  #: Standard deviation of the radius over its mean.
    wavelength: float  #: Å.
    alpha_i: float  #: Angle of incidence, degrees.
    oxide: float = 600.0  #: Thickness of the SiO₂ film, Å.

    def radii(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Radii in Å and their shares, which sum to 1: a Gaussian as five points."""
        if self.radius_pd == 0:
            return np.array([self.radius]), np.ones(1)
        nodes, shares = np.polynomial.hermite_e.hermegauss(_SPHERE_RADII)
        return self.radius * (1 + self.radius_pd * nodes), shares / shares.sum()


#: What the network of gisas_hex sees.
WINDOW = Window()


# --- What a pattern of a growing film depends on: the clusters, what lies below them, and the beam.

#: Points that stand for a spread of sizes, and where a Gaussian is cut off, in standard deviations.
_RADII, _CUT = 9, 2.5
#: Area of a cell over the square of the distance, were the clusters on a hexagonal lattice.
CELL = np.sqrt(3) / 2


@dataclass(frozen=True)
class Film:
    """Metal clusters, upper halves of spheroids, on a metal layer (or none) on a polymer film on silicon."""

    distance: float  #: Most probable distance D of neighbouring clusters, Å.
    distance_spread: float  #: Standard deviation of that distance, Å.
    radius: float  #: Mean radius R of a cluster's base, Å.
    aspect: float  #: Height over radius, H/R; the same for all clusters.
    #: Standard deviation of the radius over its mean; the distribution is cut off at 2.5 of it.
    radius_pd: float
    #: How much larger clusters lie further apart (κ of the size-spacing correlation approximation): two
    #: neighbours lie at D + κ (ΔR₁ + ΔR₂). 0 is the decoupling approximation.
    coupling: float
    layer: float  #: Thickness of the closed metal layer below the clusters, Å; 0 for none.
    polymer: float  #: Thickness of the polymer film, Å.
    wavelength: float  #: Å.
    alpha_i: float  #: Angle of incidence, degrees.

    @property
    def height(self) -> float:
        """Mean height H of a cluster, Å."""
        return self.radius * self.aspect

    @property
    def coverage(self) -> float:
        """Share of the surface below clusters, π R²/(√3/2 D²): at most 0.91, where they touch."""
        return float(np.pi * self.radius**2 / (CELL * self.distance**2))

    @property
    def metal(self) -> float:
        """Effective thickness, Å: the layer, and 2/3 of the clusters' height on what they cover."""
        return self.layer + 2 / 3 * self.coverage * self.height

    def radii(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Radii in Å and their shares, which sum to 1: a Gaussian, cut off, as nine points."""
        if self.radius_pd == 0:
            return np.array([self.radius]), np.ones(1)
        nodes, shares = _gaussian()
        return self.radius * (1 + self.radius_pd * nodes), shares


@lru_cache(maxsize=1)
def _gaussian() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    nodes, weights = np.polynomial.legendre.leggauss(_RADII)
    shares = weights * np.exp(-0.5 * (_CUT * nodes) ** 2)
    return _CUT * nodes, shares / shares.sum()


#: What the network of gisas_growth sees: q up to 2.4 nm⁻¹ in the plane at 0.96 Å, so the first order of the
#: smallest distance and the first minimum of the clusters' shape.
FILM_WINDOW = Window(rows=64, columns=64, phi=(-2.0, 2.0), alpha_f=(0.0, 2.5))
