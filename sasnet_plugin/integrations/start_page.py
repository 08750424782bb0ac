"""A suggested model before any fit: its nearest curve of the bank, as values that a fit can begin from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..fitting.result.model_fit import ModelFit, Parameter
from ..fitting.task import UNLIMITED, Budget, Task
from ..types import SasnetError

if TYPE_CHECKING:
    from ..simulate.bank import Bank
    from ..types import Curve
    from .messages import Request

#: Seconds for the values of one model.
_SECONDS = 60.0


def started(task: Task, bank: Bank, budget: Budget = UNLIMITED) -> ModelFit | None:
    """The start of a fit as if it were one, its parameters without errors; work for a pool.

    None where the bank has no curve of the model.
    """
    from sasnet_plugin.fitting.problem.experiment import experiment, silent
    from sasnet_plugin.fitting.problem.free_parameters import choose_free, set_ranges
    from sasnet_plugin.fitting.start_values.screening import from_bank

    if task.model not in bank.models or not (starts := from_bank(task, bank)):
        return None
    start: dict[str, Any] = starts[0]
    with silent():
        fitness = experiment(task.curve, task.dintensity, task.name, start)
        _match(fitness, task)
        free, _ = choose_free(fitness, frozenset())
        set_ranges(fitness, free)
        chisq, theory = float(np.sum(fitness.residuals() ** 2)), np.asarray(fitness.theory(), dtype=float)
    free += [name for name in ("scale", "background") if name not in free]
    values = start | {name: getattr(fitness.model, name).value for name in free}
    parameters = {}
    for name, value in values.items():
        if not isinstance(value, str) and not name.endswith(("_pd_n", "_pd_nsigma")):
            low, high = getattr(fitness.model, name).bounds if name in free else (value, value)
            parameters[name] = Parameter(float(value), None, "", name not in free, float(low), float(high))
    kinds = {k.removesuffix("_pd_type"): v for k, v in start.items() if k.endswith("_pd_type")}
    reduced = chisq / max(len(task.curve) - len(free), 1)
    return ModelFit(
        task.model, task.structure_factor, parameters, kinds, chisq, reduced, 0.0, 0.0, 0.0, theory
    )


def _match(fitness: Any, task: Task) -> None:
    """Set scale and background to what suits the data best, by weighted linear least squares."""
    model, weight = fitness.model, 1 / task.dintensity
    shape = (np.asarray(fitness.theory(), dtype=float) - model.background.value) / model.scale.value
    columns = np.column_stack([shape, np.ones_like(shape)]) * weight[:, None]
    if np.all(np.isfinite(columns)):
        scale, background = np.linalg.lstsq(columns, task.curve.intensity * weight, rcond=None)[0]
        if scale > 0:
            model.scale.value, model.background.value = scale, background
            fitness.update()


def start_page(pool: Any, curve: Curve, request: Request) -> dict[str, Any]:
    """SasView's fit page of a model that was not fitted.

    Raises
    ------
    SasnetError
        The request names no model that sasnet has curves of.
    """
    from sasnet_plugin.fitting.api import uncertainties

    from ..report.exports.sasview_project import fit_page
    from .messages import name

    model, factor = name(request.body, "model") or "", name(request.body, "structure_factor")
    task = Task(curve, uncertainties(curve)[0], model, factor)
    found = next((fit for _, fit in pool.run(started, [task], _SECONDS)), None)
    if not isinstance(found, ModelFit):
        raise SasnetError(f"{model}: sasnet has no values to begin from; choose the model in the fit page.")
    return {"page": fit_page(curve, found) | {"model": model, "structure_factor": factor}}
