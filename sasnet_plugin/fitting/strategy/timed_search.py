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
from ..ledger import spent
from ..optimize.lines import Misfit, along, count_lines, other_counts, position_lines, size_lines
from ..optimize.local_search import LocalMinimum, refine
from ..optimize.neighbour_search import Refine, Walk, neighbour_search
from ..optimize.restarts import restarts
from ..problem.experiment import TimeUpError
from ..problem.free_parameters import counts_of, near_in_size, other_widths, sizes_of, widths_of
from ..problem.model_curves import ModelCurves, curves_of
from ..result.model_fit import explains
from ..settings import OPTIMIZE, PROBLEM
from ..start_values.layered import PLAIN, beside_tops, layered
from ..start_values.repeats import repeating
from ..start_values.screening import as_start, from_bank, further, other_interactions, with_fixed
from ..start_values.simple_sums import is_smooth_sum
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

    def left(self, share: float) -> float:
        """Seconds left of a share of the task's time."""
        return share * self.task.budget.seconds - (spent() - self.began)

    def follow(self, local: ModelCurves, starts: Iterable[dict[str, Any]], how: Pass) -> list[LocalMinimum]:
        """Refine starts, at least one, until one leaves but noise or its share of the time is spent."""
        done: list[LocalMinimum] = []
        for start in starts:
            left = self.left(how.share)
            if done and left < 0:
                break
            local.deadline = spent() + max(left, OPTIMIZE.least_share * self.task.budget.seconds)
            one = refine(local, start, tolerances=how.tolerances, steps=how.steps)
            if one is not None:
                done.append(one)
                if one.chisq < enough(local):
                    break
        return distinct(ordered(done, local))

    def beside(self, local: ModelCurves, found: list[LocalMinimum], how: Pass) -> list[LocalMinimum]:
        """Add better minima that no slope leads to, while something is left to explain."""
        if not found or found[0].chisq < enough(local) or self.hopeless(found, local, 1):
            return found
        end = spent() + self.left(how.share)

        def attempt(start: dict[str, Any]) -> LocalMinimum | None:
            if spent() > end:
                return None
            local.deadline = end
            return refine(local, start, tolerances=how.tolerances, steps=how.steps)

        if self.task.restarts:
            better = self._restarted(local, found, attempt, end)
        else:
            better = neighbour_search(
                found[0], self._proposed(local, end), attempt, needed_fall=STRATEGY.round_fall,
                enough=enough(local),
            )  # fmt: skip
        return distinct(ordered([*found, *better], local))

    def _proposed(self, local: ModelCurves, end: float) -> Callable[[Walk], Iterator[dict[str, Any]]]:
        """Whole numbers, a peak's place, other sizes, and last size distributions, which wash fringes out."""
        info, size = load_model(self.task.name).info, np.maximum(np.abs(local.curve.intensity), 1e-300)
        stepped = other_counts(info, local.fixed)

        def seen_from(values: dict[str, Any]) -> Misfit:
            # As far as the fit is off: a narrow minimum beside it is seen, a deep one far away, too.
            off = np.abs(self._residual(local, values, 0.0, end)) * local.dintensity / size
            return self._misfit(local, min(OPTIMIZE.line_tolerance, float(np.median(off))), end)

        counts = along(count_lines(info, local.fixed), seen_from)
        places = along(position_lines(info, local.fixed, local.curve.q), seen_from)
        sizes = along(size_lines(info, local.fixed), seen_from)

        def propose(walk: Walk) -> Iterator[dict[str, Any]]:
            yield from stepped(walk)
            yield from counts(walk)
            yield from places(walk)
            before = np.inf
            while walk.best.chisq < before * (1 - STRATEGY.round_fall):
                before = walk.best.chisq
                yield from sizes(walk)
            if not is_smooth_sum(self.task.model):
                yield from other_widths(self.task, walk.best.parameters)

        return propose

    def from_bank(self, local: ModelCurves, bank: Bank) -> list[LocalMinimum]:
        """The bank's nearest curves, roughly refined; where none is near more, and of what repeats."""
        starts = from_bank(self.task, bank)
        found = self.follow(local, starts, STRATEGY.rough)
        end = spent() + self.left(STRATEGY.rough.share)
        misfit = self._misfit(local, OPTIMIZE.line_tolerance, end)
        if not found:  # a closure of charged spheres has no solution here and there
            others = sorted(other_interactions(self.task, starts), key=misfit)
            found = self.follow(local, others[: len(starts)], STRATEGY.rough)
        if not found or self.hopeless(found, local, 0) or misfit(found[0].parameters) < enough(local):
            return found
        more = repeating(self.task, bank, starts, misfit) + further(self.task, bank)
        return distinct(ordered([*found, *self.follow(local, more, STRATEGY.rough)], local))

    def with_layers(self, local: ModelCurves, found: list[LocalMinimum], bank: Bank) -> list[LocalMinimum]:
        """Add minima from the plain body within a layered one, if something is left."""
        plain = PLAIN.get(self.task.model)
        if plain is None or not found or found[0].chisq < enough(local):
            return found
        rough = replace(STRATEGY.rough, share=STRATEGY.coarse.share)
        own = replace(plain.task_of(self.task), dintensity=beside_tops(self.task.curve, self.task.dintensity))
        body = replace(self, task=own)
        tops = beside_tops(local.curve, local.dintensity)
        curves = curves_of(body.task, local.per_decade, data=(local.curve, tops))
        bodies = body.follow(curves, from_bank(body.task, bank), rough)
        bodies = body.follow(curves, apart(bodies, curves.info, STRATEGY.finalists), STRATEGY.coarse)
        starts = [start for one in bodies for start in layered(self.task.model, one.parameters)]
        more = [as_start(self.task, with_fixed(start, self.task.fixed)) for start in starts]
        return distinct(ordered([*found, *self.follow(local, more, STRATEGY.coarse)], local))

    def from_low_q(self, local: ModelCurves, found: list[LocalMinimum], bank: Bank) -> list[LocalMinimum]:
        """Add minima found at low q and followed to higher q, if nothing is near."""
        # Minima are few and wide where there are few fringes, and each fringe more brings narrower ones (so
        # of seismic waves: C. Bunks et al., Geophysics 60 (1995) 1457).
        end = spent() + self.left(STRATEGY.coarse.share)
        # Where a fit is begun anew what seemed near was a wrong minimum.
        tolerance = STRATEGY.coarse.tolerances[0] if self.task.restarts else OPTIMIZE.line_tolerance
        misfit = self._misfit(local, tolerance, end)
        if not found or self.hopeless(found, local, 0) or misfit(found[0].parameters) < enough(local):
            return found
        near: list[LocalMinimum] = []
        rough = replace(STRATEGY.rough, share=STRATEGY.coarse.share)
        for part in growing(local.curve):
            own = replace(self, task=replace(self.task, curve=part, dintensity=local.dintensity[: len(part)]))
            curves = curves_of(own.task, local.per_decade)
            if near:
                near = own.follow(curves, values_of(near[: STRATEGY.followed]), STRATEGY.coarse)
            else:
                near = own.follow(curves, from_bank(own.task, bank), rough)
            if not near:
                break
        return distinct(ordered([*found, *self.follow(local, values_of(near), STRATEGY.coarse)], local))

    def _misfit(self, local: ModelCurves, tolerance: float, end: float) -> Misfit:
        return lambda values: float(np.sum(self._residual(local, values, tolerance, end) ** 2))

    def _residual(
        self, local: ModelCurves, values: dict[str, Any], tolerance: float, end: float
    ) -> NDArray[np.float64]:
        """Residuals at the best scale and background; not finite when the time is up."""
        local.deadline = end
        try:
            return local.solved(values, tolerance)[0]
        except TimeUpError:
            return np.full(1, np.inf)
        finally:
            local.deadline = np.inf

    def _restarted(
        self, local: ModelCurves, found: list[LocalMinimum], attempt: Refine, end: float
    ) -> list[LocalMinimum]:
        local.deadline = end
        try:
            residuals = [local.solved(one.parameters)[0] for one in found]
        except TimeUpError:
            return found
        starts = [replace(one, chisq=float(r @ r)) for one, r in zip(found, residuals, strict=True)]
        # Another try from where the last one ended takes other ways.
        level = round(1e3 * min(one.chisq for one in starts)) % 2**32
        rng = np.random.default_rng([len(local.curve), level, self.task.attempt])
        return restarts(
            load_model(self.task.name).info, starts, attempt, rng,
            fixed=local.fixed, points=PROBLEM.coarse_width_points[fit_cost_class(self.task.model)],
            enough=enough(local), going=lambda: spent() < end,
            most_in_vain=self.task.restarts,
        )  # fmt: skip

    def hopeless(self, found: list[LocalMinimum], local: ModelCurves, stage: int) -> bool:
        """Whether none of these can still come near the best fit of other candidates."""
        least, n = min(d.chisq for d in found), len(local.curve)
        others = n * max(self.task.budget.best_chisq, 1.0)
        explained = explains(self.task.budget.best_chisq, len(self.task.curve)) and not self.task.starts
        gain = (STRATEGY.gain_explained if explained else STRATEGY.gain)[stage]
        return least > gain * others


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


