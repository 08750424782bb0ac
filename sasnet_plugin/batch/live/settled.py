"""Curves of one sample added up as they come: when its answer is settled, and what more counting would bring.

A sequential test as for images (`batch/recognise.py`): after each curve the probabilities are those of all so
far, and the answer is settled when one group of models has stayed above a threshold while the counts grew by
a third, whether in two curves or in two hundred.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...files import plain_cell
from ...predict.counting import group_shares
from ...types import Curve, DataError, SasnetError
from ..growing import growing
from ..recognise import HEAD, Look, Sequential, SettledSettings
from .line import text as text_of
from .states import sigma_of, weight_of

if TYPE_CHECKING:
    from ...predict import Answer

#: Of simulated samples (docs/studies.md) two or three in a hundred that settle so are wrong; with
#: 0.95, as for images, it would be seven. With the growth it does not depend on how long a curve was counted.
SETTLED = SettledSettings(probability=0.98, frames=2, growth=1.3)
#: What of the settled answers may be wrong, as it is said.
WRONG = 0.03


def merge_curves(first: Curve, second: Curve) -> Curve:
    """Add two measurements in one setting, weighted by counts. Raises DataError if their q differ."""
    if not np.array_equal(first.q, second.q):
        raise DataError(
            f"{second.file}: its q values differ from those of the earlier curves, so it cannot be"
            f" added; give curves of one setting."
        )
    sigmas = [_sigma(curve) for curve in (first, second)]
    weights = [
        weight_of(curve.intensity, sigma) for curve, sigma in zip((first, second), sigmas, strict=True)
    ]
    share = [w / sum(weights) for w in weights]
    intensity = share[0] * first.intensity + share[1] * second.intensity
    sigma = np.hypot(share[0] * sigmas[0], share[1] * sigmas[1])
    return Curve(
        first.q,
        intensity,
        sigma,
        first.dq,
        first.dxl,
        first.dxw,
        second.file,
        second.entry,
        first.notes,
        first.q_unit,
    )


def counts_of(curve: Curve) -> float:
    """Counts that would have the curve's relative errors, Σ (I/σ)²."""
    return float(np.sum((curve.intensity / _sigma(curve)) ** 2))


def recognise(
    curves: Iterable[tuple[str, Any]],
    answers: Callable[[Sequence[Any]], Sequence[Answer | Exception]],
    curves_kept: list[Curve],
    settings: SettledSettings = SETTLED,
) -> Iterator[Look]:
    """Answer the sum of all curves after each (file, curve or exception); `curves_kept` holds the sum."""
    test = Sequential(settings)
    total: Curve | None = None
    for number, (file, curve) in enumerate(curves, start=1):
        entry = str(getattr(curve, "entry", ""))
        try:
            if isinstance(curve, Exception):
                raise curve
            whole = curve if total is None else merge_curves(total, curve)
            (answer,) = answers([whole])
            if isinstance(answer, Exception):
                raise answer
        except SasnetError as error:
            yield Look(number, file, entry, note=str(error), settled=test.settled)
            continue
        total = whole
        curves_kept[:] = [whole]
        shares, counts = group_shares(answer), counts_of(whole)
        test.look(shares, answer.known, counts)
        yield Look(number, file, entry, counts, answer.in_scope, shares, test.settled)


@dataclass
class Sum:
    """How a sum of curves went."""

    frames: int = 0
    failures: int = 0
    first: Look | None = None  #: With which the answer was settled.
    last: Look | None = None  #: The newest with an answer.

    def take(self, look: Look) -> bool:
        """Take a look; whether the answer is settled with this one."""
        self.frames, self.failures = look.number, self.failures + bool(look.note)
        self.last = look if look.classes else self.last
        new = bool(look.settled) and self.first is None
        self.first = look if new else self.first
        return new

    @property
    def sentence(self) -> str:
        """Whether it is settled, and since when; with the share of such answers that are wrong."""
        if self.first is not None:
            return (
                f"Converged after frame {self.first.number}, {self.first.counts:,.0f} counts:"
                f" {self.first.settled}. Its probability stayed at or above {SETTLED.probability:.0%} while"
                f" the counts grew by {SETTLED.growth - 1:.0%}. In simulations, at most {WRONG:.0%} of such"
                " answers were wrong. You may stop."
            )
        if self.last is None:
            return "No frame has an answer."
        look = self.last
        best = max(look.classes, key=lambda name: look.classes[name])
        doubt = "" if look.in_scope > 0.5 else ", and it may be nothing that the network knows"
        return f"Not converged after {look.counts:,.0f} counts: {best} has {look.classes[best]:.0%}{doubt}."


def write(
    looks: Iterable[Look], path: Path, groups: Sequence[str], report: Callable[[Look, Sum], None]
) -> Sum:
    """Write a line for each look as it comes, then call `report`. Raises SasnetError if the table cannot be
    written, or if no frame has an answer and an earlier table lies there.
    """
    whole = Sum()
    with growing(path, [*HEAD, *groups, "settled", "note"]) as table:
        for look in looks:
            numbers = [look.counts, look.in_scope, *(look.classes.get(name, math.nan) for name in groups)]
            names = [plain_cell(text) for text in (look.file, look.entry)]
            cells = [text_of(number) for number in numbers]
            table.add([look.number, *names, *cells, look.settled, plain_cell(look.note)], look.note)
            whole.take(look)
            report(look, whole)
    return whole


def _sigma(curve: Curve) -> np.ndarray:
    sigma = sigma_of(curve)
    return np.asarray(np.where(sigma > 0, sigma, np.median(sigma[sigma > 0])))
