"""Fit one candidate model to one curve: refine starts within its time, fit the best to the end."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...data.raw import points
from ...digits import significant
from ...simulate.bank import Bank
from ...simulate.kernel import load_model
from ...simulate.priors import default_values
from ...simulate.quick_models.cost_classes import cost_class
from ...simulate.quick_models.quick import fit_cost_class
from ...simulate.size_distributions import find_density
from ...units import unit_of_parameter
from ..ledger import read_spent_time
from ..optimize.finish import Done, finish, finish_as_is, strong_pairs, weakly_shown
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
from ..problem.bounds import range_of
from ..problem.experiment import TimeUpError
from ..problem.free_parameters import (
    SALT,
    are_near_in_size,
    complete_distributions,
    counts_of,
    other_widths,
    points_needed,
    sizes_of,
    widths_of,
)
from ..problem.model_curves import ModelCurves, curves_of
from ..problem.overlaps import is_too_low, lowest_intensity
from ..problem.resolution import coarsen, has_resolution, sampling_needed
from ..result.components import bare
from ..result.fit_warning import About, FitWarning
from ..result.model_fit import ModelFit, Parameter, explains
from ..settings import ASSESSMENT, OPTIMIZE, PROBLEM, START_VALUES
from ..start_values.layered import PLAIN, make_layered_starts, relax_dips
from ..start_values.repeats import repeating
from ..start_values.screening import as_start, from_bank, further, other_interactions
from ..start_values.sums import is_simple_sum, is_smooth_sum
from ..task import UNLIMITED, Budget, Task, no_curve
from .settings import STRATEGY, Pass
from .state import estimate_shared_gain

if TYPE_CHECKING:
    from ...types import Curve


# --- Starts, refined within the time.


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
        """Refine starts, at least one, until noise alone is left or the share of the time is spent."""
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
                if leaves_noise(minima, local):
                    break
        return distinct(sort_minima(minima, local))

    def search_beside(
        self, local: ModelCurves, minima: list[LocalMinimum], settings: Pass
    ) -> list[LocalMinimum]:
        """Add better minima that no slope leads to, while something is left to explain."""
        if not minima or self._is_done(minima, local):
            return minima
        end = read_spent_time() + self.compute_remaining(settings.share)

        most = STRATEGY.gain[0] * max(minima[0].chisq, enough(local))

        def attempt(start: dict[str, Any]) -> LocalMinimum | None:
            if read_spent_time() > end:
                return None
            local.deadline = end
            return refine(local, start, tolerances=settings.tolerances, steps=settings.steps, most=most)

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
            return self._misfit(local, min(OPTIMIZE.rough_tolerance, float(np.median(off))), end)

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
        misfit = self._misfit(local, OPTIMIZE.rough_tolerance, end)
        if not minima:  # a closure of charged spheres has no solution here and there
            other_starts = sorted(other_interactions(self.task, starts), key=misfit)
            minima = self.follow(local, other_starts[: len(starts)], STRATEGY.rough)
        if not minima or self.hopeless(minima, local, 0) or misfit(minima[0].parameters) < enough(local):
            return minima
        extra_starts = repeating(self.task, bank, starts, misfit) + further(self.task, bank)
        extra_starts += self._place_defaults(local, misfit)
        return distinct(sort_minima([*minima, *self.follow(local, extra_starts, STRATEGY.rough)], local))

    def _place_defaults(self, local: ModelCurves, misfit: Misfit) -> list[dict[str, Any]]:
        """Move the peak of sasmodels' defaults to the measured places that fit best; none of a body."""
        start = as_start(self.task, dict(default_values(self.task.name)))
        lines = position_lines(local.info, local.fixed, local.curve.q)(start)
        return sorted(chain.from_iterable(lines), key=misfit)[: START_VALUES.semifinalists]

    def add_layers(self, local: ModelCurves, minima: list[LocalMinimum], bank: Bank) -> list[LocalMinimum]:
        """Add minima from the plain body within a layered one, if something is left."""
        plain = PLAIN.get(self.task.model)
        if plain is None or not minima or leaves_noise(minima, local):
            return minima
        rough = replace(STRATEGY.rough, share=STRATEGY.coarse.share)
        plain_task = replace(
            plain.task_of(self.task), dintensity=relax_dips(self.task.curve, self.task.dintensity)
        )
        body = replace(self, task=plain_task)
        tops = relax_dips(local.curve, local.dintensity)
        curves = curves_of(body.task, local.per_decade, data=(local.curve, tops))
        bodies = body.follow(curves, from_bank(body.task, bank), rough)
        bodies = body.follow(curves, apart(bodies, curves.info, START_VALUES.finalists), STRATEGY.coarse)
        layered = [
            as_start(self.task, start)
            for body_minimum in bodies
            for start in make_layered_starts(self.task.model, body_minimum.parameters)
        ]
        return distinct(sort_minima([*minima, *self.follow(local, layered, STRATEGY.coarse)], local))

    def from_low_q(self, local: ModelCurves, minima: list[LocalMinimum], bank: Bank) -> list[LocalMinimum]:
        """Add minima found at low q and followed to higher q, if nothing is near."""
        # Minima are few and wide where there are few fringes, and each fringe more brings narrower ones (so
        # of seismic waves: C. Bunks et al., Geophysics 60 (1995) 1457).
        end = read_spent_time() + self.compute_remaining(STRATEGY.coarse.share)
        # Where a fit is begun anew what seemed near was a wrong minimum.
        tolerance = STRATEGY.coarse.tolerances[0] if self.task.restarts else OPTIMIZE.rough_tolerance
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
                near = low_q_search.follow(
                    curves, values_of(near[: START_VALUES.semifinalists]), STRATEGY.coarse
                )
            else:
                near = low_q_search.follow(curves, from_bank(low_q_search.task, bank), rough)
            if not near:
                break
        return distinct(sort_minima([*minima, *self.follow(local, values_of(near), STRATEGY.coarse)], local))

    def _is_done(self, minima: list[LocalMinimum], local: ModelCurves) -> bool:
        """Whether nothing is looked for beside them: little is left to explain, or too much."""
        return self.task.settled or leaves_noise(minima, local) or self.hopeless(minima, local, 1)

    def is_enough(self, fine: ModelCurves, minimum: LocalMinimum) -> bool:
        """Whether a minimum explains the curve, and residuals share nothing that another would explain."""
        points = len(fine.curve)
        if not explains(minimum.chisq / points, points):
            return False
        residual = self._residual(fine, minimum.parameters, 0.0, np.inf)
        return is_simple_sum(self.task.model) or estimate_shared_gain(residual) <= STRATEGY.chance_gain

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
            fixed=local.fixed | self.task.kept_widths,
            points=PROBLEM.coarse_width_points[fit_cost_class(self.task.model)],
            is_enough=_Enough(self, local), going=lambda: read_spent_time() < end,
            most_in_vain=self.task.restarts,
        )  # fmt: skip

    def hopeless(self, minima: list[LocalMinimum], local: ModelCurves, stage: int) -> bool:
        """Whether none of these can still come near the best fit of other candidates."""
        return is_far_off(self.task, min(d.chisq for d in minima), len(local.curve), stage)


