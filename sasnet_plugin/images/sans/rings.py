"""An image seen in rings about the beam: profile, angular harmonics, its average, and what a network
reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ...domains.heads import FRAME_MASK
from ...types import Curve, DataError, Image, Sector
from .nexus import compute_ring_resolution
from .reading import SmallAngle

if TYPE_CHECKING:
    Index = NDArray[np.intp]


# --- An image seen around the beam: profile and angular harmonics in rings of q, and their errors.

#: Rings: 62 a decade, a step of 3.8 %: a velocity selector's resolution in one standard deviation, and four
#: rings in a fringe at q·radius of 20.
N_RINGS, Q_LEAST, Q_MOST = 192, 6e-4, 0.78
EDGES = np.geomspace(Q_LEAST, Q_MOST, N_RINGS + 1)
RINGS = np.sqrt(EDGES[1:] * EDGES[:-1])
#: Sectors of ten degrees; at least four for each period of the highest harmonic.
N_SECTORS = 36
ORDERS = (2, 4, 6)
#: What scatters is alike at q and −q: these orders are the instrument's own. The first is left to a wrong
#: centre, as which it appears, and only keeps out of the others.
ODD = (1, 3, 5)
_LN_STEP = float(np.log(Q_MOST / Q_LEAST) / N_RINGS)
#: Of the mean's inverse variance, what is added to each harmonic's: without data it is 0, not anything.
_RIDGE = 1e-3


@dataclass(frozen=True)
class Polar:
    """Counts around the beam."""

    #: counts, exposure: (N_RINGS, N_SECTORS), of reduced data as many counts as have their relative error.
    counts: Floats
    exposure: Floats
    #: (N_RINGS,), spread of q along q, one standard deviation, Å⁻¹; NaN where it is not known.
    along: Floats
    scale: Floats  #: (N_RINGS,), intensity that one count over one of exposure stands for; 1 of counts.

    @property
    def rate(self) -> Floats:
        """(N_RINGS,) mean of counts over exposure, 0 where nothing was seen."""
        exposure = self.exposure.sum(axis=1)
        return np.divide(self.counts.sum(axis=1), exposure, out=np.zeros(N_RINGS), where=exposure > 0)


def cells(geometry: SmallAngle, mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """Which pixels lie in a cell, (rows · columns,), and in which, ring · N_SECTORS + sector, of those."""
    used: NDArray[np.bool_] = mask.ravel() & (geometry.weight.ravel() > 0)
    # Single precision places pixels well enough, at half the time.
    qx, qy = (component.ravel()[used].astype(np.float32) for component in (geometry.qx, geometry.qy))
    square = qx * qx + qy * qy
    ring = ((0.5 * np.log(np.maximum(square, 1e-12)) - np.log(Q_LEAST)) / _LN_STEP).astype(np.int32)
    inside = (square >= Q_LEAST**2) & (ring < N_RINGS)
    if not inside.all():
        ring, qx, qy = ring[inside], qx[inside], qy[inside]
        used[np.flatnonzero(used)[~inside]] = False
    turn = np.arctan2(qy, qx) * np.float32(N_SECTORS / (2 * np.pi)) + np.float32(N_SECTORS)
    return used, ring * N_SECTORS + turn.astype(np.int32) % N_SECTORS


def polar(image: Image) -> Polar:
    """Sort an image's pixels (geometry `SmallAngle`) into rings and sectors about the beam's centre."""
    geometry: SmallAngle = image.geometry
    used, cell = cells(geometry, image.mask)
    ring = cell // N_SECTORS
    values, weight = image.counts.ravel()[used], geometry.weight.ravel()[used]
    number = np.maximum(np.bincount(ring, minlength=N_RINGS), 1)
    scale = np.ones(N_RINGS)
    if geometry.error is not None:
        # Values of one weight, with errors: as many counts as have the same relative error.
        mean = np.bincount(ring, values, N_RINGS) / number
        variance = np.bincount(ring, geometry.error.ravel()[used] ** 2, N_RINGS) / number
        # Where the sample scatters less than its background, the error alone says how much was counted.
        least = np.maximum(mean, np.sqrt(variance / number))
        scale = np.divide(variance, least, out=np.ones(N_RINGS), where=(variance > 0) & (least > 0))
        values = values / scale[ring]
    size = N_RINGS * N_SECTORS
    shape = N_RINGS, N_SECTORS
    counts = np.asarray(np.bincount(cell, values, size), dtype=np.float64).reshape(shape)
    exposure = np.asarray(np.bincount(cell, weight, size), dtype=np.float64).reshape(shape)
    along = np.full(N_RINGS, np.nan)
    if geometry.along is not None:
        total = np.bincount(ring, geometry.along.ravel()[used], N_RINGS)
        along = np.where(total > 0, total / number, np.nan)
    elif geometry.setting is not None:
        along = compute_ring_resolution(geometry.setting, RINGS)[0]
    return Polar(counts, exposure, along, scale)


def _basis(orders: tuple[int, ...], sectors: int) -> Floats:
    """(sectors, 2 len(orders)): cos and sin of each order, each averaged over its sector."""
    middle = (np.arange(sectors) + 0.5) * (2 * np.pi / N_SECTORS)
    columns = []
    for order in orders:
        blunted = np.sinc(order / N_SECTORS)
        columns += [blunted * np.cos(order * middle), blunted * np.sin(order * middle)]
    return np.stack(columns, axis=1)


def _products(basis: Floats) -> Floats:
    return np.asarray((basis[:, :, None] * basis[:, None, :]).reshape(len(basis), -1))


BASIS = np.concatenate([np.ones((N_SECTORS, 1)), _basis(ORDERS, N_SECTORS)], axis=1)
_PAIRS = _products(BASIS)
_ODD_BASIS = _basis(ODD, N_SECTORS // 2)
_ODD_PAIRS = _products(_ODD_BASIS)


def harmonics(polar_image: Polar) -> tuple[Floats, Floats]:
    """Return cos and sin of each order over each ring's mean, (N_RINGS, 2 len(ORDERS)), whatever is masked,
    and their counting errors, infinite if not visible.
    """
    # Least squares of n = w Σ c_k B_k with variance w r (mean rate r): Σ w B Bᵀ c = Σ n B, covariance r times
    # the inverse.
    rate, columns = polar_image.rate, BASIS.shape[1]
    matrix = (polar_image.exposure @ _PAIRS).reshape(N_RINGS, columns, columns)
    exposure = polar_image.exposure.sum(axis=1)
    matrix = matrix + np.where(exposure > 0, _RIDGE * exposure, 1.0)[:, None, None] * np.diag(
        [0.0] + [1.0] * 6
    )
    matrix[exposure <= 0, 0, 0] = 1.0
    relative, error = _divide_by_mean(matrix, polar_image.counts @ BASIS, rate, rate > 0)
    return relative[:, 1:], error[:, 1:]


def _divide_by_mean(
    matrix: Floats, right: Floats, rate: Floats, is_known: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Solutions of each ring's normal equations over its mean rate, and errors; infinite where not known."""
    inverse = np.linalg.inv(matrix)
    mean = np.where(is_known, rate, 1.0)[:, None]
    relative = np.einsum("rij,rj->ri", inverse, right) / mean
    variance = np.einsum("rii->ri", inverse) / mean
    is_valid = is_known[:, None]
    return np.where(is_valid, relative, 0.0), np.where(is_valid, np.sqrt(np.maximum(variance, 0.0)), np.inf)


