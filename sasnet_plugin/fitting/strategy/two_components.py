"""A second component where no single model explains a curve: which sums to fit, and which are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.assessment.assess import dependence, misfits
from sasnet_plugin.fitting.assessment.goodness_of_fit import doubtful, explains
from sasnet_plugin.fitting.assessment.systematic_error import independent, systematic_error
from sasnet_plugin.fitting.problem.experiment import starting_values
from sasnet_plugin.fitting.problem.sums import as_part, of_part
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import ASSESSMENT
from sasnet_plugin.fitting.start_values.second_component import TERMS, fixed_of, has_one_contrast
from sasnet_plugin.fitting.strategy.candidates import screen
from sasnet_plugin.fitting.strategy.settings import STRATEGY
from sasnet_plugin.fitting.task import Budget, Counting, FitOptions, Pair, Task
from sasnet_plugin.simulate.priors import model_info
from sasnet_plugin.simulate.quick_models.quick import fit_cost_class
from sasnet_plugin.types import Curve, Suggestion, TechnicalError, product_name, sum_parts

#: Bodies that a second component is tried with, whatever explains the curve best without one.
_SIMPLE = ("sphere", "ellipsoid", "cylinder")


def sums_to_fit(
    pool: Counting,
    curve: Curve,
    dintensity: NDArray[np.float64],
    suggestion: Suggestion,
    options: FitOptions,
    fits: Sequence[ModelFit],
    residuals: Mapping[Pair, float],
    nearer: float,
    seconds: float,
) -> tuple[list[Task], tuple[TechnicalError, ...]]:
    """Bodies with a power law, a coil, a Lorentzian, or a second population of themselves.

    Parameters
    ----------
    pool : Counting
    curve : Curve
    dintensity : (n,) float array
    suggestion : Suggestion
        Of all models.
    options : FitOptions
        Values and ranges hold for the first component. With a fixed scale, or the materials of sample and
        solvent, there is no sum: whose they are is not known.
    fits : sequence of ModelFit
        Of single models; empty before there are any.
    residuals : mapping
        What screening found for single models.
    nearer : float
        The nearest sum has to have less than this times the least of these.
    seconds : float
        For screening.

    Returns
    -------
    tasks : list of Task
        The simplest first, of those whose curves in the bank come near.
    failed : tuple of TechnicalError
        Why some could not be rated.
    """
    if options.contrast is not None or "scale" in {*options.fixed, *options.ranges}:
        return [], ()
    single = min(residuals.values(), default=0.0)
    if single == 0.0:  # there was no time for screening
        return [], ()
    hosts = _hosts(suggestion, fits, residuals)
    found, failed, _ = screen(
        pool, curve, dintensity, [(name, None) for host in hosts for name in _sums_of(host)], seconds
    )
    least = min(found.values(), default=np.inf)
    if not least < nearer * single:
        return [], failed
    most = max(STRATEGY.more_worse * least, STRATEGY.sums_near)
    near = [pair for pair, value in found.items() if value < most]
    near.sort(key=lambda pair: (_shape(pair[0]), found[pair]))
    fixed, ranges = _of_first(options.fixed), _of_first(options.ranges)
    budget = Budget(STRATEGY.sum_time)
    tasks = [
        Task(curve, dintensity, name, None, fixed=fixed_of(name) | fixed, ranges=ranges, budget=budget)
        for name, _ in near[: STRATEGY.sums]
    ]
    return tasks, failed


def other_sums(tasks: Sequence[Task], fits: Sequence[ModelFit]) -> list[Task]:
    """What looks much like the best sum with a term: its body with other terms, simple bodies with its own.

    Parameters
    ----------
    tasks : sequence of Task
        Those tried are not tried again.
    fits : sequence of ModelFit
        What came of them.
    """
    best = _best_sum(fits)
    if best is None:
        return []
    host, _, second = best.model.rpartition("+")
    if second not in TERMS:
        return []
    task = next(task for task in tasks if task.name == best.name)
    own = {name: value for name, value in task.fixed.items() if name not in fixed_of(best.model)}
    tried = {task.model for task in tasks}
    names = [f"{host}+{term}" for term in TERMS] + [f"{body}+{second}" for body in _SIMPLE]
    return [
        replace(task, model=name, fixed=fixed_of(name) | own)
        for name in dict.fromkeys(names)
        if name not in tried
    ]


def first_alone(tasks: Sequence[Task], fits: Sequence[ModelFit]) -> list[Task]:
    """The best sum's first component alone, from its values there: its own search may have ended elsewhere.

    Parameters
    ----------
    tasks : sequence of Task
    fits : sequence of ModelFit
        What came of them.
    """
    best = _best_sum(fits)
    if best is None:
        return []
    first, values = sum_parts(best.model)[0], starting_values(best)
    start = of_part(values, 0, 2) | {"background": values["background"]}
    tried = (task for task in tasks if task.name == first)
    return [replace(task, starts=(start,)) for task in tried][:1]


def simple_bodies(
    curve: Curve,
    dintensity: NDArray[np.float64],
    suggestion: Suggestion,
    options: FitOptions,
    tasks: Sequence[Task],
    residuals: Mapping[Pair, float],
) -> list[Task]:
    """The simple bodies that were not tried, alone, where their curves in the bank are not far off.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
    suggestion : Suggestion
        Of all models.
    options : FitOptions
    tasks : sequence of Task
        What was tried.
    residuals : mapping
        What screening found for single models.
    """
    tried = {task.pair for task in tasks}
    most = STRATEGY.simple_near * min(residuals.values(), default=0.0)
    probabilities = {guess.name: guess.probability for guess in suggestion.models}
    return [
        Task(
            curve, dintensity, name, None, probability=probabilities.get(name, 0.0),
            fixed=dict(options.fixed), ranges=dict(options.ranges),
        )
        for name in _SIMPLE
        if (name, None) not in tried and residuals.get((name, None), np.inf) < most
    ]  # fmt: skip


def _best_sum(fits: Sequence[ModelFit]) -> ModelFit | None:
    return min((fit for fit in fits if "+" in fit.model), key=lambda fit: fit.bic, default=None)


def _hosts(suggestion: Suggestion, fits: Sequence[ModelFit], residuals: Mapping[Pair, float]) -> list[str]:
    """Simple bodies, the likeliest, and those of the best fits or nearest curves, with structure factors."""
    best = [f.name for f in sorted(fits, key=lambda f: f.chisq) if "+" not in f.model]
    best = best or [product_name(*pair) for pair in sorted(residuals, key=lambda pair: residuals[pair])]
    likely = [guess.name for guess in suggestion.models if "+" not in guess.name]
    count = STRATEGY.sum_hosts
    return [
        name
        for name in dict.fromkeys([*_SIMPLE, *likely[:count], *best[:count]])
        if not name.endswith(".py") and fit_cost_class(name) != "slow" and _is_body(name.partition("@")[0])
    ]


def _shape(model: str) -> int:
    """Parameters that change the shape of a curve: a body's one contrast is another name of its scale."""
    no_shape = ("magnetic", "orientation")
    table = [p for p in model_info(model).parameters.kernel_parameters if p.type not in no_shape]
    slds = [p for p in table if p.type == "sld"]
    bodies = sum(_is_body(part.partition("@")[0]) for part in sum_parts(model))
    return len(table) - min(2 * bodies, len(slds))


