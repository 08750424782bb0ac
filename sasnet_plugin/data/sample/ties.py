"""Parameters of a sample that are calculated from others: read, and in the order in which they can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from ...types import DataError
from .expression import Expression, expression


def ties_of(given: Sequence[str]) -> dict[str, Expression]:
    """Parse ties by parameter, ordered by dependence. Raises DataError if one is invalid or they are
    circular.
    """
    found = {}
    for text in given:
        name, equals, right = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise DataError(f"{text!r} is not a tie; write, for example, sld_solvent = -0.56 + 6.92*x.")
        found[name.strip()] = expression(right)
    return _in_order(found)


def _in_order(ties: Mapping[str, Expression]) -> dict[str, Expression]:
    """Each after those that it needs, since they are calculated one after the other."""
    needs = {name: tie.names & ties.keys() for name, tie in ties.items()}
    try:
        return {name: ties[name] for name in TopologicalSorter(needs).static_order()}
    except CycleError as error:
        first = error.args[1][0]
        raise DataError(
            f"{first} = {ties[first].text}: the ties depend on each other in a circle; remove one of them."
        ) from None
