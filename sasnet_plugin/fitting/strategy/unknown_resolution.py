"""Resolution that a file does not state, found with the models that explain the curve best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.assessment.goodness_of_fit import doubtful
from sasnet_plugin.fitting.effort import spent
from sasnet_plugin.fitting.optimize.local_search import LocalSearch
from sasnet_plugin.fitting.problem.experiment import starting_values
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.fitting.strategy.settings import STRATEGY
from sasnet_plugin.fitting.task import UNLIMITED, Budget, Task
from sasnet_plugin.simulate.quick_models.quick import fit_cost_class
from sasnet_plugin.types import Curve

from ...digits import significant

if TYPE_CHECKING:
    from sasnet_plugin.simulate.bank import Bank


@dataclass(frozen=True)
class Guess:
    """A resolution, dq = √((relative q)² + absolute²), and a model's parameters and χ² with it.

    Parameters
    ----------
    relative : float
        dq/q.
    absolute : float
        Å⁻¹.
    parameters : dict
        sasmodels' parameters.
    chisq : float
    name : str
        sasmodels' name of the model.
    """

    relative: float
    absolute: float
    parameters: dict[str, Any]
    chisq: float = np.inf
    name: str = ""

    def dq(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        """One standard deviation, Å⁻¹."""
        return np.hypot(self.relative * q, self.absolute)

    @property
    def words(self) -> str:
        """For people."""
        return (
            f"dq/q = {significant(100 * self.relative, 2)} %"
            if self.relative
            else f"dq = {significant(self.absolute, 2)} Å⁻¹"
        )


@dataclass(frozen=True)
class ResolutionSearch:
    """Asks for the resolution of a curve that states none.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
    name : str
        sasmodels' name of a model that explains the curve well without resolution.
    parameters : dict
        Of its fit.
    fixed : frozenset of str
        Parameters that a user has fixed.
    budget : Budget
        What it takes at most.
    """

    curve: Curve
    dintensity: NDArray[np.float64]
    name: str
    parameters: dict[str, Any]
    fixed: frozenset[str] = frozenset()
    budget: Budget = Budget(STRATEGY.dq_time)


def resolution_of(
    asked: ResolutionSearch, bank: Bank | None = None, budget: Budget = UNLIMITED
) -> Guess | None:
    """The resolution, or None where the curve does not ask for one; work for a pool, which needs no bank.

    Widths of usual instruments are tried first; the best is then changed by factors that become smaller, and
    the model's parameters move with it.
    """
    deadline = spent() + asked.budget.within(budget).seconds
    tried: list[Guess] = []

    def attempt(relative: float, absolute: float, start: dict[str, Any]) -> None:
        if spent() > deadline:
            return
        guess, curve, points = Guess(relative, absolute, start, name=asked.name), asked.curve, None
        if relative or absolute:
            curve = replace(curve, dq=guess.dq(curve.q))
            expensive = fit_cost_class(asked.name) != "fast"
            # A smaller dq/q needs more points of q, as their distance has to be smaller still.
            few = expensive and (relative > STRATEGY.coarse_dq or absolute)
            points = PROBLEM.fine if few else PROBLEM.finest
        local = LocalSearch(curve, asked.dintensity, asked.name, fixed=asked.fixed, per_decade=points)
        local.deadline = deadline
        done = local.refine(start, tolerances=(0.0,), steps=STRATEGY.dq_steps, enough=STRATEGY.enough)
        if done is not None:
            tried.append(replace(guess, chisq=done.chisq, parameters=done.parameters))

    def best() -> Guess:
        return min(tried, key=lambda guess: guess.chisq)

    attempt(0.0, 0.0, asked.parameters)
    if not tried:
        return None
    without = tried[0]
    for relative in STRATEGY.relative_dq:
        attempt(relative, 0.0, without.parameters)
    for absolute in STRATEGY.absolute_dq:
        attempt(0.0, absolute, without.parameters)
    found = best()
    for factor in STRATEGY.dq_factors if found.relative or found.absolute else ():
        before = np.inf
        while found.chisq < before * (1 - STRATEGY.dq_fall):
            before = found.chisq
            for step in (factor, 1 / factor):
                attempt(step * found.relative, step * found.absolute, found.parameters)
            found = best()
    n = len(asked.curve)
    # Where even the best χ² is above n, the uncertainties are taken to be too small by its root.
    tempering = max(found.chisq / n, 1.0)
    return None if without.chisq - found.chisq < tempering * (STRATEGY.dq_gain + np.log(n)) else found


def resolution_searches(
    tasks: Sequence[Task], fits: Sequence[ModelFit], seconds: float
) -> list[ResolutionSearch]:
    """Searches for a resolution, with the best of the fits and with those of the likeliest models.

    A flexible model may imitate the smearing of the right one, which without a resolution fits badly.

    Parameters
    ----------
    tasks : sequence of Task
    fits : sequence of ModelFit
        At least one.
    seconds : float
        Evaluations (`effort`) for each search.

    Returns
    -------
    list of ResolutionSearch
        Empty where the best fit leaves nothing to explain.
    """
    best = min(fits, key=lambda f: f.bic)
    degrees = max(len(tasks[0].curve) - len(best.free), 1)
    if not doubtful(best.chisq / degrees, degrees):
        return []
    near = [f for f in fits if f.chisq < STRATEGY.dq_near * best.chisq]
    likely = sorted(near, key=lambda f: -f.probability)
    likely = likely[:1] + [f for f in likely[1:] if f.probability >= STRATEGY.dq_possible]
    chosen = [best, *(f for f in likely if f is not best)]
    by_name = {t.name: t for t in tasks}
    found = []
    for fit in chosen[: STRATEGY.dq_searches]:
        task, start = by_name[fit.name], starting_values(fit)
        budget = Budget(min(seconds, task.budget.seconds))
        found.append(
            ResolutionSearch(task.curve, task.dintensity, fit.name, start, frozenset(task.fixed), budget)
        )
    return found


def again_with(guess: Guess, tasks: Sequence[Task], fits: Sequence[ModelFit]) -> list[Task]:
    """The candidates that are not far off, on a curve with resolution, each from its fit without.

    The one that the resolution was found with starts from its parameters there.
    """
    least = min(f.chisq for f in fits)
    by_name = {f.name: f for f in fits if f.chisq < STRATEGY.dq_far * least}
    curve = replace(tasks[0].curve, dq=guess.dq(tasks[0].curve.q))
    found = {guess.name: (guess.parameters,)}
    return [
        replace(t, curve=curve, starts=found.get(t.name, (starting_values(by_name[t.name]),)))
        for t in tasks
        if t.name in by_name
    ]