def _is_body(form: str) -> bool:
    """A form of known shape; the others have terms of their own for what is around."""
    return str(model_info(form).category).startswith("shape:")


def _sums_of(host: str) -> list[str]:
    form = host.partition("@")[0]
    return [f"{host}+{term}" for term in TERMS] + ([f"{host}+{form}"] if has_one_contrast(form) else [])


def _of_first(given: Mapping[str, Any]) -> dict[str, Any]:
    """A user's values of the first component, by the sum's names."""
    return as_part(given, 0) | ({"background": given["background"]} if "background" in given else {})


def only_systematic(curve: Curve, dintensity: NDArray[np.float64], fit: ModelFit) -> bool:
    """What a fit leaves is of the size of a measurement's own systematic error, which any model would fit."""
    return 0 < systematic_error(curve, dintensity, fit).relative < STRATEGY.systematic


def intricate(curve: Curve, fit: ModelFit) -> bool:
    """Whether a fit has so many parameters that a sum might say the same with fewer."""
    return len(fit.free) >= STRATEGY.intricate[0 if doubtful(fit.reduced_chisq, len(curve)) else 1]


def asked_for(
    curve: Curve, dintensity: NDArray[np.float64], fits: Sequence[ModelFit], sums: Sequence[ModelFit]
) -> list[ModelFit]:
    """Sums that explain the curve and have more evidence than every single model; else none.

    Evidence is compared as in the ranking, with what neighbouring points have in common, but for what a
    second component costs there: a sum that has less than that to spare stands beside the single models, not
    before them. Where a shared error is all that a single model leaves, a sum has to explain the curve to its
    noise.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
    fits, sums : sequence of ModelFit
        Of single models, at least one, and of sums.
    """
    alone = min(fits, key=lambda fit: fit.bic)
    excused = only_systematic(curve, dintensity, alone)
    good = [
        fit
        for fit in sums
        if explains(fit.reduced_chisq, len(curve))
        or not (excused or explains(alone.reduced_chisq, len(curve)))
        and only_systematic(curve, dintensity, fit)
    ]
    if not good:
        return []
    every = [*fits, *good]
    # A larger error is what the second component is there to explain.
    shared, share = dependence(curve, dintensity, every)
    errors = {
        f.name: independent(curve, dintensity, f)
        if shared[f.name].relative >= STRATEGY.systematic
        else shared[f.name]
        for f in every
        if f.name in shared
    }
    compared = misfits(every, errors, share)
    bic = compared.chisq + compared.penalty
    least = float(np.min(bic[: len(fits)]))
    return [
        f for f, own in zip(good, bic[len(fits) :], strict=True) if own < least + ASSESSMENT.second_component
    ]
