"""Spheres of several sizes fitted to azimuthal averages: their radius and its spread, whatever smears q.

A spread of radii and a resolution blur the minima of spheres alike, and the number-mean radius falls with
the spread, as large spheres scatter as r⁶. So both depend on the resolution: a classifier that has learned
from pinhole instruments finds spheres too large and too much alike where nothing smears q. Here spheres are
fitted with and without resolution, with three size distributions. Each fit weighs as its likelihood
integrated over all values (Laplace), so errors hold what the average leaves open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from ...arrays import Floats
from ...digits import NORMAL_90
from ...predict.findings import Value
from ...types import Curve

#: ln qR at which form factors are tabulated; finer than a fringe at qR = 80.
_LN_X = np.arange(np.log(0.02), np.log(400.0), 0.012)
#: Ranges of the radius, Å, and of its relative spread; the square of this is fitted, as it enters so.
RADII, SPREADS = (6.0, 600.0), (0.002, 0.5)
#: Added to that square, so that relative steps of derivatives are large enough where it vanishes.
_OFFSET = 0.01
#: Starting values that are screened.
_SCREENED_RADII, _SCREENED_SPREADS = np.geomspace(8.0, 500.0, 110), (0.03, 0.08, 0.14, 0.22, 0.32)
DISTRIBUTIONS = ("gaussian", "schulz", "lognormal")
#: Standard deviations from q at which a smeared form factor is averaged, and their weights.
_OFFSETS = np.linspace(-2.5, 2.5, 11)
_WEIGHTS = np.exp(-(_OFFSETS**2) / 2) / np.exp(-(_OFFSETS**2) / 2).sum()
#: Spread of q over q by a velocity selector, where a file gives no resolution.
_SELECTOR = 0.05
#: Probability, before the fits, that q is smeared as the file says; of none and a selector where it does not.
_STATED, _UNKNOWN = 0.9, 0.5
#: A stated resolution is wrong where spheres fit without it (reduced χ²), and with it so many times worse.
_FITS, _WORSE = 2.0, 8.0
#: Counts of an average from which on Gaussian errors hold in its rings; below, the classifier knows more.
FEWEST_COUNTS = 5_000.0


@lru_cache(maxsize=1024)
def _form_factor(distribution: str, spread: float) -> Floats:
    """Intensity of spheres of a mean radius of 1 at `_LN_X`, over that at q = 0."""
    if distribution == "lognormal":
        radii = np.exp(spread * np.linspace(-4, 4 + 6 * spread, 61))
        weight = np.exp(-0.5 * (np.log(radii) / spread) ** 2) / radii
    elif distribution == "schulz":
        radii, z = np.linspace(max(1 - 5 * spread, 0.02), 1 + 8 * spread, 81), 1 / spread**2 - 1
        weight = np.exp(z * np.log(radii) - (z + 1) * (radii - 1))
    else:
        radii = np.linspace(max(1 - 4 * spread, 0.02), 1 + 5 * spread, 61)
        weight = np.exp(-0.5 * ((radii - 1) / spread) ** 2)
    weight = weight * np.gradient(radii)
    x = np.exp(_LN_X)
    single = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    moved = np.interp(_LN_X[:, None] + np.log(radii * weight.sum() / (weight @ radii)), _LN_X, single)
    weight = weight * radii**6
    return np.asarray(moved @ weight / weight.sum())


@dataclass(frozen=True)
class _Average:
    """An azimuthal average as it is fitted, smeared or not."""

    ln_q: Floats  #: (n, k), of each ring the q that scatter into it.
    weights: Floats  #: (k,)
    values: Floats  #: (n,), over their errors.
    errors: Floats  #: (n,)
    background: Floats  #: (n, 2), flat and that of slits, q⁻³, over the errors.

    def smear(self, distribution: str, radius: float, spread: float) -> Floats:
        """(n,) form factor over the errors."""
        table = _form_factor(distribution, spread)
        return np.asarray(np.interp(self.ln_q + np.log(radius), _LN_X, table) @ self.weights / self.errors)

    def residuals(self, distribution: str, radius: float, spread: float) -> Floats:
        """(n,) with the amplitudes of spheres and backgrounds that fit best, none below zero."""
        from scipy.optimize import nnls

        matrix = np.column_stack([self.smear(distribution, radius, spread), self.background])
        size = np.sqrt((matrix**2).sum(axis=0))
        return np.asarray(self.values - matrix / size @ nnls(matrix / size, self.values)[0])


def _average_of(curve: Curve, *, smeared: bool) -> _Average:
    assert curve.dintensity is not None
    q, errors = curve.q, curve.dintensity
    # A ring is as wide as the rings are apart, whatever else smears q.
    rings = np.gradient(q) / np.sqrt(12)
    width = rings if curve.dq is None else np.zeros_like(q)
    if smeared:
        width = np.hypot(rings, _SELECTOR * q) if curve.dq is None else curve.dq
    blurred = np.maximum(np.abs(q[:, None] + width[:, None] * _OFFSETS), 1e-6)
    background = np.column_stack([np.ones_like(q), (q / q[0]) ** -3.0]) / errors[:, None]
    return _Average(np.log(blurred), _WEIGHTS, curve.intensity / errors, errors, background)


@dataclass(frozen=True)
class _Fit:
    smeared: bool
    position: Floats  #: (2,), ln of the radius in Å and squared relative spread.
    covariance: Floats  #: (2, 2), by the stated errors.
    chisq: float


def _screen(averages: Sequence[_Average]) -> tuple[float, float]:
    """The screened radius and spread with the least χ², with a scale and a flat background."""
    best, start = np.inf, (60.0, 0.1)
    for spread, radius in product(_SCREENED_SPREADS, _SCREENED_RADII):
        chisq = 0.0
        for average in averages:
            shape, flat, values = (
                average.smear("gaussian", radius, spread), average.background[:, 0], average.values
            )  # fmt: skip
            a, b, c = float(shape @ shape), float(shape @ flat), float(flat @ flat)
            d, e = float(shape @ values), float(flat @ values)
            det = max(a * c - b**2, 1e-12 * a * c)
            scale, level = (d * c - b * e) / det, (a * e - b * d) / det
            gain = scale * d + level * e if scale > 0 and level > 0 else max(d, 0.0) ** 2 / a
            chisq += float(values @ values) - gain
        if chisq < best:
            best, start = chisq, (float(radius), spread)
    return start


def _fit(averages: Sequence[_Average], distribution: str, start: tuple[float, float], smeared: bool) -> _Fit:
    from scipy.optimize import least_squares

    def residuals(position: Floats) -> Floats:
        radius, spread = float(np.exp(position[0])), float(np.sqrt(position[1] - _OFFSET))
        return np.concatenate([average.residuals(distribution, radius, spread) for average in averages])

    low, high = (np.array([np.log(RADII[k]), SPREADS[k] ** 2 + _OFFSET]) for k in (0, 1))
    found = least_squares(
        residuals,
        [np.log(start[0]), start[1] ** 2 + _OFFSET],
        bounds=(low, high),
        diff_step=[1e-3, 0.01],
        max_nfev=25,
    )
    # The ranges are the priors: along what the average does not show, no error is larger.
    covariance = np.linalg.inv(found.jac.T @ found.jac + np.diag(12 / (high - low) ** 2))
    position = np.array([found.x[0], found.x[1] - _OFFSET])
    return _Fit(smeared, position, np.asarray(covariance), float(2 * found.cost))


@dataclass(frozen=True)
class Spheres:
    """Fits of spheres to the averages of one sample."""

    fits: tuple[_Fit, ...]
    probability: Floats  #: Of each fit.
    over: float  #: Reduced χ² of the best, at least 1.
    #: Every curve has a resolution, which the averages exclude: they show what it would blur.
    is_sharper: bool
    is_known: bool  #: Every curve has a resolution.

    def values(self) -> dict[str, Value]:
        """Number-mean radius in Å and its relative spread."""
        positions = np.array([fit.position for fit in self.fits])
        mean = self.probability @ positions
        within = self.over * np.array([np.diag(fit.covariance) for fit in self.fits])
        error = np.sqrt(self.probability @ (within + (positions - mean) ** 2))
        radius = float(np.exp(mean[0]))
        ends = np.exp(mean[0] + NORMAL_90 * np.array([-error[0], error[0]]))
        spread, above = (float(np.sqrt(mean[1] + by)) for by in (0.0, error[1]))
        low, high = (float(np.sqrt(max(mean[1] + by * NORMAL_90 * error[1], 0.0))) for by in (-1, 1))
        return {
            "radius": Value(radius, radius * float(error[0]), float(ends[0]), float(ends[1]), "Å"),
            "radius_pd": Value(spread, above - spread, low, high, ""),
        }


def fit_spheres(curves: Sequence[Curve]) -> Spheres | None:
    """Fit spheres to azimuthal averages of one sample; None if they have fewer than ten points."""
    number = sum(map(len, curves))
    if number < 10:
        return None
    is_known = all(curve.dq is not None for curve in curves)
    fits, prior = [], []
    for smeared in (False, True):
        averages = [_average_of(curve, smeared=smeared) for curve in curves]
        start = _screen(averages)
        fits += [_fit(averages, distribution, start, smeared) for distribution in DISTRIBUTIONS]
        share = _STATED if is_known else _UNKNOWN
        prior += [share if smeared else 1 - share] * len(DISTRIBUTIONS)
    freedom = max(number - 5, 1)
    chisq = np.array([fit.chisq for fit in fits])
    over = max(1.0, float(chisq.min()) / freedom)
    volume = [0.5 * np.linalg.slogdet(over * fit.covariance)[1] for fit in fits]
    log_evidence = np.log(prior) - 0.5 * chisq / over + volume
    likely = np.exp(log_evidence - log_evidence.max())
    plain, smeared_chisq = (float(chisq[[fit.smeared == one for fit in fits]].min()) for one in (False, True))
    is_sharper = is_known and plain < _FITS * freedom and smeared_chisq > _WORSE * max(plain, freedom)
    return Spheres(tuple(fits), likely / likely.sum(), over, is_sharper, is_known)
