"""Errors that neighbouring points share: their size and reach, and what they leave of the evidence.

A calibrated intensity is off by some per cent, smoothly along q: background, sensitivity, resolution, a model
that is nearly right. To stated errors below that, no model fits, and between two that fit equally badly χ²
would decide with certainty. So the residuals are described as a Gaussian process (M. C. Kennedy and
A. O'Hagan, J. R. Stat. Soc. B 63 (2001) 425): independent noise, and a part that is a share of the intensity
with correlation exp(-|Δ ln q|/length). With that (Ornstein-Uhlenbeck) correlation the likelihood is a Kalman
filter along q, linear in the number of points (R. E. Kalman, J. Basic Eng. 82 (1960) 35).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import ASSESSMENT
from sasnet_plugin.types import Curve

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SystematicError:
    """What residuals are made of, besides the stated uncertainty.

    Parameters
    ----------
    relative : float
        Standard deviation of the part that neighbours share, as a share of the intensity about each point.
    length : float
        Its correlation length, in ln q.
    noise : float
        Independent part over the stated uncertainty, 1 at least.
    level : (n,) float array
        The intensity about each point.
    """

    relative: float
    length: float
    noise: float
    level: Array

    def as_dict(self) -> dict[str, float]:
        """As ``sasnet fit --json`` prints it."""
        return {"relative": self.relative, "length_ln_q": self.length, "noise": self.noise}


def systematic_error(curve: Curve, dintensity: Array, fits: Sequence[ModelFit]) -> SystematicError | None:
    """Size and reach of the error that the residuals of the best fit share, by maximum likelihood.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
        Stated or estimated.
    fits : sequence of ModelFit
        That of least BIC is taken: its residuals hold the least of the models' own errors.

    Returns
    -------
    SystematicError or None
        None where independent noise of the stated size, or a larger one, describes the residuals as well: two
        more parameters have to raise the likelihood by what BIC asks for.
    """
    if not fits:
        return None
    best = min(fits, key=lambda fit: fit.bic)
    residual = (curve.intensity - best.theory) / dintensity
    level = _level(curve.q, best.theory)
    gain = level / dintensity
    if not (np.all(np.isfinite(residual)) and np.all(np.isfinite(gain)) and len(curve) > _FEWEST):
        return None
    log_q, residual, gain = _thinned(np.log(curve.q), residual, gain)
    n = residual.size
    ratio, length = (a.ravel() for a in np.meshgrid(_RATIOS, _LENGTHS))
    innovation, variance = _filtered(log_q, gain, ratio, length, np.repeat(residual[:, None], ratio.size, 1))
    noise = np.maximum(np.mean(innovation**2 / variance, axis=0), 1.0)
    minus_two_log = np.sum(innovation**2 / variance, axis=0) / noise
    minus_two_log += n * np.log(noise) + np.sum(np.log(variance), axis=0)
    alone = max(float(np.mean(residual**2)), 1.0)
    independent = float(np.sum(residual**2)) / alone + n * np.log(alone)
    least = int(np.argmin(minus_two_log))
    if independent - minus_two_log[least] < 2 * np.log(n):
        return None
    size = float(np.sqrt(noise[least]))
    return SystematicError(float(ratio[least]) * size, float(length[least]), size, level)


def whitened(error: SystematicError, q: Array, dintensity: Array, columns: Array) -> Array:
    """Columns over the standard deviation of what the points before do not tell of them.

    Of residuals that follow the error, the result is independent and of unit variance.

    Parameters
    ----------
    error : SystematicError
    q : (n,) float array
        Å⁻¹, ascending.
    dintensity : (n,) float array
    columns : (n, k) float array
        Residuals or their derivatives, over `dintensity`.
    """
    ratio, length = (
        np.full(columns.shape[1], error.relative / error.noise),
        np.full(columns.shape[1], error.length),
    )
    innovation, variance = _filtered(np.log(q), error.level / dintensity, ratio, length, columns)
    return np.asarray(innovation / np.sqrt(variance) / error.noise)


def _filtered(log_q: Array, gain: Array, ratio: Array, length: Array, columns: Array) -> tuple[Array, Array]:
    """Innovations and their variances, both (n, k), for each column: ratio·gain·x + unit noise."""
    mean, spread = np.zeros(ratio.size), np.ones(ratio.size)
    decay = np.exp(-np.diff(log_q, prepend=log_q[0])[:, None] / length)
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


def _level(q: Array, theory: Array) -> Array:
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
    gain = (error.level / dintensity)[:, None]
    told = np.sum(whitened(error, curve.q, dintensity, gain) ** 2)
    factor = float(np.sqrt(np.sum(gain**2) / told))
    parameters = {
        name: p if p.error is None else replace(p, error=max(p.error, known.get(name, factor * p.error)))
        for name, p in fit.parameters.items()
    }
    return replace(fit, parameters=parameters)


def _correlated(q: Array, length: float, columns: Array) -> Array:
    """K columns with K = exp(-|Δ ln q|/length), in one pass up and one down."""
    decay = np.exp(-np.diff(np.log(q)) / length)
    found = columns.copy()
    for order in (range(1, q.size), range(q.size - 2, -1, -1)):
        carried = np.zeros(columns.shape[1])
        step = 1 if order.step > 0 else -1
        for i in order:
            carried = decay[min(i, i - step)] * (carried + columns[i - step])
            found[i] += carried
    return np.asarray(found)
