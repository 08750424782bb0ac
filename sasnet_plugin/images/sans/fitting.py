"""Small-angle-scattering images that have a direction: a particle and its distribution of axes, fitted.

A first fit goes by counting. Then the instrument's own values are fitted too (`FAULTS`), and residuals are
whitened by their covariance (`unevenness`): counts n of cells of N pixels about their expectation m have
V = diag(m + σ₀² m²/N) + Σ_k σ_k² (m Φ_k)(m Φ_k)ᵀ, as efficiencies scatter from pixel to pixel, and smoothly,
by bumps Φ_k.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ...data.sample.described import parse_sector
from ...digits import NORMAL_90, format_with_error, join_names, significant
from ...domains import Finding, ReadOptions
from ...fitting.settings import ASSESSMENT, EVIDENCE, OPTIMIZE
from ...predict import Answer
from ...predict.classes import ClassesFinding
from ...predict.findings import DistributionFinding, QuantitiesFinding, Value
from ...predict.predictor import open_predictor
from ...types import Curve, DataError, Image
from .particles import BODIES, EXTENTS, RADIUS, SETTINGS, particle_of
from .prediction import NO_BODY, OrientationFinding, most_counted
from .reading import SmallAngle, read
from .rings import (
    N_RINGS,
    N_SECTORS,
    RINGS,
    anisotropy,
    average_sectors,
    border,
    cells,
    harmonics,
    images_of,
    polar,
)
from .simulation import (
    DEGREES,
    LN_Q,
    Q,
    compute_legendre,
    expand_in_harmonics,
    maier_saupe,
    pattern,
    strength_of,
)
from .specification import SANS2D

if TYPE_CHECKING:
    from matplotlib.axes import Axes


#: What an instrument does to all counts and only the image tells, with prior standard deviations about none:
#: the beam off its stated place, pixels; the share of counts that the brightest cell loses by dead time, and
#: that the outermost pixels lack, over each length of `cells.RIM`.
FAULTS = {"centre_x": 0.5, "centre_y": 0.5, "lost": 0.2, "rim_0": 0.3, "rim_1": 0.3}
#: The same with the variance of wavelengths over that of `OrientedSettings.selector`, if a file says nothing.
PRIORS = FAULTS | {"wavelengths": 1.0}


# --- Where fits of oriented bodies start: shapes, sizes and order, screened by profile and second
# --- harmonic.

#: Order parameters, and the number of sizes that a form factor is moved to.
P2S = (-0.3, -0.15, 0.15, 0.3, 0.5, 0.7, 0.88)
_RADII = 60
#: Relative error of a ring of a start at least: neither resolution nor the spread of radii are right yet.
_FLOOR = 0.05


@dataclass(frozen=True)
class Start:
    distance: float
    body: str
    values: dict[str, float]


def _lie_of(values: Mapping[str, float]) -> tuple[float, bool]:
    """Director, and whether axes lie along it."""
    return values["director"], values["p2"] > 0


@lru_cache(maxsize=256)
def _table(body: str, shape: tuple[tuple[str, float], ...]) -> Floats:
    """Legendre coefficients of a shape of size `RADIUS` on each or each second of `Q`, (n, len(DEGREES))."""
    particle = particle_of(body)
    pars = particle.parameters(dict(shape), "schulz", few=True)
    return compute_legendre(body, pars, Q[:: particle.stride], SETTINGS.few_turns)


def _distance(start: Start) -> float:
    return start.distance


@dataclass(frozen=True)
class _Screen:
    """Rings and second harmonics of an image, and the starts of shapes by their distance from these."""

    # A ring's mean and second harmonic about the director are Σ ⟨P_l⟩ F_l(q) c_lm, m = 0 and 2
    # (`orientation.expand_in_harmonics`). Both directions that the harmonic allows are tried.
    ln_q: Floats
    rate: Floats
    error: Floats
    waves: dict[float, Floats]  #: Second harmonic about each direction, degrees.
    noise: Floats
    fixed: Mapping[str, float]

    def _list_starts(self, body: str, shape: Mapping[str, float]) -> Iterator[Start]:
        particle, radii = particle_of(body), np.geomspace(*SETTINGS.limits["radius"], _RADII)
        table, nodes = _table(body, tuple(shape.items())), LN_Q[:: particle.stride]
        log_positions = self.ln_q[None] + np.log(radii / RADIUS)[:, None]
        for p2 in P2S:
            of_l = maier_saupe(strength_of(p2)) * expand_in_harmonics().T
            rings, second = table @ of_l[0], table @ of_l[1]
            mean = np.exp(np.interp(log_positions, nodes, np.log(np.maximum(rings, 1e-300))))
            wave = np.interp(log_positions, nodes, second / np.maximum(rings, 1e-300))
            profile, share = _profiles(mean, self.rate, self.error)
            for turn, target_wave in self.waves.items():
                apart = profile + (((share * wave - target_wave) / self.noise) ** 2).sum(axis=1)
                place = int(np.argmin(apart))
                values = particle.enlarge(shape, float(radii[place]) / RADIUS)
                turned = {"p2": p2, "director": turn % 180}
                yield Start(float(apart[place]), body, {**values, **turned, **self.fixed})

    def find_nearest(self, body: str, shape: Mapping[str, float]) -> list[Start]:
        """The nearest start; of particles that few shapes do not cover, that of each lie."""
        starts = sorted(self._list_starts(body, shape), key=_distance)
        if particle_of(body).is_round:
            return starts[:1]
        return list({_lie_of(start.values): start for start in starts[::-1]}.values())

    def climb(self, start: Start) -> Start:
        """Change a shape at random where that brings it nearer."""
        particle, rng, lie = particle_of(start.body), np.random.default_rng(0), _lie_of(start.values)
        for _ in range(particle.rounds):
            for shape in particle.list_changed(start.values, rng):
                near = [s for s in self.find_nearest(start.body, shape) if _lie_of(s.values) == lie]
                start = min((start, *near), key=_distance)
        return start


def screen_starts(
    image: Image, bodies: Sequence[str], guess: dict[str, float], fixed: Mapping[str, float] = {}
) -> list[Start]:
    """Return starts of each body, nearest first and of different shapes; `guess` as in `fit_oriented`."""
    screen = _screen_of(image, guess, fixed)
    starts = [
        start
        for body in bodies
        for shape in particle_of(body).list_shapes(fixed)
        for start in screen.find_nearest(body, shape)
    ]
    starts.sort(key=_distance)
    kept = [screen.climb(start) for body in bodies for start in _select_starts(body, starts)]
    return sorted(kept, key=_distance)


def _select_starts(body: str, starts: Sequence[Start]) -> list[Start]:
    """Starts of a body; of others than cylinders and ellipsoids the first of each lie."""
    of_body = _select_body(body, starts)
    if particle_of(body).is_round:
        return of_body
    lies: dict[Any, list[Start]] = {}
    for start in of_body:
        lies.setdefault(_lie_of(start.values), []).append(start)
    return [start for alike in lies.values() for start in alike[: SETTINGS.of_lie]]


def _screen_of(image: Image, guess: dict[str, float], fixed: Mapping[str, float]) -> _Screen:
    polar_image = polar(image)
    has_counts = (polar_image.counts.sum(axis=1) > 5) & (polar_image.exposure.sum(axis=1) > 0)
    rate = (polar_image.rate * polar_image.scale)[has_counts]
    error = rate * np.hypot(1 / np.sqrt(polar_image.counts.sum(axis=1)[has_counts]), _FLOOR)
    relative, spread = harmonics(polar_image)
    axis = anisotropy([polar_image]).axis
    turns = [axis, axis + 90]
    # The network knows which of the two; it goes first, and both are tried.
    turns.sort(key=lambda turn: abs(np.mod(turn - guess.get("director", turn) + 90, 180) - 90))
    waves = {
        t: np.real((relative[has_counts, 0] + 1j * relative[has_counts, 1]) * np.exp(-2j * np.radians(t)))
        for t in turns
    }
    noise = np.hypot(spread[has_counts, 0], _FLOOR)
    return _Screen(np.log(RINGS[has_counts]), rate, error, waves, noise, fixed)


def _profiles(mean: Floats, rate: Floats, error: Floats) -> tuple[Floats, Floats]:
    """χ² of profiles (n, rings) with the best scale and flat background, and the share that is not flat."""
    w = 1 / error**2
    size = mean.max(axis=1, keepdims=True)
    scale_alone = mean / size
    a, b, c = (w * scale_alone**2).sum(axis=1), (w * scale_alone).sum(axis=1), w.sum()
    d, e = (w * scale_alone * rate).sum(axis=1), (w * rate).sum()
    det = np.maximum(a * c - b**2, 1e-12 * a * c)
    scale, flat = (d * c - b * e) / det, (a * e - b * d) / det
    is_single = (flat < 0) | (scale < 0)
    scale = np.where(is_single, d / a, scale)[:, None]
    flat = np.where(is_single, 0.0, flat)[:, None]
    fitted = scale * scale_alone + flat
    return (w * (fitted - rate) ** 2).sum(axis=1), scale * scale_alone / np.maximum(fitted, 1e-300)


# --- Detectors that count unevenly: how residuals of an image are correlated, from the image
# --- itself.

#: Distance of the bumps of an efficiency field, over the detector's side: coarse and fine.
LENGTHS = (0.3, 0.1)
#: Sizes of relative efficiency: between which the likelihood is searched; what is usual of detectors, and by
#: what factor one standard deviation away, which says that without proof none counts quite evenly.
SIZES, USUAL, FACTOR = (1e-3, 0.5), 0.015, 3.0


def bumps_at(x: Floats, y: Floats, length: float) -> Floats:
    """Evaluate Gaussian bumps whose random sum is a smooth field, (n, bumps); `length` in wider sides."""
    # Independent weights give a Gaussian field with correlation exp(-r²/4s²) (Higdon, Environ. Ecol. Stat. 5
    # (1998) 173). Rows are scaled to variance one.
    step = length * max(np.ptp(x), np.ptp(y))
    places = [np.arange(a.min() - step / 2, a.max() + step, step) for a in (x, y)]
    bumps = np.exp(
        -0.5 * ((x[:, None, None] - places[0][:, None]) ** 2 + (y[:, None, None] - places[1]) ** 2) / step**2
    ).reshape(x.size, -1)
    return np.asarray(bumps / np.sqrt((bumps**2).sum(axis=1, keepdims=True)))


@dataclass(frozen=True)
class Whitening:
    """V to the power of -1/2, applied without a matrix of all cells."""

    root: Floats  #: (n,), 1 over the standard deviation of each cell on its own.
    axes: Floats  #: (n, K), orthonormal directions in which residuals, so scaled, vary together.
    shrink: Floats  #: (K,), what is left of them: (1 + variance)^-1/2.

    def apply(self, values: Floats) -> Floats:
        scaled = (values.T * self.root).T
        along = self.axes.T @ scaled
        return np.asarray(scaled + self.axes @ ((self.shrink - 1) * along.T).T)

    @property
    def log_determinant(self) -> float:
        return float(-2 * np.log(self.root).sum() - 2 * np.log(self.shrink).sum())


def whitening(variance: Floats, together: Floats) -> Whitening:
    """Return the whitening of V = diag(variance) + together · togetherᵀ, of (n,) and (n, K)."""
    root = 1 / np.sqrt(variance)
    columns = together * root[:, None]
    values, turns = np.linalg.eigh(columns.T @ columns)
    is_large = values > 1e-9 * max(float(values[-1]), 1e-300)
    axes = columns @ (turns[:, is_large] / np.sqrt(values[is_large]))
    return Whitening(root, axes, 1 / np.sqrt(1 + values[is_large]))


@dataclass(frozen=True)
class Unevenness:
    pixels: float  #: Scatter of the efficiency of pixels, relative.
    areas: Floats  #: (len(LENGTHS),), of smooth fields.


def covariance(expected: Floats, pixels: Floats, fields: list[Floats], size: Unevenness) -> Whitening:
    """Return the covariance of counts of cells (n,), of `pixels` each, and `fields` of `bumps_at`."""
    variance = np.maximum(expected, 0.3) + (size.pixels * expected) ** 2 / pixels
    smooth = [a * expected[:, None] * field for a, field in zip(size.areas, fields, strict=True)]
    return whitening(variance, np.concatenate(smooth, axis=1))


def unevenness(
    residuals: Floats,
    jacobian: Floats,
    expected: Floats,
    pixels: Floats,
    fields: list[Floats],
) -> Unevenness:
    """Estimate sizes of efficiency fields by restricted likelihood; `jacobian` (n, p) of expected counts."""
    # -2 ln L = ln|V| + ln|XᵀV⁻¹X| + rᵀPr, P = V⁻¹ - V⁻¹X(XᵀV⁻¹X)⁻¹XᵀV⁻¹ (Patterson & Thompson, Biometrika 58
    # (1971) 545) restores the share of residuals taken by fitted values.
    from scipy.optimize import minimize

    jacobian = jacobian / np.maximum(np.linalg.norm(jacobian, axis=0), 1e-300)
    low, high = np.log(SIZES)

    def compute_loss(point: Floats) -> float:
        sizes = np.exp(np.clip(point, low, high))
        whitener = covariance(expected, pixels, fields, Unevenness(sizes[0], sizes[1:]))
        whole = whitener.apply(np.column_stack([jacobian, residuals]))
        triangle = np.abs(np.diag(np.linalg.qr(whole, mode="r")))
        out = float(np.sum((point - np.clip(point, low, high)) ** 2))
        bent = 2 * np.log(np.maximum(triangle[:-1], 1e-12)).sum()
        unusual = float(np.sum(((point - np.log(USUAL)) / np.log(FACTOR)) ** 2))
        return float(whitener.log_determinant + bent + triangle[-1] ** 2 + 10 * out + unusual)

    first = np.full(1 + len(fields), np.log(USUAL))
    simplex = np.vstack([first, first + 1.2 * np.eye(first.size)])
    optimum = minimize(
        compute_loss, first, method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 0.1, "fatol": 0.1, "maxfev": 80},
    )  # fmt: skip
    sizes = np.exp(np.clip(optimum.x, low, high))
    return Unevenness(float(sizes[0]), sizes[1:])


# --- An image in rings and sectors as a fit sees it, and the counts that amplitudes expect in them.

#: Pixels over which a detector's rim may count less; a sum of both is near any between.
RIM = (1.5, 4.0)


@dataclass(frozen=True)
class Cells:
    """An image in rings and sectors."""

    geometry: SmallAngle  #: (1, n): the mean q of each cell's pixels, and what they see.
    counts: Floats  #: (n,), of reduced data as many as have their relative error.
    scale: Floats  #: (n,), intensity that one count over one of exposure stands for.
    where: NDArray[np.intp]  #: (n,), ring · N_SECTORS + sector.
    pixels: Floats  #: (n,), how many lie in each.
    #: (n, len(RIM)), mean of exp(-x/`RIM`) over each cell's pixels, x their distance from the image's border,
    #: pixels.
    rim: Floats
    blunted: Floats  #: (n, len(DEGREES)), length of the mean of exp(imψ) over each cell's pixels.
    sharp: bool  #: Whether the file says how sharp q is.

    @property
    def exposure(self) -> Floats:
        """(n,) what each cell sees."""
        return np.asarray(self.geometry.weight[0])

    @cached_property
    def pitch(self) -> float:
        """Distance of pixels, Å⁻¹, on average: the root of their area."""
        area = np.ptp(self.geometry.qx) * np.ptp(self.geometry.qy)
        return float(np.sqrt(area / self.pixels.sum()))

    def exclude(self, selection: NDArray[np.bool_]) -> Cells:
        arrays = {name: getattr(self.geometry, name) for name in ("qx", "qy", "weight", "along", "across")}
        geometry = {name: values[:, ~selection] for name, values in arrays.items() if values is not None}
        names = ("counts", "scale", "where", "pixels", "rim", "blunted")
        columns: dict[str, Any] = {name: getattr(self, name)[~selection] for name in names}
        return replace(self, geometry=replace(self.geometry, **geometry), **columns)

    def blur(self, by: float, wavelengths: float = 1.0) -> Cells:
        """These with slits that blur by so many pixels, and a variance of wavelengths over a selector's."""
        q, slits = self.geometry.q, np.full(self.geometry.shape, by * self.pitch)
        along = np.hypot(slits, SETTINGS.selector * np.sqrt(wavelengths) * q)
        return replace(self, geometry=replace(self.geometry, along=along, across=slits))

    def move_beam(self, centre: tuple[float, float], share_kept: Floats) -> Cells:
        """Return cells for a beam centre off by `centre` pixels, with the share `share_kept` of counts."""
        old, (x, y) = self.geometry, centre
        moved = replace(
            old, qx=old.qx - x * self.pitch, qy=old.qy - y * self.pitch, weight=old.weight * share_kept
        )
        return replace(self, geometry=moved)

    def terms(self, intensity: Floats) -> Floats:
        """(n, 2 + powers) counts at amplitudes of one: of the body, flat, and of slits and windows."""
        # What slits and windows scatter falls as q⁻² to q⁻⁴, alike all around.
        flat = 1 / self.scale
        slits = [flat * self.geometry.q[0] ** -power for power in SETTINGS.powers]
        return np.asarray(np.stack([intensity, flat, *slits], axis=1) * self.exposure[:, None])

    def amplitudes(self, basis: Floats, whitening: Whitening | None = None) -> tuple[Floats, Floats]:
        """Amplitudes of `terms` that fit best, and the counts expected then."""
        # Weighted least squares with none below zero, thrice with the variances of the counts expected; or
        # once with residuals that are whitened.
        from scipy.optimize import nnls

        size = np.maximum(basis.sum(axis=0), 1e-300)
        basis = basis / size
        if whitening is not None:
            amplitudes = nnls(whitening.apply(basis), whitening.apply(self.counts))[0]
            return amplitudes / size, np.maximum(basis @ amplitudes, 1e-9)
        variance = np.maximum(self.counts, 1.0)
        for _ in range(3):
            root = 1 / np.sqrt(variance)
            amplitudes = nnls(basis * root[:, None], self.counts * root)[0]
            expected = basis @ amplitudes
            variance = np.maximum(expected, 0.3)
        return amplitudes / size, np.maximum(expected, 1e-9)


