"""Starts of a task: the bank's nearest curves, completed to what sasmodels takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sasnet_plugin.fitting.problem.contrast import with_fixed
from sasnet_plugin.fitting.problem.cost_class import pace
from sasnet_plugin.fitting.problem.experiment import accepted
from sasnet_plugin.fitting.problem.plugin_models import page_of
from sasnet_plugin.fitting.problem.size_distributions import MOST, coarse, completed, widths_of
from sasnet_plugin.fitting.start_values.curve_bank import Seed, binned, nearest
from sasnet_plugin.simulate.clean import tier
from sasnet_plugin.simulate.kernel import load_model

if TYPE_CHECKING:
    from sasnet_plugin.fitting.task import Task
    from sasnet_plugin.simulate.bank import Bank

#: Starts of a fast, a medium and a slow model.
STARTS = {"fast": 12, "medium": 7, "slow": 8}
#: A dear model starts with a width if that makes the bank's curves so much better.
_WIDE_IS_BETTER = 0.6


def from_bank(task: Task, bank: Bank) -> list[dict[str, Any]]:
    """The bank's nearest curves, and the task's own start."""
    speed = pace(task.model)
    data = binned(task.curve, task.dintensity)
    page = page_of(bank, task.model, 0.1 * task.budget.seconds)
    seeds = nearest(page, task.model, task.structure_factor, data, count=3 * STARTS[speed])
    seeds = _varied(seeds, task)
    if task.extra is not None:
        seeds = [Seed(dict(task.extra), 0.0), *seeds]
    return [_start(task, seed) for seed in seeds]


def _varied(seeds: list[Seed], task: Task) -> list[Seed]:
    """The best seeds, some of them with size distributions.

    A distribution multiplies the cost of a curve, and a second one does so again: a dear model starts with
    one where the bank's curves say that it is needed, and then it does so first.
    """
    speed = pace(task.model)
    count = STARTS[speed]
    most = 2 if speed == "fast" else 1
    spread = [s for s in seeds if 0 < len(widths_of(s.parameters)) <= most]
    plain = [s for s in seeds if not widths_of(s.parameters)]
    if not plain:
        plain = [replace(s, parameters=_without_spread(s.parameters)) for s in seeds]
    elif speed != "fast" and spread and spread[0].badness < _WIDE_IS_BETTER * plain[0].badness:
        return [spread[0], *plain[: count - 1]]
    wanted = {"fast": min(len(spread), count // 2), "medium": min(len(spread), 1), "slow": 0}[speed]
    return plain[: count - wanted] + spread[:wanted]


def _without_spread(parameters: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in parameters.items() if "_pd" not in k}


def _start(task: Task, seed: Seed) -> dict[str, Any]:
    start: dict[str, Any] = with_fixed(seed.parameters, task.fixed or {})
    return as_start(task, start)


def as_start(task: Task, start: dict[str, Any]) -> dict[str, Any]:
    """Parameters with distributions on the coarse copy's points, and the mode of the effective radius."""
    start = coarse(task.model, completed(start, MOST[tier(task.model)]))
    start |= {} if task.structure_factor is None else {"radius_effective_mode": 1}
    return accepted(load_model(task.name).info, start)