def is_far_off(task: Task, chisq: float, points: int, stage: int) -> bool:
    """Whether χ² of so many points, after a stage of refinement, can no longer come near the best fit."""
    if task.named:
        return False
    explained = explains(task.budget.best_chisq, len(task.curve)) and not task.starts
    gain = (STRATEGY.gain_explained if explained else STRATEGY.gain)[stage]
    return chisq > gain * points * max(task.budget.best_chisq, 1.0)


@dataclass
class _Enough:
    """Whether a minimum leaves noise alone: on these points, or where it leads on all points."""

    # Means over cells of a curve with fringes are off by more than noise: on a coarse copy even the truth
    # leaves something.
    search: TimedSearch
    local: ModelCurves
    least: float = np.inf  #: χ² of the last minimum that was followed on all points.
    explains: bool = False  #: Whether that explains the curve there.

    def __call__(self, minimum: LocalMinimum) -> bool:
        if minimum.chisq <= enough(self.local):
            return True
        if self._is_asked and minimum.chisq < self.least * (1 - STRATEGY.round_fall):
            self.least, self.explains = minimum.chisq, self._explains_all_points(minimum)
        return self.explains

    @property
    def _is_asked(self) -> bool:
        """Whether these points are fewer, and an explanation is all that is looked for."""
        task = self.search.task
        return len(self.local.curve) < len(task.curve) and task.restarts == np.inf

    def _explains_all_points(self, minimum: LocalMinimum) -> bool:
        fine = curves_of(self.search.task, None)
        fine.deadline = self.local.deadline
        followed = refine(fine, minimum.parameters, steps=STRATEGY.fine.steps)
        return followed is not None and self.search.is_enough(fine, followed)


