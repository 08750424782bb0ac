"""Where curves of a sample do not go together: one that disagrees, or a parameter that they do not share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...data.sample.sample import CONCENTRATIONS, SERIES
from ..pool import answers
from ..result.model_fit import Parameter
from ..result.sample_result import JointFit
from ..settings import ASSESSMENT
from ..task import Counting
from .joint_fit import JOINT, JointTask, fit_jointly
from .joint_search import other_shapes, sizes

#: Kinds of sample along which a body may change.
_CHANGING = (CONCENTRATIONS, SERIES)


def odd_one(pool: Counting, task: JointTask) -> int | None:
    """Find the one curve (of three or more) without which all others are explained; None if there is none, or
    several. `task` starts at the joint fit.
    """
    count = len(task.sample.curves)
    if count < 3:
        return None
    tasks = [exclude_curve(task, i) for i in range(count)]
    explaining = [i for i, _ in _explaining(pool, tasks)]
    return explaining[0] if len(explaining) == 1 else None


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
    tasks_by_name = [(name, task) for name, p in fit.parameters.items() if _is_told(name, p)]
    return _likeliest_change(pool, tasks_by_name, seconds)


def other_shape_that_explains(
    pool: Counting, task: JointTask, fit: JointFit, models: Sequence[str], seconds: float = np.inf
) -> tuple[str, JointFit] | None:
    """Search as `own_that_explains` among shapes of equal volume with one own size (`kin`)."""
    # A single size that changes would be imitated by a size distribution.
    if task.sample.kind not in _CHANGING or seconds <= 0:
        return None
    tasks_by_name = [
        (name, shape_task)
        for shape_task in other_shapes(task, fit, models)
        for name in sizes(shape_task.model)
    ]
    return _likeliest_change(pool, tasks_by_name, seconds)


def _likeliest_change(
    pool: Counting, tasks_by_name: Sequence[tuple[str, JointTask]], seconds: float
) -> tuple[str, JointFit] | None:
    """Return the likeliest fit that shows a change of a parameter between curves."""
    tasks = [
        replace(task, sample=replace(task.sample, own=task.sample.own | {name}), settled=False)
        for name, task in tasks_by_name
    ]
    changed_fits = [(tasks_by_name[i][0], fit) for i, fit in _explaining(pool, tasks, seconds)]
    return min(filter(_changes, changed_fits), key=lambda fit: fit[1].minus_two_log, default=None)


def _changes(change: tuple[str, JointFit]) -> bool:
    name, fit = change
    difference, error = fit.find_largest_change(name)
    return difference > ASSESSMENT.significant * error


def _is_told(name: str, p: Parameter) -> bool:
    """Whether a parameter is known and of the body or its neighbours: widths and densities tell little."""
    return not p.fixed and p.error is not None and not name.endswith("_pd") and "sld" not in name


def _explaining(
    pool: Counting, tasks: Sequence[JointTask], seconds: float = np.inf
) -> list[tuple[int, JointFit]]:
    fits = answers(pool, fit_jointly, tasks, min(JOINT.seconds * len(tasks), seconds))
    return [(i, fit) for i, fit in fits if isinstance(fit, JointFit) and not fit.lacking()]


def exclude_curve(task: JointTask, i: int) -> JointTask:
    def drop_item(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return values[:i] + values[i + 1 :]

    sample = task.sample
    fewer = replace(
        sample, curves=drop_item(sample.curves), solvents=drop_item(sample.solvents),
        concentrations=drop_item(sample.concentrations), probes=drop_item(sample.probes),
        scale=drop_item(sample.scale),
        values=drop_item(sample.values),
    )  # fmt: skip
    return replace(
        task,
        sample=fewer,
        dintensities=drop_item(task.dintensities),
        starts=drop_item(task.starts),
        settled=False,
    )
