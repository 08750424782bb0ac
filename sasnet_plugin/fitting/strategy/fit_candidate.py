"""Fit one candidate model to one curve: the bank's nearest curves refined, the best fitted to the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.assessment.goodness_of_fit import doubtful, explains
from sasnet_plugin.fitting.ledger import spent
from sasnet_plugin.fitting.optimize.finish import Done, finish, unfinished, weakly_shown
from sasnet_plugin.fitting.optimize.local_search import LocalMinimum, LocalSearch
from sasnet_plugin.fitting.problem.experiment import TimeUpError
from sasnet_plugin.fitting.problem.free_parameters import (
    missing_widths,
    points_needed,
    spread_in_turn,
    with_points,
)
from sasnet_plugin.fitting.problem.resolution import coarsened, has_resolution, sampling_needed
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.start_values.screening import as_start, from_bank
from sasnet_plugin.fitting.strategy.described import described
from sasnet_plugin.fitting.strategy.settings import STRATEGY, Pass
from sasnet_plugin.fitting.strategy.timed_search import TimedSearch, has_width, ordered, values_of
from sasnet_plugin.fitting.task import UNLIMITED, Budget, Task, no_curve
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.quick_models.quick import fit_cost_class
from sasnet_plugin.types import Curve


@dataclass(frozen=True)
class Starts:
    """Where the fit of a candidate starts.

    Parameters
    ----------
    found : list of LocalMinimum
        Best first; none where the model has no finite curve.
    per_decade : int or None
        Points of q that they were calculated at, for `problem.resolution`.
    hopeless : bool
        So far from the best fit of others that they were not followed to the end.
    """

    found: list[LocalMinimum]
    per_decade: int | None
    hopeless: bool = False


def refined_starts(task: Task, bank: Bank, began: float) -> Starts:
    """The best starts, refined on a coarse copy of the data and then on all points.

    Parameters
    ----------
    task : Task
    bank : Bank
    began : float
        What was spent when work on the task began, s.
    """
    cost, search = fit_cost_class(task.model), TimedSearch(task, began)
    coarse_copy = coarsened(task.curve, task.dintensity)
    rough = _local(task, *coarse_copy, STRATEGY.sampling[cost])
    # Other starts of an expensive model are of no interest where one explains the coarse copy.
    until = 0.0 if cost == "fast" else float(len(coarse_copy[0]))
    limits = _limits(task)
    if task.starts and task.as_measured:  # a coarse copy is not what was measured
        return _on_all_points(search, [as_start(task, s) for s in task.starts], STRATEGY.all_points, 0.0)
    if task.starts:
        first = search.follow(rough, [as_start(task, s) for s in task.starts], STRATEGY.given)
    elif task.basin_hopping:
        first = _by_basin_hopping(search, bank, coarse_copy, rough)
    else:
        quick = _local(task, *coarse_copy, STRATEGY.first_sampling[cost])
        first = search.follow(quick, from_bank(task, bank), STRATEGY.first, until=until)
        if first and cost == "slow" and first[0].chisq > until and not has_width(first[0]):
            # Few of the bank's curves of such models have a width.
            widened = spread_in_turn(task, first[0].parameters)
            first = ordered(first + search.follow(quick, widened, STRATEGY.first_widths), quick)
        if first and not search.behind(first, rough, limits[0]):
            again = values_of(first[: STRATEGY.followed[cost]])
            first = search.follow(rough, again, STRATEGY.second, until=until)
            first = search.neighbours(rough, first)
            if cost == "slow" and task.budget.seconds > STRATEGY.hopping_time and first[0].chisq > until:
                first = search.hopping(rough, first)
    if not first:
        return Starts([], None)
    spread = missing_widths(task, first[0].parameters)
    if search.behind(first, rough, STRATEGY.limits[1]):
        spread = []
    elif spread and search.behind(first, rough, limits[1]):
        # A width may be all that is missing.
        first = ordered(first + search.follow(rough, spread, STRATEGY.widths), rough)
        spread = []
    if search.behind(first, rough, limits[1]):
        return Starts([min(first, key=lambda d: d.chisq)], STRATEGY.sampling[cost], hopeless=True)
    finalists = first[: STRATEGY.finalists[cost]]
    if cost == "medium":
        # What has no width costs little, and may only lie in the wrong minimum.
        finalists += [d for d in first if not has_width(d) and d not in finalists][:1]
    enough = 0.0 if cost == "fast" else float(len(task.curve))
    found = _on_all_points(search, values_of(finalists), STRATEGY.all_points, enough)
    if spread and found.found and not _satisfied(task, found.found[0], first[0].chisq / len(coarse_copy[0])):
        wide = search.follow(rough, spread, STRATEGY.late_widths)
        wide = [w for w in wide if w.chisq < first[0].chisq][: STRATEGY.finalists[cost]]
        more = Starts([], None)
        if wide:
            more = _on_all_points(search, values_of(wide), STRATEGY.late_all_points, 0.0)
        finest = max(found.per_decade or 0, more.per_decade or 0) or None
        found = Starts(ordered(found.found + more.found, rough), finest)
    return found


def _by_basin_hopping(
    search: TimedSearch, bank: Bank, coarse_copy: tuple[Curve, NDArray[np.float64]], rough: LocalSearch
) -> list[LocalMinimum]:
    """Local minima that basin hopping finds, on all points where the coarse copy is explained."""
    task, cost = search.task, fit_cost_class(search.task.model)
    quick = _local(task, *coarse_copy, STRATEGY.first_sampling[cost])
    first = search.follow(quick, from_bank(task, bank), STRATEGY.hopping_first[cost])
    first = search.follow(rough, values_of(first), STRATEGY.hopping_second[cost])
    if not first:
        return []
    satisfied = first[0].chisq < len(rough.curve)
    whole = _local(task, task.curve, task.dintensity, STRATEGY.sampling[cost]) if satisfied else rough
    return search.hopping(whole, first)


def _satisfied(task: Task, found: LocalMinimum, on_coarse: float) -> bool:
    """Whether nothing is left for a width to explain: in itself, or as other models leave as much."""
    n = len(task.curve)
    as_others = on_coarse < 1 and found.chisq / n < STRATEGY.as_good * task.budget.best_chisq
    return not doubtful(found.chisq / n, n) or as_others


def _on_all_points(search: TimedSearch, found: list[dict[str, Any]], how: Pass, until: float) -> Starts:
    """Refine with as many points of q and of size distributions as the data ask for."""
    task, cost = search.task, fit_cost_class(search.task.model)
    end = search.began + how.share * task.budget.seconds

    def needed(local: LocalSearch, parameters: dict[str, Any]) -> dict[str, Any]:
        """With as many points of its distributions as the time is enough to find out about."""
        local.deadline = max(end, spent() + STRATEGY.least_count * task.budget.seconds)
        try:
            count = points_needed(task.model, parameters, lambda p: local.solved(p)[0])
        except TimeUpError:
            return parameters
        return with_points(parameters, count)

    fine = _local(task, task.curve, task.dintensity, STRATEGY.sampling[cost])
    finalists = [needed(fine, p) for p in found]
    sampling = _sampling(task, finalists[0], end - spent())
    fine = _local(task, task.curve, task.dintensity, sampling)
    done = search.follow(fine, finalists, how, until=until)
    if done:
        # The width that was found may need more points than the one that it started from.
        done = search.neighbours(fine, done, sizes=True)
        more = needed(fine, done[0].parameters)
        changed = more != done[0].parameters
        # So may the points of q, where its fringes or peaks have become sharper.
        sharper = _sampling(task, more, end - spent()) if sampling and cost != "slow" else None
        if sharper and sampling and sharper > sampling:
            sampling = sharper
            fine = _local(task, task.curve, task.dintensity, sampling)
            changed = True
        if changed:
            again = replace(STRATEGY.more_points, share=how.share + STRATEGY.more_points.share)
            done = search.follow(fine, [more], again) + done[1:]
    return Starts(done, sampling)


def _limits(task: Task) -> tuple[float, float]:
    """How much worse than the best so far a candidate may be after its first and its last steps."""
    if fit_cost_class(task.model) == "fast":
        return STRATEGY.limits
    if explains(task.budget.best_chisq, len(task.curve)):
        return STRATEGY.limits_explained
    if task.probability > STRATEGY.likely:
        return STRATEGY.limits
    nearly = task.budget.best_chisq < STRATEGY.nearly
    return STRATEGY.limits_nearly if nearly else STRATEGY.limits_unexplained


def _local(task: Task, curve: Curve, dintensity: NDArray[np.float64], per_decade: int | None) -> LocalSearch:
    fixed = frozenset(task.fixed)
    return LocalSearch(curve, dintensity, task.name, fixed=fixed, ranges=task.ranges, per_decade=per_decade)


def _sampling(task: Task, parameters: dict[str, Any], seconds: float) -> int | None:
    """Points a decade for the fit of all points."""
    if task.as_measured or not has_resolution(task.curve):
        return None
    cost, until = fit_cost_class(task.model), spent() + max(seconds, STRATEGY.least_sampling)

    def theory(per_decade: int | None) -> NDArray[np.float64]:
        local = _local(task, task.curve, task.dintensity, per_decade)
        local.deadline = until
        residual, _, _ = local.solved(parameters)
        return residual

    try:
        return sampling_needed(theory, finest=STRATEGY.finest[cost])
    except TimeUpError:
        return STRATEGY.sampling[cost]


FAR_OFF = "So much worse than others from every start that it was not fitted to the end."


def fit_candidate(task: Task, bank: Bank, budget: Budget = UNLIMITED) -> ModelFit:
    """Refine the bank's nearest curves, then fit the best by bumps' Levenberg-Marquardt.

    Parameters
    ----------
    task : Task
    bank : Bank
    budget : Budget
        Of the pool; the task's own holds too.

    Raises
    ------
    SasnetError
        No start gave a finite curve.
    """
    task = replace(task, budget=granted(task, budget))
    began = spent()
    starts = refined_starts(task, bank, began)
    if starts.hopeless:
        as_it_is = unfinished(task, starts.found[0], starts.per_decade)
        found = described(task, as_it_is, starts.per_decade, spent() - began)
        return replace(found, warnings=(FAR_OFF,))
    final: list[Done] = []
    for start in starts.found[: STRATEGY.lm_starts[fit_cost_class(task.model)]]:
        left = task.budget.seconds - (spent() - began)
        if final and left < 0:
            break
        # A second ending is wanted only where the first left something.
        if final and start.chisq > final[0].chisq + STRATEGY.second_ending:
            break
        done = finish(task, start, starts.per_decade, max(left, STRATEGY.lm_share * task.budget.seconds))
        if done is not None:
            final.append(done)
    if not final:
        raise no_curve(task.name)
    best = _at_defaults(task, min(final, key=lambda d: d.bic), starts.per_decade, began)
    return described(task, best, starts.per_decade, spent() - began)


def granted(task: Task, budget: Budget) -> Budget:
    """What a task may take of what the pool has for it.

    An expensive and unlikely model gets less where another explains the curve: it is there to be compared.
    """
    found = task.budget.within(budget)
    expensive = fit_cost_class(task.model) == "slow" and task.probability < STRATEGY.likely
    if expensive and explains(found.best_chisq, len(task.curve)):
        found = found.within(Budget(STRATEGY.brief))
    return found


def _at_defaults(task: Task, done: Done, per_decade: int | None, began: float) -> Done:
    """With what the data hardly show at its default, where the evidence is no worse for it."""
    info = load_model(task.name).info
    for name, default in weakly_shown(done, info, task.fixed).items():
        left = task.budget.seconds - (spent() - began)
        if left < 0 or name not in {*done.free, *done.same}:
            continue
        fixed = task.fixed | {name: default}
        start = done.parameters | {name: default}
        if name.endswith("_pd"):  # without a distribution
            start = {k: v for k, v in done.parameters.items() if not k.startswith(name)}
            fixed = task.fixed
        simpler = replace(task, fixed=fixed)
        without = finish(simpler, LocalMinimum(start, done.chisq), per_decade, left)
        if without is not None and without.bic <= done.bic:
            # A width, or another name of the scale, is nothing to speak of.
            said = "" if name.endswith(("_pd", "scale", "i_zero")) else _not_shown(name, default)
            done, task = replace(without, warnings=(*done.warnings, *([said] if said else []))), simpler
    return done


def _not_shown(name: str, default: float) -> str:
    return f"{name} is not determined by these data: it stands at {default:g}, sasmodels' default."
