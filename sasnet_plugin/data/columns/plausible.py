"""What a column without a name could be: an uncertainty, a resolution, or a curve of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ...arrays import Floats

STRONG = 0.5
"""Share of the points, those of highest intensity, at which a column is held against the intensity."""

LIKE_INTENSITY = 0.5
"""A column of more than this times the intensity, where that is strongest, is no uncertainty."""

BELOW = 0.95
"""Share of points at which an uncertainty is not negative, or a resolution below q."""

PLACEHOLDER = 1e-5
"""A column of less than this times the intensity says nothing about its uncertainty."""


RANDOM = 0.6
"""Share of steps of one sign that a column of random numbers does not reach: 0.5, and 0.02 for 500 rows."""

ROUGH = 1.5
"""Mean square of steps between neighbours over the variance: 2 of random numbers (J. von Neumann, 1941)."""

FEW = 20
"""Steps of which a share is told."""


def could_be_uncertainty(intensity: Floats, column: Floats) -> bool:
    """Whether a column could be one standard deviation of the intensity."""
    # Excludes negative values, 1 throughout (a factor), values as large as the strongest intensity (another
    # curve), and values larger at every point. Zeros mark points that were not measured.
    usable = np.isfinite(intensity) & np.isfinite(column)
    if not np.any(usable):
        return True
    signal, values = np.abs(intensity[usable]), column[usable]
    if not np.any(values):
        return True
    if np.all(values == 1) or (np.mean(values >= 0) < BELOW and not _marks_alone(values)):
        return False
    strong = signal >= np.quantile(signal, 1 - STRONG)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = values[strong] / signal[strong]
    return bool(np.nanmedian(ratio) < LIKE_INTENSITY)


def _marks_alone(values: Floats) -> bool:
    """Whether what is negative is the mark -1 of points that are not measured."""
    return bool(np.all(values[values < 0] == -1))


def follows(intensity: Floats, column: Floats) -> bool:
    """Whether a column runs along the intensity, as a calculated curve does."""
    usable = np.isfinite(intensity) & np.isfinite(column) & (intensity > 0)
    if np.count_nonzero(usable) < 4:
        return False
    signal, values = intensity[usable], column[usable]
    strong = signal >= np.quantile(signal, 1 - STRONG)
    ratio = values[strong] / signal[strong]
    return bool(0.5 < np.median(ratio) < 2.0 and np.median(np.abs(ratio / np.median(ratio) - 1)) < 0.2)


def could_be_resolution(q: Floats, column: Floats) -> bool:
    """Whether a column could be the pinhole resolution: below q, not negative, not falling along q."""
    # It may step down between settings, but from end to end a resolution grows or stays.
    usable = np.isfinite(q) & np.isfinite(column) & (q > 0)
    x, values = q[usable], column[usable]
    if x.size < 4 or not np.any(values > 0):
        return False
    if np.mean((values >= 0) & (values < x)) < BELOW:
        return False
    return bool(np.ptp(values) == 0 or _rank_correlation(x, values) > -0.3)


def marks_a_slit(column: Floats) -> bool:
    """Whether a column is a negative slit half length, as NIST writes it: one number below zero."""
    values = column[np.isfinite(column)]
    return bool(values.size and values[0] < 0 and np.ptp(values) <= 1e-6 * -values[0])


def are_swapped(q: Floats, intensity: Floats, third: Floats, fourth: Floats) -> bool:
    """Whether the third column must be the resolution and the fourth the uncertainty."""
    # A resolution grows smoothly; an uncertainty that does so while the intensity falls does not come from
    # counts.
    positive = np.isfinite(third) & np.isfinite(q) & (intensity > 0)
    if np.count_nonzero(positive) < FEW or not _grows_smoothly(q[positive], third[positive]):
        return False
    falls = _rank_correlation(q[positive], intensity[positive]) < 0
    width_is_third = could_be_resolution(q, third) and not could_be_resolution(q, fourth)
    return falls and width_is_third and _is_filled_uncertainty(intensity, fourth)


def _is_filled_uncertainty(intensity: Floats, column: Floats) -> bool:
    """Whether a column could be the uncertainty and is not zero throughout."""
    return bool(np.any(column > 0)) and could_be_uncertainty(intensity, column)


def _grows_smoothly(q: Floats, column: Floats) -> bool:
    """Whether q ascends and the column with it, from each point to the next."""
    return bool(np.all(np.diff(q) > 0) and np.all(np.diff(column) >= 0) and np.ptp(column) > 0)


def _rank_correlation(x: Floats, y: Floats) -> float:
    """Spearman's coefficient; ranks of equal values as they come."""
    ranks = np.stack([np.argsort(np.argsort(values, kind="stable")) for values in (x, y)]).astype(np.float64)
    return float(np.asarray(np.corrcoef(ranks))[0, 1])


def is_placeholder(intensity: Floats, column: Floats) -> bool:
    """Whether a column is negligible compared with the intensity."""
    usable = np.isfinite(intensity) & np.isfinite(column) & (intensity != 0)
    return bool(np.any(usable)) and bool(np.median(np.abs(column[usable] / intensity[usable])) < PLACEHOLDER)


def is_a_curve(x: Floats, y: Floats) -> bool:
    """Whether x is mostly monotonic, or y is smooth once sorted by x; random columns are neither."""
    # True for fewer than `FEW` points.
    usable = np.isfinite(x) & np.isfinite(y)
    x, y = x[usable], y[usable]
    step = np.diff(x)
    if step.size < FEW or max(np.mean(step >= 0), np.mean(step <= 0)) > RANDOM:
        return True
    rank = np.argsort(np.argsort(y[np.argsort(x, kind="stable")], kind="stable"), kind="stable")
    return bool(np.mean(np.diff(rank) ** 2) < ROUGH * np.var(rank))


def counts_points(column: Floats) -> bool:
    """Whether a column is n, n + 1, n + 2, ..., the numbers of the points, some of which may be missing."""
    if not np.all(np.isfinite(column)):
        return False
    step = np.diff(column)
    whole = bool(np.all(column == np.round(column)) and column[0] >= 0)
    return bool(step.size and whole and np.all(step >= 1.0) and np.median(step) == 1.0)


def ascends(column: Floats) -> bool:
    """Whether a column grows from each point to the next, from above zero, or falls to there."""
    step = np.diff(column[np.isfinite(column)])
    return bool(step.size and np.nanmin(column) >= 0 and (np.all(step > 0) or np.all(step < 0)))


def mostly_ordered(column: Floats) -> bool:
    """Whether most steps of a column have one sign, as q has, in settings that overlap too."""
    step = np.diff(column[np.isfinite(column)])
    return bool(step.size == 0 or max(np.mean(step >= 0), np.mean(step <= 0)) > 0.8)
