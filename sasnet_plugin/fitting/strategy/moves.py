"""What may be tried next: one kind of step, a function.

The search takes the worthiest first and ends when none is worth its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, takewhile
from typing import Any

import numpy as np

from ..assessment.diagnostics import is_reached
from ..problem.experiment import starting_values
from ..problem.free_parameters import SALT, other_kinds
from ..problem.nested_models import reduce_to_component, simpler
from ..problem.plugin_models import plugin_defaults
from ..result.components import bare
from ..result.model_fit import ModelFit, doubtful, explains
from ..settings import EFFORT, START_VALUES
from ..start_values.screening import SIMPLE, apply_fixed
from ..task import Budget, Pair
from .factor_moves import add_defaults, factors, plain
from .hypothesis import Hypothesis, is_of_particles, is_simple_curve, is_smooth, parse_hypothesis, size_of
from .likely import first, list_expected
from .resolution_moves import propose_resolved, resolutions
from .settings import STRATEGY
from .simple_moves import simple_sums, tails
from .state import State
from .step import Step, boost, highest_boost, look_seconds, make_fit_step, make_step_from, nearness
from .sum_moves import looks_for_sums, rivals_of_sum, second_terms, sums


def open_steps(state: State) -> list[Step]:
    steps: dict[tuple[Any, ...], Step] = {}
    for step in chain.from_iterable(move(state) for move in _moves(state)):
        if _is_open(state, step):
            first_step = steps.setdefault(step.key, step)
            # Of the same twice what is due, else the worthier.
            if (step.due, step.worth) > (first_step.due, first_step.worth):
                steps[step.key] = step
    return sorted(steps.values(), key=_order)


def _is_open(state: State, step: Step) -> bool:
    """Whether a step is allowed and brings something new: a simple curve's grid has led to its minimum."""
    hypothesis = step.hypothesis
    if step.key in state.done:
        return False
    if hypothesis is None:
        return True
    fitted = step.key[0] == "fit" and ("simple", hypothesis) in state.done and state.is_explained()
    is_known = fitted and hypothesis in state.fits and is_simple_curve(hypothesis)
    return state.is_allowed(hypothesis) and not is_known


def _moves(state: State) -> tuple[Callable[[State], Iterator[Step]], ...]:
    moves: tuple[Callable[[State], Iterator[Step]], ...] = (
        propose_named,
        simple_sums,
        first,
        propose_near,
        propose_nested,
        propose_salt,
    )
    if state.fits:
        moves += (
            kinds,
            propose_restarts,
            simpler_anew,
            again,
            propose_continuation,
            propose_measured_points,
            resolutions,
            propose_resolved,
        )
    if state.fits and state.free:
        moves += (tails, factors, plain, looks_for_sums, sums, second_terms, rivals_of_sum)
    return moves


def _order(step: Step) -> tuple[tuple[bool, bool, int], float, str]:
    return rank(step), -step.worth, str(step.key)


def rank(step: Step) -> tuple[bool, bool, int]:
    """What is due comes first: of quick models the simplest, before what it is a part of; all else by
    worth.
    """
    # Of what is due that which takes longer comes last.
    if step.hypothesis is None or not step.is_assured:
        return not step.due, False, 0
    costly = step.hypothesis.cost != "fast"
    return False, costly, 0 if costly else size_of(step.hypothesis)


def propose_named(state: State) -> Iterator[Step]:
    """What a user names: all of it, plugins from the values that their files state first."""
    for hypothesis in state.named:
        plugin, as_measured = hypothesis.form.endswith(".py"), replace(hypothesis, as_measured=True)
        if plugin and ("defaults", as_measured) not in state.done:
            yield _from_own_values(state, as_measured)
        elif not (plugin and _is_settled(state, as_measured)):
            yield make_fit_step(state, hypothesis, 1.0, due=True)


def _from_own_values(state: State, plugin: Hypothesis) -> Step:
    task = state.task(plugin)
    task = replace(task, starts=(apply_fixed(plugin_defaults(plugin.form), task.fixed),))
    return Step(("defaults", plugin), 1.0, True, plugin, task)


def _is_settled(state: State, hypothesis: Hypothesis) -> bool:
    """Whether a plugin explains the curve from its own values, or cannot be asked."""
    ended = any(hypothesis.form in error.name for error in state.unanswered)
    return ended or (hypothesis in state.fits and state.is_explained())


def propose_near(state: State) -> Iterator[Step]:
    """Models by the network and by the bank, which is asked where many are open."""
    if not state.free:
        return
    open_ = list(_open(state))
    yield from open_
    unknown = [s for s in open_ if s.hypothesis and s.hypothesis.pair not in state.residuals]
    slow = any(s.hypothesis and s.hypothesis.cost == "slow" for s in unknown)
    if len(unknown) > STRATEGY.unrated or (slow and _is_misfit(state)):
        yield _look(state, open_)


