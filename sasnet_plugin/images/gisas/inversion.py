"""How a lattice is rotated: physics fitted to one pattern under grazing incidence and compared with it.

Sequential Monte Carlo (P. Del Moral, A. Doucet and A. Jasra, J. R. Stat. Soc. B 68 (2006) 411): the exponent
of the likelihood rises in steps that leave half of the effective sample; the samples are drawn again by
weight, and each moves by Metropolis' rule in the unit cube of the prior. No start is needed, and modes far
apart, such as a distribution and its mirror image, keep their shares.

The loss has many local minima along the thickness of the film, so others than the fit's are tried.

Under grazing incidence q stays next to one line through the origin. A lattice that lies with a row of
reciprocal points on it looks like every other lattice whose row has the same distances. Which square lattice
that is depends on how either lies, so its constant is looked for: all of them are held against the pattern
with its rows of pixels added up in a few bands, as streaks stand upright, and the best begin descents there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from ...arrays import Floats
from ...digits import NORMAL_90, significant
from ...domains import Finding
from ...fitting.settings import ASSESSMENT, EFFORT, START_VALUES, setting
from ...predict import Answer
from ...predict.arithmetic import circular_w1, mirror_distribution
from ...predict.findings import DistributionFinding, QuantitiesFinding, Value, finite
from ...simulate.draws import Prior
from ...types import DataError, Image
from ..reading import edges_of, rebin, to_window
from ..simulation import (
    MARGIN,
    MEASUREMENT,
    N_HALF,
    N_XI,
    PERIOD,
    WINDOW,
    XI,
    Geometry,
    Measurement,
    Window,
    background,
    blur_matrix,
)
from . import simulation
from .simulation import (
    GEOMETRY,
    HEXAGONAL,
    SQUARE,
    Factors,
    Nodes,
    columns_of,
    compute_scattering,
    film_profiles,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["invert", "prior_guess"]


# --- The numbers that decide something in the inversion of a pattern, each with its unit and its
# --- reason.


@dataclass(frozen=True)
class InversionSettings:
    """Thresholds, numbers of tries and tolerances; lengths in Å, angles in degrees."""

    # Counts
    covered: float = setting(0.95, "Smallest measured share of a pixel that is used: peaks are narrow.")
    least_counts: int = setting(100, "Fewer counts say nothing.")
    rod: float = setting(0.1, "Half width of the specular rod.", "degrees")

    # Likelihood
    tolerance: float = setting(
        0.002, "Relative error of the simulated basis patterns in a pixel (docs/studies.md)."
    )
    least_expected: float = setting(1e-3, "Least expected counts of a pixel.")

    beyond_prior: float = setting(0.1, "A fit may leave the range of the prior by this share of it.")

    # Descent
    longest_step: float = setting(0.15, "A step is at most this much of a parameter's range.")
    loose_tolerance: float = setting(
        0.1, "Relative error that the first descent allows, so the rod's fringes do not trap it."
    )
    tilts: tuple[float, ...] = setting(
        (-1.0, 1.0, -2.0, 2.0), "Offsets of the tilts tried after the estimated one, in its standard errors."
    )
    trial_steps: int = setting(
        4,
        "Most steps of a descent from another tilt, radius, lattice or with every angle alike; half as many"
        " from another film, or for the present fit, which is nearly right. No more films are followed.",
    )
    suspect_loss: float = setting(
        0.55, "Loss of a pixel above which a descent waits; noise leaves below 0.5."
    )
    well_explained: float = setting(
        1.0,
        "Standard deviations above the mean deviance from which film thicknesses that seem no better are"
        " tried too: half of such patterns have a better one.",
    )

    most_geometries: int = setting(36, "Calculated geometries after which no descent begins.")
    most_work: float = setting(
        6.5,
        "Calculation time after which no descent begins; narrow peaks take longer per geometry, so that one"
        " that runs goes on into the reserve: this is the planned share of what all may take.",
        "CPU-seconds",
    )
    geometry_work: tuple[float, float] = setting(
        (0.06, 0.085), "Time of each geometry, and of each million values of its lattice sums.", "CPU-seconds"
    )

    # Thickness of the film
    film_step: float = setting(
        4.0, "Step between the film thicknesses that are tried; films within two steps are the same.", "Å"
    )

    # Search where the guess explains nothing
    search_steps: Mapping[str, float] = setting(
        {"radius": 13.0, "lattice": 8.0, "oxide": 24.0},
        "Steps of a search over the whole range: of particles and lattice, and of films after a fit.",
        "Å",
    )

    # Posterior samples of p(ξ)
    background: float = setting(0.3, "Standard deviation of a background's prior, of all counts.")
    as_good: float = setting(80.0, "Deviance that the samples' mean may have above the best weights'.")
    sets: tuple[int, int] = setting(
        (4, 200),
        "Number of sample sets in the last round, and samples in each. With small sets, the share of one of"
        " two equal solutions was 0.3 to 0.98.",
    )
    effective: float = setting(
        0.5, "Effective share of samples that remains when the likelihood's exponent rises."
    )
    walk_steps: tuple[float, ...] = setting(
        (0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003),
        "Step lengths of the Metropolis walk in the prior's unit cube.",
    )
    moves: tuple[float, ...] = setting(
        (0.47, 0.22, 0.15, 0.08),
        "Probabilities of moves: walk, draw anew, mirror, shift by a bin; the rest exchange shares.",
    )
    behind: float = setting(
        20.0,
        "A set whose mean log likelihood is lower than the best by this has not converged. No film whose loss"
        " is higher by this is followed, and no such geometry is believed.",
    )

    # What is said of p(ξ)
    unlikely: float = setting(
        0.05,
        "Probability that is ruled out: on either side of a band, of a p-value, of mirrored samples, of"
        " `in_scope`. Then the samples are rough.",
    )
    negligible: float = setting(0.1 / N_XI, "A tenth of the uniform level is indistinguishable from nothing.")
    own_mirror: float = setting(2.0, "Distributions so near to their mirror image need no choice.", "degrees")
    reference_patterns: int = setting(999, "Patterns of a uniform sample that give the test its reference.")
    strengths: tuple[float, ...] = setting(
        (1.0, 0.3, 0.1, 0.03),
        "Shares of order in the alternatives to a uniform distribution: weak order is found too.",
    )

    # Verification
    significant: float = setting(4.0, "Standard deviations of the deviance that chance does not reach.")
    half_believed: float = setting(0.1, "Relative misfit outside the rod at which `in_scope` is one half.")
    misfit_error: float = setting(
        0.1,
        (
            "Relative error of lengths per unit of relative misfit outside the rod: wrong optical constants"
            " and resolution move lengths by this (benchmarks/images/images_elsewhere.py)."
        ),
    )
    rival_bands: int = setting(
        5, "Number of row bands in which pixels are summed to try other lattices: streaks are vertical."
    )
    rival_far: float = setting(
        2.0, "Another lattice is followed up to this multiple of the present deviance in the bands."
    )
    rival_odds: float = setting(
        10.0,
        "Deviance by which another lattice must explain less not to be named, or another film more to be"
        " followed: odds of 150 to 1.",
    )
    rival_prior: float = setting(
        10.0, "Odds of a hexagonal lattice before: spheres in one layer seldom lie in squares."
    )
    rival_scope: float = setting(0.7, "Largest `in_scope` where another lattice fits about as well.")
    rival_gain: float = setting(
        200.0, "Deviance by which another lattice must be better to be the right one."
    )
    least_share: float = setting(0.02, "Share of counts away from the rod that ordered particles must have.")


INVERSION = InversionSettings()


# --- The pixels of the simulated window that count, from an image of any detector.


@dataclass(frozen=True)
class Counts:
    """The pixels of a window that count."""

    y: Floats
    mask: NDArray[np.bool_]  #: (rows, columns), true at those n pixels.
    coverage: Floats  #: (n,), share of each pixel that was measured.
    window: Window
    wavelength: float  #: Å.
    alpha_i: float  #: Nominal, degrees.
    #: By which the columns lie to the right of the window's, degrees: the window is symmetric about φ = 0,
    #: and the detector's pixels need not end there.
    offset: float = 0.0

    def select_measured(self, pattern: Floats) -> Floats:
        """(..., rows, columns) → (..., n): what of a pattern was measured."""
        return np.asarray(pattern[..., self.mask] * self.coverage)

    def spread(self, values: Floats) -> Floats:
        """(n,) → (rows, columns), 0 where masked."""
        whole = np.zeros(self.window.shape)
        whole[self.mask] = values
        return whole

    @property
    def rotation_mask(self) -> NDArray[np.bool_]:
        """Which of the pixels depend on the rotation, (n,); all, where only the specular rod was measured."""
        phi = self.window.centres()[1] + self.offset
        off_rod = np.broadcast_to(np.abs(phi) > INVERSION.rod, self.window.shape)[self.mask]
        return np.asarray(off_rod if np.any(off_rod) else np.ones(off_rod.size, dtype=bool))


def bin_on_window(image: Image) -> tuple[Counts, Image]:
    """Bin the detector to whole blocks of the window's pixels, and return the image as shown."""
    # Blocks keep Poisson statistics and do not share narrow peaks between columns; uneven steps are rebinned
    # by area. Raises DataError if the window is empty, the image coarser, negative or almost without counts.
    name = image.file or "the image"
    if np.any(image.counts[image.mask] < 0):
        raise DataError(f"{name}: it has negative counts; give counts as measured, without any subtraction.")
    blocks, offset, across, along = _make_blocks(image, WINDOW)
    shown_image = to_window(
        image, phi=(across[0], across[-1]), alpha_f=(along[0], along[-1]), shape=blocks.shape
    )
    rebinned = rebin(image, across, along)
    mask = rebinned.coverage >= INVERSION.covered
    y = rebinned.image.counts[mask]
    # An image on this very grid keeps whole counts.
    y = np.where(np.abs(y - np.round(y)) < 1e-6 * np.maximum(y, 1.0), np.round(y), y)
    if y.sum() < INVERSION.least_counts:
        raise DataError(
            f"{name}: {y.sum():.0f} counts in the analysed range are too few to determine the rotation"
            f" of the lattice; measure longer."
        )
    beam = image.geometry
    return Counts(
        y, mask, rebinned.coverage[mask], blocks, beam.wavelength, beam.alpha_i, offset
    ), shown_image