def values_of(found: list[LocalMinimum]) -> list[dict[str, Any]]:
    return [one.parameters for one in found]


def apart(found: list[LocalMinimum], info: Any, count: int) -> list[dict[str, Any]]:
    """Parameters of the first that differ in whole numbers, in which sizes are spread, or in sizes and χ²."""
    kept: list[LocalMinimum] = []
    for one in found:
        if not any(_alike(info, one, other) for other in kept):
            kept.append(one)
    return values_of(kept[:count])


def _alike(info: Any, one: LocalMinimum, other: LocalMinimum) -> bool:
    """Whether two lead to the same minimum; a size that hardly matters is none that differs."""
    a, b = one.parameters, other.parameters
    if _kinds(a) != _kinds(b) or any(a[n] != b.get(n) for n in counts_of(info, a)):
        return False
    near = near_in_size(sizes_of(info, a, frozenset()), a, b)
    return near or abs(np.log(one.chisq / other.chisq)) < STRATEGY.apart_chisq


def _kinds(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values.get(f"{name}_type") for name in widths_of(values)}


def ordered(found: list[LocalMinimum], local: ModelCurves) -> list[LocalMinimum]:
    """Order minima by the Bayesian information criterion, best first."""
    each = float(np.log(len(local.curve)))
    return sorted(found, key=lambda d: d.chisq + local.count(d.parameters) * each)


def distinct(found: list[LocalMinimum]) -> list[LocalMinimum]:
    """One of those that ended in the same local minimum."""
    kept: list[LocalMinimum] = []
    for one in found:
        if all(abs(one.chisq / other.chisq - 1) > OPTIMIZE.same_minimum for other in kept):
            kept.append(one)
    return kept


def enough(local: ModelCurves) -> float:
    """χ² that leaves nothing to look for: its expectation."""
    return float(len(local.curve))
