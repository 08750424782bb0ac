"""Starting values: the nearest curves of the bank, after size, scale and background are solved for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice, product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ...arrays import Floats
from ...simulate import lengths
from ...simulate.bank import BANK_STEP, LOG_Q_MIN, N_BANK, Page
from ...simulate.grid import N_WIDE, pinhole_matrix, slit_matrix
from ...simulate.kernel import call
from ...simulate.priors import model_info, rescalable, rescale
from ...types import Curve
from ..problem.free_parameters import sharp
from ..problem.resolution import cells, solve_sums
from ..settings import START_VALUES

#: Dimensionless grid q·R on which structure factors are tabulated.
_LOG_X = np.linspace(np.log(1e-3), np.log(300.0), 1200)
#: Parameters tried of each structure factor; radius_effective comes from the body.
FACTORS: dict[str, tuple[dict[str, float], ...]] = {
    "hardsphere": tuple({"volfraction": v} for v in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)),
    "squarewell": tuple(
        {"volfraction": v, "welldepth": d, "wellwidth": w}
        for v, d, w in product((0.05, 0.15, 0.3), (0.5, 1.5), (1.2, 1.6))
    ),
    "stickyhardsphere": tuple(
        {"volfraction": v, "perturb": 0.05, "stickiness": s}
        for v, s in product((0.05, 0.15, 0.3), (0.12, 0.3, 1.0))
    ),
    "hayter_msa": tuple(
        {"volfraction": v, "charge": c} for v in (0.01, 0.03, 0.1, 0.25) for c in (5.0, 20.0, 60.0)
    ),
}
#: Sizes are tried from a twelfth to twelve times those of the bank, in steps of 9.6 %.
_SHIFTS = np.arange(-54, 55, 2)
#: Factors of a power of q, by model, each with its exponent: their curves, too, can be shifted along ln q.
POWERED: Mapping[str, Mapping[str, str]] = {
    "broad_peak": {"porod_scale": "porod_exp"},
    "correlation_length": {"porod_scale": "porod_exp"},
    "unified_power_Rg": {f"B{i}": f"power{i}" for i in range(1, 7)},
}
#: Radii at which hayter_msa, which does not scale with its size, is tabulated, Å.
_RADII = (10.0, 20.0, 40.0, 80.0, 160.0, 320.0)


def places(log_x: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Look up ln(q·R) in the tables of structure factors; beyond their end S is 1."""
    step = _LOG_X[1] - _LOG_X[0]
    positions = np.rint(np.nan_to_num((log_x - _LOG_X[0]) / step, neginf=0.0))
    return np.asarray(np.clip(positions, 0, _LOG_X.size), dtype=np.uint16)


