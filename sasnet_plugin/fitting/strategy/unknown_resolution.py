"""Resolution that a file does not state, found with the model that explains the curve best."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.assessment.ranking import doubtful
from sasnet_plugin.fitting.optimize.local_search import LocalMinimum, LocalSearch
from sasnet_plugin.fitting.problem.experiment import starting_values
from sasnet_plugin.fitting.result.fit_result import ModelFit
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.fitting.task import UNLIMITED, Budget, Task
from sasnet_plugin.simulate.quick import fit_cost_class
from sasnet_plugin.types import Curve

if TYPE_CHECKING:
    from sasnet_plugin.simulate.bank import Bank

#: dq/q of synchrotrons and of pinhole instruments, and dq of laboratory cameras, Å⁻¹.
_RELATIVE, _ABSOLUTE = (0.006, 0.02, 0.04, 0.08), (7e-4, 1.5e-3)
#: A smaller dq/q needs more points of q, as their distance has to be smaller still; fast models have them.
_COARSE = 0.015
#: The best of these is made better in factors that become smaller.
_FACTORS = (1.4, 1.2, 1.1, 1.05, 1.02, 1.01)
#: A factor is tried again as long as χ² falls by more, relative: the model moves with the resolution.
_SLOWLY = 0.01
#: χ² must fall by so much more than ln n, in units of the reduced χ² where that is above 1: "very strong"
#: evidence (Kass & Raftery, J. Am. Stat. Assoc. 90 (1995) 773).
_GAIN = 10.0


#: A likely model whose χ² is larger than the best's by more is not worth a search.
_NEAR = 100.0
#: The network's probability from which on a model is worth one, and most searches.
_POSSIBLE, _MOST = 0.15, 4
#: A candidate worse than the best by this factor is not fitted again with the resolution that was found.
_FAR = 30.0


@dataclass(frozen=True)
class Guess:
    """A resolution, dq = √((relative q)² + absolute²), and a model's parameters and χ² with it."""

    relative: float
    absolute: float
    name: str
    parameters: dict[str, Any]
    chisq: float = np.inf

    def dq(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        """One standard deviation, Å⁻¹."""
        return np.hypot(self.relative * q, self.absolute)

    @property
    def words(self) -> str:
        """For people."""
        return f"dq/q = {100 * self.relative:.2g} %" if self.relative else f"dq = {self.absolute:.2g} Å⁻¹"


@dataclass(frozen=True)
class ResolutionTask:
    """Look for the resolution of a curve that states none.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
    name : str
        sasmodels' name of the model that explains the curve best without resolution.
    parameters : dict
        Of its fit.
    held : frozenset of str
        Parameters that a user has fixed.
    budget : Budget
        What it takes at most.
    """

    curve: Curve
    dintensity: NDArray[np.float64]
    name: str
    parameters: dict[str, Any]
    held: frozenset[str] = frozenset()
    budget: Budget = Budget(10.0)

    def run(self, budget: Budget) -> Guess | None:
        """The resolution, or None where the curve does not ask for one."""
        deadline = time.process_time() + self.budget.within(budget).seconds
        tried: list[Guess] = []

        def attempt(relative: float, absolute: float, start: dict[str, Any]) -> None:
            guess = Guess(relative, absolute, self.name, start)
            if time.process_time() > deadline:
                return
            if relative or absolute:
                dear = fit_cost_class(self.name.partition("@")[0]) != "fast"
                points = PROBLEM.fine if dear and (relative > _COARSE or absolute) else PROBLEM.finest
                polisher = self._polisher(replace(self.curve, dq=guess.dq(self.curve.q)), points)
            else:
                polisher = self._polisher(self.curve, None)
            polisher.deadline = deadline
            done: LocalMinimum | None = polisher.refine(start, tolerances=(0.0,), steps=6, enough=1e-4)
            if done is not None:
                tried.append(replace(guess, chisq=done.chisq, parameters=done.parameters))

        attempt(0.0, 0.0, self.parameters)
        if not tried:
            return None
        start = tried[0].parameters
        for relative in _RELATIVE:
            attempt(relative, 0.0, start)
        for absolute in _ABSOLUTE:
            attempt(0.0, absolute, start)
        best = min(tried, key=lambda g: g.chisq)
        for factor in _FACTORS if best.relative or best.absolute else ():
            before = np.inf
            while best.chisq < before * (1 - _SLOWLY):
                before = best.chisq
                for step in (factor, 1 / factor):
                    attempt(step * best.relative, step * best.absolute, best.parameters)
                best = min(tried, key=lambda g: g.chisq)
        n = len(self.curve)
        tempering = max(best.chisq / n, 1.0)
        if tried[0].chisq - best.chisq < tempering * (_GAIN + np.log(n)):
            return None
        return best

    def _polisher(self, curve: Curve, per_decade: int | None) -> LocalSearch:
        return LocalSearch(curve, self.dintensity, self.name, fixed=self.held, per_decade=per_decade)


def resolution_of(asked: ResolutionTask, bank: Bank, budget: Budget = UNLIMITED) -> Guess | None:
    """The resolution that was asked for; work for a pool."""
    return asked.run(budget)


def unstated_resolution(
    tasks: Sequence[Task], fits: Sequence[ModelFit], seconds: float
) -> list[ResolutionTask]:
    """Searches for a resolution, with the best of the fits and with those of the likeliest models.

    A flexible model may imitate the smearing of the right one, which without a resolution fits badly.

    Parameters
    ----------
    tasks : sequence of Task
    fits : sequence of ModelFit
        At least one.
    seconds : float
        CPU time for each search.

    Returns
    -------
    list of ResolutionTask
        None where the best fit leaves nothing to explain.
    """
    best = min(fits, key=lambda f: f.bic)
    degrees = max(len(tasks[0].curve) - len(best.free), 1)
    if not doubtful(best.chisq / degrees, degrees):
        return []
    near = [f for f in fits if f.chisq < _NEAR * best.chisq]
    likely = sorted(near, key=lambda f: -f.probability)
    likely = likely[:1] + [f for f in likely[1:] if f.probability >= _POSSIBLE]
    chosen = [best, *(f for f in likely if f is not best)]
    by_name = {t.name: t for t in tasks}
    found = []
    for fit in chosen[:_MOST]:
        task = by_name[fit.name]
        held = frozenset(task.fixed)
        start, limit = starting_values(fit), min(seconds, task.budget.seconds)
        found.append(ResolutionTask(task.curve, task.dintensity, fit.name, start, held, Budget(limit)))
    return found


def again_with(guess: Guess, tasks: Sequence[Task], fits: Sequence[ModelFit]) -> list[Task]:
    """The candidates that are not far off, on a curve with resolution, each from its fit without.

    The one that the resolution was found with starts from its parameters there.
    """
    least = min(f.chisq for f in fits)
    by_name = {f.name: f for f in fits if f.chisq < _FAR * least}
    curve = replace(tasks[0].curve, dq=guess.dq(tasks[0].curve.q))
    found = {guess.name: (guess.parameters,)}
    return [
        replace(t, curve=curve, starts=found.get(t.name, (starting_values(by_name[t.name]),)))
        for t in tasks
        if t.name in by_name
    ]
