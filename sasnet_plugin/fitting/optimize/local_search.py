"""To the minimum beside a start of one curve: least squares in ln size, with errors widened at first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..problem.experiment import TimeUpError
from ..problem.model_curves import ModelCurves
from ..settings import OPTIMIZE
from .least_squares_problem import LeastSquaresProblem


@dataclass(frozen=True)
class LocalMinimum:
    """Where a search from a start has ended."""

    parameters: dict[str, Any]
    chisq: float  #: With the data's own uncertainty.
    cut: bool = False  #: The time was up before it was there.


def refine(
    curves: ModelCurves,
    start: dict[str, Any],
    *,
    tolerances: tuple[float, ...] = (0.0,),
    steps: int = OPTIMIZE.steps,
) -> LocalMinimum | None:
    """Go downhill from a start; None if its curve is not finite, the best point seen if time runs out."""
    # `tolerances` are relative errors added to the data's in turn, as a narrow minimum is wide at first;
    # `steps` count for each.
    start_parameters = curves.add_scale(start)
    best: tuple[float, dict[str, Any]] = (np.inf, {})
    cut = False
    try:
        for tolerance in tolerances:
            problem = LeastSquaresProblem([curves], [start_parameters], tolerance=tolerance)
            try:
                moved = problem.run(steps)
            finally:
                start_parameters = problem.nearest[0]
            if not moved:
                return None
            best = curves.better(start_parameters, best)
    except TimeUpError:
        curves.deadline, cut = np.inf, True
        best = curves.better(start_parameters, best)
    return LocalMinimum(best[1], best[0], cut)