def interaction(
    factor: str, parameters: dict[str, float], positions: NDArray[np.uint16], radius: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return S of a structure factor, NaN where its closure has no solution; `positions` (n, s, c) from
    `places`, effective radius (n, s) in Å.
    """
    key = tuple(sorted(parameters.items()))
    if factor != "hayter_msa":
        return _table(factor, key, 50.0)[positions]
    pick = np.argmin(np.abs(np.log(np.maximum(radius, 1e-3))[..., None] - np.log(_RADII)), axis=-1)
    tables = np.stack([_table(factor, key, r) for r in _RADII])
    return np.asarray(tables[pick[..., None], positions])


@lru_cache(maxsize=256)
def _table(factor: str, parameters: tuple[tuple[str, float], ...], radius: float) -> NDArray[np.float32]:
    """S on the grid of q·R, and the 1 beyond it; NaN where the closure has no solution."""
    values = call(factor, np.exp(_LOG_X) / radius, dict(parameters) | {"radius_effective": radius}).intensity
    valid = np.where(np.isfinite(values) & (values > 0), values, np.nan)
    return np.append(valid, 1.0).astype(np.float32)


@dataclass(frozen=True)
class NearCurve:
    """A curve of the bank near the data, as a start of a fit."""

    parameters: dict[str, Any]
    weighted_residual: float  #: Mean squared residual over measured uncertainty plus 7 % of I.


@dataclass(frozen=True)
class Binned:
    """A curve in few points, even in ln q."""

    #: intensity, weight: (m,), mean of each bin, and one over its variance with the bank's coarseness.
    intensity: NDArray[np.float64]
    weight: NDArray[np.float64]
    columns: NDArray[np.intp]  #: (c,), points of the bank's grid that the bins see.
    matrix: NDArray[np.float32]  #: (c, m), resolution, from these points to the bins.


def bin_curve(
    curve: Curve, dintensity: NDArray[np.float64], tolerance: float = START_VALUES.tolerance
) -> Binned:
    """Average a curve into at most 48 bins of ln q; `tolerance`, a share of I, is added to uncertainties."""
    total, average = cells(curve.q, dintensity, START_VALUES.bins)
    mean, log_q_mean = average(curve.intensity), average(np.log(curve.q))
    variance = 1 / total + (tolerance * mean) ** 2
    return Binned(mean, 1 / variance, *make_smearing_matrix(curve, np.exp(log_q_mean)))


def make_smearing_matrix(
    curve: Curve, q: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return columns (c,) of the bank's grid and the matrix (c, m) that turn its curves into a measurement at
    q (m,), with resolution.
    """
    matrix = resolution_matrix(curve, q)
    used = np.flatnonzero(matrix.any(axis=0))
    columns = np.arange(used[0], used[-1] + 1)
    return columns, np.ascontiguousarray(matrix[:, columns].T, dtype=np.float32)


def resolution_matrix(curve: Curve, q: NDArray[np.float64]) -> NDArray[np.float64]:
    """(m, N_BANK) weights of the bank's points in what is measured at q; a slit's width is left out."""
    if curve.dxl is not None and np.any(curve.dxl > 0):
        fine = slit_matrix(q, np.interp(q, curve.q, curve.dxl))
    else:
        dq = np.zeros(q.size) if curve.dq is None else np.interp(q, curve.q, curve.dq)
        fine = pinhole_matrix(q, dq)
    return np.asarray((fine @ _from_bank()).toarray())


@cache
def _from_bank() -> Any:
    """(N_WIDE, N_BANK) sparse linear interpolation from the bank's grid to the wide one."""
    grid_positions = np.arange(N_WIDE) * (N_BANK - 1) / (N_WIDE - 1)
    low = np.minimum(grid_positions.astype(int), N_BANK - 2)
    rows = np.arange(N_WIDE)
    return sparse.coo_matrix(
        (
            np.concatenate((1 - grid_positions + low, grid_positions - low)),
            (np.tile(rows, 2), np.concatenate((low, low + 1))),
        ),
        shape=(N_WIDE, N_BANK),
    ).tocsr()


def search(
    page: Page, model: str, factor: str | None, data: Binned
) -> tuple[NDArray[np.intp], list[tuple[dict[str, float], Floats, Floats, Floats]]]:
    """Compare all curves of a model with the data at every size and structure factor tried."""
    # Returns size shifts (s,) in grid steps and, for each choice of structure factor parameters, residual,
    # scale and background, (n, s) each.
    shifts, solutions = search_grid(model), []
    for parameters, blocks in _measure_blocks(page, factor, data, shifts):
        sums = zip(*(_sum_up(measured, data) for measured in blocks), strict=True)
        mean, square, product = map(np.concatenate, sums)
        solutions.append((parameters, *_solve(mean, square, product, data)))
    return shifts, solutions


#: Curves of the bank that are shifted at a time: their copies stay in the processor's cache.
_ROWS_AT_A_TIME = 16


def measure_curves(
    page: Page, factor: str | None, data: Binned, shifts: NDArray[np.intp]
) -> Iterator[tuple[dict[str, float], Floats]]:
    """Yield structure factor parameters and I (n, s, m) of a page's curves at sizes, in the data's bins."""
    for parameters, blocks in _measure_blocks(page, factor, data, shifts):
        measured = np.empty((len(page), shifts.size, data.intensity.size))
        for number, block in enumerate(blocks):
            measured[number * _ROWS_AT_A_TIME :][: len(block)] = block
        yield parameters, measured


def _measure_blocks(
    page: Page, factor: str | None, data: Binned, shifts: NDArray[np.intp]
) -> Iterator[tuple[dict[str, float], Iterator[Floats]]]:
    rows = [slice(begin, begin + _ROWS_AT_A_TIME) for begin in range(0, len(page), _ROWS_AT_A_TIME)]
    if not factor:
        shifted = (_shift_intensity(page.log_intensity[part], data.columns, shifts) for part in rows)
        yield {}, _smear_blocks(shifted, data)
        return
    placed = [_shift_and_place(page, part, data.columns, shifts) for part in rows]
    for parameters in FACTORS[factor]:
        yield parameters, _smear_blocks(_multiply(placed, factor, parameters), data)


def _smear_blocks(blocks: Iterator[NDArray[np.float32]], data: Binned) -> Iterator[Floats]:
    # At a tolerance of per cents single precision does for what takes the time.
    for curves in blocks:
        yield (curves @ data.matrix).astype(np.float64)


#: Curves of a page at sizes, and where they are in the tables of structure factors: q·R and R.
_Placed = tuple[NDArray[np.float32], NDArray[np.uint16], Floats]


def _multiply(
    placed: Sequence[_Placed], factor: str, parameters: dict[str, float]
) -> Iterator[NDArray[np.float32]]:
    for curves, positions, radius in placed:
        yield curves * interaction(factor, parameters, positions, radius)


def _shift_and_place(page: Page, rows: slice, columns: NDArray[np.intp], shifts: NDArray[np.intp]) -> _Placed:
    radius = page.radius_effective[rows, None] * np.exp(BANK_STEP * shifts)  # of a body times the size ratio
    with np.errstate(divide="ignore"):
        log_x = np.log(radius)[..., None] + LOG_Q_MIN + BANK_STEP * columns
    return _shift_intensity(page.log_intensity[rows], columns, shifts), places(log_x), radius


def shift_curves(
    page: Page, factor: str | None, columns: NDArray[np.intp], shifts: NDArray[np.intp]
) -> Iterator[tuple[dict[str, float], NDArray[np.float32]]]:
    """Yield structure factor parameters and I(q) (n, s, c) of a page's curves at sizes and grid points."""
    curves, positions, radius = _shift_and_place(page, slice(None), columns, shifts)
    if not factor:
        yield {}, curves
        return
    for parameters in FACTORS[factor]:
        yield parameters, curves * interaction(factor, parameters, positions, radius)


def nearest(page: Page, model: str, factor: str | None, data: Binned, *, count: int = 4) -> list[NearCurve]:
    """The best curves of one model, each with its best size, scale and background, by rising residual."""
    # Fewer where the bank has no more that differ.
    shifts, factor_results = search(page, model, factor, data)
    residual = np.stack([t[1] for t in factor_results])
    k, row, s = smallest(residual, count)
    columns = dict(zip(page.names, page.parameters[row].T, strict=True))
    if shifts.size > 1:
        columns = rescale_lengths(model, columns, np.exp(BANK_STEP * shifts[s]))
    for name in factor_results[0][0]:
        columns[name] = np.array([extra[name] for extra, *_ in factor_results])[k]
    if factor:
        columns["radius_effective"] = page.radius_effective[row] * np.exp(BANK_STEP * shifts[s])
    near_curves = []
    # A model as porod has no parameter but its scale.
    chosen = islice(_distinct(columns), count) if columns else range(1)
    for place in chosen:
        at = int(row[place]), int(s[place])
        extra, _, _, background = factor_results[k[place]]
        # For a product, sasmodels multiplies by volfraction; the bank's curves have no absolute scale.
        parameters = scale_bank_row(page, model, factor, at[0], shifts, at[1], extra)
        parameters["background"] = float(background[at])
        near_curves.append(NearCurve(parameters, float(residual[k[place]][at]) / data.intensity.size))
    return near_curves


def _distinct(columns: Mapping[str, Floats]) -> Iterator[int]:
    """Places of starts that are no others before them, by `is_near`; none after many in vain, as of a model
    whose only parameter is a size. `columns` hold each parameter of all starts, NaN where one has none.
    """
    table = np.stack(list(columns.values()), axis=1)
    has = np.isfinite(table)
    compared = np.array([not name.endswith("_pd_type") for name in columns])
    kept: list[int] = []

    def look(first: int, most: int) -> int | None:
        """The first of so many places that is near none that is kept."""
        some = slice(first, first + most)
        one, other = table[some], table[kept, None]
        middle = 0.5 * (np.abs(one) + np.abs(other)) + 1e-12
        counted = has[some] & compared
        squares = np.where(counted, ((one - other) / middle) ** 2, 0.0).sum(axis=2)
        apart = np.sqrt(squares / np.maximum(counted.sum(axis=1), 1e-300))
        near = (has[some] == has[kept, None]).all(axis=2) & (apart < START_VALUES.distinct)
        is_open = ~near.any(axis=0)
        return first + int(is_open.argmax()) if is_open.any() else None

    while True:
        first = kept[-1] + 1 if kept else 0
        place = look(first, 10)
        place = look(first, START_VALUES.looked_at) if place is None else place
        if place is None:
            return
        kept.append(place)
        yield place


def smallest(residual: Floats, count: int) -> tuple[NDArray[np.intp], ...]:
    """Places of the smallest finite residuals, as many as are looked at for so many starts."""
    rows = residual.reshape(-1, residual.shape[-1])
    most = min(START_VALUES.looked_at * count, residual.size)
    # They are in the rows of the smallest minima: no copy of all is sorted.
    near_rows = np.argpartition(rows.min(axis=1), min(most, len(rows)) - 1)[:most]
    row, column = np.divmod(np.argsort(rows[near_rows], axis=None)[:most], rows.shape[1])
    flat = near_rows[row] * rows.shape[1] + column
    return np.unravel_index(flat[np.isfinite(residual.ravel()[flat])], residual.shape)


def scale_bank_row(
    page: Page,
    model: str,
    factor: str | None,
    row: int,
    shifts: NDArray[np.intp],
    s: int,
    extra: dict[str, float],
) -> dict[str, float]:
    """The parameters of a curve of the bank at another size, with those of a structure factor."""
    ratio = float(np.exp(BANK_STEP * shifts[s]))
    body = rescale_lengths(model, page.row(row), ratio) if shifts.size > 1 else page.row(row)
    effective_radius = {"radius_effective": float(page.radius_effective[row]) * ratio} if factor else {}
    return body | extra | effective_radius


def _shift_intensity(
    log_i: NDArray[np.float32], columns: NDArray[np.intp], shifts: NDArray[np.intp]
) -> NDArray[np.float32]:
    """I(q × ratio) of every curve, shift and grid point; NaN where the bank does not know it."""
    first, last = int(columns[0] + shifts.min()), int(columns[-1] + shifts.max())
    index = np.arange(first, last + 1)
    value = log_i[:, np.clip(index, 0, N_BANK - 1)]
    # Below the grid a curve has its plateau or power law: its first points, continued.
    below = np.minimum(index, 0).astype(np.float32)
    value = value + below * (log_i[:, 1] - log_i[:, 0])[:, None]
    intensity = np.where(index > N_BANK - 1, np.float32(np.nan), np.exp(value))
    windows = np.lib.stride_tricks.sliding_window_view(intensity, columns.size, axis=1)
    return windows[:, columns[0] + shifts - first]


def _sum_up(measured: Floats, data: Binned) -> tuple[Floats, Floats, Floats]:
    """Weighted sums, (n, s), of curves (n, s, m), which are overwritten, their squares and products with the
    data.
    """
    with np.errstate(all="ignore"):
        weights = np.stack([data.weight, data.weight * data.intensity], axis=1)
        mean, product = np.moveaxis(measured @ weights, -1, 0)
        return mean, np.square(measured, out=measured) @ data.weight, product


def _solve(mean: Floats, square: Floats, product: Floats, data: Binned) -> tuple[Floats, Floats, Floats]:
    """Weighted least squares of scale × curve + background, neither negative; residual, scale, background."""
    weight, weighted = data.weight, data.weight * data.intensity
    with np.errstate(all="ignore"):
        scale, background = solve_sums(mean, square, product, weight.sum(), weighted.sum())
        # The sum of squares by these sums: all curves need not be gone through again.
        residual = scale * (scale * square - 2 * product) + weighted @ data.intensity
        residual += background * (2 * (scale * mean - weighted.sum()) + background * weight.sum())
    residual = np.where(np.isfinite(residual) & (scale > 0), np.maximum(residual, 0.0), np.inf)
    return residual, scale, background


def is_near(parameters: dict[str, Any], other_starts: list[dict[str, Any]]) -> bool:
    """Whether one of these is a start beside which this one is no other."""
    # A few numbers, thousands of times: plain Python is much faster than arrays of them.
    keys = [k for k in parameters if k != "background" and not k.endswith("_pd_type")]
    return any(_apart(parameters, other_start, keys) < START_VALUES.distinct for other_start in other_starts)


def _apart(parameters: dict[str, Any], other_start: dict[str, Any], keys: list[str]) -> float:
    """Root of the mean square of relative differences; infinite where names differ or there are none."""
    if parameters.keys() != other_start.keys() or not keys:
        return math.inf
    total = 0.0
    for key in keys:
        a, b = float(parameters[key]), float(other_start[key])
        distance = abs(a - b) / (0.5 * (abs(a) + abs(b)) + 1e-12)
        total += distance * distance
    return math.sqrt(total / len(keys))


def search_grid(model: str) -> NDArray[np.intp]:
    """Sizes tried of a model, in steps of the bank's grid."""
    return _SHIFTS if rescalable(model) or model in POWERED else np.zeros(1, dtype=int)


def rescale_lengths(model: str, parameters: dict[str, float], factor: float) -> dict[str, float]:
    """Multiply all lengths by `factor`; widths of distributions are relative."""
    sizes = sharp(parameters)
    widths = {k: v for k, v in parameters.items() if k not in sizes}
    if model not in POWERED:
        return rescale(model, sizes, factor) | widths
    info = model_info(model)
    power = lengths.powers(info) or {}
    rescaled = {k: v * factor ** power.get(lengths.base_id(info, k), 0) for k, v in sizes.items()}
    return rescaled | _rescale_powers(model, rescaled, factor) | widths


def _rescale_powers(model: str, sizes: Mapping[str, float], factor: float) -> dict[str, float]:
    """Factors of powers of q, whose unit has that power of a length."""
    exponents = {name: exponent for name, exponent in POWERED[model].items() if name in sizes}
    return {name: sizes[name] * factor ** -sizes[exponent] for name, exponent in exponents.items()}
