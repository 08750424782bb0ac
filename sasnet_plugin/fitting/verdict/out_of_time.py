"""What the time limit kept from being tried, where that may change the answer."""

from __future__ import annotations

from collections.abc import Iterator

from ..result.fit_result import FitResult
from ..result.model_fit import explains
from .equals import within_error
from .names import some


def time(result: FitResult) -> Iterator[str]:
    """More was to be tried."""
    if result.unfitted:
        which = "one of them" if result.unfitted[1:] else "it"
        yield f"The time limit left {some(result.unfitted)} unfitted; {which} may come nearer."
    elif result.limit_met:
        yield "The time limit ended the search early, so that a better fit may exist."


def time_within_error(result: FitResult) -> Iterator[str]:
    """The same, where the best fit needs an error that is not stated: another may not."""
    best = result.fits[0]
    if within_error(result) and not explains(best.reduced_chisq, len(result.curve)):
        yield from time(result)
