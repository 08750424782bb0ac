"""Points of q in a fit: as many as fringes need within the resolution, few on a coarse copy of the curve.

sasmodels ends a pinhole's kernel 2.5 widths below each point. On an upturn measured at dq/q = 0.2 and more
the next width holds as much as all the rest. No file states the tail of its instrument, so that it widens the
uncertainties.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import ArrayCache, Floats, bytes_of
from ...digits import significant
from ...types import Curve
from ..settings import ASSESSMENT, PROBLEM

#: Resolutions of the last curves: a search calculates each curve's again and again.
_KEPT: ArrayCache[Any] = ArrayCache(4 * 2**20)


def has_resolution(curve: Curve) -> bool:
    """Whether the curve says how wide in q its points are."""
    return is_slit(curve) or (curve.dq is not None and bool(np.any(curve.dq > 0)))


def resolution(curve: Curve, per_decade: int | None = None) -> Any:
    """Make sasmodels' resolution of a curve, calculated at the measured points and `per_decade` more."""
    # sasmodels averages the measured points within the resolution; fringes (2π/size) finer than those would
    # alias. Measured points alone are SasView's way.
    from sasmodels.resolution import Perfect1D

    if not has_resolution(curve):
        return Perfect1D(curve.q)
    key = (per_decade, *map(bytes_of, (curve.q, curve.dq, curve.dxl, curve.dxw)))
    return _KEPT.get(key, lambda: _calculated(curve, per_decade), _size)


def _size(found: Any) -> int:
    """Bytes of its weights."""
    return int(found.nbytes if isinstance(found, _Sparse) else found.weight_matrix.nbytes)


def _calculated(curve: Curve, per_decade: int | None) -> Any:
    from sasmodels.resolution import Slit1D

    points = None if per_decade is None else choose_calculation_q(curve, per_decade)
    if is_slit(curve):
        length, width = _slit(curve)
        slit = Slit1D(curve.q, q_length=length, q_width=width, q_calc=points)
        return slit if points is None else _Sparse.of_matrix(curve.q, slit.q_calc, slit.weight_matrix)
    return _pinhole(curve, _plain_points(curve) if points is None else points)


def is_slit(curve: Curve) -> bool:
    """Whether a slit smears the curve; then a pinhole resolution is not used."""
    return any(column is not None and bool(np.any(column > 0)) for column in (curve.dxl, curve.dxw))


def choose_calculation_q(curve: Curve, per_decade: int) -> NDArray[np.float64]:
    """Points of q, Å⁻¹, at which a model is calculated: the measured ones and so many a decade."""
    # At q far above a slit's length the points that it sees are close together, so there are some along it.
    q_points = _finer(curve, per_decade)
    if is_slit(curve):
        length, _ = _slit(curve)
        slit_q = np.hypot(curve.q[:, None], length[:, None] * np.linspace(0.0, 1.0, PROBLEM.along_slit))
        q_points = np.union1d(q_points, slit_q)
    return q_points


