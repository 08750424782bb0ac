"""Where to begin when little is known of the geometry: a few radii, then a few lattice constants."""

from __future__ import annotations

from functools import partial

import numpy as np

from ....arrays import Floats
from .forward import ROUGH, Refined, State, state
from .linear import deviance
from .parameters import INDEX, PARAMETERS, Guess, clip_parameters
from .problem import Problem
from .refine import descend, fit_weights
from .settings import INVERSION

_roughly = partial(
    descend, most=INVERSION.trial_steps, tolerance=INVERSION.search_tolerance, enough=INVERSION.search_enough
)


def search(problem: Problem) -> Floats:
    """A geometry to descend from, (parameters,), where the guess is broad."""
    descents: list[Refined] = []
    for radius in _select_near(INVERSION.radii, "radius", problem.guess):
        begin = problem.guess.at.copy()
        begin[INDEX["radius"]] = radius
        if problem.effort.is_over and descents:
            break
        descents.append(_roughly(problem, begin))
    descents.sort(key=lambda refined: refined.loss)
    descents_by_lattice = [
        _search_lattice(problem, refined) for refined in descents[: 1 if problem.effort.is_over else 2]
    ]
    return min(descents_by_lattice, key=lambda refined: refined.loss).state.inner


def _search_lattice(problem: Problem, refined: Refined) -> Refined:
    """The lattice constant that fits best beside the particles found, refined."""
    least, best, current = np.inf, refined.state.inner, refined.state
    for lattice in _select_near(INVERSION.lattices, "lattice", problem.guess):
        inner = refined.state.inner.copy()
        inner[INDEX["lattice"]] = lattice
        current = state(problem.counts, clip_parameters(inner), current, ROUGH)
        loss = _loss(current, refined.expected)
        if loss < least:
            least, best = loss, current.inner
    return _roughly(problem, best, previous=current)


def _loss(current: State, expected: Floats) -> float:
    fit = fit_weights(current, expected, INVERSION.search_tolerance, rounds=1)
    return float(deviance(current.counts.y, fit[2], INVERSION.search_tolerance).sum())


def _select_near(values: tuple[float, ...], name: str, guess: Guess) -> list[float]:
    """Select values within two standard deviations of the guess, and the guess."""
    k = INDEX[name]
    assert PARAMETERS[k].scale == "plain"
    return [float(guess.at[k])] + [v for v in values if abs(v - guess.at[k]) < 2 * guess.error[k]]
