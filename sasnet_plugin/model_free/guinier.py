"""The series that follows Guinier's law, and its most probable coefficients under what is known of bodies.

    ln I = ln I(0) − v/3 + κ₄ v² + κ₆ v³ + …,   v = (q Rg)².

They are fitted with a normal prior for each of several classes of bodies, by Gauss and Newton; the answers
are averaged by their evidence (D. J. C. MacKay, Neural Comput. 4 (1992) 415).

The law (A. Guinier, Ann. Phys. 12 (1939) 161) is the first term of a series in v = (q Rg)²,

    ln I = ln I(0) − v/3 + κ₄ v² + κ₆ v³ + …,

and what the next terms contribute depends on the shape: κ₄ is −1/90 for a thin hollow sphere, −1/126 for a
sphere, 0 for a thin disc, 11/450 for a thin rod and 1/36 for a Gaussian coil. They are fitted, too, with
priors as wide as bodies differ (`series`). So the error of Rg holds what the
unknown shape may do to it, a straight line's bias is not left in the value, and the range may reach to where
the terms are still small.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..arrays import Floats
from .results import Guinier, Refused

# --- The series that follows Guinier's law, and its most probable coefficients under what is known
# --- of bodies.


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
    residual: Floats  #: (n,), of the likeliest class, over the stated errors.
    chi2: float  #: Of that class, with what its prior adds.
    each: Floats  #: (classes, 2 + terms), theta of each class.
    share: Floats  #: (classes,), of the evidence.
    covariances: Floats  #: (classes, 2 + terms, 2 + terms)
    series: tuple[Floats, Floats]  #: ln I of each class, (classes, n), and its derivatives.

    @property
    def rg(self) -> float:
        return math.exp(0.5 * float(self.theta[1]))

    @property
    def variance(self) -> Floats:
        """(2 + terms,), of theta."""
        spread = np.einsum("cii->ci", self.covariances) + (self.each - self.theta) ** 2
        return np.asarray(self.share @ spread)


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


def take_step(
    points: Points,
    theta: Floats,
    settings: GuinierSettings,
    series: tuple[Floats, Floats] | None = None,
) -> State:
    """One step of Gauss and Newton under the prior of each class, and the average of where they lead."""
    # `series` is that of `theta` at these points where the last step has it.
    priors = _priors(settings)
    line, columns = series or _line(points, theta, settings.reach[0])
    # Weighted by the model, not by points that noise has lifted or lowered.
    model = np.exp(line)
    weight = (model / points.sigma) ** 2
    off = weight * _clip(points.intensity / model - 1, -1.0, 1.0)
    normal = columns @ np.swapaxes(weight[:, None] * columns, 1, 2) + priors.precision
    # Where nothing falls, or the model is nowhere near the points, they determine nothing.
    diagonal = np.einsum("cii->ci", normal)
    diagonal += 1e-9 * diagonal + 1e-6
    pull = (priors.precision @ (priors.mean - theta)[..., None])[..., 0]
    covariance = np.asarray(np.linalg.inv(normal), dtype=np.float64)
    step = (covariance @ ((columns @ off[..., None])[..., 0] + pull)[..., None])[..., 0]
    step[:, 1] = _clip(step[:, 1], -_LONGEST, _LONGEST)
    theta = theta + step
    # Neither a curve that rises nor a power law runs away.
    low, high = FLAT / points.q[-1], LATE / points.q[0]
    theta[:, 1] = _clip(theta[:, 1], 2 * math.log(low), 2 * math.log(high))
    series = _line(points, theta, settings.reach[0])
    residual = (points.intensity - np.exp(series[0])) / points.sigma
    differs = (theta - priors.mean)[..., None]
    chi2 = (residual**2).sum(axis=1) + (differs * (priors.precision @ differs)).sum(axis=(1, 2))
    evidence = priors.constant - 0.5 * (chi2 + np.linalg.slogdet(normal)[1])
    share = np.exp(evidence - evidence.max())
    share /= share.sum()
    best = int(share.argmax())
    return State(share @ theta, residual[best], float(chi2[best]), theta, share, covariance, series)


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
    return _clip(line, top - 60, top), columns


def _clip(values: Floats, low: float, high: float) -> Floats:
    return np.minimum(np.maximum(values, low), high)


def _smearing(exponent: Floats, a: Floats, dq: Floats) -> Floats:
    """ln of exp(−a q²) averaged over a normal distribution of q, less −a q² (integral in closed form)."""
    spread = 2 * a * dq**2
    smeared: Floats = exponent * spread / (1 + spread) - 0.5 * np.log1p(spread)
    return smeared


# --- Guinier's law, ln I(q) = ln I(0) − (q Rg)²/3 for small q Rg: where it holds, and what follows
# --- from there.

_ROUNDS, _LEAST, _DRIFTED, _SETTLED = 10, 2, 2, 3e-3
#: Exponent of a power law below which a curve is level.
_LEVEL = 0.2
#: Points at the beginning that are looked at on their own; of fewer than 16 a quarter.
_FIRST = 4


def guinier(
    q: Floats,
    intensity: Floats,
    sigma: Floats,
    dq: Floats | None = None,
    slit: float = 0.0,
) -> Guinier | Refused:
    """Return radius of gyration and forward intensity, or the reason why not; q in Å⁻¹, positive and
    ascending, one standard deviation. Corrected for pinhole resolution `dq` and a slit's half length, Å⁻¹.
    """
    points = Points(q, intensity, sigma, dq)
    law = _fit_range(points, slit, SETTINGS)
    if isinstance(law, Guinier):
        return law
    cured = _skip_first(points, slit) if law.curable else None
    return cured or Refused(law.reason)


def _skip_first(points: Points, slit: float) -> Guinier | None:
    once = SETTINGS._replace(reach=SETTINGS.reach[:2], drifting=SETTINGS.stricter)
    for skip in SETTINGS.skips:
        if skip >= points.q.size or points.q[skip] > SETTINGS.skipped * points.q[0]:
            break
        later = _fit_range(points.drop_first(skip), slit, once)
        if isinstance(later, Guinier) and later.points > 3 * skip:
            return later._replace(left_out=skip)
    return None


class _No(NamedTuple):
    """Why there is no Guinier region, and whether the first points alone may be in the way."""

    reason: str
    curable: bool = False


def _fit_range(points: Points, slit: float, settings: GuinierSettings) -> Guinier | _No:
    count, rg = _beginning(points, settings)
    if count == 0:
        return _not_begun(points, settings)
    if _power_law(points.first(count))[0] <= 0:
        return _No(_RISES)
    longest = 0.0
    for reach in settings.reach:
        count, state = _settle_range(points, count, rg, reach, settings)
        noise, rg = _scatter(state.residual), state.rg
        longest = longest or rg
        if _misfits(state, noise, settings):
            continue
        accepted = _accept(points.first(count), state, noise, slit, settings)
        if isinstance(accepted, Guinier) and abs(rg / longest - 1) > settings.steady:
            return _No(
                f"Rg goes from {longest:.3g} to {rg:.3g} Å as the range is shortened: the curve turns at the"
                " lowest q",
                curable=True,
            )
        return accepted
    if state.rg * points.q[count - 1] < 2 * FLAT:
        return _No(_RISES)
    return _No(_MISFIT, curable=True)


_RISES = "the intensity does not fall from the lowest q on, as below a peak or with repulsion"


_MISFIT = (
    "at the lowest q the curve is not that of separate particles of one kind: they interact or"
    " stick together, or the errors are too small"
)


def _beginning(points: Points, settings: GuinierSettings) -> tuple[int, float]:
    """Most points for which q Rg of a straight line stays small, and that Rg; 0 where there are none."""
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


def _not_begun(points: Points, settings: GuinierSettings) -> _No:
    if points.q.size < settings.points:
        return _No(f"{points.q.size} points are too few")
    power, _ = _power_law(points.first(min(2 * settings.points, points.q.size)))
    if power <= 0:
        return _No(_RISES)
    return _No(
        f"from the lowest q on the curve falls as q^-{power:.1f}, so the q range begins too late, or has"
        f" fewer than {settings.points} points where q·Rg is small"
    )


def _settle_range(
    points: Points, count: int, rg: float, reach: float, settings: GuinierSettings
) -> tuple[int, State]:
    """Range and fit that agree with each other."""
    theta, series = make_first_theta(points, count, rg, settings), None
    for number in range(_ROUNDS):
        state = take_step(points.first(count), theta, settings, series)
        theta = state.each
        wanted_count = max(int(np.searchsorted(points.q, reach / state.rg, side="right")), settings.points)
        wanted_count = min(wanted_count, points.q.size)
        if number >= _ROUNDS // 2:  # to and fro between two ranges: the smaller one
            wanted_count = min(wanted_count, count)
        if abs(state.rg / rg - 1) < _SETTLED and wanted_count == count and number >= _LEAST:
            break
        series = state.series if wanted_count == count else None
        count, rg = wanted_count, state.rg
    return state.residual.size, state


def _scatter(residual: Floats) -> float:
    """Noise over the stated errors, from neighbours' differences (von Neumann 1941); at least 0.1."""
    return max(float(np.sqrt(np.mean(np.diff(residual) ** 2) / 2)), 0.1)


