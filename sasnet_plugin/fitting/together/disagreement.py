"""Where curves of a sample do not go together: one that disagrees, or a parameter that they do not share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...data.sample.sample import CONCENTRATIONS, SERIES
from ..pool import answers
from ..result.model_fit import Parameter
from ..settings import ASSESSMENT
from ..task import Counting
from .changes import largest_change
from .joint_fit import joint_fit
from .one_model import JointMinimum, JointTask, fit_one
from .other_shapes import other_shapes, sizes
from .result import JointFit
from .search import JOINT

#: Kinds of sample along which a body may change.
_CHANGING = (CONCENTRATIONS, SERIES)


def odd_one(pool: Counting, task: JointTask) -> int | None:
    """Find the one curve (of three or more) without which all others are explained; None if there is none, or
    several. `task` starts at the joint fit.
    """
    count = len(task.sample.curves)
    if count < 3:
        return None
    tasks = [without(task, i) for i in range(count)]
    found = [i for i, _ in _explaining(pool, tasks)]
    return found[0] if len(found) == 1 else None


def own_that_explains(
    pool: Counting, task: JointTask, fit: JointFit, seconds: float = np.inf
) -> tuple[str, JointFit] | None:
    """Find the likeliest parameter that explains all curves if each has its own; `task` starts at the joint
    `fit`, `seconds` at most.
    """
    # Micelles grow and lose charge along concentrations or salt and are otherwise the same. Only a visible
    # change is reported.
    if task.sample.kind not in _CHANGING or seconds <= 0:
        return None
    every = [(name, task) for name, p in fit.parameters.items() if _is_told(name, p)]
    return _likeliest_change(pool, every, seconds)


def other_shape_that_explains(
    pool: Counting, task: JointTask, fit: JointFit, models: Sequence[str], seconds: float = np.inf
) -> tuple[str, JointFit] | None:
    """Search as `own_that_explains` among shapes of equal volume with one own size (`kin`)."""
    # A single size that changes would be imitated by a size distribution.
    if task.sample.kind not in _CHANGING or seconds <= 0:
        return None
    every = [(name, one) for one in other_shapes(task, fit, models) for name in sizes(one.model)]
    return _likeliest_change(pool, every, seconds)


def _likeliest_change(
    pool: Counting, every: Sequence[tuple[str, JointTask]], seconds: float
) -> tuple[str, JointFit] | None:
    """Return the likeliest fit that shows a change of a parameter between curves."""
    tasks = [
        replace(task, sample=replace(task.sample, own=task.sample.own | {name}), settled=False)
        for name, task in every
    ]
    found = [(every[i][0], one) for i, one in _explaining(pool, tasks, seconds)]
    return min(filter(_changes, found), key=lambda one: one[1].minus_two_log, default=None)


def _changes(found: tuple[str, JointFit]) -> bool:
    name, fit = found
    difference, error = largest_change(fit, name)
    return difference > ASSESSMENT.significant * error


def _is_told(name: str, p: Parameter) -> bool:
    """Whether a parameter is known and of the body or its neighbours: widths and densities tell little."""
    return not p.fixed and p.error is not None and not name.endswith("_pd") and "sld" not in name


def _explaining(
    pool: Counting, tasks: Sequence[JointTask], seconds: float = np.inf
) -> list[tuple[int, JointFit]]:
    found = []
    for i, answer in answers(pool, fit_one, tasks, min(JOINT.seconds * len(tasks), seconds)):
        if isinstance(answer, JointMinimum):
            fit = joint_fit(answer)
            if not fit.lacking():
                found.append((i, fit))
    return found


def without(task: JointTask, i: int) -> JointTask:
    def left(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return values[:i] + values[i + 1 :]

    sample = task.sample
    fewer = replace(
        sample, curves=left(sample.curves), solvents=left(sample.solvents),
        concentrations=left(sample.concentrations), probes=left(sample.probes), scale=left(sample.scale),
        values=left(sample.values),
    )  # fmt: skip
    return replace(
        task, sample=fewer, dintensities=left(task.dintensities), starts=left(task.starts), settled=False
    )
