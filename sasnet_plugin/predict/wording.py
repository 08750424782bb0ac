"""What is said in words about probabilities, and never more than the network knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

DECISIVE = 0.8  # from this probability on an answer is given without "undecided"


class Named(Protocol):
    """A class or a group with its probability."""

    @property
    def name(self) -> str:
        """Of it."""

    @property
    def probability(self) -> float:
        """0..1."""


class InGroup(Named, Protocol):
    """A class of a group."""

    @property
    def group(self) -> str:
        """Name of it."""


class WithMembers(Named, Protocol):
    """A group."""

    @property
    def members(self) -> tuple[str, ...]:
        """Names of its classes."""


def percent(probability: float) -> str:
    """Whole percents, and never certainty: ">99 %" and "<1 %" at the ends."""
    if probability > 0.99:
        return ">99 %"
    if probability < 0.01:
        return "<1 %"
    return f"{100 * probability:.0f} %"


def group_sentence(models: Sequence[InGroup], groups: Sequence[WithMembers]) -> str:
    """Say how far the answer goes: to a model, to a group, or to neither.

    Parameters
    ----------
    models, groups : sequences
        By falling probability, neither empty.
    """
    group, model = groups[0], models[0]
    if group.probability < DECISIVE:
        listed = ", ".join(f"{g.name} {percent(g.probability)}" for g in groups[:3])
        return f"No group of models is decisive: {listed}."
    if len(group.members) == 1:
        return f"{group.name} {percent(group.probability)}."
    if model.group == group.name and model.probability >= DECISIVE:
        likeliest = f"{model.name} ({percent(model.probability)})"
        return f"{group.name} {percent(group.probability)}, most likely {likeliest}."
    # A shorter list of candidates than the group's members where the network has narrowed it down.
    likely = [m.name for m in models if m.group == group.name and m.probability >= 0.05]
    which = f"which one of {', '.join(likely)} is" if len(likely) > 1 else "which model of the group is"
    return f"{group.name} {percent(group.probability)}, {which} undecided."


def is_decided(models: Sequence[Named], groups: Sequence[Named]) -> bool:
    """Whether both the group and the model within it are given without "undecided"."""
    return groups[0].probability >= DECISIVE and models[0].probability >= DECISIVE


def restriction_note(kept: Sequence[str], total: int) -> str:
    """Say that the probabilities are over fewer models than the network knows."""
    if len(kept) == 1:
        return f"Only {kept[0]} was considered, so its probability is 1 whatever the data."
    named = f" ({', '.join(kept)})" if len(kept) <= 5 else ""
    return f"Probabilities are renormalised over the {len(kept)} models considered{named} of {total}."
