"""Best-first search over hypotheses, and the resolution that a file does not state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.step import exclude_step
from ...digits import chisq_text
from ...simulate.quick_models.quick import fit_cost_class
from ...types import Curve, SasnetError, TechnicalError
from ..assessment.size_mixtures import fit_mixture, mixture_task
from ..costs import look_cost
from ..ledger import read_spent_time
from ..optimize.local_search import refine
from ..pool import answers
from ..problem.experiment import starting_values
from ..problem.model_curves import curves_of
from ..problem.resolution import halve_steps
from ..result.fit_result import SizeMixture
from ..result.model_fit import ModelFit, explains
from ..settings import ASSESSMENT, EFFORT, EVIDENCE, PROBLEM, START_VALUES
from ..start_values.screening import Screen, screen_pairs
from ..task import UNLIMITED, Budget, Counting, LateError, Pair, Task
from .fit_candidate import fit_candidate
from .hypothesis import Hypothesis, Supposed, describe_resolution
from .moves import Step, open_steps, rank
from .settings import STRATEGY
from .state import State

if TYPE_CHECKING:
    from ...simulate.bank import Bank


# --- Resolution that a file does not state.

#: Share of the fall of χ² that one of the widths tried first has at least: smearing changes a curve as the
#: square of the width, so that two thirds of the right one leave (1 - 4/9)² of the misfit.
_SEEN = 0.5


@dataclass(frozen=True)
class Resolved:
    """A resolution, and a model's parameters and χ² with it."""

    supposed: Supposed  #: Of no width: what the file states.
    parameters: dict[str, Any]
    chisq: float


def resolution_of(task: Task, bank: Bank | None = None, budget: Budget = UNLIMITED) -> Resolved | None:
    """Estimate the resolution from a model that fits well without one; None if the curve needs none."""
    # Usual instruments' widths come first, then ever smaller changes with the model's parameters following.
    deadline = read_spent_time() + task.budget.limit_by(budget).seconds
    trials: list[Resolved] = []

    def attempt(relative: float, absolute: float, start: dict[str, Any]) -> None:
        if read_spent_time() > deadline or relative > STRATEGY.most_relative_dq:
            return
        supposed, curve, points = Supposed(relative, absolute), task.curve, None
        if relative or absolute:
            curve = supposed.apply_to(curve)
            points = min(PROBLEM.finest, PROBLEM.finest_by_cost[fit_cost_class(task.name)])
        local = curves_of(task, points, data=(curve, task.dintensity))
        local.deadline = deadline
        minimum = refine(local, start, steps=STRATEGY.coarse.steps)
        if minimum is not None:
            trials.append(Resolved(supposed, minimum.parameters, minimum.chisq))

    attempt(0.0, 0.0, task.starts[0])
    if not trials:
        return None
    unsmeared = trials[0]
    for relative in STRATEGY.relative_dq:
        attempt(relative, 0.0, unsmeared.parameters)
    for absolute in STRATEGY.absolute_dq:
        attempt(0.0, absolute, unsmeared.parameters)
    best = min(trials, key=lambda trial: trial.chisq)
    if unsmeared.chisq - best.chisq < _SEEN * _compute_needed_fall(best, task):
        return None
    for factor in halve_steps(STRATEGY.relative_dq, ASSESSMENT.negligible):
        old_chisq = np.inf
        while best.chisq < old_chisq * (1 - PROBLEM.alike):
            old_chisq = best.chisq
            for step in (factor, 1 / factor):
                attempt(step * best.supposed.relative, step * best.supposed.absolute, best.parameters)
            best = min(trials, key=lambda trial: trial.chisq)
    if unsmeared.chisq - best.chisq < _compute_needed_fall(best, task):
        return None
    return replace(best, supposed=replace(best.supposed, error=_error(best, trials)))


def _compute_needed_fall(resolved: Resolved, task: Task) -> float:
    """Return the fall of χ² needed; above n at best, uncertainties are too small by its root."""
    return max(resolved.chisq / len(task.curve), 1.0) * EVIDENCE.strong


