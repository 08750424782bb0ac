"""What may be tried next: one kind of step, a function.

The search takes the worthiest first and ends when none is worth its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from sasnet_plugin.fitting.assessment.diagnostics import reached
from sasnet_plugin.fitting.assessment.goodness_of_fit import doubtful
from sasnet_plugin.fitting.effort import look_cost
from sasnet_plugin.fitting.problem.experiment import starting_values
from sasnet_plugin.fitting.problem.free_parameters import SALT, other_kinds
from sasnet_plugin.fitting.problem.nested_models import simpler
from sasnet_plugin.fitting.problem.plugin_models import plugin_defaults
from sasnet_plugin.fitting.problem.resolution import has_resolution
from sasnet_plugin.fitting.result.components import bare
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import EFFORT, START_VALUES
from sasnet_plugin.fitting.start_values.screening import SIMPLE, with_fixed
from sasnet_plugin.fitting.strategy.grown import grown
from sasnet_plugin.fitting.strategy.hypothesis import Hypothesis, size_of
from sasnet_plugin.fitting.strategy.minima import hops
from sasnet_plugin.fitting.strategy.settings import STRATEGY
from sasnet_plugin.fitting.strategy.state import State
from sasnet_plugin.fitting.strategy.step import Step, boost, fitting, going_on, highest_boost
from sasnet_plugin.fitting.strategy.sum_moves import looks_for_sums, rivals_of_sum, sums
from sasnet_plugin.fitting.strategy.unknown_resolution import ResolutionSearch
from sasnet_plugin.fitting.task import Budget
from sasnet_plugin.simulate.priors import allowed_structure_factors, model_info, structure_factors


def open_steps(state: State) -> list[Step]:
    """All that may be tried, the first first."""
    moves: tuple[Callable[[State], Iterator[Step]], ...] = (named, first, near, nested, grown, salted)
    if state.fits:
        moves += (kinds, hops, measured, resolutions, resolved)
    if state.fits and state.free:
        moves += (factors, looks_for_sums, sums, rivals_of_sum)
    found: dict[tuple[Any, ...], Step] = {}
    for step in chain.from_iterable(move(state) for move in moves):
        known = step.hypothesis is None or state.allowed(step.hypothesis)
        if known and step.key not in state.done:
            found.setdefault(step.key, step)  # of the same twice the first: it may be due
    return sorted(found.values(), key=_order)


def _order(step: Step) -> tuple[tuple[bool, bool, int], float, str]:
    return rank(step), -step.worth, str(step.key)


def rank(step: Step) -> tuple[bool, bool, int]:
    """What is due comes first: of quick models the simplest, before what it is a part of; then by worth."""
    costly, size = False, 0
    if step.due and step.task and step.task.assured and step.hypothesis:
        costly = step.hypothesis.cost != "fast"
        size = 0 if costly else size_of(step.hypothesis)
    return not step.due, costly, size


def named(state: State) -> Iterator[Step]:
    """What a user names: all of it, plugins from the values that their files state first."""
    for hypothesis in state.named:
        if hypothesis.form.endswith(".py"):
            defaults = replace(hypothesis, as_measured=True)
            task = state.task(defaults)
            task = replace(task, starts=(with_fixed(plugin_defaults(hypothesis.form), task.fixed),))
            own = Step(("defaults", defaults), 1.0, True, defaults, task)
            if own.key not in state.done:
                yield own
                continue
            ended = any(hypothesis.form in error.name for error in state.unanswered)
            if ended or (defaults in state.fits and state.explained()):
                continue
        yield fitting(state, hypothesis, 1.0, due=True)


def first(state: State) -> Iterator[Step]:
    """The simplest models of the network's first groups, as it thinks they interact, before all others."""
    if not state.free:
        return
    for form, chance in state.beliefs.first().items():
        guess = state.beliefs.guesses.get(form)
        hypothesis = Hypothesis(form, guess.structure_factor if guess else None)
        yield replace(fitting(state, hypothesis, chance, assured=True), due=not state.explained())


def near(state: State) -> Iterator[Step]:
    """Models by the network and by the bank, which is asked where many are open."""
    if not state.free:
        return
    least = min(state.residuals.values(), default=0.0)
    most = highest_boost(state)
    open_, unknown = [], []
    for hypothesis in _possible(state):
        own = state.residuals.get(hypothesis.pair)
        chance = _before(state, hypothesis)
        if own is not None:
            chance *= min((least + STRATEGY.near) / (own + STRATEGY.near), 1.0)
        if chance * most / hypothesis.seconds < STRATEGY.price:  # before anything of the model is loaded
            continue
        step = fitting(state, hypothesis, chance, extra=_from_form(state, hypothesis))
        if step.worth < STRATEGY.price or step.key in state.done:
            continue
        open_.append(step)
        unknown += [hypothesis.pair] if own is None else []
    yield from open_
    if len(unknown) <= STRATEGY.unrated:
        return
    every = tuple(h.pair for h in _possible(state) if h.pair not in state.residuals)
    # What all of them may gain, for asking about them all and fitting one: the likeliest need not wait.
    seconds = sum(look_cost(*pair) for pair in every) / EFFORT.lanes
    together = sum(step.worth * step.hypothesis.seconds for step in open_ if step.hypothesis)
    yield Step(("look", every), together / (seconds + STRATEGY.expected_time["fast"]), pairs=every)


