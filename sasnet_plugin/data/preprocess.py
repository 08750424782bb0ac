"""From points as measured to the fixed log-q grid that the network reads.

The same functions serve training (many rows that share their q) and prediction (one row).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ..noise import fill_dintensity
from ..types import Curve, DataError
from .advice import UNIT_OF_Q

Q_MIN = 1e-4
Q_MAX = 1.0
N_GRID = 256
#: With fewer points than this inside [Q_MIN, Q_MAX] models are not distinguishable.
MIN_POINTS = 8
CHANNELS = (
    "log_intensity", "slope", "log_relative_uncertainty", "log_dq_over_q", "slit_over_q",
    "valid", "measured", "has_resolution",
)  # fmt: skip
N_CHANNELS = len(CHANNELS)

#: Cells without points from which on a gap is marked as unknown, as q beyond the window is: a line across
#: half a unit of ln q has two bends, which look like a structure factor. Narrower gaps are bridged by it.
_GAP_CELLS = 12
#: A gap is so many times wider in q, and in ln q, than each of so many steps on both sides of it.
_GAP_WIDER = 3.0
_GAP_STEPS = 3

#: Cells that `larger` and `smaller` move a curve by.
_VARIANT = 3

_PER_LN = N_GRID / np.log(Q_MAX / Q_MIN)
_CENTRES = np.log(Q_MIN) + (np.arange(N_GRID) + 0.5) / _PER_LN


@dataclass(frozen=True)
class Grid:
    """How the points of one q column fall on the fixed grid."""

    inside: slice  #: Points within [Q_MIN, Q_MAX].
    #: (m,), first point (counted from ``inside.start``) of each bin that has points.
    starts: NDArray[np.intp]
    counts: NDArray[np.intp]  #: (m,), points in each of these bins.
    #: first, last: grid cells between which the curve is known.
    first: int
    last: int
    #: low, weight: (last - first + 1,), interpolation from the m bins to the cells.
    low: NDArray[np.intp]
    weight: NDArray[np.float64]
    #: measured, unknown: (last - first + 1,), which cells hold points of their own, and which lie in a gap.
    measured: NDArray[np.bool_]
    unknown: NDArray[np.bool_]


def make_grid(q: NDArray[np.float64]) -> Grid:
    """Assign points to cells of the fixed log-q grid; q in Å⁻¹, ascending. Raises DataError if fewer than
    eight points are within the trained q range.
    """
    begin = int(np.searchsorted(q, Q_MIN, side="left"))
    end = int(np.searchsorted(q, Q_MAX, side="right"))
    if end - begin < MIN_POINTS:
        within = f"only {end - begin}" if end > begin else "none"
        raise DataError(
            f"{within} of its {q.size} points {'lie' if end > begin + 1 else 'lies'} in the trained range"
            f" {Q_MIN:g} to {Q_MAX:g} Å⁻¹; at least {MIN_POINTS} are needed, so check the unit of q"
            f"{UNIT_OF_Q}"
        )
    log_q = np.log(q[begin:end])
    cell = np.clip(((log_q - np.log(Q_MIN)) * _PER_LN).astype(np.intp), 0, N_GRID - 1)
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    counts = np.diff(starts, append=cell.size)
    position = np.add.reduceat(log_q, starts) / counts
    first, last = int(cell[0]), int(cell[-1])
    centres = _CENTRES[first : last + 1]
    if starts.size > 1:
        low = np.clip(np.searchsorted(position, centres, side="right") - 1, 0, starts.size - 2)
        weight = np.clip((centres - position[low]) / (position[low + 1] - position[low]), 0.0, 1.0)
    else:
        low = np.zeros(1, dtype=np.intp)
        weight = np.zeros(1)
    measured = np.zeros(centres.size, dtype=bool)
    measured[cell[starts] - first] = True
    unknown = _find_gap_cells(q[begin:end], log_q, centres) & ~measured
    return Grid(slice(begin, end), starts, counts, first, last, low, weight, measured, unknown)


def _find_gap_cells(
    q: NDArray[np.float64], log_q: NDArray[np.float64], centres: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which cells lie in a wide gap between points whose spacing is even on both sides of it."""
    gap_cells = np.zeros(centres.size, dtype=bool)
    steps, log_steps = np.diff(q), np.diff(log_q)
    for index in np.flatnonzero(log_steps * _PER_LN > _GAP_CELLS):
        if index < _GAP_STEPS or index + _GAP_STEPS >= steps.size:
            continue
        near = np.r_[index - _GAP_STEPS : index, index + 1 : index + 1 + _GAP_STEPS]
        if all(step_list[index] > _GAP_WIDER * step_list[near].max() for step_list in (steps, log_steps)):
            gap_cells |= (centres > log_q[index]) & (centres < log_q[index + 1])
    return gap_cells


def _spread(grid: Grid, bins: NDArray[np.float64]) -> NDArray[np.float64]:
    if grid.starts.size == 1:
        return np.repeat(bins, grid.weight.size, axis=-1)
    return bins[..., grid.low] * (1 - grid.weight) + bins[..., grid.low + 1] * grid.weight