def cells_of(image: Image) -> Cells:
    """Sort an image into rings and sectors. Raises DataError if too few hold counts."""
    polar_image = polar(image)
    geometry: SmallAngle = image.geometry
    used, cell = cells(geometry, image.mask)
    size = N_RINGS * N_SECTORS
    number = np.bincount(cell, minlength=size)
    mask = np.flatnonzero((number > 0) & (polar_image.exposure.ravel() > 0))
    if mask.size < SETTINGS.fewest_cells or polar_image.counts.sum() <= 0:
        raise DataError(f"{image.file}: too little of the image holds counts to fit it; check its mask.")

    def mean(values: Floats) -> Floats:
        return (np.bincount(cell, values.ravel()[used], size)[mask] / number[mask])[None]

    spread = geometry.spread()
    stated = spread if geometry.setting is None else None
    along, across = map(mean, stated) if stated else (None, None)
    # Both of one scale: an intensity over counts and exposure of one ring.
    scale = np.repeat(polar_image.scale, N_SECTORS)[mask]
    small = SmallAngle(
        mean(geometry.qx), mean(geometry.qy), polar_image.exposure.ravel()[mask][None], along, across,
        setting=geometry.setting,
    )  # fmt: skip
    inwards = border(geometry.shape) + 0.5
    rim = np.concatenate([mean(np.exp(-inwards / length)) for length in RIM]).T
    angle = np.arctan2(geometry.qy, geometry.qx)
    blunted = np.concatenate([np.hypot(mean(np.cos(m * angle)), mean(np.sin(m * angle))) for m in DEGREES]).T
    counts = np.maximum(polar_image.counts.ravel()[mask], 0.0)
    scale = np.ones_like(scale) if geometry.error is None else scale
    pixels = number[mask].astype(np.float64)
    return Cells(small, counts, scale, mask, pixels, rim, blunted, sharp=spread is not None)


