"""Refinement of a candidate's starts within its time, and what no slope leads to beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...data.raw import points
from ...simulate.kernel import load_model
from ...simulate.quick_models.quick import fit_cost_class
from ..ledger import read_spent_time
from ..optimize.local_search import (
    LocalMinimum,
    Misfit,
    Refine,
    Walk,
    count_lines,
    neighbour_search,
    other_counts,
    position_lines,
    propose_along,
    refine,
    restarts,
    size_lines,
)
from ..problem.experiment import TimeUpError
from ..problem.free_parameters import are_near_in_size, counts_of, other_widths, sizes_of, widths_of
from ..problem.model_curves import ModelCurves, curves_of
from ..result.model_fit import explains
from ..settings import OPTIMIZE, PROBLEM
from ..start_values.layered import PLAIN, make_layered_starts, relax_dips
from ..start_values.repeats import repeating
from ..start_values.screening import apply_fixed, as_start, from_bank, further, other_interactions
from ..start_values.sums import is_smooth_sum
from .settings import STRATEGY, Pass

if TYPE_CHECKING:
    from ...simulate.bank import Bank
    from ...types import Curve
    from ..task import Task


@dataclass(frozen=True)
class TimedSearch:
    """Local refinement of starts within the time of a task."""

    task: Task
    began: float  #: What was spent when work on it began, s.

    def compute_remaining(self, share: float) -> float:
        """Seconds left of a share of the task's time."""
        return share * self.task.budget.seconds - (read_spent_time() - self.began)

    def follow(
        self, local: ModelCurves, starts: Iterable[dict[str, Any]], settings: Pass
    ) -> list[LocalMinimum]:
        """Refine starts, at least one, until one leaves but noise or its share of the time is spent."""
        minima: list[LocalMinimum] = []
        for start in starts:
            seconds_left = self.compute_remaining(settings.share)
            if minima and seconds_left < 0:
                break
            local.deadline = read_spent_time() + max(
                seconds_left, OPTIMIZE.least_share * self.task.budget.seconds
            )
            minimum = refine(local, start, tolerances=settings.tolerances, steps=settings.steps)
            if minimum is not None:
                minima.append(minimum)
                if minimum.chisq < enough(local):
                    break
        return distinct(sort_minima(minima, local))

    def search_beside(
        self, local: ModelCurves, minima: list[LocalMinimum], settings: Pass
    ) -> list[LocalMinimum]:
        """Add better minima that no slope leads to, while something is left to explain."""
        if not minima or minima[0].chisq < enough(local) or self.hopeless(minima, local, 1):
            return minima
        end = read_spent_time() + self.compute_remaining(settings.share)

        def attempt(start: dict[str, Any]) -> LocalMinimum | None:
            if read_spent_time() > end:
                return None
            local.deadline = end
            return refine(local, start, tolerances=settings.tolerances, steps=settings.steps)

        if self.task.restarts:
            better = self._restart(local, minima, attempt, end)
        else:
            better = neighbour_search(
                minima[0], self._make_proposer(local, end), attempt, needed_fall=STRATEGY.round_fall,
                enough=enough(local),
            )  # fmt: skip
        return distinct(sort_minima([*minima, *better], local))

    def _make_proposer(self, local: ModelCurves, end: float) -> Callable[[Walk], Iterator[dict[str, Any]]]:
        """Whole numbers, a peak's place, other sizes, and last size distributions, which wash fringes out."""
        info, size = load_model(self.task.name).info, np.maximum(np.abs(local.curve.intensity), 1e-300)
        stepped = other_counts(info, local.fixed)

        def measure_misfit_from(values: dict[str, Any]) -> Misfit:
            # As far as the fit is off: a narrow minimum beside it is seen, a deep one far away, too.
            off = np.abs(self._residual(local, values, 0.0, end)) * local.dintensity / size
            return self._misfit(local, min(OPTIMIZE.line_tolerance, float(np.median(off))), end)

        counts = propose_along(count_lines(info, local.fixed), measure_misfit_from)
        places = propose_along(position_lines(info, local.fixed, local.curve.q), measure_misfit_from)
        sizes = propose_along(size_lines(info, local.fixed), measure_misfit_from)

        def propose(walk: Walk) -> Iterator[dict[str, Any]]:
            yield from stepped(walk)
            yield from counts(walk)
            yield from places(walk)
            old_chisq = np.inf
            while walk.best.chisq < old_chisq * (1 - STRATEGY.round_fall):
                old_chisq = walk.best.chisq
                yield from sizes(walk)
            if not is_smooth_sum(self.task.model):
                yield from other_widths(self.task, walk.best.parameters)

        return propose

    def from_bank(self, local: ModelCurves, bank: Bank) -> list[LocalMinimum]:
        """The bank's nearest curves, roughly refined; where none is near more, and of what repeats."""
        starts = from_bank(self.task, bank)
        minima = self.follow(local, starts, STRATEGY.rough)
        end = read_spent_time() + self.compute_remaining(STRATEGY.rough.share)
        misfit = self._misfit(local, OPTIMIZE.line_tolerance, end)
        if not minima:  # a closure of charged spheres has no solution here and there
            other_starts = sorted(other_interactions(self.task, starts), key=misfit)
            minima = self.follow(local, other_starts[: len(starts)], STRATEGY.rough)
        if not minima or self.hopeless(minima, local, 0) or misfit(minima[0].parameters) < enough(local):
            return minima
        extra_starts = repeating(self.task, bank, starts, misfit) + further(self.task, bank)
        return distinct(sort_minima([*minima, *self.follow(local, extra_starts, STRATEGY.rough)], local))

    def add_layers(self, local: ModelCurves, minima: list[LocalMinimum], bank: Bank) -> list[LocalMinimum]:
        """Add minima from the plain body within a layered one, if something is left."""
        plain = PLAIN.get(self.task.model)
        if plain is None or not minima or minima[0].chisq < enough(local):
            return minima
        rough = replace(STRATEGY.rough, share=STRATEGY.coarse.share)
        plain_task = replace(
            plain.task_of(self.task), dintensity=relax_dips(self.task.curve, self.task.dintensity)
        )
        body = replace(self, task=plain_task)
        tops = relax_dips(local.curve, local.dintensity)
        curves = curves_of(body.task, local.per_decade, data=(local.curve, tops))
        bodies = body.follow(curves, from_bank(body.task, bank), rough)
        bodies = body.follow(curves, apart(bodies, curves.info, STRATEGY.finalists), STRATEGY.coarse)
        starts = [
            start
            for body_minimum in bodies
            for start in make_layered_starts(self.task.model, body_minimum.parameters)
        ]
        layered = [as_start(self.task, apply_fixed(start, self.task.fixed)) for start in starts]
        return distinct(sort_minima([*minima, *self.follow(local, layered, STRATEGY.coarse)], local))

    def from_low_q(self, local: ModelCurves, minima: list[LocalMinimum], bank: Bank) -> list[LocalMinimum]:
        """Add minima found at low q and followed to higher q, if nothing is near."""
        # Minima are few and wide where there are few fringes, and each fringe more brings narrower ones (so
        # of seismic waves: C. Bunks et al., Geophysics 60 (1995) 1457).
        end = read_spent_time() + self.compute_remaining(STRATEGY.coarse.share)
        # Where a fit is begun anew what seemed near was a wrong minimum.
        tolerance = STRATEGY.coarse.tolerances[0] if self.task.restarts else OPTIMIZE.line_tolerance
        misfit = self._misfit(local, tolerance, end)
        if not minima or self.hopeless(minima, local, 0) or misfit(minima[0].parameters) < enough(local):
            return minima
        near: list[LocalMinimum] = []
        rough = replace(STRATEGY.rough, share=STRATEGY.coarse.share)
        for part in growing(local.curve):
            low_q_search = replace(
                self, task=replace(self.task, curve=part, dintensity=local.dintensity[: len(part)])
            )
            curves = curves_of(low_q_search.task, local.per_decade)
            if near:
                near = low_q_search.follow(curves, values_of(near[: STRATEGY.followed]), STRATEGY.coarse)
            else:
                near = low_q_search.follow(curves, from_bank(low_q_search.task, bank), rough)
            if not near:
                break
        return distinct(sort_minima([*minima, *self.follow(local, values_of(near), STRATEGY.coarse)], local))

    def _misfit(self, local: ModelCurves, tolerance: float, end: float) -> Misfit:
        return lambda values: float(np.sum(self._residual(local, values, tolerance, end) ** 2))

    def _residual(
        self, local: ModelCurves, values: dict[str, Any], tolerance: float, end: float
    ) -> NDArray[np.float64]:
        """Residuals at the best scale and background; not finite when the time is up."""
        local.deadline = end
        try:
            return local.solve(values, tolerance)[0]
        except TimeUpError:
            return np.full(1, np.inf)
        finally:
            local.deadline = np.inf

    def _restart(
        self, local: ModelCurves, minima: list[LocalMinimum], attempt: Refine, end: float
    ) -> list[LocalMinimum]:
        local.deadline = end
        try:
            residuals = [local.solve(minimum.parameters)[0] for minimum in minima]
        except TimeUpError:
            return minima
        starts = [replace(minimum, chisq=float(r @ r)) for minimum, r in zip(minima, residuals, strict=True)]
        # Another try from where the last one ended takes other ways.
        level = round(1e3 * min(minimum.chisq for minimum in starts)) % 2**32
        rng = np.random.default_rng([len(local.curve), level, self.task.attempt])
        return restarts(
            load_model(self.task.name).info, starts, attempt, rng,
            fixed=local.fixed, points=PROBLEM.coarse_width_points[fit_cost_class(self.task.model)],
            enough=enough(local), going=lambda: read_spent_time() < end,
            most_in_vain=self.task.restarts,
        )  # fmt: skip

    def hopeless(self, minima: list[LocalMinimum], local: ModelCurves, stage: int) -> bool:
        """Whether none of these can still come near the best fit of other candidates."""
        least, n = min(d.chisq for d in minima), len(local.curve)
        best_possible = n * max(self.task.budget.best_chisq, 1.0)
        explained = explains(self.task.budget.best_chisq, len(self.task.curve)) and not self.task.starts
        gain = (STRATEGY.gain_explained if explained else STRATEGY.gain)[stage]
        return least > gain * best_possible


