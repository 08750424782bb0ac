"""One more start for one model: what was found for the frame before, say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.strategy.fit_candidate import Task
from sasnet_plugin.types import Curve


@dataclass(frozen=True)
class Start:
    """Values of a named model at which a fit may begin.

    Parameters
    ----------
    model : str
        Form model.
    structure_factor : str or None
    parameters : dict
        sasmodels' parameters in its units; kinds of size distribution as ``radius_pd_type``.
    held : dict
        Those of them that this model's fit keeps as they are, from whatever start: contrasts that the data
        cannot tell from the scale, say, so that the scales of two fits can be compared.
    """

    model: str
    structure_factor: str | None
    parameters: dict[str, Any]
    held: dict[str, float] = field(default_factory=dict)

    def letting(self, names: Iterable[str]) -> Start:
        """The same without a say in these parameters: a user's materials settle them."""
        names = set(names)
        return replace(self, held={k: v for k, v in self.held.items() if k not in names})


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
    held = start.held | dict(fixed)
    own = Task(curve, dintensity, start.model, start.structure_factor, fixed=held, ranges=dict(ranges))
    found = tasks if any(task.name == own.name for task in tasks) else [own, *tasks]
    return [
        replace(t, extra=start.parameters, fixed=start.held | (t.fixed or {})) if t.name == own.name else t
        for t in found
    ]
