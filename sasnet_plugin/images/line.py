"""What the line of an image says: its class or tags with their probabilities, and its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ..batch.live.line import HEAD, SHARE, make_column_titles, text
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
        is_known = answer is not None and answer.known
        return [cell for head in self.heads for cell in _cells(head, answer if is_known else None)]


def _titles(head: Head) -> Iterator[str]:
    if isinstance(head, Classes):
        yield from ("class", "class_probability")
    elif isinstance(head, Tags):
        yield "tags"
    if isinstance(head, Classes | Tags):
        yield from (f"{SHARE}{label}" for label in head.labels)
    elif isinstance(head, Quantities):
        for parameter in head.parameters:
            yield from make_column_titles(parameter.name, parameter.unit)


def _cells(head: Head, answer: Answer | None) -> Iterator[str]:
    if isinstance(head, Classes):
        yield from _list_class_cells(head, _finding(answer, ClassesFinding, head))
    elif isinstance(head, Tags):
        yield from _list_tag_cells(head, _finding(answer, TagsFinding, head))
    elif isinstance(head, Quantities):
        yield from _list_quantity_cells(head, _finding(answer, QuantitiesFinding, head))


def _finding(answer: Answer | None, kind: type[F], head: Head) -> F | None:
    return None if answer is None else answer.finding(kind, head.name)


def _list_tag_cells(head: Tags, tags: TagsFinding | None) -> Iterator[str]:
    yield "" if tags is None else "; ".join(tags.present)
    yield from _shares(head, {} if tags is None else tags.probability)


def _list_quantity_cells(head: Quantities, quantities: QuantitiesFinding | None) -> Iterator[str]:
    values = {} if quantities is None else quantities.present_values
    for parameter in head.parameters:
        value = values.get(parameter.name)
        yield from ("", "") if value is None else (text(value.value), text(value.error))


def _list_class_cells(head: Classes, classes: ClassesFinding | None) -> Iterator[str]:
    shares = {} if classes is None else dict(zip(classes.head.labels, classes.probability, strict=True))
    best = max(shares, key=lambda label: shares[label], default="")
    yield from (best, text(float(shares.get(best, math.nan))))
    yield from _shares(head, shares)


def _shares(head: Classes | Tags, shares: Mapping[str, float]) -> Iterator[str]:
    yield from (text(float(shares.get(label, math.nan))) for label in head.labels)
