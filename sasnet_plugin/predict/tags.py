"""Answers of heads that ask which of several tags are there; of a second component in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..domains.heads import Tags
from .classes import FULL_BAR, percent
from .findings import Answer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: The head's name, and its only tag.
COMPONENTS, TAG = "components", "second_component"


@dataclass(frozen=True)
class TagsFinding:
    """Which tags are there.

    Parameters
    ----------
    probability : mapping of str to float
        By tag, never above that of its parent.
    present : tuple of str
        Those said to be there, by thresholds chosen on held-out examples.
    """

    head: Tags
    probability: Mapping[str, float]
    present: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Name, probability and verdict of each tag, under the head's name."""
        found = [
            {"name": name, "probability": round(p, 6), "present": name in self.present}
            for name, p in self.probability.items()
        ]
        return {self.head.name: found}

    def rows(self) -> Sequence[Sequence[str]]:
        """A row for each tag."""
        if not self.probability:
            return ()
        bars = [
            [name, f"{percent(p):>6} {'█' * round(FULL_BAR * p)}"] for name, p in self.probability.items()
        ]
        return [["tag", "probability"], *bars]

    def sentences(self) -> Sequence[str]:
        """The tags that are there."""
        found = [f"{name} {percent(p)}" for name, p in self.probability.items() if name in self.present]
        return (f"{', '.join(found) or 'None of the tags'}.",) if self.probability else ()

    def notes(self) -> Sequence[str]:
        """None."""
        return ()

    def draw(self, axes: Axes) -> None:
        """Bars of probability."""
        rows = np.arange(len(self.probability))
        axes.barh(rows, list(self.probability.values()))
        axes.set_yticks(rows, list(self.probability), fontsize=8)
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xlabel("probability")

    def silenced(self) -> TagsFinding:
        """Nothing is said."""
        return replace(self, probability={}, present=())


@dataclass(frozen=True)
class ComponentsFinding(TagsFinding):
    """The tag of a second component: a mixture of two models, or of two sizes of one."""

    def rows(self) -> Sequence[Sequence[str]]:
        """None: it is said in a sentence."""
        return ()

    def sentences(self) -> Sequence[str]:
        """That there seems to be one, or that none is seen, with its probability."""
        if TAG not in self.probability:
            return ()
        seen = percent(self.probability[TAG])
        if TAG in self.present:
            says = "seems to be there" if self.probability[TAG] >= 0.5 else "may be there"
            return (f"A second component, or a second size, {says} ({seen}).",)
        return (f"No second component is seen ({seen}).",)


def in_words(answer: Answer) -> Answer:
    """An answer whose finding about components is a sentence.

    Parameters
    ----------
    answer : Answer
        Of a network that has such a head, or not.
    """
    found = tuple(
        ComponentsFinding(f.head, f.probability, f.present)
        if isinstance(f, TagsFinding) and f.head.name == COMPONENTS
        else f
        for f in answer.findings
    )
    return replace(answer, findings=found)


def probability_of_two(answer: Answer) -> float | None:
    """Probability of a second component; None of a network that does not look for one."""
    found = answer.finding(ComponentsFinding)
    return None if found is None else found.probability.get(TAG)