def find_shadowed(cells: Cells, expected: Floats) -> NDArray[np.bool_]:
    """Find cells (n,) in the beamstop's shadow beyond its mask, from expected counts of a first fit."""
    # The mask is of the stated centre, and the stop has a penumbra: within some pixels of the innermost
    # visible ones, a cell that lacks half its counts beyond chance is dark.
    q = cells.geometry.q[0]
    near = q < q.min() + SETTINGS.penumbra * cells.pitch
    lacking = expected - cells.counts
    return np.asarray(near & (lacking > 0.5 * expected) & (lacking > 4 * np.sqrt(expected)))


# --- An image with a direction as a problem for bumps: a body, and how its axes lie about a
# --- director.

#: Distributions of radii; a mean of one is not that of another.
DISTRIBUTIONS = ("schulz", "gaussian", "lognormal")
ORIENTATION = ("p2", "director")
_FAULT_LIMITS = {
    "centre_x": (-2.0, 2.0),
    "centre_y": (-2.0, 2.0),
    "lost": (0.0, 0.97),
    "rim_0": (0.0, 0.9),
    "rim_1": (0.0, 0.9),
}
#: Of an instrument whose file says nothing of its resolution, pixels.
_BLUR = {"blur": (0.1, 10.0), "wavelengths": (0.0, 9.0)}
_DEFAULTS = {"blur": SETTINGS.penumbra, "wavelengths": 1.0}


