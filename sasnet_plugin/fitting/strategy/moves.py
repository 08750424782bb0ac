"""What may be tried next, and its worth: one kind of step, a function.

A step's worth is how likely it gives the answer (the network's probability, the bank's residual, or how often
such a step helps), times by how much the answer would gain on the best so far, over its time.

A weak power law under a sphere changes the curve by less than a bank's curve misses it; beside the fit that
is there it shows in the residuals.

The search takes the worthiest first and ends when none is worth its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, takewhile
from typing import Any

import numpy as np

from ...arrays import Floats
from ...simulate.clean import PD_TYPES
from ...simulate.kernel import call, load_model
from ...simulate.priors import default_values, model_info
from ...simulate.quick_models.quick import fit_cost_class
from ...simulate.size_distributions import find_guinier_size
from ...types import SasnetError
from ..assessment.diagnostics import is_reached
from ..assessment.undetermined_lengths import exponent_of, replace_by_power_law, start_of
from ..costs import look_cost
from ..evidence.marginal import evidence
from ..problem.experiment import starting_values
from ..problem.free_parameters import (
    SALT,
    are_near_in_size,
    is_size,
    moves,
    other_kinds,
    sharp,
    sizes_of,
    widths_of,
)
from ..problem.nested_models import simpler
from ..problem.plugin_models import plugin_defaults
from ..problem.resolution import has_resolution
from ..problem.sums import as_part, extract_part, prefix
from ..result.components import bare
from ..result.model_fit import ModelFit, Parameter, doubtful, explains
from ..settings import ASSESSMENT, EFFORT, START_VALUES
from ..start_values.screening import SIMPLE
from ..start_values.sums import TERMS, has_one_contrast, values_of
from ..task import Budget, Pair, Task
from .hypothesis import (
    Hypothesis,
    factors_of,
    is_of_particles,
    is_simple_curve,
    is_smooth,
    parse_hypothesis,
    second_share,
    size_of,
)
from .settings import STRATEGY
from .state import State

# --- A step and its worth.


@dataclass(frozen=True)
class Step:
    """Something to do."""

    key: tuple[Any, ...]  #: The same step has the same key; it is taken once.
    worth: float  #: Per second.
    due: bool = False  #: Before all that is not, whatever it is worth.
    hypothesis: Hypothesis | None = None
    task: Task | None = None
    pairs: tuple[Pair, ...] = field(default=())  #: What the bank is asked about.
    search: Task | None = None  #: Asks for a resolution.

    @property
    def is_assured(self) -> bool:
        """Whether it is a fit that is done however short the time is."""
        return self.due and self.task is not None and self.task.assured

    @property
    def is_worthy(self) -> bool:
        return self.due or self.worth > STRATEGY.price


def boost(state: State, size: int, *, again: bool = False) -> float:
    """Bound how far an explanation with so many parameters could rise above the best."""
    # `again`: it continues a fit, whose chance is no share of what is left to other models.
    best = state.best
    if best is None:
        return STRATEGY.most_boost
    most, gain = highest_boost(state), state.estimate_remaining_gain(best, at_least=not again)
    if again and gain > STRATEGY.chance_gain:
        most = max(most, STRATEGY.doubtful_boost)
    # That fewer parameters might do the network has seen.
    gain += 0.5 * min(state.size(best) - size, 0) * np.log(len(state.curve))
    prior_chance = 1.0 if again else max(state.beliefs.estimate_with_sums(best), STRATEGY.least_prior)
    return float(min(np.exp(min(gain, 50.0)) / prior_chance, most))


def highest_boost(state: State) -> float:
    """The most that any explanation would gain."""
    best = state.best
    if best is None:
        return STRATEGY.most_boost
    if any(_leaves_noise(state, hypothesis) for hypothesis in state.fits):
        return 1.0  # one has explained what another leaves
    if state.is_explained():
        return STRATEGY.doubtful_boost
    return STRATEGY.most_boost * state.estimate_chance_to_explain()


def nearness(residual: float, least: float) -> float:
    """How near the bank's curve of a hypothesis comes, 0..1 of the nearest of all."""
    if not np.isfinite(least):
        return 1.0
    return min((least + STRATEGY.near) / (residual + STRATEGY.near), 1.0)


def look_seconds(pairs: Iterable[Pair]) -> float:
    """What it counts to ask the bank about them, s."""
    return sum(look_cost(*pair) for pair in pairs)


def make_fit_step(
    state: State, hypothesis: Hypothesis, chance: float, due: bool = False, **task_options: Any
) -> Step:
    """Fit a hypothesis from the bank's curves."""
    # One that the network holds likelier than all others together is not held off by its parameters: the
    # network has weighed them, and those that the data leave open cost nothing.
    size, best = _count_parameters(state, hypothesis), state.best
    if best is not None and state.beliefs.estimate(hypothesis) > 0.5:
        size = min(size, state.size(best))
    again = boost(state, size)
    return Step(
        ("fit", hypothesis), chance * again / hypothesis.seconds, due, hypothesis,
        state.task(hypothesis, **task_options),
    )  # fmt: skip


def _count_parameters(state: State, hypothesis: Hypothesis) -> int:
    """Parameters that a hypothesis needs at least: one that holds the best fit needs those of it, too."""
    best, size = state.best, size_of(hypothesis)
    if best is None or all(reduction.name != best.name for reduction in simpler(*hypothesis.pair)):
        return size
    return max(size, state.size(best) + size - size_of(best))