def odd_harmonics(polar_image: Polar) -> tuple[Floats, Floats]:
    """Return harmonics of orders `ODD` but the first, over the mean, as `harmonics`, (N_RINGS, 4)."""
    # Uneven detectors, windows or one-sided shadows make them, with even orders of about that size, which
    # look like a sample's axis. The difference of opposite sectors is free of the sample; half has variance r
    # (1/w + 1/w')/4.
    half = N_SECTORS // 2
    rate, first, second = (
        polar_image.rate[:, None],
        polar_image.exposure[:, :half],
        polar_image.exposure[:, half:],
    )
    has_rates = (first > 0) & (second > 0) & (rate > 0)
    rates = [np.divide(part, w, out=np.zeros_like(w), where=has_rates)
            for part,
            w in ((polar_image.counts[:, :half], first), (polar_image.counts[:, half:], second))]  # fmt: skip
    # Of (r - r')/2 over the mean, times the mean.
    weight = np.divide(4 * first * second, first + second, out=np.zeros_like(first), where=has_rates)
    columns = _ODD_BASIS.shape[1]
    total = weight.sum(axis=1)
    matrix = (weight @ _ODD_PAIRS).reshape(N_RINGS, columns, columns)
    matrix += np.where(total > 0, _RIDGE * total, 1.0)[:, None, None] * np.eye(columns)
    right = (weight * (rates[0] - rates[1]) / 2) @ _ODD_BASIS
    relative, error = _divide_by_mean(matrix, right, polar_image.rate, has_rates.sum(axis=1) >= 2 * columns)
    return relative[:, 2:], error[:, 2:]


def excess(polar_image: Polar) -> Floats:
    """(N_RINGS,) χ² over degrees of freedom of the sectors of a ring about its mean; 1 if nothing is told."""
    # Spots and textures make it large where no low harmonic does.
    expected = polar_image.exposure * polar_image.rate[:, None]
    has_expectation = expected > 0
    terms = np.divide(
        (polar_image.counts - expected) ** 2, expected, out=np.zeros_like(expected), where=has_expectation
    )
    number = has_expectation.sum(axis=1)
    return np.where(number > 1, terms.sum(axis=1) / np.maximum(number - 1, 1), 1.0)


# --- Whether an image is alike all around, and along which direction it is not: from its second
# --- harmonics.

#: Below this chance of an image that is alike all around, and above this amplitude of the second harmonic, it
#: has a direction. What detectors' sensitivities and a wrong centre make of an image without one stays below;
#: the average around the beam of one that is weaker than this is its curve all the same.
CHANCE, AMPLITUDE = 1e-3, 0.06
#: Above this difference of scattering at q and at −q an image is no transmission through a sample: simulated
#: shapes with all faults stay below 0.1 at 10⁶ counts (95 %) and sasdata's good files below 0.17.
ONE_SIDED = 0.4


