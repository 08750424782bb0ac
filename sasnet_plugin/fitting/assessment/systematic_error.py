"""Errors that neighbouring points share: their size and reach, and what they leave of the evidence.

A calibrated intensity is off by some per cent, smoothly along q: background, sensitivity, resolution, a model
that is nearly right. To given errors below that, no model fits, or only one with parameters to spare, which
takes the error up; and χ² would decide with certainty between two that fit equally badly. So the residuals
are described as a Gaussian process (M. C. Kennedy and A. O'Hagan, J. R. Stat. Soc. B 63 (2001) 425):
independent noise, and a smooth part (`matern`) of a size that is a share of the intensity or, as where a
background is taken off, of a constant. The parameters of the fit follow, in the linear approximation, to
where they are likeliest under it, and a background may change along q, which models have as a constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.assessment.matern import correlation, filtered
from sasnet_plugin.fitting.problem.free_parameters import moving
from sasnet_plugin.fitting.result.components import is_scale
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import ASSESSMENT
from sasnet_plugin.types import Curve

from ...digits import significant

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SystematicError:
    """What residuals are made of, besides the given uncertainty.

    Parameters
    ----------
    relative : float
        Standard deviation of the part that neighbours share, as a share of the intensity about each point;
        0 where independent noise alone describes the residuals as well.
    length : float
        Its correlation length, in ln q.
    noise : float
        Independent part over the given uncertainty, 1 at least.
    size : (n,) float array
        Standard deviation of the shared part, in the units of the intensity.
    minus_two_log : float
        -2 ln of the likelihood of the residuals, with the density's constant left out, and with what the
        shared part costs: its two parameters as by BIC, and its size, of which a large one is unlikely.
    cost : float
        That cost alone.
    background : float
        What a background that changes along q makes up of the intensity, where it makes up most; 0 where a
        constant does as well.
    added : (n,) float array or 0
        Of `size`, what that background makes up.
    parts : tuple of (float, (n,) float array)
        Correlation lengths and sizes of independent parts whose sum has the covariance that is expected of
        what neighbours share, over all sizes and lengths that the residuals allow; `size` and `length` are
        the likeliest. Without a background that is fitted besides.
    """

    relative: float
    length: float
    noise: float
    size: Array
    minus_two_log: float
    cost: float = 0.0
    background: float = 0.0
    added: Array | float = 0.0
    parts: tuple[tuple[float, Array], ...] = ()

    def as_dict(self) -> dict[str, float]:
        """As ``sasnet fit --json`` prints it."""
        return {
            "relative": self.relative,
            "length_ln_q": self.length,
            "noise": self.noise,
            "background": self.background,
        }

    def words(self) -> str:
        """Such as "a systematic error of 3 % of I and a background that changes along q"."""
        more = " and a background that changes along q" if self.background else ""
        return f"a systematic error of {significant(100 * self.relative, 2)} % of I{more}"


def independent(curve: Curve, dintensity: Array, fit: ModelFit) -> SystematicError:
    """Residuals as independent noise alone, of whatever size."""
    residual = (curve.intensity - fit.theory) / dintensity
    n, size = residual.size, max(float(np.mean(residual**2)), 1.0)
    alone = float(np.sum(residual**2)) / size + n * np.log(size)
    return SystematicError(0.0, 0.0, float(np.sqrt(size)), np.zeros(n), alone)


def systematic_error(curve: Curve, dintensity: Array, fit: ModelFit) -> SystematicError:
    """Size and reach of the error that the residuals of a fit share, by maximum likelihood.

    There is none unless it raises the likelihood by more than it costs.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
        Given or estimated.
    fit : ModelFit
    """
    alone = independent(curve, dintensity, fit)
    residual = (curve.intensity - fit.theory) / dintensity
    if not np.all(np.isfinite(residual)) or residual.size <= _FEWEST:
        return alone
    error = _likeliest(curve, dintensity, residual, fit)
    return error if error.minus_two_log < alone.minus_two_log else alone


def each_error(curve: Curve, dintensity: Array, fits: Sequence[ModelFit]) -> list[SystematicError]:
    """Of each fit `systematic_error`; of those of a far larger χ² than the best's `independent` alone."""
    least = min((max(fit.reduced_chisq, 1.0) for fit in fits), default=1.0)
    return [
        systematic_error(curve, dintensity, fit)
        if fit.reduced_chisq <= ASSESSMENT.much_worse * least
        else independent(curve, dintensity, fit)
        for fit in fits
    ]