def make_step_from(
    state: State,
    key: tuple[Any, ...],
    hypothesis: Hypothesis,
    chance: float,
    *starts: Any,
    **task_options: Any,
) -> Step:
    """Fit one from the values that another fit gives; its key begins with the kind of step."""
    task = state.task(hypothesis, starts=starts, **task_options)
    again = boost(state, state.size(hypothesis), again=True)
    # What a fit has taken depends on what else the machine does; what it is expected to take does not.
    worth = chance * again / (STRATEGY.from_start * hypothesis.seconds)
    return Step(key, worth, hypothesis=hypothesis, task=task)


# --- The simplest models of the likeliest groups.


def first(state: State) -> Iterator[Step]:
    """The simplest models of the network's first groups, as it thinks they interact, whatever is open."""
    # Of those that take longer only what is likely itself: before it is fitted, what lies beside the fits of
    # others is hardly worth a look. Where the likeliest is slow, what is thought of at all comes before it,
    # in a tenth of its time. A slow one is worth its time or not, as all that is open: other points or a
    # resolution may be all that the simple ones lack.
    chances = list_expected(state)
    likeliest = max(chances, key=lambda hypothesis: chances[hypothesis], default=None)
    is_slow = likeliest is not None and likeliest.cost == "slow"
    least = STRATEGY.simple_prior if is_slow else ASSESSMENT.likely
    for hypothesis, chance in chances.items():
        quick = hypothesis.cost != "slow"
        if not quick and hypothesis.pair in state.residuals:
            chance *= nearness(state.residuals[hypothesis.pair], min(state.residuals.values()))
        first_of_all = hypothesis.cost == "fast" or (quick and chance >= least)
        due = first_of_all and not state.is_explained()
        yield replace(make_fit_step(state, hypothesis, chance, assured=quick), due=due)


def list_expected(state: State) -> dict[Hypothesis, float]:
    """These models with their chances; none where a user has named models."""
    if not state.free:
        return {}
    chances = state.beliefs.first()
    for form, chance in (*_find_quick_limits(state, chances), *_find_missing_groups(state)):
        chances[form] = max(chances.get(form, 0.0), chance)
    return {as_expected(state, form): chance for form, chance in chances.items()}