@dataclass(frozen=True)
class Anisotropy:
    """What the second harmonics say."""

    chance: float  #: Of harmonics as large as these in an image that is alike all around.
    #: Median over the rings of the second harmonic over the mean, noise taken off, each ring by its
    #: certainty: a few rings in the corners of a detector do not decide.
    amplitude: float
    #: axis, axis_error: direction, degrees from qx, of the most or of the least scattering: it is known up to
    #: a quarter turn; and one standard deviation.
    axis: float
    axis_error: float

    @property
    def has_direction(self) -> bool:
        return self.chance < CHANCE and self.amplitude > AMPLITUDE


def anisotropy(images: Sequence[Polar]) -> Anisotropy:
    """Look for a direction in images of one sample."""
    # In ring q the second harmonic is z = c + is with variance σ² each; Σ |z|²/σ² is χ² of two degrees of
    # freedom per ring. z points along or across the director, so z² has four times the angle in all rings.
    from scipy.special import chdtrc

    z, variance = [], []
    for image in images:
        relative, error = harmonics(image)
        has_values = np.isfinite(error[:, 0]) & np.isfinite(error[:, 1]) & (image.counts.sum(axis=1) >= 20)
        z.append(relative[has_values, 0] + 1j * relative[has_values, 1])
        variance.append(0.5 * (error[has_values, 0] ** 2 + error[has_values, 1] ** 2))
    amplitude, spread = np.concatenate(z), np.concatenate(variance)
    if not amplitude.size:
        return Anisotropy(1.0, 0.0, 0.0, 90.0)
    power = np.abs(amplitude) ** 2 / spread
    chance = float(chdtrc(2 * power.size, power.sum()))
    # Rings whose harmonic is surely zero count, too: of equal weight beyond an error of 5 %.
    weight = 1 / (spread + 0.05**2)
    size = np.sqrt(np.maximum(np.abs(amplitude) ** 2 - 2 * spread, 0.0))
    order = np.argsort(size)
    middle = int(np.searchsorted(np.cumsum(weight[order]), 0.5 * weight.sum()))
    turned = complex(np.sum(amplitude**2 / spread))
    axis = float(np.degrees(np.angle(turned)) / 4) % 90
    axis_error = float(np.degrees(0.5 / np.sqrt(max(float(power.sum()) - 2 * power.size, 1.0))))
    return Anisotropy(chance, float(size[order][middle]), axis, min(axis_error, 45.0))


def one_sided(image: Polar) -> float:
    """How much scattering at q and at −q differ, root mean square over their mean, counting taken off."""
    # A sample that the beam goes through scatters alike to both sides at small angles, whatever it is
    # (Friedel's law); one under grazing incidence does not, nor does an image with a wrong centre. Only a
    # lattice in Bragg's condition on one side differs, too.
    half = N_SECTORS // 2
    half_counts, opposite_counts = image.counts[:, :half], image.counts[:, half:]
    sees, sees_other = image.exposure[:, :half], image.exposure[:, half:]
    has_both = (sees > 0) & (sees_other > 0) & (half_counts + opposite_counts > 0)
    if not has_both.any():
        return 0.0
    total, share = (half_counts + opposite_counts)[has_both], sees[has_both] / (sees + sees_other)[has_both]
    off = (half_counts[has_both] - total * share) ** 2 - total * share * (1 - share)
    # Each pair weighs as many counts as it has, so that its relative difference counts.
    most = (2 * total * share * (1 - share)) ** 2
    return float(np.sqrt(max(float(np.sum(off / total)), 0.0) / float(np.sum(most / total))))


# --- How unevenly a detector counts: in a ring of an image that is alike all around all pixels see
# --- the same.

#: Rows of pixels from a detector's border that may count less than the rest.
RIM = 16
#: Standard deviations by which a row must count less; Newton's steps.
_SURE, _PASSES = 3.0, 12
#: A step in ln g after which no more are taken.
_STILL = 1e-6
#: Sectors of a ring that are compared, and rings about each that scatter alike.
_SECTORS, _NEIGHBOURS = 12, 9


def border(shape: tuple[int, int]) -> Index:
    """(rows, columns) distance of each pixel from the image's border, pixels; 0 of the outermost."""
    ways = [np.minimum(np.arange(n), n - 1 - np.arange(n)) for n in shape]
    return np.asarray(np.minimum(ways[0][:, None], ways[1][None, :]), dtype=np.intp)


