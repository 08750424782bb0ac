"""What the line of an image says: its class or tags with their probabilities, and its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ..batch.live.line import HEAD, SHARE, text, titled
from ..domains.heads import Classes, Head, Quantities, Tags
from ..predict.classes import ClassesFinding
from ..predict.findings import QuantitiesFinding
from ..predict.tags import TagsFinding
from .series import TOGETHER

if TYPE_CHECKING:
    from ..predict import Answer

F = TypeVar("F")


@dataclass(frozen=True)
class ImageLines:
    """Lines of images."""

    #: Frames of a large detector take 20 MB each.
    together: ClassVar[int] = TOGETHER

    heads: Sequence[Head]  #: Of the network; those of classes, tags and numbers have columns.

    def titles(self) -> list[str]:
        return [*HEAD, *(title for head in self.heads for title in _titles(head))]

    def cells(self, measurement: Any, answer: Answer | None) -> list[str]:
        known = answer is not None and answer.known
        return [cell for head in self.heads for cell in _cells(head, answer if known else None)]


def _titles(head: Head) -> Iterator[str]:
    if isinstance(head, Classes):
        yield from ("class", "class_probability")
    elif isinstance(head, Tags):
        yield "tags"
    if isinstance(head, Classes | Tags):
        yield from (f"{SHARE}{label}" for label in head.labels)
    elif isinstance(head, Quantities):
        for parameter in head.parameters:
            yield from titled(parameter.name, parameter.unit)


def _cells(head: Head, answer: Answer | None) -> Iterator[str]:
    if isinstance(head, Classes):
        yield from _of_classes(head, _finding(answer, ClassesFinding, head))
    elif isinstance(head, Tags):
        yield from _of_tags(head, _finding(answer, TagsFinding, head))
    elif isinstance(head, Quantities):
        yield from _of_quantities(head, _finding(answer, QuantitiesFinding, head))


def _finding(answer: Answer | None, kind: type[F], head: Head) -> F | None:
    return None if answer is None else answer.finding(kind, head.name)


def _of_tags(head: Tags, found: TagsFinding | None) -> Iterator[str]:
    yield "" if found is None else "; ".join(found.present)
    yield from _shares(head, {} if found is None else found.probability)


def _of_quantities(head: Quantities, found: QuantitiesFinding | None) -> Iterator[str]:
    known = {} if found is None else found.known
    for parameter in head.parameters:
        one = known.get(parameter.name)
        yield from ("", "") if one is None else (text(one.value), text(one.error))


def _of_classes(head: Classes, found: ClassesFinding | None) -> Iterator[str]:
    shares = {} if found is None else dict(zip(found.head.labels, found.probability, strict=True))
    best = max(shares, key=lambda label: shares[label], default="")
    yield from (best, text(float(shares.get(best, math.nan))))
    yield from _shares(head, shares)


def _shares(head: Classes | Tags, told: Mapping[str, float]) -> Iterator[str]:
    yield from (text(float(told.get(label, math.nan))) for label in head.labels)