def _find_quick_limits(state: State, chances: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """Yield what expected slow models become at their limits, if that is quick: cubes for superballs."""
    for form, chance in chances.items():
        if fit_cost_class(form) == "slow":
            names = {reduction.name for reduction in simpler(form)} & state.beliefs.guesses.keys()
            yield from (
                (name, ASSESSMENT.likely * chance) for name in names if fit_cost_class(name) != "slow"
            )


def as_expected(state: State, form: str) -> Hypothesis:
    """A form as the network thinks that it interacts."""
    guess = state.beliefs.guesses.get(form)
    return Hypothesis(form, guess.structure_factor if guess else None)


def _find_missing_groups(state: State) -> Iterator[tuple[str, float]]:
    """Yield the worthiest member of each likely group without a fit, and the group's chance."""
    # Whatever explains the curve: as good a fit of the group that the network thinks likeliest is likelier.
    guesses = state.beliefs.guesses

    def worth(name: str) -> float:
        hypothesis = as_expected(state, name)
        return guesses[name].probability * boost(state, size_of(hypothesis)) / hypothesis.seconds

    for group in state.beliefs.suggestion.groups:
        members = _unless_fitted(state, group.members)
        if group.probability >= ASSESSMENT.seldom and members:
            yield max(members, key=worth), group.probability


def _unless_fitted(state: State, members: Iterable[str]) -> list[str]:
    known_names = [name for name in members if name in state.beliefs.guesses]
    return [] if {hypothesis.form for hypothesis in state.fits} & set(known_names) else known_names


# --- What a second term promises, in linear approximation.


@dataclass(frozen=True)
class Promise:
    """What a sum may become."""

    gain: float  #: ln of its posterior probability over that of the fit.
    start: dict[str, Any]


def promises(state: State, best: Hypothesis) -> Iterator[tuple[Hypothesis, Promise]]:
    """Yield what each second term promises next to a fit with slopes."""
    fit = state.fits[best]
    if best.second is not None or not fit.derivatives or best.form.endswith(".py"):
        return
    for term in TERMS:
        sum_hypothesis = replace(best, second=term)
        key = sum_hypothesis, best, fit.chisq
        if key not in state.expected:
            state.expected[key] = _promise(state, fit, sum_hypothesis)
        if (promise := state.expected[key]) is not None:
            yield sum_hypothesis, promise


def _promise(state: State, fit: ModelFit, hypothesis: Hypothesis) -> Promise | None:
    """Return the promise of the term's best value; None if its scale is negative."""
    term = str(hypothesis.second)
    name, fixed = TERMS[term]
    columns = np.stack([c for c in fit.derivatives.values() if moves(c)], axis=1)
    basis = np.linalg.qr(columns / np.linalg.norm(columns, axis=0))[0]
    residual = state.discrepancy.residual(fit)
    remainder = residual - basis @ (basis.T @ residual)
    trials = []
    q = state.curve.q
    for value in values_of(term, float(q[0]), float(q[-1])):
        if value < 0:  # what rises is a background
            continue
        curve = _curve(state, term, {name: value, **fixed})
        if curve is None:
            continue
        new_part = curve - basis @ (basis.T @ curve)
        size, length = float(new_part @ remainder), float(new_part @ new_part)
        if min(size, length) > 0:
            trials.append((size**2 / length, value, size / length))
    if not trials:
        return None
    _, value, scale = max(trials)
    return _predict_sum(state, fit, hypothesis, value, scale)


def _predict_sum(
    state: State, fit: ModelFit, hypothesis: Hypothesis, value: float, scale: float
) -> Promise | None:
    """The sum's evidence with what the body's parameters make of it, in linear approximation."""
    term = str(hypothesis.second)
    (name, fixed), second = TERMS[term], prefix(1)
    step = 1e-3 * value
    slope_at, slope_beyond = (_curve(state, term, {name: v, **fixed}) for v in (value, value + step))
    if slope_at is None or slope_beyond is None:
        return None
    slopes = dict(fit.derivatives) | {
        f"{second}scale": slope_at,
        f"{second}{name}": scale * (slope_beyond - slope_at) / step,
    }
    columns = np.stack(list(slopes.values()), axis=1)
    length = np.maximum(np.linalg.norm(columns, axis=0), np.finfo(float).tiny)
    residual = state.discrepancy.residual(fit)
    moved = np.linalg.lstsq(columns / length, residual, rcond=1e-6)[0] / length
    added = state.dintensity * (columns @ moved)
    new_parameters = {
        f"{second}scale": Parameter(max(scale, 1e-300), None, "", False, 0.0, np.inf),
        f"{second}{name}": Parameter(value, None, "", False, -np.inf, np.inf),
    }
    after = replace(
        fit, parameters={**fit.parameters, **new_parameters}, derivatives=slopes, theory=fit.theory + added
    )
    gain = 0.5 * (
        evidence(state.discrepancy, fit).minus_two_log - evidence(state.discrepancy, after).minus_two_log
    )
    values = starting_values(fit)
    start = as_part(values, 0) | as_part({name: value, **fixed}, 1)
    start |= {f"{prefix(0)}scale": values["scale"], f"{second}scale": scale}
    start["background"] = values["background"]
    return Promise(float(gain + np.log(second_share(hypothesis))), start)


def _curve(state: State, term: str, parameters: dict[str, float]) -> Floats | None:
    """(n,) of scale 1, in uncertainties, without resolution, which hardly changes what is so smooth."""
    try:
        weighted = call(term, state.curve.q, parameters).intensity / state.dintensity
    except SasnetError:
        return None
    return np.asarray(weighted) if np.all(np.isfinite(weighted)) else None


# --- Structure factors.

#: Simple bodies of which solutions may be crowded or charged.
_INTERACTS = tuple(form for form, interacts in SIMPLE.items() if interacts)


def factors(state: State) -> Iterator[Step]:
    """Try other structure factors with the simplest interacting form and with the best fit."""
    # Screening rates products by draws, which where charges repel are seldom near. Which factor it is does
    # not hang on how likely its form was: that is the form of both.
    for leading in dict.fromkeys([*_interacting(state), *_simplest_interacting(state)]):
        for factor in factors_of(leading.form):
            product = replace(leading, structure_factor=factor)
            if product in state.fits:
                continue
            start = _other_factor(state.fits[leading], factor)
            explained = state.is_explained()
            chance = state.beliefs.rather(product, leading) if explained else ASSESSMENT.likely
            step = make_fit_step(state, product, chance, extra=start)
            assert step.task is not None
            # Its sizes are others: how far off it begins says nothing of where it ends.
            patient = replace(step.task, budget=replace(step.task.budget, best_chisq=np.inf))
            yield replace(step, key=("factor", product), task=patient)


def plain(state: State) -> Iterator[Step]:
    """Simpler bodies that interact than what explains the data, as the network thinks they do."""
    # An interaction hides at small q what would tell shapes: the two are held against each other alone. A
    # peak or a network of many parameters, which is no particle, may be an interaction of the simplest ones.
    best = state.explanation
    if best is None or (best.structure_factor is None and is_of_particles(best)):
        return
    forms, most = _INTERACTS, state.size(best)
    if best.structure_factor is None:
        forms, most = _INTERACTS[:1], most - ASSESSMENT.fewer_parameters
    for form in forms:
        hypothesis = as_expected(state, form)
        if hypothesis.structure_factor and size_of(hypothesis) < most:
            yield make_fit_step(
                state, hypothesis, max(state.beliefs.rather(hypothesis, best), ASSESSMENT.likely)
            )


def _interacting(state: State) -> Iterator[Hypothesis]:
    best = state.best
    if best is not None and best.structure_factor and best.second is None and best.cost != "slow":
        yield best


def _simplest_interacting(state: State) -> list[Hypothesis]:
    free, bound = _fast(state, interact=False), _fast(state, interact=True)
    most = STRATEGY.falls * min(free.values(), default=np.inf)
    most = min(most, ASSESSMENT.much_worse * min(bound.values(), default=np.inf))
    near_ = [h for h, chisq in bound.items() if chisq < most]
    return sorted(near_, key=lambda h: (len(state.fits[h].free), size_of(h), bound[h]))[:1]


def _fast(state: State, *, interact: bool) -> dict[Hypothesis, float]:
    """Reduced χ² of the fast forms without a second component, with a structure factor or without."""
    fast = {h: fit for h, fit in state.fits.items() if h.cost == "fast" and h.second is None}
    return {h: fit.reduced_chisq for h, fit in fast.items() if bool(h.structure_factor) == interact}


def add_defaults(start: dict[str, Any], factor: str) -> dict[str, Any]:
    """Values with the defaults of what a structure factor has besides; its radius follows from the form's."""
    missing = {n: v for n, v in default_values(factor).items() if n not in start and n != "radius_effective"}
    return {**start, **missing}


def _other_factor(fit: ModelFit, factor: str) -> dict[str, Any]:
    extra_names = default_values(fit.structure_factor or factor).keys() - default_values(factor).keys()
    return add_defaults({n: v for n, v in starting_values(fit).items() if n not in extra_names}, factor)


# --- Resolution that a file does not state.

#: Makes a start of a fit's values.
Begun = Callable[[dict[str, Any]], dict[str, Any]]


def resolutions(state: State) -> Iterator[Step]:
    """Ask for the resolution that a file does not state, with the best fit and the likeliest near ones."""
    best = state.best
    if best is None or has_resolution(state.curve) or best.as_measured or is_smooth(best):
        return
    for hypothesis, chance in _select_without_resolution(state, best).items():
        # A second component that is seen explains what else a resolution would have to.
        yield _ask_resolution(state, hypothesis, chance * (1 - state.beliefs.two))
    if _is_narrow(state, best):
        yield _ask_resolution(state, best, 1.0, sharp)


def _ask_resolution(state: State, hypothesis: Hypothesis, chance: float, begun: Begun = dict) -> Step:
    """Any instrument has a resolution: what is open is whether it shows, for which it costs no parameter."""
    fit = state.fits[hypothesis]
    start = begun(starting_values(fit))
    search = state.task(hypothesis, starts=(start,), budget=Budget(STRATEGY.time["slow"]))
    again = boost(state, len(fit.free), again=True)
    key = ("resolution", hypothesis, round(np.log(fit.chisq)), begun is sharp)
    return Step(key, chance * ASSESSMENT.likely * again / (2 * hypothesis.seconds), search=search)


def _is_narrow(state: State, best: Hypothesis) -> bool:
    """Whether a width of sizes may be a resolution instead: both wash out fringes."""
    parameters = state.fits[best].parameters
    widths = [p.value for name, p in parameters.items() if name.endswith("_pd") and not p.fixed]
    return best.resolution is None and 0 < max(widths, default=0.0) < STRATEGY.relative_dq[-1]


def _select_without_resolution(state: State, best: Hypothesis) -> dict[Hypothesis, float]:
    """What may lack nothing but a resolution, with its chance: the best and the likeliest near one."""
    # Where the best explains the data, the nearest that does not and has fewer parameters.
    if doubtful(state.fits[best].reduced_chisq, len(state.curve)):
        near_ = _select_below(state, ASSESSMENT.hopeless * state.fits[best].chisq)
        likely = sorted(near_, key=lambda h: -state.beliefs.estimate(h))[:1]
        chances = {h: state.beliefs.estimate(h) for h in likely} | {best: 1.0}
    else:
        chances = dict.fromkeys(sorted(_simpler(state, best), key=state.compute_minus_two_log)[:1], 1.0)
    return {h: chance for h, chance in chances.items() if h.resolution is None}


def _select_below(state: State, most: float) -> list[Hypothesis]:
    return [h for h, fit in state.fits.items() if fit.chisq < most]


def _simpler(state: State, best: Hypothesis) -> Iterator[Hypothesis]:
    """Near fits that do not explain the curve, of fewer parameters than the best."""
    least = state.fits[best]
    for hypothesis in _select_below(state, ASSESSMENT.much_worse * least.chisq):
        fit = state.fits[hypothesis]
        if len(fit.free) < len(least.free) and doubtful(fit.reduced_chisq, len(state.curve)):
            yield hypothesis


def propose_resolved(state: State) -> Iterator[Step]:
    """The near fits with the resolution that was found with one of them, and those with it without."""
    least = state.least_chisq
    for hypothesis, fit in state.fits.items():
        # What a wrong second component needs, the right one may not.
        rest, most = (
            ([None], ASSESSMENT.much_worse)
            if hypothesis.resolution
            else (state.resolution_guesses, ASSESSMENT.hopeless)
        )
        for resolution in sorted(rest, key=str):
            variant = replace(hypothesis, resolution=resolution)
            if fit.chisq < most * least and variant not in state.fits:
                yield make_step_from(
                    state, ("resolved", variant), variant, ASSESSMENT.likely, starting_values(fit)
                )


# --- Simple curves first.


def simple_sums(state: State) -> Iterator[Step]:
    """Fit all simple models that come near, before what the network thinks: each costs milliseconds."""
    # All of them, as many a curve is explained by several: only then the weights say so. But one that holds
    # what leaves nothing but noise has nothing left to explain.
    if not state.free:
        return
    sufficient = {state.fits[h].name for h in state.fits if _leaves_noise(state, h)}
    for near in state.simple_sums:
        hypothesis = parse_hypothesis(near.model)
        is_superfluous = any(reduction.name in sufficient for reduction in simpler(*hypothesis.pair))
        if ("simple", hypothesis) in state.done or is_superfluous:
            continue
        if hypothesis.second is None or state.may_be_sum:
            yield _fit(state, hypothesis, near.starts)


def _leaves_noise(state: State, hypothesis: Hypothesis) -> bool:
    """Whether a fit explains the curve to its errors, and leaves no more to gain than chance."""
    explained = explains(state.fits[hypothesis].reduced_chisq, len(state.curve))
    return explained and state.estimate_remaining_gain(hypothesis) <= STRATEGY.chance_gain


def tails(state: State) -> Iterator[Step]:
    """A power law for each component that the best fits show no size of, whatever model carries it."""
    order = sorted(state.fits, key=state.compute_minus_two_log)[: START_VALUES.near_fits]
    for hypothesis in order:
        if (
            state.compute_minus_two_log(hypothesis)
            > state.compute_minus_two_log(order[0]) + STRATEGY.far_behind
        ):
            break
        fit = state.fits[hypothesis]
        for place in state.tails(hypothesis):
            found_hypothesis = replace(
                parse_hypothesis(replace_by_power_law(fit.name, place)), resolution=hypothesis.resolution
            )
            if found_hypothesis.second is not None and not state.may_be_sum:
                continue
            start = start_of(fit, place, exponent_of(fit, state.curve))
            key = ("tail", found_hypothesis, hypothesis.resolution)
            if found_hypothesis not in state.fits:
                yield make_step_from(state, key, found_hypothesis, ASSESSMENT.likely, start, beside=True)


def _fit(state: State, hypothesis: Hypothesis, starts: tuple[dict[str, float], ...]) -> Step:
    step = make_step_from(state, ("simple", hypothesis), hypothesis, 1.0, *starts, beside=True)
    return Step(step.key, step.worth, True, hypothesis, step.task)


# --- Sums of two models.

#: Bodies that a second component is tried with, whatever explains the curve best without one.
_BODIES = ("sphere", "ellipsoid", "cylinder")


def looks_for_sums(state: State) -> Iterator[Step]:
    """Ask the bank whether sums of two come near."""
    if not state.may_be_sum or _is_simple_explanation(state):
        return
    pairs = tuple(h.pair for h in _sums(state) if h.pair not in state.residuals)
    if pairs:
        smallest = 1 + size_of(Hypothesis("sphere", None, "power_law"))
        worth = state.beliefs.two * boost(state, smallest) / look_seconds(pairs)
        yield Step(("look", pairs), worth, pairs=pairs)


def _is_simple_explanation(state: State) -> bool:
    best = state.explanation
    return (
        best is not None
        and is_simple_curve(best)
        and state.estimate_remaining_gain(best) <= STRATEGY.chance_gain
    )


def sums(state: State) -> Iterator[Step]:
    """Sums of two whose curves in the bank come near, those that look much like the best one too."""
    rated = _nearer_than_one(state)
    least = min(rated.values(), default=np.inf)
    # Beside what explains the data only what is within the tolerance, too.
    most = STRATEGY.falls if state.is_explained() else max(least / STRATEGY.falls, STRATEGY.falls)
    near_ = sorted((h for h in rated if rated[h] < most), key=lambda h: (size_of(h), rated[h]))
    near_ = near_[: START_VALUES.semifinalists]
    # One of them at most is right, which counts where something else explains the data already.
    likely = [nearness(rated[h], least) for h in near_]
    total_chance = sum(likely) if state.is_explained() else 1.0
    for hypothesis, chance in zip(near_, likely, strict=True):
        yield make_fit_step(state, hypothesis, state.beliefs.two * chance / total_chance)


def _nearer_than_one(state: State) -> dict[Hypothesis, float]:
    """Residuals of all sums that the bank was asked about; empty where a single model comes nearer."""
    rated = {h: state.residuals[h.pair] for h in _sums(state) if h.pair in state.residuals}
    # Where the bank was not asked about single models, their fits alone have failed.
    single = min((r for p, r in state.residuals.items() if "+" not in p[0]), default=np.inf)
    return rated if min(rated.values(), default=np.inf) < single else {}


def second_terms(state: State) -> Iterator[Step]:
    """A second term beside the best fit, where the evidence of both promises to be greater."""
    best = state.best
    if best is None or not _may_lack_term(state, best):
        return
    for hypothesis, promise in promises(state, best):
        if promise.gain > 0 and hypothesis not in state.fits:
            yield make_step_from(state, ("term", hypothesis), hypothesis, ASSESSMENT.likely, promise.start)


def _may_lack_term(state: State, best: Hypothesis) -> bool:
    """Whether a body leaves something, and the user has not said what all of its contrast is."""
    lacks = doubtful(state.fits[best].reduced_chisq, len(state.curve))
    return lacks and state.options.contrast is None and _is_body(best.form)


def rivals_of_sum(state: State) -> Iterator[Step]:
    """What the best sum is held against: other terms beside its body, other bodies, its body alone."""
    # And itself from the bank, where it leaves something: begun at its body's values it may be in a wrong
    # minimum.
    best = state.best
    if best is None or best.second is None or is_smooth(best):
        return
    fit = state.fits[best]
    start = extract_part(starting_values(fit), 0, 2) | {"background": fit.parameters["background"].value}
    first_alone = replace(best, second=None)
    key = ("alone", first_alone, best.second)
    yield make_step_from(state, key, first_alone, ASSESSMENT.likely, start)
    if _is_idle(fit):  # of which a coarse copy of the data may lead away
        yield make_step_from(state, (*key, "idle"), first_alone, ASSESSMENT.likely, start, beside=True)
    if doubtful(fit.reduced_chisq, len(state.curve)):
        yield make_fit_step(state, best, ASSESSMENT.likely)
    for hypothesis in _rivals(best):
        # Where the sum's own values led it into a wrong minimum, the bank's are open.
        earlier_fit = state.fits.get(hypothesis)
        behind = earlier_fit is None or earlier_fit.chisq > ASSESSMENT.much_worse * fit.chisq
        if behind and hypothesis.form != hypothesis.second:
            yield make_fit_step(state, hypothesis, ASSESSMENT.seldom)


def _is_idle(fit: ModelFit) -> bool:
    """Whether a sum has become its body alone."""
    return bool(fit.components) and fit.components[-1].fraction < ASSESSMENT.negligible


def _rivals(best: Hypothesis) -> list[Hypothesis]:
    bodies = [replace(best, form=body, structure_factor=None) for body in _BODIES]
    terms = [replace(best, second=term) for term in TERMS] if best.second in TERMS else []
    return list(dict.fromkeys([*terms, *bodies]))


def _sums(state: State) -> Iterator[Hypothesis]:
    """Simple bodies, the likeliest, and those of the best fits, beside a term or a second population."""
    for host in filter(_may_be_in_sum, _hosts(state)):
        for second in (*TERMS, *((host.form,) if has_one_contrast(host.form) else ())):
            hypothesis = replace(host, second=second)
            if state.is_allowed(hypothesis):
                yield hypothesis


def _hosts(state: State) -> Iterable[Hypothesis]:
    best = [h for h in sorted(state.fits, key=lambda h: state.fits[h].chisq) if h.second is None]
    forms = (*_BODIES, *(guess.name for guess in state.beliefs.suggestion.models[: START_VALUES.finalists]))
    hosts = [*map(Hypothesis, forms), *best[: START_VALUES.finalists]]
    return dict.fromkeys(replace(h, resolution=None, as_measured=False) for h in hosts)


def _may_be_in_sum(host: Hypothesis) -> bool:
    return not host.form.endswith(".py") and host.cost != "slow" and _is_body(host.form)


def _is_body(form: str) -> bool:
    """A form of known shape; the others have terms of their own for what is around."""
    return str(model_info(form).category).startswith("shape:")


# --- All kinds of steps.


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
    if step.key in state.done or (step.key[0] == "fit" and ("factor", hypothesis) in state.done):
        return False
    if hypothesis is None:
        return True
    fitted = step.key[0] == "fit" and ("simple", hypothesis) in state.done and state.is_explained()
    is_known = fitted and (is_simple_curve(hypothesis) or hypothesis == state.best)
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
            again,
            propose_continuation,
            propose_measured_points,
            resolutions,
            propose_resolved,
        )
    if state.fits and state.free:
        moves += (
            propose_without_interaction,
            tails,
            factors,
            plain,
            looks_for_sums,
            sums,
            second_terms,
            rivals_of_sum,
        )
    return moves


