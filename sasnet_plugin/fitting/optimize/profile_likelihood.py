"""How far a parameter may go until χ² has risen by four, all others following it.

Along the line on which the other parameters follow, χ² has risen by four at two standard deviations (profile
likelihood; D. M. Bates and D. G. Watts, Nonlinear Regression Analysis, 1988, 6.1). Half the way there is the
error, also where χ² is no parabola.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ..settings import ASSESSMENT
from .least_squares_problem import Code


@dataclass(frozen=True)
class Profile:
    """χ² where one parameter is held elsewhere, and the others follow."""

    residuals: Callable[[Floats], Floats]  #: Of codes, (k,): (n,), at the best of what is solved for.
    codes: Sequence[Code]  #: Of what is not; they begin at the minimum.
    slopes: Floats  #: Shape (n, k). Of the residuals by each code there, what is solved for projected out.

    @cached_property
    def first(self) -> Floats:
        return np.array([code.first for code in self.codes])

    @cached_property
    def _bounds(self) -> tuple[Floats, Floats]:
        return np.array([code.low for code in self.codes]), np.array([code.high for code in self.codes])

    @cached_property
    def least(self) -> float:
        return _square(self.residuals(self.first))

    def half(self, i: int, error: float, wider: float) -> float:
        """Return half the likelihood interval of parameter i on its farther side, in its unit."""
        # `wider` is its error over that of independent noise of the stated size.
        unit = error / self.codes[i].slope(self.codes[i].first)
        return max(self._half(i, side, wider) for side in (-unit, unit))

    def _half(self, i: int, unit: float, wider: float) -> float:
        code, codes_here = self.codes[i], self.first
        enough = self.least + (2 * ASSESSMENT.flat_rise * wider) ** 2
        old_distance, risen, far = 0.0, 0.0, 2.0
        while far < ASSESSMENT.flat_far:
            chisq, codes_here = self._move_along(i, codes_here, code.clip(code.first + far * unit), enough)
            up = float(np.sqrt(max(chisq - self.least, 0.0))) / wider
            if up >= 2.0:
                far = old_distance + (far - old_distance) * (2.0 - risen) / (up - risen)
                break
            if not code.low < code.first + far * unit < code.high:
                break
            old_distance, risen, far = far, up, 1.5 * far
        return abs(code.value(code.clip(code.first + far * unit)) - code.value(code.first)) / 2

    def _move_along(self, i: int, codes_here: Floats, to: float, enough: float) -> tuple[float, Floats]:
        """χ² where parameter i has moved to a code, and codes of all there, from where they were."""
        # The others go on as they went; where that does not leave χ² low enough, with the slopes of the
        # minimum, as long as these lead down.
        other_slopes = np.delete(self.slopes, i, axis=1)
        step = -np.linalg.lstsq(other_slopes, self.slopes[:, i] * (to - codes_here[i]), rcond=None)[0]
        moved = self._apply_step(i, np.insert(np.delete(codes_here, i), i, to), step)
        residual = self.residuals(moved)
        for _ in range(ASSESSMENT.flat_steps):
            if _square(residual) <= enough:
                break
            step = -np.linalg.lstsq(other_slopes, residual, rcond=None)[0]
            nearer = self._apply_step(i, moved, step)
            remaining = self.residuals(nearer)
            if _square(remaining) >= _square(residual):
                break
            moved, residual = nearer, remaining
        return _square(residual), moved

    def _apply_step(self, i: int, codes_here: Floats, step: NDArray[Any]) -> Floats:
        return np.asarray(np.clip(codes_here + np.insert(step, i, 0.0), *self._bounds))


def _square(residual: Floats) -> float:
    return float(residual @ residual)