def growing(curve: Curve) -> list[Curve]:
    """Its points up to a q that grows, from where it has fallen well below its top; none if it does not."""
    top = np.maximum.accumulate(curve.intensity)
    low = np.flatnonzero(curve.intensity < STRATEGY.low_falls * top)
    if not low.size:
        return []
    parts, end = [], curve.q[low[0]]
    while end < curve.q[-1]:
        parts.append(points(curve, curve.q <= end))
        end *= STRATEGY.low_grows
    return parts


def values_of(minima: list[LocalMinimum]) -> list[dict[str, Any]]:
    return [minimum.parameters for minimum in minima]


def apart(minima: list[LocalMinimum], info: Any, count: int) -> list[dict[str, Any]]:
    """Parameters of the first that differ in whole numbers, in which sizes are spread, or in sizes and χ²."""
    kept_minima: list[LocalMinimum] = []
    for minimum in minima:
        if not any(_alike(info, minimum, kept_minimum) for kept_minimum in kept_minima):
            kept_minima.append(minimum)
    return values_of(kept_minima[:count])


def _alike(info: Any, first: LocalMinimum, second: LocalMinimum) -> bool:
    """Whether two lead to the same minimum; a size that hardly matters is none that differs."""
    a, b = first.parameters, second.parameters
    if _kinds(a) != _kinds(b) or any(a[n] != b.get(n) for n in counts_of(info, a)):
        return False
    near = are_near_in_size(sizes_of(info, a, frozenset()), a, b)
    return near or abs(np.log(first.chisq / second.chisq)) < STRATEGY.apart_chisq


def _kinds(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values.get(f"{name}_type") for name in widths_of(values)}


def sort_minima(minima: list[LocalMinimum], local: ModelCurves) -> list[LocalMinimum]:
    """Order minima by the Bayesian information criterion, best first."""
    cost_each = float(np.log(len(local.curve)))
    return sorted(minima, key=lambda d: d.chisq + local.count(d.parameters) * cost_each)


def distinct(minima: list[LocalMinimum]) -> list[LocalMinimum]:
    """One of those that ended in the same local minimum."""
    kept_minima: list[LocalMinimum] = []
    for minimum in minima:
        if all(
            abs(minimum.chisq / kept_minimum.chisq - 1) > OPTIMIZE.same_minimum
            for kept_minimum in kept_minima
        ):
            kept_minima.append(minimum)
    return kept_minima


def enough(local: ModelCurves) -> float:
    """χ² that leaves nothing to look for: its expectation."""
    return float(len(local.curve))
