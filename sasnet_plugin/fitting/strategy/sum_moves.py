"""A second component: sums of two models whose curves come near, and what the best sum is held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from ...simulate.priors import model_info
from ..problem.experiment import starting_values
from ..problem.sums import extract_part
from ..result.model_fit import ModelFit, doubtful
from ..settings import ASSESSMENT
from ..start_values.sums import TERMS, has_one_contrast
from .hypothesis import Hypothesis, is_simple_curve, is_smooth, size_of
from .second_term import promises
from .settings import STRATEGY
from .state import State
from .step import Step, boost, look_seconds, make_fit_step, make_step_from, nearness

#: Bodies that a second component is tried with, whatever explains the curve best without one.
_BODIES = ("sphere", "ellipsoid", "cylinder")


def looks_for_sums(state: State) -> Iterator[Step]:
    """Ask the bank whether sums of two come near."""
    if not state.may_be_sum or _is_settled(state):
        return
    pairs = tuple(h.pair for h in _sums(state) if h.pair not in state.residuals)
    if pairs:
        smallest = 1 + size_of(Hypothesis("sphere", None, "power_law"))
        worth = state.beliefs.two * boost(state, smallest) / look_seconds(pairs)
        yield Step(("look", pairs), worth, pairs=pairs)


def _is_settled(state: State) -> bool:
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
    most = STRATEGY.sums_near if state.is_explained() else max(least / STRATEGY.falls, STRATEGY.sums_near)
    near_ = sorted((h for h in rated if rated[h] < most), key=lambda h: (size_of(h), rated[h]))
    near_ = near_[: STRATEGY.sums]
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
            yield make_step_from(state, ("term", hypothesis), hypothesis, STRATEGY.likely, promise.start)


def _may_lack_term(state: State, best: Hypothesis) -> bool:
    """Whether a body leaves something, and the user has not said what all of its contrast is."""
    lacks = doubtful(state.fits[best].reduced_chisq, len(state.curve))
    return lacks and state.options.contrast is None and _is_body(best.form)


def rivals_of_sum(state: State) -> Iterator[Step]:
    """What the best sum is held against: other terms beside its body, simple bodies, its body alone."""
    # And itself from the bank, where it leaves something: begun at its body's values it may be in a wrong
    # minimum.
    best = state.best
    if best is None or best.second is None or is_smooth(best):
        return
    fit = state.fits[best]
    start = extract_part(starting_values(fit), 0, 2) | {"background": fit.parameters["background"].value}
    first_alone = replace(best, second=None)
    key = ("alone", first_alone, best.second)
    yield make_step_from(state, key, first_alone, STRATEGY.likely, start)
    if _is_idle(fit):  # of which a coarse copy of the data may lead away
        yield make_step_from(state, (*key, "idle"), first_alone, STRATEGY.likely, start, beside=True)
    if doubtful(fit.reduced_chisq, len(state.curve)):
        yield make_fit_step(state, best, STRATEGY.likely)
    for hypothesis in _rivals(best):
        # Where the sum's own values led it into a wrong minimum, the bank's are open.
        earlier_fit = state.fits.get(hypothesis)
        behind = earlier_fit is None or earlier_fit.chisq > STRATEGY.near_best * fit.chisq
        if behind and hypothesis.form != hypothesis.second:
            yield make_fit_step(state, hypothesis, STRATEGY.seldom)


def _is_idle(fit: ModelFit) -> bool:
    """Whether a sum has become its body alone."""
    return bool(fit.components) and fit.components[-1].fraction < ASSESSMENT.negligible


def _rivals(best: Hypothesis) -> list[Hypothesis]:
    bodies = [replace(best, form=body, structure_factor=None) for body in _BODIES]
    terms = [replace(best, second=term) for term in TERMS] if best.second in TERMS else []
    return list(dict.fromkeys([*(replace(body, second=None) for body in bodies), *terms, *bodies]))


def _sums(state: State) -> Iterator[Hypothesis]:
    """Simple bodies, the likeliest, and those of the best fits, beside a term or a second population."""
    for host in filter(_may_be_in_sum, _hosts(state)):
        for second in (*TERMS, *((host.form,) if has_one_contrast(host.form) else ())):
            hypothesis = replace(host, second=second)
            if state.is_allowed(hypothesis):
                yield hypothesis


def _hosts(state: State) -> Iterable[Hypothesis]:
    best = [h for h in sorted(state.fits, key=lambda h: state.fits[h].chisq) if h.second is None]
    forms = (*_BODIES, *(guess.name for guess in state.beliefs.suggestion.models[: STRATEGY.sum_hosts]))
    hosts = [*map(Hypothesis, forms), *best[: STRATEGY.sum_hosts]]
    return dict.fromkeys(replace(h, resolution=None, as_measured=False) for h in hosts)


def _may_be_in_sum(host: Hypothesis) -> bool:
    return not host.form.endswith(".py") and host.cost != "slow" and _is_body(host.form)


def _is_body(form: str) -> bool:
    """A form of known shape; the others have terms of their own for what is around."""
    return str(model_info(form).category).startswith("shape:")