def _order(step: Step) -> tuple[tuple[bool, bool, int], float, int, str]:
    size = 0 if step.hypothesis is None else size_of(step.hypothesis)
    return rank(step), -step.worth, size, str(step.key)


def rank(step: Step) -> tuple[bool, bool, int]:
    """What is due first: of quick models the simplest, before what it is part of; all else by worth."""
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
    task = replace(task, starts=(plugin_defaults(plugin.form),))
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
    if len(unknown) > START_VALUES.near_fits or (slow and _is_misfit(state)):
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
    """Ask the bank about all that it has not rated; beside what explains about what is open alone."""
    best = state.explanation
    asked: Iterable[Hypothesis] = state.possible
    if best is not None:
        asked = dict.fromkeys([best, *(step.hypothesis for step in open_ if step.hypothesis is not None)])
    pairs = tuple(h.pair for h in asked if h.pair not in state.residuals)
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
    if residual < STRATEGY.falls * state.residuals.get((hypothesis.form, None), np.inf):
        return max(thought, STRATEGY.simple_prior)
    return thought


def _is_misfit(state: State) -> bool:
    """Whether no fit explains the curve to its errors, whatever an error that neighbours share excuses."""
    best = state.best
    return best is None or not explains(state.fits[best].reduced_chisq, len(state.curve))


