"""Small-angle-scattering images simulated: samples once and clean, then whole instruments, anew each time.

Figures of D22 are those of its NeXus files. The others stand for instruments of their kind: rounded, one
detector each, and not checked against their facilities' documents. A network that has seen all of them knows
pinhole instruments, not one of these.

Beams are drawn once a process, with all their pixels; each use turns one by any number of sectors, and counts
anew, in cells of `reading.polar`.

One projection does not show a three-dimensional distribution of axes (`simulate.orientations`): rotational
symmetry about a director in the plane of the detector is assumed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from ...arrays import Floats
from ...domains.heads import Targets
from ...domains.simulator import Layout, Mix, Row, Simulator
from ...files import read_text
from ...simulate.clean import simulate_clean
from ...simulate.dataset import digest_of
from ...simulate.draws import draw_all, loguniform, read_priors
from ...simulate.grid import WIDE_Q
from ...simulate.kernel import call, load_model
from ...simulate.orientations import DEGREES as DEGREES
from ...simulate.orientations import expand_in_harmonics as expand_in_harmonics
from ...simulate.orientations import gaussian as gaussian
from ...simulate.orientations import maier_saupe as maier_saupe
from ...simulate.orientations import order_parameter as order_parameter
from ...simulate.orientations import strength_of as strength_of
from ...simulate.priors import form_models, model_info
from ...simulate.quick_models.cost_classes import cost_class
from ...simulate.size_distributions import distribution_keywords
from ...types import Image
from .nexus import Setting, compute_ring_resolution
from .reading import SmallAngle, make_detector_geometry
from .rings import FRAMES, N_RINGS, N_SECTORS, Q_LEAST, Q_MOST, RINGS, Polar, Settings, cells
from .specification import HEADS, LABELS, QUANTITIES

# --- Small-angle-scattering instruments, each a page of data; and how a setting of one is drawn.


@dataclass(frozen=True)
class Instrument:
    """One instrument."""

    name: str
    shape: tuple[int, int]  #: (rows, columns), of the detector.
    pixel: tuple[float, float]  #: Width and height, mm.
    #: wavelength, spread: range, Å, and full width at half maximum over the mean; least and largest in use.
    wavelength: tuple[float, float]
    spread: tuple[float, float]
    collimation: tuple[float, ...]  #: Source aperture to sample, m.
    distance: tuple[float, float]  #: Sample to detector, m.
    #: Radii of source apertures, mm; of a guide's rectangle that of the same variance.
    source: tuple[float, ...]
    sample: tuple[float, float]  #: Radius of the sample aperture, mm.
    beamstop: tuple[float, ...]  #: Radii, mm.
    offset: float  #: How far the detector moves sideways, mm.
    #: Axis along which counting tubes lie side by side (1 columns, 0 rows); each has an efficiency of its
    #: own. -1: one chamber.
    tubes: int
    dead_time: float  #: Of a tube, or of the chamber, μs.
    flux: float  #: At the sample with the shortest collimation at 6 Å, n/cm²/s.

    def intensity(self, setting: Setting) -> float:
        """Flux at the sample, n/cm²/s: as λ⁻⁴ L1⁻², a Maxwellian's tail and the solid angle of the guide."""
        shortest = 1e3 * self.collimation[0]
        return self.flux * (6.0 / setting.wavelength) ** 4 * (shortest / setting.collimation) ** 2


INSTRUMENTS = tuple(
    Instrument(name, **{key: tuple(v) if isinstance(v, list) else v for key, v in page.items()})  # type: ignore[arg-type]
    for name, page in tomllib.loads(read_text(__file__, "instruments.toml")).items()
)

#: Share of detectors further than their collimation is long: users keep the two alike, so that source, slits
#: and pixels blur alike.
UNLIKE = 0.15


def draw_setting(instrument: Instrument, rng: np.random.Generator) -> Setting:
    """A setting as users choose it."""
    distance = loguniform(*instrument.distance, rng)
    lengths = np.array(instrument.collimation)
    near = int(np.argmin(np.abs(lengths - distance)))
    free = int(rng.integers(lengths.size))
    chosen = lengths[free if rng.random() < UNLIKE else near]
    return Setting(
        wavelength=loguniform(*instrument.wavelength, rng),
        spread=float(rng.uniform(*instrument.spread)),
        collimation=1e3 * float(chosen),
        distance=1e3 * distance,
        source_radius=float(rng.choice(instrument.source)),
        sample_radius=float(rng.uniform(*instrument.sample)),
        pixel=instrument.pixel,
    )


# --- How small-angle-scattering images are measured: setting, beam, background, faults, counts;
# --- drawn anew.

_TABLES = read_priors(__file__)
MEASUREMENT = _TABLES["measurement"]
#: A setting suits a sample when its window begins below the sample's first feature over `FAR` and ends above
#: `NEAR` of it: what it shows is neither all plateau nor all asymptote.
FAR, NEAR = 1.5, 0.4
#: Share of files that do not say how sharp q is.
SILENT = 0.15


@dataclass(frozen=True)
class Beam:
    """An instrument in a setting, its beam and its mask."""

    #: true, stated: where the pixels lie, and where the file says that they do; weights are those of the
    #: stated solid angle, and of the efficiency that no file says.
    true: SmallAngle
    stated: SmallAngle
    mask: NDArray[np.bool_]  #: (rows, columns)
    block: float  #: Radius of the beamstop, Å⁻¹.
    dead_time: float = 0.0  #: Of a tube, or of the chamber, s.
    tubes: int = -1  #: As of `Instrument`.


def draw_beam(rng: np.random.Generator) -> Beam:
    """Draw an instrument in a setting."""
    instrument = INSTRUMENTS[int(rng.integers(len(INSTRUMENTS)))]
    return beam(instrument, draw_setting(instrument, rng), rng)