def _likeliest(curve: Curve, dintensity: Array, residual: Array, fit: ModelFit) -> SystematicError:
    n = residual.size
    about = _mean_about(curve.q, fit.theory)
    levels = _levels(about, np.abs(fit.theory))
    slopes = moving(fit.derivatives).values()
    backgrounds = _backgrounds(curve, dintensity)
    units = [d / np.linalg.norm(d) for d in (*slopes, *backgrounds)]
    log_q, columns, gain = _thinned(
        np.log(curve.q), np.column_stack([residual, *units]), levels / dintensity[:, None]
    )
    level, ratio, length = (a.ravel() for a in np.meshgrid(range(len(gain.T)), _RATIOS, _LENGTHS))
    innovation, variance = filtered(log_q, ratio * gain[:, level], length, columns)
    white = innovation / np.sqrt(variance)[:, :, None]
    share = np.sqrt(np.mean((levels / about[:, None]) ** 2, axis=0))[level] * ratio
    found = []
    for more in (0, len(backgrounds)):
        left, moved, taken_up = _left(white[:, :, : 1 + len(slopes) + more])
        noise = np.maximum(left / len(log_q), 1.0)
        cost = (2 + more) * np.log(n) + (share * np.sqrt(noise) / ASSESSMENT.usual_systematic) ** 2
        total = left / noise + len(log_q) * np.log(noise) + np.sum(np.log(variance), axis=0) + cost
        k = int(np.argmin(total))
        # Parameters take up a part of it: the likelihood of what they leave, in the place of that of the
        # residuals (H. D. Patterson and R. Thompson, Biometrika 58 (1971) 545), says how large it was.
        weight = np.exp(0.5 * (np.min(total + taken_up) - total - taken_up))
        square = weight / np.sum(weight) * ratio**2 * noise
        found.append((float(total[k]), k, float(np.sqrt(noise[k])), float(cost[k]), moved[k], square))
    best, k, size, cost_of_it, moved_to, square = min(found, key=lambda one: one[0])
    shift = moved_to[len(slopes) :]  # of the backgrounds; none where they are left out
    added = np.asarray(shift @ np.array(units[len(slopes) :][: len(shift)])) + np.zeros(n)
    if slopes:  # what parameters can take up is theirs
        columns = np.stack(units[: len(slopes)], axis=1)
        added = added - columns @ np.linalg.lstsq(columns, added, rcond=_RIDGE)[0]
    changing = np.abs(dintensity * added)
    # Of thinned residuals, as if of all: the scatter within blocks is that of independent noise.
    rest = (n - len(log_q)) * (1 + 2 * np.log(size)) if n > len(log_q) else 0.0
    return SystematicError(
        float(share[k]) * size, float(length[k]), size,
        np.hypot(float(ratio[k]) * size * levels[:, level[k]], changing), best + rest, cost_of_it,
        float(np.max(changing / about)), changing, _parts(square, level, length, levels),
    )  # fmt: skip


def _parts(
    square: Array, level: NDArray[np.intp], length: Array, levels: Array
) -> tuple[tuple[float, Array], ...]:
    """Lengths and sizes, from the share of each of what was tried in the variance over its level's square."""
    found = []
    for far in _LENGTHS:
        for kind in range(levels.shape[1]):
            part = float(np.sum(square[(length == far) & (level == kind)]))
            if part > _SLIGHT * np.sum(square):
                found.append((float(far), np.sqrt(part) * levels[:, kind]))
    return tuple(found)


def _levels(about: Array, theory: Array) -> Array:
    """What errors are a share of, (n, 4).

    The mean about each point, the intensity itself, a constant, or both: a background that is off, too.
    """
    constant = np.full_like(theory, np.quantile(theory, ASSESSMENT.background_quantile))
    return np.column_stack([about, theory, constant, np.hypot(_BOTH * about, constant)])


def _left(white: Array) -> tuple[Array, Array, Array]:
    """Sum of squares (k,) of the first of (n, k, m) columns after the others are fitted, and by how much.

    The last, (k,), is ln of the determinant of the others' normal equations.
    """
    residual, slopes = white[:, :, 0], white[:, :, 1:]
    total = np.sum(residual**2, axis=0)
    if not slopes.shape[2]:
        return np.asarray(total), np.zeros((total.size, 0)), np.zeros(total.size)
    normal = np.einsum("nki,nkj->kij", slopes, slopes, optimize=True)
    moment = np.einsum("nki,nk->ki", slopes, residual)
    # What the data leave open moves nowhere.
    normal += _RIDGE * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(normal.shape[1])
    moved = np.linalg.solve(normal, moment[:, :, None])[:, :, 0]
    left = np.maximum(total - np.sum(moment * moved, axis=1), 0.0)
    return np.asarray(left), np.asarray(moved), np.asarray(np.linalg.slogdet(normal)[1])


