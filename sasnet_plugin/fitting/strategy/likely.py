"""What comes before all else: the simplest models of the groups that the network thinks likely."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ...simulate.quick_models.quick import fit_cost_class
from ..problem.nested_models import simpler
from .hypothesis import Hypothesis, size_of
from .settings import STRATEGY
from .state import State
from .step import Step, boost, make_fit_step, nearness


def first(state: State) -> Iterator[Step]:
    """The simplest models of the network's first groups, as it thinks they interact, whatever else is
    open.
    """
    # Of those that take longer only what is likely itself: before it is fitted, what lies beside the fits of
    # others is hardly worth a look. Where the likeliest is slow, what is thought of at all comes before it,
    # in a tenth of its time. A slow one is worth its time or not, as all that is open: other points or a
    # resolution may be all that the simple ones lack.
    chances = list_expected(state)
    likeliest = max(chances, key=lambda hypothesis: chances[hypothesis], default=None)
    is_slow = likeliest is not None and likeliest.cost == "slow"
    least = STRATEGY.simple_prior if is_slow else STRATEGY.expected
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
    """Yield what slow models that are expected become at their limits, where that is quick: cubes for
    superballs.
    """
    for form, chance in chances.items():
        if fit_cost_class(form) == "slow":
            names = {reduction.name for reduction in simpler(form)} & state.beliefs.guesses.keys()
            yield from ((name, STRATEGY.likely * chance) for name in names if fit_cost_class(name) != "slow")


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
        if group.probability >= STRATEGY.group_share and members:
            yield max(members, key=worth), group.probability


def _unless_fitted(state: State, members: Iterable[str]) -> list[str]:
    known_names = [name for name in members if name in state.beliefs.guesses]
    return [] if {hypothesis.form for hypothesis in state.fits} & set(known_names) else known_names