def beam(instrument: Instrument, setting: Setting, rng: np.random.Generator) -> Beam:
    """The rest of what is drawn of an instrument in a setting."""
    rows, columns = instrument.shape
    width, height = setting.pixel
    values = draw_all(MEASUREMENT, rng)
    side = min(values["offset"] * columns, instrument.offset / width, key=abs)
    centre = (columns - 1) / 2 + side + rng.normal(0, 1.5), (rows - 1) / 2 + rng.normal(0, 1.5)
    wrong = values["centre"], MEASUREMENT["centre"](rng)
    counted = efficiency(instrument, values, rng)
    right = make_detector_geometry((rows, columns), centre, setting)
    true = replace(right, weight=right.weight * counted)
    # A wrong centre of less than a pixel moves all of q alike.
    shift = [setting.k / setting.distance * by * size for by, size in zip(wrong, setting.pixel, strict=True)]
    stated = replace(right, qx=right.qx - shift[0], qy=right.qy - shift[1])
    # What of the beam reaches the detector must not pass the beamstop: the image of source and sample.
    spread = setting.distance / setting.collimation
    spot = setting.source_radius * spread + setting.sample_radius * (1 + spread)
    fitting = [radius for radius in instrument.beamstop if radius > spot] or [max(instrument.beamstop)]
    radius = float(rng.choice(fitting[:2]))
    scale = setting.k / setting.distance
    margin = max(width, height) * (1.0 - values["shadow"] + rng.uniform(0, 1))
    mask = stated.q > scale * (radius + margin)
    for _ in range(round(values["faults"])):
        mask[rng.integers(rows), rng.integers(columns)] = False
    for _ in range(round(values["dead_tubes"])):
        line_index = rng.integers(columns if instrument.tubes == 1 else rows)
        mask[(slice(None), line_index) if instrument.tubes == 1 else (line_index, slice(None))] = False
    return Beam(true, stated, mask, scale * radius, 1e-6 * instrument.dead_time, instrument.tubes)


def _measure_distance_from_edge(shape: tuple[int, int]) -> Floats:
    rows, columns = (np.minimum(np.arange(n), n - 1 - np.arange(n)) + 0.5 for n in shape)
    return np.minimum(rows[:, None], columns[None, :])


def efficiency(instrument: Instrument, values: Mapping[str, float], rng: np.random.Generator) -> Floats:
    """What pixels count of what they see, as it is left of files that were not divided by a flat field."""
    from scipy.ndimage import gaussian_filter

    rows, columns = shape = instrument.shape
    chamber = instrument.tubes < 0
    efficiencies = 1 + values["pixels"] * (1.0 if chamber else 0.1) * rng.standard_normal(shape)
    if not chamber:
        number = columns if instrument.tubes == 1 else rows
        tube_noise = values["efficiency"] * rng.standard_normal(number)
        efficiencies += tube_noise if instrument.tubes == 1 else tube_noise[:, None]
    clouds = gaussian_filter(rng.standard_normal(shape), values["patch"], mode="reflect")
    efficiencies += values["uneven"] * clouds / float(clouds.std())
    if values["edge"]:
        efficiencies *= 1 - np.exp(-_measure_distance_from_edge(shape) / values["edge"])
    return np.asarray(np.maximum(efficiencies, 0.05))


@dataclass(frozen=True)
class Background:
    """What is counted besides the sample, and how fast."""

    #: flat, parasitic, power, rate: see `MEASUREMENT`.
    flat: float = 0.0
    parasitic: float = 0.0
    power: float = 3.0
    rate: float = 0.0

    def add_to(self, sample: Floats, weight: Floats, q: Floats, block: float, mask: Any = True) -> Floats:
        """The sample's counts and these, arbitrary scale; shares are of what the mask lets count."""
        total = float(sample.sum(where=mask)) or 1.0
        counts = sample + weight * (self.flat * total / float(weight.sum(where=mask)))
        if self.parasitic:
            slope = np.maximum(q / block, 0.5) ** -self.power * weight
            counts += slope * (self.parasitic * total / float(slope.sum(where=mask)))
        return counts


def draw_background(rng: np.random.Generator) -> Background:
    values = [MEASUREMENT[name](rng) for name in ("flat", "parasitic", "parasitic_power", "rate")]
    return Background(*values)


def compute_counted_share(expected: Floats, seen_beam: Beam, rate: float) -> Floats:
    """Return the share of events counted in each pixel; `expected` events have arbitrary scale, `rate` is per
    second on the detector.
    """
    # Not paralysable: of n events a second in a tube n/(1 + nτ) are counted (G. F. Knoll, Radiation Detection
    # and Measurement, 4.VII). A tube is dead as a whole, and so is a chamber.
    along = {1: 0, 0: 1}.get(seen_beam.tubes)
    share = expected.sum(axis=along, keepdims=True) / max(float(expected.sum()), 1e-300)
    return np.asarray(1 / (1 + rate * seen_beam.dead_time * share))


def simulate_measurement(
    intensity: Floats, seen_beam: Beam, background: Background, rng: np.random.Generator, counts: float
) -> Image:
    """Simulate counts of a beam from intensity in each pixel's true direction, arbitrary scale; `counts` are
    expected in usable pixels.
    """
    weight = seen_beam.true.weight
    expected = background.add_to(
        intensity * weight, weight, seen_beam.true.q, seen_beam.block, seen_beam.mask
    )
    # The beamstop stops neutrons over its whole area; its edge is as sharp as a pixel.
    expected[seen_beam.true.q < seen_beam.block] *= 1e-3
    expected *= counts / max(float(expected.sum(where=seen_beam.mask)), 1e-300)
    expected *= compute_counted_share(expected, seen_beam, background.rate)
    values = rng.poisson(np.minimum(expected, 1e9)).astype(np.float64)
    stated = seen_beam.stated if rng.random() >= SILENT else replace(seen_beam.stated, setting=None)
    return Image(np.where(seen_beam.mask, values, 0.0), seen_beam.mask, stated)


# --- Images counted in rings and sectors at once: what the network reads, at a tenth of the cost of
# --- pixels.

#: Beams of a process, and the seed that they are drawn with: the same in all processes.
N_BEAMS, SEED = 500, 20_260_101
_SHAPE = N_RINGS, N_SECTORS


@dataclass(frozen=True)
class CellBeam:
    """A beam whose pixels are gathered in cells."""

    #: Where the pixels of each cell truly lie on average, and what they see together, (N_RINGS, N_SECTORS); 0
    #: in cells without pixels.
    geometry: SmallAngle
    stated: Floats  #: (N_RINGS, N_SECTORS), what the file says that they see.
    block: float  #: Radius of the beamstop, Å⁻¹.

    @property
    def setting(self) -> Setting:
        assert self.geometry.setting is not None
        return self.geometry.setting

    def suits(self, feature: float) -> bool:
        if not np.isfinite(feature):
            return True
        rings = np.flatnonzero(self.stated.sum(axis=1) > 0)
        return bool(RINGS[rings[0]] * FAR < feature and RINGS[rings[-1]] > NEAR * feature)

    def covers(self, feature: float) -> bool:
        """Whether a sample's first feature lies in the window with room on either side."""
        rings = np.flatnonzero(self.stated.sum(axis=1) > 0)
        return bool(RINGS[rings[0]] < 0.5 * feature and RINGS[rings[-1]] > 1.2 * feature)


