"""Uncertainties that few digits, a zero or a slip make too small: no point decides a fit by these.

A point's uncertainty is no better known than the last digit that it is written with, and no point of a curve
is measured much better than all of its neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    BoolArray = NDArray[np.bool_]

DIGITS = 12
"""Decimal places looked at; what needs more was not rounded by hand or by a format."""

COARSE = 2.5
"""Units of the last digit below which an uncertainty's rounding matters: at three, by 1.4 %."""

FINE = 10.0
"""Units that the largest uncertainty has at least, of a column that is rounded and no constant."""

SLIP = 10.0
"""How far below all its neighbours', also relative to the intensity, an uncertainty is not believed."""

BESIDE = 5
"""Neighbours looked at on each side."""


def repaired(q: FloatArray, intensity: FloatArray, dintensity: FloatArray) -> tuple[FloatArray, list[str]]:
    """Uncertainties that are above zero throughout and no smaller than they can be known to be.

    Parameters
    ----------
    q, intensity, dintensity : (n,) float arrays
        By ascending q; some dI is above zero.

    Returns
    -------
    dintensity : (n,) float array
    notes : list of str
        What was done.
    """
    good = np.isfinite(dintensity) & (dintensity > 0)
    found, notes = dintensity.copy(), []
    unit = last_digit(dintensity[good])
    coarse = np.zeros(q.size, dtype=np.bool_)
    if unit is not None and dintensity[good].max() >= FINE * unit:
        coarse = np.isfinite(dintensity) & (dintensity >= 0) & (dintensity < COARSE * unit)
        # Half a unit of the last digit, and what the rounding of the intensity adds.
        found[coarse] = np.sqrt(
            dintensity[coarse] ** 2 + (unit / 2) ** 2 + (last_digit(intensity) or 0.0) ** 2 / 12
        )
    slips = good & _slipped(intensity, found, good)
    weak = ~good | slips
    if weak.any() and (good & ~slips).any():
        near = _from_neighbours(q, intensity, found, ~weak)
        found[weak] = np.maximum(near[weak], np.where(coarse[weak], found[weak], 0.0))
    if coarse.any():
        notes.append(
            f"The uncertainties are rounded to {unit:g}; where that is much of them"
            f" ({_count(int(coarse.sum()), 'point', 'points')}), half of it was added."
        )
    if not good.all():
        bad = _count(int(np.count_nonzero(~good)), "uncertainty", "uncertainties")
        notes.append(f"{bad} not above zero replaced from the neighbouring points.")
    if slips.any():
        small = _count(int(slips.sum()), "uncertainty", "uncertainties")
        notes.append(f"{small} less than a tenth of those of all neighbouring points replaced from these.")
    return found, notes


def last_digit(values: FloatArray) -> float | None:
    """The decimal place that all values are rounded to, as 0.01; None where they have more than `DIGITS`."""
    values = np.abs(values[np.isfinite(values)])
    for places in range(DIGITS + 1):
        scaled = values * 10.0**places
        if np.all(np.abs(scaled - np.round(scaled)) <= 1e-6 + 1e-12 * scaled):
            return float(10.0**-places)
    return None


def _slipped(intensity: FloatArray, sigma: FloatArray, good: BoolArray) -> BoolArray:
    """Where an uncertainty is far below its neighbours', absolute and relative to the intensity."""
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(intensity != 0, sigma / np.abs(intensity), np.inf)
    slipped = good.copy()
    for values in (sigma, relative):
        around = _least_beside(np.where(good, values, np.nan))
        slipped &= values * SLIP < around
    return slipped


def _least_beside(values: FloatArray) -> FloatArray:
    """The smallest value of the neighbours on either side, which may be of two settings in turn."""
    padded = np.concatenate([np.full(BESIDE, np.inf), values, np.full(BESIDE, np.inf)])
    windows = np.lib.stride_tricks.sliding_window_view(np.where(np.isfinite(padded), padded, np.inf), BESIDE)
    return np.asarray(np.minimum(windows[: values.size].min(axis=1), windows[BESIDE + 1 :].min(axis=1)))


def _from_neighbours(q: FloatArray, intensity: FloatArray, sigma: FloatArray, good: BoolArray) -> FloatArray:
    """The larger one of the neighbours' uncertainty and of the neighbours' relative one."""
    log_q = np.log(q)
    absolute = np.exp(np.interp(log_q, log_q[good], np.log(sigma[good])))
    signal = good & (intensity != 0)
    if not signal.any():
        return absolute
    relative = np.log(sigma[signal] / np.abs(intensity[signal]))
    return np.maximum(absolute, np.abs(intensity) * np.exp(np.interp(log_q, log_q[signal], relative)))


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