@dataclass
class OrientedImage:
    """The problem: what bumps asks of one (its protocol `Fitness`)."""

    cells: Cells
    body: str
    start: dict[str, float]  #: Of `particle_of`, ``p2``, and ``director`` in degrees.
    distribution: str = "schulz"  #: Of radii, one of `DISTRIBUTIONS`.
    #: Of residuals of a detector that counts unevenly; default: by counting alone.
    whitening: Whitening | None = None
    #: (n,), `brightness` of each cell: with it, the instrument's `FAULTS` are fitted too.
    bright: Floats | None = None
    fixed: Mapping[str, float] = field(default_factory=dict)  #: As a user gave them.
    few: bool = False  #: Few points of size distributions, on the way to a minimum.

    @cached_property
    def sample_limits(self) -> dict[str, tuple[float, float]]:
        director = self.start["director"]
        ranges = particle_of(self.body).limits(self.start)
        ranges |= {"p2": SETTINGS.limits["p2"], "director": (director - 90, director + 90)}
        return {name: span for name, span in ranges.items() if name not in self.fixed}

    @cached_property
    def limits(self) -> dict[str, tuple[float, float]]:
        faults = {} if self.bright is None else _FAULT_LIMITS
        return self.sample_limits | faults | ({} if self.cells.sharp else _BLUR)

    @cached_property
    def constants(self) -> dict[str, float]:
        names = {*particle_of(self.body).names, *ORIENTATION} - self.sample_limits.keys()
        return {name: value for name, value in self.start.items() if name in names}

    def list_at_limit(self) -> tuple[str, ...]:
        """Parameters that stand at an end of their range, but for the spread of radii being none."""
        names = []
        for name, (low, high) in self.sample_limits.items():
            close = 0.01 * (high - low)
            value = self.values()[name]
            if value > high - close or (value < low + 1e-3 * close and not name.endswith("_pd")):
                names.append(name)
        return tuple(names)

    @cached_property
    def pars(self) -> dict[str, Any]:
        from bumps.parameter import Parameter

        return {
            name: Parameter(
                value=float(np.clip(self.start.get(name, _DEFAULTS.get(name, 0.0)), *span)), name=name
            ).range(*span)
            for name, span in self.limits.items()
        }

    def parameters(self) -> dict[str, Any]:
        return self.pars

    def values(self) -> dict[str, float]:
        fitted = {name: float(parameter.value) for name, parameter in self.pars.items()}
        return self.constants | fitted

    def update(self) -> None:
        """For bumps: values have changed."""

    def numpoints(self) -> int:
        return int(self.cells.counts.size)

    def compute_expected(self) -> Floats:
        return self.amplitudes()[1]

    def amplitudes(self) -> tuple[Floats, Floats]:
        return self.cells.amplitudes(self.terms(), self.whitening)

    def terms(self) -> Floats:
        values, cells = self.values(), self.cells
        if not cells.sharp:
            cells = cells.blur(values["blur"], values["wavelengths"])
        if self.bright is not None:
            # Of m neutrons a cell counts m/(1 + τm) = m (1 - τn), where the counts n are what is seen.
            rim = cells.rim @ [values["rim_0"], values["rim_1"]]
            share_kept = (1 - values["lost"] * self.bright) * np.maximum(1 - rim, 0.05)
            cells = cells.move_beam((values["centre_x"], values["centre_y"]), share_kept)
        averages = maier_saupe(strength_of(values["p2"]))
        row = row_at(self.body, values, self.cells.geometry, self.distribution, few=self.few)
        found_pattern = pattern(row, cells.geometry, averages, np.radians(values["director"]), cells.blunted)[
            0
        ]
        return cells.terms(found_pattern / cells.scale)

    def residuals(self) -> Floats:
        """Signed roots of the Poisson deviance, whose squares add up to it, or whitened residuals."""
        # Followed by the instrument's values over their prior standard deviations.
        counts, expected = self.cells.counts, self.compute_expected()
        if self.whitening is None:
            roots = deviance_roots(counts, expected)
        else:
            roots = self.whitening.apply(counts - expected)
        values = self.values()
        return np.concatenate([roots, [values[name] / PRIORS[name] for name in PRIORS if name in values]])

    def nllf(self) -> float:
        return 0.5 * float(np.sum(self.residuals() ** 2))

    def explains(self) -> bool:
        return self.chisq() <= 1 + 2 * np.sqrt(2 / self.numpoints())

    def chisq(self) -> float:
        """Deviance over degrees of freedom: cells less the values and amplitudes that are fitted."""
        amplitudes, expected = self.amplitudes()
        fitted = len(self.pars) + len(amplitudes)
        deviance = float(np.sum(deviance_roots(self.cells.counts, expected) ** 2))
        return deviance / max(self.numpoints() - fitted, 1)


def brightness(cells: Cells, expected: Floats) -> Floats:
    """Counts of a pixel in each cell over those in the brightest, (n,)."""
    expected_each = expected / cells.pixels
    return np.asarray(expected_each / expected_each.max())


def deviance_roots(counts: Floats, expected: Floats) -> Floats:
    """sign(n − m) √(2 (m − n + n ln n/m)) of counts n about m expected."""
    ratio = np.divide(counts, expected, out=np.ones_like(expected), where=counts > 0)
    terms = expected - counts + counts * np.log(ratio)
    return np.asarray(np.sign(counts - expected) * np.sqrt(2 * np.maximum(terms, 0.0)))


_kept: dict[Any, dict[str, Floats]] = {}


def row_at(
    body: str, values: dict[str, float], geometry: SmallAngle, distribution: str = "schulz",
    *, few: bool = False,
) -> dict[str, Floats]:  # fmt: skip
    """ln I and Legendre coefficients over it on `Q`, computed where the image lies and one spread beyond."""
    # The last are kept: a change of directions alone needs no new form factor.
    low, high = float(geometry.q.min()) / 2, float(geometry.q.max()) * 1.5
    span = slice(max(int(np.searchsorted(Q, low)) - 1, 0), int(np.searchsorted(Q, high)) + 2)
    particle = particle_of(body)
    sizes = tuple(values[name] for name in particle.names if name in values)
    key = (body, *sizes, distribution, few, span.start, span.stop)
    if key not in _kept:
        legendre = compute_legendre(body, particle.parameters(values, distribution, few=few), Q[span])
        whole = np.pad(legendre, ((span.start, Q.size - span.start - len(legendre)), (0, 0)), mode="edge")
        while len(_kept) >= 8:
            _kept.pop(next(iter(_kept)))
        mean = np.maximum(whole[:, :1], 1e-300)
        _kept[key] = {"log_intensity": np.log(mean[:, 0]), "directed": whole[:, 1:] / mean}
    assert _kept[key]["directed"].shape[1] == len(DEGREES) - 1
    return _kept[key]


# --- Oriented images fitted by generalised least squares: an uneven detector in the likelihood.