def gather_in_cells(seen_beam: Beam) -> CellBeam:
    """A beam's pixels in cells."""
    true, stated = seen_beam.true, seen_beam.stated
    used, cell = cells(stated, seen_beam.mask)
    # The neutrons that the beamstop lets through are too few to matter.
    open_ = np.where(true.q.ravel()[used] >= seen_beam.block, 1.0, 0.0)
    size = N_RINGS * N_SECTORS
    weight = true.weight.ravel()[used] * open_
    total = np.asarray(np.bincount(cell, weight, size), dtype=np.float64)
    share = np.divide(1.0, total, out=np.zeros(size), where=total > 0)
    angle = np.arctan2(true.qy, true.qx).ravel()[used]
    q = np.exp(np.bincount(cell, weight * np.log(np.maximum(true.q.ravel()[used], 1e-6)), size) * share)
    cosine, sine = (np.bincount(cell, weight * f(angle), size) for f in (np.cos, np.sin))
    middle = np.arctan2(sine, cosine)
    lost = total <= 0
    q[lost], middle[lost] = np.repeat(RINGS, N_SECTORS)[lost], 0.0
    geometry = SmallAngle(
        (q * np.cos(middle)).reshape(_SHAPE),
        (q * np.sin(middle)).reshape(_SHAPE),
        total.reshape(_SHAPE),
        setting=true.setting,
    )
    nominal = np.asarray(np.bincount(cell, stated.weight.ravel()[used], size), dtype=np.float64)
    return CellBeam(geometry, nominal.reshape(_SHAPE), seen_beam.block)


@lru_cache(maxsize=1)
def beams() -> tuple[CellBeam, ...]:
    """The beams of a process, `N_BEAMS` of them: some seconds of work, once."""
    rng = np.random.default_rng(SEED)
    cell_beams: list[CellBeam] = []
    while len(cell_beams) < N_BEAMS:
        instrument = INSTRUMENTS[int(rng.integers(len(INSTRUMENTS)))]
        gathered_one = gather_in_cells(beam(instrument, draw_setting(instrument, rng), rng))
        if np.count_nonzero(gathered_one.stated.sum(axis=1)) >= 8:
            cell_beams.append(gathered_one)
    return tuple(cell_beams)


def draw_cell_beam(rng: np.random.Generator, feature: float = float("nan")) -> CellBeam:
    """A beam that suits a sample, turned by any number of sectors."""
    pool = beams()
    for _ in range(200):
        cell_beam = pool[int(rng.integers(len(pool)))]
        if cell_beam.suits(feature):
            break
    return turn_beam(cell_beam, int(rng.integers(N_SECTORS)))


def turn_beam(cell_beam: CellBeam, sectors: int) -> CellBeam:
    """A beam turned about itself, mask and faults included."""
    angle = sectors * 2 * np.pi / N_SECTORS
    old = cell_beam.geometry
    qx = old.qx * np.cos(angle) - old.qy * np.sin(angle)
    qy = old.qx * np.sin(angle) + old.qy * np.cos(angle)
    rolled = [np.roll(array, sectors, axis=1) for array in (qx, qy, old.weight, cell_beam.stated)]
    geometry = SmallAngle(rolled[0], rolled[1], rolled[2], setting=old.setting)
    return CellBeam(geometry, rolled[3], cell_beam.block)


def count_in_cells(
    intensity: Floats,
    cell_beam: CellBeam,
    background: Background,
    rng: np.random.Generator,
    counts: float,
) -> Polar:
    """Simulate counts in cells of a beam from intensity (N_RINGS, N_SECTORS); `counts` are expected."""
    weight = cell_beam.geometry.weight
    expected = background.add_to(intensity * weight, weight, cell_beam.geometry.q, cell_beam.block)
    expected *= counts / max(float(expected.sum()), 1e-300)
    # What the brightest tubes lose by being dead, 3 % at most, is no more than efficiencies scatter.
    values = rng.poisson(np.minimum(expected, 1e12)).astype(np.float64)
    silent = rng.random() < SILENT
    along = np.full(N_RINGS, np.nan) if silent else compute_ring_resolution(cell_beam.setting, RINGS)[0]
    return Polar(values, cell_beam.stated, along, np.ones(N_RINGS))


# --- Distributions of particles' axes about a director (`simulate.orientations`), seen along the beam.

_SINE, _LATITUDES = legendre.leggauss(32)
_SINE, _LATITUDES = _SINE[16:], _LATITUDES[16:]


def project_in_plane(averages: Floats, angles: Floats) -> Floats:
    """Density, per radian over half a turn (integral 1), of the angle between director and axes seen along
    the beam, from ⟨P_l⟩ (len(DEGREES),); angles in radians.
    """
    # f(n) = Σ (2l + 1)/4π ⟨P_l⟩ P_l(cos β), with cos β = cos(latitude) cos(angle), integrated over latitudes:
    # twice the half above the plane, and twice as an axis is the same turned round.
    cosine = np.sqrt(1 - _SINE**2)[:, None] * np.cos(angles)[None, :]
    series = np.zeros(2 * len(DEGREES) - 1)
    series[::2] = (2 * DEGREES + 1) / (4 * np.pi) * averages
    distribution = 4 * _LATITUDES @ legendre.legval(cosine, series)
    return np.maximum(np.asarray(distribution), 0.0)


# --- Clean scattering of samples: I(q) once, and how it depends on the direction of particles with
# --- an axis.

