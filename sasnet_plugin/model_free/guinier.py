"""Guinier's law, ln I(q) = ln I(0) − (q Rg)²/3 for small q Rg: where it holds, and what follows from there.

The law (A. Guinier, Ann. Phys. 12 (1939) 161) is the first term of a series in v = (q Rg)²,

    ln I = ln I(0) − v/3 + κ₄ v² + κ₆ v³ + κ₈ v⁴,

and what the next terms contribute depends on the shape: κ₄ is −1/90 for a thin hollow sphere, −1/126 for a
sphere, 0 for a thin disc, 11/450 for a thin rod and 1/36 for a Gaussian coil. They are fitted, too, with
normal priors as wide as bodies differ, one for compact bodies and one for chains, rods and broad
distributions of sizes; the two answers are averaged by their evidence. So the error of Rg holds what the
unknown shape may do to it, a straight line's bias is not left in the value, and the range may reach to where
the terms are still small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .results import Guinier, Refused

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """Prior of the coefficients of (v / reach²)², (v / reach²)³, … over a class of bodies.

    Parameters
    ----------
    share : float
        Of the class.
    mean : tuple of float
        Of the coefficients.
    factor : tuple of float
        Lower triangle, row by row, of the Cholesky factor of their covariance.
    """

    share: float
    mean: tuple[float, ...]
    factor: tuple[float, ...]

    def covariance(self, wider: float) -> Array:
        """(terms, terms), with the deviations multiplied."""
        lower = np.zeros((len(self.mean), len(self.mean)))
        lower[np.tril_indices(len(self.mean))] = self.factor
        return wider**2 * (lower @ lower.T)


@dataclass(frozen=True)
class GuinierSettings:
    """What a Guinier region is.

    Parameters
    ----------
    reach : float
        Largest q Rg used; up to there four terms follow the bodies' curves within 0.05 %.
    shorter : float
        Factor on it while the points do not follow the series.
    least_reach : float
        At which to give up.
    straight : float
        q Rg up to which a straight line finds where to begin the search.
    begin : float
        Largest q Rg of the first point; a curve that begins later shows nothing of q → 0.
    points : int
        Fewest.
    classes : tuple of Series
        By ``python benchmarks/guinier.py --series``, of 1,500 bodies each: spheres of one and of many sizes
        with and without shells; ellipsoids, bricks, cylinders and rods; chains; rows of beads.
    floor : float
        Standard deviation of ln I that their covariance holds besides, at every q.
    wider : float
        Factor on their deviations: other bodies are not quite as these.
    misfit : float
        Standard deviations of χ² beyond which points do not follow a law.
    better : float
        By how much less χ² the series must explain the points than a power law.
    uncertain : float
        Relative error of Rg from which on it is not given.
    skipped : float
        Points up to this much above the lowest q may be left out, if they alone are in the way.
    slit : float
        Largest slit half length times Rg; beyond, the smeared law is another for each shape.
    """

    reach: float = 2.6
    shorter: float = 0.8
    least_reach: float = 1.0
    straight: float = 1.6
    begin: float = 1.1
    points: int = 5
    classes: tuple[Series, ...] = (
        Series(1 / 4,
            (-0.338378, -0.241032, 0.185655, -0.20988),
            (0.146748, 0.0122745, 0.358169, 0.0611211, -0.493381, 0.0697602, 0.0547141, 0.284396, -0.0583699, 0.0373874)),
        Series(1 / 4,
            (0.190093, 0.238929, -0.240793, 0.0644841),
            (0.470845, 0.2927, 0.356868, -0.371055, -0.52226, 0.17132, 0.103891, 0.233744, -0.0716477, 0.0443016)),
        Series(1 / 4,
            (1.61112, -1.09076, 0.556552, -0.143827),
            (0.492927, -0.967241, 0.203425, 0.84847, -0.370284, 0.0625679, -0.287072, 0.185985, -0.0534322, 0.00663622)),
        Series(1 / 4,
            (0.7588, 0.929307, -0.888846, 0.200132),
            (0.25971, 0.0479692, 0.3488, -0.401958, -0.563862, 0.162126, 0.189818, 0.254272, -0.11403, 0.0171525)),
    )
    floor: float = 1e-3
    wider: float = 1.15
    misfit: float = 4.0
    better: float = 8.0
    uncertain: float = 0.15
    skipped: float = 1.5
    slit: float = 0.3


SETTINGS = GuinierSettings()
_ROUNDS, _LEAST, _SETTLED = 16, 3, 1e-3
#: Longest step of ln Rg².
_LONGEST = 0.7
#: q Rg at the end of a range over which nothing falls, and at the beginning of one that is no Guinier region.
_FLAT, _LATE = 0.05, 3.0


@dataclass(frozen=True)
class _Points:
    """The lowest points of a curve, all of the same length."""

    q: Array
    intensity: Array
    sigma: Array
    dq: Array | None

    def first(self, count: int) -> _Points:
        return _Points(
            self.q[:count],
            self.intensity[:count],
            self.sigma[:count],
            None if self.dq is None else self.dq[:count],
        )

    def without(self, count: int) -> _Points:
        return _Points(
            self.q[count:],
            self.intensity[count:],
            self.sigma[count:],
            None if self.dq is None else self.dq[count:],
        )


@dataclass(frozen=True)
class _State:
    """The series at its best under one prior, or the average of two.

    Parameters
    ----------
    theta : (2 + terms,) float array
        ln I(0), ln Rg², coefficients of the series.
    covariance : (2 + terms, 2 + terms) float array
    residual : (n,) float array
        Over the stated errors.
    chi2 : float
        With what the prior adds.
    evidence : float
        Its logarithm.
    """

    theta: Array
    covariance: Array
    residual: Array
    chi2: float
    evidence: float

    @property
    def rg(self) -> float:
        return math.exp(0.5 * float(self.theta[1]))


def guinier(
    q: Array,
    intensity: Array,
    sigma: Array,
    dq: Array | None = None,
    slit: float = 0.0,
    settings: GuinierSettings = SETTINGS,
) -> Guinier | Refused:
    """Radius of gyration and forward intensity, or why there are none.

    Parameters
    ----------
    q : (n,) float array
        Å⁻¹, positive and ascending.
    intensity, sigma : (n,) float arrays
        With one standard deviation, positive.
    dq : (n,) float array, optional
        Pinhole resolution, Å⁻¹; corrected for.
    slit : float
        Half length of a slit, Å⁻¹.
    """
    points = _Points(q, intensity, sigma, dq)
    found = _from(points, slit, settings)
    if isinstance(found, Refused) and found.reason in _CURED:
        for skip in (1, 2, 3, 5, 8, 12):
            if skip >= q.size or q[skip] > settings.skipped * q[0]:
                break
            other = _from(points.without(skip), slit, settings)
            if other and other.points > 3 * skip:
                return Guinier(**{**vars(other), "left_out": skip})
    return found


_RISES = "the intensity does not fall from the lowest q on, as below a peak or between bodies that repel"
_MISFIT = "no body alone has such a curve at the lowest q: interaction, aggregates, or errors not stated"
_UPTURN = "the intensity turns up at the lowest q (aggregates, or scattering that is not the sample's)"
_CURED = (_RISES, _MISFIT, _UPTURN)


def _from(points: _Points, slit: float, settings: GuinierSettings) -> Guinier | Refused:
    count, rg = _beginning(points, settings)
    if count == 0:
        return _not_begun(points, settings)
    reach = settings.reach
    while reach >= settings.least_reach:
        count, found = _settled(points, count, rg, reach, settings)
        noise = _scatter(found.residual)
        if not _misfits(found, noise, settings):
            return _accepted(points.first(count), found, noise, slit, settings)
        reach, rg = reach * settings.shorter, found.rg
    if found.rg * points.q[count - 1] < 2 * _FLAT:
        return Refused(_RISES)
    turned = np.mean(found.residual[: max(count // 5, 1)]) > 0
    return Refused(_UPTURN if turned else _MISFIT)


def _beginning(points: _Points, settings: GuinierSettings) -> tuple[int, float]:
    """Largest number of points for which q Rg of a straight line stays small, and that Rg; 0 where none is."""
    lit = points.intensity > 0
    z = np.log(np.where(lit, points.intensity, 1.0))
    w = np.where(lit, (points.intensity / points.sigma) ** 2, 0.0)
    u = points.q**2
    w0, wu, wz = np.cumsum(w), np.cumsum(w * u), np.cumsum(w * z)
    with np.errstate(divide="ignore", invalid="ignore"):
        rg2 = -3 * (w0 * np.cumsum(w * u * z) - wu * wz) / (w0 * np.cumsum(w * u * u) - wu**2)
        inside = (rg2 > 0) & (u * rg2 <= settings.straight**2)
    ok = np.flatnonzero(inside[settings.points - 1 :]) + settings.points
    return (int(ok[-1]), math.sqrt(rg2[ok[-1] - 1])) if ok.size else (0, 0.0)


def _not_begun(points: _Points, settings: GuinierSettings) -> Refused:
    if points.q.size < settings.points:
        return Refused(f"{points.q.size} points are too few")
    few = points.first(min(3 * settings.points, points.q.size))
    slope = np.polyfit(np.log(few.q), few.intensity / few.intensity.mean(), 1)[0]
    if slope >= 0:
        return Refused(_RISES)
    return Refused(
        f"fewer than {settings.points} points lie where q·Rg is small: the curve begins too late, or in steps"
        " that are too large"
    )


def _settled(
    points: _Points, count: int, rg: float, reach: float, settings: GuinierSettings
) -> tuple[int, _State]:
    """Range and fit that agree with each other."""
    begin = math.log(float(points.intensity[:count].max())), 2 * math.log(rg)
    theta = [np.array([*begin, *one.mean]) for one in settings.classes]
    for number in range(_ROUNDS):
        used = points.first(count)
        states = [_step(used, t, c, settings) for t, c in zip(theta, settings.classes, strict=True)]
        theta = [state.theta for state in states]
        found = _averaged(states)
        wanted = max(int(np.searchsorted(points.q, reach / found.rg, side="right")), settings.points)
        wanted = min(wanted, points.q.size)
        if number >= _ROUNDS // 2:  # to and fro between two ranges: the smaller one
            wanted = min(wanted, count)
        if abs(found.rg / rg - 1) < _SETTLED and wanted == count and number >= _LEAST:
            break
        count, rg = wanted, found.rg
    return found.residual.size, found


def _averaged(states: Sequence[_State]) -> _State:
    """Fits weighted by their evidence; residuals are those of the likelier one."""
    evidence = np.array([state.evidence for state in states])
    weight = np.exp(evidence - evidence.max())
    weight /= weight.sum()
    theta = np.sum([w * s.theta for w, s in zip(weight, states, strict=True)], axis=0)
    spread = [w * (s.covariance + np.outer(s.theta - theta, s.theta - theta))
              for w, s in zip(weight, states, strict=True)]  # fmt: skip
    best = states[int(weight.argmax())]
    return replace(best, theta=theta, covariance=np.sum(spread, axis=0))


def _step(points: _Points, theta: Array, series: Series, settings: GuinierSettings) -> _State:
    """One step of Gauss and Newton towards the greatest posterior probability."""
    covariance = series.covariance(settings.wider)
    prior = np.zeros((theta.size, theta.size))
    prior[2:, 2:] = np.linalg.inv(covariance)
    mean = np.array([0.0, 0.0, *series.mean])
    line, columns = _line(points, theta, settings.reach)
    # Weighted by the model, not by points that noise has lifted or lowered.
    model = np.exp(line)
    weight = (model / points.sigma) ** 2
    off = np.clip(points.intensity / model - 1, -1.0, 1.0)
    normal = columns.T @ (weight[:, None] * columns) + prior
    # Where nothing falls, or the model is nowhere near the points, they determine nothing.
    normal = normal + np.diag(1e-9 * np.diag(normal) + 1e-6)
    step = np.linalg.solve(normal, columns.T @ (weight * off) + prior @ (mean - theta))
    step[1] = min(max(step[1], -_LONGEST), _LONGEST)
    theta = theta + step
    # Neither a curve that rises nor a power law runs away.
    low, high = _FLAT / points.q[-1], _LATE / points.q[0]
    theta[1] = min(max(theta[1], 2 * math.log(low)), 2 * math.log(high))
    residual = (points.intensity - np.exp(_line(points, theta, settings.reach)[0])) / points.sigma
    differs = theta - mean
    chi2 = float(residual @ residual + differs @ prior @ differs)
    _, log_prior = np.linalg.slogdet(covariance)
    _, log_normal = np.linalg.slogdet(normal)
    evidence = math.log(series.share) - 0.5 * (chi2 + float(log_prior) + float(log_normal))
    return _State(theta, np.linalg.inv(normal), residual, chi2, evidence)


def _line(points: _Points, theta: Array, reach: float) -> tuple[Array, Array]:
    """ln I of the series, and its derivatives with respect to theta, (n, 2 + terms)."""
    a = math.exp(min(max(float(theta[1]), -60.0), 60.0)) / 3
    v = 3 * a * points.q**2
    exponents = np.arange(2.0, theta.size)
    powers = (v / reach**2)[:, None] ** exponents
    line = theta[0] - v / 3 + powers @ theta[2:]
    slope = -v / 3 + powers @ (exponents * theta[2:])
    if points.dq is not None:
        line = line + _smearing(v / 3, a, points.dq)
    columns = np.column_stack([np.ones_like(v), slope, powers])
    top = math.log(float(np.max(np.abs(points.intensity))) + 1e-300) + 5
    return np.clip(line, top - 60, top), columns


def _smearing(exponent: Array, a: float, dq: Array) -> Array:
    """ln of exp(−a q²) averaged over a normal distribution of q, less −a q² (integral in closed form)."""
    spread = 2 * a * dq**2
    smeared: Array = exponent * spread / (1 + spread) - 0.5 * np.log1p(spread)
    return smeared


def _scatter(residual: Array) -> float:
    """Noise over the stated errors, from neighbours' differences (von Neumann 1941); at least 0.1."""
    return max(float(np.sqrt(np.mean(np.diff(residual) ** 2) / 2)), 0.1)


