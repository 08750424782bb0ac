"""Which models to fit, in which order: the suggested and simple ones, ranked by the bank's curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.assessment.diagnostics import reached
from sasnet_plugin.fitting.effort import look_cost
from sasnet_plugin.fitting.pool import answers
from sasnet_plugin.fitting.problem.nested_models import simpler
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import EFFORT
from sasnet_plugin.fitting.start_values.screening import (
    Screen,
    extra_pairs,
    order_of,
    plausible,
    screened,
    simple_pairs,
)
from sasnet_plugin.fitting.start_values.second_component import fixed_of
from sasnet_plugin.fitting.strategy.settings import STRATEGY
from sasnet_plugin.fitting.task import Budget, Counting, FitOptions, LateError, Pair, Start, Task
from sasnet_plugin.simulate.priors import allowed_structure_factors
from sasnet_plugin.simulate.quick_models.lattice import LATTICES
from sasnet_plugin.simulate.quick_models.quick import fit_cost_class
from sasnet_plugin.types import Curve, ModelGuess, SasnetError, Suggestion, TechnicalError
from sasnet_plugin.zoo import Manifest

NOT_SCREENED = (
    "Not all simple models were screened within the time limit, so that one besides the suggested ones may be"
    " missing (give more with --time-limit)."
)


@dataclass(frozen=True)
class Candidates:
    """What is fitted first.

    Parameters
    ----------
    tasks : list of Task
        In the order in which they are fitted.
    notes : list of str
    residuals : dict
        What screening found: the weighted residual of the bank's nearest curve of each pair.
    unanswered : tuple of TechnicalError
        Why there are pairs that screening could not rate.
    """

    tasks: list[Task]
    notes: list[str]
    residuals: dict[Pair, float]
    unanswered: tuple[TechnicalError, ...] = ()


def choose_candidates(
    pool: Counting,
    suggestion: Suggestion,
    curve: Curve,
    dintensity: NDArray[np.float64],
    options: FitOptions,
    manifest: Manifest,
) -> Candidates:
    """Rank candidates by their nearest bank curve and drop implausible ones.

    Where the user names no models, simple bodies that come near are added and expensive models that are far
    off are left out.

    Parameters
    ----------
    pool : Counting
    suggestion : Suggestion
        Of all models, or of those that the user names.
    curve : Curve
    dintensity : (n,) float array
    options : FitOptions
    manifest : Manifest
        Of the network.
    """
    free, factor = options.models is None, options.structure_factor
    if free:
        suggestion = shortlist(suggestion, options.top, manifest)
    tasks = suggested_tasks(suggestion, curve, dintensity, options)
    pairs = [task.pair for task in tasks]
    others = simple_pairs(guess.name for guess in suggestion.models) if free and factor is None else []
    others.sort(key=lambda pair: pair[1] is not None)  # what costs little first
    asked = [*pairs, *(p for p in others if p not in pairs)]
    residuals, failed, late = screen(
        pool, curve, dintensity, asked, STRATEGY.screening_share * EFFORT.of_limit * options.time_limit
    )
    if others:
        more = extra_pairs(residuals, pairs, others)
        tasks = suggested_tasks(suggestion, curve, dintensity, options, more)
    notes = [NOT_SCREENED] if others and late else []
    if free:
        near = [t for t in tasks if t.probability > STRATEGY.certain or plausible(t.pair, residuals)]
        lattices = {t.model for t in near} & set(LATTICES)
        near += [t for t in tasks if lattices and t.model in LATTICES and all(t is not n for n in near)]
        with_factor = {t.model for t in near if t.structure_factor}
        far = [
            task.name + (" without structure factor" if task.name in with_factor else "")
            for task in tasks
            if not any(task is each for each in near)
        ]
        if near and far:
            tasks = near
            notes.append(f"Left out after screening, as no curve of theirs comes near: {', '.join(far)}.")
    tasks = sorted(tasks, key=lambda task: order_of(task.pair, residuals))
    return Candidates(with_patience(tasks), notes, residuals, failed)


def shortlist(suggestion: Suggestion, top: int, manifest: Manifest) -> Suggestion:
    """The likeliest models, and the simplest of the likely groups.

    The members of a group are hardly distinguishable, and a group of twenty may keep the simple ones out
    of the first five. A simple model that explains the curve is what the evidence prefers: it is tried.

    Parameters
    ----------
    suggestion : Suggestion
        Of all models.
    top : int
        Models taken by their probability.
    manifest : Manifest
        Of the network: groups, and the parameters of each model.
    """

    def size(name: str) -> int:
        return len({p.rstrip("0123456789") for p in manifest.inputs["parameters"].get(name, ())})

    chosen = {guess.name for guess in suggestion.models[:top]}
    for group in suggestion.groups:
        if group.probability >= STRATEGY.group_share:
            chosen.update(sorted(group.members, key=lambda m: (size(m), m))[: STRATEGY.simplest])
    return replace(suggestion, models=tuple(g for g in suggestion.models if g.name in chosen))


def suggested_tasks(
    suggestion: Suggestion,
    curve: Curve,
    dintensity: NDArray[np.float64],
    options: FitOptions,
    pairs: Sequence[Pair] = (),
) -> list[Task]:
    """A task for each suggested model with its likely structure factors, and for other pairs.

    Parameters
    ----------
    suggestion : Suggestion
        The models to fit.
    curve : Curve
    dintensity : (n,) float array
    options : FitOptions
        Of which a structure factor is taken alone, "none" for none.
    pairs : sequence of (str, str or None)
        Form models and structure factors besides.
    """
    wanted: dict[Pair, float] = {}
    for guess in suggestion.models:
        share = guess.structure_factor_probability
        if options.structure_factor is not None:
            factor = None if options.structure_factor == "none" else options.structure_factor
            wanted[guess.name, factor] = guess.probability
            continue
        wanted[guess.name, guess.structure_factor] = guess.probability * share
        if guess.structure_factor is None:
            continue
        if 1 - share >= STRATEGY.factor_share:
            wanted[guess.name, None] = guess.probability * (1 - share)
        if fit_cost_class(guess.name) == "fast" and "hardsphere" in allowed_structure_factors(guess.name):
            # What the others become where there is neither charge nor attraction.
            wanted.setdefault((guess.name, "hardsphere"), guess.probability * (1 - share) / 4)
    for pair in pairs:
        wanted.setdefault(pair, 0.0)
    if options.models is None:
        # Distorted lattices differ in few peaks: where one is a candidate, all of them are compared.
        for form, factor in [pair for pair in wanted if pair[0] in LATTICES]:
            for other in LATTICES:
                wanted.setdefault((other, factor), wanted[form, factor] / len(LATTICES))
    ranges = dict(options.ranges)
    return [
        Task(curve, dintensity, form, factor, probability, fixed_of(form) | options.fixed, ranges)
        for (form, factor), probability in wanted.items()
    ]


def screen(
    pool: Counting, curve: Curve, dintensity: NDArray[np.float64], pairs: Sequence[Pair], seconds: float
) -> tuple[dict[Pair, float], tuple[TechnicalError, ...], bool]:
    """Screen these pairs, in as many parts as there are processes; see `screened`.

    Returns
    -------
    residuals : dict
    failed : tuple of TechnicalError
        Why parts of them could not be rated, though tried twice.
    late : bool
        There was no time for a part of them.
    """
    spent = np.cumsum([look_cost(*pair) for pair in pairs])
    enough = int(np.searchsorted(spent, seconds * pool.count, side="right"))
    late, pairs = enough < len(pairs), pairs[: max(enough, 1)]
    parts = [pairs[i :: pool.count] for i in range(pool.count)]
    asked = [Screen(curve, dintensity, part) for part in parts if part]
    residuals: dict[Pair, float] = {}
    failed = []
    for index, answer in answers(pool, screened, asked, seconds):
        if isinstance(answer, TechnicalError):
            failed.append(answer)
        elif isinstance(answer, LateError):
            late = True
        elif isinstance(answer, SasnetError):
            failed.append(TechnicalError("screening", str(answer).rstrip(".")))
        else:
            residuals |= answer
            late = late or any(p not in answer for p in asked[index].pairs if not p[0].endswith(".py"))
    return residuals, tuple(failed), late


def with_patience(tasks: list[Task]) -> list[Task]:
    """An expensive model that is nearly certain comes last and has all the time that the others leave."""

    def due(task: Task) -> bool:
        return fit_cost_class(task.model) == "slow" and task.probability > STRATEGY.certain

    last = [replace(task, budget=Budget(STRATEGY.patience)) for task in tasks if due(task)]
    if not last:
        return tasks
    return [replace(task, budget=Budget(STRATEGY.brief)) for task in tasks if not due(task)] + last


def with_start(
    tasks: Sequence[Task], start: Start, curve: Curve, dintensity: NDArray[np.float64], options: FitOptions
) -> list[Task]:
    """Give a start to the candidate of its name, or add that candidate in front."""
    fixed = start.fixed | options.fixed
    own = Task(curve, dintensity, start.model, start.structure_factor, fixed=fixed, ranges=options.ranges)
    found = tasks if any(task.name == own.name for task in tasks) else [own, *tasks]
    return [
        replace(t, extra=start.parameters, fixed=start.fixed | t.fixed) if t.name == own.name else t
        for t in found
    ]


def priors(suggestion: Suggestion, fits: Sequence[ModelFit]) -> list[float]:
    """What the ranking of fits starts from.

    The network cannot distinguish the members of a group, so those that were fitted share its probability by
    how common each is; each has its structure factor's probability besides.

    Parameters
    ----------
    suggestion : Suggestion
        Of all models.
    fits : sequence of ModelFit
    """
    guesses = {guess.name: guess for guess in suggestion.models}
    members = {name: group for group in suggestion.groups for name in group.members}
    tried: dict[str, set[str]] = {}
    for fit in fits:
        if fit.model in members:
            tried.setdefault(members[fit.model].name, set()).add(fit.model)

    def frequency(name: str) -> float:
        guess = guesses.get(name)
        return guess.probability / guess.uniform if guess and guess.uniform else 1.0

    found = []
    for fit in fits:
        guess, group = guesses.get(fit.model), members.get(fit.model)
        if guess is None or group is None:
            found.append(fit.probability)
            continue
        share = frequency(fit.model) / sum(frequency(name) for name in tried[group.name])
        factor = _factor_share(guess, fit.structure_factor)
        found.append(group.probability * share * max(factor, STRATEGY.least_factor))
    return found


def _factor_share(guess: ModelGuess, factor: str | None) -> float:
    """Probability of a structure factor, or of none; the likeliest leaves the rest to the four others."""
    share = guess.structure_factor_probability
    if factor == guess.structure_factor:
        return share
    if guess.structure_factor is None:
        return (1 - share) / 4
    return (1 - share) * (STRATEGY.none_left if factor is None else (1 - STRATEGY.none_left) / 3)


def simplifications(tasks: Sequence[Task], fits: Sequence[ModelFit]) -> list[Task]:
    """The simpler models that the best fits have become, where they were not fitted themselves.

    Parameters
    ----------
    tasks : sequence of Task
        What was fitted.
    fits : sequence of ModelFit
    """
    known = {fit.name for fit in fits}
    by_name = {task.name: task for task in tasks}
    found: dict[str, Task] = {}
    for fit in sorted(fits, key=lambda f: f.bic)[: STRATEGY.simplified]:
        for reduction in simpler(fit.model, fit.structure_factor):
            if reduction.name in known or not reached(reduction, fit):
                continue
            form, _, factor = reduction.name.partition("@")
            start = reduction.start({name: p.value for name, p in fit.parameters.items()})
            task = replace(by_name[fit.name], model=form, structure_factor=factor or None, probability=0.0)
            found.setdefault(reduction.name, replace(task, starts=(start,)))
    return list(found.values())
