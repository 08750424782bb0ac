"""Where a fit has ended, as a `ModelFit`."""

from __future__ import annotations

from typing import Any

import numpy as np

from sasnet_plugin.fitting.optimize.covariance import strong_pairs
from sasnet_plugin.fitting.optimize.finish import Done
from sasnet_plugin.fitting.problem.bounds import range_of
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.fitting.task import Task, no_curve
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.quick_models.cost_classes import cost_class


def _unit(text: str | None) -> str:
    """sasmodels writes "None" where a parameter has no unit."""
    return "" if text in (None, "None", "none") else str(text)


def described(task: Task, done: Done, per_decade: int | None, seconds: float) -> ModelFit:
    if not np.all(np.isfinite(done.theory)):  # one without values could not be weighed against others
        raise no_curve(task.name)
    info = load_model(task.name).info
    units = {p.name: p.units for p in info.parameters.call_parameters}
    parameters = {}
    for name, value in _kept(info, done.parameters).items():
        fitted = name in done.free
        low, high = (value, value) if not fitted else task.ranges.get(name) or range_of(info, name, value)
        error = done.errors.get(name, np.nan)
        parameters[name] = Parameter(
            value, float(error) if fitted and np.isfinite(error) else None, _unit(units.get(name)),
            not fitted, float(low), float(high),
        )  # fmt: skip
    spread = {k.removesuffix("_pd_type"): v for k, v in done.parameters.items() if k.endswith("_pd_type")}
    spread = {k: v for k, v in spread.items() if f"{k}_pd" in parameters}
    points = [int(v) for k, v in done.parameters.items() if k.endswith("_pd_n")]
    degrees = max(len(task.curve) - len(done.free), 1)
    return ModelFit(
        task.model, task.structure_factor, parameters, spread, done.chisq, done.chisq / degrees, done.bic,
        task.probability, seconds, done.theory, warnings=done.warnings,
        correlations=strong_pairs(done.slopes) if done.slopes else {}, derivatives=done.slopes,
        per_decade=per_decade, pd_points=max(points, default=PROBLEM.width_points[cost_class(task.model)]),
        components=done.components,
    )  # fmt: skip


def _kept(info: Any, parameters: dict[str, Any]) -> dict[str, float]:
    """Values worth keeping, by sasmodels' table: all of a model's, and widths that are not zero."""
    found = {}
    for p in info.parameters.call_parameters:
        if p.type in ("orientation", "magnetic"):
            continue
        found[p.name] = float(parameters.get(p.name, p.default))
        if p.polydisperse and float(parameters.get(f"{p.name}_pd", 0.0)) > 0:
            found[f"{p.name}_pd"] = float(parameters[f"{p.name}_pd"])
    return found