def _slit(curve: Curve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    zero = np.zeros(len(curve))
    return (zero if curve.dxl is None else curve.dxl), (zero if curve.dxw is None else curve.dxw)


def _finer(curve: Curve, per_decade: int) -> NDArray[np.float64]:
    """sasmodels' points, and others even in ln q over the range that the resolution sees."""
    # The measured points have to be there: a resolution narrower than the others' distance averages them
    # alone.
    q = _plain_points(curve)
    first = max(float(q.min()), _least(curve.q))
    decades = np.log10(float(q.max()) / first)
    return np.union1d(q, np.geomspace(first, float(q.max()), int(np.ceil(decades * per_decade)) + 1))


def _plain_points(curve: Curve) -> NDArray[np.float64]:
    """sasmodels' points of q, Å⁻¹, for a resolution that is not calculated."""
    from sasmodels.resolution import PINHOLE_N_SIGMA, pinhole_extend_q, slit_extend_q

    if not has_resolution(curve):
        return curve.q
    if is_slit(curve):
        length, width = _slit(curve)
        q = slit_extend_q(curve.q, q_length=length, q_width=width)
    else:
        q = pinhole_extend_q(curve.q, curve.dq, nsigma=PINHOLE_N_SIGMA)
    return np.asarray(np.abs(q[np.abs(q) >= _least(curve.q)]))


def _least(q: NDArray[np.float64]) -> float:
    """The least q that sasmodels calculates at."""
    from sasmodels.resolution import MINIMUM_ABSOLUTE_Q

    return float(MINIMUM_ABSOLUTE_Q * q.min())


def _pinhole(curve: Curve, points: NDArray[np.float64]) -> _Sparse:
    """As ``sasmodels.resolution.Pinhole1D`` at these points, to the bit, without the weights that are 0."""
    from sasmodels.resolution import MINIMUM_RESOLUTION, PINHOLE_N_SIGMA, bin_edges
    from scipy.special import erf

    assert curve.dq is not None
    q, width = curve.q, np.maximum(curve.dq, MINIMUM_RESOLUTION)
    q_calc = np.sort(points)
    q_calc = q_calc[np.abs(q_calc) >= _least(q)]
    edges = bin_edges(q_calc)
    first = np.searchsorted(q_calc, q - PINHOLE_N_SIGMA[0] * width, side="left")
    counts = np.searchsorted(q_calc, q + PINHOLE_N_SIGMA[1] * width, side="right") - first
    ends = np.cumsum(counts)
    rows = np.repeat(np.arange(q.size), counts)
    columns = np.arange(ends[-1]) - np.repeat(ends - counts - first, counts)
    centre, scale = q[rows], (np.sqrt(2.0) * width)[rows]
    weights = erf((edges[columns + 1] - centre) / scale) - erf((edges[columns] - centre) / scale)
    # As there, one after the other: `bincount` adds in this order.
    weights /= np.bincount(rows, weights, q.size)[rows]
    return _Sparse(q, np.abs(q_calc), (weights, columns, np.append(0, ends)))


class _Sparse:
    """The same resolution with a sparse matrix: at 800 points a decade nearly all weights are zero."""

    def __init__(self, q: Floats, q_calc: Floats, rows: Any) -> None:
        from scipy import sparse

        self.q, self.q_calc = q, q_calc
        self._matrix = sparse.csr_matrix(rows, shape=(q.size, q_calc.size))

    @classmethod
    def of_matrix(cls, q: Floats, q_calc: Floats, matrix: Floats) -> _Sparse:
        """Of weights (points calculated, points measured)."""
        return cls(q, q_calc, matrix.T)

    @property
    def nbytes(self) -> int:
        """Bytes of its weights, with their places."""
        return 2 * int(self._matrix.data.nbytes)

    def apply(self, theory: NDArray[np.float64]) -> NDArray[np.float64]:
        """The smeared curve at the measured points."""
        return np.asarray(self._matrix @ theory)


def apply_sampling(fitness: Any, curve: Curve, per_decade: int | None) -> None:
    """Calculate an experiment at these points from now on."""
    fitness.resolution = resolution(curve, per_decade)
    fitness._kernel = None
    fitness.update()


def sampling_needed(
    residual: Callable[[int | None], NDArray[np.float64]], *, finest: int = PROBLEM.finest
) -> int | None:
    """Find the fewest points per decade at which χ² is stable; None: the measured ones."""
    chosen, residual_at = None, residual(None)
    for finer in (*(n for n in (PROBLEM.sparse, PROBLEM.fine, PROBLEM.finest) if n < finest), finest):
        better = residual(finer)
        if np.mean((better - residual_at) ** 2) < PROBLEM.tolerance:
            return chosen
        chosen, residual_at = finer, better
    return chosen


def coarsen(curve: Curve, dintensity: Floats) -> tuple[Curve, Floats]:
    """Average a curve to at most 80 points, evenly in ln q, by weighted means, with 1 % of I added to
    uncertainties for the curvature within a cell.
    """
    if len(curve) <= PROBLEM.sparse:
        return curve, dintensity
    total, average = cells(curve.q, dintensity, PROBLEM.sparse)

    def mean(column: Floats | None) -> Floats | None:
        return None if column is None else average(column)

    q, intensity = average(curve.q), average(curve.intensity)
    # Within a cell a curve bends: a per cent of I is what the mean can be off by.
    error = np.hypot(1 / np.sqrt(total), ASSESSMENT.negligible * np.abs(intensity))
    dq, dxl, dxw = (mean(column) for column in (curve.dq, curve.dxl, curve.dxw))
    coarse = replace(curve, q=q, intensity=intensity, dintensity=error, dq=dq, dxl=dxl, dxw=dxw)
    return coarse, error


def cells(q: Floats, dintensity: Floats, count: int) -> tuple[Floats, Callable[[Floats], Floats]]:
    """Divide points evenly into cells of ln q, without empty ones; returns one over the variance of each
    mean, and a function from columns (n,) to means (m,).
    """
    # Nine times the variance of the cell's median point is added to each. Otherwise a point in a deep
    # minimum, with uncertainty in proportion to I, would outweigh its cell.
    log_q = np.log(q)
    edges = np.linspace(log_q[0], log_q[-1] + 1e-9, count + 1)
    cell = np.searchsorted(edges, log_q, side="right") - 1
    points = np.bincount(cell, minlength=count)
    order, first = np.lexsort((dintensity, cell)), np.cumsum(points) - points
    sizes, low, high = dintensity[order], first + (points - 1) // 2, first + points // 2
    last = dintensity.size - 1
    middle = 0.5 * (sizes[np.clip(low, 0, last)] + sizes[np.clip(high, 0, last)])
    weight = 1 / (dintensity**2 + (PROBLEM.even_weights * middle[cell]) ** 2)
    used = points > 0
    norm = np.bincount(cell, weight, count)[used]
    total = norm**2 / np.bincount(cell, (weight * dintensity) ** 2, count)[used]

    def mean(column: Floats) -> Floats:
        return np.asarray(np.bincount(cell, weight * column, count)[used] / norm)

    return np.asarray(total, dtype=np.float64), mean


def halve_steps(widths: Sequence[float], least: float) -> Iterator[float]:
    """Factors that change the best of some widths, each halving what the one before leaves open in ln."""
    step = math.sqrt(widths[-1] / widths[-2])
    while step > 1 + least:
        yield step
        step = math.sqrt(step)


def scale_and_background(
    curves: Floats, weight: Floats, intensity: Floats, *, lowest: float = 0.0
) -> tuple[Floats, Floats]:
    """Fit scale × curve + background by weighted least squares (weights are inverse variances)."""
    # `lowest` is the least background, negative where too much may have been subtracted; not finite where a
    # curve is not.
    with np.errstate(all="ignore"):
        sm, smm, smy = curves @ weight, curves**2 @ weight, curves @ (weight * intensity)
        return solve_sums(sm, smm, smy, float(weight.sum()), float(weight @ intensity), lowest=lowest)


def solve_sums(
    sm: Floats, smm: Floats, smy: Floats, sw: float, sy: float, *, lowest: float = 0.0
) -> tuple[Floats, Floats]:
    """`scale_and_background` from weighted sums of curves, their squares and products with the data."""
    determinant = smm * sw - sm**2
    scale, background = (smy * sw - sm * sy) / determinant, (smm * sy - sm * smy) / determinant
    without_background = ~(background >= lowest)
    if not without_background.any():
        return scale, background
    return np.where(without_background, (smy - lowest * sm) / smm, scale), np.where(
        without_background, lowest, background
    )


#: Widths below and above a point at which sasmodels' kernel ends, and where a longer one would.
_LOW, _HIGH, _LONGER = 2.5, 3.0, 3.5
#: The least share of q that a kernel reaches: nothing is measured in the beam.
_LEAST = 0.02
#: Exponents of an upturn: no surface falls faster.
_STEEPEST = 4.0


def add_resolution_tails(curve: Curve, dintensity: Floats) -> tuple[Floats, str]:
    """Add the resolution's tail to the uncertainties (n,), with a sentence if it dominates one."""
    if curve.dq is None or curve.dxl is not None or curve.dxw is not None:
        return dintensity, ""
    share = _tail_share(curve)
    added = share * np.abs(curve.intensity)
    is_dominant = added > dintensity
    if not is_dominant.any():
        return dintensity, ""
    last = curve.q[np.flatnonzero(is_dominant)[-1]]
    return np.where(share > 0, np.hypot(dintensity, added), dintensity), (
        f"Points up to q = {significant(float(last), 2)} Å⁻¹ were given larger uncertainties, because"
        f" the resolution is wide where the curve is steep."
    )


def _tail_share(curve: Curve) -> Floats:
    """Change of the smeared curve, (n,), relative, where the kernel is one width longer; of steep points."""
    assert curve.dq is not None
    width = curve.dq / curve.q
    share = np.zeros(len(curve))
    if not (width > PROBLEM.wide_resolution).any():
        return share
    for i, exact in enumerate(_slopes(curve)):
        slope = min(exact, _STEEPEST)
        if not slope > 1:  # an upturn goes on below the data; fringes and the end of a plateau do not
            break
        if width[i] > PROBLEM.wide_resolution:
            near, longer = (_smear_power_law(float(width[i]), slope, end) for end in (_LOW, _LONGER))
            share[i] = longer / near - 1
    return share


def _smear_power_law(width: float, exponent: float, end: float) -> float:
    nodes = np.linspace(-_HIGH, end, 300)
    kernel = np.exp(-(nodes**2) / 2)
    return float(kernel @ np.maximum(1 - nodes * width, _LEAST) ** -exponent / kernel.sum())


def _slopes(curve: Curve) -> Iterator[float]:
    log_q, log_i = np.log(curve.q), np.log(np.maximum(curve.intensity, 1e-300))
    for log_q_here in log_q:
        near = np.abs(log_q - log_q_here) < PROBLEM.window
        yield -float(np.polyfit(log_q[near], log_i[near], 1)[0]) if np.count_nonzero(near) > 2 else 0.0
