"""Where the fit of a candidate starts: the bank's nearest curves, polished on few points and then on all."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.assessment.ranking import doubtful, explains
from sasnet_plugin.fitting.optimize.local_search import LocalMinimum, LocalSearch
from sasnet_plugin.fitting.problem.experiment import TimeUpError, experiment
from sasnet_plugin.fitting.problem.rebinning import coarsened
from sasnet_plugin.fitting.problem.resolution import sampling_needed
from sasnet_plugin.fitting.problem.size_distributions import points_needed, spread_in_turn, with_points
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.fitting.start_values.initial_values import as_start, from_bank
from sasnet_plugin.fitting.strategy.timed_search import Search, has_width, ordered, values_of
from sasnet_plugin.simulate.quick import fit_cost_class
from sasnet_plugin.types import Curve

if TYPE_CHECKING:
    from sasnet_plugin.fitting.task import Task
    from sasnet_plugin.simulate.bank import Bank

#: How many starts are followed further on the coarse copy; how many go on to all points.
_FOLLOWED, _FINALISTS = {"fast": 5, "medium": 4, "slow": 3}, {"fast": 3, "medium": 2, "slow": 2}
#: Points a decade at which starts are calculated, in the first steps and after.
_FIRST_SAMPLING = {"fast": PROBLEM.fine, "medium": 50, "slow": 40}
_SAMPLING = {"fast": PROBLEM.fine, "medium": 100, "slow": 80}
_FINEST = {"fast": PROBLEM.sharpest, "medium": 2 * PROBLEM.fine, "slow": PROBLEM.fine}
#: A candidate whose starts are worse than the best fit so far by a factor is not followed any further: on the
#: coarse copy, after the first steps from the bank's curves, and after the last.
_FAST_LIMITS = (100.0, 20.0)
#: The same for dear models: where another has explained the curve, nearly so (χ²/dof below), or none has.
_DEAR_LIMITS, _NEARLY = ((15.0, 1.3), (15.0, 2.5), (40.0, 8.0)), 5.0
#: What the network gives so much is followed as far as a fast one, unless another explains the curve.
_LIKELY = 0.2
#: CPU time of a dear model's task from which on it leaps to other valleys, s.
_PATIENT = 15.0
#: No width is tried on a fit whose χ² is that of the best so far, within so much.
_AS_GOOD = 1.05


@dataclass(frozen=True)
class Starts:
    """Where the fit of a candidate starts.

    Parameters
    ----------
    found : list of LocalMinimum
        Best first; none where the model has no finite curve.
    per_decade : int or None
        Points of q that they were calculated at, for `smearing.resolution`.
    hopeless : bool
        So far from the best fit of others that they were not followed to the end.
    """

    found: list[LocalMinimum]
    per_decade: int | None
    hopeless: bool = False


def polished(task: Task, bank: Bank, began: float) -> Starts:
    """The best starts, polished on a coarse copy of the data and then on all points.

    Parameters
    ----------
    task : Task
    bank : Bank
    began : float
        CPU time when work on the task began, s.
    """
    speed, search = fit_cost_class(task.model), Search(task, began)
    coarse_copy = coarsened(task.curve, task.dintensity)
    rough = _polisher(task, *coarse_copy, _SAMPLING[speed])
    # Other starts of a dear model are of no interest where one explains the coarse copy.
    until = 0.0 if speed == "fast" else float(len(coarse_copy[0]))
    limits = _limits(task)
    if task.starts:
        first = search.follow(rough, [as_start(task, s) for s in task.starts], 0.3, 0.02, 0.0, steps=12)
    elif task.hops:
        first = _leapt(search, bank, coarse_copy, rough)
    else:
        quick = _polisher(task, *coarse_copy, _FIRST_SAMPLING[speed])
        first = search.follow(quick, from_bank(task, bank), 0.3, 0.1, steps=6, until=until)
        if first and speed == "slow" and first[0].chisq > until and not has_width(first[0]):
            # Few of the bank's curves of such models have a width.
            widened = spread_in_turn(task, first[0].parameters)
            first = ordered(first + search.follow(quick, widened, 0.4, 0.1, steps=6), quick)
        if first and not search.behind(first, rough, limits[0]):
            again = values_of(first[: _FOLLOWED[speed]])
            first = search.follow(rough, again, 0.5, 0.02, 0.0, steps=10, until=until)
            first = search.varied(rough, first)
            if speed == "slow" and task.budget.seconds > _PATIENT and first[0].chisq > until:
                first = search.hopped(rough, first)
    if not first:
        return Starts([], None)
    spread = [] if has_width(first[0]) else spread_in_turn(task, first[0].parameters)
    if search.behind(first, rough, _FAST_LIMITS[1]):
        spread = []
    elif spread and search.behind(first, rough, limits[1]):
        # A width may be all that is missing.
        first = ordered(first + search.follow(rough, spread, 0.6, 0.02, 0.0, steps=8), rough)
        spread = []
    if search.behind(first, rough, limits[1]):
        return Starts([min(first, key=lambda d: d.chisq)], _SAMPLING[speed], hopeless=True)
    finalists = first[: _FINALISTS[speed]]
    if speed == "medium":
        # What has no width costs little, and may only lie in the wrong valley.
        finalists += [d for d in first if not has_width(d) and d not in finalists][:1]
    enough = 0.0 if speed == "fast" else float(len(task.curve))
    found = _on_all_points(search, values_of(finalists), 0.6, enough)
    if spread and found.found and not _satisfied(task, found.found[0], first[0].chisq / len(coarse_copy[0])):
        wide = search.follow(rough, spread, 0.75, 0.02, 0.0, steps=8)
        wide = [w for w in wide if w.chisq < first[0].chisq][: _FINALISTS[speed]]
        more = _on_all_points(search, values_of(wide), 0.8, 0.0) if wide else Starts([], None)
        finest = max(found.per_decade or 0, more.per_decade or 0) or None
        found = Starts(ordered(found.found + more.found, rough), finest)
    return found


def _leapt(
    search: Search, bank: Bank, coarse_copy: tuple[Curve, NDArray[np.float64]], rough: LocalSearch
) -> list[LocalMinimum]:
    """Valleys that leaps from the bank's starts find, on all points where the coarse copy is explained."""
    task, speed = search.task, fit_cost_class(search.task.model)
    begun, ended = (0.3, 0.5) if speed == "slow" else (0.1, 0.25)
    quick = _polisher(task, *coarse_copy, _FIRST_SAMPLING[speed])
    first = search.follow(quick, from_bank(task, bank), begun, 0.1, steps=6)
    first = search.follow(rough, values_of(first), ended, 0.02, 0.0, steps=10)
    if not first:
        return []
    satisfied = first[0].chisq < len(rough.curve)
    whole = _polisher(task, task.curve, task.dintensity, _SAMPLING[speed]) if satisfied else rough
    return search.hopped(whole, first)