def _open(state: State) -> Iterator[Step]:
    open_residuals = state.list_open_residuals()
    least = min(open_residuals.values(), default=0.0)
    most = highest_boost(state)
    for hypothesis, thought in state.possible.items():
        chance = _estimate_chance(state, hypothesis, thought, open_residuals)
        if hypothesis.pair in state.residuals:
            chance *= nearness(state.residuals[hypothesis.pair], least)
        if chance * most / hypothesis.seconds < STRATEGY.price:  # before anything of the model is loaded
            continue
        step = make_fit_step(state, hypothesis, chance, extra=_from_form(state, hypothesis))
        if step.worth >= STRATEGY.price and _is_open(state, step):
            yield step


def _look(state: State, open_: Sequence[Step]) -> Step:
    """Ask the bank about all that it has not rated."""
    pairs = tuple(h.pair for h in state.possible if h.pair not in state.residuals)
    # What all of them may gain, for asking about them all and fitting one: the likeliest need not wait.
    seconds = look_seconds(pairs) / EFFORT.lanes
    # Those that are due are fitted whatever the bank says.
    due = {} if state.is_explained() else list_expected(state)
    worths = ((s.worth, s.hypothesis) for s in open_ if s.hypothesis is not None)
    together = sum(worth * hypothesis.seconds for worth, hypothesis in worths if hypothesis not in due)
    worth = together / (seconds + STRATEGY.expected_time["fast"])
    slow = [s.worth for s in open_ if s.hypothesis is not None and s.hypothesis.cost == "slow"]
    # A slow fit takes longer than to ask what else comes near.
    return Step(("look", pairs), max([worth, *(2 * look_worth for look_worth in slow)]), pairs=pairs)


def _estimate_chance(
    state: State, hypothesis: Hypothesis, thought: float, open_residuals: Mapping[Pair, float]
) -> float:
    """What is thought of a hypothesis; a structure factor that brings the bank nearer has its chance."""
    residual = state.residuals.get(hypothesis.pair, np.inf)
    thought = max(thought, _estimate_chance_by_nearness(hypothesis, residual, open_residuals))
    if hypothesis.structure_factor is None or hypothesis.cost == "slow":
        return thought
    if residual < START_VALUES.clearly_better * state.residuals.get((hypothesis.form, None), np.inf):
        return max(thought, STRATEGY.simple_prior)
    return thought


def _is_misfit(state: State) -> bool:
    """Whether no fit explains the curve to its errors, whatever an error that neighbours share excuses."""
    best = state.best
    return best is None or not explains(state.fits[best].reduced_chisq, len(state.curve))


def simpler_anew(state: State) -> Iterator[Step]:
    """Simpler models than the one that explains the curve, begun anew where their fits are far off."""
    # What a more general model explains its special case may explain as well, from another minimum.
    best = state.explanation
    if best is None:
        return
    fit = state.fits[best]
    # Either component of a sum alone was a candidate of its own.
    components = {r.name for r in reduce_to_component(fit.name)}
    for name in dict.fromkeys(r.name for r in simpler(fit.model, fit.structure_factor)):
        if name in components:
            continue
        hypothesis = replace(parse_hypothesis(name), resolution=best.resolution, as_measured=best.as_measured)
        earlier_fit = state.fits.get(hypothesis)
        if (
            earlier_fit is None
            or earlier_fit.chisq < STRATEGY.near_best * fit.chisq
            or not is_of_particles(hypothesis)
        ):
            continue
        task = state.task(hypothesis, restarts=np.inf, attempt=1, budget=Budget(STRATEGY.time["fast"]))
        task = replace(task, budget=replace(task.budget, best_chisq=np.inf))
        worth = STRATEGY.likely * boost(state, size_of(hypothesis), again=True) / hypothesis.seconds
        yield Step(("anew", hypothesis), worth, hypothesis=hypothesis, task=task)


def _estimate_chance_by_nearness(
    hypothesis: Hypothesis, residual: float, open_residuals: Mapping[Pair, float]
) -> float:
    """Chance of a single model that the bank comes nearest with, more if nothing else comes near."""
    other_residuals = [
        r for pair, r in open_residuals.items() if "+" not in pair[0] and pair != hypothesis.pair
    ]
    least = min(other_residuals, default=np.inf)
    if not residual <= least / STRATEGY.falls < np.inf:
        return STRATEGY.nearest_prior if hypothesis.form in SIMPLE and residual < STRATEGY.sums_near else 0.0
    return STRATEGY.likely if residual < STRATEGY.stands_out * least else STRATEGY.nearest_prior