def features_of_rows(
    q: NDArray[np.float64],
    intensity: NDArray[np.float64],
    dintensity: NDArray[np.float64],
    dq: NDArray[np.float64] | None = None,
    dxl: NDArray[np.float64] | None = None,
) -> NDArray[np.float32]:
    """Compute features (k, N_GRID, N_CHANNELS), float32, of k intensities that share q (Å⁻¹, ascending); dq
    and dxl (slit half length) in Å⁻¹. Zero outside the q range and in wide gaps.
    """
    # Intensities are averaged within grid cells, so that dense points lose no counts. ln((I + sqrt(I² + 4
    # dI²))/2) is ln I for strong signals and ln dI where the signal vanishes, so negative intensities stay.
    # Its mean is subtracted: the answer cannot depend on scale.
    grid = make_grid(q)
    inside = grid.inside
    value = np.add.reduceat(intensity[:, inside], grid.starts, axis=1) / grid.counts
    sigma = np.sqrt(np.add.reduceat(dintensity[:, inside] ** 2, grid.starts, axis=1)) / grid.counts
    top = np.max(np.abs(value), axis=1, keepdims=True)
    sigma = np.clip(sigma, 1e-4 * np.abs(value) + 1e-12 * top + 1e-300, None)
    root = np.sqrt(value**2 + 4 * sigma**2)
    # (I + root)/2 cancels for I < 0; there it equals 2 sigma²/(root - I).
    positive = value > 0
    with np.errstate(divide="ignore"):
        log_value = np.where(
            positive,
            np.log(np.where(positive, value + root, 1.0) / 2),
            np.log(2 * sigma**2 / np.where(positive, 1.0, root - value)),
        )
    log_value = np.clip(log_value, np.log(top + 1e-300) - 30, None)
    log_i = _spread(grid, log_value)
    log_rel = _spread(grid, np.log10(sigma / root))

    k = intensity.shape[0]
    cells = slice(grid.first, grid.last + 1)
    out = np.zeros((k, N_GRID, N_CHANNELS), dtype=np.float32)
    log_i = log_i - np.mean(log_i, axis=1, keepdims=True)
    out[:, cells, 0] = log_i / 3
    if log_i.shape[1] > 1:
        out[:, cells, 1] = np.clip(np.gradient(log_i, axis=1) * _PER_LN / 4, -5, 5)
    out[:, cells, 2] = log_rel + 2
    centres = np.exp(_CENTRES[cells])
    if dq is not None:
        interpolated = np.interp(_CENTRES[cells], np.log(q[inside]), dq[inside])
        out[:, cells, 3] = np.log10(np.clip(interpolated / centres, 1e-3, 1.0)) + 1.5
        out[:, cells, 7] = 1
    if dxl is not None:
        interpolated = np.interp(_CENTRES[cells], np.log(q[inside]), dxl[inside])
        out[:, cells, 4] = np.log1p(np.clip(interpolated / centres, 0, 1e3)) / 3
        out[:, cells, 7] = 1
    out[:, cells, 5] = 1
    out[:, cells, 6] = grid.measured
    out[:, np.flatnonzero(grid.unknown) + grid.first] = 0
    return out


def larger(inputs: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Inputs of the same curves with all lengths 11 % larger: three cells of the grid to smaller q."""
    return {**inputs, "features": _shift_features(inputs["features"], -_VARIANT)}


def smaller(inputs: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Inputs of the same curves with all lengths 11 % smaller."""
    return {**inputs, "features": _shift_features(inputs["features"], _VARIANT)}


def _shift_features(features_given: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """Features so many cells farther up; where a window would leave the grid either way, as they are."""
    valid = features_given[:, :, CHANNELS.index("valid")] > 0
    inside = ~(valid[:, :_VARIANT].any(axis=1) | valid[:, -_VARIANT:].any(axis=1))
    moved = np.roll(features_given, cells, axis=1)
    moved[~inside] = features_given[~inside]
    return moved


def features(curves: Sequence[Curve]) -> NDArray[np.float32]:
    """Compute features (n, N_GRID, N_CHANNELS), float32, of curves, each on its own q; a missing dI is
    estimated from scatter. Raises DataError, naming the file, if too few points are in the trained q range.
    """
    out = np.empty((len(curves), N_GRID, N_CHANNELS), dtype=np.float32)
    row = 0
    # Copies of one measurement, which share its arrays, together.
    for _, same_grid in groupby(curves, key=lambda curve: (id(curve.q), id(curve.dq), id(curve.dxl))):
        rows = list(same_grid)
        intensity = np.stack([curve.intensity for curve in rows])
        dintensity = np.stack([fill_dintensity(curve.intensity, curve.dintensity) for curve in rows])
        one_row = rows[0]
        try:
            out[row : row + len(rows)] = features_of_rows(
                one_row.q, intensity, dintensity, one_row.dq, one_row.dxl
            )
        except DataError as error:
            raise DataError(f"{one_row.file or 'the curve'}: {error}.") from None
        row += len(rows)
    return out


def inputs(curves: Sequence[Curve]) -> dict[str, NDArray[np.float32]]:
    """`features` by the name of the network's input."""
    return {"features": features(curves)}