def rim_efficiency(ring: Index, row: Index, weight: Floats, values: Floats, variance: Floats) -> Floats:
    """Estimate (RIM,) what border rows count relative to inner pixels of the same ring; 1 from the first row
    that is not lower by `_SURE` standard deviations.
    """
    # Values are weight · I(ring) · g(row), g = 1 beyond `RIM`: maximum likelihood by Newton's steps in ln g,
    # rings profiled out, H = diag(Σ_r m) - Σ_r m mᵀ/Σm. Reduced values count as counts of their relative
    # error.
    rows = np.minimum(row, RIM)
    number = int(ring.max()) + 1
    cell, size = ring * (RIM + 1) + rows, number * (RIM + 1)
    exposure, total, spread = (
        np.bincount(cell, quantity, size).reshape(number, RIM + 1) for quantity in (weight, values, variance)
    )
    has_values = (total.sum(axis=1) > 0) & (spread.sum(axis=1) > 0)
    if not has_values.any():
        return np.ones(RIM)
    exposure, total, spread = exposure[has_values], np.maximum(total[has_values], 0.0), spread[has_values]
    total = total * (total.sum(axis=1) / spread.sum(axis=1))[:, None]
    log_g = np.zeros(RIM + 1)
    for _ in range(_PASSES):
        expected = exposure * np.exp(log_g)
        expected *= (total.sum(axis=1) / expected.sum(axis=1))[:, None]
        shared = expected / np.maximum(expected.sum(axis=1, keepdims=True), 1e-300)
        matrix = (np.diag(expected.sum(axis=0)) - expected.T @ shared)[:RIM, :RIM]
        # A row that shares no ring with others stays as it is, with no end to its error.
        matrix = matrix + 1e-3 * np.eye(RIM)
        step = np.linalg.solve(matrix, (total - expected).sum(axis=0)[:RIM])
        log_g[:RIM] = np.clip(log_g[:RIM] + np.clip(step, -1.0, 1.0), -5.0, 1.0)
        if np.max(np.abs(step)) < _STILL:
            break
    less = -log_g[:RIM] > _SURE * np.sqrt(np.diag(np.linalg.inv(matrix)))
    # From the border inwards without a gap: other rows are uneven, but no rim.
    return np.where(np.logical_and.accumulate(less), np.exp(log_g[:RIM]), 1.0)


