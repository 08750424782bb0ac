"""One more start for one model: what was found for the frame before, say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.task import Start, Task
from sasnet_plugin.types import Curve


def with_start(
    tasks: Sequence[Task],
    start: Start,
    curve: Curve,
    dintensity: NDArray[np.float64],
    fixed: Mapping[str, float],
    ranges: Mapping[str, tuple[float, float]],
) -> list[Task]:
    """Give the start to the candidate of its name, or add that candidate in front.

    Parameters
    ----------
    tasks : sequence of Task
    start : Start
    curve, dintensity, fixed, ranges
        For a candidate that is not among the tasks; see `Task`.
    """
    held = start.fixed | dict(fixed)
    own = Task(curve, dintensity, start.model, start.structure_factor, fixed=held, ranges=dict(ranges))
    found = tasks if any(task.name == own.name for task in tasks) else [own, *tasks]
    return [
        replace(t, extra=start.parameters, fixed=start.fixed | t.fixed) if t.name == own.name else t
        for t in found
    ]
