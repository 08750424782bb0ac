"""Fit one candidate model to one curve: the bank's nearest curves refined, the best fitted to the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulate.bank import Bank
from ...simulate.kernel import load_model
from ...simulate.quick_models.cost_classes import cost_class
from ...simulate.quick_models.quick import fit_cost_class
from ..ledger import spent
from ..optimize.finish import Done, finish, strong_pairs, unfinished, weakly_shown
from ..optimize.local_search import LocalMinimum
from ..problem.bounds import range_of
from ..problem.experiment import TimeUpError
from ..problem.free_parameters import SALT, points_needed, widths_of, with_points
from ..problem.model_curves import ModelCurves, curves_of
from ..problem.resolution import coarsened, has_resolution, sampling_needed
from ..result.components import bare
from ..result.model_fit import ModelFit, Parameter
from ..settings import OPTIMIZE, PROBLEM
from ..start_values.screening import as_start
from ..task import UNLIMITED, Budget, Task, no_curve
from .settings import STRATEGY
from .timed_search import TimedSearch, apart, enough, values_of


@dataclass(frozen=True)
class Starts:
    """Where the fit of a candidate starts."""

    found: list[LocalMinimum]  #: Best first; none where the model has no finite curve.
    per_decade: int | None  #: Points of q that they were calculated at, for `problem.resolution`.
    hopeless: bool = False  #: So far from the best fit of others that they were not followed to the end.


def refined_starts(task: Task, bank: Bank, began: float) -> Starts:
    """The best starts, refined on a coarse copy of the data and then on all points."""
    # Each stage has fewer of them: what is so far behind others that no later stage could make up for it ends
    # here. Beside the best of a stage lie what no slope leads to.
    search = TimedSearch(task, began)
    # A coarse copy is not what was measured.
    copy = None if task.as_measured else coarsened(task.curve, task.dintensity)
    coarse = curves_of(task, None if task.as_measured else PROBLEM.sparse, data=copy)
    followed = _followed(search, coarse, bank)
    found = search.beside(coarse, followed, STRATEGY.coarse)
    if not found:
        return Starts([], None)
    if search.hopeless(found, coarse, 1):
        return Starts([min(found, key=lambda d: d.chisq)], coarse.per_decade, hopeless=True)
    looked = not task.restarts and followed[0].chisq >= enough(coarse)
    return _on_all_points(search, values_of(found[: STRATEGY.finalists]), looked=looked)


def _followed(search: TimedSearch, coarse: ModelCurves, bank: Bank) -> list[LocalMinimum]:
    """The task's own starts, or else the bank's nearest, followed downhill on coarse points."""
    task = search.task
    if task.starts:
        return search.follow(coarse, [as_start(task, start) for start in task.starts], STRATEGY.coarse)
    found = search.from_bank(coarse, bank)
    if found and not search.hopeless(found, coarse, 0):
        found = search.follow(coarse, apart(found, coarse.info, STRATEGY.followed), STRATEGY.coarse)
    return search.from_low_q(coarse, search.with_layers(coarse, found, bank), bank)


def _on_all_points(search: TimedSearch, starts: list[dict[str, Any]], *, looked: bool = False) -> Starts:
    """Refine with as many q points and distribution points as the data need; `looked`: neighbours of the best
    were tried on the coarse copy.
    """
    task, how = search.task, STRATEGY.fine
    sampling = _sampling(task, starts[0], search.left(how.share))
    fine = curves_of(task, sampling)
    # A width makes many curves of one: what has none is refined before the time is spent.
    order = sorted(starts, key=lambda start: len(widths_of(start)))
    found = search.follow(fine, (_with_points(search, fine, start) for start in order), how)
    if not found:
        return Starts([], None)
    if not looked:
        found = search.beside(fine, found, how)
    # What was found may need more points than what it started from: finer fringes, narrower widths.
    best = _with_points(search, fine, found[0].parameters)
    finer = _sampling(task, best, search.left(how.share)) if sampling else None
    return Starts([replace(found[0], parameters=best), *found[1:]], max(sampling or 0, finer or 0) or None)


def _with_points(search: TimedSearch, local: ModelCurves, parameters: dict[str, Any]) -> dict[str, Any]:
    """Use as many points of distributions as there is time to find out about."""
    seconds = max(search.left(STRATEGY.fine.share), OPTIMIZE.least_share * search.task.budget.seconds)
    local.deadline = spent() + seconds
    try:
        count = points_needed(search.task.model, parameters, lambda p: local.solved(p)[0])
    except TimeUpError:
        return parameters
    return with_points(parameters, count)


def _sampling(task: Task, parameters: dict[str, Any], seconds: float) -> int | None:
    if task.as_measured or not has_resolution(task.curve):
        return None
    cost = fit_cost_class(task.model)
    until = spent() + max(seconds, OPTIMIZE.least_share * task.budget.seconds)

    def theory(per_decade: int | None) -> NDArray[np.float64]:
        local = curves_of(task, per_decade)
        local.deadline = until
        residual, _, _ = local.solved(parameters)
        return residual

    try:
        return sampling_needed(theory, finest=STRATEGY.finest[cost])
    except TimeUpError:
        return PROBLEM.sparse


FAR_OFF = "This fit was stopped early: it was much worse than others from all starting values."


def fit_candidate(task: Task, bank: Bank, budget: Budget = UNLIMITED) -> ModelFit:
    """Refine the bank's nearest curves, then fit the best by Bumps' Levenberg-Marquardt, within the pool's
    and the task's budget. Raises SasnetError if no start gives a finite curve.
    """
    task = replace(task, budget=task.budget.within(budget))
    began = spent()
    if task.beside:
        starts = _on_all_points(TimedSearch(task, began), [as_start(task, start) for start in task.starts])
    else:
        starts = refined_starts(task, bank, began)
    return _ended(task, starts, began)


def _ended(task: Task, starts: Starts, began: float) -> ModelFit:
    if starts.hopeless:
        as_it_is = unfinished(task, starts.found[0], starts.per_decade)
        found = described(task, as_it_is, starts.per_decade, spent() - began)
        return replace(found, warnings=(FAR_OFF,))
    done = None
    for start in starts.found:
        left = task.budget.seconds - (spent() - began)
        done = finish(task, start, starts.per_decade, max(left, OPTIMIZE.least_share * task.budget.seconds))
        if done is not None:
            break
    if done is None:
        raise no_curve(task.name)
    best = _at_defaults(task, done, starts.per_decade, began)
    return described(task, best, starts.per_decade, spent() - began)


def _at_defaults(task: Task, done: Done, per_decade: int | None, began: float) -> Done:
    """Set parameters that the data hardly show to defaults if the evidence is no worse."""
    info = load_model(task.name).info
    for name, default in weakly_shown(done, info, task.fixed, task.ranges).items():
        left = task.budget.seconds - (spent() - began)
        if left < 0 or name not in {*done.free, *done.same}:
            continue
        start, fixed = _held(task, done, name, default)
        simpler = replace(task, fixed=fixed)
        without = finish(simpler, LocalMinimum(start, done.chisq), per_decade, left)
        if without is not None and without.bic <= done.bic:
            said = _said_of_default(name, default)
            done, task = replace(without, warnings=(*done.warnings, *said)), simpler
    return done


def _held(task: Task, done: Done, name: str, default: float) -> tuple[dict[str, Any], dict[str, float]]:
    """Where a fit starts that holds a parameter at its default, and what it has fixed."""
    if name.endswith("_pd"):  # without a distribution
        return {k: v for k, v in done.parameters.items() if not k.startswith(name)}, dict(task.fixed)
    return done.parameters | {name: default}, {**task.fixed, name: default}


def _said_of_default(name: str, default: float) -> tuple[str, ...]:
    silent = name.endswith(("_pd", "scale", "i_zero")) or bare(name) == SALT
    return () if silent else (_not_shown(name, default),)


def _not_shown(name: str, default: float) -> str:
    return f"{name} is not determined by these data; it is fixed at {default:g}, the default of sasmodels."


def described(task: Task, done: Done, per_decade: int | None, seconds: float) -> ModelFit:
    """Where a fit has ended, as people and programs see it."""
    if not np.all(np.isfinite(done.theory)):  # one without values could not be weighed against others
        raise no_curve(task.name)
    info = load_model(task.name).info
    # sasmodels writes "None" where a parameter has no unit.
    units = {p.name: str(p.units or "").replace("None", "") for p in info.parameters.call_parameters}
    parameters = {
        name: _fitted(task, done, name, value, units.get(name, ""))
        if name in done.free
        else Parameter(value, None, units.get(name, ""), True, value, value)
        for name, value in _kept(info, done.parameters).items()
    }
    spread = _distributions(done.parameters, parameters)
    degrees = max(len(task.curve) - len(done.free), 1)
    return ModelFit(
        task.model, task.structure_factor, parameters, spread, done.chisq, done.chisq / degrees, done.bic,
        task.probability, seconds, done.theory, warnings=done.warnings,
        correlations=strong_pairs(done.slopes) if done.slopes else {}, derivatives=done.slopes,
        per_decade=per_decade, pd_points=_width_points(done, task.model),
        components=done.components, cut=done.cut,
    )  # fmt: skip


def _width_points(done: Done, model: str) -> int:
    """Points of the distributions, the usual number where there is none."""
    points = [int(v) for k, v in done.parameters.items() if k.endswith("_pd_n")]
    return max(points, default=PROBLEM.width_points[cost_class(model)])


def _distributions(done: Mapping[str, Any], known: Mapping[str, Parameter]) -> dict[str, str]:
    kinds = {k.removesuffix("_pd_type"): v for k, v in done.items() if k.endswith("_pd_type")}
    return {k: v for k, v in kinds.items() if f"{k}_pd" in known}


def _fitted(task: Task, done: Done, name: str, value: float, unit: str) -> Parameter:
    low, high = task.ranges.get(name) or range_of(load_model(task.name).info, name, value)
    error = float(done.errors.get(name, np.nan))
    return Parameter(value, error if np.isfinite(error) else None, unit, False, float(low), float(high))


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