#: Where samples are kept: 80 points a decade, 2.9 % from one to the next, from below the smallest q of any
#: setting to above the largest.
Q = np.geomspace(2e-4, 2.0, 321)
LN_Q = np.log(Q)
#: Which of the finer grid of `simulate.grid` they are nearest to.
_ON_WIDE = np.searchsorted(WIDE_Q, Q * (1 - 1e-9)).clip(max=WIDE_Q.size - 1)
#: Contrast of bodies, 10⁻⁶ Å⁻².
SLD = {"sld": 4.0, "sld_solvent": 0.0}
#: Points of size distributions: the fringes of a spread of 2 % are resolved to q·radius of 40.
_SIZES = 21
#: Nodes over the cosine between q and axis, 0..1: enough for the highest degree of a body of q·length 50.
_MU, _SHARE = legendre.leggauss(128)
_MU, _SHARE = _MU[64:], _SHARE[64:]
_TO_DEGREES = ((2 * DEGREES + 1)[:, None] * _SHARE[None, :]) * legendre.legvander(_MU, int(DEGREES[-1]))[
    :, ::2
].T


def plain(log_intensity: NDArray[np.floating]) -> Floats:
    """ln I on `Q` of a clean curve on the wide grid of `simulate.grid`; NaN beyond its end."""
    # A point stands for a cell of the coarser grid: the mean over it, so that fringes finer than the grid are
    # averaged and not aliased.
    curve = np.asarray(log_intensity, dtype=np.float64)
    running = np.convolve(np.exp(curve), np.full(9, 1 / 9), "same")
    smooth = np.where(np.isfinite(running) & (running > 0), np.log(np.maximum(running, 1e-300)), curve)
    return np.asarray(smooth[_ON_WIDE])


def compute_legendre(name: str, parameters: Mapping[str, Any], q: Floats, turns: int = 12) -> Floats:
    """Compute Legendre coefficients F_l(q), (n, len(DEGREES)), of a sasmodels form with ``theta`` and
    ``phi``, at scale 1 without background; q in Å⁻¹. The first is the orientational average.
    """
    from sasmodels.direct_model import call_kernel

    # The axis lies along x in the detector's plane: theta = 90°, phi = 0.
    qx, qy = np.outer(q, _MU).ravel(), np.outer(q, np.sqrt(1 - _MU**2)).ravel()
    model = load_model(name)
    kernel = model.make_kernel([qx, qy])
    names = {p.name for p in model.info.parameters.orientation_parameters}
    angles = {"theta": 90.0, "phi": 0.0}
    angles_about = (np.arange(turns) + 0.5) * 90 / turns if "psi" in names else (None,)
    total: Any = 0.0
    for psi in angles_about:
        turned = angles if psi is None else {**angles, "psi": float(psi)}
        total = total + call_kernel(kernel, {"scale": 1.0, "background": 0.0, **parameters, **turned})
    kernel.release()
    values = np.asarray(total).reshape(q.size, _MU.size) / len(angles_about)
    return np.asarray(values @ _TO_DEGREES.T)


def pars_of(
    body: str, radius: float, aspect: float, radius_pd: float, distribution: str = "schulz"
) -> dict[str, Any]:
    """sasmodels' parameters of a body with an axis, "cylinder" or "ellipsoid"; lengths in Å."""
    # A spread of both radii of an ellipsoid would take as many points again; that of one blurs the fringes.
    if body == "cylinder":
        spread = spread_of("radius", distribution, radius_pd)
        return {"radius": radius, "length": 2 * radius * aspect, **SLD, **spread}
    pars: dict[str, Any] = {"radius_equatorial": radius, "radius_polar": radius * aspect, **SLD}
    return pars | spread_of("radius_equatorial", distribution, radius_pd)


def spread_of(size: str, distribution: str, width: float) -> dict[str, Any]:
    """sasmodels' keywords of a size distribution, of few sizes over the range that scatters."""
    keywords = distribution_keywords(size, distribution, width, _SIZES)
    return {f"{size}_pd": width, **keywords, f"{size}_pd_n": _SIZES}


# --- Images that show no sample's scattering: empty beams, textures, spots anywhere, broken
# --- electronics.

#: (geometry, generator) to intensities of any scale, nowhere negative.
Kind = Callable[[SmallAngle, np.random.Generator], Floats]


def _empty(geometry: SmallAngle, rng: np.random.Generator) -> Floats:
    """An empty beam: background, flat or sloping a little, and what slits scatter close to the beamstop."""
    rows, columns = geometry.shape
    y, x = np.linspace(-1, 1, rows)[:, None], np.linspace(-1, 1, columns)[None, :]
    flat = np.exp(rng.normal(0, 0.15) * x + rng.normal(0, 0.15) * y)
    near = float(np.median(geometry.q)) * rng.uniform(0.05, 0.2)
    return flat + rng.uniform(0, 20) * np.exp(-geometry.q / near)


def _texture(geometry: SmallAngle, rng: np.random.Generator) -> Floats:
    """Clouds of any size."""
    from scipy.ndimage import gaussian_filter

    size = np.exp(rng.uniform(np.log(1.0), np.log(0.25 * min(geometry.shape)), 2))
    rough = gaussian_filter(rng.standard_normal(geometry.shape), size, mode="wrap")
    return np.asarray(np.exp(rng.uniform(0.5, 2.5) * rough / rough.std()))


def _draw_scattered_spots(geometry: SmallAngle, rng: np.random.Generator) -> Floats:
    """Spots at places of no lattice, over a weak halo: crystals, ice, stray reflections."""
    intensity = 0.02 * np.exp(-geometry.q / float(geometry.q.max()) * rng.uniform(0, 6))
    for _ in range(int(rng.integers(1, 16))):
        row, column = (int(rng.integers(n)) for n in geometry.shape)
        apart = np.hypot(geometry.qx - geometry.qx[row, column], geometry.qy - geometry.qy[row, column])
        width = float(geometry.q.max()) * np.exp(rng.uniform(np.log(0.005), np.log(0.05)))
        intensity = intensity + np.exp(rng.uniform(-2, 1)) * np.exp(-0.5 * (apart / width) ** 2)
    return np.asarray(intensity)


