"""Many measurements judged together, so that one that fails does not take the others with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sasnet_plugin.types import SasnetError

M = TypeVar("M")
A = TypeVar("A")


class UnknownModelError(SasnetError):
    """A model's name that means nothing to the network."""


def one_by_one(judge: Callable[[Sequence[M]], list[A]], measurements: Sequence[M]) -> list[A | Exception]:
    """An answer, or the exception why there is none, for each measurement, in their order."""
    try:
        return list(judge(measurements))
    except Exception as error:  # whatever it is, it belongs to one of them; find out to which
        if len(measurements) == 1:
            return [error]
        return [outcome for one in measurements for outcome in one_by_one(judge, [one])]