def _from_form(state: State, hypothesis: Hypothesis) -> dict[str, Any] | None:
    """A start of a product: the fit of its form, with a weak interaction; None where there is none."""
    form_fit = state.fits.get(Hypothesis(hypothesis.form))
    if hypothesis.structure_factor is None or form_fit is None:
        return None
    start = add_defaults(starting_values(form_fit), hypothesis.structure_factor)
    return start | {"volfraction": STRATEGY.more_volume}


def propose_nested(state: State) -> Iterator[Step]:
    """The simpler models that the best fits have become, where they were not found themselves."""
    if state.options.models is not None:
        return
    for hypothesis in sorted(state.fits, key=state.compute_minus_two_log)[: STRATEGY.near_fits]:
        fit = state.fits[hypothesis]
        for reduction in simpler(fit.model, fit.structure_factor):
            found_hypothesis = replace(
                parse_hypothesis(reduction.name),
                resolution=hypothesis.resolution,
                as_measured=hypothesis.as_measured,
            )
            if _is_behind(state, found_hypothesis, fit) and is_reached(reduction, fit):
                start = reduction.start(starting_values(fit))
                # Several limits may lead to one within errors: a shell of the core's contrast, or no core.
                key = ("nested", found_hypothesis, hypothesis, tuple(reduction.at))
                yield make_step_from(state, key, found_hypothesis, STRATEGY.likely, start)


def _is_behind(state: State, part: Hypothesis, fit: ModelFit) -> bool:
    """Whether a model was not fitted, or is worse than what it is a part of: in another minimum."""
    part_fit = state.fits.get(part)
    return part_fit is None or part_fit.chisq > fit.chisq + STRATEGY.chance_gain


def propose_salt(state: State) -> Iterator[Step]:
    """Charged bodies in what screens more than their own ions: with some salt, from a fit without."""
    if SALT in {*state.options.fixed, *state.options.ranges}:
        return
    least = state.least_chisq
    for hypothesis, fit in state.fits.items():
        for name in _find_missing_salt(fit):
            start = starting_values(fit) | {name: STRATEGY.some_salt}
            chance = STRATEGY.likely * least / fit.chisq
            step = make_step_from(state, ("salt", hypothesis), hypothesis, chance, start)
            # Without it the best fit is not done yet, and other bodies would be tried in vain.
            yield replace(step, due=fit.chisq == least and not state.is_explained())


def _find_missing_salt(fit: ModelFit) -> list[str]:
    return [name for name, p in fit.parameters.items() if bare(name) == SALT and not p.value > 0]


def kinds(state: State) -> Iterator[Step]:
    """The best fit, and near ones of no more parameters, with other kinds of size distribution and
    without.
    """
    # Of precise data the kind decides: with a wrong one spheres have a fuzzy surface. And a width may hide a
    # misfit.
    best = state.best
    if best is None:
        return
    for hypothesis in (best, *_nearly_as_good(state, best)):
        for kind, start in other_kinds(starting_values(state.fits[hypothesis])).items():
            yield make_step_from(state, ("kind", hypothesis, kind), hypothesis, STRATEGY.kinds, start)


def _nearly_as_good(state: State, best: Hypothesis) -> list[Hypothesis]:
    """Near fits of no more parameters, or the likeliest, at the same resolution, the nearest first."""
    fit, likeliest = state.fits[best], max(state.fits, key=state.beliefs.estimate)

    def is_near(hypothesis: Hypothesis) -> bool:
        near_fit = state.fits[hypothesis]
        is_worth_it = hypothesis == likeliest or len(near_fit.free) <= len(fit.free)
        is_close = near_fit.chisq < STRATEGY.near_best * fit.chisq
        return hypothesis != best and is_worth_it and is_close and hypothesis.resolution == best.resolution

    near_ = sorted(filter(is_near, state.fits), key=lambda h: state.fits[h].chisq)
    return near_[: STRATEGY.near_fits]


def propose_measured_points(state: State) -> Iterator[Step]:
    """The simplest near fits once more at the measured points alone, as SasView calculates them."""
    # Where a fit explains the curve no better than it should, it is tried alone.
    if any(h.as_measured for h in state.fits) or _is_as_good_as_can_be(state):
        return
    most = STRATEGY.near_best * state.least_reduced

    def is_near(hypothesis: Hypothesis) -> bool:
        fit = state.fits[hypothesis]
        return fit.reduced_chisq < most and fit.per_decade is not None and hypothesis.cost != "slow"

    simplest = sorted(state.fits, key=lambda h: (len(state.fits[h].free), state.fits[h].reduced_chisq))
    most_tried = 1 if state.is_explained() else STRATEGY.near_fits
    for hypothesis in list(filter(is_near, simplest))[:most_tried]:
        fit = state.fits[hypothesis]
        variant = replace(hypothesis, as_measured=True)
        yield make_step_from(state, ("measured", variant), variant, STRATEGY.seldom, starting_values(fit))


