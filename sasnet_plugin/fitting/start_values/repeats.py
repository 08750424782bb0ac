"""Starts of what repeats: the curve's maxima say at which distance, and how long it is all together.

A stack of layers has maxima at multiples of 2π/d. A curve of the bank is near only if its distance, its
number of layers and a layer's own size are, all at once. How long the stack is, the bank's nearest curve
says, or the first maximum beside the beam, which is that of all layers together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...simulate.kernel import load_model
from ...types import Curve
from ..problem.free_parameters import counts_of, sharp, sizes_of
from ..settings import OPTIMIZE, START_VALUES
from ..task import Task
from .curve_bank import rescale_lengths
from .screening import as_start

if TYPE_CHECKING:
    from ...simulate.bank import Bank

Values = dict[str, Any]
#: First maximum of (sin x / x)² beside 0, of a stack of length 2x/q (tan x = x).
_BESIDE = 4.4934


def distances(curve: Curve) -> list[float]:
    """Distances that a curve's most prominent maxima stand for, 2π/q, Å, the most prominent first."""
    from scipy.signal import find_peaks

    log_i, log_q = np.log(np.maximum(curve.intensity, 1e-300)), np.log(curve.q)
    peak_indices, properties = find_peaks(log_i, prominence=START_VALUES.distinct)
    best = peak_indices[np.argsort(-properties["prominences"], kind="stable")][: START_VALUES.near_fits]
    return [float(2 * np.pi / np.exp(_top(log_q[i - 1 : i + 2], log_i[i - 1 : i + 2]))) for i in best]


def _top(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Where the parabola through three points is highest."""
    a, b, _ = np.polyfit(x - x[1], y, 2)
    return float(x[1] - b / (2 * a))


def repeating(
    task: Task, bank: Bank, nearest: list[Values], misfit: Callable[[Values], float]
) -> list[Values]:
    """Make starts in which a length equals a distance of the curve's maxima: of each length the nearest by χ²
    (`misfit`, not finite if undefined). The product of number and length is that of the bank's nearest curve.
    """
    info = load_model(task.name).info
    repeats: list[Values] = []
    for first in nearest[:1]:
        counts = counts_of(info, first, task.fixed)
        for name, length in product(counts, sizes_of(info, first, frozenset(task.fixed))):
            starts = _make_repeat_starts(task, bank, name, length, extent=float(first[name] * first[length]))
            rated = [(chisq, start) for start in starts if np.isfinite(chisq := misfit(start))]
            nearest_first = sorted(rated, key=lambda rated_start: rated_start[0])
            repeats += [start for _, start in nearest_first[: START_VALUES.semifinalists]]
    return repeats


def _make_repeat_starts(task: Task, bank: Bank, count: str, length: str, extent: float) -> Iterator[Values]:
    """The bank's curves, each at the size at which the length is one of the distances."""
    page = bank.page(task.model)
    maxima = distances(task.curve)
    longest = max(maxima, default=0.0) * _BESIDE / np.pi
    for distance, row in product(maxima, map(page.row, range(len(page)))):
        values = sharp(rescale_lengths(task.model, row, distance / row[length]))
        numbers = {
            min(max(round(whole / distance), 1), OPTIMIZE.largest_count) for whole in (extent, longest)
        }
        for number in sorted(numbers):
            yield as_start(task, values | {count: float(number)} | task.fixed)