def _stripes(geometry: SmallAngle, rng: np.random.Generator) -> Floats:
    """Rows, columns or blocks that count as they like: electronics at fault."""
    rows, columns = geometry.shape
    size = (int(rng.choice([1, 2, 8, 16])), int(rng.choice([rows, 16]))) if rng.random() < 0.5 else (16, 16)
    blocks = np.exp(
        rng.normal(0, rng.uniform(0.4, 2), (rows // min(size[1], rows) + 1, columns // size[0] + 1))
    )
    stripes = np.kron(blocks, np.ones((min(size[1], rows), size[0])))[:rows, :columns]
    return np.asarray(stripes if rng.random() < 0.5 else stripes * np.exp(-geometry.q / geometry.q.max()))


def _direct_beam(geometry: SmallAngle, rng: np.random.Generator) -> Floats:
    """The beam beside its beamstop, or its reflection, brighter than anything else."""
    row, column = (int(n * rng.uniform(0.1, 0.9)) for n in geometry.shape)
    apart = np.hypot(geometry.qx - geometry.qx[row, column], geometry.qy - geometry.qy[row, column])
    width = float(geometry.q.max()) * rng.uniform(0.01, 0.06)
    return np.exp(-0.5 * (apart / width) ** 2) + np.exp(rng.uniform(-9, -4))


KINDS: dict[str, Kind] = {
    "empty": _empty,
    "texture": _texture,
    "scattered_spots": _draw_scattered_spots,
    "stripes": _stripes,
    "direct_beam": _direct_beam,
}


# --- What each pixel counts on average: a sample's clean scattering through resolution, onto a
# --- detector.

_STEP = float(LN_Q[1] - LN_Q[0])
_LN_STEP = float(np.log(RINGS[1] / RINGS[0]))
#: Gauss–Hermite nodes along q and across it: right for fringes that the resolution damps to e⁻⁶.
_ALONG, _ALONG_SHARE = np.polynomial.hermite_e.hermegauss(9)
_ACROSS, _ACROSS_SHARE = np.polynomial.hermite_e.hermegauss(3)
_RESOLUTION_SHARE = np.outer(_ALONG_SHARE, _ACROSS_SHARE).ravel() / (_ALONG_SHARE.sum() * _ACROSS_SHARE.sum())
_X, _Y = (values.ravel() for values in np.meshgrid(_ALONG, _ACROSS, indexing="ij"))
#: Angles of a table in polar coordinates over half a turn, 2.5 degrees apart, both ends included.
N_ANGLES = 73


def smear(
    log_intensity: NDArray[np.floating],
    spread: tuple[Floats, Floats],
    q: Floats,
    harmonics: Floats | None = None,
) -> Floats:
    """Blur scattering by a Gaussian along q and across it (`spread`, Å⁻¹); returns (n, M) coefficients of cos
    mψ, m = 0, 2, …, from ln I (len(Q),) and `harmonics` (len(Q), M) over that average.
    """
    # The plane integral is exact: a point at (q + x, y) has radius √((q + x)² + y²) and rotates by atan(y/(q
    # + x)).
    along, across = spread
    x, y = q[:, None] + along[:, None] * _X, across[:, None] * _Y
    radius = np.sqrt(x**2 + y**2)
    place = np.clip((np.log(np.maximum(radius, Q[0])) - LN_Q[0]) / _STEP, 0, LN_Q.size - 1.001)
    first = place.astype(np.intp)
    part = place - first
    curve = np.asarray(log_intensity, dtype=np.float64)
    value = np.exp(curve[first] * (1 - part) + curve[first + 1] * part) * _RESOLUTION_SHARE
    if harmonics is None:
        return value.sum(axis=1)[:, None]
    turned = np.arctan2(y, x)
    blurred = np.empty((q.size, harmonics.shape[1]))
    for column, order in enumerate(DEGREES[: harmonics.shape[1]]):
        table = harmonics[:, column]
        weight = table[first] * (1 - part) + table[first + 1] * part
        blurred[:, column] = np.sum(value * weight * np.cos(order * turned), axis=1)
    return blurred


def spread_at(geometry: SmallAngle, q: Floats) -> tuple[Floats, Floats]:
    """Spread of q along q and across it on rings, by the setting, by the pixels near them, or none."""
    if geometry.setting is not None:
        return compute_ring_resolution(geometry.setting, q)
    if geometry.along is None or geometry.across is None:
        return np.zeros_like(q), np.zeros_like(q)
    order = np.argsort(geometry.q, axis=None)
    q_sorted = geometry.q.ravel()[order]
    along, across = (
        np.interp(q, q_sorted, spread.ravel()[order]) for spread in (geometry.along, geometry.across)
    )
    return along, across


def pattern(
    row: Mapping[str, Any],
    geometry: SmallAngle,
    averages: Floats | None = None,
    director: float = 0.0,
    blunted: Floats | None = None,
) -> Floats:
    """Compute a stored sample's intensity (rows, columns), without solid angle, arbitrary scale; ⟨P_l⟩ about
    the director (radians from qx), by default isotropic. `blunted` (rows · columns, len(DEGREES)) is what is
    left of cos mψ in areas; sharp unless the geometry has a resolution.
    """
    pixels = geometry.q.ravel()
    low, high = np.searchsorted(Q, [max(pixels.min(), Q[0]), pixels.max()])
    nodes = Q[max(int(low) - 1, 0) : int(high) + 1]
    place = np.clip((np.log(np.maximum(pixels, nodes[0])) - np.log(nodes[0])) / _STEP, 0, nodes.size - 1.001)
    if averages is None:
        table = smear(row["log_intensity"], spread_at(geometry, nodes), nodes)[:, 0]
        return np.asarray(np.interp(place, np.arange(nodes.size), table)).reshape(geometry.shape)
    coefficients = np.concatenate([np.ones((Q.size, 1)), row["directed"].astype(np.float64)], axis=1)
    spread = spread_at(geometry, nodes)
    waves = smear(row["log_intensity"], spread, nodes, (coefficients * averages) @ expand_in_harmonics())
    angle = np.arctan2(geometry.qy, geometry.qx).ravel() - director
    if blunted is not None:
        first = np.minimum(place.astype(np.intp), nodes.size - 2)
        part = (place - first)[:, None]
        products = (waves[first] * (1 - part) + waves[first + 1] * part) * np.cos(angle[:, None] * DEGREES)
        return np.asarray(np.maximum((products * blunted).sum(axis=1), 0.0)).reshape(geometry.shape)
    from scipy.ndimage import map_coordinates

    angles = np.linspace(0, np.pi, N_ANGLES)
    table = np.maximum(waves @ np.cos(np.outer(DEGREES, angles)), 0.0)
    turned = np.mod(angle, np.pi)
    intensity = map_coordinates(table, [place, turned * ((N_ANGLES - 1) / np.pi)], order=1, mode="nearest")
    return np.asarray(intensity).reshape(geometry.shape)


def interference(q: Floats, packing: float, apart: float) -> Floats:
    """Structure factor of particles that keep apart, S = 1/(1 + k θ), θ = 3 (sin qξ - qξ cos qξ)/(qξ)³ (Born
    & Green; Beaucage, J. Appl. Cryst. 28 (1995) 717). `packing` k is 0 without, 5.9 for densest spheres;
    `apart` in Å.
    """
    x = np.maximum(q * apart, 1e-2)
    return np.asarray(1 / (1 + packing * 3 * (np.sin(x) - x * np.cos(x)) / x**3))


def spots(
    values: Mapping[str, float],
    geometry: SmallAngle,
    turn: float,
    tilt: tuple[float, float],
    *,
    fine: bool = False,
) -> Floats:
    """Compute a Bragg glass's intensity (rows, columns), arbitrary scale; `turn` of a spot from qx in
    radians, `tilt` of the field in degrees, `fine` averages over cells.
    """
    # Hexagonal superconductor vortices nearly along the beam: first order at g = 2π√(2B/√3φ₀), then √3 g and
    # 2 g, visible if the field's tilt (g/2k along the spot) meets Bragg's condition; the rocking curve has
    # power-law tails.
    assert geometry.setting is not None
    q, angle = geometry.q, np.arctan2(geometry.qy, geometry.qx)
    if fine:
        # Three rings and five sectors in each.
        rings = np.exp(_LN_STEP * np.array([-1, 0, 1]) / 3)
        sectors = 2 * np.pi / N_SECTORS * np.arange(-2, 3) / 5
        q = (q[..., None, None] * rings[:, None] + 0 * sectors).reshape(*q.shape, -1)
        angle = (angle[..., None, None] + sectors + 0 * rings[:, None]).reshape(*angle.shape, -1)
    first = 2 * np.pi / values["spacing"]
    intensity = np.zeros(q.shape)
    domains = max(1, round(values["domains"]))
    for factor, strength, shift in (
        (1.0, 1.0, 0.0), (np.sqrt(3), values["second"], np.pi / 6), (2.0, values["second"], 0.0),
    ):  # fmt: skip
        g = first * factor
        along, across = (float(s[0]) for s in compute_ring_resolution(geometry.setting, np.array([g])))
        near = np.nonzero(np.abs(q - g) < 5 * along)
        radial = np.exp(-0.5 * ((q[near] - g) / along) ** 2) * strength
        width = np.hypot(np.radians(values["azimuthal"]), across / g)
        for number in range(6 * domains):
            angle_of_peak = turn + shift + number * (np.pi / 3 / domains)
            off = (
                tilt[0] * np.cos(angle_of_peak)
                + tilt[1] * np.sin(angle_of_peak)
                - np.degrees(g / 2 / geometry.setting.k)
            )
            x = off / values["rocking"]
            rocked = values["tail"] / (1 + x**2) + (1 - values["tail"]) * np.exp(-np.log(2) * x**2)
            apart = np.mod(angle[near] - angle_of_peak + np.pi, 2 * np.pi) - np.pi
            intensity[near] += radial * np.exp(-0.5 * (apart / width) ** 2) * rocked
    return intensity.mean(axis=-1) if fine else intensity


# --- Samples of small-angle-scattering images: which shapes, how large, and what is drawn of them.

#: Share of rows of each class.
SHARES = {
    "sphere": 0.2, "cylinder": 0.22, "ellipsoid": 0.22, "core_shell_sphere": 0.2, "bragg_glass": 0.06,
    "unknown": 0.1,
}  # fmt: skip
#: By class, what is drawn. Aspects near 1 are left out: there is nothing that a measurement could say.
PRIORS = {name: _TABLES[name] for name in SHARES}
#: Share of ellipsoids that are flat, of aspect 1/a; of unknown samples that are boxes.
FLAT, BOXES = 0.4, 0.3
#: Half sides of boxes: smallest, Å, and the others over the one before.
BOX = {"length_a": (20.0, 200.0), "length_b": (1.3, 4.0), "length_c": (1.3, 6.0)}
#: Samples of no radius are made larger or smaller at each use by a factor drawn between these, log-uniform.
STRETCH = 0.5, 2.0
#: What any of them has, in the order of a row's parameters; NaN where a class has none.
NAMES = (
    "label", "radius", "aspect", "shell", "core", "radius_pd",
    "spacing", "azimuthal", "rocking", "tail", "second", "domains", "feature",
)  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """One sample."""

    name: str  #: Class.
    values: Mapping[str, float]  #: Drawn, by the names of `NAMES`.
    model: str = ""  #: sasmodels' name; empty where it is none of sasmodels'.
    parameters: Mapping[str, Any] | None = None  #: Of sasmodels.
    curve: NDArray[np.float64] | None = None  #: (len(Q),), ln I, where the draw itself took its simulation.


@cache
def others() -> tuple[str, ...]:
    """Quick models that are none of the four shapes nor close to one: layers, or none at all."""
    kinds = ("shape-independent", "shape:lamellae")
    return tuple(n for n in form_models() if model_info(n).category in kinds and cost_class(n) == "fast")


def draw_sample(rng: np.random.Generator, name: str = "") -> Sample:
    """Draw a sample, of a class or of any by their shares."""
    kind = name or str(rng.choice(list(SHARES), p=np.array(list(SHARES.values())) / sum(SHARES.values())))
    values = {key: prior(rng) for key, prior in PRIORS[kind].items()}
    radius = values.get("radius", float("nan"))
    spread = spread_of("radius", "schulz", values.get("radius_pd", 0.0))
    if kind == "sphere":
        return Sample(kind, {**values, "feature": 4.49 / radius}, kind, {"radius": radius, **SLD, **spread})
    if kind in ("cylinder", "ellipsoid"):
        if kind == "ellipsoid" and rng.random() < FLAT:
            values["aspect"] = 1 / values["aspect"]
        feature = 3.83 / radius if kind == "cylinder" else 4.49 / (radius * min(1.0, values["aspect"]))
        pars = pars_of(kind, radius, values["aspect"], values["radius_pd"])
        return Sample(kind, {**values, "feature": feature}, kind, pars)
    if kind == "core_shell_sphere":
        shell = radius * values["shell"]
        pars = {"radius": radius - shell, "thickness": shell, "sld_shell": 4.0, "sld_solvent": 0.0}
        pars |= {"sld_core": 4.0 * values["core"], **spread}
        return Sample(kind, {**values, "feature": 3.5 / radius}, kind, pars)
    if kind == "bragg_glass":
        return Sample(kind, {**values, "feature": 2 * np.pi / values["spacing"]})
    if rng.random() < BOXES:
        sides = {key: float(np.exp(rng.uniform(*np.log(span)))) for key, span in BOX.items()}
        sides["length_b"] *= sides["length_a"]
        sides["length_c"] *= sides["length_b"]
        return Sample(kind, {"feature": 2 * np.pi / sides["length_a"]}, "parallelepiped", {**sides, **SLD})
    model = str(rng.choice(others()))
    return Sample(kind, {"feature": float("nan")}, model, {}, plain(simulate_clean(model, rng).log_intensity))


def row_of(sample: Sample) -> dict[str, Any]:
    """Store a sample: ``parameters`` by `NAMES`; ``log_intensity`` (len(Q),) of the average, largest 0 (all 0
    of a Bragg glass); ``compute_legendre`` (len(Q), len(DEGREES) - 1), other Legendre coefficients over it.
    """
    values = {"label": LABELS.index(sample.name), **sample.values}
    parameters = dict(sample.parameters or {})
    log_intensity, ratio = np.zeros(Q.size), np.zeros((Q.size, len(DEGREES) - 1), dtype=np.float16)
    if sample.curve is not None:
        log_intensity = sample.curve
    elif sample.model in ("cylinder", "ellipsoid", "parallelepiped"):
        legendre = compute_legendre(sample.model, parameters, Q)
        log_intensity = np.log(np.maximum(legendre[:, 0], 1e-300))
        ratio = (legendre[:, 1:] / legendre[:, :1]).astype(np.float16)
    elif sample.model:
        log_intensity = np.log(call(sample.model, Q, parameters).intensity)
    return {
        "parameters": {name: float(values.get(name, np.nan)) for name in NAMES},
        "log_intensity": continue_curve(log_intensity - np.nanmax(log_intensity)).astype(np.float32),
        "directed": ratio,
    }


def resize(row: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Rescale a stored sample: a body s times as large scatters I(q s), a shift in ln q."""
    # Radii are drawn from their prior, samples without one stretched by `STRETCH`, to a step of `Q`, so rows
    # differ in proportions and their uses in size. A Bragg glass is drawn anew.
    values = dict(row["parameters"])
    name = LABELS[int(values["label"])]
    if name == "bragg_glass":
        return {**row, "parameters": {**values, **draw_sample(rng, name).values}}
    prior = PRIORS[name].get("radius")
    stretch = loguniform(*STRETCH, rng) if prior is None else prior(rng) / values["radius"]
    step = float(LN_Q[1] - LN_Q[0])
    by = int(np.clip(round(np.log(stretch) / step), 1 - Q.size // 2, Q.size // 2))
    place = np.arange(Q.size) + by
    curve = np.asarray(row["log_intensity"], dtype=np.float64)[np.clip(place, 0, Q.size - 1)]
    curve = continue_curve(np.where(place < Q.size, curve, np.nan))
    values["radius"] *= np.exp(by * step)
    values["feature"] *= np.exp(-by * step)
    return {
        "parameters": values,
        "log_intensity": (curve - curve.max()).astype(np.float32),
        "directed": np.asarray(row["directed"])[np.clip(place, 0, Q.size - 1)],
    }


def continue_curve(log_intensity: NDArray[np.float64]) -> NDArray[np.float64]:
    """A curve whose end is not known, continued as a power law of its last fifth of a decade."""
    last = int(np.flatnonzero(np.isfinite(log_intensity))[-1])
    if last == log_intensity.size - 1:
        return log_intensity
    first = max(last - 16, 0)
    slope = (log_intensity[last] - log_intensity[first]) / (LN_Q[last] - LN_Q[first])
    beyond = log_intensity[last] + slope * (LN_Q - LN_Q[last])
    return np.where(np.arange(log_intensity.size) <= last, log_intensity, beyond)


# --- The simulator of small-angle-scattering images: sample → clean curve → instrument → counts, in
# --- settings.

_XI = next(head for head in HEADS if head.name == "xi")
#: Share of samples with an axis that have a direction; of these, of Maier–Saupe (the rest are Gaussian).
ORIENTED, MAIER_SAUPE = 0.35, 0.5
#: Order parameter of the first, width of the second in degrees; share of axes across their director.
P2, WIDTH, ACROSS = (0.05, 0.93), (8.0, 60.0), 0.15
#: Share of examples with one, two and three settings.
SETTINGS = (0.6, 0.25, 0.15)
#: Share of samples whose bodies keep apart; how strongly, and how far over 2π/q of the first feature.
INTERFERING, PACKING, APART = 0.15, (0.05, 2.0), (1.5, 6.0)
#: Tilt of a Bragg glass' field from the beam each way, standard deviation over the Bragg angle of its spots.
TILT = 1.0


@dataclass(frozen=True)
class Direction:
    """How particles' axes are distributed."""

    averages: NDArray[np.float64]  #: (13,), ⟨P_l⟩, l = 0, 2, … 24.
    director: float  #: Its angle from qx, radians.

    @property
    def p2(self) -> float:
        return float(self.averages[1])

    def shares(self) -> NDArray[np.float64]:
        """What is seen in each bin of the head of orientations; sums to 1."""
        turn = np.radians(_XI.grid) - self.director  # type: ignore[union-attr]
        distribution = project_in_plane(self.averages, turn)
        return distribution / distribution.sum()


def draw_direction(rng: np.random.Generator) -> Direction:
    director = float(rng.uniform(0, np.pi))
    if rng.random() >= MAIER_SAUPE:
        return Direction(gaussian(loguniform(*WIDTH, rng)), director)
    across = rng.random() < ACROSS
    p2 = float(rng.uniform(-0.35, -0.05) if across else rng.uniform(*P2))
    return Direction(maier_saupe(strength_of(p2)), director)


@dataclass(frozen=True)
class SansSimulator(Simulator):
    """Images of pinhole instruments."""

    kinds = tuple(KINDS)
    mix = Mix(rows=32, uses=1, others=5, known=40)

    @property
    def layout(self) -> Layout:
        """Shards of some ten seconds of work."""
        return Layout(
            stem="samples",
            content="{rows:,} samples",
            rows=128,
            per_round=1024,
            row_bytes=Q.size * 30,
            settings=self._settings,
            compressed=("directed",),
        )

    def _settings(self) -> dict[str, Any]:
        tables: list[Any] = [{k: astuple(p) for k, p in part.items()} for part in PRIORS.values()]
        tables += [SHARES, FLAT, BOXES, BOX, list(NAMES), Q.size]
        digest = digest_of(tables)
        return {"priors": digest, "q": [float(Q[0]), float(Q[-1])]}

    def inputs(self, folder: Path | str) -> dict[str, Any]:
        """What the manifest of a network says of its training data."""
        return {
            "q_range": [Q_LEAST, Q_MOST],
            "frames": FRAMES,
            "instruments": [instrument.name for instrument in INSTRUMENTS],
            "counts": list(MEASUREMENT["counts"].limits()),
        }

    def sample(self, rng: np.random.Generator) -> Sample:
        return draw_sample(rng)

    def clean(self, params: Sample) -> Row:
        return row_of(params)

    def measure(
        self,
        rows: Sequence[Row],
        rng: np.random.Generator,
        *,
        exposure: float | None = None,
        settings: int | None = None,
    ) -> tuple[list[Settings], Targets]:
        """Measure samples in one or several settings of similar counts; exposure (expected counts of an
        image) and number of settings are drawn by default.
        """
        # Adds ``counts``, ``settings``, ``covered`` (the first feature lies well within a q range) and
        # ``kind``.
        rows = [resize(row, rng) for row in rows]
        found_images, covered, directions = [], [], []
        for row in rows:
            number = settings or int(rng.choice(len(SETTINGS), p=SETTINGS)) + 1
            feature = float(row["parameters"]["feature"])
            beams = [draw_cell_beam(rng, feature) for _ in range(number)]
            sample = draw_posture(row, rng)
            if rng.random() < INTERFERING:
                sample = replace(sample, packing=loguniform(*PACKING, rng), apart=loguniform(*APART, rng))
            level = exposure or MEASUREMENT["counts"](rng)
            images = [
                count_in_cells(
                    sample.intensity(beam.geometry, fine=True), beam, draw_background(rng), rng, level
                )
                for beam in beams
            ]
            found_images.append(Settings(tuple(images)))
            covered.append(any(beam.covers(feature) for beam in beams))
            directions.append(sample.turned)
        return found_images, self.targets(rows, directions) | {
            "counts": np.array(
                [sum(float(image.counts.sum()) for image in beam.images) for beam in found_images]
            ),
            "covered": np.array(covered),
            "settings": np.array([len(beam) for beam in found_images]),
        }

    def targets(self, rows: Sequence[Row], directions: Sequence[Direction | None]) -> dict[str, Any]:
        """What is true of samples, by head, and their class as ``kind``."""
        labels = np.array([int(row["parameters"]["label"]) for row in rows])
        pairs = list(zip(rows, directions, strict=True))
        return {
            "class": labels,
            "quantities": np.stack([_quantities(*pair) for pair in pairs]),
            "xi": np.stack([_shares(*pair) for pair in pairs]),
            "kind": np.array(LABELS)[labels],
        }

    def simulate_unknown(
        self, kind: str, row: Row, rng: np.random.Generator, *, exposure: float | None = None
    ) -> Settings:
        """An image that shows no sample, of an instrument with all its pixels and the same faults."""
        beam = draw_beam(rng)
        background = Background() if kind == "empty" else draw_background(rng)
        level = exposure or MEASUREMENT["counts"](rng)
        return Settings((simulate_measurement(KINDS[kind](beam.true, rng), beam, background, rng, level),))


@dataclass(frozen=True)
class Posture:
    """A sample as it stands in the beam, the same in all settings."""

    row: Row
    turned: Direction | None = None  #: Of its particles' axes; None where every direction is alike.
    turn: float = 0.0  #: Of a Bragg glass: angle of a spot, radians.
    tilt: tuple[float, float] = (0.0, 0.0)  #: Tilt of the field over the Bragg angle.
    #: packing, apart: of bodies that keep apart: how strongly; how far, over 2π/q of the first feature.
    packing: float = 0.0
    apart: float = 1.0

    def intensity(self, geometry: SmallAngle, *, fine: bool = False) -> NDArray[np.float64]:
        """Scattering into each direction, arbitrary scale; `fine` averages spots over cells."""
        values = self.row["parameters"]
        if LABELS[int(values["label"])] == "bragg_glass":
            assert geometry.setting is not None
            bragg = float(np.degrees(np.pi / values["spacing"] / geometry.setting.k))
            tilt = bragg * self.tilt[0], bragg * self.tilt[1]
            return spots(values, geometry, self.turn, tilt, fine=fine)
        far = self.apart * 2 * np.pi / values["feature"]
        factor = interference(geometry.q, self.packing, far) if self.packing and far > 0 else 1.0
        turned = () if self.turned is None else (self.turned.averages, self.turned.director)
        return factor * pattern(self.row, geometry, *turned)


def draw_posture(row: Row, rng: np.random.Generator) -> Posture:
    """Draw how a sample stands in the beam."""
    has_axis = bool(np.any(row["directed"]))
    turned = draw_direction(rng) if has_axis and rng.random() < ORIENTED else None
    tilt = rng.normal(0, TILT, 2)
    return Posture(row, turned, float(rng.uniform(0, np.pi / 3)), (float(tilt[0]), float(tilt[1])))


def _quantities(row: Row, turned: Direction | None) -> NDArray[np.float32]:
    """Return quantities on the network's scale; NaN for those the sample lacks."""
    values = dict(row["parameters"])
    has_axis = bool(np.any(row["directed"]))
    values["p2"] = (turned.p2 if turned else 0.0) if has_axis else np.nan
    pairs = [(quantity, values.get(quantity.name, np.nan)) for quantity in QUANTITIES]
    return np.array(
        [quantity.scale_value(x) if np.isfinite(x) else np.nan for quantity, x in pairs], dtype=np.float32
    )


def _shares(row: Row, turned: Direction | None) -> NDArray[np.float32]:
    bins = _XI.bins  # type: ignore[union-attr]
    if LABELS[int(row["parameters"]["label"])] == "bragg_glass":
        return np.full(bins, np.nan, dtype=np.float32)
    return (np.full(bins, 1 / bins) if turned is None else turned.shares()).astype(np.float32)


SIMULATOR = SansSimulator()