def growing(curve: Curve) -> list[Curve]:
    """Its points up to a q that grows, from where it has fallen well below its top; none if it does not."""
    top = np.maximum.accumulate(curve.intensity)
    low = np.flatnonzero(curve.intensity < ASSESSMENT.negligible * top)
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
    return near or abs(np.log(first.chisq / second.chisq)) < STRATEGY.round_fall


def _kinds(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values.get(f"{name}_type") for name in widths_of(values)}


def sort_minima(minima: list[LocalMinimum], local: ModelCurves) -> list[LocalMinimum]:
    """Order minima by the Bayesian information criterion, best first."""
    cost_each = float(np.log(len(local.curve)))
    return sorted(minima, key=lambda d: d.chisq + local.count(d.parameters) * cost_each)


def distinct(minima: list[LocalMinimum]) -> list[LocalMinimum]:
    """One of those that ended in the same local minimum, with the number of starts of all."""
    kept_minima: list[LocalMinimum] = []
    for minimum in minima:
        place = next((i for i, kept in enumerate(kept_minima) if _is_same(minimum, kept)), None)
        if place is None:
            kept_minima.append(minimum)
        else:
            kept = kept_minima[place]
            kept_minima[place] = replace(kept, starts=kept.starts + minimum.starts)
    return kept_minima


def _is_same(minimum: LocalMinimum, other_minimum: LocalMinimum) -> bool:
    return abs(minimum.chisq / other_minimum.chisq - 1) <= PROBLEM.alike


def leaves_noise(minima: Sequence[LocalMinimum], local: ModelCurves) -> bool:
    """Whether χ² is as low as expected; or within its scatter where two starts have led."""
    best, points = min(minima, key=lambda minimum: minimum.chisq), len(local.curve)
    starts = sum(minimum.starts for minimum in minima if _is_same(minimum, best))
    return best.chisq < enough(local) or (starts > 1 and explains(best.chisq / points, points))


def enough(local: ModelCurves) -> float:
    """χ² that leaves nothing to look for: its expectation."""
    return float(len(local.curve))


# --- One candidate.


@dataclass(frozen=True)
class Starts:
    """Where the fit of a candidate starts."""

    found: list[LocalMinimum]  #: Best first; none where the model has no finite curve.
    per_decade: int | None  #: Points of q that they were calculated at, for `problem.resolution`.
    hopeless: bool = False  #: So far from the best fit of others that they were not followed to the end.


def refine_starts(task: Task, bank: Bank, start_time: float) -> Starts:
    """The best starts, refined on a coarse copy of the data and then on all points."""
    # Each stage has fewer of them: what is so far behind others that no later stage could make up for it ends
    # here. Beside the best of a stage lie what no slope leads to.
    search = TimedSearch(task, start_time)
    # A coarse copy is not what was measured.
    copy = None if task.as_measured else coarsen(task.curve, task.dintensity)
    coarse = curves_of(task, None if task.as_measured else PROBLEM.sparse, data=copy)
    minima = search.search_beside(coarse, _follow_starts(search, coarse, bank), STRATEGY.coarse)
    if not minima:
        return Starts([], None)
    if search.hopeless(minima, coarse, 1):
        return Starts([min(minima, key=lambda d: d.chisq)], coarse.per_decade, hopeless=True)
    # What is enough on the coarse copy may not be on all points: another count of arms, or a width.
    looked = not leaves_noise(minima, coarse)
    return _refine_on_all_points(search, values_of(minima[: START_VALUES.finalists]), looked=looked)