#: Over what parameters are moved for derivatives, in their unit; others by a share of their value.
_STEPS = {"p2": 0.01, "director": 0.5, "wavelengths": 0.5, **dict.fromkeys(FAULTS, 0.1)}
_RELATIVE = 0.01


@dataclass(frozen=True)
class Linear:
    #: residuals, expected: (n,), counts about expected ones, and these.
    residuals: Floats
    expected: Floats
    names: tuple[str, ...]  #: Of the problem's parameters.
    jacobian: Floats  #: (n, p), of expected counts, by these, and by amplitudes.
    precision: Floats  #: (p,), 1 over the prior variance of each, 0 where there is none.

    def errors(self, white: Whitening) -> dict[str, float]:
        """Standard deviations by (XᵀV⁻¹X + prior)⁻¹, amplitudes free, and a covariance of radius, aspect."""
        whitened = white.apply(self.jacobian)
        matrix = whitened.T @ whitened + np.diag(self.precision)
        size = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
        inverse = np.linalg.pinv(matrix / np.outer(size, size), rcond=1e-10, hermitian=True)
        deviations = np.sqrt(np.diag(inverse)) / size
        errors = dict(zip(self.names, map(float, deviations), strict=False))
        if not {"radius", "aspect"} <= errors.keys():
            return errors
        radius, aspect = (self.names.index(name) for name in ("radius", "aspect"))
        return errors | {"covariance": float(inverse[radius, aspect]) / size[radius] / size[aspect]}


def _compute_slope(problem: OrientedImage, name: str, amplitudes: Floats) -> Floats:
    parameter = problem.pars[name]
    point, (low, high) = parameter.value, problem.limits[name]
    relative = 1.0 if name.endswith("_pd") else abs(point) or 1.0
    step = _STEPS.get(name, _RELATIVE * relative)
    ends = []
    for value in (max(point - step / 2, low), min(point + step / 2, high)):
        parameter.value = value
        ends.append((value, problem.terms() @ amplitudes))
    parameter.value = point
    return np.asarray((ends[1][1] - ends[0][1]) / (ends[1][0] - ends[0][0]))


def linear(problem: OrientedImage) -> Linear:
    """Derivatives of expected counts where a problem stands; it is left as it was."""
    amplitudes, expected = problem.amplitudes()
    columns = [_compute_slope(problem, name, amplitudes) for name in problem.pars]
    terms = problem.terms()
    prior = [1 / PRIORS[name] ** 2 if name in PRIORS else 0.0 for name in problem.pars]
    return Linear(
        problem.cells.counts - expected,
        expected,
        tuple(problem.pars),
        np.column_stack([*columns, terms]),
        np.array([*prior, *[0.0] * terms.shape[1]]),
    )


def refit_generalised(
    problem: OrientedImage, run: Callable[[OrientedImage], object]
) -> tuple[OrientedImage, dict[str, float], Unevenness]:
    """Refit a problem with whitened residuals; also return standard deviations of its parameters."""
    cells = problem.cells
    problem = replace(problem, start=problem.values(), bright=brightness(cells, problem.compute_expected()))
    run(problem)
    x, y = cells.geometry.qx[0], cells.geometry.qy[0]
    fields = [bumps_at(x, y, length) for length in LENGTHS]
    for refit in range(SETTINGS.refits + 1):
        linearised = linear(problem)
        size = unevenness(
            linearised.residuals, linearised.jacobian, linearised.expected, cells.pixels, fields
        )
        white = covariance(linearised.expected, cells.pixels, fields, size)
        if refit < SETTINGS.refits:
            bright = brightness(cells, linearised.expected)
            problem = replace(problem, start=problem.values(), whitening=white, bright=bright)
            run(problem)
    errors = linearised.errors(white)
    # Whatever the misfit comes from, it is no more precise than counting scaled to the deviance.
    even = covariance(linearised.expected, cells.pixels, fields, Unevenness(0.0, np.zeros(len(fields))))
    deviance = replace(problem, start=problem.values(), whitening=None).chisq()
    return problem, scale_errors(errors, linearised.errors(even), np.sqrt(max(deviance, 1.0))), size


def scale_errors(
    errors: Mapping[str, float], counting: Mapping[str, float], factor: float
) -> dict[str, float]:
    """Raise errors to those of counting times a factor, where they are less; correlations stay."""
    ratio = {name: max(1.0, factor * counting[name] / max(error, 1e-300)) for name, error in errors.items()}
    if "covariance" in ratio:
        ratio["covariance"] = ratio["radius"] * ratio["aspect"]
    return {name: error * ratio[name] for name, error in errors.items()}


# --- What a fit of an oriented image says: values with bands, a verdict, sentences, a figure.


