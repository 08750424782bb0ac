"""Local refinement of a candidate's starts within its time, and what no slope leads to beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sasnet_plugin.fitting.assessment.goodness_of_fit import explains
from sasnet_plugin.fitting.ledger import spent
from sasnet_plugin.fitting.optimize.local_search import LocalMinimum, LocalSearch
from sasnet_plugin.fitting.optimize.neighbour_search import (
    basin_hopping,
    counts_of,
    neighbour_search,
    other_counts,
    other_sizes,
    sizes_of,
)
from sasnet_plugin.fitting.problem.experiment import TimeUpError
from sasnet_plugin.fitting.problem.free_parameters import other_kinds, widths_of
from sasnet_plugin.fitting.settings import OPTIMIZE, PROBLEM
from sasnet_plugin.fitting.strategy.settings import STRATEGY, Pass
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.quick_models.quick import fit_cost_class

if TYPE_CHECKING:
    from sasnet_plugin.fitting.task import Task


@dataclass(frozen=True)
class TimedSearch:
    """Local refinement of starts within the time of a task.

    Parameters
    ----------
    task : Task
    began : float
        What was spent when work on it began, s.
    """

    task: Task
    began: float

    @property
    def last(self) -> float:
        """What is spent when searches beside what was found end, s."""
        return self.began + STRATEGY.between.share * self.task.budget.seconds

    def follow(
        self, local: LocalSearch, starts: list[dict[str, Any]], how: Pass, until: float = 0.0
    ) -> list[LocalMinimum]:
        """Refine starts until a share of the time is spent or χ² is below `until`; at least one is."""
        done: list[LocalMinimum] = []
        for start in starts:
            left = how.share * self.task.budget.seconds - (spent() - self.began)
            if done and left < 0:
                break
            local.deadline = spent() + max(left, STRATEGY.least_start * self.task.budget.seconds)
            one = local.refine(start, tolerances=how.tolerances, steps=how.steps, enough=STRATEGY.enough)
            if one is not None:
                done.append(one)
                if one.chisq < until:
                    break
        return distinct(ordered(done, local))

    def hopping(self, local: LocalSearch, found: list[LocalMinimum]) -> list[LocalMinimum]:
        """Other local minima than those of starts, best first; see `basin_hopping`."""
        end, n = self.last, len(local.curve)
        local.deadline = end
        try:
            residuals = [local.solved(one.parameters)[0] for one in found]
        except TimeUpError:
            return found
        starts = [replace(one, chisq=float(r @ r)) for one, r in zip(found, residuals, strict=True)]
        info, refine = load_model(self.task.name).info, _briefly(local, end, STRATEGY.roughly)
        # Another try from where the last one ended takes other ways.
        level = round(1e3 * min(one.chisq for one in starts)) % 2**32
        rng = np.random.default_rng([n, level, *([self.task.attempt] if self.task.attempt else [])])
        found = basin_hopping(
            info, starts, refine, rng,
            fixed=local.fixed, points=PROBLEM.coarse_width_points[fit_cost_class(self.task.model)],
            enough=float(n), going=lambda: spent() < end,
        )  # fmt: skip
        return distinct(ordered(found, local))

    def neighbours(
        self, local: LocalSearch, found: list[LocalMinimum], *, sizes: bool = False
    ) -> list[LocalMinimum]:
        """With better ones at what no slope leads to: whole numbers, kinds of distribution, other sizes."""
        if not found or fit_cost_class(self.task.model) == "slow" or found[0].chisq < len(local.curve):
            return found
        if not self.helped(found, local):
            return found

        refine = _briefly(local, self.last, STRATEGY.enough)
        info, fixed = load_model(self.task.model).info, local.fixed
        better = list(found)
        if sizes:
            # Without a width a curve costs little, and its fringes are the deeper.
            sharp = (
                f for f in found if not has_width(f) and f.chisq < STRATEGY.helped_sharp * found[0].chisq
            )
            base = next(sharp, found[0])
            names = sizes_of(info, base.parameters, fixed)
            found_beside = neighbour_search(
                base, other_sizes(names), refine, rounds=OPTIMIZE.size_rounds, needed_fall=OPTIMIZE.size_fall,
                enough=float(len(local.curve)),
            )  # fmt: skip
            better.append(found_beside[-1])
            better = ordered(better, local)
        while better[0].chisq >= len(local.curve):
            kinds = [refine(start) for start in other_kinds(better[0].parameters)]
            better = ordered([*better, *(p for p in kinds if p is not None)], local)
            names = [n for n in counts_of(info, better[0].parameters) if n not in fixed]
            propose = other_counts(names)
            top = neighbour_search(better[0], propose, refine, rounds=OPTIMIZE.count_rounds)[-1]
            if top is better[0]:
                break
            # Beside another count another kind of distribution may be the better one.
            better = ordered([*better, top], local)
            if better[0] is not top:
                break
        return distinct(ordered(better, local))

    def helped(self, found: list[LocalMinimum], local: LocalSearch) -> bool:
        """Whether these are not so far behind others that it is of no use to look beside them."""
        explained = explains(self.task.budget.best_chisq, len(self.task.curve))
        return not self.behind(found, local, STRATEGY.helped[explained])

    def behind(self, found: list[LocalMinimum], local: LocalSearch, factor: float) -> bool:
        """Whether all of these are worse than the best fit of other candidates by a factor."""
        least, n = min(d.chisq for d in found), len(local.curve)
        others = n * max(self.task.budget.best_chisq, 1.0)
        return least > max(factor * others, others + STRATEGY.behind)


def _briefly(
    local: LocalSearch, end: float, enough: float
) -> Callable[[dict[str, Any]], LocalMinimum | None]:
    """Refine in a few steps, as long as there is time."""
    how = STRATEGY.between

    def refine(start: dict[str, Any]) -> LocalMinimum | None:
        if spent() > end:
            return None
        local.deadline = end
        return local.refine(start, tolerances=how.tolerances, steps=how.steps, enough=enough)

    return refine


def has_width(found: LocalMinimum) -> bool:
    """Whether it has a size distribution."""
    return bool(widths_of(found.parameters))


def values_of(found: list[LocalMinimum]) -> list[dict[str, Any]]:
    """Parameters of each."""
    return [one.parameters for one in found]


def ordered(found: list[LocalMinimum], local: LocalSearch) -> list[LocalMinimum]:
    """By the Bayesian information criterion, best first."""
    each = float(np.log(len(local.curve)))
    return sorted(found, key=lambda d: d.chisq + local.count(d.parameters) * each)


def distinct(found: list[LocalMinimum]) -> list[LocalMinimum]:
    """One of those that ended in the same local minimum."""
    kept: list[LocalMinimum] = []
    for one in found:
        if all(abs(one.chisq / other.chisq - 1) > STRATEGY.same_start for other in kept):
            kept.append(one)
    return kept