def scatter(ring: Index, angle: Floats, weight: Floats, values: Floats, variance: Floats) -> Floats:
    """Return the relative variance (rings,) of each ring's mean from the scatter of sectors beyond counting;
    `angle` around the beam in radians.
    """
    # Sectors c have expectation m_c = w_c Σn/Σw and variance v_c + τ² m_c²; τ² is the excess of squares of n
    # - m over v (1 - w_c/Σw), over Σm², of neighbouring rings. The mean then has τ² Σw_c²/(Σw_c)². Areas
    # wider than a sector, as near the beam, are not covered.
    number = int(ring.max()) + 1
    sector = np.floor(angle * (_SECTORS / (2 * np.pi))).astype(np.intp) % _SECTORS
    cell, size = ring * _SECTORS + sector, number * _SECTORS
    exposure, total, spread = (
        np.bincount(cell, quantity, size).reshape(number, _SECTORS) for quantity in (weight, values, variance)
    )
    whole = np.maximum(exposure.sum(axis=1, keepdims=True), 1e-300)
    expected = exposure * (total.sum(axis=1, keepdims=True) / whole)
    excess = ((total - expected) ** 2 - spread * (1 - exposure / whole)).sum(axis=1)
    window = np.ones(_NEIGHBOURS)
    excess, square = (
        np.convolve(quantity, window)[_NEIGHBOURS // 2 : _NEIGHBOURS // 2 + number]
        for quantity in (excess, (expected**2).sum(axis=1))
    )
    tau2 = np.maximum(excess, 0.0) / np.maximum(square, 1e-300)
    return np.asarray(tau2 * (exposure**2).sum(axis=1) / whole[:, 0] ** 2)


# --- From an image that is alike all around to a curve with its uncertainties and resolution.

#: Points of a curve, at most: an image of 128 pixels across has no more.
MOST_POINTS = 120
#: Fewer pixels than this make no point.
_FEWEST = 4


def average_around_beam(image: Image) -> Curve:
    """Average around the beam (geometry `SmallAngle`) in rings of a pixel or `MOST_POINTS`; intensity per
    solid angle. Raises DataError if too few pixels count.
    """
    # Uncertainties combine counting (or reduced pixels) with the scatter of a ring's sectors; ``dq`` combines
    # resolution and ring width, None if unknown. Border rows that count less are corrected by
    # `evenness.rim_efficiency`.
    geometry: SmallAngle = image.geometry
    used, ring, width = _sort_into_rings(image)
    q, weight, values = geometry.q[used], geometry.weight[used], image.counts[used]
    number = int(ring.max()) + 1
    if geometry.error is None:
        # By the mean of each ring: a pixel's own count says too little of its variance.
        rate = np.bincount(ring, values, number) / np.maximum(np.bincount(ring, weight, number), 1e-300)
        noise = np.maximum(weight * rate[ring], 1e-12)
    else:
        noise = (geometry.error[used] * weight) ** 2
    row = border(geometry.shape)[used]
    expected = weight * _estimate_within_rings(ring, q, weight, values)
    counts_less = np.append(rim_efficiency(ring, row, expected, values, noise), 1.0)
    weight = weight * counts_less[np.minimum(row, RIM)]
    pixels = np.bincount(ring, minlength=number)
    exposure = np.bincount(ring, weight, number)
    has_pixels = (pixels >= _FEWEST) & (exposure > 0)
    total = np.bincount(ring, values, number)
    variance = np.maximum(total, 1.0) if geometry.error is None else np.bincount(ring, noise, number)
    angle = np.arctan2(geometry.qy[used], geometry.qx[used])
    variance = variance + scatter(ring, angle, weight, values, noise) * total**2
    with np.errstate(divide="ignore", invalid="ignore"):
        intensity, error = total / exposure, np.sqrt(variance) / exposure
        middle = np.bincount(ring, q, number) / pixels
    return Curve(
        middle[has_pixels],
        intensity[has_pixels],
        error[has_pixels],
        _blur_of_rings(geometry, used, ring, width, has_pixels),
        file=image.file,
        entry=image.entry,
        notes=image.notes,
    )


def _estimate_within_rings(ring: Index, q: Floats, weight: Floats, values: Floats) -> Floats:
    """Estimate each pixel's intensity over its ring's mean: a steep curve falls within a ring."""
    # Rows near the border have other q in a ring than inner ones, which is no lack of efficiency.
    exposure, total = np.bincount(ring, weight), np.bincount(ring, values)
    middle = np.bincount(ring, q) / np.maximum(np.bincount(ring), 1)
    has_counts = (exposure > 0) & (total > 0)
    level = np.zeros(len(total))
    level[has_counts] = np.log(total[has_counts] / exposure[has_counts])
    change = np.interp(q, middle[has_counts], level[has_counts]) - level[ring]
    return np.where(has_counts[ring], np.exp(np.clip(change, -1.0, 1.0)), 1.0)


def _sort_into_rings(image: Image) -> tuple[NDArray[np.bool_], Index, float]:
    """Pixels that count, the ring of each, and how wide rings are. Raises DataError if they are too few."""
    geometry: SmallAngle = image.geometry
    used = image.mask & (geometry.weight > 0) & (geometry.q > 0)
    q = geometry.q[used]
    if q.size < 10 * _FEWEST:
        raise DataError(f"{image.file or 'the image'}: only {q.size} pixels are usable, too few for a curve.")
    # As wide as the pixels are apart, on average over the detector.
    pixel = float(np.sqrt(np.ptp(geometry.qx[used]) * np.ptp(geometry.qy[used]) / q.size))
    number = int(np.clip(np.ptp(q) / max(pixel, 1e-12), 10, MOST_POINTS))
    edges = np.linspace(float(q.min()), float(q.max()) * (1 + 1e-9), number + 1)
    return used, np.clip(np.digitize(q, edges) - 1, 0, number - 1), float(edges[1] - edges[0])


def _blur_of_rings(
    geometry: SmallAngle,
    used: NDArray[np.bool_],
    ring: Index,
    width: float,
    rings: NDArray[np.bool_],
) -> Floats | None:
    spread = geometry.spread()
    if spread is None:
        return None
    along = np.bincount(ring, spread[0][used])[rings] / np.bincount(ring)[rings]
    return np.asarray(np.hypot(along, width / np.sqrt(12)))


#: Sectors that an image is cut into: one along its axis, one across, and between, without gaps.
_CUT = 6
#: Parts of pixels into which an image is divided, at most, before they are assigned to rings and sectors.
_PARTS, _FINEST = 1e6, 5


def average_sectors(
    image: Image, sectors: Sequence[Sector] | None = None, axis: float | None = None
) -> list[Curve]:
    """Average an image over sectors and their opposites, at the same q; by default over six, the first at
    `axis` or along the direction of the image. Raises DataError if too few rings are covered by all.
    """
    if not isinstance(image.geometry, SmallAngle):
        raise DataError(f"{image.file}: only small-angle-scattering images have sectors.")
    sectors = _place_sectors(image, axis) if sectors is None else sectors
    parts = _divide_pixels(image)
    averages = [_average_sector(parts, sector) for sector in sectors]
    rings = np.all([np.isfinite(error) for _, _, error in averages], axis=0)
    if np.count_nonzero(rings) < 2 * _FEWEST:
        raise DataError(f"{image.file}: too few rings lie in all sectors; give wider or other sectors.")
    q, dq = (parts.average(values)[rings] for values in (parts.q, parts.dq))
    return [
        # Sectors at the same q share one calculation.
        Curve(
            q, np.interp(q, middle[rings], intensity[rings]), error[rings], dq, file=image.file,
            entry=f"sector {sector.azimuth:g}±{sector.half_width:g}°", notes=image.notes,
            entries=len(sectors), sector=sector,
        )
        for sector, (middle, intensity, error) in zip(sectors, averages, strict=True)
    ]  # fmt: skip


def _place_sectors(image: Image, axis: float | None) -> list[Sector]:
    axis = anisotropy([polar(image)]).axis if axis is None else axis
    return [Sector(round(axis + k * 180 / _CUT, 1) % 180, 90 / _CUT) for k in range(_CUT)]


@dataclass(frozen=True)
class _Parts:
    """Parts of pixels, (n,) each: near the beam a whole pixel is wider than a sector."""

    q: Floats
    azimuth: Floats  #: Degrees.
    dq: Floats  #: Resolution, with the width of pixels and rings.
    ring: Index
    #: weight, values, variance: shares of what the pixel sees, counts, and of their variance.
    weight: Floats
    values: Floats
    variance: Floats
    size: float  #: Share of a pixel.
    least: float  #: Variance of a sum, at least: 1 of counts.

    def average(self, values: Floats) -> Floats:
        """Mean over each ring, all around."""
        return np.bincount(self.ring, values) / np.maximum(np.bincount(self.ring), 1)

    def select(self, chosen: NDArray[np.bool_]) -> _Parts:
        return replace(self, **{f.name: getattr(self, f.name)[chosen] for f in fields(self)[:-2]})


def _divide_pixels(image: Image) -> _Parts:
    geometry: SmallAngle = image.geometry
    used, _, width = _sort_into_rings(image)
    whole = geometry.q[used]
    pitch = float(np.sqrt(np.ptp(geometry.qx[used]) * np.ptp(geometry.qy[used]) / whole.size))
    number = int(np.clip(np.sqrt(_PARTS / whole.size), 1, _FINEST))
    offsets = ((np.arange(number) + 0.5) / number - 0.5) * pitch
    qx = (geometry.qx[used][:, None] + np.repeat(offsets, number)).ravel()
    qy = (geometry.qy[used][:, None] + np.tile(offsets, number)).ravel()
    spread = geometry.spread()
    along = np.zeros_like(whole) if spread is None else spread[0][used]
    counts = image.counts[used]
    variance = counts if geometry.error is None else (geometry.error[used] * geometry.weight[used]) ** 2
    columns = [np.hypot(along, np.hypot(width, pitch) / np.sqrt(12))]
    columns += [values / number**2 for values in (geometry.weight[used], counts, variance)]
    dq, *shares = (np.repeat(column, number**2) for column in columns)
    q = np.hypot(qx, qy)
    ring = np.floor((q - whole.min()) / width).astype(np.intp)
    azimuth, least = np.degrees(np.arctan2(qy, qx)), float(geometry.error is None)
    parts = _Parts(q, azimuth, dq, ring, shares[0], shares[1], shares[2], number**-2, least)
    return parts.select((ring >= 0) & (q < whole.max()))


def _average_sector(parts: _Parts, sector: Sector) -> tuple[Floats, Floats, Floats]:
    """Mean q, intensity and error of each ring in a sector; NaN where it is not covered evenly."""
    number = int(parts.ring.max()) + 1
    turn = ((parts.azimuth - sector.azimuth + 90) % 180 - 90) / sector.half_width
    inside = np.abs(turn) <= 1
    third, part = np.minimum((1.5 * (turn[inside] + 1)).astype(np.intp), 2), parts.select(inside)
    thirds = np.bincount(3 * part.ring + third, minlength=3 * number).reshape(number, 3) * part.size
    pixels = thirds.sum(axis=1)
    covered = (thirds.min(axis=1) >= 0.25 * pixels) & (pixels >= 1)
    q, weight, total, variance = (
        np.bincount(part.ring, values, number)
        for values in (part.q * part.size, part.weight, part.values, part.variance)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(np.maximum(variance, part.least)) / weight
        return q / pixels, total / weight, np.where(covered, error, np.nan)


# --- A profile's level and slope at each ring, from the counts of the rings around it.

#: Relative error that a ring has however many counts: of unknown efficiencies, and of a parabola's own.
#: Without it the few inner rings with most of the counts decide what the trend of all is.
_LEAST_ERROR = 0.03
#: Newton's steps from the smoothed rate on; more change nothing that the network could see.
_STEPS = 2
#: Added to the normal equations where hardly anything was counted; of a count, times the width's powers.
_FIT_RIDGE, _LEAST = 0.05, 1e-6


@dataclass(frozen=True)
class LocalFit:
    """ln I about each ring as a parabola in ln q."""

    #: level, slope: (N_RINGS,), ln I and d ln I/d ln q.
    level: Floats
    slope: Floats
    error: Floats  #: (N_RINGS,), one standard deviation of the level.


@lru_cache(maxsize=8)
def _kernels(width: float) -> Floats:
    """(5, N_RINGS, N_RINGS): Gaussian weights of rings about a ring times (Δ ln q / width)^k, k = 0 … 4."""
    apart = (np.log(RINGS)[None, :] - np.log(RINGS)[:, None]) / width
    return np.stack([np.exp(-0.5 * apart**2) * apart**k for k in range(5)])


def local_fit(counts: Floats, exposure: Floats, width: float) -> LocalFit:
    """Fit a parabola to counts of whole rings (N_RINGS,) about each, Gaussian weights of `width` in ln q."""
    # Local likelihood (Tibshirani & Hastie, J. Am. Stat. Assoc. 82 (1987) 559) of Poisson counts with
    # logarithmic link, so counts of 0 and 1 are used properly.
    kernels = _kernels(width)
    # Half a count over all that was seen nearby: an empty end is dark, not ln 0.
    level = np.log((kernels[0] @ counts + 0.5) / np.maximum(kernels[0] @ exposure, 1e-9))
    for _ in range(_STEPS):
        expected = exposure * np.exp(level)
        weight = expected / (1 + _LEAST_ERROR**2 * expected)
        moved = np.divide(counts - expected, expected, out=np.zeros(N_RINGS), where=expected > 1e-9)
        # One step must not leave what the logarithm is linear over.
        working = weight * (level + np.clip(moved, -1.5, 3.0))
        level, slope, variance = _solve_parabola(kernels @ weight, kernels[:3] @ working, level)
    error = np.sqrt(np.maximum(variance, 0.0))
    return LocalFit(level, slope / width, error)


def _solve_parabola(moments: Floats, right: Floats, previous: Floats) -> tuple[Floats, Floats, Floats]:
    """Solve the parabola's normal equations by cofactors: level, slope, and the level's variance."""
    # Where nothing was counted nearby the level stays as it was `before`.
    a, b, c = moments[0] + _LEAST, moments[1], moments[2]
    d, e, f = moments[2] + _FIT_RIDGE, moments[3], moments[4] + _FIT_RIDGE
    x, y, z = right[0] + _LEAST * previous, right[1], right[2]
    first, second, third = d * f - e * e, c * e - b * f, b * e - c * d
    determinant = a * first + b * second + c * third
    level = (first * x + second * y + third * z) / determinant
    slope = (second * x + (a * f - c * c) * y + (b * c - a * e) * z) / determinant
    return level, slope, first / determinant


def local_mean(values: Floats, error: Floats, width: float) -> tuple[Floats, Floats]:
    """Average neighbouring rings (N_RINGS, columns) by inverse variance and Gaussian weights of `width` in ln
    q, with the error; 0 and infinite where nothing is known.
    """
    kernel, weight = _kernels(width)[0], error**-2.0
    total = kernel @ weight
    has_weight = total > 0
    mean = np.divide(kernel @ (weight * values), total, out=np.zeros_like(total), where=has_weight)
    spread = np.divide(np.sqrt(kernel**2 @ weight), total, out=np.full_like(total, np.inf), where=has_weight)
    return mean, spread


# --- From images of one sample, in one setting or several, to what the network reads.

#: Images of one sample that are looked at together, at most.
FRAMES = 3
#: Widths in ln q of local fits: less than a fringe of the first ten, and more than one.
FINE, TREND = 0.06, 0.35
#: ln of the profile about its mean, its relative error, share of the ring that was seen; harmonics of
#: neighbouring rings, shrunk by what is known of them, and their significance; excess of the sectors;
#: resolution; counts of the image; the second harmonic and its significance over wider rings; trend and its
#: slope; fine fit, its slope and error; fringes about the trend, of the fit and in errors of the counts; the
#: fine fit above a flat background and its error; place of the ring.
N_CHANNELS = 28
#: Variance of a harmonic below which an instrument's faults are taken to be known alike, whatever the counts.
_LEAST_FAULT = 1e-4
#: Share of the seen range of ln q, at its end, whose least level is taken for the flat background.
_END = 0.25


@dataclass(frozen=True)
class Settings:
    """Images of one sample in several settings of the instrument."""

    images: tuple[Any, ...]  #: At least one; in rings and sectors already where they were simulated so.

    @property
    def file(self) -> str:
        return str(self.images[0].file)

    @property
    def entry(self) -> str:
        """Entry of the first image, and how many there are."""
        first = str(self.images[0].entry)
        return " ".join(filter(None, [first, f"({len(self.images)} settings)"])) if len(self) > 1 else first

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(note for image in self.images for note in image.notes))

    def __len__(self) -> int:
        return len(self.images)


def together(images: Sequence[Image]) -> Settings:
    """Images of one sample as one measurement."""
    return Settings(tuple(images))


def add_images(first: Image, second: Image) -> Image:
    """Add counts of one sample in one setting. Raises DataError if they are no counts or pixels differ."""
    for image in (first, second):
        if image.geometry.error is not None:
            raise DataError(f"{image.file}: contains no counts; only frames of raw counts can be added.")
    a, b = first.geometry, second.geometry
    # A centre that was found from the data may move by less than a pixel between frames.
    apart = np.inf if a.shape != b.shape else max(np.ptp(a.qx) / a.shape[1], np.ptp(a.qy) / a.shape[0])
    if a.shape != b.shape or max(np.abs(a.qx - b.qx).max(), np.abs(a.qy - b.qy).max()) > apart:
        raise DataError(
            f"{second.file}: its q values differ from those of {first.file}; give frames of one setting."
        )
    mask = first.mask & second.mask
    notes = tuple(dict.fromkeys([*first.notes, *second.notes]))
    return replace(second, counts=np.where(mask, first.counts + second.counts, 0.0), mask=mask, notes=notes)


def images_of(measurement: Image | Settings) -> tuple[Any, ...]:
    return measurement.images if isinstance(measurement, Settings) else (measurement,)


def inputs(measurements: Sequence[Image | Settings]) -> dict[str, NDArray[np.float32]]:
    """Compute the classifier's input: ``features`` (n, FRAMES, N_RINGS, N_CHANNELS), ``frame_mask`` (n,
    FRAMES), 1 where there is an image, and ``level`` (n,), log10 of all counts, on which calibration depends.
    """
    n = len(measurements)
    features = np.zeros((n, FRAMES, N_RINGS, N_CHANNELS), dtype=np.float32)
    mask, level = np.zeros((n, FRAMES), dtype=np.float32), np.zeros(n, dtype=np.float32)
    for row, measurement in enumerate(measurements):
        total = 0.0
        for column, image in enumerate(images_of(measurement)[:FRAMES]):
            polar_image = image if isinstance(image, Polar) else polar(image)
            total += max(float(polar_image.counts.sum()), 0.0)
            features[row, column], mask[row, column] = features_of(polar_image), 1.0
        level[row] = np.log10(total + 1)
    return {"features": features, FRAME_MASK: mask, "level": level}


def features_of(polar_image: Polar) -> NDArray[np.float32]:
    """Channels of one image, (N_RINGS, N_CHANNELS)."""
    # Less than nothing is left of some rings where a background was subtracted.
    counts, exposure = np.maximum(polar_image.counts.sum(axis=1), 0.0), polar_image.exposure.sum(axis=1)
    # What one count more over the same exposure and one of the scale would be: nothing is never ln 0.
    rate = (counts + 0.5) * np.divide(polar_image.scale, exposure, out=np.ones(N_RINGS), where=exposure > 0)
    log_rate = np.log(rate)
    has_exposure = exposure > 0
    middle = np.average(log_rate, weights=np.where(has_exposure, np.sqrt(counts) + 1e-6, 0.0) + 1e-12)
    covered = (polar_image.exposure > 0).mean(axis=1)
    relative, error = harmonics(polar_image)
    odd = odd_harmonics(polar_image)
    near, near_power = _shrunk(relative, error, FINE, _faults(*odd, FINE))
    wide, wide_power = _shrunk(relative[:, :2], error[:, :2], TREND, _faults(*odd, TREND))
    values = np.zeros((N_RINGS, N_CHANNELS))
    values[:, 0] = np.clip((log_rate - middle) / 3, -4, 4)
    values[:, 1] = 1 / np.sqrt(counts + 1)
    values[:, 2] = covered
    values[:, 3:9], values[:, 9:12] = near, near_power
    values[:, 12] = np.arcsinh((excess(polar_image) - 1) * np.sqrt(N_SECTORS / 2)) / 4
    values[:, 13] = np.minimum(np.nan_to_num(polar_image.along) / RINGS, 1.0)
    values[:, 14] = np.log10(counts.sum() + 1) / 7
    values[:, 15:17], values[:, 17:18] = wide, wide_power
    values *= has_exposure[:, None]
    between = np.zeros(N_RINGS, dtype=bool)
    if has_exposure.any():
        first, last = np.flatnonzero(has_exposure)[[0, -1]]
        # Near the beam some rings are narrower than a pixel; those around them say what is there.
        between[first : last + 1] = True
        scaled = np.divide(exposure, polar_image.scale, out=np.zeros(N_RINGS), where=has_exposure)
        values[:, 18:] = _make_fit_channels(counts, scaled, middle, between)
    return (values * between[:, None]).astype(np.float32)


def _shrunk(
    relative: NDArray[np.float64],
    error: NDArray[np.float64],
    width: float,
    faults: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Harmonics of neighbouring rings together, shrunk by what is known of them; orders' significance."""
    mean, spread = local_mean(relative, error, width)
    spread = np.sqrt(spread**2 + faults[:, None])
    trust = mean**2 / (mean**2 + spread**2 + 1e-12)
    power = (mean / np.maximum(spread, 1e-9)) ** 2
    by_order = power.reshape(N_RINGS, -1, 2).sum(axis=2)
    return np.clip(mean * trust, -2, 2), np.arcsinh(by_order - 2) / 4


def _faults(relative: NDArray[np.float64], error: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """(N_RINGS,) variance of a harmonic of neighbouring rings by the instrument's faults, from odd orders."""
    # These are averaged as the others are, as faults of neighbouring rings are alike; what is left of their
    # squares beyond counting is averaged over more rings, as there are few orders. 0 where nothing is known.
    mean, spread = local_mean(relative, error, width)
    is_known = np.isfinite(spread)
    variance = np.where(is_known, spread, 0.0) ** 2
    square = np.where(is_known, mean**2 - variance, 0.0).sum(axis=1)
    # Where counts are few the difference of two large numbers says little.
    certainty = np.where(is_known, 1 / (_LEAST_FAULT + variance) ** 2, 0.0)
    number = is_known.sum(axis=1)
    mean_squares = np.divide(square, number, out=np.zeros(N_RINGS), where=number > 0)
    weight = certainty.max(axis=1)
    smoothed, _ = local_mean(
        mean_squares[:, None], np.where(weight > 0, weight, 1e-300)[:, None] ** -0.5, TREND
    )
    return np.maximum(smoothed[:, 0], 0.0)


def _make_fit_channels(
    counts: NDArray[np.float64], exposure: NDArray[np.float64], middle: float, between: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Channels of the local fits, (N_RINGS, N_CHANNELS - 18)."""
    trend, fine = local_fit(counts, exposure, TREND), local_fit(counts, exposure, FINE)
    smooth = exposure * np.exp(np.clip(trend.level, -700, 700))
    place = np.flatnonzero(between)
    end = place[int((1 - _END) * place.size) :]
    # A little less than the least that is surely there: a difference of 0 would say nothing.
    sure = (fine.level - middle - fine.error)[end]
    flat = 0.95 * np.exp(np.clip(np.median(np.sort(sure)[: max(3, end.size // 4)]), -30, 30))
    level = np.exp(np.clip(fine.level - middle, -30, 30))
    above = np.maximum(level - flat, 0.05 * level)
    fringe = fine.level - trend.level
    channels = [
        np.clip((trend.level - middle) / 3, -4, 4),
        np.clip(trend.slope / 4, -2, 2),
        np.clip((fine.level - middle) / 3, -4, 4),
        np.clip(fine.slope / 6, -3, 3),
        np.minimum(fine.error, 2.0),
        np.clip(fringe * fringe**2 / (fringe**2 + fine.error**2 + 1e-12), -2, 2),
        np.arcsinh((counts - smooth) / np.sqrt(smooth + 1)) / 3,
        np.clip(np.log(above) / 3, -4, 4),
        np.minimum(fine.error * level / above, 2.0),
        np.log(RINGS / RINGS[0]) / 7,
    ]
    return np.stack(channels, axis=1)
