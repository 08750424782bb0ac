"""Resolution that a file does not state, found with the models that explain the curve best."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.evidence.settings import EVIDENCE
from sasnet_plugin.fitting.ledger import spent
from sasnet_plugin.fitting.optimize.local_search import LocalSearch
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.fitting.strategy.settings import STRATEGY
from sasnet_plugin.fitting.task import UNLIMITED, Budget
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
    return None if without.chisq - found.chisq < tempering * EVIDENCE.strong else found