def _misfits(found: _State, noise: float, settings: GuinierSettings) -> bool:
    n = found.residual.size
    free = max(n - 2, 1)
    return found.chi2 / noise**2 > free + settings.misfit * math.sqrt(2 * free) + 3


def _accepted(
    points: _Points, found: _State, noise: float, slit: float, settings: GuinierSettings
) -> Guinier | Refused:
    n, q, rg = points.q.size, points.q, found.rg
    if q[0] * rg > settings.begin:
        return Refused(
            f"the curve begins too late: by its lowest points q·Rg is {q[0] * rg:.2g} there already"
        )
    power, chi2 = _power_law(points)
    if chi2 - found.chi2 < settings.better * max(noise, 1.0) ** 2:
        return Refused(
            f"a power law, q^{-power:.2g}, explains the lowest points as well, as of rods, sheets, fractals or"
            " a window that begins too late"
        )
    if slit * rg > settings.slit:
        return Refused("a slit has smeared the curve, whose law at low q then depends on the shape")
    reduced = found.chi2 / max(n - 2, 1)
    grown = max(math.sqrt(reduced), 1.0) if reduced > 1 + 2 * math.sqrt(2 / n) else 1.0
    error = 0.5 * grown * math.sqrt(found.covariance[1, 1]) * rg
    if error > settings.uncertain * rg:
        return Refused(f"the lowest points determine Rg to {100 * error / rg:.0f} % only")
    i0 = math.exp(found.theta[0])
    return Guinier(
        rg, error, i0, grown * math.sqrt(found.covariance[0, 0]) * i0, float(q[0]), float(q[-1]), n,
        float(q[0]) * rg, float(q[-1]) * rg, float(found.theta[2]) / settings.reach**4, reduced,
    )  # fmt: skip


def _power_law(points: _Points) -> tuple[float, float]:
    """Exponent and χ² of A q⁻ᵖ."""
    lit = points.intensity > 0
    columns = np.stack([np.ones_like(points.q), -np.log(points.q / points.q[0])], axis=1)
    z = np.log(np.where(lit, points.intensity, 1.0))
    weight = np.where(lit, (points.intensity / points.sigma) ** 2, 0.0)
    for _ in range(3):
        theta = np.linalg.solve(columns.T @ (weight[:, None] * columns), columns.T @ (weight * z))
        line = columns @ theta
        model = np.exp(np.clip(line, -600.0, 600.0))
        weight = (model / points.sigma) ** 2
        z = line + np.clip(points.intensity / model - 1, -1.0, 1.0)
    return float(theta[1]), float(np.sum(((points.intensity - model) / points.sigma) ** 2))