def _estimate_chance_by_nearness(
    hypothesis: Hypothesis, residual: float, open_residuals: Mapping[Pair, float]
) -> float:
    """Chance of a single model that the bank comes nearest with, more if nothing else comes near."""
    other_residuals = [
        r for pair, r in open_residuals.items() if "+" not in pair[0] and pair != hypothesis.pair
    ]
    least = min(other_residuals, default=np.inf)
    if not residual <= least / STRATEGY.falls < np.inf:
        return ASSESSMENT.seldom if hypothesis.form in SIMPLE and residual < STRATEGY.falls else 0.0
    return ASSESSMENT.likely if residual < STRATEGY.stands_out * least else ASSESSMENT.seldom


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
    for hypothesis in sorted(state.fits, key=state.compute_minus_two_log)[: START_VALUES.near_fits]:
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
                yield make_step_from(state, key, found_hypothesis, ASSESSMENT.likely, start)


def _is_behind(state: State, part: Hypothesis, fit: ModelFit) -> bool:
    """Whether a model was not fitted, or is worse than what it is a part of: in another minimum."""
    part_fit = state.fits.get(part)
    return part_fit is None or part_fit.chisq > fit.chisq + STRATEGY.chance_gain


def propose_salt(state: State) -> Iterator[Step]:
    """Charged bodies in what screens more than their own ions: with some salt, from a fit without."""
    if SALT in {*state.options.fixed, *state.options.ranges, *state.options.fitted}:
        return
    best = state.best
    if best is None:
        return
    fit = state.fits[best]
    for name in _find_missing_salt(fit):
        start = starting_values(fit) | {name: STRATEGY.some_salt}
        step = make_step_from(state, ("salt", best), best, ASSESSMENT.likely, start)
        # Without it the best fit is not done yet, and other bodies would be tried in vain.
        yield replace(step, due=not state.is_explained())