def bin_in_bands(counts: Counts, number: int) -> Counts:
    """Add rows of counts up in bands of one height that are measured whole."""
    # A last rest of rows is left out.
    window = counts.window
    height = max(1, window.rows // number)
    bands = window.rows // height
    coverage = np.zeros(window.shape)
    coverage[counts.mask] = counts.coverage

    def sum_rows(values: Floats) -> Floats:
        return np.asarray(values[: bands * height].reshape(bands, height, -1).sum(axis=1))

    covered = sum_rows(coverage) / height
    mask = covered >= INVERSION.covered
    top = window.alpha_f[0] + bands * height * window.pixel[0]
    return replace(
        counts,
        y=sum_rows(counts.spread(counts.y))[mask],
        mask=mask,
        coverage=covered[mask],
        window=replace(window, rows=bands, alpha_f=(window.alpha_f[0], top)),
    )


#: Pixels of the detector by which its edges may depart from even steps.
_EVEN = 0.2


def _make_blocks(image: Image, window: Window) -> tuple[Window, float, Floats, Floats]:
    """Make a window of pixel blocks, its columns' offset, and the edges of columns and rows."""
    # It is no larger than the image, and the one that was given where the image has other steps than even
    # ones.
    phi, alpha_f = edges_of(image.geometry.phi), edges_of(image.geometry.alpha_f)
    width, height = (float(edges[-1] - edges[0]) / (edges.size - 1) for edges in (phi, alpha_f))
    if not _blocks_fit(phi, width, window.phi, window.pixel[1]) or not _blocks_fit(
        alpha_f, height, window.alpha_f, window.pixel[0]
    ):
        across = np.linspace(*window.phi, window.columns + 1)
        return window, 0.0, across, np.linspace(*window.alpha_f, window.rows + 1)
    up, columns = (
        max(1, round(size / step)) for size, step in zip(window.pixel, (height, width), strict=True)
    )
    # The edges next to φ = 0 and at the horizon or above it.
    middle = round(-float(phi[0]) / width)
    bottom = max(int(np.ceil((window.alpha_f[0] - float(alpha_f[0])) / height - 1e-6)), 0)
    middle = int(np.clip(middle, 0, phi.size - 1))
    half = _whole(min(window.phi[1] / width, max(middle, phi.size - 1 - middle)), columns)
    rows = _whole(min((window.alpha_f[1] - float(alpha_f[bottom])) / height, alpha_f.size - 1 - bottom), up)
    across = _locate_edges(phi, middle + columns * np.arange(-half, half + 1), width)
    along = _locate_edges(alpha_f, bottom + up * np.arange(rows + 1), height)
    offset, reach = float(across[half]), half * columns * width
    blocks = Window(rows, 2 * half, (-reach, reach), (float(along[0]), float(along[-1])))
    return _convert_axes(blocks, window), offset if abs(offset) > 1e-9 else 0.0, across, along


def _convert_axes(blocks: Window, window: Window) -> Window:
    """Blocks as BornAgain has their angles; of an image on the window itself that one."""
    axes_pairs = [*blocks.shape, *blocks.phi, *blocks.alpha_f], [*window.shape, *window.phi, *window.alpha_f]
    if np.allclose(*axes_pairs, rtol=1e-9):
        return window
    limits = [(_axis(low), _axis(high)) for low, high in (blocks.phi, blocks.alpha_f)]
    return replace(blocks, phi=limits[0], alpha_f=limits[1])


def _blocks_fit(edges: Floats, step: float, limits: tuple[float, float], pixel: float) -> bool:
    """Whether an axis has even steps, at least as fine as the window's pixels, and lies in it in part."""
    even = np.linspace(edges[0], edges[-1], edges.size)
    inside = edges[0] < limits[1] - step and edges[-1] > limits[0] + step
    return bool(inside and step <= 1.01 * pixel and np.max(np.abs(edges - even)) <= _EVEN * step)


def _axis(angle: float) -> float:
    """An angle as a window has it, degrees: BornAgain takes the values of its axes for tangents."""
    return float(np.degrees(np.tan(np.radians(angle))))


def _locate_edges(edges: Floats, index: NDArray[np.int_], step: float) -> Floats:
    """Edges of pixels by their number, also of some beyond the image."""
    inside = np.clip(index, 0, edges.size - 1)
    return np.asarray(edges[inside] + (index - inside) * step)


def _whole(pixels: float, block: int) -> int:
    """Blocks that hold so many pixels, the last one all but a tenth."""
    return max(1, int(np.ceil(pixels / block - 0.1)))


# --- Poisson likelihood about a fit as a quadratic form, and its non-negative solutions.


def variance(expected: Floats, tolerance: float = INVERSION.tolerance) -> Floats:
    """Variance of the counts: Poisson's, plus the simulation's relative tolerance."""
    expected = np.maximum(expected, INVERSION.least_expected)
    return np.asarray(expected + (tolerance * expected) ** 2)


@dataclass(frozen=True)
class Quadratic:
    """½ cᵀMc − vᵀc + ½ rest: minus the log likelihood of weights, others at their best."""

    m: Floats  #: (k, k)
    v: Floats  #: (k,)
    rest: float
    gain: Floats  #: (f, k), best others are ``others - gain @ c``.
    others: Floats
    spread: Floats  #: (f, f), covariance of the others at given weights.

    def best_others(self, c: Floats) -> Floats:
        """Others at given weights, (f,) or (..., f)."""
        return np.asarray(self.others - c @ self.gain.T)

    def log_likelihood(self, p: Floats) -> Floats:
        """Log likelihood (n,) of normalised distributions (n, k), all else at its best."""
        aligned = np.maximum(p @ self.v, 0.0)
        return np.asarray(0.5 * aligned**2 / np.einsum("ij,ij->i", p @ self.m, p))

    def scales(self, p: Floats) -> Floats:
        """Best total weight of normalised distributions, (n, k) → (n,)."""
        return np.asarray(np.maximum(p @ self.v, 0.0) / np.einsum("ij,ij->i", p @ self.m, p))

    def nonnegative(self) -> Floats:
        """Weights of least loss that are not negative (Lawson and Hanson)."""
        from scipy.optimize import nnls

        scale = 1 / np.sqrt(np.maximum(np.diag(self.m), 1e-300))
        m = self.m * scale[:, None] * scale
        try:
            root = np.linalg.cholesky(m + 1e-11 * np.eye(len(m)))
            matrix, target = root.T, np.linalg.solve(root, self.v * scale)
        except np.linalg.LinAlgError:
            # Rounding may leave a direction that the data say nothing of slightly below zero.
            values, vectors = np.linalg.eigh((m + m.T) / 2)
            values = np.sqrt(np.maximum(values, 1e-9 * values[-1]))
            matrix, target = values[:, None] * vectors.T, vectors.T @ (self.v * scale) / values
        solution, _ = nnls(matrix, target, maxiter=30 * len(m))
        return np.asarray(solution * scale)


def quadratic(
    columns: Floats,
    y: Floats,
    expected: Floats,
    other_columns: Floats,
    precision: Floats,
    target: Floats,
    tolerance: float = INVERSION.tolerance,
    dispersed: float = 1.0,
) -> Quadratic:
    """Expand the likelihood about a fit."""
    # Weights multiply `columns` (k, n); `others` (f, n) are eliminated with Gaussian priors of `precision`
    # (1/σ²) and `target`. `expected` counts set the variance, with the simulation's relative `tolerance` and
    # the factor `dispersed`.
    weight = 1 / np.sqrt(dispersed * variance(expected, tolerance))
    all_columns = np.concatenate((columns, other_columns)) * weight
    data = y * weight
    normal, right = all_columns @ all_columns.T, all_columns @ data
    k = len(columns)
    corner = normal[k:, k:] + np.diag(precision)
    target_sum = right[k:] + precision * target
    if len(other_columns) == 0:
        empty = np.zeros((0, k))
        return Quadratic(normal, right, float(data @ data), empty, np.zeros(0), np.zeros((0, 0)))
    spread: Floats = np.asarray(np.linalg.inv(corner), dtype=np.float64)
    gain = spread @ normal[k:, :k]
    best = spread @ target_sum
    return Quadratic(
        m=normal[:k, :k] - normal[:k, k:] @ gain,
        v=right[:k] - gain.T @ target_sum,
        rest=float(data @ data + precision @ target**2 - target_sum @ best),
        gain=gain,
        others=best,
        spread=spread,
    )


def reweight(
    columns: Floats,
    y: Floats,
    expected: Floats,
    tolerance: float = INVERSION.tolerance,
    rounds: int = 2,
) -> tuple[Floats, Floats]:
    """Find weights of columns and expected counts by reweighted least squares."""
    no_values, weights = np.zeros(0), np.zeros(len(columns))
    for _ in range(rounds):
        weights = quadratic(
            columns, y, expected, np.zeros((0, y.size)), no_values, no_values, tolerance
        ).nonnegative()
        expected = np.maximum(weights @ columns, INVERSION.least_expected)
    return weights, expected


def deviance(y: Floats, expected: Floats, tolerance: float = INVERSION.tolerance) -> Floats:
    """Poisson deviance of each pixel, what the simulation's tolerance explains taken off, (n,)."""
    mu = np.maximum(expected, INVERSION.least_expected)
    ratio = np.where(y > 0, y, 1.0) / mu
    whole = 2 * (np.where(y > 0, y * np.log(ratio), 0.0) - (y - mu))
    return np.asarray(np.maximum(whole, 0.0) * mu / variance(mu, tolerance))


# --- What the counts say of p(ξ): how many modes, whether all angles are alike, and which mirror
# --- image.


def count_resolved_modes(form: Quadratic) -> float:
    """Count modes visible through noise, each by the share that the data decide: Σ λ/(1 + λ) over eigenvalues
    λ of the information in units of the prior's covariance.
    """
    values, vectors = _prior()
    # Weights are counts; the scale is what a uniform distribution of best scale has.
    flat = np.full(N_XI, 1 / N_XI)
    along = form.m @ flat
    scale = float(flat @ form.v) / float(flat @ along)
    information = form.m - np.outer(along, along) / float(flat @ along)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    eigenvalues = np.linalg.eigvalsh(scale**2 * root.T @ information @ root)
    eigenvalues = np.maximum(eigenvalues, 0.0)
    return float(np.sum(eigenvalues / (1 + eigenvalues)))


@lru_cache(maxsize=1)
def _prior() -> tuple[Floats, Floats]:
    """Eigenvalues and vectors of the prior's covariance of p, the same at every angle."""
    draws = simulation.distributions(np.random.default_rng(0).random((4000, simulation.DIMENSIONS)))
    # Every rotation of the prior is the prior, so its covariance depends on the distance alone.
    spectrum = (np.abs(np.fft.rfft(draws - 1 / N_XI, axis=1)) ** 2).mean(axis=0)
    distance = np.fft.irfft(spectrum, n=N_XI) / N_XI
    covariance = distance[(np.arange(N_XI)[:, None] - np.arange(N_XI)) % N_XI]
    values, vectors = np.linalg.eigh(covariance)
    return values, vectors


def uniform_p_value(form: Quadratic, rng: np.random.Generator) -> float:
    """Return the p-value (at least 1/1000) of a uniform distribution, from the likelihood about its fit
    without geometry and backgrounds.
    """
    # The statistic is the prior mean of the likelihood ratio (J. Neyman and E. S. Pearson: no test against a
    # mixture has more power). Its law comes from uniform samples drawn in the quadratic form.
    flat = np.full(N_XI, 1 / N_XI)
    samples = simulation.distributions(rng.random((1500, simulation.DIMENSIONS)))
    samples = samples[np.abs(samples - flat).sum(axis=1) > 1e-9]
    shapes = np.concatenate([flat + strength * (samples - flat) for strength in INVERSION.strengths])
    # With the scale at its best: what is orthogonal to the uniform pattern.
    along = form.m @ flat
    norm = float(flat @ along)
    scale = float(form.scales(flat[None])[0])
    change = scale * (shapes - np.outer(shapes @ along / norm, flat))
    length = np.einsum("ij,ij->i", change @ form.m, change)
    values, vectors = np.linalg.eigh((form.m + form.m.T) / 2)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    noise = root @ rng.normal(size=(N_XI, INVERSION.reference_patterns))
    scores = np.column_stack((form.v - scale * along, noise))
    ratios = change @ scores - 0.5 * length[:, None]
    top = ratios.max(axis=0)
    statistic = top + np.log(np.exp(ratios - top).mean(axis=0))
    return float((1 + np.sum(statistic[1:] >= statistic[0])) / (INVERSION.reference_patterns + 1))


@dataclass(frozen=True)
class MirrorAmbiguity:
    """The two mirror solutions."""

    #: one, other: (120,), means of the samples nearer to either; `other` is the mirror image of `one` where
    #: no sample is.
    one: Floats
    other: Floats
    share: float  #: Of the samples, that belong to `one`.
    resolved: bool  #: The data can choose, or need not.
    sentence: str


def mirror_ambiguity(p: Floats) -> MirrorAmbiguity:
    """Sort equally likely distributions (n, 120) by mirror image, ξ or 60° − ξ."""
    # Only the Ewald sphere's curvature tells them apart; if that does not suffice both are reported.
    # The sample that the others are nearest to stands for its side.
    sparse = p[:: max(1, len(p) // 100)]
    middle = sparse[np.argmin(circular_w1(sparse[:, None], sparse[None], PERIOD).mean(axis=1))]
    distribution = mirror_distribution(middle)
    if float(circular_w1(middle, distribution, PERIOD)) < INVERSION.own_mirror:
        mean = p.mean(axis=0)
        sentence = "Within the uncertainties the distribution is its own mirror image."
        return MirrorAmbiguity(mean, mirror_distribution(mean), 1.0, True, sentence)
    is_mirrored = circular_w1(p, distribution, PERIOD) < circular_w1(p, middle, PERIOD)
    share = 1 - float(is_mirrored.mean())
    mirrored_mean = p[~is_mirrored].mean(axis=0)
    if share > 1 - INVERSION.unlikely:
        sentence = f"The data decide between ξ and 60° − ξ ({100 * share:.0f} % for the solution given)."
        return MirrorAmbiguity(mirrored_mean, mirror_distribution(mirrored_mean), share, True, sentence)
    sentence = (
        f"ξ and 60° − ξ cannot be distinguished ({100 * share:.0f} % against"
        f" {100 * (1 - share):.0f} %): p is the mean of both, and the mirror solution is given as well."
    )
    return MirrorAmbiguity(mirrored_mean, p[is_mirrored].mean(axis=0), share, False, sentence)


# --- What else a pattern depends on besides the rotation of its lattice, as a vector that a fit can
# --- move.


@dataclass(frozen=True)
class OrientationGuess:
    """What a network (or the prior alone) says of how a lattice is rotated; a fit can start from it."""

    xi: Floats  #: (120,), angles of rotation, degrees: 0, 0.5, … 59.5; the period is 60.
    p: Floats  #: (120,), share of each angle; sums to 1.
    #: p_low, p_high: (120,), pointwise 90 % band of p.
    p_low: Floats
    p_high: Floats
    #: Value and one standard deviation, by the names and in the units of `images.gisas.simulation.priors`.
    geometry: dict[str, tuple[float, float]]
    in_scope: float = 1.0  #: 0..1; how much the pattern looks like one that the network was trained on.
    file: str = ""
    notes: tuple[str, ...] = ()
    #: Share of patterns with "every angle alike" that look as far from it; NaN where that is not known.
    uniform_p_value: float = float("nan")


@dataclass(frozen=True)
class Parameter:
    """One quantity and the scale on which a pattern is nearly linear in it."""

    name: str  #: As in `images.gisas.simulation.priors`.
    scale: str  #: ``"plain"``, ``"log"``, or ``"square"`` for what blurs or spreads.
    step: float  #: For differences, on that scale.

    @property
    def prior(self) -> Prior:
        return GEOMETRY[self.name] if self.name in GEOMETRY else MEASUREMENT[self.name]

    @property
    def unit(self) -> str:
        return self.prior.unit

    def inner(self, value: float) -> float:
        return float(np.log(value) if self.scale == "log" else value**2 if self.scale == "square" else value)

    def value(self, inner: float) -> float:
        """Back; what blurs is not negative."""
        if self.scale == "log":
            return float(np.exp(inner))
        return float(np.sqrt(max(inner, 0.0))) if self.scale == "square" else float(inner)

    def inner_error(self, value: float, error: float) -> float:
        """Standard deviation on the scale of the fit."""
        if self.scale == "log":
            return error / value
        return float(np.hypot(2 * value * error, np.sqrt(2) * error**2)) if self.scale == "square" else error

    def error(self, inner: float, error: float) -> float:
        """Standard deviation of the value: half of what two deviations span."""
        return abs(self.value(inner + error) - self.value(inner - error)) / 2

    def limits(self) -> tuple[float, float]:
        """Where a fit may go, on its scale."""
        low, high = self.prior.limits()
        low = 0.0 if self.prior.share < 1 and low > 0 else low
        if self.scale == "square":
            return 0.0, self.inner(high * (1 + INVERSION.beyond_prior))
        first, last = self.inner(low), self.inner(high)
        return first - INVERSION.beyond_prior * (last - first), last + INVERSION.beyond_prior * (last - first)

    def broad(self) -> tuple[float, float]:
        """Middle and standard deviation of the prior's values."""
        low, high = self.prior.limits()
        if self.scale == "log":
            middle = float(np.sqrt(low * high))
            return middle, middle * float(np.log(high / low)) / np.sqrt(12)
        low = 0.0 if self.prior.share < 1 and low > 0 else low
        return (low + high) / 2, (high - low) / np.sqrt(12)


PARAMETERS = (
    Parameter("lattice", "plain", 0.1),
    Parameter("width", "log", 0.01),
    Parameter("position_spread", "square", 2.0),
    Parameter("radius", "plain", 0.1),
    Parameter("radius_pd", "square", 1e-4),
    Parameter("oxide", "plain", 0.3),
    Parameter("shift_alpha", "plain", 2e-4),
    Parameter("shift_phi", "plain", 2e-4),
    Parameter("sigma_phi", "square", 1e-5),
    Parameter("sigma_alpha", "square", 1e-5),
    Parameter("diffuse_alpha", "log", 0.02),
    Parameter("diffuse_phi", "log", 0.02),
)
NAMES = tuple(parameter.name for parameter in PARAMETERS)
INDEX = {name: k for k, name in enumerate(NAMES)}


def prior_guess(image: Image) -> OrientationGuess:
    """A guess from the prior alone, of an image's name: every angle alike, every quantity in its range."""
    return OrientationGuess(
        xi=np.array(XI, dtype=np.float64),
        p=np.full(N_XI, 1 / N_XI),
        p_low=np.zeros(N_XI),
        p_high=np.ones(N_XI),
        geometry={parameter.name: parameter.broad() for parameter in PARAMETERS},
        in_scope=1.0,
        file=image.file,
        notes=("No network was used; the geometry was searched in its whole range.",),
    )


@dataclass(frozen=True)
class Guess:
    """A geometry on the fit's scale with one standard deviation of each parameter: a Gaussian prior."""

    at: Floats
    error: Floats

    @property
    def precision(self) -> Floats:
        """(parameters,) 1/σ²."""
        return np.asarray(1 / self.error**2)

    def chisq(self, inner: Floats) -> float:
        return float(np.sum(((inner - self.at) / self.error) ** 2))


def start(guess: Mapping[str, tuple[float, float]]) -> Guess:
    """Return starting values and their uncertainty from a guess, or the prior's."""
    initial, errors = [], []
    for parameter in PARAMETERS:
        broad = parameter.broad()
        value, error = guess.get(parameter.name, broad)
        # No guess is less certain than the prior, and none so certain that the data do not count.
        most = parameter.inner_error(*broad)
        least = 1e-3 * most
        low, high = parameter.limits()
        value = max(value, parameter.value(low)) if parameter.scale == "log" else value
        initial.append(float(np.clip(parameter.inner(value), low, high)))
        errors.append(float(np.clip(parameter.inner_error(value, error), least, most)))
    return Guess(np.array(initial), np.array(errors))


def clip_parameters(inner: Floats) -> Floats:
    """Kept to where a fit may go."""
    limits = np.array([parameter.limits() for parameter in PARAMETERS])
    return np.asarray(np.clip(inner, limits[:, 0], limits[:, 1]))


def values(inner: Floats) -> dict[str, float]:
    return {p.name: p.value(float(x)) for p, x in zip(PARAMETERS, inner, strict=True)}


def geometry_of(inner: Floats, wavelength: float, nominal_alpha_i: float) -> Geometry:
    """Return sample and beam from inner parameters (n,); wavelength in Å, nominal incidence in degrees."""
    value = values(inner)
    return Geometry(
        lattice=value["lattice"],
        width=value["width"],
        position_spread=value["position_spread"],
        radius=value["radius"],
        radius_pd=max(value["radius_pd"], 1e-3),
        wavelength=wavelength,
        alpha_i=nominal_alpha_i + value["shift_alpha"],
        oxide=value["oxide"],
    )


# --- What a window counts: the basis, blurred and masked, backgrounds, and how both change with the
# --- geometry.

#: Where BornAgain is asked for patterns of which a tenth is forgiven.
ROUGH = Nodes(apart=2)
#: Differences are smooth: those with the particles' sizes along each pixel, those with the film and the
#: incidence across. On finer parts of a pixel the film's fringes lead a descent into the next local minimum.
_DIFFERENCES = {
    ("radius", "radius_pd"): Nodes(low=2, high=1, apart=2),
    ("oxide", "shift_alpha"): Nodes(low=4, high=2, apart=4),
}
#: How far each may move until the differences are taken anew, on the fit's scale.
_NEAR = {"radius": 0.6, "radius_pd": 6e-4, "oxide": 8.0, "shift_alpha": 1e-3}
_STEPS = np.array([parameter.step for parameter in PARAMETERS])[:, None]
_OF_LATTICE = ("lattice", "width")
_OF_DETECTOR = ("shift_alpha", "shift_phi", "sigma_phi", "sigma_alpha")


@dataclass(frozen=True)
class Responses:
    """Factors by which the particles' scattering changes with a step of each parameter."""

    inner: Floats
    across: int  #: Parts of a pixel.
    #: dict of str to (array, array), by parameter: of ⟨|F|²⟩ and of |⟨F⟩|², (rows, columns · across).
    of: dict[str, tuple[Floats, Floats]]

    @classmethod
    def compute(cls, current: State) -> Responses:
        """Calculate by differences, on fewer parts of a pixel than a pattern needs."""
        counts, across = current.counts, current.factors.across

        def coarse(inner: Floats, nodes: Nodes) -> tuple[Floats, Floats]:
            geometry = geometry_of(inner, counts.wavelength, counts.alpha_i)
            return compute_scattering(geometry, current.factors.window, across, nodes)

        responses = {}
        for names, nodes in _DIFFERENCES.items():
            base = coarse(current.inner, nodes)
            for name in names:
                moved = coarse(current.step_parameter(name), nodes)
                responses[name] = (_ratio(moved[0], base[0]), _ratio(moved[1], base[1]))
        return cls(current.inner, across, responses)

    def is_near(self, inner: Floats, across: int) -> bool:
        """A geometry is so near that they hold there as well."""
        moved = np.abs(inner - self.inner)
        return across == self.across and all(moved[INDEX[name]] < far for name, far in _NEAR.items())


def _ratio(moved: Floats, base: Floats) -> Floats:
    # In the minima of one size, where a spline may even fall below zero, nothing is seen anyway.
    ratio = np.ones_like(base)
    np.divide(moved, base, out=ratio, where=base > 0)
    return np.clip(ratio, 0.5, 2.0)


@dataclass(frozen=True)
class State:
    """The model at one geometry."""

    inner: Floats
    counts: Counts
    factors: Factors
    before: Responses | None = None  #: Of a geometry that may be near.

    @cached_property
    def patterns(self) -> Floats:
        """(120, n): what the pixels count of each rotation; a window of particles alone counts one."""
        straight = self._row_blur @ self.factors.half(self._column_blur)
        mirrored = self._row_blur @ self.factors.half(self._column_blur, mirrored=True)[N_HALF - 2 : 0 : -1]
        whole = self.counts.select_measured(np.concatenate((straight, mirrored)))
        return whole / self._norm

    @cached_property
    def backgrounds(self) -> Floats:
        """(2, n): flat and decaying, one count each in the window."""
        return np.stack([self.counts.select_measured(self._background(kind)) for kind in ("flat", "diffuse")])

    @cached_property
    def _norm(self) -> float:
        # Of no rotation in particular: the particles alone.
        return float(self.factors.every.mean() * self.counts.window.rows * self.counts.window.columns)

    def jacobian(self, weights: Floats, diffuse: float) -> Floats:
        """Derivative (parameters, n) of the expected counts on the fit's scale, at fixed weights: counts
        (120,) of each rotation, and `diffuse` ones of the decaying background.
        """
        factors, total = self.factors, float(weights.sum())
        mixed = factors.mix_sums(weights)
        base = factors.pattern(mixed, total)
        jacobian = np.zeros((len(PARAMETERS), self.counts.y.size))
        for name in _OF_LATTICE:
            # On the same parts of pixels, so that the difference is the parameter's.
            moved = factors.update(self._geometry(name), across=factors.across, weights=weights)
            jacobian[INDEX[name]] = self._count_pattern(moved.pattern(moved.mix_sums(weights), total) - base)
        spread = factors.replace_particles(self._geometry("position_spread"), factors.every, factors.mean)
        jacobian[INDEX["position_spread"]] = self._count_pattern(spread.pattern(mixed, total) - base)
        for name, (incoherent, mean) in self.responses.of.items():
            moved = factors.replace_particles(
                factors.geometry, factors.every * incoherent, factors.mean * mean
            )
            jacobian[INDEX[name]] = self._count_pattern(moved.pattern(mixed, total) - base)
        for name in _OF_DETECTOR:
            up, across = self._blurs(self.step_parameter(name))
            jacobian[INDEX[name]] += self.counts.select_measured(
                up @ base @ across.T
            ) / self._norm - self._count_pattern(base)
        for name in ("diffuse_alpha", "diffuse_phi"):
            changed = self._background("diffuse", self.step_parameter(name)) - self._background("diffuse")
            jacobian[INDEX[name]] = diffuse * self.counts.select_measured(changed)
        return np.asarray(jacobian / _STEPS)

    def _count_pattern(self, clean: Floats) -> Floats:
        return self.counts.select_measured(self._row_blur @ clean @ self._column_blur.T) / self._norm

    @cached_property
    def _row_blur(self) -> Floats:
        return self._blurs(self.inner)[0]

    @cached_property
    def _column_blur(self) -> Floats:
        return self._blurs(self.inner)[1]

    def _blurs(self, inner: Floats) -> tuple[Floats, Floats]:
        """Return blur matrices of rows, (rows, rows + margin), and of pixel parts to columns."""
        value, window, factors = values(inner), self.counts.window, self.factors
        height, width = window.pixel
        rows, columns = window.rows + MARGIN, window.columns + 2 * MARGIN
        up = blur_matrix(window.rows, rows, 0, value["sigma_alpha"], value["shift_alpha"], height)
        blur = value["sigma_phi"], value["shift_phi"]
        if factors.offset:
            across = columns_of(factors.window, factors.across, factors.offset, *blur)[MARGIN:-MARGIN]
        else:
            # An image on the window of the simulation, whose blur spreads counts evenly over a pixel.
            pixels = blur_matrix(window.columns, columns, MARGIN, *blur, width)
            across = np.repeat(pixels, factors.across, axis=1) / factors.across
        return up, across

    def step_parameter(self, name: str) -> Floats:
        inner = self.inner.copy()
        inner[INDEX[name]] += PARAMETERS[INDEX[name]].step
        return inner

    def _geometry(self, name: str) -> Geometry:
        return geometry_of(self.step_parameter(name), self.counts.wavelength, self.counts.alpha_i)

    @cached_property
    def responses(self) -> Responses:
        """What steps do to the particles' scattering; taken over while little has moved."""
        responses = self.before
        if responses is not None and responses.is_near(self.inner, self.factors.across):
            return responses
        return Responses.compute(self)

    def _background(self, kind: str, inner: Floats | None = None) -> Floats:
        value = values(self.inner if inner is None else inner)
        measurement = Measurement(
            sigma_phi=0.0,
            sigma_alpha=0.0,
            shift_phi=0.0,
            shift_alpha=0.0,
            flat=float(kind == "flat"),
            diffuse=float(kind == "diffuse"),
            diffuse_alpha=value["diffuse_alpha"],
            diffuse_phi=value["diffuse_phi"],
            counts=1.0,
        )
        return background(self.counts.window, measurement)


@dataclass(frozen=True)
class Refined:
    """Where the refinement ended."""

    state: State
    weights: Floats  #: (120,), counts of each rotation.
    backgrounds: Floats
    expected: Floats  #: (n,), counts of each pixel.
    loss: float  #: Half the deviance and half the prior's χ².
    #: Thickness of the film in Å, and loss, at which descents from several films ended; one of them this.
    films: tuple[tuple[float, float], ...] = ()


def state(counts: Counts, inner: Floats, previous: State | None = None, nodes: Nodes | None = None) -> State:
    """The model at a geometry; what an earlier one had and did not change is kept."""
    nodes = nodes or Nodes()
    geometry = geometry_of(inner, counts.wavelength, counts.alpha_i)
    window = counts.window.add_margin(MARGIN)
    if previous is None:
        return State(inner, counts, Factors.compute(geometry, window, nodes, counts.offset))
    earlier = previous.__dict__.get("responses", previous.before)
    return State(inner, counts, previous.factors.update(geometry, nodes=nodes), earlier)


# --- Thicknesses of the film that explain a pattern better: the loss has many minima along it.

_FILMS = np.arange(*PARAMETERS[INDEX["oxide"]].limits(), INVERSION.film_step)
_OTHERS = [k for k in range(len(PARAMETERS)) if k != INDEX["oxide"]]


def is_new(film: float, other_films: Iterable[float], least: float = 2 * INVERSION.film_step) -> bool:
    """Whether a film is another one than all of these, by so many Å."""
    return all(abs(film - other_film) >= least for other_film in other_films)


def film_minima(refined: Refined, guess: Guess) -> list[tuple[float, float]]:
    """Find film thicknesses, Å, of least loss, with its expected fall, deepest first."""
    # Fringes of the rod repeat, so minima may be far. Scale, backgrounds and other parameters adapt linearly
    # at each: rough far away, but minima stay in place.
    state, counts, oxide = refined.state, refined.state.counts, INDEX["oxide"]
    current_film = float(state.inner[oxide])
    films = np.unique(np.append(_FILMS, current_film))
    jacobian = state.jacobian(refined.weights, float(refined.backgrounds[1]))[_OTHERS]
    expected = refined.expected[None]
    precision, target = guess.precision[_OTHERS], (guess.at - state.inner)[_OTHERS]
    losses = []
    for film, ratio in zip(films, ratios(refined, films), strict=True):
        columns = np.concatenate((state.backgrounds, expected * ratio))
        form = quadratic(columns, counts.y, refined.expected, jacobian * ratio, precision, target)
        weights = form.nonnegative()
        loss = form.rest - 2 * weights @ form.v + weights @ form.m @ weights
        losses.append(0.5 * (float(loss) + ((film - guess.at[oxide]) / guess.error[oxide]) ** 2))
    falls = losses[int(np.argmin(np.abs(films - current_film)))] - np.array(losses)
    around = np.concatenate(([-np.inf], falls, [-np.inf]))
    lowest = (falls >= around[:-2]) & (falls >= around[2:])
    return sorted(zip(films[lowest].tolist(), falls[lowest].tolist(), strict=True), key=lambda pair: -pair[1])


def better_film(refined: Refined) -> float | None:
    """A thickness, Å, that explains the rows better, nothing else changed; None where none does."""
    # For fits so far from the counts that what is linear about them says little.
    y = refined.state.counts.y
    films = _FILMS[np.abs(_FILMS - refined.state.inner[INDEX["oxide"]]) > INVERSION.film_step]
    best, least = None, float(deviance(y, refined.expected).sum()) - INVERSION.rival_odds
    for film, ratio in zip(films, ratios(refined, films), strict=True):
        changed = refined.expected * ratio
        loss = float(deviance(y, changed * (y.sum() / changed.sum())).sum())
        if loss < least:
            best, least = float(film), loss
    return best


def ratios(refined: Refined, films: Floats) -> Floats:
    """What other thicknesses do to each pixel that counts, (films, n): a factor."""
    counts = refined.state.counts
    rows = film_profiles(refined.state.factors.geometry, counts.window, films.tolist())
    return np.broadcast_to(rows[:, :, None], (len(films), *counts.mask.shape))[:, counts.mask]


# --- What is inverted, how many geometries the inversion may look at, and what is told meanwhile.


@dataclass
class Effort:
    """Geometries that were looked at, and their work; where it is over, no other descent begins.

    Counted rather than timed: the same pattern has the same answer on any machine.
    """

    most: int = INVERSION.most_geometries  #: Geometries.
    most_work: float = INVERSION.most_work  #: CPU-seconds, as `geometry` estimates them.
    told: Callable[[str], None] | None = None  #: Told of each stage in a few words.
    spent: int = 0
    work: float = 0.0

    @property
    def is_over(self) -> bool:
        """No other descent may begin."""
        return self.spent >= self.most or self.work >= self.most_work

    @property
    def half_over(self) -> bool:
        """Half of the geometries are spent."""
        return self.spent > self.most / 2

    def ends(self, number: int, most: int) -> bool:
        """A descent that has begun ends where it stands, after so many of at most so many geometries."""
        return number == most or self.work >= self.most_work / EFFORT.planned

    def geometry(self, values: int) -> None:
        """Count one geometry, with so many values of the lattice's sums."""
        fixed_work, value_work = INVERSION.geometry_work
        self.spent += 1
        self.work += fixed_work + value_work * values / 1e6

    def say(self, stage: str) -> None:
        if self.told is not None:
            self.told(f"{stage}, {self.spent} geometries so far")


@dataclass(frozen=True)
class Problem:
    """A pattern, what is known of its geometry before, and the bound on the search."""

    counts: Counts
    guess: Guess
    effort: Effort = field(default_factory=Effort)


# --- Samples of the posterior of p(ξ): they move from prior to data as the likelihood is turned on.

#: From (n, 120) distributions to (n,) log likelihoods.
LogLikelihood = Callable[[Floats], Floats]
_WALK_STEPS, _MOVES = np.array(INVERSION.walk_steps), np.cumsum(INVERSION.moves)


@dataclass(frozen=True)
class Samples:
    """Equally likely samples of a posterior."""

    p: Floats  #: (n, 120)
    #: (n, 120), the same as shares of the patterns on the grid of angles: single angles lie between them.
    weights: Floats
    log_likelihood: Floats
    evidence: float  #: Logarithm of the mean likelihood over the prior.


def sample(
    log_likelihood: LogLikelihood,
    rng: np.random.Generator,
    *,
    number: int = 300,
    accepted: float = 4.0,
    most: int = 100,
) -> Samples:
    """Draw from the posterior, `accepted` moves each in at most `most` tries at each exponent."""
    points = rng.random((number, simulation.DIMENSIONS))
    likelihoods = log_likelihood(simulation.distributions(points, between=True))
    exponent, evidence = 0.0, 0.0
    works = np.ones(_WALK_STEPS.size)
    while exponent < 1:
        rise = _rise(likelihoods, 1 - exponent)
        weight = np.exp(rise * (likelihoods - likelihoods.max()))
        evidence += float(rise * likelihoods.max() + np.log(weight.mean()))
        exponent = 1.0 if rise >= 1 - exponent else exponent + rise
        chosen = _resample(weight, rng)
        points, likelihoods = points[chosen], likelihoods[chosen]
        target, limit = (accepted, most) if exponent < 1 else (3 * accepted, 3 * most)
        moves = 0.0
        for _ in range(limit):
            proposed, size = _proposals(points, works, rng)
            likely = log_likelihood(simulation.distributions(proposed, between=True))
            is_accepted = np.log(rng.random(number)) < exponent * (likely - likelihoods)
            points[is_accepted], likelihoods[is_accepted] = proposed[is_accepted], likely[is_accepted]
            _learn(works, size, is_accepted)
            moves += float(is_accepted.mean())
            if moves > target:
                break
    return Samples(
        simulation.distributions(points),
        simulation.distributions(points, between=True),
        likelihoods,
        evidence,
    )


def _learn(works: Floats, size: NDArray[np.intp], is_accepted: NDArray[np.bool_]) -> None:
    """How often each step of a walk is accepted: half is best, always is too short to lead anywhere."""
    for k in np.unique(size[size >= 0]):
        share = min(float(is_accepted[size == k].mean()), 0.5)
        works[k] += 0.1 * (share - works[k])


def pool_samples(sets: Sequence[Samples]) -> Samples:
    """Samples as one, without those that explain the data far worse than the best does."""
    means = np.array([samples.log_likelihood.mean() for samples in sets])
    good = [
        samples for samples, mean in zip(sets, means, strict=True) if mean > means.max() - INVERSION.behind
    ]
    evidences = np.array([samples.evidence for samples in good])
    top = evidences.max()
    parts = zip(*((samples.p, samples.weights, samples.log_likelihood) for samples in good), strict=True)
    p, weights, log_likelihood = map(np.concatenate, parts)
    evidence = float(top + np.log(np.mean(np.exp(evidences - top))))
    return Samples(p, weights, log_likelihood, evidence)


def _rise(likelihoods: Floats, most: float) -> float:
    """How far the exponent may rise and leave the effective sample."""

    def effective(rise: float) -> float:
        weight = np.exp(rise * (likelihoods - likelihoods.max()))
        return float(weight.sum() ** 2 / (weight**2).sum() / weight.size)

    if effective(most) >= INVERSION.effective:
        return most
    low, high = 0.0, most
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if effective(middle) > INVERSION.effective else (low, middle)
    return max(low, 1e-12)


def _resample(weight: Floats, rng: np.random.Generator) -> NDArray[np.intp]:
    """Indices drawn by weight, evenly spaced (systematic resampling)."""
    n = weight.size
    positions = (rng.random() + np.arange(n)) / n
    return np.asarray(np.searchsorted(np.cumsum(weight / weight.sum()), positions).clip(max=n - 1))


def _proposals(points: Floats, works: Floats, rng: np.random.Generator) -> tuple[Floats, NDArray[np.intp]]:
    """A proposal for each sample, as likely as the way back; and which step a walk took."""
    n, d = points.shape
    kind = np.asarray(np.searchsorted(_MOVES, rng.random(n)))
    active = simulation.active(points)
    # What a distribution does not depend on follows the prior: drawn anew, as it may come to depend on it.
    spare = ~active
    spare[:, simulation.CHOICES] = False
    new = np.where(spare, rng.random((n, d)), points)
    kind[(kind == 0) & ~active.any(axis=1)] = 1
    chance = works + 0.05
    size = np.where(kind == 0, rng.choice(_WALK_STEPS.size, size=n, p=chance / chance.sum()), -1)
    rows = np.flatnonzero(kind == 0)
    order = (rng.random((rows.size, d)) + ~active[rows]).argsort(axis=1).argsort(axis=1)
    chosen = (order < rng.integers(1, 5, rows.size)[:, None]) & active[rows]
    new[rows] += chosen * rng.normal(size=(rows.size, d)) * _WALK_STEPS[size[rows]][:, None]
    rows = np.flatnonzero(kind == 1)
    any_of = (rng.random((rows.size, d)) + ~active[rows]).argmin(axis=1)
    kinds = np.where(rng.random(rows.size) < 0.5, rng.choice(simulation.CHOICES, rows.size), any_of)
    new[rows, kinds] = rng.random(rows.size)
    rows = np.flatnonzero(kind == 2)
    over = (
        rng.random((rows.size, simulation.ROUND.size))
        < np.where(rng.random(rows.size) < 0.3, 1.0, 0.25)[:, None]
    )
    new[rows] = simulation.mirror_points(new[rows], over)
    rows = np.flatnonzero(kind == 3)
    angles = new[rows, simulation.ANGLES]
    new[rows, simulation.ANGLES] = angles + rng.integers(-1, 2, angles.shape) / 120
    rows = np.flatnonzero(kind == 4)
    for shares in (simulation.ANGLE_SHARES, simulation.PEAK_SHARES, simulation.KIND_SHARES):
        order = rng.random((rows.size, shares.stop - shares.start)).argsort(axis=1)
        values = new[rows, shares]
        moved = 0.1 * rng.normal(size=(rows.size, 1)) * ((order == 0) * 1.0 - (order == 1))
        new[rows, shares] = values + moved
    new[:, simulation.ROUND] %= 1.0
    new = np.abs(new)
    new = np.where(new > 1, 2 - new, new)
    return np.clip(new, 0.0, 1 - 1e-12), size


# --- Whether a pattern looks like what the model found for it, with noise of counts.


@dataclass(frozen=True)
class Verification:
    """A pattern against its simulation."""

    #: deviance, expected, sd: Poisson deviance, and its mean and standard deviation were the model right.
    deviance: float
    expected: float
    sd: float
    dof: int
    in_scope: float  #: 0..1.
    residual: Floats  #: (n,), signed roots of the pixels' deviances.
    #: By how much the simulated pattern is off beside the rod, relative; 0 where noise explains it.
    misfit: float
    sentence: str


def verify(
    counts: Counts,
    simulated: Floats,
    parameters: float,
    scattered: Floats | None = None,
    dispersed: float = 1.0,
) -> Verification:
    """Compare the simulated pattern (n,) with the counts."""
    # Each of `parameters` takes one off the deviance; `scattered` are expected counts without background;
    # `dispersed` has widened the band already.
    deviances = deviance(counts.y, simulated)
    whole, sd = chance(simulated)
    dof = int(round(counts.y.size - parameters))
    expected = whole * dof / counts.y.size
    total = float(deviances.sum())
    z = (total - expected) / sd
    misfit = _misfit(counts, simulated)
    in_scope = 1.0 if z < INVERSION.significant else 1 / (1 + (misfit / INVERSION.half_believed) ** 2)
    off_rod = counts.rotation_mask
    share = (
        1.0 if scattered is None else float(scattered[off_rod].sum() / max(simulated[off_rod].sum(), 1e-9))
    )
    in_scope *= min(1.0, share / INVERSION.least_share)
    return Verification(
        total,
        expected,
        sd,
        dof,
        in_scope,
        np.sign(counts.y - simulated) * np.sqrt(deviances),
        0.0 if z < INVERSION.significant else misfit,
        _describe_verification(total, expected, z, misfit, in_scope, share, dispersed),
    )


def chance(simulated: Floats) -> tuple[float, float]:
    """Mean and standard deviation of the deviance of all pixels, were the expected counts right."""
    mean, var = moments(simulated)
    # What the tolerance takes off a pixel's deviance.
    weight = np.maximum(simulated, 1e-3) / variance(simulated)
    return float((mean * weight).sum()), float(np.sqrt((var * weight**2).sum()))


def excess(counts: Counts, simulated: Floats) -> float:
    """Return the deviance of all pixels above its mean, in standard deviations."""
    expected, sd = chance(simulated)
    return (float(deviance(counts.y, simulated).sum()) - expected) / sd


def dispersion(counts: Counts, simulated: Floats) -> float:
    """Return the scatter of counts about their simulation over that of noise, off the rod."""
    # One where chance explains the deviance. Beyond, the likelihood divided by it (R. W. M. Wedderburn,
    # Biometrika 61 (1974) 439) says how well the angles are known from a model that is nearly right.
    if excess(counts, simulated) < INVERSION.significant:
        return 1.0
    off_rod = counts.rotation_mask
    return max(1.0, float(deviance(counts.y, simulated)[off_rod].sum()) / chance(simulated[off_rod])[0])


def _describe_verification(
    total: float, expected: float, z: float, misfit: float, in_scope: float, share: float, dispersed: float
) -> str:
    if share < INVERSION.least_share:
        return (
            "The background alone fits the image, and no ordered particles are visible. It is outside"
            " the training data of this model, so p(ξ) is meaningless."
        )
    text = f"The deviance is {total:.0f}, {expected:.0f} expected"
    if z < INVERSION.significant:
        return f"{text}: the simulated pattern fits the image."
    if in_scope > 0.5:
        band = (
            f"its band allows for {dispersed:.3g} times the variance of counts"
            if dispersed > 1
            else "its band too narrow"
        )
        return (
            f"{text}: the simulated pattern differs by {100 * misfit:.0f} % outside the specular rod,"
            f" more than the noise. The orientation is probably right, {band}."
        )
    return (
        f"{text}: no orientation of the lattice fits the image (misfit {100 * misfit:.0f} % outside the"
        " specular rod). The image is outside the training data of this model, so p(ξ) is meaningless."
    )


def _misfit(counts: Counts, simulated: Floats) -> float:
    """Root mean square of what noise does not explain beside the rod, over that of the pattern there."""
    off_rod = counts.rotation_mask
    mu, y = simulated[off_rod], counts.y[off_rod]
    # Σ(y − μ)² less the noise, over Σμ², pixels weighted as noise weighs them.
    excess = float(np.sum(((y - mu) ** 2 - mu) / np.maximum(mu, 1.0)))
    return float(np.sqrt(max(excess, 0.0) / max(float(np.sum(mu**2 / np.maximum(mu, 1.0))), 1e-9)))


def moments(expected: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of a pixel's Poisson deviance under right expected counts: summed below 100 counts,
    above 1 + 1/(6μ) and 2 + 4/(3μ), the expansion in 1/μ.
    """
    grid, mean, var = _table()
    mu = np.maximum(expected, grid[0])
    large = mu > grid[-1]
    log_mu = np.log(np.minimum(mu, grid[-1]))
    first = np.where(large, 1 + 1 / (6 * mu), np.interp(log_mu, np.log(grid), mean))
    second = np.where(large, 2 + 4 / (3 * mu), np.interp(log_mu, np.log(grid), var))
    return np.asarray(first), np.asarray(second)


@lru_cache(maxsize=1)
def _table() -> tuple[Floats, Floats, Floats]:
    grid = np.geomspace(1e-3, 100.0, 200)
    y = np.arange(0, 260.0)
    log_p = y * np.log(grid[:, None]) - grid[:, None] - gammaln(y + 1)
    p = np.exp(log_p)
    ratio = np.where(y > 0, y, 1.0) / grid[:, None]
    deviances = 2 * (np.where(y > 0, y * np.log(ratio), 0.0) - (y - grid[:, None]))
    mean = (p * deviances).sum(axis=1)
    return grid, mean, (p * deviances**2).sum(axis=1) - mean**2


# --- Geometry and distribution together: Gauss–Newton on the Poisson likelihood, weights not
# --- negative.

#: Geometries of a descent, at most, at each tolerance.
MOST = 10
#: Shares of a step that are tried, until one lowers the loss.
SHRINKS = (1.0, 1 / 3, 1 / 3 / 3, 1 / 3 / 3 / 3)


def refine(problem: Problem, begin: Floats | None = None) -> Refined:
    """Refine the geometry from `begin` (parameters,) or the guess; includes the films of all descents."""
    effort = problem.effort
    refined = best_tilt(problem, problem.guess.at if begin is None else begin)
    ends = [end_of(refined)]
    followed = [ends[0][0]]
    while len(followed) <= INVERSION.trial_steps and not effort.is_over:
        film = next_film(refined, problem.guess, followed)
        if film is None:
            break
        followed.append(film)
        effort.say(f"a film of {film:.0f} Å is tried")
        trial = from_film(problem, refined, film)
        ends.append(end_of(trial))
        refined = min(refined, trial, key=lambda descent: descent.loss)
    return replace(refined, films=tuple(ends))


def sweep_films(problem: Problem, refined: Refined) -> Refined:
    """The best of short descents from films all over the range, with the ends of all of them."""
    # Between two films that explain the counts alike the loss need not look as if it fell from either.
    best = refined
    half, ends = INVERSION.search_steps["oxide"] / 2, list(refined.films)
    for film in list_search_values("oxide", *PARAMETERS[INDEX["oxide"]].limits()):
        if not is_new(film, dict(ends).keys(), half):
            continue
        if problem.effort.is_over:
            break
        trial = from_film(problem, best, film, INVERSION.trial_steps // 2)
        if trial.loss < best.loss + INVERSION.behind:
            begin = trial.state
            trial = descend(problem, begin.inner, previous=begin, most=INVERSION.trial_steps)
        ends.append(end_of(trial))
        best = min(best, trial, key=lambda descent: descent.loss)
    if best is not refined:
        best = descend(problem, best.state.inner, previous=best.state)
        ends.append(end_of(best))
    return replace(best, films=tuple(ends))


def list_search_values(name: str, low: float, high: float) -> list[float]:
    """Values of a quantity all over a range, in steps of a search."""
    step = INVERSION.search_steps[name]
    return [float(value) for value in np.arange(low + step / 2, high, step)]


def from_film(problem: Problem, refined: Refined, film: float, most: int = MOST) -> Refined:
    """A descent from a fit with another film."""
    moved = refined.state.inner.copy()
    moved[INDEX["oxide"]] = film
    return descend(problem, moved, previous=refined.state, most=most)


def end_of(refined: Refined) -> tuple[float, float]:
    """Film and loss at which a descent ended."""
    return float(refined.state.inner[INDEX["oxide"]]), refined.loss


def next_film(refined: Refined, guess: Guess, followed: Sequence[float]) -> float | None:
    """A film worth a descent, Å: one that promises much, or any other where the fit leaves something over."""
    better = None if explains(refined) else better_film(refined)
    if better is not None and is_new(better, followed):
        return better
    least = 0.0 if explains(refined, INVERSION.well_explained) else -np.inf
    falling = (film for film, fall in film_minima(refined, guess) if fall > least)
    return next(filter(lambda film: is_new(film, followed), falling), None)


def best_tilt(problem: Problem, begin: Floats) -> Refined:
    """The first descent that explains the counts, from one tilt of the sample or another; else the best."""
    refined: Refined | None = None
    for loose in _begin_descents(problem, begin):
        trial = descend(problem, loose.state.inner, previous=loose.state)
        refined = trial if refined is None else min(refined, trial, key=lambda descent: descent.loss)
        if explains(refined):
            break
    assert refined is not None
    return refined


def _begin_descents(problem: Problem, begin: Floats) -> Iterator[Refined]:
    """Descents to follow: at once where nothing is suspicious; those that are left wait, the best first."""
    enough = INVERSION.suspect_loss * problem.counts.y.size
    waiting: list[Refined] = []
    any_followed = False
    for loose in _descend_from_tilts(problem, begin):
        if loose.loss > enough:
            waiting.append(loose)
        else:
            yield loose
            any_followed = True
    for loose in sorted(waiting, key=lambda descent: descent.loss)[: START_VALUES.finalists]:
        if problem.effort.is_over and any_followed:
            break
        yield loose
        any_followed = True


def _descend_from_tilts(problem: Problem, begin: Floats) -> Iterator[Refined]:
    """Short descents with the loose tolerance, from the tilt of the sample at which one begins and others."""
    tilt = INDEX["shift_alpha"]
    current: State | None = None
    for errors in (0.0, *INVERSION.tilts):
        if errors and problem.effort.half_over:
            break
        moved = begin.copy()
        moved[tilt] += errors * problem.guess.error[tilt]
        steps = INVERSION.trial_steps if errors else MOST // 2
        problem.effort.say("another tilt of the sample is tried" if errors else "the geometry is refined")
        loose = descend(problem, moved, previous=current, most=steps, tolerance=INVERSION.loose_tolerance)
        current = loose.state
        yield loose


def explains(refined: Refined, within: float = ASSESSMENT.significant) -> bool:
    """The deviance is what chance leaves, to so many standard deviations."""
    return excess(refined.state.counts, refined.expected) < within


def loss_of(current: State, expected: Floats, guess: Guess, tolerance: float = INVERSION.tolerance) -> float:
    """Half of the deviance and of the geometry's χ² about the guess."""
    return 0.5 * (float(deviance(current.counts.y, expected, tolerance).sum()) + guess.chisq(current.inner))


def descend(
    problem: Problem,
    begin: Floats,
    *,
    previous: State | None = None,
    most: int = MOST,
    tolerance: float = INVERSION.tolerance,
    enough: float = 0.5,
) -> Refined:
    """Gauss–Newton steps until they gain less than ``enough``, shorter ones where the loss would rise."""
    numbers = iter(range(2, most + 1))
    best = _fit_at(problem, clip_parameters(begin), previous, None, tolerance)
    ended = problem.effort.ends(1, most)
    while not ended:
        lower, ended = _lower(problem, best, numbers, most, tolerance, enough)
        best = lower or best
    return best


def _lower(
    problem: Problem, best: Refined, numbers: Iterator[int], most: int, tolerance: float, enough: float
) -> tuple[Refined | None, bool]:
    """Find less loss in the direction of a step, or None, and whether the descent ends."""
    step = step_of(best, problem.guess, tolerance)
    for number, shrink in zip(numbers, SHRINKS, strict=False):
        inner = clip_parameters(best.state.inner + shrink * step)
        trial = _fit_at(problem, inner, best.state, best.expected, tolerance)
        if trial.loss <= best.loss:
            settled = shrink == 1.0 and best.loss - trial.loss < enough
            return trial, settled or problem.effort.ends(number, most)
        if trial.loss < best.loss + enough:
            break
    return None, True


def _fit_at(
    problem: Problem, inner: Floats, previous: State | None, expected: Floats | None, tolerance: float
) -> Refined:
    current = state(
        problem.counts, inner, previous, ROUGH if tolerance >= INVERSION.loose_tolerance else None
    )
    problem.effort.geometry(current.factors.sums.size)
    weights, backgrounds, counts = fit_weights(current, expected, tolerance)
    return Refined(current, weights, backgrounds, counts, loss_of(current, counts, problem.guess, tolerance))


def step_of(refined: Refined, guess: Guess, tolerance: float = INVERSION.tolerance) -> Floats:
    """The step of the geometry to the minimum of the loss's quadratic form, none longer than is allowed."""
    current = refined.state
    ranges = np.array([high - low for low, high in (p.limits() for p in PARAMETERS)])
    jacobian = current.jacobian(refined.weights, float(refined.backgrounds[1]))
    columns = np.concatenate((current.backgrounds, current.patterns))
    to_guess = guess.at - current.inner
    form = quadratic(
        columns, current.counts.y, refined.expected, jacobian, guess.precision, to_guess, tolerance
    )
    step = form.best_others(form.nonnegative())
    return np.asarray(step / max(1.0, float(np.max(np.abs(step) / (INVERSION.longest_step * ranges)))))


def fit_weights(
    current: State, expected: Floats | None = None, tolerance: float = INVERSION.tolerance, rounds: int = 2
) -> tuple[Floats, Floats, Floats]:
    """Fit weights, backgrounds and expected counts at fixed geometry by reweighted least squares; `expected`
    of an earlier fit sets the first variances.
    """
    y = current.counts.y
    columns = np.concatenate((current.backgrounds, current.patterns))
    solution, expected = reweight(columns, y, y + 1.0 if expected is None else expected, tolerance, rounds)
    return solution[2:], solution[:2], expected


# --- What the counts say of p(ξ) and of the geometry together, about a refined fit.


@dataclass(frozen=True)
class Posterior:
    """Samples of the distribution, and the geometry that goes with them."""

    state: State  #: Simulated at the mean geometry, or near to it.
    form: Quadratic  #: The likelihood about it; others are two backgrounds and the parameters' changes.
    samples: Samples
    #: inner, error: (parameters,), geometry on the fit's scale and its standard deviation, that of p
    #: included.
    inner: Floats
    error: Floats
    weights: Floats  #: (120,), mean counts of each rotation.
    backgrounds: Floats
    expected: Floats  #: (n,), mean counts of each pixel.
    dispersed: float  #: See `verify.dispersion`.


def posterior(
    problem: Problem,
    refined: Refined,
    rng: np.random.Generator,
    *,
    rounds: int = 3,
    effort: float = 15.0,
) -> Posterior:
    """Draw distributions and correct the geometry by them until both agree, in at most `rounds`; the last
    draws more, with `effort` moves at each exponent.
    """
    # Several small sets show where one has missed the best explanation. Weights of least loss are spiky and
    # pull the geometry, so it moves to its mean over samples.
    counts, guess = problem.counts, problem.guess
    begin = refined.state, refined.weights, refined.backgrounds, refined.expected
    current, weights, backgrounds, expected = begin
    dispersed = dispersion(counts, expected)
    found_posterior: Posterior | None = None
    for number in range(rounds):
        last = number == rounds - 1
        form = expand(current, weights, backgrounds, expected, guess, dispersed)
        samples = _samples(form, rng, effort, last)
        all_weights = form.scales(samples.weights)[:, None] * samples.weights
        other_columns = form.best_others(all_weights)
        mean = other_columns.mean(axis=0)
        inner = clip_parameters(current.inner + mean[2:])
        smooth, fixed_backgrounds = all_weights.mean(axis=0), np.maximum(mean[:2], 0.0)
        spread = np.sqrt(np.diag(form.spread + np.cov(other_columns.T))[2:])
        found_posterior = Posterior(
            current, form, samples, inner, spread, smooth, fixed_backgrounds, expected, dispersed
        )
        if last:
            break
        moved = state(counts, inner, current)
        spiky = fit_weights(moved, expected)
        best = float(deviance(counts.y, spiky[2]).sum())
        if 0.5 * (best + guess.chisq(inner)) > refined.loss + dispersed * INVERSION.behind:
            # Samples that have not converged yet have led to a wrong geometry.
            current, weights, backgrounds, expected = begin
            continue
        current = moved
        expected = np.maximum(smooth @ current.patterns + fixed_backgrounds @ current.backgrounds, 1e-3)
        weights, backgrounds = smooth, fixed_backgrounds
        # About the samples' mean if it explains the counts, else about the best weights.
        if deviance(counts.y, expected).sum() > best + dispersed * INVERSION.as_good:
            weights, backgrounds, expected = spiky
    assert found_posterior is not None
    return found_posterior


def _samples(form: Quadratic, rng: np.random.Generator, effort: float, last: bool) -> Samples:
    sets, number = INVERSION.sets if last else (n // 2 for n in INVERSION.sets)
    effort = effort if last else effort / 4
    return pool_samples(
        [sample(form.log_likelihood, rng, number=number, accepted=effort) for _ in range(sets)]
    )


def expand(
    current: State,
    weights: Floats,
    backgrounds: Floats,
    expected: Floats,
    guess: Guess,
    dispersed: float,
) -> Quadratic:
    """The likelihood of weights about a fit, backgrounds and geometry eliminated."""
    # `dispersed` is the variance of the counts in units of Poisson's.
    total = float(expected.sum())
    # Once more at the level of the data, where a fit of spikes took backgrounds for peaks.
    other_columns = np.concatenate((current.backgrounds, current.jacobian(weights, float(backgrounds[1]))))
    precision = np.concatenate((np.full(2, 1 / (INVERSION.background * total) ** 2), guess.precision))
    target = np.concatenate((np.zeros(2), guess.at - current.inner))
    return quadratic(
        current.patterns, current.counts.y, expected, other_columns, precision, target, dispersed=dispersed
    )


# --- Whether every angle may be alike: the geometry beside that is fitted as well.


def uniform_alike(
    current: State, posterior: Posterior, guess: Guess, rng: np.random.Generator, best: float
) -> float:
    """Return the p-value of a uniform distribution; `best` is the loss of the distribution found."""
    # The geometry is refitted with the uniform one first, as the best geometry depends on the distribution.
    weights, backgrounds = np.full(N_XI, float(posterior.weights.mean())), posterior.backgrounds
    form, loss = flat_form(current, weights, backgrounds, guess, posterior.dispersed)

    def p_value() -> float:
        # It is expensive, and far off it is not needed on the way: not a number.
        return np.nan if loss > best + INVERSION.rival_gain else uniform_p_value(form, rng)

    alike = p_value()
    for _ in range(INVERSION.trial_steps):
        if alike > INVERSION.unlikely:
            break
        weights = form.scales(np.full((1, N_XI), 1 / N_XI))[0] * np.full(N_XI, 1 / N_XI)
        other_columns = form.best_others(weights)
        moved = state(current.counts, clip_parameters(current.inner + other_columns[2:]), current)
        trial_form, less = flat_form(
            moved, weights, np.maximum(other_columns[:2], 0.0), guess, posterior.dispersed
        )
        if less > loss - 0.5:
            break
        current, form, loss = moved, trial_form, less
        alike = p_value()
        if np.isnan(alike):
            break
    return uniform_p_value(form, rng) if np.isnan(alike) else alike


def flat_form(
    current: State,
    weights: Floats,
    backgrounds: Floats,
    guess: Guess,
    dispersed: float,
) -> tuple[Quadratic, float]:
    """The likelihood about a fit with every angle alike, and the loss of that fit."""
    expected = np.maximum(weights @ current.patterns + backgrounds @ current.backgrounds, 1e-3)
    expected *= current.counts.y.sum() / expected.sum()
    form = expand(current, weights, backgrounds, expected, guess, dispersed)
    return form, loss_of(current, expected, guess)


# --- Lattices of another kind that explain a pattern as well: what the beam sees of a lattice are
# --- its rows.

#: Constants of square lattices over the fit's: below the first they are too dense to have its rows, above
#: the last too sparse for spheres that lie in order.
SQUARES = (0.68, 1.35)
#: Least constant over the radius: spheres that nearly touch.
_TOUCHING = 1.9
#: Constants of hexagonal lattices out of the range that is known, over the fit's, whose rows it shares.
_OF_ROWS = (float(np.sqrt(3.0)), float(1 / np.sqrt(3.0)))
#: A step that lowers the deviance by less ends a descent.
_ENOUGH = 1.0
_NAMES = {SQUARE: "square", HEXAGONAL: "hexagonal"}


_TURN = "Rotate the sample about its normal and measure again to distinguish them."


@dataclass(frozen=True)
class Rival:
    """Another lattice beside the one that was fitted."""

    name: str
    lattice: float  #: Å.
    #: By how much its deviance is lower than the fit's, both with their best distributions and geometries,
    #: over what the counts scatter by.
    gain: float

    @property
    def sentence(self) -> str:
        text = f"A {self.name} lattice of {significant(self.lattice, 3)} Å"
        if self.gain > INVERSION.rival_gain:
            return (
                f"{text} fits the pattern better (by {self.gain:.0f} in deviance). It is not a"
                f" hexagonal lattice in the trained range, so p(ξ) is meaningless."
            )
        if self.odds < 1:
            return (
                f"{text} fits the pattern better (by {self.gain:.0f} in deviance), so do not trust"
                f" p(ξ). {_TURN}"
            )
        return (
            f"{text} fits the pattern about equally well: from this side both lattices have the same"
            f" rows. {_TURN}"
        )

    @property
    def odds(self) -> float:
        """Odds of the fitted lattice against this one."""
        return INVERSION.rival_prior * float(np.exp(-np.clip(self.gain, -50.0, 50.0) / 2))

    @property
    def scope(self) -> float:
        """Probability of the fitted lattice beside this one; none is sure beside one that is named."""
        return min(INVERSION.rival_scope, self.odds / (1 + self.odds))


def best_rival(current: State, expected: Floats, likely: float, guess: Guess) -> Rival | None:
    """Find the next best lattice, with `guess` as prior; None if none is nearly as good."""
    # Parameters are equal in number, so the difference of deviances over the dispersion is twice the log
    # odds. `likely` is the deviance expected of a right fit.
    near = _nearest_in_bands(current, guess)
    if near is None:
        return None
    gamma = near.factors.gamma
    begin = state(current.counts, near.inner, _move_to_lattice(current, near.factors.geometry.lattice, gamma))
    least, best = _descend_on_lattice(begin, expected, guess, INVERSION.trial_steps)
    own_deviance = float(deviance(current.counts.y, fit_weights(current, expected)[2]).sum())
    # Of a model that leaves something over, as much may be wrong with either.
    least_gain = max(INVERSION.rival_odds, _gain(own_deviance, likely, likely))
    if _gain(own_deviance, least, likely) < -least_gain:
        return None
    # The fit may stand at another film, or at its mean geometry: it begins where the rival is, too.
    back = _move_to_lattice(best, current.factors.geometry.lattice, HEXAGONAL)
    own_deviance = min(
        own_deviance,
        *(
            _descend_on_lattice(start_state, expected, guess, INVERSION.trial_steps // 2)[0]
            for start_state in (current, back)
        ),
    )
    gain = _gain(own_deviance, least, likely)
    return Rival(_NAMES[gamma], best.factors.geometry.lattice, gain) if gain > -least_gain else None


def _nearest_in_bands(current: State, guess: Guess) -> State | None:
    """Another lattice with the geometry that suits it best, rows of pixels added up in bands."""
    # None where the fit is far better on them.
    counts = bin_in_bands(current.counts, INVERSION.rival_bands)
    if not counts.y.size:
        return None
    base = state(counts, current.inner, None, ROUGH)
    expected = fit_weights(base)[2]
    own_lattice = current.factors.geometry.lattice
    begin = [_move_to_lattice(base, lattice, SQUARE) for lattice in _nearest_squares(base, expected)]
    begin += [_move_to_lattice(base, ratio * own_lattice, HEXAGONAL) for ratio in _OF_ROWS]
    ends = [_descend_on_lattice(start_state, expected, guess, INVERSION.trial_steps) for start_state in begin]
    least, best = min(ends, key=lambda end: end[0])
    far = INVERSION.rival_far * float(deviance(counts.y, expected).sum())
    return best if least < far else None


def _nearest_squares(base: State, expected: Floats) -> list[float]:
    """Constants, Å, at which a square lattice explains counts better than beside them, the best first."""
    geometry, window = base.factors.geometry, base.counts.window
    farthest = 2 * np.pi / geometry.wavelength * np.sin(np.radians(window.phi[1]))
    low = max(SQUARES[0] * geometry.lattice, _TOUCHING * geometry.radius)
    high = SQUARES[1] * geometry.lattice
    step = 1 / (geometry.width * farthest)
    lattices = np.exp(np.arange(np.log(low), np.log(max(high, low)), step))

    def measure_deviance(lattice: float) -> float:
        fitted_counts = fit_weights(_move_to_lattice(base, lattice, SQUARE), expected, rounds=1)[2]
        return float(deviance(base.counts.y, fitted_counts).sum())

    over = np.array([measure_deviance(float(lattice)) for lattice in lattices])
    around = np.concatenate(([np.inf], over, [np.inf]))
    lowest = np.flatnonzero((over <= around[:-2]) & (over < around[2:]))
    best = lowest[np.argsort(over[lowest])][: START_VALUES.finalists]
    return [float(lattice) for lattice in lattices[best]]


def _gain(own_deviance: float, other_deviance: float, likely: float) -> float:
    """Return how much lower a deviance is than the fit's, over the excess scatter of counts."""
    return (own_deviance - other_deviance) / max(1.0, own_deviance / likely)


def _move_to_lattice(current: State, lattice: float, gamma: float) -> State:
    """Put the same particles on another lattice, whatever the prior's range."""
    inner = current.inner.copy()
    inner[INDEX["lattice"]] = lattice
    return replace(current, inner=inner, factors=current.factors.change_lattice(lattice, gamma), before=None)


def _descend_on_lattice(moving: State, expected: Floats, guess: Guess, steps: int) -> tuple[float, State]:
    """Least deviance with the geometry that suits another lattice better, and that geometry."""
    # The lattice constant is free of the guess and of the range that is known.
    error = guess.error.copy()
    error[INDEX["lattice"]] = np.inf
    free = Guess(guess.at, error)
    best, least = moving, np.inf
    for number in range(1 + steps):
        weights, backgrounds, expected = fit_weights(moving, expected)
        deviance_left = float(deviance(moving.counts.y, expected).sum())
        if deviance_left > least - _ENOUGH:
            break
        best, least = moving, deviance_left
        if number < steps:
            inner = moving.inner + step_of(
                Refined(moving, weights, backgrounds, expected, 0.5 * deviance_left), free
            )
            clipped = clip_parameters(inner)
            clipped[INDEX["lattice"]] = inner[INDEX["lattice"]]
            moving = state(moving.counts, clipped, moving, moving.factors.nodes)
    return least, best


# --- What is said beside the numbers of an inversion: verdict, limits of the data, ends of ranges.

#: Said where the bound on geometries ended the search.
CUT = (
    "The search ended before all film thicknesses were tried; the true one may differ by more than its error."
)


def notes_of(
    checked: Verification,
    mirror: MirrorAmbiguity,
    alike: float,
    modes: float,
    posterior: Posterior,
    refined: Refined,
    counts: Counts,
    cut: bool,
) -> tuple[str, ...]:
    if checked.in_scope < 0.5:
        return (checked.sentence,)
    sentences = [
        checked.sentence,
        mirror.sentence,
        f"The data determine about {modes:.0f} of the 119 modes (independent components) of p(ξ).",
    ]
    if alike > INVERSION.unlikely:
        sentences.append(f"A uniform distribution is not excluded (p = {significant(alike, 2)}).")
    free = refined.weights / max(float(refined.weights.sum()), 1e-300)
    apart = float(circular_w1(free, posterior.samples.p.mean(axis=0), PERIOD))
    sentences.append(f"A fit without a prior moves p(ξ) by {apart:.1f} degrees on average.")
    sentences += _end_sentences(posterior)
    if cut:
        sentences.append(CUT)
    sentences.append(_counts_sentence(counts))
    return tuple(sentences)


def list_at_ends(posterior: Posterior) -> tuple[str, ...]:
    """Names of quantities that stand at an end of the range of the prior, or beyond: nothing was measured."""
    # What blurs or spreads may be nothing at all: at 0 it is a measurement.
    rows = zip(PARAMETERS, posterior.inner, posterior.error, strict=True)
    return tuple(parameter.name for parameter, inner, error in rows if _is_at_end(parameter, inner, error))


def _is_at_end(parameter: Parameter, inner: float, error: float) -> bool:
    low, high = parameter.limits()
    first, last = (parameter.inner(x) for x in parameter.prior.limits())
    bounded = parameter.prior.share >= 1 and parameter.scale != "square"
    near = min(float(error), 0.02 * (high - low))
    return bool(inner > last - near or (bounded and inner < first + near))


def _end_sentences(posterior: Posterior) -> list[str]:
    sentences = []
    for name in list_at_ends(posterior):
        parameter = PARAMETERS[INDEX[name]]
        value = parameter.value(float(posterior.inner[INDEX[name]]))
        low, high = (f"{x:g}" for x in parameter.prior.limits())
        unit = f" {parameter.unit}" if parameter.unit else ""
        sentences.append(
            f"{name} is at {significant(value, 3)}{unit}, the end of the trained range ({low} to"
            f" {high}{unit}); it was not measured, and the true value may lie outside."
        )
    return sentences


def _counts_sentence(counts: Counts) -> str:
    counts_off_rod = counts.y[counts.rotation_mask].sum()
    return (
        f"{significant(counts.y.sum(), 3)} counts in the analysed range; {significant(counts_off_rod, 3)} of"
        f" them are more than 0.1 degrees from the specular rod and carry the information on rotation."
    )


# --- Where to begin when little is known of the geometry: a few radii, then a few lattice
# --- constants.

_roughly = partial(
    descend, most=INVERSION.trial_steps, tolerance=INVERSION.loose_tolerance, enough=INVERSION.rival_odds / 2
)


def search(problem: Problem) -> Floats:
    """A geometry to descend from, (parameters,), where the guess is broad."""
    descents: list[Refined] = []
    for radius in _select_near("radius", problem.guess):
        begin = problem.guess.at.copy()
        begin[INDEX["radius"]] = radius
        if problem.effort.is_over and descents:
            break
        descents.append(_roughly(problem, begin))
    descents.sort(key=lambda refined: refined.loss)
    descents_by_lattice = [
        _search_lattice(problem, refined) for refined in descents[: 1 if problem.effort.is_over else 2]
    ]
    return min(descents_by_lattice, key=lambda refined: refined.loss).state.inner


def _search_lattice(problem: Problem, refined: Refined) -> Refined:
    """The lattice constant that fits best beside the particles found, refined."""
    least, best, current = np.inf, refined.state.inner, refined.state
    for lattice in _select_near("lattice", problem.guess):
        inner = refined.state.inner.copy()
        inner[INDEX["lattice"]] = lattice
        current = state(problem.counts, clip_parameters(inner), current, ROUGH)
        loss = _loss(current, refined.expected)
        if loss < least:
            least, best = loss, current.inner
    return _roughly(problem, best, previous=current)


def _loss(current: State, expected: Floats) -> float:
    fit = fit_weights(current, expected, INVERSION.loose_tolerance, rounds=1)
    return float(deviance(current.counts.y, fit[2], INVERSION.loose_tolerance).sum())


def _select_near(name: str, guess: Guess) -> list[float]:
    """Select values within two standard deviations of the guess, and the guess."""
    k = INDEX[name]
    assert PARAMETERS[k].scale == "plain"
    values = list_search_values(name, *PARAMETERS[k].prior.limits())
    return [float(guess.at[k])] + [value for value in values if abs(value - guess.at[k]) < 2 * guess.error[k]]


# --- `invert`: from an image and a guess to the distribution of rotations, its band and its
# --- verification.


@dataclass(frozen=True)
class OrientationResult:
    """How a lattice is rotated, by a physical model that was simulated and compared with the pattern."""

    #: xi, p, p_low, p_high: (120,), as in `OrientationGuess`, at the resolution that the data have.
    xi: Floats
    p: Floats
    p_low: Floats
    p_high: Floats
    geometry: dict[str, tuple[float, float, str]]  #: Value, one standard deviation and unit.
    #: Probability of data that speak as much against "every angle alike", were it true.
    uniform_p_value: float
    #: deviance, expected_deviance, deviance_sd: Poisson deviance of the simulated pattern, and its mean and
    #: standard deviation were the model right.
    deviance: float
    expected_deviance: float
    deviance_sd: float
    dof: int  #: Pixels that count less parameters that the data determined.
    image: Image  #: What was inverted, on the window of the simulation.
    #: simulated, residual: (rows, columns), expected counts; signed root of each pixel's deviance, 0 where
    #: masked.
    simulated: Floats
    residual: Floats
    mirror: Floats  #: (120,), the mirror solution, ξ → 60° − ξ.
    mirror_resolved: bool  #: The data can choose between p and its mirror, or need not.
    #: 0..1; how well some orientation explains the pattern. Near 0 p means nothing.
    in_scope: float = 1.0
    file: str = ""
    notes: tuple[str, ...] = ()
    #: Quantities of `geometry` that stand at an end of their range: no measurements.
    ends: tuple[str, ...] = ()


def invert(
    image: Image,
    guess: OrientationGuess,
    *,
    effort: float = 15.0,
    report: Callable[[str], None] | None = None,
) -> OrientationResult:
    """Fit the physics to a pattern, simulate it again, and say what is known.

    Parameters
    ----------
    guess : OrientationGuess
        Its geometry is where the fit starts and a Gaussian prior; `prior_guess` where nothing is known.
    effort : float
        Moves of each sample of p(ξ) at each exponent of the likelihood.
    report : callable, optional
        Told of each stage in a few words.

    Raises
    ------
    DataError
        See `counts.bin_on_window`.
    SimulationError
        BornAgain is not installed.
    """
    rng = np.random.default_rng(0)  # the same image gives the same answer
    counts, shown_image = bin_on_window(image)
    bounded = Effort(told=report)
    refined, problem = fit_geometry(Problem(counts, start(guess.geometry), bounded))
    # For what the best weights do not explain at all, a rough distribution is enough.
    rounds, moves = 1, 1.0
    if not hopeless_fit(counts, refined):
        bounded.say("films over all of their range are tried")
        refined = sweep_films(problem, refined)
        rounds, moves = 3, effort
    bounded.say("distributions of the rotation are drawn")
    found_posterior = posterior(problem, refined, rng, rounds=rounds, effort=moves)
    best, final, expected, scattered = simulate_again(problem, found_posterior)
    found_posterior = replace(
        found_posterior,
        inner=final.inner,
        error=spread_over_films(refined, final.inner, found_posterior.error),
    )
    modes = count_resolved_modes(found_posterior.form)
    # One parameter each for the scale and what the geometry has learnt.
    learnt = float(np.sum(1 - np.minimum(found_posterior.error / problem.guess.error, 1.0) ** 2))
    checked = verify(counts, expected, modes + learnt + 1, scattered, found_posterior.dispersed)
    rival = None
    if checked.in_scope > INVERSION.unlikely:
        rival = best_rival(final, expected, checked.expected, problem.guess)
    mirror = mirror_ambiguity(found_posterior.samples.p)
    alike = uniform_alike(final, found_posterior, problem.guess, rng, best)
    sentences: tuple[str, ...] = (rival.sentence,) if rival else ()
    if rival is None or rival.odds > 1:
        sentences += notes_of(
            checked, mirror, alike, modes, found_posterior, refined, counts, bounded.is_over
        )
    p_low, p_high = np.quantile(
        found_posterior.samples.p, [INVERSION.unlikely, 1 - INVERSION.unlikely], axis=0
    )
    p = found_posterior.samples.p.mean(axis=0)
    return OrientationResult(
        xi=np.array(XI, dtype=np.float64),
        p=p,
        p_low=np.where(p_low < INVERSION.negligible, 0.0, np.minimum(p_low, p)),
        p_high=np.maximum(np.maximum(p_high, p), INVERSION.negligible),
        geometry=geometry(found_posterior, image, checked.misfit),
        uniform_p_value=alike,
        deviance=checked.deviance,
        expected_deviance=checked.expected,
        deviance_sd=checked.sd,
        dof=checked.dof,
        image=shown_image,
        simulated=counts.spread(expected),
        residual=counts.spread(checked.residual),
        mirror=mirror.other,
        mirror_resolved=mirror.resolved,
        in_scope=min(guess.in_scope, checked.in_scope, rival.scope if rival else 1.0),
        file=image.file,
        ends=list_at_ends(found_posterior),
        notes=tuple(dict.fromkeys((*image.notes, *guess.notes, *sentences))),
    )


def spread_over_films(refined: Refined, inner: Floats, errors: Floats) -> Floats:
    """Return standard deviations with the film's spread over all its minima, weighted by loss, about the
    answer `inner`; `errors` are those within its own minimum.
    """
    oxide = INDEX["oxide"]
    minima = [end_of(refined)]
    for film, loss in sorted(refined.films, key=lambda end: end[1]):
        if is_new(film, dict(minima).keys()):
            minima.append((film, loss))
    films, losses = np.array(minima).T
    likely = np.exp(np.minimum(refined.loss - losses, 0.0))
    away = float(np.sqrt(np.sum(likely * (films - inner[oxide]) ** 2) / np.sum(likely)))
    widened = errors.copy()
    widened[oxide] = np.hypot(errors[oxide], away)
    return widened


def fit_geometry(problem: Problem) -> tuple[Refined, Problem]:
    """The best geometry, and the problem with how far the guess may be off."""
    # What is reached from a guess usually explains the counts, however broad it is. Where it does not, the
    # guess is taken to be worse than it says, and the geometry is searched.
    refined, effort, guess = refine(problem), problem.effort, problem.guess
    if explains(refined) or (effort.is_over and not hopeless_fit(problem.counts, refined)):
        return refined, problem
    effort.say("the first estimate does not fit; the geometry is searched")
    wide = Guess(guess.at, np.minimum(ASSESSMENT.significant * guess.error, start({}).error))
    # Half as much again, or what is left: what explains nothing so far may begin elsewhere.
    extra_work = max(effort.most_work - effort.work, effort.most_work / 4)
    again = Problem(problem.counts, wide, Effort(effort.most // 2, extra_work, effort.told))
    wider_refined = refine(again, search(again))
    effort.spent, effort.work = effort.spent + again.effort.spent, effort.work + again.effort.work
    return (
        (wider_refined, replace(again, effort=effort))
        if wider_refined.loss < refined.loss
        else (refined, problem)
    )


def hopeless_fit(counts: Counts, refined: Refined) -> bool:
    """The best weights leave so much over that no orientation is believed."""
    return verify(counts, refined.expected, 0).in_scope < INVERSION.unlikely


def simulate_again(problem: Problem, found_posterior: Posterior) -> tuple[float, State, Floats, Floats]:
    """The model at the mean geometry: its loss, itself, the counts that it expects of the mean distribution,
    and those of them that are no background.
    """
    # Where the likelihood is not as quadratic as the mean takes it to be, that geometry explains the counts
    # worse than the one about which the samples were drawn: then it is this one.
    simulations, counts = [], problem.counts
    for current in (state(counts, found_posterior.inner, found_posterior.state), found_posterior.state):
        columns = np.concatenate((current.backgrounds, (found_posterior.weights @ current.patterns)[None]))
        weights, expected = reweight(columns, counts.y, found_posterior.expected)
        simulations.append(
            (loss_of(current, expected, problem.guess), current, expected, weights[2] * columns[2])
        )
    return min(simulations, key=lambda simulation: simulation[0])


def geometry(values: Posterior, image: Image, misfit: float) -> dict[str, tuple[float, float, str]]:
    """Return value, standard deviation (widened by `misfit`) and unit of each quantity."""
    named_values: dict[str, tuple[float, float, str]] = {}
    for parameter, inner, error in zip(PARAMETERS, values.inner, values.error, strict=True):
        value, sd = parameter.value(float(inner)), parameter.error(float(inner), float(error))
        if parameter.name in ("lattice", "radius", "oxide", "width"):
            sd = float(np.hypot(sd, INVERSION.misfit_error * misfit * value))
        named_values[parameter.name] = (value, sd, parameter.unit)
    value, error, unit = named_values["shift_alpha"]
    return named_values | {
        "alpha_i": (image.geometry.alpha_i + value, error, unit),
        "wavelength": (image.geometry.wavelength, 0.0, GEOMETRY["wavelength"].unit),
    }


# --- The inversion as `sasnet classify --verify` asks for it: nothing is fitted to patterns of
# --- another kind.

#: `in_scope` below which a pattern is more likely of another kind.
EVEN = 0.5
NOT_FITTED = "Nothing was fitted: a fit of ordered spheres would give an orientation even if there were none."


@dataclass(frozen=True)
class Comparison(Finding):
    """The pattern simulated again from the answer, compared with the measured one."""

    result: OrientationResult
    title = "Simulated again"

    def as_dict(self) -> dict[str, Any]:
        return {"deviance": finite(self.result.deviance)}

    def sentences(self) -> tuple[str, ...]:
        """How far the pattern is from the measured one, and from what it would be were the model right."""
        result = self.result
        return (
            f"Simulated again: Poisson deviance {significant(result.deviance, 4)} over {result.dof} pixels; a"
            f" correct model would give {significant(result.expected_deviance, 4)} ±"
            f" {significant(result.deviance_sd, 2)}.",
        )

    def draw(self, axes: Axes) -> None:
        """The residuals, in standard deviations."""
        artist = axes.imshow(
            self.result.residual, origin="lower", aspect="auto", vmin=-5, vmax=5, cmap="RdBu_r"
        )
        axes.figure.colorbar(artist, ax=axes, label="standard deviations")
        axes.set(xlabel="column", ylabel="row")


def refine_answer(
    image: Image, answer: Answer, seconds: float = 30.0, report: Callable[[str], None] | None = None
) -> Answer:
    """Refine an answer by physics, simulate it again and compare; out of scope it stays."""
    # Patterns that are more likely known than not are fitted too, and the simulation decides.
    if answer.known:
        return insert_result(answer, invert(image, guess_of(answer), report=report))
    if why := why_not_fitted(image, answer):
        return replace(answer, notes=(*answer.notes, why))
    begin = _as_if_known(answer)
    result = invert(image, guess_of(begin), report=report)
    if result.in_scope < EVEN:
        return replace(answer, in_scope=result.in_scope, notes=(*answer.notes, *result.notes[-1:]))
    return replace(insert_result(begin, result), known=True)


def why_not_fitted(image: Image, answer: Answer) -> str:
    """Why a pattern is not fitted, a sentence; empty where it is."""
    return NOT_FITTED if not answer.known and answer.in_scope < EVEN else ""


def _as_if_known(answer: Answer) -> Answer:
    """Return the answer as if the pattern were surely known, so that the counts decide."""
    notes = tuple(note for note in answer.notes if note != answer.scope.outside)
    return replace(answer, findings=answer.unsaid or answer.findings, notes=notes)


def insert_result(answer: Answer, result: OrientationResult) -> Answer:
    """A network's answer with what the inversion found in its place."""
    distribution = answer.finding(DistributionFinding)
    quantities = answer.finding(QuantitiesFinding)
    assert distribution is not None
    assert quantities is not None
    found_distribution = replace(
        distribution,
        p=result.p,
        p_low=result.p_low,
        p_high=result.p_high,
        uniform_p_value=result.uniform_p_value,
        mirror=None if result.mirror_resolved else result.mirror,
    )
    values = {
        name: Value(value, error, value - NORMAL_90 * error, value + NORMAL_90 * error, unit)
        for name, (value, error, unit) in result.geometry.items()
        if name not in result.ends
    }
    findings = (found_distribution, QuantitiesFinding(quantities.head, values), Comparison(result))
    return replace(answer, in_scope=result.in_scope, findings=findings, notes=result.notes)


def guess_of(answer: Answer) -> OrientationGuess:
    """What a network says of a pattern, as a fit can start from it."""
    distribution = answer.finding(DistributionFinding)
    quantities = answer.finding(QuantitiesFinding)
    assert distribution is not None
    assert quantities is not None
    return OrientationGuess(
        xi=distribution.grid,
        p=distribution.p,
        p_low=distribution.p_low,
        p_high=distribution.p_high,
        geometry={name: (value.value, value.error) for name, value in quantities.present_values.items()},
        in_scope=answer.in_scope,
        file=answer.file,
        notes=answer.notes,
        uniform_p_value=distribution.uniform_p_value,
    )
