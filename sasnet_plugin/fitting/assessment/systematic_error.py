"""Errors that neighbouring points share: their size and reach, and what they leave of the evidence.

A calibrated intensity is off by some per cent, smoothly along q: background, sensitivity, resolution, a model
that is nearly right. To given errors below that, no model fits, and between two that fit equally badly χ²
would decide with certainty. So the residuals are described as a Gaussian process (M. C. Kennedy and
A. O'Hagan, J. R. Stat. Soc. B 63 (2001) 425): independent noise, and a part that is a share of the intensity
with correlation exp(-|Δ ln q|/length). With that (Ornstein-Uhlenbeck) correlation the likelihood is a Kalman
filter along q, linear in the number of points (R. E. Kalman, J. Basic Eng. 82 (1960) 35).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.result.components import is_scale
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import ASSESSMENT
from sasnet_plugin.types import Curve

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SystematicError:
    """What residuals are made of, besides the given uncertainty.

    Parameters
    ----------
    relative : float
        Standard deviation of the part that neighbours share, as a share of the intensity; 0 where independent
        noise alone describes the residuals as well.
    length : float
        Its correlation length, in ln q.
    noise : float
        Independent part over the given uncertainty, 1 at least.
    level : (n,) float array
        The intensity that it is a share of: that of the fit, or its mean about each point.
    minus_two_log : float
        -2 ln of the likelihood of the residuals, with the density's constant left out.
    """

    relative: float
    length: float
    noise: float
    level: Array
    minus_two_log: float

    def as_dict(self) -> dict[str, float]:
        """As ``sasnet fit --json`` prints it."""
        return {"relative": self.relative, "length_ln_q": self.length, "noise": self.noise}


def systematic_error(curve: Curve, dintensity: Array, fit: ModelFit) -> SystematicError:
    """Size and reach of the error that the residuals of a fit share, by maximum likelihood.

    Two more parameters have to raise the likelihood by what BIC asks for; else there is no such error.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
        Given or estimated.
    fit : ModelFit
    """
    residual = (curve.intensity - fit.theory) / dintensity
    n, size = residual.size, max(float(np.mean(residual**2)), 1.0)
    alone = float(np.sum(residual**2)) / size + n * np.log(size)
    found = SystematicError(0.0, 0.0, float(np.sqrt(size)), np.abs(fit.theory), alone)
    if not np.all(np.isfinite(residual)) or n <= _FEWEST:
        return found
    levels = (_mean_about(curve.q, fit.theory), np.abs(fit.theory))
    error = min((_likeliest(curve, dintensity, residual, x) for x in levels), key=lambda e: e.minus_two_log)
    return error if error.minus_two_log + 2 * np.log(n) < alone else found


def _likeliest(curve: Curve, dintensity: Array, residual: Array, level: Array) -> SystematicError:
    n = residual.size
    log_q, residual, gain = _thinned(np.log(curve.q), residual, level / dintensity)
    ratio, length = (a.ravel() for a in np.meshgrid(_RATIOS, _LENGTHS))
    innovation, variance = _filtered(log_q, gain, ratio, length, np.repeat(residual[:, None], ratio.size, 1))
    noise = np.maximum(np.mean(innovation**2 / variance, axis=0), 1.0)
    minus_two_log = np.sum(innovation**2 / variance, axis=0) / noise
    minus_two_log += residual.size * np.log(noise) + np.sum(np.log(variance), axis=0)
    least = int(np.argmin(minus_two_log))
    size = float(np.sqrt(noise[least]))
    # Of thinned residuals, as if of all: the scatter within blocks is that of independent noise.
    rest = (n - residual.size) * (1 + 2 * np.log(size)) if n > residual.size else 0.0
    return SystematicError(
        float(ratio[least]) * size, float(length[least]), size, level, float(minus_two_log[least]) + rest
    )


def _filtered(log_q: Array, gain: Array, ratio: Array, length: Array, columns: Array) -> tuple[Array, Array]:
    """Innovations and their variances, both (n, k), for each column: ratio·gain·x + unit noise."""
    mean, spread = np.zeros(ratio.size), np.ones(ratio.size)
    decay = np.exp(-np.diff(log_q, prepend=log_q[0])[:, None] / np.maximum(length, _SHORTEST))
    innovation, variance = np.empty_like(columns), np.empty_like(columns)
    for i, (kept, column) in enumerate(zip(decay, columns, strict=True)):
        mean, spread = kept * mean, kept**2 * spread + 1 - kept**2
        h = ratio * gain[i]
        total = h**2 * spread + 1
        left = column - h * mean
        weight = spread * h / total
        mean, spread = mean + weight * left, (1 - weight * h) * spread
        innovation[i], variance[i] = left, total
    return innovation, variance


def _mean_about(q: Array, theory: Array) -> Array:
    """Mean intensity about each point: what is off by a share of it does not vanish in a minimum."""
    log_q, half = np.log(q), ASSESSMENT.systematic_window / 2
    total = np.concatenate(([0.0], np.cumsum(np.abs(theory))))
    low, high = np.searchsorted(log_q, log_q - half), np.searchsorted(log_q, log_q + half, side="right")
    return np.asarray((total[high] - total[low]) / (high - low))


def _thinned(log_q: Array, residual: Array, gain: Array) -> tuple[Array, Array, Array]:
    """Blocks of m neighbours, where there are thousands of points: residual Σr/√m, gain Σg/√m."""
    m = -(-residual.size // ASSESSMENT.systematic_points)
    if m == 1:
        return log_q, residual, gain
    edges = np.arange(0, residual.size, m)
    count = np.diff(np.append(edges, residual.size))
    return (
        np.add.reduceat(log_q, edges) / count,
        np.add.reduceat(residual, edges) / np.sqrt(count),
        np.add.reduceat(gain, edges) / np.sqrt(count),
    )


#: Systematic over independent part, and correlation lengths in ln q, that are tried.
_RATIOS = np.geomspace(1e-4, 3.0, 46)
_LENGTHS = np.array([0.03, 0.06, 0.12, 0.25, 0.5, 1.0])
#: In place of no length at all, where nothing is shared.
_SHORTEST = 1e-9
#: Points below which nothing is said of how they hang together.
_FEWEST = 8


def widened(curve: Curve, dintensity: Array, fit: ModelFit, error: SystematicError) -> ModelFit:
    """The fit with parameter errors that hold under the systematic error.

    Least squares that take the points for independent have the covariance (JᵀJ)⁻¹ Jᵀ Σ J (JᵀJ)⁻¹ (H. White,
    Econometrica 48 (1980) 817, with Σ the covariance of the residuals). Where J is not known, each
    error grows as that of the scale.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
    fit : ModelFit
    error : SystematicError
        Of its residuals.
    """
    known: dict[str, float] = {}
    moving = {name: d for name, d in fit.derivatives.items() if np.all(np.isfinite(d)) and np.any(d)}
    if moving:
        jacobian = np.stack(list(moving.values()), axis=1)
        scale = np.linalg.norm(jacobian, axis=0)
        inverse = np.linalg.pinv(jacobian / scale, rcond=1e-9)
        shared = error.relative * inverse * error.level / dintensity
        covariance = error.noise**2 * inverse @ inverse.T
        covariance += shared @ _correlated(curve.q, error.length, shared.T)
        known = dict(zip(moving, map(float, np.sqrt(np.diag(covariance)) / scale), strict=True))
    unknown = any(p.error is not None and name not in known for name, p in fit.parameters.items())
    factor = _of_scale(curve, dintensity, error) if unknown else 1.0
    parameters = {
        name: p if p.error is None else replace(p, error=max(p.error, known.get(name, factor * p.error)))
        for name, p in fit.parameters.items()
    }
    # Shares of components are known as their scales are.
    grown = [
        p.error / (fit.parameters[name].error or np.inf)
        for name, p in parameters.items()
        if is_scale(name) and p.error
    ]
    components = tuple(
        c if c.error is None else replace(c, error=c.error * max([1.0, *grown])) for c in fit.components
    )
    return replace(fit, parameters=parameters, components=components)


def _of_scale(curve: Curve, dintensity: Array, error: SystematicError) -> float:
    """By how much the error of a scale grows, were it all that is fitted."""
    gain = error.level / dintensity
    innovation, variance = _filtered(
        np.log(curve.q),
        gain,
        np.array([error.relative / error.noise]),
        np.array([error.length]),
        gain[:, None],
    )
    known = float(np.sum(innovation**2 / variance)) / error.noise**2
    return float(np.sqrt(np.sum(gain**2) / known))


def _correlated(q: Array, length: float, columns: Array) -> Array:
    """K columns with K = exp(-|Δ ln q|/length), in one pass up and one down."""
    decay = np.exp(-np.diff(np.log(q)) / max(length, _SHORTEST))
    found = columns.copy()
    for order in (range(1, q.size), range(q.size - 2, -1, -1)):
        carried = np.zeros(columns.shape[1])
        step = 1 if order.step > 0 else -1
        for i in order:
            carried = decay[min(i, i - step)] * (carried + columns[i - step])
            found[i] += carried
    return np.asarray(found)
