"""What may be tried next: one kind of step, a function.

The search takes the worthiest first and ends when none is worth its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from ...simulate.priors import model_info
from ..assessment.diagnostics import reached
from ..costs import look_cost
from ..problem.experiment import starting_values
from ..problem.free_parameters import SALT, other_kinds
from ..problem.nested_models import simpler
from ..problem.plugin_models import plugin_defaults
from ..result.components import bare
from ..result.model_fit import ModelFit, doubtful
from ..settings import EFFORT, START_VALUES
from ..start_values.screening import SIMPLE, with_fixed
from ..task import Budget
from .hypothesis import Hypothesis, factors_of, of_name, size_of
from .likely import expected, first
from .resolution_moves import resolutions, resolved
from .settings import STRATEGY
from .state import State
from .step import Step, beside, boost, fitting, highest_boost
from .sum_moves import looks_for_sums, rivals_of_sum, second_terms, sums


def open_steps(state: State) -> list[Step]:
    """All that may be tried, the first first."""
    moves: tuple[Callable[[State], Iterator[Step]], ...] = (named, first, near, nested, salted)
    if state.fits:
        moves += (kinds, restarted, again, measured, resolutions, resolved)
    if state.fits and state.free:
        moves += (factors, plain, looks_for_sums, sums, second_terms, rivals_of_sum)
    found: dict[tuple[Any, ...], Step] = {}
    for step in chain.from_iterable(move(state) for move in moves):
        known = step.hypothesis is None or state.allowed(step.hypothesis)
        if known and step.key not in state.done:
            found.setdefault(step.key, step)  # of the same twice the first: it may be due
    return sorted(found.values(), key=_order)


def _order(step: Step) -> tuple[tuple[bool, bool, int], float, str]:
    return rank(step), -step.worth, str(step.key)


def rank(step: Step) -> tuple[bool, bool, int]:
    """What is due comes first: of quick models the simplest, before what it is a part of; all else by worth.

    Of what is due that which takes longer comes last.
    """
    if step.hypothesis is None or step.task is None or not (step.due and step.task.assured):
        return not step.due, False, 0
    costly = step.hypothesis.cost != "fast"
    return False, costly, 0 if costly else size_of(step.hypothesis)


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


def near(state: State) -> Iterator[Step]:
    """Models by the network and by the bank, which is asked where many are open."""
    if not state.free:
        return
    open_ = list(_open(state))
    yield from open_
    unknown = [s for s in open_ if s.hypothesis and s.hypothesis.pair not in state.residuals]
    if len(unknown) > STRATEGY.unrated:
        yield _look(state, open_)


def _open(state: State) -> Iterator[Step]:
    """Fits that are worth their time, by what the network and the bank say of them."""
    least = min(state.residuals.values(), default=0.0)
    most = highest_boost(state)
    for hypothesis in state.possible:
        own = state.residuals.get(hypothesis.pair)
        chance = _before(state, hypothesis)
        if own is not None and np.isfinite(least):
            chance *= min((least + STRATEGY.near) / (own + STRATEGY.near), 1.0)
        if chance * most / hypothesis.seconds < STRATEGY.price:  # before anything of the model is loaded
            continue
        step = fitting(state, hypothesis, chance, extra=_from_form(state, hypothesis))
        if step.worth >= STRATEGY.price and step.key not in state.done:
            yield step


def _look(state: State, open_: Sequence[Step]) -> Step:
    """Ask the bank about all that it has not rated."""
    every = tuple(h.pair for h in state.possible if h.pair not in state.residuals)
    # What all of them may gain, for asking about them all and fitting one: the likeliest need not wait.
    seconds = sum(look_cost(*pair) for pair in every) / EFFORT.lanes
    # Those that are due are fitted whatever the bank says.
    due = {} if state.explained() else expected(state)
    together = sum(s.worth * s.hypothesis.seconds for s in open_ if s.hypothesis and s.hypothesis not in due)
    return Step(("look", every), together / (seconds + STRATEGY.expected_time["fast"]), pairs=every)


def _before(state: State, hypothesis: Hypothesis) -> float:
    """What is thought of a hypothesis; a structure factor that brings the bank nearer has its chance."""
    found = state.beliefs.of(hypothesis)
    own = state.residuals.get(hypothesis.pair, np.inf)
    if hypothesis.structure_factor is None or hypothesis.cost == "slow":
        return found
    if own < START_VALUES.clearly_better * state.residuals.get((hypothesis.form, None), np.inf):
        return max(found, STRATEGY.simple_prior)
    return found


def _from_form(state: State, hypothesis: Hypothesis) -> dict[str, Any] | None:
    """A start of a product: the fit of its form, with a weak interaction; None where there is none."""
    alone = state.fits.get(Hypothesis(hypothesis.form))
    if hypothesis.structure_factor is None or alone is None:
        return None
    start = with_defaults(starting_values(alone), hypothesis.structure_factor)
    return start | {"volfraction": STRATEGY.more_volume}


def nested(state: State) -> Iterator[Step]:
    """The simpler models that the best fits have become, where they were not found themselves."""
    if state.options.models is not None:
        return
    for hypothesis in sorted(state.fits, key=state.lost)[: STRATEGY.near_fits]:
        fit = state.fits[hypothesis]
        for reduction in simpler(fit.model, fit.structure_factor):
            found = replace(
                of_name(reduction.name), resolution=hypothesis.resolution, as_measured=hypothesis.as_measured
            )
            known = state.fits.get(found)
            # One that is worse than what it is a part of lies in another minimum, or has other widths.
            behind = known is None or known.chisq > fit.chisq + STRATEGY.chance_gain
            if behind and reached(reduction, fit):
                start = reduction.start(starting_values(fit))
                yield beside(state, ("nested", found, hypothesis), found, STRATEGY.likely, start)


def salted(state: State) -> Iterator[Step]:
    """Charged bodies in what screens more than their own ions: with some salt, from a fit without."""
    if SALT in {*state.options.fixed, *state.options.ranges}:
        return
    least = min((fit.chisq for fit in state.fits.values()), default=0.0)
    for hypothesis, fit in state.fits.items():
        for name in (n for n, p in fit.parameters.items() if bare(n) == SALT and not p.value > 0):
            start = starting_values(fit) | {name: STRATEGY.some_salt}
            chance = STRATEGY.likely * least / fit.chisq
            step = beside(state, ("salt", hypothesis), hypothesis, chance, start)
            # Without it the best fit is not done yet, and other bodies would be tried in vain.
            yield replace(step, due=fit.chisq == least and not state.explained())


def kinds(state: State) -> Iterator[Step]:
    """The best fit with the other kinds of size distribution."""
    best = state.best
    if best is None:
        return
    for start in other_kinds(starting_values(state.fits[best])):
        kind = next(v for k, v in start.items() if k.endswith("_pd_type"))
        # How the sizes are spread matters the less the farther off a fit is.
        chance = STRATEGY.kinds * min(1.0, STRATEGY.near_best / state.fits[best].reduced_chisq)
        yield beside(state, ("kind", best, kind), best, chance, start)


def measured(state: State) -> Iterator[Step]:
    """The simplest near fits once more at the measured points alone, as SasView calculates them."""
    if state.explained() or any(h.as_measured for h in state.fits):
        return
    least = min(fit.reduced_chisq for fit in state.fits.values())

    def is_near(hypothesis: Hypothesis, fit: ModelFit) -> bool:
        near = fit.reduced_chisq < STRATEGY.near_best * least
        return near and fit.per_decade is not None and hypothesis.cost != "slow"

    near_ = [(h, fit) for h, fit in state.fits.items() if is_near(h, fit)]
    near_ = sorted(near_, key=lambda one: (len(one[1].free), one[1].reduced_chisq))
    for hypothesis, fit in near_[: STRATEGY.near_fits]:
        found = replace(hypothesis, as_measured=True)
        yield beside(state, ("measured", found), found, STRATEGY.seldom, starting_values(fit))


def factors(state: State) -> Iterator[Step]:
    """Of what interacts the simplest fast form and the best fit, with the other structure factors.

    Screening rates products by draws, which where charges repel are seldom near. Which factor it is does not
    hang on how likely its form was: that is the form of both.
    """
    for leading in dict.fromkeys(_interacting(state)):
        for factor in factors_of(leading.form):
            found = replace(leading, structure_factor=factor)
            if found in state.fits:
                continue
            start = _other_factor(state.fits[leading], factor)
            explained = state.explained()
            chance = state.beliefs.rather(found, leading) if explained else STRATEGY.likely
            step = fitting(state, found, chance, extra=start)
            assert step.task is not None
            # Its sizes are others: how far off it begins says nothing of where it ends.
            patient = replace(step.task, budget=replace(step.task.budget, best_chisq=np.inf))
            yield replace(step, key=("factor", found), task=patient)


def plain(state: State) -> Iterator[Step]:
    """Simpler bodies than the one that explains the data and interacts, as the network thinks they do.

    An interaction hides at small q what would tell shapes: the two are held against each other alone.
    """
    best = state.best
    if best is None or best.structure_factor is None or not state.explained():
        return
    for form in (name for name, interacts in SIMPLE.items() if interacts):
        guess = state.beliefs.guesses.get(form)
        if guess is None or guess.structure_factor is None:
            continue
        found = Hypothesis(form, guess.structure_factor)
        if size_of(found) < state.size(best):
            yield fitting(state, found, state.beliefs.rather(found, best))


def _interacting(state: State) -> Iterator[Hypothesis]:
    best = state.best
    if best is not None and best.structure_factor and best.second is None and best.cost != "slow":
        yield best
    fast = {h: f.reduced_chisq for h, f in state.fits.items() if h.cost == "fast" and h.second is None}
    free = min((chisq for h, chisq in fast.items() if not h.structure_factor), default=np.inf)
    bound = {h: chisq for h, chisq in fast.items() if h.structure_factor}
    most = min(STRATEGY.falls * free, STRATEGY.near_best * min(bound.values(), default=np.inf))
    near_ = [h for h, chisq in bound.items() if chisq < most]
    if near_:
        yield min(near_, key=lambda h: (len(state.fits[h].free), bound[h]))


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


def restarted(state: State) -> Iterator[Step]:
    """From the best fits, and from what the network thinks likeliest, to other local minima."""
    order = sorted((h for h in state.fits if _is_seen(state, h)), key=lambda h: state.fits[h].chisq)
    likeliest = max(order, key=state.beliefs.of)
    least = state.fits[order[0]].chisq
    forms: set[str] = set()
    for hypothesis in dict.fromkeys([*order[: STRATEGY.near_fits], likeliest]):
        fit = state.fits[hypothesis]
        sure = not doubtful(fit.reduced_chisq, len(state.curve))
        behind = fit.chisq > STRATEGY.near_best * least and hypothesis != likeliest
        if sure or hypothesis.form in forms or behind:
            continue
        forms.add(hypothesis.form)
        budget = Budget(STRATEGY.time[hypothesis.cost])
        # From where the last one has brought it well down all attempts are open again.
        reached_level = int(np.log(max(fit.chisq, 1e-300)) / np.log(STRATEGY.falls))
        key = ("restart", hypothesis, reached_level)
        attempt = sum(done[: len(key)] == key for done in state.done)
        # About a deep wrong minimum there may be none other; later ones are about the bank's curves alone.
        extra = starting_values(fit) if attempt == 0 else None
        task = state.task(hypothesis, extra=extra, restarts=True, budget=budget, attempt=attempt)
        # However far off the likeliest is: it may lie in a wrong minimum.
        promise = max(least / fit.chisq, state.beliefs.of(hypothesis))
        chance = STRATEGY.seldom * STRATEGY.again**attempt * promise
        worth = chance * boost(state, state.size(hypothesis), again=True) / budget.seconds
        yield Step((*key, attempt), worth, hypothesis=hypothesis, task=task)


def again(state: State) -> Iterator[Step]:
    """The best fit, which explains the curve, once more from other starts: its minimum may be a wrong one.

    One that is off by less than χ² scatters looks like the right one, with other sizes.
    """
    best = state.best
    if best is None or not state.explained() or best.as_measured:
        return
    fit = state.fits[best]
    if fit.chisq > len(state.curve) - len(fit.free):
        task = state.task(best, restarts=True, attempt=1, budget=Budget(STRATEGY.brief))
        task = replace(task, budget=replace(task.budget, best_chisq=np.inf))  # its starts are far from there
        worth = STRATEGY.seldom * boost(state, len(fit.free), again=True) / best.seconds
        yield Step(("again", best), worth, hypothesis=best, task=task)


def _is_seen(state: State, hypothesis: Hypothesis) -> bool:
    """Whether a supposed resolution brings a model well down; else it is in a wrong minimum."""
    without = state.fits.get(replace(hypothesis, resolution=None, as_measured=False))
    if hypothesis.resolution is None or without is None:
        return True
    return state.fits[hypothesis].chisq < STRATEGY.falls * without.chisq