def _satisfied(task: Task, found: LocalMinimum, on_coarse: float) -> bool:
    """Whether nothing is left for a width to explain: in itself, or as other models leave as much."""
    n = len(task.curve)
    as_others = on_coarse < 1 and found.chisq / n < _AS_GOOD * task.budget.best_chisq
    return not doubtful(found.chisq / n, n) or as_others


def _on_all_points(search: Search, found: list[dict[str, Any]], share: float, until: float) -> Starts:
    """Polish with as many points of q and of size distributions as the data can tell."""
    task, speed = search.task, fit_cost_class(search.task.model)
    end = search.began + share * task.budget.seconds

    def needed(polisher: LocalSearch, parameters: dict[str, Any]) -> dict[str, Any]:
        """With as many points of its distributions as the time is enough to find out about."""
        polisher.deadline = max(end, time.process_time() + 0.05 * task.budget.seconds)
        try:
            count = points_needed(task.model, parameters, lambda p: polisher.solved(p)[0])
        except TimeUpError:
            return parameters
        return with_points(parameters, count)

    fine = _polisher(task, task.curve, task.dintensity, _SAMPLING[speed])
    finalists = [needed(fine, p) for p in found]
    sampling = _sampling(task, finalists[0], end - time.process_time())
    fine = _polisher(task, task.curve, task.dintensity, sampling)
    done = search.follow(fine, finalists, share, 0.0, steps=20, until=until)
    if done:
        # The width that was found may need more points than the one that it started from.
        done = search.varied(fine, done, cross=True)
        more = needed(fine, done[0].parameters)
        changed = more != done[0].parameters
        # So may the points of q, where its fringes or peaks have become sharper.
        sharper = _sampling(task, more, end - time.process_time()) if sampling and speed != "slow" else None
        if sharper and sampling and sharper > sampling:
            sampling = sharper
            fine = _polisher(task, task.curve, task.dintensity, sampling)
            changed = True
        if changed:
            done = search.follow(fine, [more], share + 0.1, 0.0, steps=8) + done[1:]
    return Starts(done, sampling)


def _limits(task: Task) -> tuple[float, float]:
    """How much worse than the best so far a candidate may be after its first and its last steps."""
    if fit_cost_class(task.model) == "fast":
        return _FAST_LIMITS
    if explains(task.budget.best_chisq, len(task.curve)):
        return _DEAR_LIMITS[0]
    if task.probability > _LIKELY:
        return _FAST_LIMITS
    return _DEAR_LIMITS[1 if task.budget.best_chisq < _NEARLY else 2]


def _polisher(
    task: Task, curve: Curve, dintensity: NDArray[np.float64], per_decade: int | None
) -> LocalSearch:
    held = frozenset(task.fixed or ())
    return LocalSearch(curve, dintensity, task.name, fixed=held, ranges=task.ranges, per_decade=per_decade)


def _sampling(task: Task, parameters: dict[str, Any], seconds: float) -> int | None:
    """Points a decade for the fit of all points."""
    speed = fit_cost_class(task.model)
    fitness = experiment(
        task.curve, task.dintensity, task.name, parameters, seconds=max(seconds, 0.5), quick=True
    )
    try:
        return sampling_needed(fitness, task.curve, finest=_FINEST[speed])
    except TimeUpError:
        return _SAMPLING[speed]
