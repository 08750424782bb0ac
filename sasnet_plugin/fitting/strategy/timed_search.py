"""Polishing the starts of a candidate with an eye on the clock, and what no slope leads to beside them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sasnet_plugin.fitting.assessment.ranking import explains
from sasnet_plugin.fitting.optimize.basin_hopping import hopped
from sasnet_plugin.fitting.optimize.integer_search import climbed, counts_of
from sasnet_plugin.fitting.optimize.local_search import Polished, Polisher
from sasnet_plugin.fitting.optimize.neighbour_search import crossed, sizes_of
from sasnet_plugin.fitting.problem.cost_class import pace
from sasnet_plugin.fitting.problem.experiment import TimeUpError
from sasnet_plugin.fitting.problem.size_distributions import COARSE, other_kinds, widths_of
from sasnet_plugin.simulate.kernel import load_model

if TYPE_CHECKING:
    from sasnet_plugin.fitting.task import Task

#: χ² has to be so much worse than the best fit's in any case for a candidate to be behind.
_FOR_SURE = 30.0
#: What is worse than others by more is not helped by another whole number, kind of distribution or valley;
#: the second where another model explains the curve.
_MENDABLE = (20.0, 3.0)
#: A fit without a width is helped even if one with a width is better by so much.
_CROSSED = 4.0
#: Accuracy of polishing: of χ², and of the steps; what is left is far below the noise.
_ENOUGH = 1e-4
#: The same on the way to other valleys, and the share of the time that is spent there.
_ROUGHLY, _HOPPING = 1e-3, 0.7


@dataclass(frozen=True)
class Search:
    """Polishing with an eye on the clock.

    Parameters
    ----------
    task : Task
    began : float
        CPU time when work on it began, s.
    """

    task: Task
    began: float

    def follow(
        self,
        polisher: Polisher,
        found: list[dict[str, Any]],
        share: float,
        *tolerances: float,
        steps: int,
        until: float = 0.0,
    ) -> list[Polished]:
        """Polish starts until a share of the time is spent or χ² is small enough; at least one is."""
        done: list[Polished] = []
        for start in found:
            left = share * self.task.budget.seconds - (time.process_time() - self.began)
            if done and left < 0:
                break
            polisher.deadline = time.process_time() + max(left, 0.1 * self.task.budget.seconds)
            one = polisher.polish(start, tolerances=tolerances, steps=steps, enough=_ENOUGH)
            if one is not None:
                done.append(one)
                if one.chisq < until:
                    break
        return distinct(ordered(done, polisher))

    def hopped(self, polisher: Polisher, found: list[Polished]) -> list[Polished]:
        """Other valleys than those of starts, best first; see `hops`."""
        end, n = self.began + _HOPPING * self.task.budget.seconds, len(polisher.curve)
        polisher.deadline = end
        try:
            residuals = [polisher.solved(one.parameters)[0] for one in found]
        except TimeUpError:
            return found
        starts = [replace(one, chisq=float(r @ r)) for one, r in zip(found, residuals, strict=True)]
        info, polish = load_model(self.task.name).info, _shortly(polisher, end, _ROUGHLY)
        # Another try from where the last one ended takes other ways.
        rng = np.random.default_rng([n, round(1e3 * min(one.chisq for one in starts)) % 2**32])
        found = hopped(
            info, starts, polish, rng,
            held=polisher.held, points=COARSE[pace(self.task.model)], enough=float(n),
            going=lambda: time.process_time() < end,
        )  # fmt: skip
        return distinct(ordered(found, polisher))

    def varied(self, polisher: Polisher, found: list[Polished], *, cross: bool = False) -> list[Polished]:
        """With better ones at what no slope leads to: whole numbers, kinds of distribution, other valleys."""
        if not found or pace(self.task.model) == "slow" or found[0].chisq < len(polisher.curve):
            return found
        if not self.mendable(found, polisher):
            return found

        polish = _shortly(polisher, self.began + 0.7 * self.task.budget.seconds, _ENOUGH)
        info, held = load_model(self.task.model).info, polisher.held
        better = list(found)
        if cross:
            # Without a width a curve costs little, and its fringes are the deeper.
            sharp = (f for f in found if not has_width(f) and f.chisq < _CROSSED * found[0].chisq)
            base = next(sharp, found[0])
            better.append(crossed(sizes_of(info, base.parameters, held), base, polish, len(polisher.curve)))
            better = ordered(better, polisher)
        while better[0].chisq >= len(polisher.curve):
            kinds = [polish(start) for start in other_kinds(better[0].parameters)]
            better = ordered([*better, *(p for p in kinds if p is not None)], polisher)
            names = [n for n in counts_of(info, better[0].parameters) if n not in held]
            top = climbed(names, better[0], polish) if names else better[0]
            if top is better[0]:
                break
            # Beside another count another kind of distribution may be the better one.
            better = ordered([*better, top], polisher)
            if better[0] is not top:
                break
        return distinct(ordered(better, polisher))

    def mendable(self, found: list[Polished], polisher: Polisher) -> bool:
        """Whether these are not so far behind others that it is of no use to look beside them."""
        return not self.behind(
            found, polisher, _MENDABLE[explains(self.task.budget.best_chisq, len(self.task.curve))]
        )

    def behind(self, found: list[Polished], polisher: Polisher, factor: float) -> bool:
        """Whether all of these are worse than the best fit of other candidates by a factor."""
        least, n = min(d.chisq for d in found), len(polisher.curve)
        others = n * max(self.task.budget.best_chisq, 1.0)
        return least > max(factor * others, others + _FOR_SURE)


def _shortly(polisher: Polisher, end: float, enough: float) -> Callable[[dict[str, Any]], Polished | None]:
    """Polish in a few steps, as long as there is time."""

    def polish(start: dict[str, Any]) -> Polished | None:
        if time.process_time() > end:
            return None
        polisher.deadline = end
        return polisher.polish(start, tolerances=(0.02, 0.0), steps=8, enough=enough)

    return polish


def has_width(found: Polished) -> bool:
    """Whether it has a size distribution."""
    return bool(widths_of(found.parameters))


def values_of(found: list[Polished]) -> list[dict[str, Any]]:
    """Parameters of each."""
    return [one.parameters for one in found]


def ordered(found: list[Polished], polisher: Polisher) -> list[Polished]:
    """By the Bayesian information criterion, best first."""
    each = float(np.log(len(polisher.curve)))
    return sorted(found, key=lambda d: d.chisq + polisher.count(d.parameters) * each)


def distinct(found: list[Polished]) -> list[Polished]:
    """One of those that ended in the same valley."""
    kept: list[Polished] = []
    for one in found:
        if all(abs(one.chisq / other.chisq - 1) > 1e-3 for other in kept):
            kept.append(one)
    return kept