def _possible(state: State) -> Iterator[Hypothesis]:
    seen = set()
    for rank, guess in enumerate(state.beliefs.suggestion.models):
        known = [guess.structure_factor] if guess.structure_factor else []
        fast = Hypothesis(guess.name).cost == "fast" and rank < state.options.top
        if SIMPLE.get(guess.name) or fast:
            known = factors_of(guess.name)
        for factor in (None, *known):
            hypothesis = Hypothesis(guess.name, factor)
            if hypothesis not in seen and state.allowed(hypothesis):
                seen.add(hypothesis)
                yield hypothesis


def _before(state: State, hypothesis: Hypothesis) -> float:
    """What is thought of a hypothesis; a structure factor that brings the bank nearer has its chance."""
    found = state.beliefs.of(hypothesis)
    own = state.residuals.get(hypothesis.pair, np.inf)
    if hypothesis.structure_factor is None or hypothesis.cost == "slow":
        return found
    if own < START_VALUES.clearly_better * state.residuals.get((hypothesis.form, None), np.inf):
        return max(found, STRATEGY.product_prior)
    return found


def _from_form(state: State, hypothesis: Hypothesis) -> dict[str, Any] | None:
    """A start of a product: the fit of its form, with a weak interaction; None where there is none."""
    alone = state.fits.get(Hypothesis(hypothesis.form))
    if hypothesis.structure_factor is None or alone is None:
        return None
    start = with_defaults(starting_values(alone), hypothesis.structure_factor)
    return start | {"volfraction": STRATEGY.more_volume}


def nested(state: State) -> Iterator[Step]:
    """The simpler models that the best fits have become, where they were not fitted themselves."""
    if state.options.models is not None:
        return
    for hypothesis in sorted(state.fits, key=state.bic)[: STRATEGY.simplified]:
        fit = state.fits[hypothesis]
        if hypothesis.second is not None:
            continue
        for reduction in simpler(fit.model, fit.structure_factor):
            form, _, factor = reduction.name.partition("@")
            found = replace(hypothesis, form=form, structure_factor=factor or None)
            if found in state.fits or not reached(reduction, fit):
                continue
            start = reduction.start({name: p.value for name, p in fit.parameters.items()})
            yield going_on(
                state, "nested", found, STRATEGY.nested, state.task(found, starts=(start,)),
                STRATEGY.from_start * found.seconds,
            )  # fmt: skip


def salted(state: State) -> Iterator[Step]:
    """Charged bodies in what screens more than their own ions: with some salt, from a fit without."""
    for hypothesis in list(state.fits):
        fit = state.fits[hypothesis]
        salt = next((p for name, p in fit.parameters.items() if bare(name) == SALT), None)
        if salt is None or salt.value > 0 or SALT in {*state.options.fixed, *state.options.ranges}:
            continue
        name = next(name for name in fit.parameters if bare(name) == SALT)
        start = starting_values(fit) | {name: STRATEGY.some_salt}
        seconds = STRATEGY.from_start * hypothesis.seconds
        task = state.task(hypothesis, starts=(start,))
        least = min(other.chisq for other in state.fits.values())
        chance = STRATEGY.nested * least / fit.chisq
        step = going_on(state, "salt", hypothesis, chance, task, seconds)
        # Without it the best fit is not done yet, and other bodies would be tried in vain.
        due = fit.chisq == least and not state.explained()
        yield replace(step, key=("salt", hypothesis), due=due)


def kinds(state: State) -> Iterator[Step]:
    """The best fit with the other kinds of size distribution."""
    best = state.best
    fit = state.fits[best] if best else None
    if best is None or fit is None or not fit.distributions:
        return
    for start in other_kinds(starting_values(fit)):
        kind = next(v for k, v in start.items() if k.endswith("_pd_type"))
        task = state.task(best, starts=(start,))
        # What a fit has taken depends on what else the machine does; what it is expected to take does not.
        step = going_on(state, "kind", best, STRATEGY.kinds, task, STRATEGY.from_start * best.seconds)
        yield replace(step, key=("kind", best, kind))


