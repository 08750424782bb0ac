"""Guinier's law, ln I(q) = ln I(0) − (q Rg)²/3 for small q Rg: where it holds, and what follows from there.

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
from typing import NamedTuple

import numpy as np

from .results import Guinier, Refused
from .series import FLAT, SETTINGS, Floats, GuinierSettings, Points, State, make_first_theta, take_step

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
        f"from the lowest q on the curve falls as q^-{power:.1f}, so that its window begins too late, or has"
        f" fewer than {settings.points} points where q·Rg is small"
    )


def _settle_range(
    points: Points, count: int, rg: float, reach: float, settings: GuinierSettings
) -> tuple[int, State]:
    """Range and fit that agree with each other."""
    theta = make_first_theta(points, count, rg, settings)
    for number in range(_ROUNDS):
        state = take_step(points.first(count), theta, settings)
        theta = state.each
        wanted_count = max(int(np.searchsorted(points.q, reach / state.rg, side="right")), settings.points)
        wanted_count = min(wanted_count, points.q.size)
        if number >= _ROUNDS // 2:  # to and fro between two ranges: the smaller one
            wanted_count = min(wanted_count, count)
        if abs(state.rg / rg - 1) < _SETTLED and wanted_count == count and number >= _LEAST:
            break
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
            f"from the lowest q on the curve falls as q^-{power:.1f}: the window begins too late, at q·Rg ="
            f" {begin:.2g} if there is an Rg at all"
        )
    if chi2 - state.chi2 >= settings.better * max(noise, 1.0) ** 2:
        return ""
    if power < _LEVEL:
        return "the intensity at the lowest q does not fall by more than its noise"
    return (
        f"a power law, q^-{power:.2g}, fits the lowest points equally well, as for rods, sheets, fractals"
        " or a window that begins too late"
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
    variance = grown * np.diag(state.covariance)
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
        rest_state = state
        for _ in range(_DRIFTED):
            rest_state = take_step(rest, rest_state.each, settings)
        change = rest_state.rg / state.rg - 1
        pull = abs(change) / math.hypot(error, 0.5 * math.sqrt(rest_state.covariance[1, 1]))
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