def _find_missing_salt(fit: ModelFit) -> list[str]:
    return [name for name, p in fit.parameters.items() if bare(name) == SALT and not p.value > 0]


def kinds(state: State) -> Iterator[Step]:
    """The best fit, and near ones of no more parameters, with other kinds of size distribution or none."""
    # Of precise data the kind decides: with a wrong one spheres have a fuzzy surface. And a width may hide a
    # misfit.
    best = state.best
    if best is None:
        return
    for hypothesis in (best, *_nearly_as_good(state, best)):
        kept_widths = state.task(hypothesis).kept_widths
        for kind, start in other_kinds(starting_values(state.fits[hypothesis])).items():
            if kind == "none" and kept_widths.intersection(state.fits[hypothesis].parameters):
                continue
            if not _is_fitted_near(state, hypothesis, start):
                key = ("kind", hypothesis, kind)
                # What lies beside the fit its own search has seen; its width alone is in question.
                yield make_step_from(state, key, hypothesis, ASSESSMENT.seldom, start, settled=True)


def _needs_no_search(state: State, hypothesis: Hypothesis) -> bool:
    """Whether what lies beside a fit, as its search has looked there, is no question any more."""
    explained = explains(state.fits[hypothesis].reduced_chisq, len(state.curve))
    return explained or (hypothesis != state.best and state.is_explained())


