"""Starts of a task: the bank's nearest curves, completed to what sasmodels takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sasnet_plugin.fitting.problem.contrast import with_fixed
from sasnet_plugin.fitting.problem.free_parameters import accepted
from sasnet_plugin.fitting.problem.plugin_models import page_of
from sasnet_plugin.fitting.problem.size_distributions import coarse, completed, widths_of
from sasnet_plugin.fitting.settings import PROBLEM, START_VALUES
from sasnet_plugin.fitting.start_values.curve_bank import NearCurve, binned, nearest
from sasnet_plugin.simulate.clean import cost_class
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.quick import fit_cost_class

if TYPE_CHECKING:
    from sasnet_plugin.fitting.task import Task
    from sasnet_plugin.simulate.bank import Bank


def from_bank(task: Task, bank: Bank) -> list[dict[str, Any]]:
    """The bank's nearest curves, and the task's own start."""
    cost = fit_cost_class(task.model)
    data = binned(task.curve, task.dintensity)
    page = page_of(bank, task.model, PROBLEM.plugin_time * task.budget.seconds)
    near = nearest(
        page, task.model, task.structure_factor, data, count=START_VALUES.spares * START_VALUES.starts[cost]
    )
    near = _varied(near, task)
    if task.extra is not None:
        near = [NearCurve(dict(task.extra), 0.0), *near]
    return [_start(task, one) for one in near]


def _varied(near: list[NearCurve], task: Task) -> list[NearCurve]:
    """The best near, some of them with size distributions.

    A distribution multiplies the cost of a curve, and a second one does so again: an expensive model starts
    with one where the bank's curves say that it is needed, and then it does so first.
    """
    cost = fit_cost_class(task.model)
    count = START_VALUES.starts[cost]
    most = 2 if cost == "fast" else 1
    spread = [s for s in near if 0 < len(widths_of(s.parameters)) <= most]
    plain = [s for s in near if not widths_of(s.parameters)]
    if not plain:
        plain = [replace(s, parameters=_without_spread(s.parameters)) for s in near]
    elif (
        cost != "fast"
        and spread
        and spread[0].weighted_residual < START_VALUES.clearly_better * plain[0].weighted_residual
    ):
        return [spread[0], *plain[: count - 1]]
    wanted = {"fast": min(len(spread), count // 2), "medium": min(len(spread), 1), "slow": 0}[cost]
    return plain[: count - wanted] + spread[:wanted]


def _without_spread(parameters: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in parameters.items() if "_pd" not in k}


def _start(task: Task, near: NearCurve) -> dict[str, Any]:
    start: dict[str, Any] = with_fixed(near.parameters, task.fixed)
    return as_start(task, start)


def as_start(task: Task, start: dict[str, Any]) -> dict[str, Any]:
    """Parameters with distributions on the coarse copy's points, and the mode of the effective radius."""
    start = coarse(task.model, completed(start, PROBLEM.width_points[cost_class(task.model)]))
    start |= {} if task.structure_factor is None else {"radius_effective_mode": 1}
    return accepted(load_model(task.name).info, start)
