"""Whether a curve shows a second component, as one sentence instead of a table of one tag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .classes import percent
from .findings import Answer
from .tags import TagsFinding

#: The head's name, and its only tag.
HEAD, TAG = "components", "second_component"


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
        if isinstance(f, TagsFinding) and f.head.name == HEAD
        else f
        for f in answer.findings
    )
    return replace(answer, findings=found)


def probability_of_two(answer: Answer) -> float | None:
    """Probability of a second component; None of a network that does not look for one."""
    found = answer.finding(ComponentsFinding)
    return None if found is None else found.probability.get(TAG)