def _error(resolved: Resolved, trials: Sequence[Resolved]) -> float:
    """Relative error of the width from the rise of χ² next to it, with all parameters following."""
    # Rises of less than 1 are those of fits that ended a little early.
    near_trials = [
        (abs(np.log(_width(trial) / _width(resolved))), trial.chisq - resolved.chisq)
        for trial in trials
        if _width(trial) not in (0.0, _width(resolved))
        and (trial.supposed.relative > 0) == (resolved.supposed.relative > 0)
    ]
    return float(min([1.0, *(off / np.sqrt(rise) for off, rise in near_trials if rise >= 1)]))


def _width(resolved: Resolved) -> float:
    return resolved.supposed.relative or resolved.supposed.absolute


# --- The search.


@dataclass(frozen=True)
class Found:
    """What a search leaves."""

    curve: Curve  #: With a resolution where one was found that the file does not state.
    fits: list[ModelFit]  #: All on that curve.
    #: The same models with all kinds of size distribution that were tried, these included.
    kinds: Sequence[ModelFit] = ()
    notes: tuple[str, ...] = ()


def search(pool: Counting, state: State, deadline: float) -> Found:
    """Take the worthiest step until none is worth its time or `deadline` (pool's clock, s)."""
    over = False  # by the clock or the user; what is left would only be answered as late, one by one
    while steps := _together(state, open_steps(state)):
        seconds = _time_for(steps, deadline - pool.clock())
        if seconds <= 0 or (over := getattr(pool, "is_over", bool)()):
            break
        if state.is_too_precise and not any(step.is_assured for step in steps):
            _search_within(pool, state, STRATEGY.rough_share * (deadline - pool.clock()))
            continue
        state.done.update(step.key for step in steps)
        _take(pool, state, steps, seconds)
    if not state.fits or over or deadline <= pool.clock():
        state.late += _due(open_steps(state))
    return collect_found(state)


def _search_within(pool: Counting, state: State, seconds: float) -> None:
    """Search with an error of a share of I, and continue from what that finds with the stated uncertainties.

    The most precise points alone would lead into minima of their own, and hide what describes the curve.
    """
    rough = state.rough = state.within(ASSESSMENT.small_systematic / 2)
    search(pool, rough, pool.clock() + seconds)
    near = sorted(rough.fits, key=rough.compute_minus_two_log)[: START_VALUES.near_fits]
    _fit_again(pool, state, {h: rough.fits[h] for h in near}, seconds)


def _time_for(steps: Sequence[Step], seconds_left: float) -> float:
    return (
        max(seconds_left, STRATEGY.time["fast"]) if any(step.is_assured for step in steps) else seconds_left
    )


def _due(steps: Sequence[Step]) -> list[str]:
    return [step.hypothesis.name for step in steps if step.due and step.hypothesis]


def _together(state: State, steps: Sequence[Step]) -> list[Step]:
    """Select steps to take at once: one if it may be the last, else several of like worth."""
    # Their number does not depend on how many processes there are, so that the answer does not either.
    worthy = [step for step in steps if step.is_worthy]
    most = EFFORT.lanes if state.fits and not state.is_explained() else 1
    return list(takewhile(lambda step: _is_alike(step, worthy[0]), worthy[:most])) or worthy[:1]


def _is_alike(step: Step, first: Step) -> bool:
    return (
        step.task is not None and rank(step) == rank(first) and step.worth >= ASSESSMENT.likely * first.worth
    )


def _take(pool: Counting, state: State, steps: Sequence[Step], seconds: float) -> None:
    first = steps[0]
    if first.pairs:
        _look(pool, state, first.pairs, seconds)
    elif first.search is not None:
        _ask_resolution(pool, state, first, first.search, seconds)
    else:
        tasks = [step.task for step in steps if step.task is not None]
        # In their own order, whichever process was done first: of equal fits the first stays.
        for index, answer in sorted(
            answers(pool, fit_candidate, tasks, seconds), key=lambda indexed: indexed[0]
        ):
            _keep(state, steps[index], answer)
        _ask_mixture(pool, state, steps, seconds)


def _ask_mixture(pool: Counting, state: State, steps: Sequence[Step], seconds: float) -> None:
    """Fit hard spheres of several sizes as a mixture, where the best fit explains less."""
    if state.is_explained():
        return
    for hypothesis in [step.hypothesis for step in steps]:
        if hypothesis not in state.fits:
            continue
        curve, given = state.curve_of(hypothesis), frozenset(state.options.fixed)
        task = mixture_task(curve, state.dintensity, state.fits[hypothesis], state.least_reduced, given)
        for _, answer in answers(pool, fit_mixture, [task], seconds) if task else ():
            if isinstance(answer, SizeMixture):
                state.keep_mixture(answer)