@dataclass(frozen=True)
class OrientedFit(Finding):
    """A fit, simulated again."""

    body: str
    values: Mapping[str, Value]  #: Of `particle_of`, extent, ``p2``, ``director``.
    cells: Cells
    expected: NDArray[np.float64]  #: (n,), counts of each cell.
    chisq: float  #: Poisson deviance over degrees of freedom.
    misfit: float  #: Root mean square of what is off beyond counting, over the mean.
    at_limit: tuple[str, ...] = ()
    #: Scale of the body, flat background, and of what slits and windows scatter as q to `SETTINGS.powers`.
    amplitudes: tuple[float, ...] = (1.0, 0.0)
    unevenness: Unevenness | None = None  #: Of the detector's efficiency.
    #: Order parameter and director, degrees, of a fit a quarter turn from this that is as good.
    other: tuple[float, float] | None = None
    distribution: str = "schulz"  #: Of radii, one of `DISTRIBUTIONS`.
    fixed: Mapping[str, float] = field(default_factory=dict)  #: Values that were not fitted.
    models: tuple[str, ...] = BODIES  #: Particles that were fitted.
    title = "Simulated again"

    def intensity(self, geometry: SmallAngle) -> NDArray[np.float64]:
        """What the fit scatters into each pixel, per solid angle of one in the beam, (rows, columns)."""
        values = {**self.fixed, **{name: value.value for name, value in self.values.items()}}
        averages = maier_saupe(strength_of(values["p2"]))
        row = row_at(self.body, values, geometry, self.distribution)
        scale, flat, *slits = self.amplitudes
        intensity = scale * pattern(row, geometry, averages, float(np.radians(values["director"]))) + flat
        for amplitude, power in zip(slits, SETTINGS.powers, strict=False):
            intensity = intensity + amplitude * np.maximum(geometry.q, 1e-9) ** -power
        return intensity

    @property
    def verified(self) -> bool:
        """Whether the image simulated again is the measured one, within counting or the detector's faults."""
        good = self.within_counting or self.misfit <= SETTINGS.misfit
        return good and not self.at_limit

    @property
    def scatter(self) -> float:
        """Standard deviation of the deviance per degree of freedom if only counting scatters."""
        return float(np.sqrt(2 / self.cells.counts.size))

    @property
    def within_counting(self) -> bool:
        """Whether the deviance is no larger than counting makes it."""
        return self.chisq <= 1 + ASSESSMENT.significant * self.scatter

    @property
    def caution(self) -> str:
        """Why a verified fit may still be of a wrong model; empty where it fits within counting."""
        if self.within_counting or not self.verified:
            return ""
        return (
            "The fit does not agree with the image within counting statistics: the Poisson deviance is"
            f" {significant(self.chisq, 3)} per degree of freedom, expected 1 ±"
            f" {significant(self.scatter, 1)}. An uneven detector may explain the remaining"
            f" {self.misfit:.1%}. If another model does, the values are off by more than their errors."
        )

    @property
    def headline(self) -> str:
        """What the image is by a fit that was verified; empty for one that was not."""
        if not self.verified:
            return ""
        texts = {name: format_with_error(v.value, v.error) for name, v in self.values.items()}
        sizes = ", ".join(f"{name.replace('_', ' ')} {texts[name]} Å" for name in self._list_sizes())
        verdict = "Verified fit" if self.within_counting else "Fit"
        return (
            f"{verdict}: {self.body}, {sizes};"
            f" ⟨P₂⟩ {texts['p2']} about {texts['director']}°, anticlockwise from the right."
        )

    def _list_sizes(self) -> list[str]:
        return [name for name, value in self.values.items() if value.unit == "Å"]

    def as_dict(self) -> dict[str, Any]:
        numbers = {
            name: {"value": float(f"{v.value:.5g}"), "error": float(f"{v.error:.2g}"), "unit": v.unit}
            for name, v in self.values.items()
        }
        verdict: dict[str, Any] = {
            "distribution": self.distribution,
            "reduced_chi2": float(f"{self.chisq:.4g}"),
            "misfit": float(f"{self.misfit:.3g}"),
        }
        if self.unevenness is not None:
            verdict["unevenness"] = {
                "pixels": float(f"{self.unevenness.pixels:.2g}"),
                "areas": [float(f"{area:.2g}") for area in self.unevenness.areas],
            }
        if self.other is not None:
            verdict["or"] = {"p2": round(self.other[0], 4), "director_deg": round(self.other[1], 2)}
        if self.fixed:
            verdict["fixed"] = dict(self.fixed)
        return {"fit": {"model": self.body, "parameters": numbers, **verdict, "verified": self.verified}}

    def rows(self) -> list[list[str]]:
        return [
            [f"fitted {self.body}", "value", "unit"],
            *([k, format_with_error(v.value, v.error), v.unit] for k, v in self.values.items()),
        ]

    def sentences(self) -> tuple[str, ...]:
        verdict = "Verified" if self.verified else "Not verified"
        if self.caution:
            verdict = "Verified only within the faults of a detector"
        other = ""
        if self.other is not None:
            other = f" An angle of {self.other[1]:.0f}° with ⟨P₂⟩ = {self.other[0]:.2f} fits as well."
        return (
            f"{verdict}: simulated again, the image has a Poisson deviance of {significant(self.chisq, 3)}"
            f" per degree of freedom over {self.cells.counts.size} cells, and is off by"
            f" {self.misfit:.1%} beyond counting.{self._describe_misfit()}{other}",
            *filter(None, [self.caution]),
        )

    def _describe_misfit(self) -> str:
        if self.at_limit:
            limited = ", ".join(self.at_limit)
            return f" {limited} is at the end of its range: a value beyond it, or another shape, is likely."
        if self.verified:
            return ""
        if self.models == BODIES:
            return (
                " Neither cylinders nor ellipsoids around a director fit this image, so something"
                " else scatters as well."
            )
        return f" {self.body} with axes around a director does not fit this image."

    def draw(self, axes: Axes) -> None:
        table = np.full(N_RINGS * N_SECTORS, np.nan)
        table[self.cells.where] = (self.cells.counts - self.expected) / np.sqrt(self.expected)
        ratio = table.reshape(N_RINGS, N_SECTORS)
        rows_shown = np.flatnonzero(np.isfinite(ratio).any(axis=1))
        artist = axes.imshow(
            ratio[rows_shown[0] : rows_shown[-1] + 1],
            origin="lower",
            aspect="auto",
            vmin=-5,
            vmax=5,
            cmap="RdBu_r",
        )
        axes.figure.colorbar(artist, ax=axes, label="standard deviations")
        axes.set(xlabel="sector of 10 degrees", ylabel="ring of q")


# --- An image with a direction fitted by bumps from the network's answer on, simulated again and
# --- compared.

_Some = TypeVar("_Some", Start, OrientedImage)
ALIKE = "The image is isotropic: 'sasnet fit' fits its azimuthal average, which is a curve."


def fit_oriented(
    image: Image,
    guess: Mapping[str, Any],
    seconds: float = 30.0,
    models: Sequence[str] = BODIES,
    fixed: Mapping[str, float] = {},
) -> OrientedFit:
    """Fit particles; `guess` has ``director`` in degrees, maybe ``body``, ``radius``, ``aspect``, ``p2``.
    After `seconds` no other start is refined. Raises DataError for too few counts.
    """
    until = time.monotonic() + seconds
    cells, starts = cells_of(image), starts_of(image, guess, models, fixed)
    problems = _follow_starts(cells, starts, until, models, fixed)
    problem = min(problems, key=OrientedImage.nllf)
    # Axes spread across a direction look much like axes along the one a quarter turn from it, and so do long
    # bodies along one and flat ones with their axes along the other.
    problem, rival = _turn_quarter(problem, problems)
    is_near = rival.nllf() < SETTINGS.hopeless * problem.nllf()
    problem = min(problem, *_distribute(problem, DISTRIBUTIONS[1:]), key=OrientedImage.nllf)
    dark = find_shadowed(cells, problem.compute_expected())
    best, errors, unevenness = refit_generalised(
        replace(problem, cells=cells.exclude(dark), start=problem.values()), run
    )
    rivals = [as_likely(best, best.body, rival.values()) if is_near else None]
    others = [name for name in DISTRIBUTIONS if name != best.distribution]
    rivals += [problem for problem in _distribute(best, others) if _is_as_likely(problem, best)]
    for body in set(models) - {best.body}:
        begin = _begin(body, problems, starts)
        if begin is not None:
            rivals.append(as_likely(best, body, begin))
    return replace(finish_fit(best, errors, unevenness, rivals), models=tuple(models))


def _turn_quarter(problem: OrientedImage, problems: Sequence[OrientedImage]) -> list[OrientedImage]:
    """A fit and the best that begins a quarter turn from it, the likelier first."""
    particle = particle_of(problem.body)
    is_round = particle.is_round
    turned = [turn(problem.values()) for turn in (turn_axes, *([flatten] if is_round else []))]
    quarters = [replace(problem, start={**values, **problem.fixed}, few=not is_round) for values in turned]
    for quarter in quarters:
        run(quarter, particle.steps)
    # Other particles may have another of their axes along the direction across, so P₂ keeps its sign.
    crossed = [] if is_round else [p for p in problems if p.body == problem.body and _is_across(problem, p)]
    best, rival = sorted([problem, *quarters, *crossed], key=OrientedImage.nllf)[:2]
    if best.few:
        best = replace(best, few=False, start=best.values())
        run(best)
    return [best, rival]