def _misfits(state: State, noise: float, settings: GuinierSettings) -> bool:
    n = state.residual.size
    free = max(n - 2, 1)
    first = state.residual[: min(_FIRST, n // _FIRST)]
    if abs(float(np.sum(first))) > settings.turned * max(noise, 1.0) * math.sqrt(first.size):
        return True
    return state.chi2 / noise**2 > free + settings.misfit * math.sqrt(2 * free) + 3


def _drifts(rg: float, to: float) -> str:
    change, why = ("falls", "aggregates or a background") if to < rg else ("grows", "repulsion")
    return f"Rg {change} from {rg:.3g} to {to:.3g} Å without the lowest points, as with {why}"


def _no_law(used: Points, state: State, noise: float, settings: GuinierSettings) -> str:
    """Why the points may follow another law than Guinier's; empty where they do not."""
    power, chi2 = _power_law(used)
    begin = float(used.q[0]) * state.rg
    if begin > settings.begin:
        return (
            f"from the lowest q on the curve falls as q^-{power:.1f}: the q range begins too late, at q·Rg ="
            f" {begin:.2g} if there is an Rg at all"
        )
    if chi2 - state.chi2 >= settings.better * max(noise, 1.0) ** 2:
        return ""
    if power < _LEVEL:
        return "the intensity at the lowest q does not fall by more than its noise"
    return (
        f"a power law, q^-{power:.2g}, fits the lowest points equally well, as for rods, sheets, fractals"
        " or a q range that begins too late"
    )


def _accept(
    used: Points, state: State, noise: float, slit: float, settings: GuinierSettings
) -> Guinier | _No:
    n, q, rg = used.q.size, used.q, state.rg
    if why := _no_law(used, state, noise, settings):
        return _No(why)
    if slit * rg > settings.slit:
        return _No("a slit has smeared the curve, whose law at low q then depends on the shape")
    reduced = state.chi2 / max(n - 2, 1)
    grown = max(reduced, 1.0) if reduced > 1 + 2 * math.sqrt(2 / n) else 1.0
    variance = grown * state.variance
    error = 0.5 * math.sqrt(variance[1])
    drift, pull = _drift(used, state, error, settings)
    if pull > settings.drifting[1] and abs(drift) > settings.drift:
        return _No(_drifts(rg, rg * (1 + drift)))
    if pull > settings.drifting[0]:
        error = math.hypot(error, drift)
    if error > settings.uncertain:
        return _No(f"the lowest points determine Rg to {100 * error:.0f} % only")
    i0 = math.exp(state.theta[0])
    terms = (float(c) / settings.reach[0] ** (2 * k) for k, c in enumerate(state.theta[2:], start=2))
    kappa = tuple(terms)
    return Guinier(
        rg, error * rg, i0, math.sqrt(variance[0]) * i0, float(q[0]), float(q[-1]), n, float(q[0]) * rg,
        float(q[-1]) * rg, kappa[0], reduced, terms=kappa,
    )  # fmt: skip


def _drift(points: Points, state: State, error: float, settings: GuinierSettings) -> tuple[float, float]:
    """Relative change of Rg if the first points are left out, where largest over its error, and over that."""
    worst = 0.0, 0.0
    for share in settings.without:
        rest = points.drop_first(max(int(share * points.q.size), 2))
        if rest.q.size < settings.points or rest.q[0] * state.rg > settings.late:
            break
        rest_state, series = state, None
        for _ in range(_DRIFTED):
            rest_state = take_step(rest, rest_state.each, settings, series)
            series = rest_state.series
        change = rest_state.rg / state.rg - 1
        pull = abs(change) / math.hypot(error, 0.5 * math.sqrt(rest_state.variance[1]))
        worst = max(worst, (change, pull), key=lambda pair: pair[1])
    return worst


def _power_law(points: Points) -> tuple[float, float]:
    """Exponent and χ² of A q⁻ᵖ; 0 and infinite where less than two points are above zero."""
    lit = points.intensity > 0
    columns = np.stack([np.ones_like(points.q), -np.log(points.q / points.q[0])], axis=1)
    z = np.log(np.where(lit, points.intensity, 1.0))
    weight = np.where(lit, (points.intensity / points.sigma) ** 2, 0.0)
    for _ in range(3):
        try:
            theta = np.linalg.solve(columns.T @ (weight[:, None] * columns), columns.T @ (weight * z))
        except np.linalg.LinAlgError:
            return 0.0, float("inf")
        line = columns @ theta
        model = np.exp(np.clip(line, -600.0, 600.0))
        weight = (model / points.sigma) ** 2
        z = line + np.clip(points.intensity / model - 1, -1.0, 1.0)
    return float(theta[1]), float(np.sum(((points.intensity - model) / points.sigma) ** 2))
