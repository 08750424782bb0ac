"""Curves from which no model can be told: noise leaves nothing to be seen, or three numbers explain them.

Windows of real measurements can be a line, a power or an exponential (Porod's and Guinier's laws are two of
them), and so can columns that are no scattering at all. In both cases the points fix no model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats

#: x, intensity and its uncertainty.
Look = tuple[Floats, Floats, Floats]

#: Below this reduced chi² a constant or a power law plus a constant explains the curve.
MAX_REDUCED_CHI2 = 1.5
_COARSE = np.arange(-1.0, 8.01, 0.25)
#: Parabolas by which a minimum is refined.
_PARABOLAS = 4


def is_uninformative(
    q: NDArray[np.float64], intensity: NDArray[np.float64], sigma: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether A q⁻ᵖ + B fits each curve (k, n) with reduced χ² below 1.5; true errors."""
    # A and B follow by linear least squares; p is scanned from -1 to 8 and refined by parabolas where that
    # could decide.
    n = q.size
    weight = 1 / sigma**2
    log_q = np.log(q / np.sqrt(q[0] * q[-1]))
    limit = MAX_REDUCED_CHI2 * max(n - 3, 1)
    chi2 = _scan_basis(np.exp(-_COARSE[:, None] * log_q), intensity, weight)
    best = np.argmin(chi2, axis=1)
    value = chi2[np.arange(len(best)), best]
    answer = value < limit
    # A quarter step in p costs much where precision is high, so near misses are refined.
    open_rows = np.flatnonzero(~answer & (value < 1e4 * limit))
    if open_rows.size:
        rows, w = intensity[open_rows], weight[open_rows]
        middle = np.clip(best[open_rows], 1, _COARSE.size - 2)
        three = np.arange(-1, 2) + middle[:, None]
        p, chi2_three = _COARSE[three], chi2[open_rows[:, None], three]
        for _ in range(_PARABOLAS):
            new = np.clip(_lowest(p, chi2_three), _COARSE[0] - 0.25, _COARSE[-1] + 0.25)
            chi2_new = chi2_of_basis(np.exp(-new[:, None] * log_q), rows, w)
            value[open_rows] = np.minimum(value[open_rows], chi2_new)
            worst = np.argmax(chi2_three, axis=1)[:, None]
            np.put_along_axis(p, worst, new[:, None], axis=1)
            np.put_along_axis(chi2_three, worst, chi2_new[:, None], axis=1)
        answer = value < limit
    return answer