def _mean_about(q: Array, theory: Array) -> Array:
    """Mean intensity about each point: what is off by a share of it does not vanish in a minimum."""
    log_q, half = np.log(q), ASSESSMENT.systematic_window / 2
    total = np.concatenate(([0.0], np.cumsum(np.abs(theory))))
    low, high = np.searchsorted(log_q, log_q - half), np.searchsorted(log_q, log_q + half, side="right")
    return np.asarray(np.maximum((total[high] - total[low]) / (high - low), np.finfo(float).tiny))


def _backgrounds(curve: Curve, dintensity: Array) -> list[Array]:
    """Residuals by backgrounds that change along q."""
    return [(curve.q / curve.q[-1]) ** power / dintensity for power in _POWERS]


def _blocks(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where blocks of neighbours begin among n points, and how many each holds; one where n is small."""
    edges = np.arange(0, n, -(-n // ASSESSMENT.systematic_points))
    return edges, np.diff(np.append(edges, n))


def _thinned(log_q: Array, columns: Array, gain: Array) -> tuple[Array, Array, Array]:
    """Blocks of m neighbours, where there are many points: columns Σr/√m, gain Σg/√m."""
    edges, count = _blocks(log_q.size)
    root = np.sqrt(count)[:, None]
    return (
        np.add.reduceat(log_q, edges) / count,
        np.add.reduceat(columns, edges) / root,
        np.add.reduceat(gain, edges) / root,
    )


#: Systematic over independent part, and correlation lengths in ln q, that are tried.
_RATIOS = np.geomspace(1e-3, 3.0, 24)
_LENGTHS = np.array([0.08, 0.16, 0.32, 0.64, 1.3])
#: Powers of q of a background that changes along it.
_POWERS = (1, 2)
#: Of the intensity, beside the whole constant, where both are off.
_BOTH = 0.3
#: Points below which nothing is said of how they hang together.
_FEWEST = 8
#: Share of the squares of all below which a part is left out.
_SLIGHT = 1e-3
#: Of the trace of normal equations, added to their diagonal.
_RIDGE = 1e-9


def widened(curve: Curve, dintensity: Array, fit: ModelFit, error: SystematicError) -> ModelFit:
    """The fit with parameter errors that hold under the systematic error.

    Least squares that take the points for independent have the covariance (JᵀJ)⁻¹ Jᵀ Σ J (JᵀJ)⁻¹ (H. White,
    Econometrica 48 (1980) 817, with Σ the covariance of the residuals). Where J is not known, each
    error grows as that of the scale. Where a background changes along q, which the model has as a constant,
    the values stand where the constant has put them: how far they move with it is added.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
    fit : ModelFit
    error : SystematicError
        Of its residuals.
    """
    known: dict[str, float] = {}
    slopes = moving(fit.derivatives)
    if slopes:
        beside = _backgrounds(curve, dintensity) if error.background else []
        jacobian = np.stack([*slopes.values(), *beside], axis=1)
        scale = np.linalg.norm(jacobian, axis=0)
        inverse = np.linalg.pinv(jacobian / scale, rcond=1e-9)[: len(slopes)]
        scale = scale[: len(slopes)]
        covariance = error.noise**2 * inverse @ inverse.T + _shared(curve, dintensity, error, inverse.T)
        off = inverse @ ((curve.intensity - fit.theory) / dintensity) if beside else np.zeros(len(slopes))
        known = dict(zip(slopes, map(float, np.sqrt(np.diag(covariance) + off**2) / scale), strict=True))
    unknown = any(p.error is not None and name not in known for name, p in fit.parameters.items())
    factor = _of_scale(curve, dintensity, fit, error) if unknown else 1.0
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


def _of_scale(curve: Curve, dintensity: Array, fit: ModelFit, error: SystematicError) -> float:
    """By how much the error of a scale grows, were it all that is fitted."""
    slope = np.abs(fit.theory) / dintensity
    weight = (slope / np.sum(slope**2))[:, None]
    wide = error.noise**2 * np.sum(weight**2) + float(_shared(curve, dintensity, error, weight)[0, 0])
    return float(np.sqrt(max(wide * np.sum(slope**2), 1.0)))


def _shared(curve: Curve, dintensity: Array, error: SystematicError, columns: Array) -> Array:
    """columnsᵀ K columns, (m, m), with K the shared part's covariance of the residuals."""
    # Sums over blocks of neighbours, which share all of it.
    edges, count = _blocks(curve.q.size)
    log_q = np.add.reduceat(np.log(curve.q), edges) / count
    found = np.zeros((columns.shape[1], columns.shape[1]))
    for length, size in error.parts:
        weighted = np.add.reduceat((size / dintensity)[:, None] * columns, edges)
        found += weighted.T @ correlation(log_q, length) @ weighted
    return found