def starts_of(
    image: Image,
    guess: Mapping[str, Any],
    models: Sequence[str] = BODIES,
    fixed: Mapping[str, float] = {},
) -> list[Start]:
    """Starts of all models, the likeliest first: what the network says, and the best of a grid."""
    starts = screen_starts(image, models, dict(guess), fixed)
    body = str(guess.get("body"))
    if body in {*BODIES} & {*models} and guess.keys() >= {"radius", "aspect", "p2"}:
        values = {name: float(guess[name]) for name in ("radius", "aspect", "p2", "director")}
        nearest = _select_body(body, starts)[0]
        starts.insert(0, Start(0.0, body, {**nearest.values, **values, **fixed}))
    kept = [s for body in models for s in _select_body(body, starts)[: particle_of(body).starts]]
    return sorted(kept, key=_distance)


def _select_body(body: str, items: Sequence[_Some]) -> list[_Some]:
    return [item for item in items if item.body == body]


def _follow_starts(
    cells: Cells, starts: Sequence[Start], until: float, models: Sequence[str], fixed: Mapping[str, float]
) -> list[OrientedImage]:
    """Fits from starts, until all models were tried and one explains the image, or time is over."""
    problems: list[OrientedImage] = []
    begun = _approach([OrientedImage(cells, start.body, start.values, fixed=fixed) for start in starts])
    for problem in begun:
        run(problem)
        problems.append(problem)
        explained = any(map(OrientedImage.explains, problems))
        if (
            explained and {tried_problem.body for tried_problem in problems} == set(models)
        ) or time.monotonic() > until:
            break
    return problems + [near for near in begun[len(problems) :] if not particle_of(near.body).is_round]


def _approach(problems: Sequence[OrientedImage]) -> list[OrientedImage]:
    """Problems as they are if cheap, else those that a few steps take nearest."""
    bodies = dict.fromkeys(problem.body for problem in problems)
    if all(particle_of(body).is_round for body in bodies):
        return list(problems)
    return [near for body in bodies for near in _approach_body(_select_body(body, problems))]


def _approach_body(problems: Sequence[OrientedImage]) -> list[OrientedImage]:
    rough = list[OrientedImage]()
    firsts = {_lie_of(problem.start): problem for problem in problems[::-1]}
    rest = [problem for problem in problems if problem is not firsts[_lie_of(problem.start)]]
    for problem in (*firsts.values(), *rest):
        # Each lie is tried; then the second that explains the image is hardly a trap.
        if len(rough) < len(firsts) or sum(map(OrientedImage.explains, rough)) < 2:
            rough.append(replace(problem, few=True))
            run(rough[-1], SETTINGS.first_steps)
    rough.sort(key=OrientedImage.nllf)
    crossed = [near for near in rough if _is_across(rough[0], near)][:1]
    kept = {id(near): near for near in (*rough[: SETTINGS.of_lie], *crossed)}.values()
    return [replace(near, start=near.values(), few=False) for near in kept]


def _begin(
    body: str, problems: Sequence[OrientedImage], starts: Sequence[Start]
) -> Mapping[str, float] | None:
    """Where a fit of a body begins: at the best that there is of it, else at its first start."""
    if body_problems := _select_body(body, problems):
        return min(body_problems, key=OrientedImage.nllf).values()
    return next((start.values for start in _select_body(body, starts)), None)


def as_likely(best: OrientedImage, body: str, start: Mapping[str, float]) -> OrientedImage | None:
    """A fit from another start, or of another body, with the same detector; None where it is worse."""
    rival = replace(best, body=body, start={**best.values(), **start})
    run(rival, particle_of(body).steps)
    return rival if _is_as_likely(rival, best) else None


def _is_as_likely(rival: OrientedImage, best: OrientedImage) -> bool:
    return rival.nllf() - best.nllf() <= EVIDENCE.strong / 2 and not rival.list_at_limit()


def _distribute(problem: OrientedImage, names: Sequence[str]) -> list[OrientedImage]:
    others = [replace(problem, start=problem.values(), distribution=name) for name in names]
    for other in others:
        run(other)
    return others


def turn_axes(values: Mapping[str, float]) -> dict[str, float]:
    """Turn the axes across the direction that they lie along, or the other way round."""
    p2 = -0.25 if values["p2"] > 0 else 0.4
    return {**values, "p2": p2, "director": (values["director"] + 90) % 180}


def flatten(values: Mapping[str, float]) -> dict[str, float]:
    """A flat ellipsoid for a long one, or the other way round, its axes along the direction across."""
    aspect = values["aspect"]
    radius = values["radius"] * np.sqrt(aspect)
    return {**values, "aspect": 1 / aspect, "radius": radius, "director": (values["director"] + 90) % 180}


def run(problem: OrientedImage, steps: int = OPTIMIZE.steps) -> None:
    """Bumps' Levenberg-Marquardt from where a problem stands."""
    from bumps.fitproblem import FitProblem
    from bumps.fitters import fit

    from ...fitting.problem.experiment import silent

    whole = FitProblem(problem)
    with silent():
        fit_result = fit(whole, method="lm", steps=steps, ftol=1e-5, xtol=1e-4)
    whole.setp(fit_result.x)


def finish_fit(
    problem: OrientedImage,
    errors: Mapping[str, float],
    unevenness: Unevenness,
    rivals: Sequence[OrientedImage | None],
) -> OrientedFit:
    """Make the result of a fitted problem; `errors` are standard deviations."""
    # Bands also cover equally likely `rivals`: the first, a quarter turn away, for P₂, and for sizes of
    # particles that are not round; one of about the same director for all bands both have.
    # Simulated again with amplitudes by counting: whitened ones leave to the detector what may be its own.
    counted = replace(problem, start=problem.values(), whitening=None)
    amplitudes, expected = counted.amplitudes()
    counts = problem.cells.counts
    beyond = float(np.sum((counts - expected) ** 2 - expected))
    errors = {**errors, **_extent_error(problem, errors)}
    sizes = [name for name in problem.sample_limits if name not in ORIENTATION]
    names = (*sizes, *ORIENTATION, *EXTENTS.get(problem.body, ())[:1])
    values = {name: _value(name, problem, errors.get(name, 0.0), rivals) for name in names}
    turn = rivals[0] if rivals and _is_across(problem, rivals[0]) else None
    misfit = float(np.sqrt(max(beyond, 0.0) / np.sum(expected**2)))
    return OrientedFit(
        problem.body,
        values,
        problem.cells,
        expected,
        counted.chisq(),
        misfit,
        problem.list_at_limit(),
        tuple(map(float, amplitudes)),
        unevenness,
        None if turn is None else (turn.values()["p2"], turn.values()["director"] % 180),
        problem.distribution,
        {name: value for name, value in problem.constants.items() if name not in ORIENTATION},
    )


def _extent_error(problem: OrientedImage, errors: Mapping[str, float]) -> dict[str, float]:
    if problem.body not in EXTENTS:
        return {}
    name, factor = EXTENTS[problem.body]
    radius, aspect = factor * problem.values()["radius"], problem.values()["aspect"]
    variance = (aspect * factor * errors.get("radius", 0.0)) ** 2 + (radius * errors.get("aspect", 0.0)) ** 2
    variance += 2 * radius * aspect * factor * errors.get("covariance", 0.0)
    return {name: float(np.sqrt(max(variance, 0.0)))}


