"""One thing to do next, and its worth.

A step's worth is how likely it gives the answer (the network's probability, the bank's residual, or how often
such a step helps), times by how much the answer would gain on the best so far, over its time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..costs import look_cost
from ..task import Pair, Task
from .hypothesis import Hypothesis, size_of
from .settings import STRATEGY
from .state import State


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
    if state.estimate_remaining_gain(best) <= STRATEGY.chance_gain:
        return 1.0  # a fit leaves nothing but noise
    return STRATEGY.doubtful_boost if state.is_explained() else STRATEGY.most_boost


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
    size, best = size_of(hypothesis), state.best
    if best is not None and state.beliefs.estimate(hypothesis) > 0.5:
        size = min(size, state.size(best))
    again = boost(state, size)
    return Step(
        ("fit", hypothesis), chance * again / hypothesis.seconds, due, hypothesis,
        state.task(hypothesis, **task_options),
    )  # fmt: skip


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