def propose_restarts(state: State) -> Iterator[Step]:
    """Search other minima from the best fits and the classifier's likeliest models."""
    order = sorted((h for h in state.fits if _is_seen(state, h)), key=lambda h: state.fits[h].chisq)
    likeliest = max(order, key=state.beliefs.estimate)
    most = STRATEGY.near_best * state.fits[order[0]].chisq
    near_ = takewhile(lambda h: state.fits[h].chisq <= most, order[: STRATEGY.near_fits])
    forms: set[str] = set()
    for hypothesis in dict.fromkeys([*near_, likeliest]):
        fit = state.fits[hypothesis]
        is_known = hypothesis.form in forms or is_smooth(hypothesis)
        if not is_known and doubtful(fit.reduced_chisq, len(state.curve)):
            forms.add(hypothesis.form)
            yield _restart(state, hypothesis, state.fits[order[0]].chisq)


def _restart(state: State, hypothesis: Hypothesis, least: float) -> Step:
    fit, budget = state.fits[hypothesis], Budget(state.seconds(hypothesis))
    # From where the last one has brought it well down all attempts are open again.
    key = ("restart", hypothesis, _level(fit))
    attempt = sum(earlier_key[: len(key)] == key for earlier_key in state.done)
    # About a deep wrong minimum there may be none other; later ones are about the bank's curves alone.
    extra = starting_values(fit) if attempt == 0 else None
    task = state.task(hypothesis, extra=extra, restarts=np.inf, budget=budget, attempt=attempt)
    chance = STRATEGY.seldom * max(least / fit.chisq, state.beliefs.estimate(hypothesis))
    wrong = _estimate_wrong_minimum(state, hypothesis)
    if wrong > chance:  # its starts are far from what explains the curve
        task, chance = replace(task, budget=replace(task.budget, best_chisq=np.inf)), wrong
    chance *= STRATEGY.again**attempt
    worth = chance * boost(state, state.size(hypothesis), again=True) / budget.seconds
    return Step((*key, attempt), worth, hypothesis=hypothesis, task=task)


def _estimate_wrong_minimum(state: State, hypothesis: Hypothesis) -> float:
    """Chance that a fit lies in a wrong minimum: where the best one needs more parameters, though the
    network finds it less likely.
    """
    best, fit = state.explanation, state.fits[hypothesis]
    if best is None or len(state.fits[best].free) <= len(fit.free):
        return 0.0
    is_far_off = fit.chisq > STRATEGY.near_best * state.fits[best].chisq
    return STRATEGY.likely * state.beliefs.estimate(hypothesis) if is_far_off else 0.0


def _level(fit: ModelFit) -> int:
    """Return χ² in steps of a fall that makes another fit."""
    return int(np.log(max(fit.chisq, 1e-300)) / np.log(STRATEGY.falls))


def _is_as_good_as_can_be(state: State) -> bool:
    """Whether the best fit explains the curve with a χ² that is no larger than noise alone has."""
    best = state.explanation
    return best is not None and state.fits[best].chisq <= len(state.curve) - len(state.fits[best].free)


def again(state: State) -> Iterator[Step]:
    """The best fit, which explains the curve, once more from other starts: its minimum may be a wrong one."""
    # One that is off by less than χ² scatters looks like the right one, with other sizes.
    best = state.explanation
    if best is None or best.as_measured or not is_of_particles(best) or _is_as_good_as_can_be(state):
        return
    task = state.task(best, restarts=STRATEGY.in_vain, attempt=1, budget=Budget(STRATEGY.brief))
    task = replace(task, budget=replace(task.budget, best_chisq=np.inf))  # its starts are far from there
    worth = STRATEGY.seldom * boost(state, state.size(best), again=True) / best.seconds
    yield Step(("again", best), worth, hypothesis=best, task=task)


def propose_continuation(state: State) -> Iterator[Step]:
    """The best fit on from where its time was up; once more only where it came much nearer."""
    best = state.best
    if best is None or not state.fits[best].cut:
        return
    start, budget = starting_values(state.fits[best]), Budget(STRATEGY.time["slow"])
    key = ("ended", best, _level(state.fits[best]))
    yield make_step_from(state, key, best, STRATEGY.likely, start, beside=True, budget=budget)


def _is_seen(state: State, hypothesis: Hypothesis) -> bool:
    """Whether a supposed resolution brings a model well down; else it is in a wrong minimum."""
    plain_fit = state.fits.get(replace(hypothesis, resolution=None, as_measured=False))
    if hypothesis.resolution is None or plain_fit is None:
        return True
    return state.fits[hypothesis].chisq < STRATEGY.falls * plain_fit.chisq