def _follow_starts(search: TimedSearch, coarse: ModelCurves, bank: Bank) -> list[LocalMinimum]:
    """The task's own starts, or else the bank's nearest, followed downhill on coarse points."""
    task = search.task
    if task.starts:
        return search.follow(coarse, [as_start(task, start) for start in task.starts], STRATEGY.coarse)
    minima = search.from_bank(coarse, bank)
    if minima and not leaves_noise(minima, coarse) and not search.hopeless(minima, coarse, 0):
        minima = search.follow(
            coarse, apart(minima, coarse.info, START_VALUES.semifinalists), STRATEGY.coarse
        )
    return search.from_low_q(coarse, search.add_layers(coarse, minima, bank), bank)


def _refine_on_all_points(
    search: TimedSearch, starts: list[dict[str, Any]], *, looked: bool = False
) -> Starts:
    """Refine with as many q points and distribution points as the data need; `looked`: neighbours of the best
    were tried on the coarse copy.
    """
    task, settings = search.task, STRATEGY.fine
    sampling = _sampling(task, starts[0], search.compute_remaining(settings.share))
    fine = curves_of(task, sampling)
    # A width makes many curves of one: what has none is refined before the time is spent.
    order = sorted(starts, key=lambda start: len(widths_of(start)))
    minima = search.follow(fine, (_add_needed_points(search, fine, start) for start in order), settings)
    if not minima:
        return Starts([], None)
    if widths_of(minima[0].parameters) and not search.is_enough(fine, minima[0]):
        # On a coarse copy the few sizes of a broad distribution have fringes of their own, which lead to
        # sizes that are right without a distribution.
        plain = other_widths(task, minima[0].parameters)[-1:]
        minima = distinct(sort_minima([*minima, *search.follow(fine, plain, settings)], fine))
    if not looked and (task.restarts or not search.is_enough(fine, minima[0])):
        minima = search.search_beside(fine, minima, settings)
    # What was found may need more points than what it started from: finer fringes, narrower widths.
    best = _add_needed_points(search, fine, minima[0].parameters)
    finer = _sampling(task, best, search.compute_remaining(settings.share)) if sampling else None
    return Starts([replace(minima[0], parameters=best), *minima[1:]], max(sampling or 0, finer or 0) or None)


def _add_needed_points(search: TimedSearch, local: ModelCurves, parameters: dict[str, Any]) -> dict[str, Any]:
    """Use as many points of distributions as there is time to find out about."""
    seconds = max(
        search.compute_remaining(STRATEGY.fine.share), OPTIMIZE.least_share * search.task.budget.seconds
    )
    local.deadline = read_spent_time() + seconds
    try:
        count = points_needed(search.task.model, parameters, lambda p: local.solve(p)[0])
    except TimeUpError:
        return parameters
    return complete_distributions(parameters, count)


def _sampling(task: Task, parameters: dict[str, Any], seconds: float) -> int | None:
    if task.as_measured or not has_resolution(task.curve):
        return None
    cost = fit_cost_class(task.model)
    until = read_spent_time() + max(seconds, OPTIMIZE.least_share * task.budget.seconds)

    def theory(per_decade: int | None) -> NDArray[np.float64]:
        local = curves_of(task, per_decade)
        local.deadline = until
        residual, _, _ = local.solve(parameters)
        return residual

    try:
        return sampling_needed(theory, finest=PROBLEM.finest_by_cost[cost])
    except TimeUpError:
        return PROBLEM.sparse


FAR_OFF = FitWarning(
    "This fit was stopped early: it was much worse than others from all starting values. This says little"
    " against the model."
)