def _look(pool: Counting, state: State, pairs: Sequence[Pair], seconds: float) -> None:
    """Rate pairs by the bank, in as many parts as budgets are shared out among."""
    affordable = _affordable(pairs, EFFORT.of_limit * seconds * EFFORT.lanes)
    parts = (affordable[i :: EFFORT.lanes] for i in range(min(EFFORT.lanes, len(affordable))))
    screens = [Screen(state.curve, state.dintensity, tuple(part)) for part in parts]
    for _, answer in answers(pool, screen_pairs, screens, seconds):
        if isinstance(answer, TechnicalError):
            state.unanswered.append(answer)
        elif not isinstance(answer, SasnetError):
            state.residuals.update(answer)
    # What could not be rated is not asked for again.
    for pair in pairs:
        state.residuals.setdefault(pair, float("inf"))


def _ask_resolution(pool: Counting, state: State, step: Step, search: Task, seconds: float) -> None:
    for _, answer in answers(pool, resolution_of, [search], seconds):
        if isinstance(answer, TechnicalError):
            state.unanswered.append(answer)
        elif isinstance(answer, Resolved):
            _fit_resolved(pool, state, step.key[1], answer, seconds)


def _fit_resolved(
    pool: Counting, state: State, plain_hypothesis: Hypothesis, answer: Resolved, seconds: float
) -> None:
    hypothesis = replace(plain_hypothesis, resolution=answer.supposed)
    task = state.task(hypothesis, starts=(answer.parameters,), beside=True)
    for _, fit in answers(pool, fit_candidate, [task], seconds):
        _keep(state, Step(("resolved", hypothesis), 1.0, False, hypothesis, task), fit)


def _keep(state: State, step: Step, answer: Any) -> None:
    assert step.hypothesis is not None
    if isinstance(answer, LateError):
        state.late.append(answer.name)
    elif isinstance(answer, TechnicalError):
        state.unanswered.append(answer)
    elif isinstance(answer, SasnetError):
        # A plugin's own values are only where its fit begins: the fit says what is wrong.
        if step.hypothesis not in state.fits and step.key[0] == "fit":
            state.notes.append(str(answer))
    else:
        state.keep(step.hypothesis, answer)


def collect_found(state: State) -> Found:
    best = state.best
    if best is None:
        return Found(state.curve, [])
    comparable = _comparable(state, best)
    fits = [state.fits[h] for h in comparable]
    # A width may be a resolution that the file does not state: what both say of a size is a kind of it, too.
    plain_hypotheses = {replace(h, resolution=None) for h in comparable}
    kinds = state.weigh_kinds({h for h, _ in state.kinds if replace(h, resolution=None) in plain_hypotheses})
    return Found(state.curve_of(best), fits, kinds, tuple(_describe_calculation(state, best)))


def _comparable(state: State, best: Hypothesis) -> list[Hypothesis]:
    """Select fits on the same curve, one of each name, calculated as the best one."""
    comparable = [
        h for h in state.fits if h.resolution == best.resolution and h.as_measured <= best.as_measured
    ]
    as_best = {h.name: h for h in sorted(comparable, key=lambda h: h.as_measured == best.as_measured)}
    return list({h.name: as_best[h.name] for h in comparable}.values())


def _describe_calculation(state: State, best: Hypothesis) -> list[str]:
    fit = state.fits[best]
    if best.resolution is not None:
        return [describe_resolution(best.resolution)]
    finer = [f.reduced_chisq for h, f in state.fits.items() if not h.as_measured]
    if best.as_measured and finer and not best.form.endswith(".py"):
        return [
            f"Calculated only at the measured points, as SasView does, {fit.short_name} fits best (reduced χ²"
            f" {chisq_text(fit.reduced_chisq)}). With all points that its fringes need, no"
            f" model has less than {chisq_text(min(finer))}. The data may have been simulated in this way."
        ]
    return []


def _affordable(pairs: Sequence[Pair], seconds: float) -> list[Pair]:
    """The first pairs that can be looked up in so much time, one at least."""
    seconds_taken, affordable = 0.0, list[Pair]()
    for pair in pairs:
        seconds_taken += look_cost(*pair)
        if seconds_taken > seconds and affordable:
            break
        affordable.append(pair)
    return affordable