def measured(state: State) -> Iterator[Step]:
    """The simplest near fits once more at the measured points alone, as SasView calculates them."""
    if state.explained() or any(h.as_measured for h in state.fits):
        return
    least = min(fit.reduced_chisq for fit in state.fits.values())
    near_ = [
        h
        for h in sorted(state.fits, key=lambda h: (len(state.fits[h].free), state.fits[h].reduced_chisq))
        if state.fits[h].per_decade is not None
        and h.cost != "slow"
        and state.fits[h].reduced_chisq < STRATEGY.as_measured_near * least
    ]
    for hypothesis in near_[: STRATEGY.as_measured]:
        found = replace(hypothesis, as_measured=True)
        task = state.task(found, starts=(starting_values(state.fits[hypothesis]),))
        step = going_on(
            state, "measured", found, STRATEGY.measured, task, STRATEGY.from_start * found.seconds
        )
        yield replace(step, key=("measured", found))


def resolutions(state: State) -> Iterator[Step]:
    """Ask for the resolution that a file does not state, with the best fit and the likeliest near ones."""
    best = state.best
    if best is None or has_resolution(state.curve) or best.as_measured:
        return
    if not doubtful(state.fits[best].reduced_chisq, len(state.curve)):
        return
    near_ = [h for h in state.fits if state.fits[h].chisq < STRATEGY.dq_near * state.fits[best].chisq]
    likely = sorted(near_, key=lambda h: -state.beliefs.of(h))[:1]
    for hypothesis in dict.fromkeys([best, *likely]):
        if hypothesis.resolution is not None:
            continue
        fit, task = state.fits[hypothesis], state.task(hypothesis)
        chance = STRATEGY.unknown_resolution * (1.0 if hypothesis == best else state.beliefs.of(hypothesis))
        search = ResolutionSearch(
            task.curve, task.dintensity, fit.name, starting_values(fit), frozenset(task.fixed),
            Budget(STRATEGY.dq_time),
        )  # fmt: skip
        seconds = min(STRATEGY.dq_time, 2 * hypothesis.seconds)
        worth = chance * boost(state, len(fit.free) + 2, again=True) / seconds
        yield Step(("resolution", hypothesis, round(np.log(fit.chisq))), worth, search=search)


def resolved(state: State) -> Iterator[Step]:
    """The near fits with the resolution that was found with one of them."""
    supposed = {h.resolution for h in state.fits if h.resolution is not None}
    least = min(fit.chisq for fit in state.fits.values())
    for resolution in sorted(supposed, key=str):
        for hypothesis, fit in state.fits.items():
            if hypothesis.resolution is None and fit.chisq < STRATEGY.dq_far * least:
                found = replace(hypothesis, resolution=resolution)
                if found not in state.fits:
                    task = state.task(found, starts=(starting_values(fit),))
                    seconds = STRATEGY.from_start * found.seconds
                    step = going_on(state, "resolved", found, STRATEGY.nested, task, seconds)
                    yield replace(step, key=("resolved", found))


def factors(state: State) -> Iterator[Step]:
    """The simplest fast form that interacts, with the other structure factors, from its fit with one.

    Screening rates products by draws, which where charges repel are seldom near.
    """
    fast = [h for h in state.fits if h.cost == "fast" and h.second is None]
    chisq = {h: state.fits[h].reduced_chisq for h in fast}
    free = min((chisq[h] for h in fast if not h.structure_factor), default=np.inf)
    bound = [h for h in fast if h.structure_factor and chisq[h] < STRATEGY.interacts * free]
    least = min((chisq[h] for h in bound), default=np.inf)
    near_ = [h for h in bound if chisq[h] < STRATEGY.near_interacting * least]
    if not near_:
        return
    leading = min(near_, key=lambda h: (len(state.fits[h].free), chisq[h]))
    for factor in factors_of(leading.form):
        found = replace(leading, structure_factor=factor)
        if found in state.fits:
            continue
        start = _other_factor(state.fits[leading], factor)
        chance = STRATEGY.nested if not state.explained() else state.beliefs.of(found)
        step = fitting(state, found, chance, extra=start)
        yield replace(step, key=("factor", found))


def factors_of(form: str) -> list[str]:
    """Structure factors that a form model may have; of a plugin that is not known."""
    if form.endswith(".py"):
        return []
    allowed = allowed_structure_factors(form)
    return [factor for factor in structure_factors() if factor in allowed]


def with_defaults(start: dict[str, Any], factor: str) -> dict[str, Any]:
    """Values with the defaults of what a structure factor has besides; its radius follows from the form's."""
    missing = {n: v for n, v in _defaults(factor).items() if n not in start and n != "radius_effective"}
    return {**start, **missing}


def _other_factor(fit: ModelFit, factor: str) -> dict[str, Any]:
    """Values of a fit with another structure factor, without what the one it has does not share with it."""
    own = _defaults(fit.structure_factor or factor).keys() - _defaults(factor).keys()
    return with_defaults({n: v for n, v in starting_values(fit).items() if n not in own}, factor)


def _defaults(factor: str) -> dict[str, float]:
    return {p.name: float(p.default) for p in model_info(factor).parameters.call_parameters}