def fit_candidate(task: Task, bank: Bank, budget: Budget = UNLIMITED) -> ModelFit:
    """Refine the bank's nearest curves, then fit the best by Bumps' Levenberg-Marquardt, within the pool's
    and the task's budget. Raises SasnetError if no start gives a finite curve.
    """
    task = replace(task, budget=task.budget.limit_by(budget))
    spent_time = read_spent_time()
    if task.beside:
        starts = _refine_on_all_points(
            TimedSearch(task, spent_time), [as_start(task, start) for start in task.starts]
        )
    else:
        starts = refine_starts(task, bank, spent_time)
    return _finish_candidate(task, starts, spent_time)


def _finish_candidate(task: Task, starts: Starts, start_time: float) -> ModelFit:
    if starts.hopeless:
        as_it_is = finish_as_is(task, starts.found[0], starts.per_decade)
        as_it_is = _limit_background(task, as_it_is, starts.per_decade, start_time)
        unfinished = make_model_fit(task, as_it_is, starts.per_decade, read_spent_time() - start_time)
        # On all points it may be near, though it is not on a coarse copy of them.
        if is_far_off(task, unfinished.chisq, len(task.curve), 1):
            return replace(unfinished, warnings=(*as_it_is.warnings, FAR_OFF), given_up=True)
    finished = None
    for start in starts.found:
        seconds_left = task.budget.seconds - (read_spent_time() - start_time)
        finished = finish(
            task, start, starts.per_decade, max(seconds_left, OPTIMIZE.least_share * task.budget.seconds)
        )
        if finished is not None:
            break
    if finished is None:
        raise no_curve(task.name)
    best, simpler = _fix_at_defaults(task, finished, starts.per_decade, start_time)
    best = _limit_background(simpler, best, starts.per_decade, start_time)
    return make_model_fit(task, best, starts.per_decade, read_spent_time() - start_time)


def _limit_background(task: Task, finished: Done, per_decade: int | None, start_time: float) -> Done:
    """Fit again with the lowest background that data show, where a lower one makes the intensity negative."""
    measured = task.curve.intensity
    is_given = "background" in task.fixed or "background" in task.ranges
    if is_given or not is_too_low(finished.theory, measured):
        return finished
    lowest = lowest_intensity(measured)
    start, fixed = _fix_parameter(task, finished, "background", lowest)
    seconds = task.budget.seconds - (read_spent_time() - start_time)
    bounded = finish(
        replace(task, fixed=fixed),
        LocalMinimum(start, np.inf),
        per_decade,
        max(seconds, OPTIMIZE.least_share * task.budget.seconds),
    )
    if bounded is None:
        raise no_curve(task.name)
    return replace(bounded, warnings=(*finished.warnings, *bounded.warnings, _describe_bound(lowest)))


def _describe_bound(lowest: float) -> FitWarning:
    return FitWarning(
        f"background is fixed at {significant(lowest, 3)}: with a lower one the calculated intensity"
        " falls below zero and below all measured points.",
        About.VALUE,
        parameter="background",
    )


def _fix_at_defaults(
    task: Task, finished: Done, per_decade: int | None, start_time: float
) -> tuple[Done, Task]:
    """Set parameters that the data hardly show to defaults if the evidence is no worse."""
    info = load_model(task.name).info
    for name, default in weakly_shown(finished, info, {*task.fixed, *task.fitted}, task.ranges).items():
        seconds_left = task.budget.seconds - (read_spent_time() - start_time)
        if seconds_left < 0 or name not in {*finished.free, *finished.same}:
            continue
        start, fixed = _fix_parameter(task, finished, name, default)
        simpler = replace(task, fixed=fixed)
        simpler_fit = finish(simpler, LocalMinimum(start, finished.chisq), per_decade, seconds_left)
        if simpler_fit is not None and simpler_fit.bic <= finished.bic:
            notes = _describe_default(name, default)
            finished, task = replace(simpler_fit, warnings=(*finished.warnings, *notes)), simpler
    return finished, task


