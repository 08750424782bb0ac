"""Fit one candidate model to one curve."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from sasnet_plugin.fitting.assessment.goodness_of_fit import explains
from sasnet_plugin.fitting.optimize.covariance import strong_pairs
from sasnet_plugin.fitting.optimize.levenberg_marquardt import Done, levenberg, unfitted
from sasnet_plugin.fitting.problem.size_distributions import widths_of
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.fitting.strategy.refine_starts import refined_starts
from sasnet_plugin.fitting.strategy.settings import STRATEGY
from sasnet_plugin.fitting.task import UNLIMITED, Budget, Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.clean import cost_class
from sasnet_plugin.simulate.quick_models.quick import fit_cost_class
from sasnet_plugin.types import SasnetError

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
    began = time.process_time()
    starts = refined_starts(task, bank, began)
    if starts.hopeless:
        as_it_is = unfitted(task, starts.found[0].parameters, starts.per_decade)
        return replace(_describe(task, as_it_is, time.process_time() - began), warnings=(FAR_OFF,))
    final: list[Done] = []
    for start in starts.found[: STRATEGY.lm_starts[fit_cost_class(task.model)]]:
        left = task.budget.seconds - (time.process_time() - began)
        if final and left < 0:
            break
        done = levenberg(
            task, start.parameters, starts.per_decade, max(left, STRATEGY.lm_share * task.budget.seconds)
        )
        if done is not None:
            final.append(done)
    if not final:
        raise SasnetError(
            f"{task.name}: no start gives a finite curve with a positive scale; it does not describe these"
            " data, or too much is fixed."
        )
    best = _without_needless(task, min(final, key=lambda d: d.bic), began)
    return _describe(task, best, time.process_time() - began)


def granted(task: Task, budget: Budget) -> Budget:
    """What a task may take of what the pool has for it.

    An expensive and unlikely model gets less where another explains the curve: it is there to be compared.
    """
    found = task.budget.within(budget)
    expensive = fit_cost_class(task.model) == "slow" and task.probability < STRATEGY.likely
    if expensive and explains(found.best_chisq, len(task.curve)):
        found = found.within(Budget(STRATEGY.brief))
    return found


def _without_needless(task: Task, done: Done, began: float) -> Done:
    """Without widths of distributions that the evidence is not for."""
    for name in widths_of(done.free):
        error, left = done.errors.get(name, np.nan), task.budget.seconds - (time.process_time() - began)
        if not error > done.parameters.get(name, 0.0) / STRATEGY.needed_width or left < 0:
            continue
        start = {k: v for k, v in done.parameters.items() if not k.startswith(name)}
        without = levenberg(task, start, done.per_decade, left)
        if without is not None and without.bic < done.bic:
            done = without
    return done


def _unit(text: str | None) -> str:
    """sasmodels writes "None" where a parameter has no unit."""
    return "" if text in (None, "None", "none") else str(text)


def _describe(task: Task, done: Done, seconds: float) -> ModelFit:
    fitness, errors = done.fitness, done.errors
    units = {p.name: p.units for p in fitness.model.sasmodel.info.parameters.call_parameters}
    parameters = {}
    for name, value in done.parameters.items():
        if isinstance(value, str) or name.endswith(("_pd_n", "_pd_nsigma")):
            continue
        fitted = name in done.free
        low, high = getattr(fitness.model, name).bounds if fitted else (value, value)
        error = errors.get(name)
        parameters[name] = Parameter(
            float(value),
            float(error) if fitted and error is not None and np.isfinite(error) else None,
            _unit(units.get(name)),
            not fitted,
            float(low),
            float(high),
        )
    spread = {k.removesuffix("_pd_type"): v for k, v in done.parameters.items() if k.endswith("_pd_type")}
    points = [int(v) for k, v in done.parameters.items() if k.endswith("_pd_n")]
    degrees = max(len(task.curve) - len(done.free), 1)
    return ModelFit(
        task.model, task.structure_factor, parameters, spread, done.chisq, done.chisq / degrees, done.bic,
        task.probability, seconds, np.asarray(fitness.theory(), dtype=float),
        correlations=_correlations(task, done), per_decade=done.per_decade,
        pd_points=max(points, default=PROBLEM.width_points[cost_class(task.model)]),
    )  # fmt: skip


def _correlations(task: Task, done: Done) -> dict[tuple[str, str], float]:
    """Strong correlations of the fitted parameters; none where a curve is too expensive for it."""
    if not any(np.isfinite(error) for error in done.errors.values()):
        return {}
    began = time.process_time()
    done.fitness.update()
    done.fitness.residuals()
    names = [name for name in done.free if name in done.parameters]  # a width of 0 is none
    cost = (time.process_time() - began) * (len(names) + 1)
    return (
        strong_pairs(done.fitness, names) if cost < STRATEGY.correlation_share * task.budget.seconds else {}
    )
