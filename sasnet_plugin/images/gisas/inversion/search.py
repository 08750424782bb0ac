"""Where to begin when little is known of the geometry: a few radii, then a few lattice constants."""

from __future__ import annotations

from functools import partial

import numpy as np

from ....arrays import Floats
from .forward import ROUGH, Refined, State, state
from .linear import deviance
from .parameters import INDEX, PARAMETERS, Guess, clipped
from .problem import Problem
from .refine import descend, fitted
from .settings import INVERSION

_roughly = partial(
    descend, most=INVERSION.trial_steps, tolerance=INVERSION.search_tolerance, enough=INVERSION.search_enough
)


def search(problem: Problem) -> Floats:
    """A geometry to descend from, (parameters,), where the guess is broad."""
    found: list[Refined] = []
    for radius in _near(INVERSION.radii, "radius", problem.guess):
        begin = problem.guess.at.copy()
        begin[INDEX["radius"]] = radius
        if problem.effort.over and found:
            break
        found.append(_roughly(problem, begin))
    found.sort(key=lambda each: each.loss)
    tried = [_by_lattice(problem, each) for each in found[: 1 if problem.effort.over else 2]]
    return min(tried, key=lambda each: each.loss).state.inner


def _by_lattice(problem: Problem, found: Refined) -> Refined:
    """The lattice constant that fits best beside the particles found, refined."""
    least, best, now = np.inf, found.state.inner, found.state
    for lattice in _near(INVERSION.lattices, "lattice", problem.guess):
        inner = found.state.inner.copy()
        inner[INDEX["lattice"]] = lattice
        now = state(problem.counts, clipped(inner), now, ROUGH)
        loss = _loss(now, found.expected)
        if loss < least:
            least, best = loss, now.inner
    return _roughly(problem, best, before=now)


def _loss(now: State, expected: Floats) -> float:
    fit = fitted(now, expected, INVERSION.search_tolerance, rounds=1)
    return float(deviance(now.counts.y, fit[2], INVERSION.search_tolerance).sum())


def _near(values: tuple[float, ...], name: str, guess: Guess) -> list[float]:
    """Select values within two standard deviations of the guess, and the guess."""
    k = INDEX[name]
    assert PARAMETERS[k].scale == "plain"
    return [float(guess.at[k])] + [v for v in values if abs(v - guess.at[k]) < 2 * guess.error[k]]