def _is_fitted_near(state: State, hypothesis: Hypothesis, start: Mapping[str, Any]) -> bool:
    """Whether the size distributions of a start were fitted, to about its sizes."""
    shapes = {key.removesuffix("_pd"): start[f"{key}_type"] for key in widths_of(start)}
    fit = state.kinds.get((hypothesis, frozenset(shapes.items())))
    if fit is None or not explains(fit.reduced_chisq, len(state.curve)):
        return False
    values = starting_values(fit)
    return are_near_in_size(sizes_of(load_model(fit.name).info, values, frozenset()), values, start)


def propose_without_interaction(state: State) -> Iterator[Step]:
    """The best product's form alone, with each kind of size distribution, from narrow to broad ones."""
    # The large particles of a broad distribution scatter at small q as if all attracted each other. An
    # interaction is no answer before sizes alone were tried; the library has no distributions as broad.
    best = state.best
    if best is None or best.structure_factor is None or best.form.endswith(".py"):
        return
    values, alone = starting_values(state.fits[best]), replace(best, structure_factor=None, second=None)
    if best.second is not None:
        values = extract_part(values, 0, 2) | {"background": values["background"]}
    table = load_model(best.form).info.parameters.call_parameters
    sizes = [p.name for p in table if is_size(p) and p.units == "Ang" and float(values.get(p.name, 0.0)) > 0]
    if not sizes:
        return
    size = max(sizes, key=lambda name: (float(values.get(f"{name}_pd", 0.0)), float(values[name])))
    kind, width = str(values.get(f"{size}_pd_type", PD_TYPES[0])), float(values.get(f"{size}_pd", 0.0))
    shown = float(values[size]) * find_guinier_size(kind, width)
    for kind in PD_TYPES:
        starts = [
            {**sharp(values), size: shown / find_guinier_size(kind, broad)}
            | {f"{size}_pd": broad, f"{size}_pd_type": kind}
            for broad in STRATEGY.broad_widths
        ]
        step = make_step_from(
            state, ("sizes", alone, kind), alone, ASSESSMENT.likely, *starts, beside=True, settled=True
        )
        yield replace(step, due=alone.cost == "fast")


def _nearly_as_good(state: State, best: Hypothesis) -> list[Hypothesis]:
    """Near fits of no more parameters, or the likeliest, at the same resolution, the nearest first."""
    fit, likeliest = state.fits[best], max(state.fits, key=state.beliefs.estimate)

    def is_near(hypothesis: Hypothesis) -> bool:
        near_fit = state.fits[hypothesis]
        is_worth_it = hypothesis == likeliest or len(near_fit.free) <= len(fit.free)
        is_close = near_fit.chisq < ASSESSMENT.much_worse * fit.chisq
        is_calculated_alike = hypothesis.resolution == best.resolution and (
            hypothesis.as_measured == best.as_measured
        )
        return hypothesis != best and is_worth_it and is_close and is_calculated_alike

    near_ = sorted(filter(is_near, state.fits), key=lambda h: state.fits[h].chisq)
    return near_[: START_VALUES.near_fits]