# --- How well models describe what none of them fits.

#: So often the share is estimated: what a fit leaves depends on the uncertainties that it was made with.
_DESCRIPTIONS = 4


def describe(pool: Counting, state: State, seconds: float) -> State:
    """The best fits with an error of the size that the nearest leaves, a share of I; else `state`.

    That is where no fit explains the curve within its uncertainties, but a model follows it. With
    the stated uncertainties the most precise points alone would place a model that is not exact.
    """
    known = state if state.rough is None else state.rough
    comparable = [] if known.best is None else _comparable(known, known.best)
    fits = {h: known.fits[h] for h in sorted(comparable, key=known.compute_minus_two_log)}
    if not fits or state.mixture_explains:
        return state
    # How much nearer a second component brings a model that is not exact is no evidence for it.
    alone = {h: fit for h, fit in fits.items() if h.second is None}
    return _describe_with(pool, state, alone, seconds) or _describe_with(pool, state, fits, seconds) or state


def _describe_with(
    pool: Counting, state: State, candidates: Mapping[Hypothesis, ModelFit], seconds: float
) -> State | None:
    """The state with the share of I that the nearest candidate leaves; None where that is too much."""
    fits = dict(list(candidates.items())[: START_VALUES.semifinalists])
    share = min((_relative_misfit(state, fit) for fit in fits.values()), default=np.inf)
    for _ in range(_DESCRIPTIONS):
        share = float(np.clip(share, ASSESSMENT.negligible, ASSESSMENT.most_described))
        described = state.within(share)
        _fit_again(pool, described, fits, seconds)
        if abs(described.least_reduced - 1) <= ASSESSMENT.margin:
            return described
        # Beyond the largest share no model describes the curve.
        if not described.fits or (described.least_reduced > 1 and share >= ASSESSMENT.most_described):
            return None
        fits |= described.fits
        share *= float(np.sqrt(described.least_reduced))
    return None


def _fit_again(pool: Counting, state: State, fits: Mapping[Hypothesis, ModelFit], seconds: float) -> None:
    """Fit the same models to other uncertainties."""
    steps = [
        Step(("described", hypothesis), 1.0, hypothesis=hypothesis, task=task)
        for hypothesis, fit in fits.items()
        for task in [state.task(hypothesis, starts=(starting_values(fit),), beside=True)]
    ]
    tasks = [step.task for step in steps if step.task is not None]
    for index, answer in sorted(answers(pool, fit_candidate, tasks, seconds), key=lambda item: item[0]):
        _keep(state, steps[index], answer)


def _relative_misfit(state: State, fit: ModelFit) -> float:
    """Root mean square of the residuals over the intensity about each point."""
    residual = (state.curve.intensity - fit.theory) / state.discrepancy.local_mean
    return float(np.sqrt(np.mean(residual**2)))


# --- All points, or those beyond a step.


def search_points(pool: Counting, whole: State, deadline: float) -> tuple[State, Found]:
    """Search with all points, or with those beyond a step that no model explains."""
    # One bad point of a precise curve can end a search in a wrong minimum.
    clear = exclude_step(whole.curve)
    if clear is not whole.curve:
        state = _make_rest_state(whole, clear)
        search_result = search(pool, state, 0.5 * (pool.clock() + deadline))
        if state.is_explained() and not _explains_all(pool, whole, state, deadline):
            return state, search_result
    return whole, search(pool, whole, deadline)


def _make_rest_state(whole: State, clear: Curve) -> State:
    return State(
        clear, whole.dintensity[-len(clear) :], whole.beliefs, whole.options, whole.named,
        notes=[*whole.notes, *clear.notes[len(whole.curve.notes) :]],
    )  # fmt: skip


def _explains_all(pool: Counting, whole: State, state: State, deadline: float) -> bool:
    best = state.best
    if best is None:
        return False
    task = whole.task(best, starts=(starting_values(state.fits[best]),))
    refits = [fit for _, fit in answers(pool, fit_candidate, [task], max(deadline - pool.clock(), 1.0))]
    return any(isinstance(fit, ModelFit) and explains(fit.reduced_chisq, len(whole.curve)) for fit in refits)
