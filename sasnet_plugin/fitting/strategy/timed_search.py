"""Polishing the starts of a candidate with an eye on the clock, and what no slope leads to beside them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sasnet_plugin.fitting.assessment.ranking import explains
from sasnet_plugin.fitting.optimize.basin_hopping import basin_hopping
from sasnet_plugin.fitting.optimize.local_search import LocalMinimum, LocalSearch
from sasnet_plugin.fitting.optimize.neighbour_search import (
    counts_of,
    neighbour_search,
    other_counts,
    other_sizes,
    sizes_of,
)
from sasnet_plugin.fitting.problem.experiment import TimeUpError
from sasnet_plugin.fitting.problem.size_distributions import other_kinds, widths_of
from sasnet_plugin.fitting.settings import OPTIMIZE, PROBLEM
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.quick import fit_cost_class

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
        polisher: LocalSearch,
        found: list[dict[str, Any]],
        share: float,
        *tolerances: float,
        steps: int,
        until: float = 0.0,
    ) -> list[LocalMinimum]:
        """Polish starts until a share of the time is spent or χ² is small enough; at least one is."""
        done: list[LocalMinimum] = []
        for start in found:
            left = share * self.task.budget.seconds - (time.process_time() - self.began)
            if done and left < 0:
                break
            polisher.deadline = time.process_time() + max(left, 0.1 * self.task.budget.seconds)
            one = polisher.refine(start, tolerances=tolerances, steps=steps, enough=_ENOUGH)
            if one is not None:
                done.append(one)
                if one.chisq < until:
                    break
        return distinct(ordered(done, polisher))

    def hopped(self, polisher: LocalSearch, found: list[LocalMinimum]) -> list[LocalMinimum]:
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
        found = basin_hopping(
            info, starts, polish, rng,
            fixed=polisher.fixed, points=PROBLEM.coarse_width_points[fit_cost_class(self.task.model)],
            enough=float(n), going=lambda: time.process_time() < end,
        )  # fmt: skip
        return distinct(ordered(found, polisher))

    def varied(
        self, polisher: LocalSearch, found: list[LocalMinimum], *, cross: bool = False
    ) -> list[LocalMinimum]:
        """With better ones at what no slope leads to: whole numbers, kinds of distribution, other valleys."""
        if not found or fit_cost_class(self.task.model) == "slow" or found[0].chisq < len(polisher.curve):
            return found
        if not self.mendable(found, polisher):
            return found

        polish = _shortly(polisher, self.began + 0.7 * self.task.budget.seconds, _ENOUGH)
        info, fixed = load_model(self.task.model).info, polisher.fixed
        better = list(found)
        if cross:
            # Without a width a curve costs little, and its fringes are the deeper.
            sharp = (f for f in found if not has_width(f) and f.chisq < _CROSSED * found[0].chisq)
            base = next(sharp, found[0])
            sizes = sizes_of(info, base.parameters, fixed)
            found_beside = neighbour_search(
                base, other_sizes(sizes), polish, rounds=OPTIMIZE.size_rounds, needed_fall=OPTIMIZE.size_fall,
                enough=float(len(polisher.curve)),
            )  # fmt: skip
            better.append(found_beside[-1])
            better = ordered(better, polisher)
        while better[0].chisq >= len(polisher.curve):
            kinds = [polish(start) for start in other_kinds(better[0].parameters)]
            better = ordered([*better, *(p for p in kinds if p is not None)], polisher)
            names = [n for n in counts_of(info, better[0].parameters) if n not in fixed]
            propose = other_counts(names)
            top = neighbour_search(better[0], propose, polish, rounds=OPTIMIZE.count_rounds)[-1]
            if top is better[0]:
                break
            # Beside another count another kind of distribution may be the better one.
            better = ordered([*better, top], polisher)
            if better[0] is not top:
                break
        return distinct(ordered(better, polisher))

    def mendable(self, found: list[LocalMinimum], polisher: LocalSearch) -> bool:
        """Whether these are not so far behind others that it is of no use to look beside them."""
        return not self.behind(
            found, polisher, _MENDABLE[explains(self.task.budget.best_chisq, len(self.task.curve))]
        )

    def behind(self, found: list[LocalMinimum], polisher: LocalSearch, factor: float) -> bool:
        """Whether all of these are worse than the best fit of other candidates by a factor."""
        least, n = min(d.chisq for d in found), len(polisher.curve)
        others = n * max(self.task.budget.best_chisq, 1.0)
        return least > max(factor * others, others + _FOR_SURE)


def _shortly(
    polisher: LocalSearch, end: float, enough: float
) -> Callable[[dict[str, Any]], LocalMinimum | None]:
    """Polish in a few steps, as long as there is time."""

    def polish(start: dict[str, Any]) -> LocalMinimum | None:
        if time.process_time() > end:
            return None
        polisher.deadline = end
        return polisher.refine(start, tolerances=(0.02, 0.0), steps=8, enough=enough)

    return polish


def has_width(found: LocalMinimum) -> bool:
    """Whether it has a size distribution."""
    return bool(widths_of(found.parameters))


def values_of(found: list[LocalMinimum]) -> list[dict[str, Any]]:
    """Parameters of each."""
    return [one.parameters for one in found]


def ordered(found: list[LocalMinimum], polisher: LocalSearch) -> list[LocalMinimum]:
    """By the Bayesian information criterion, best first."""
    each = float(np.log(len(polisher.curve)))
    return sorted(found, key=lambda d: d.chisq + polisher.count(d.parameters) * each)


def distinct(found: list[LocalMinimum]) -> list[LocalMinimum]:
    """One of those that ended in the same valley."""
    kept: list[LocalMinimum] = []
    for one in found:
        if all(abs(one.chisq / other.chisq - 1) > 1e-3 for other in kept):
            kept.append(one)
    return kept