def _fix_parameter(
    task: Task, finished: Done, name: str, default: float
) -> tuple[dict[str, Any], dict[str, float]]:
    """Where a fit starts that holds a parameter at its default, and what it has fixed."""
    if name.endswith("_pd"):  # without a distribution
        return {k: v for k, v in finished.parameters.items() if not k.startswith(name)}, dict(task.fixed)
    return finished.parameters | {name: default}, {**task.fixed, name: default}


def _describe_default(name: str, default: float) -> tuple[FitWarning, ...]:
    silent = name.endswith(("_pd", "scale", "i_zero")) or bare(name) == SALT
    return () if silent else (_not_shown(name, default),)


def _not_shown(name: str, default: float) -> FitWarning:
    sentence = (
        f"{name} is not determined by these data; it is fixed at {default:g}, the default of sasmodels."
    )
    return FitWarning(sentence, About.VALUE, parameter=name)


def make_model_fit(task: Task, finished: Done, per_decade: int | None, seconds: float) -> ModelFit:
    """Where a fit has ended, as people and programs see it."""
    if not np.all(np.isfinite(finished.theory)):  # one without values could not be weighed against others
        raise no_curve(task.name)
    info = load_model(task.name).info
    # sasmodels writes "None" where a parameter has no unit.
    units = {
        p.name: unit_of_parameter(str(p.units or "").replace("None", ""), task.curve.intensity_unit)
        for p in info.parameters.call_parameters
    }
    parameters = {
        name: _make_fitted_parameter(task, finished, name, value, units.get(name, ""))
        if name in finished.free
        else Parameter(value, None, units.get(name, ""), True, value, value)
        for name, value in _select_values(info, finished.parameters, task.fitted).items()
    }
    spread = _distributions(finished.parameters, parameters)
    degrees = max(len(task.curve) - len(finished.free), 1)
    return ModelFit(
        task.model, task.structure_factor, parameters, spread, finished.chisq, finished.chisq / degrees,
        finished.bic,
        task.probability, seconds, finished.theory, warnings=finished.warnings,
        correlations=strong_pairs(finished.slopes) if finished.slopes else {}, derivatives=finished.slopes,
        per_decade=per_decade, pd_points=_width_points(finished, task.model),
        components=finished.components, cut=finished.cut,
    )  # fmt: skip


def _width_points(finished: Done, model: str) -> int:
    """Points of the distributions over `USUAL_RANGE`, the usual number where there is none."""
    values = finished.parameters
    points = [
        math.ceil(
            find_density(values[f"{k}_type"], float(values[k]), values[f"{k}_n"], k.removesuffix("_pd"))
        )
        for k in widths_of(values)
        if f"{k}_n" in values
    ]
    return max(points, default=PROBLEM.width_points[cost_class(model)])


def _distributions(values: Mapping[str, Any], parameters: Mapping[str, Parameter]) -> dict[str, str]:
    kinds = {k.removesuffix("_pd_type"): v for k, v in values.items() if k.endswith("_pd_type")}
    return {k: v for k, v in kinds.items() if f"{k}_pd" in parameters}


def _make_fitted_parameter(task: Task, finished: Done, name: str, value: float, unit: str) -> Parameter:
    low, high = task.ranges.get(name) or range_of(load_model(task.name).info, name, value)
    error = float(finished.errors.get(name, np.nan))
    return Parameter(value, error if np.isfinite(error) else None, unit, False, float(low), float(high))


def _select_values(info: Any, parameters: dict[str, Any], fitted: Collection[str] = ()) -> dict[str, float]:
    """Values worth keeping, by sasmodels' table: all of a model's, and widths that are fitted or not zero."""
    values = {}
    for p in info.parameters.call_parameters:
        if p.type in ("orientation", "magnetic"):
            continue
        values[p.name] = float(parameters.get(p.name, p.default))
        width = float(parameters.get(f"{p.name}_pd", 0.0))
        if p.polydisperse and (width > 0 or f"{p.name}_pd" in fitted):
            values[f"{p.name}_pd"] = width
    return values
