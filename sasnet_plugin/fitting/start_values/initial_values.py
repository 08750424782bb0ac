"""Starts of a task: the bank's nearest curves, completed to what sasmodels takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sasnet_plugin.fitting.problem.free_parameters import accepted
from sasnet_plugin.fitting.problem.plugin_models import page_of
from sasnet_plugin.fitting.problem.size_distributions import coarse, completed, widths_of
from sasnet_plugin.fitting.settings import PROBLEM, START_VALUES
from sasnet_plugin.fitting.start_values.curve_bank import NearCurve, binned, nearest
from sasnet_plugin.simulate.clean import cost_class
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.quick_models.quick import fit_cost_class

if TYPE_CHECKING:
    from sasnet_plugin.fitting.task import Task
    from sasnet_plugin.simulate.bank import Bank


def from_bank(task: Task, bank: Bank) -> list[dict[str, Any]]:
    """The task's own start, if it has one, and the bank's nearest curves."""
    data = binned(task.curve, task.dintensity)
    own = task.model.endswith(".py")
    seconds = PROBLEM.plugin_time * task.budget.seconds
    page = page_of(task.model, seconds) if own else bank.page(task.model)
    count = START_VALUES.spares * START_VALUES.starts[fit_cost_class(task.model)]
    near = _with_distributions(nearest(page, task.model, task.structure_factor, data, count=count), task)
    starts = [one.parameters for one in near]
    if task.extra is not None:
        starts = [dict(task.extra), *starts]
    return [as_start(task, with_fixed(start, task.fixed)) for start in starts]


def _with_distributions(near: list[NearCurve], task: Task) -> list[NearCurve]:
    """The best of the bank's curves, some of them with size distributions.

    A distribution multiplies the cost of a curve, and a second one does so again: an expensive model starts
    with one where the bank's curves show that it is needed, and then that start comes first.
    """
    cost = fit_cost_class(task.model)
    count = START_VALUES.starts[cost]
    most = 2 if cost == "fast" else 1
    spread = [s for s in near if 0 < len(widths_of(s.parameters)) <= most]
    plain = [s for s in near if not widths_of(s.parameters)]
    if not plain:
        sharp = [{k: v for k, v in s.parameters.items() if "_pd" not in k} for s in near]
        plain = [replace(s, parameters=parameters) for s, parameters in zip(near, sharp, strict=True)]
    elif cost != "fast" and spread:
        enough = START_VALUES.clearly_better * plain[0].weighted_residual
        if spread[0].weighted_residual < enough:
            return [spread[0], *plain[: count - 1]]
    wanted = {"fast": min(len(spread), count // 2), "medium": min(len(spread), 1), "slow": 0}[cost]
    return plain[: count - wanted] + spread[:wanted]


def as_start(task: Task, start: dict[str, Any]) -> dict[str, Any]:
    """Parameters with distributions on the coarse copy's points, and the mode of the effective radius."""
    start = coarse(task.model, completed(start, PROBLEM.width_points[cost_class(task.model)]))
    start |= {} if task.structure_factor is None else {"radius_effective_mode": 1}
    return accepted(load_model(task.name).info, start)


def with_fixed(start: Mapping[str, Any], fixed: Mapping[str, float]) -> dict[str, Any]:
    """A start with given values, the other scattering length densities as far from the solvent as before.

    Only differences of scattering length densities scatter: a start found in one solvent is one in any other
    if all of them move with it.
    """
    found = {**start, **fixed}
    shift = [fixed[n] - start[n] for n in fixed if "sld" in n and "solvent" in n and n in start]
    if shift:
        for name in start:
            if name.startswith("sld") and name not in fixed:
                found[name] = start[name] + shift[0]
    return found