def _is_across(problem: OrientedImage, rival: OrientedImage | None) -> bool:
    """Whether a rival's director is nearer to the one across a fit's than to it."""
    if rival is None:
        return False
    apart = rival.values()["director"] - problem.values()["director"]
    return abs((apart + 90) % 180 - 90) > 45


def _measure(name: str, problem: OrientedImage) -> float:
    values = problem.values()
    return values[name] if name in values else EXTENTS[problem.body][1] * values["radius"] * values["aspect"]


def _value(name: str, problem: OrientedImage, error: float, rivals: Sequence[OrientedImage | None]) -> Value:
    """A value with a band that holds those of rivals that have it in common with this fit."""
    value = _measure(name, problem)
    low, high, half = 0.0, 0.0, NORMAL_90 * error
    particle = particle_of(problem.body)
    holds_turned = name == "p2" or (name != "director" and not particle.is_round)
    alike = filter(None, rivals if holds_turned else rivals[1:])
    for rival in alike if name in ("p2", "director") else _select_body(problem.body, list(alike)):
        apart = _measure(name, rival) - value
        if name == "director":
            apart = (apart + 90) % 180 - 90
        # Of two that are as likely, the variance about the one that is given.
        error = float(np.hypot(error, apart / np.sqrt(2)))
        low, high = min(low, apart), max(high, apart)
    if name == "director":
        value %= 180
    unit = "degrees" if name == "director" else particle.units.get(name, "")
    return Value(value, error, value + low - half, value + high + half, unit)


def refine_answer(
    measurement: Any,
    answer: Answer,
    seconds: float = 30.0,
    report: Callable[[str], None] | None = None,
    models: Sequence[str] | None = None,
    fixed: Mapping[str, float] = {},
) -> Answer:
    """Replace the classifier's orientation by a fit, of the image with the most counts if there are several
    settings; an isotropic answer stays. Raises DataError for `models` without orientation, and for an image
    without an answer.
    """
    image = most_counted(images_of(measurement))
    assert image is not None
    chosen = tuple(models or BODIES)
    _check_models(chosen, fixed)
    around = anisotropy([polar(image)])
    classes = answer.finding(ClassesFinding)
    if classes is not None and not classes.classes:
        raise DataError(f"{image.file}: {answer.notes[-1]}")
    classes = classes if chosen == BODIES else None
    if why := _nothing_to_fit(around.has_direction, classes):
        return replace(answer, notes=(*answer.notes, why))
    if report is not None:
        report("bodies with axes about a director are fitted")
    guess = {"director": around.axis, **_guess(answer)}
    oriented = fit_oriented(image, guess, seconds, chosen, fixed)
    other_findings = (
        _update_finding(finding, oriented)
        for finding in answer.findings
        if not isinstance(finding, DistributionFinding)
    )
    return replace(answer, findings=(*other_findings, oriented), keys=(*answer.keys, "fit"))


def _check_models(models: Sequence[str], fixed: Mapping[str, float]) -> None:
    known = {name for model in models for name in (*particle_of(model).names, *ORIENTATION)}
    if unknown := [name for name in fixed if name not in known]:
        raise DataError(f"{unknown[0]}: is no parameter of this fit; it has {join_names(sorted(known))}.")


def why_not_fitted(measurement: Any, answer: Answer) -> str:
    """Why no fit of an image can explain it, a sentence; empty where one may."""
    image = most_counted(images_of(measurement))
    if image is None:
        return "None of these settings has an image with counts to fit."
    orientation = answer.finding(OrientationFinding)
    if orientation is not None and orientation.no_body:
        return NO_BODY
    if not answer.known:
        return "The network does not know images like this one."
    return _nothing_to_fit(anisotropy([polar(image)]).has_direction, answer.finding(ClassesFinding))


def _nothing_to_fit(directed: bool, classes: ClassesFinding | None) -> str:
    if not directed:
        return ALIKE
    lattice = classes is not None and classes.classes[0].name == "bragg_glass"
    return "Spots of a lattice have no form factor to be fitted." if lattice else ""


def _update_finding(finding: Any, oriented_fit: OrientedFit) -> Any:
    if not isinstance(finding, OrientationFinding):
        return finding
    return replace(
        finding,
        p2=oriented_fit.values["p2"],
        director=oriented_fit.values["director"],
        other=oriented_fit.other,
    )


def _guess(answer: Answer) -> dict[str, Any]:
    guess = _guess_orientation(answer.finding(OrientationFinding))
    classes, quantities = answer.finding(ClassesFinding), answer.finding(QuantitiesFinding)
    if classes is not None:
        guess["body"] = next(
            (class_found.name for class_found in classes.classes if class_found.name in BODIES), ""
        )
    if quantities is not None:
        present_values = quantities.present_values
        guess |= {name: present_values[name].value for name in present_values.keys() & {"radius", "aspect"}}
    return guess


def _guess_orientation(oriented: OrientationFinding | None) -> dict[str, Any]:
    if oriented is None:
        return {}
    values = {"director": oriented.director, "p2": oriented.p2}
    return {name: value.value for name, value in values.items() if value is not None}


# --- Images in Python.


def fit_image(
    path: str | Path, *, models: Sequence[str] | None = None, fixed: Mapping[str, float] = {},
    entry: str | None = None, geometry: Iterable[str] = (), time_limit: float = 90.0,
) -> OrientedFit:  # fmt: skip
    """Fit particles with a distribution of axes to an image, raw or reduced.

    Parameters
    ----------
    models : sequence of str, optional
        Oriented models of sasmodels; default: cylinders and ellipsoids.
    fixed : mapping of str to float
        Values that are not fitted.
    path, entry : str or Path, and str
        File, and which image of a file of several.
    geometry : iterable of str
        ``"distance=4000"``: what the file does not give, or gives wrongly.
    time_limit : float
        Seconds, after which no other starting values are refined.
    """
    image = _read_image(path, entry, geometry)
    (answer,) = open_predictor(SANS2D.name).answers([image])
    answer = refine_answer(image, answer, time_limit, None, models, fixed)
    for finding in answer.findings:
        if isinstance(finding, OrientedFit):
            return finding
    raise DataError(f"{path}: {answer.notes[-1]}")


def cut_sectors(
    path: str | Path,
    sectors: Iterable[tuple[float, float]] | None = None,
    *,
    entry: str | None = None,
    geometry: Iterable[str] = (),
) -> list[Curve]:
    """Average an image over sectors, for `fit_together`.

    Parameters
    ----------
    sectors : iterable of (float, float), optional
        Azimuth and half-width of each in degrees; default: six, the first along the direction of the image.
    path, entry, geometry
        As of `fit_image`.
    """
    wanted = None if sectors is None else [parse_sector(pair, str(path)) for pair in sectors]
    return average_sectors(_read_image(path, entry, geometry), wanted)


def _read_image(path: str | Path, entry: str | None, geometry: Iterable[str]) -> Image:
    images = list(read(path, ReadOptions(entry=entry, geometry=tuple(geometry))))
    if len(images) != 1:
        raise DataError(f"{path}: holds {len(images)} images; name one by entry.")
    return images[0]
