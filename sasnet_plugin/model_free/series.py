"""The series that follows Guinier's law, and its most probable coefficients under what is known of bodies.

    ln I = ln I(0) − v/3 + κ₄ v² + κ₆ v³ + …,   v = (q Rg)².

They are fitted with a normal prior for each of several classes of bodies, by Gauss and Newton; the answers
are averaged by their evidence (D. J. C. MacKay, Neural Comput. 4 (1992) 415).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..arrays import Floats


class Series(NamedTuple):
    """Prior of the coefficients of (v / reach²)², (v / reach²)³, …, reach the longest, over a class."""

    share: float  #: Of the class.
    mean: tuple[float, ...]  #: Of the coefficients.
    factor: tuple[float, ...]  #: Lower triangle, row by row, of the Cholesky factor of their covariance.

    def covariance(self, wider: float) -> Floats:
        """(terms, terms), with the deviations multiplied."""
        lower = np.zeros((len(self.mean), len(self.mean)))
        lower[np.tril_indices(len(self.mean))] = self.factor
        return wider**2 * (lower @ lower.T)


class GuinierSettings(NamedTuple):
    """What a Guinier region is."""

    #: Largest q Rg used, up to where four terms follow the bodies' curves within 0.05 %; smaller ones where
    #: the points do not follow the series.
    reach: tuple[float, ...] = (2.6, 1.8, 1.25)
    straight: float = 1.6  #: q Rg up to which a straight line finds where to begin the search.
    begin: float = 1.1  #: Largest q Rg of the first point; a curve that begins later shows nothing of q → 0.
    points: int = 5  #: Fewest.
    #: Of 1,500 simulated bodies each: spheres of one and of many
    #: sizes with and without shells; ellipsoids, bricks, cylinders and rods; chains; rows of beads.
    classes: tuple[Series, ...] = (
        Series(
            1 / 4,
            (-0.338378, -0.241032, 0.185655, -0.20988),
            (
                0.146748,
                0.0122745,
                0.358169,
                0.0611211,
                -0.493381,
                0.0697602,
                0.0547141,
                0.284396,
                -0.0583699,
                0.0373874,
            ),
        ),
        Series(
            1 / 4,
            (0.190093, 0.238929, -0.240793, 0.0644841),
            (
                0.470845,
                0.2927,
                0.356868,
                -0.371055,
                -0.52226,
                0.17132,
                0.103891,
                0.233744,
                -0.0716477,
                0.0443016,
            ),
        ),
        Series(
            1 / 4,
            (1.61112, -1.09076, 0.556552, -0.143827),
            (
                0.492927,
                -0.967241,
                0.203425,
                0.84847,
                -0.370284,
                0.0625679,
                -0.287072,
                0.185985,
                -0.0534322,
                0.00663622,
            ),
        ),
        Series(
            1 / 4,
            (0.7588, 0.929307, -0.888846, 0.200132),
            (
                0.25971,
                0.0479692,
                0.3488,
                -0.401958,
                -0.563862,
                0.162126,
                0.189818,
                0.254272,
                -0.11403,
                0.0171525,
            ),
        ),
    )
    floor: float = 1e-3  #: Standard deviation of ln I that their covariance holds besides, at every q.
    wider: float = 1.05  #: Factor on their deviations: other bodies are not quite as these.
    misfit: float = 4.0  #: Standard deviations of χ² beyond which points do not follow a law.
    #: Standard deviations of the mean of the first points beyond which the curve turns up or down there.
    turned: float = 3.0
    better: float = 8.0  #: By how much less χ² the series must explain the points than a power law.
    uncertain: float = 0.15  #: Relative error of Rg from which on it is not given.
    #: Shares of the points that are left out to see whether Rg depends on where the range begins.
    without: tuple[float, ...] = (0.25, 0.4)
    late: float = 1.3  #: q Rg beyond which what is left does not tell.
    #: Standard deviations by which it does: beyond the first its error holds it, beyond the second there is
    #: no Guinier region. Of 3,000 bodies that scatter alone 0.5 % reach 2.
    drifting: tuple[float, float] = (1.5, 2.5)
    stricter: tuple[float, float] = (1.0, 1.5)  #: The same where points were left out already.
    drift: float = 0.05  #: Relative change that is no matter.
    #: Relative change of Rg from the longest range to the one in which the points follow the series.
    steady: float = 0.1
    #: skips, skipped: points that may be left out if they alone are in the way, up to so much above the
    #: lowest q.
    skips: tuple[int, ...] = (2, 5)
    skipped: float = 1.5
    #: Largest slit half length times Rg; beyond, the smeared law is another for each shape.
    slit: float = 0.3


SETTINGS = GuinierSettings()
#: Longest step of ln Rg².
_LONGEST = 0.7
#: q Rg at the end of a range over which nothing falls, and at the beginning of one that is no Guinier region.
FLAT, LATE = 0.05, 3.0


class Points(NamedTuple):
    """The lowest points of a curve: Å⁻¹, intensity and noise of one unit, resolution in Å⁻¹."""

    q: Floats
    intensity: Floats
    sigma: Floats
    dq: Floats | None

    def first(self, count: int) -> Points:
        return self._part(slice(count))

    def drop_first(self, count: int) -> Points:
        return self._part(slice(count, None))

    def _part(self, part: slice) -> Points:
        dq = None if self.dq is None else self.dq[part]
        return Points(self.q[part], self.intensity[part], self.sigma[part], dq)


class State(NamedTuple):
    """The series at its best, averaged over the classes."""

    theta: Floats  #: (2 + terms,), ln I(0), ln Rg², coefficients of the series.
    covariance: Floats  #: (2 + terms, 2 + terms)
    residual: Floats  #: (n,), of the likeliest class, over the stated errors.
    chi2: float  #: Of that class, with what its prior adds.
    each: Floats  #: (classes, 2 + terms), theta of each class.

    @property
    def rg(self) -> float:
        return math.exp(0.5 * float(self.theta[1]))


class _Priors(NamedTuple):
    """Of all classes."""

    mean: Floats  #: (classes, 2 + terms)
    precision: Floats  #: (classes, 2 + terms, 2 + terms), zero for ln I(0) and ln Rg².
    constant: Floats  #: (classes,), what of the log evidence depends on the class alone.


@lru_cache(maxsize=8)
def _priors(settings: GuinierSettings) -> _Priors:
    covariance = np.array([size_class.covariance(settings.wider) for size_class in settings.classes])
    mean = np.array([(0.0, 0.0, *size_class.mean) for size_class in settings.classes])
    precision = np.zeros((*mean.shape, mean.shape[1]))
    precision[:, 2:, 2:] = np.linalg.inv(covariance)
    share = np.log([size_class.share for size_class in settings.classes])
    return _Priors(mean, precision, share - 0.5 * np.linalg.slogdet(covariance)[1])


def make_first_theta(points: Points, count: int, rg: float, settings: GuinierSettings) -> Floats:
    """(classes, 2 + terms) theta to begin with."""
    theta = _priors(settings).mean.copy()
    theta[:, 0], theta[:, 1] = math.log(float(points.intensity[:count].max())), 2 * math.log(rg)
    return theta


def take_step(points: Points, theta: Floats, settings: GuinierSettings) -> State:
    """One step of Gauss and Newton under the prior of each class, and the average of where they lead."""
    priors = _priors(settings)
    line, columns = _line(points, theta, settings.reach[0])
    # Weighted by the model, not by points that noise has lifted or lowered.
    model = np.exp(line)
    weight = (model / points.sigma) ** 2
    off = weight * np.clip(points.intensity / model - 1, -1.0, 1.0)
    normal = columns @ np.swapaxes(weight[:, None] * columns, 1, 2) + priors.precision
    # Where nothing falls, or the model is nowhere near the points, they determine nothing.
    diagonal = np.einsum("cii->ci", normal)
    diagonal += 1e-9 * diagonal + 1e-6
    pull = (priors.precision @ (priors.mean - theta)[..., None])[..., 0]
    covariance = np.linalg.inv(normal)
    step = (covariance @ ((columns @ off[..., None])[..., 0] + pull)[..., None])[..., 0]
    step[:, 1] = np.clip(step[:, 1], -_LONGEST, _LONGEST)
    theta = theta + step
    # Neither a curve that rises nor a power law runs away.
    low, high = FLAT / points.q[-1], LATE / points.q[0]
    theta[:, 1] = np.clip(theta[:, 1], 2 * math.log(low), 2 * math.log(high))
    residual = (points.intensity - np.exp(_line(points, theta, settings.reach[0])[0])) / points.sigma
    differs = (theta - priors.mean)[..., None]
    chi2 = np.sum(residual**2, axis=1) + np.sum(differs * (priors.precision @ differs), axis=(1, 2))
    evidence = priors.constant - 0.5 * (chi2 + np.linalg.slogdet(normal)[1])
    share = np.exp(evidence - evidence.max())
    share /= share.sum()
    mean = share @ theta
    apart = theta - mean
    spread = np.sum(share[:, None, None] * (covariance + apart[:, :, None] * apart[:, None, :]), axis=0)
    best = int(share.argmax())
    return State(mean, spread, residual[best], float(chi2[best]), theta)


def _line(points: Points, theta: Floats, reach: float) -> tuple[Floats, Floats]:
    """ln I of the series, (classes, n), and its derivatives by theta, (classes, 2 + terms, n)."""
    a = np.exp(theta[:, 1:2]) / 3
    v = 3 * a * points.q**2
    columns = np.empty((theta.shape[0], theta.shape[1], v.shape[1]))
    columns[:, 0], columns[:, 1] = 1.0, v / -3
    unit = v / reach**2
    power = unit
    for term in range(2, theta.shape[1]):
        power = power * unit
        columns[:, term] = power
    factors = theta.copy()
    factors[:, 1] = 1.0
    line = (factors[:, None] @ columns)[:, 0]
    factors[:, 0] = 0.0
    factors[:, 2:] *= np.arange(2, theta.shape[1])
    columns[:, 1] = (factors[:, None] @ columns)[:, 0]
    if points.dq is not None:
        line = line + _smearing(v / 3, a, points.dq)
    top = math.log(float(np.max(np.abs(points.intensity))) + 1e-300) + 5
    return np.clip(line, top - 60, top), columns


def _smearing(exponent: Floats, a: Floats, dq: Floats) -> Floats:
    """ln of exp(−a q²) averaged over a normal distribution of q, less −a q² (integral in closed form)."""
    spread = 2 * a * dq**2
    smeared: Floats = exponent * spread / (1 + spread) - 0.5 * np.log1p(spread)
    return smeared