def _lowest(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the minimum of the parabola through three points of each row (k, 3), else the lowest point."""
    low = np.argmin(y, axis=1)[:, None]
    centre, least = np.take_along_axis(x, low, 1)[:, 0], np.take_along_axis(y, low, 1)[:, 0]
    # Divided differences (Newton).
    first = (y[:, 1] - y[:, 0]) / np.where(x[:, 1] != x[:, 0], x[:, 1] - x[:, 0], np.inf)
    second = (y[:, 2] - y[:, 1]) / np.where(x[:, 2] != x[:, 1], x[:, 2] - x[:, 1], np.inf)
    bend = (second - first) / np.where(x[:, 2] != x[:, 0], x[:, 2] - x[:, 0], np.inf)
    bottom = (x[:, 0] + x[:, 1]) / 2 - first / (2 * np.where(bend > 0, bend, np.inf))
    reach = np.ptp(x, axis=1)
    return np.where((bend > 0) & np.isfinite(least), np.clip(bottom, centre - reach, centre + reach), centre)


def _scan_basis(
    basis: NDArray[np.float64], intensity: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(k, m) chi² of the best A·basis + B of each curve with each of m bases, by products of matrices."""
    # Intensities are measured from their weighted mean, so that little cancels.
    w_sum = weight.sum(axis=1, keepdims=True)
    centred = intensity - np.sum(weight * intensity, axis=1, keepdims=True) / w_sum
    total = np.sum(weight * centred**2, axis=1, keepdims=True)
    square = weight @ (basis**2).T
    spread = square - (weight @ basis.T) ** 2 / w_sum
    explained = ((weight * centred) @ basis.T) ** 2
    # A flat basis explains nothing, and its spread is what rounding leaves.
    flat = spread <= 1e-12 * square
    return np.asarray(total - np.where(flat, 0.0, explained / np.where(flat, 1.0, spread)))


def chi2_of_basis(
    basis: NDArray[np.float64], intensity: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Chi² of the best A·basis + B, residuals formed point by point so that nothing cancels."""
    w_sum = weight.sum(axis=1)
    mean_b = np.sum(weight * basis, axis=1) / w_sum
    mean_i = np.sum(weight * intensity, axis=1) / w_sum
    centred = basis - mean_b[:, None]
    slope = np.sum(weight * centred * intensity, axis=1) / np.maximum(
        np.sum(weight * centred**2, axis=1), 1e-300
    )
    residual = intensity - mean_i[:, None] - slope[:, None] * centred
    return np.sum(weight * residual**2, axis=1)


@dataclass(frozen=True)
class ConstantSettings:
    """When a curve is a constant and noise."""

    points: int = 12  #: Fewer tell nothing.
    groups: int = 8  #: Of neighbours, whose means are compared with that of all.
    #: Reduced chi² up to which points scatter about it as their neighbours do, and its standard deviations
    #: that are added, those of the noise estimate among them.
    chi2: tuple[float, float] = (1.25, 4.0)
    group: float = 4.7  #: Standard deviations by which the mean of a group may differ.
    together: float = 7.0  #: The same of chi² of all groups.
    trend: float = 4.0  #: Standard deviations of a slope against q and against ln q.
    peak: float = 5.5  #: Standard deviations by which the mean of three neighbours may differ.


CONSTANT = ConstantSettings()
# Fourth differences; their mean absolute value over that of a unit normal is the scatter about neighbours.
_FOURTH = np.array([1.0, -4.0, 6.0, -4.0, 1.0])
_MEAN = float(np.sqrt(2 / np.pi))
# Variance of that ratio of n points, times n: π/2 - 1 of each absolute value, and neighbours share points.
_OF_SCATTER = (np.pi / 2 - 1) * float(np.sum((np.correlate(_FOURTH, _FOURTH, "full") / 70) ** 2))


@dataclass(frozen=True)
class Constant:
    """What a curve without structure says, in the unit of its intensity."""

    value: float
    error: float  #: One standard deviation.


def constant(q: Floats, intensity: Floats, sigma: Floats | None) -> Constant | None:
    """Return the mean of a curve that is constant within noise, else None."""
    # The noise is taken from the scatter about neighbours, as uncertainties may be wrong by a factor; `sigma`
    # None means equal ones.
    sigma = np.ones_like(intensity) if sigma is None else sigma
    good = np.isfinite(intensity) & (sigma > 0)
    q, intensity, sigma = q[good], intensity[good], sigma[good]
    if q.size < CONSTANT.points:
        return None
    differences = np.convolve(intensity, _FOURTH, "valid")
    expected = np.sqrt(np.convolve(sigma**2, _FOURTH**2, "valid"))
    factor = float(np.mean(np.abs(differences) / expected)) / _MEAN
    if factor <= 0:  # rounded numbers that are all the same have no noise
        return None
    weight = 1 / (factor * sigma) ** 2
    mean = float(np.sum(weight * intensity) / np.sum(weight))
    off = (intensity - mean) * np.sqrt(weight)
    if _has_structure(q, off):
        return None
    return Constant(mean, float(max(1.0, np.sqrt(np.mean(off**2))) / np.sqrt(np.sum(weight))))


def _has_structure(q: Floats, off: Floats) -> bool:
    """Whether deviations from a mean, in standard deviations, are more than noise."""
    most, deviations = CONSTANT.chi2
    if np.mean(off**2) > most + deviations * np.sqrt((2 + 4 * _OF_SCATTER) / off.size):
        return True
    sums = np.array([np.sum(part) / np.sqrt(part.size) for part in np.array_split(off, CONSTANT.groups)])
    free = CONSTANT.groups - 1
    if np.abs(sums).max() > CONSTANT.group or np.sum(sums**2) > free + CONSTANT.together * np.sqrt(2 * free):
        return True
    if np.abs(np.convolve(off, np.ones(3) / np.sqrt(3), "valid")).max() > CONSTANT.peak:
        return True
    return any(abs(_trend(x, off)) > CONSTANT.trend for x in (q, np.log(q)))


def _trend(x: Floats, off: Floats) -> float:
    """Slope of deviations, in standard deviations of the slope."""
    centred = x - x.mean()
    length = float(np.linalg.norm(centred))
    return float(centred @ off) / length if length > 0 else 0.0


@dataclass(frozen=True)
class ShapeSettings:
    """When a curve is one of the shapes."""

    points: int = 24  #: Of the coarse comparison; most curves are none of the shapes on so few.
    #: Of the intensity, added to the uncertainties in it: what the steps of the grids leave.
    tolerance: float = 0.03
    #: Factor on the limit of the reduced chi² there: on the grid, whose steps are coarse, and refined, for
    #: the scatter of so few points.
    leeway: tuple[float, float] = (30.0, 3.0)
    #: Of the reduced chi² for the other shapes; for power laws it is that of training, which leaves them out.
    limit: float = 1.25
    most: int = 500  #: Points of the fine comparison, in which the parameter is refined.
    #: Largest over smallest intensity (95 % and 5 % quantiles) up to which nothing but a level is seen.
    span: float = 1.25
    #: Mean intensity of the last fifth of the points over that of the first, from which on a curve rises;
    #: scattering falls.
    rise: float = 1.5


SETTINGS = ShapeSettings()

# Name, basis of (parameter, q over the largest), values of the parameter; each with a factor and a constant.
_STEEP = np.geomspace(0.1, 30.0, 40)
_ROUNDS = 3  # each makes the steps a quarter


def _power(p: Floats, x: Floats) -> Floats:
    return np.exp(-p * np.log(x))


_SHAPES: tuple[tuple[str, Callable[[Floats, Floats], Floats], Floats], ...] = (
    ("A straight line", lambda p, x: p * x, np.ones(1)),
    ("A power law plus a constant", _power, np.arange(-4.0, 8.01, 0.1)),
    (
        "An exponential plus a constant",
        lambda p, x: np.exp(p * x - np.maximum(p, 0)),
        np.concatenate([-_STEEP[::-1], _STEEP]),
    ),
    ("Guinier's law plus a constant", lambda p, x: np.exp(-((p * x) ** 2)), _STEEP),
    ("A parabola", lambda p, x: (x - p) ** 2, np.linspace(-0.5, 1.5, 41)),
)


def simple_shape(q: Floats, intensity: Floats, sigma: Floats) -> str:
    """Name the first simple shape that fits a curve within its uncertainties; empty if none does."""
    # q in Å⁻¹, ascending.
    coarse, fine = _thin_points(q.size, SETTINGS.points), _thin_points(q.size, SETTINGS.most)
    x = q / q[-1]
    soft = np.hypot(sigma[coarse], SETTINGS.tolerance * intensity[coarse])
    looks = (x[coarse], intensity[coarse], soft), (x[fine], intensity[fine], sigma[fine])
    rounds = (looks[0], 1), (looks[0], _ROUNDS), (looks[1], _ROUNDS)
    return next((name for name, basis, grid in _SHAPES if _explains(basis, grid, rounds)), "")


def _explains(
    basis: Callable[[Floats, Floats], Floats], grid: Floats, rounds: Sequence[tuple[Look, int]]
) -> bool:
    """Whether a shape explains the points of each round, whose grid of its parameter is ever finer."""
    limit = MAX_REDUCED_CHI2 if basis is _power else SETTINGS.limit
    limits = [limit * leeway for leeway in (*SETTINGS.leeway, 1.0)]
    best = None
    for (points, number), most in zip(rounds, limits, strict=True):
        # The first round, which most curves end at, is a rough one.
        compute = _estimate_reduced_chi2 if number == 1 else _compute_reduced_chi2
        for _ in range(number):
            if best is not None:
                grid = np.linspace(grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)], 9)
            chi2 = compute(basis(grid[:, None], points[0]), *points[1:])
            best = int(np.argmin(chi2))
        if chi2[best] > most:
            return False
    return True


def level(intensity: Floats) -> str:
    """What is to be said of a curve that hardly varies, or rises; empty for others."""
    low, high = np.quantile(intensity, (0.05, 0.95))
    if low > 0 and high / low < SETTINGS.span:
        return f"The intensity varies by less than {100 * (SETTINGS.span - 1):.0f} %"
    fifth = max(intensity.size // 5, 1)
    first, last = float(np.mean(intensity[:fifth])), float(np.mean(intensity[-fifth:]))
    if last > SETTINGS.rise * max(first, 0.0) and last >= 0.5 * float(np.max(intensity)):
        return "The intensity rises with q, where scattering falls"
    return ""


@lru_cache(maxsize=64)
def _thin_points(size: int, points: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, size - 1, min(size, points)).astype(np.intp))


def _estimate_reduced_chi2(basis: Floats, intensity: Floats, sigma: Floats) -> Floats:
    chi2 = _scan_basis(basis, intensity[None], 1 / sigma[None] ** 2)[0]
    return np.asarray(chi2 / max(intensity.size - 3, 1))


def _compute_reduced_chi2(basis: Floats, intensity: Floats, sigma: Floats) -> Floats:
    chi2 = chi2_of_basis(basis, intensity[None], 1 / sigma[None] ** 2)
    return chi2 / max(intensity.size - 3, 1)