def propose_measured_points(state: State) -> Iterator[Step]:
    """The simplest near fits once more at the measured points alone, as SasView calculates them."""
    # Where a fit explains the curve no better than it should, it is tried alone.
    if any(h.as_measured for h in state.fits) or _is_as_good_as_can_be(state):
        return
    most = ASSESSMENT.much_worse * state.least_reduced

    def is_near(hypothesis: Hypothesis) -> bool:
        fit = state.fits[hypothesis]
        return fit.reduced_chisq < most and fit.per_decade is not None and hypothesis.cost != "slow"

    simplest = sorted(state.fits, key=lambda h: (len(state.fits[h].free), state.fits[h].reduced_chisq))
    most_tried = 1 if state.is_explained() else START_VALUES.near_fits
    for hypothesis in list(filter(is_near, simplest))[:most_tried]:
        fit = state.fits[hypothesis]
        variant = replace(hypothesis, as_measured=True)
        key, settled = ("measured", variant), _needs_no_search(state, hypothesis)
        yield make_step_from(state, key, variant, ASSESSMENT.seldom, starting_values(fit), settled=settled)


def propose_restarts(state: State) -> Iterator[Step]:
    """Search other minima from the best fits and the classifier's likeliest models."""
    order = sorted((h for h in state.fits if _is_seen(state, h)), key=lambda h: state.fits[h].chisq)
    likeliest = max(order, key=state.beliefs.estimate)
    most = ASSESSMENT.much_worse * state.fits[order[0]].chisq
    near_ = takewhile(lambda h: state.fits[h].chisq <= most, order[: START_VALUES.near_fits])
    forms: set[str] = set()
    for hypothesis in dict.fromkeys([*near_, likeliest]):
        fit = state.fits[hypothesis]
        # What has no fringes has few minima: the library's curves have led to each.
        has_few_minima = is_smooth(hypothesis) or (state.is_explained() and not is_of_particles(hypothesis))
        is_known = hypothesis.form in forms or has_few_minima
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
    restarts = STRATEGY.in_vain if state.is_explained() else np.inf
    task = state.task(hypothesis, extra=extra, restarts=restarts, budget=budget, attempt=attempt)
    chance = ASSESSMENT.seldom * max(least / fit.chisq, state.beliefs.estimate(hypothesis))
    wrong = _estimate_wrong_minimum(state, hypothesis)
    if wrong > chance:  # its starts are far from what explains the curve
        task, chance = replace(task, budget=replace(task.budget, best_chisq=np.inf)), wrong
    chance *= ASSESSMENT.likely**attempt
    worth = chance * boost(state, state.size(hypothesis), again=True) / budget.seconds
    return Step((*key, attempt), worth, hypothesis=hypothesis, task=task)


def _estimate_wrong_minimum(state: State, hypothesis: Hypothesis) -> float:
    """Chance that a fit lies in a wrong minimum: where the best one needs more parameters, though the
    network finds it less likely.
    """
    best, fit = state.explanation, state.fits[hypothesis]
    if best is None or len(state.fits[best].free) <= len(fit.free):
        return 0.0
    is_far_off = fit.chisq > ASSESSMENT.much_worse * state.fits[best].chisq
    return ASSESSMENT.likely * state.beliefs.estimate(hypothesis) if is_far_off else 0.0


def _is_as_good_as_can_be(state: State) -> bool:
    """Whether the best fit explains the curve with a χ² that is no larger than noise alone has."""
    best = state.explanation
    return best is not None and state.fits[best].chisq <= len(state.curve) - len(state.fits[best].free)


def again(state: State) -> Iterator[Step]:
    """The best fit, which explains the curve, once more from other starts: its minimum may be a wrong one."""
    # One that is off by less than χ² scatters looks like the right one, with other sizes. Where χ² is below
    # its expectation, any search ends at once.
    best = state.explanation
    if best is None or best.as_measured or not is_of_particles(best):
        return
    if state.fits[best].chisq < len(state.curve):
        return
    task = state.task(best, restarts=STRATEGY.in_vain, attempt=1, budget=Budget(STRATEGY.time["fast"]))
    task = replace(task, budget=replace(task.budget, best_chisq=np.inf))  # its starts are far from there
    worth = ASSESSMENT.seldom * boost(state, state.size(best), again=True) / best.seconds
    yield Step(("again", best), worth, hypothesis=best, task=task)


def propose_continuation(state: State) -> Iterator[Step]:
    """The best fit on from where its time was up; once more only where it came much nearer."""
    best = state.best
    if best is None or not state.fits[best].cut:
        return
    start, budget = starting_values(state.fits[best]), Budget(STRATEGY.time["slow"])
    key = ("ended", best, _level(state.fits[best]))
    yield make_step_from(state, key, best, ASSESSMENT.likely, start, beside=True, budget=budget)


def _level(fit: ModelFit) -> int:
    """Return χ² in steps of a fall that makes another fit."""
    return int(np.log(max(fit.chisq, 1e-300)) / np.log(STRATEGY.falls))


def _is_seen(state: State, hypothesis: Hypothesis) -> bool:
    """Whether a supposed resolution brings a model well down; else it is in a wrong minimum."""
    plain_fit = state.fits.get(replace(hypothesis, resolution=None, as_measured=False))
    if hypothesis.resolution is None or plain_fit is None:
        return True
    return state.fits[hypothesis].chisq < STRATEGY.falls * plain_fit.chisq
