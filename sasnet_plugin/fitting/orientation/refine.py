"""Geometry and distribution together: Gauss–Newton on the Poisson likelihood, weights not negative.

The loss has many local minima along the thickness of the film, so others than the fit's are tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .films import better_film, film_minima
from .forward import ROUGH, Refined, State, state
from .linear import deviance, quadratic, reweighted
from .parameters import INDEX, PARAMETERS, Guess, clipped
from .problem import Problem
from .settings import INVERSION
from .verify import excess

FloatArray = NDArray[np.float64]
#: Geometries of a descent, at most, at each tolerance.
MOST = 10


def refine(problem: Problem, begin: FloatArray | None = None) -> Refined:
    """From a guess of the geometry to the best one.

    Parameters
    ----------
    begin : (parameters,) float array, optional
        Where to begin; default: at the guess.

    Returns
    -------
    Refined
        With the films at which the descents ended.
    """
    effort = problem.effort
    found = best_tilt(problem, problem.guess.at if begin is None else begin)
    ends = [end_of(found)]
    followed = [ends[0][0]]
    while len(followed) <= INVERSION.most_films and not effort.over:
        film = next_film(found, problem.guess, followed)
        if film is None:
            break
        followed.append(film)
        effort.say(f"a film of {film:.0f} Å is tried")
        tried = from_film(problem, found, film)
        ends.append(end_of(tried))
        found = min(found, tried, key=lambda each: each.loss)
    return replace(found, films=tuple(ends))


def over_all_films(problem: Problem, found: Refined) -> Refined:
    """The best of short descents from films all over the range, with the ends of all of them.

    Between two films that explain the counts alike the loss need not look as if it fell from either.
    """
    best = found
    low, high = PARAMETERS[INDEX["oxide"]].limits()
    half, ends = INVERSION.sweep_step / 2, list(found.films)
    for film in np.arange(low + half, high, INVERSION.sweep_step):
        if any(abs(film - end) < half for end, _ in ends):
            continue
        if problem.effort.over:
            break
        tried = from_film(problem, best, film, INVERSION.sweep_first)
        if tried.loss < best.loss + INVERSION.sweep_far:
            begin = tried.state
            tried = descend(problem, begin.inner, before=begin, most=INVERSION.sweep_steps)
        ends.append(end_of(tried))
        best = min(best, tried, key=lambda each: each.loss)
    if best is not found:
        best = descend(problem, best.state.inner, before=best.state)
        ends.append(end_of(best))
    return replace(best, films=tuple(ends))


def from_film(problem: Problem, found: Refined, film: float, most: int = MOST) -> Refined:
    """A descent from a fit with another film."""
    other = found.state.inner.copy()
    other[INDEX["oxide"]] = film
    return descend(problem, other, before=found.state, most=most)


def end_of(found: Refined) -> tuple[float, float]:
    """Film and loss at which a descent ended."""
    return float(found.state.inner[INDEX["oxide"]]), found.loss


def next_film(found: Refined, guess: Guess, followed: Sequence[float]) -> float | None:
    """A film worth a descent, Å: one that promises much, or any other where the fit leaves something over."""

    def new(film: float) -> bool:
        return all(abs(film - other) >= INVERSION.same_film for other in followed)

    if not explains(found) and (film := better_film(found)) is not None and new(film):
        return film
    least = 0.0 if explains(found, INVERSION.well_explained) else -np.inf
    return next((film for film, fall in film_minima(found, guess) if fall > least and new(film)), None)


def best_tilt(problem: Problem, begin: FloatArray) -> Refined:
    """The first descent that explains the counts, from one tilt of the sample or another; else the best.

    Each begins with the loose tolerance, and goes on at once if nothing is suspicious then; those that are
    left wait, the best first.
    """
    effort = problem.effort
    tilt, enough = INDEX["shift_alpha"], INVERSION.suspect_loss * problem.counts.y.size
    waiting: list[Refined] = []
    found: Refined | None = None
    now: State | None = None

    def followed(loose: Refined) -> Refined:
        tried = descend(problem, loose.state.inner, before=loose.state)
        return tried if found is None else min(found, tried, key=lambda each: each.loss)

    for errors in (0.0, *INVERSION.tilts):
        other = begin.copy()
        other[tilt] += errors * problem.guess.error[tilt]
        steps = INVERSION.trial_steps if errors else MOST // 2
        if effort.half_over and (found or waiting):
            break
        effort.say("the geometry is refined" if not errors else "another tilt of the sample is tried")
        loose = descend(problem, other, before=now, most=steps, tolerance=INVERSION.loose_tolerance)
        now = loose.state
        if loose.loss > enough:
            waiting.append(loose)
            continue
        found = followed(loose)
        if explains(found):
            return found
    for loose in sorted(waiting, key=lambda each: each.loss)[: INVERSION.most_waiting]:
        if effort.over and found is not None:
            break
        found = followed(loose)
        if explains(found):
            break
    assert found is not None
    return found


def explains(found: Refined, within: float = INVERSION.explained) -> bool:
    """The deviance is what chance leaves, to so many standard deviations."""
    return excess(found.state.counts, found.expected) < within


def loss_of(now: State, expected: FloatArray, guess: Guess, tolerance: float = INVERSION.tolerance) -> float:
    """Half of the deviance and of the geometry's χ² about the guess."""
    return 0.5 * (float(deviance(now.counts.y, expected, tolerance).sum()) + guess.chisq(now.inner))


def descend(
    problem: Problem,
    begin: FloatArray,
    *,
    before: State | None = None,
    most: int = MOST,
    tolerance: float = INVERSION.tolerance,
    enough: float = 0.5,
) -> Refined:
    """Gauss–Newton steps until they gain less than ``enough``, shorter ones where the loss would rise."""
    inner = clipped(begin)
    now = before
    best: Refined | None = None
    step = np.zeros(inner.size)
    shrink = 1.0
    rough = ROUGH if tolerance >= INVERSION.loose_tolerance else None
    for number in range(1, most + 1):
        now = state(problem.counts, inner, now, rough)
        problem.effort.geometry(now.factors.sums.size)
        weights, backgrounds, expected = fitted(now, None if best is None else best.expected, tolerance)
        loss = loss_of(now, expected, problem.guess, tolerance)
        if best is not None and loss > best.loss:
            if shrink < 0.1 or loss < best.loss + enough:
                break
            shrink /= 3
            now = best.state
            inner = clipped(best.state.inner + shrink * step)
            continue
        gained = np.inf if best is None else best.loss - loss
        best = Refined(now, weights, backgrounds, expected, loss)
        if (shrink == 1.0 and gained < enough) or problem.effort.ends(number, most):
            break
        shrink = 1.0
        step = step_of(best, problem.guess, tolerance)
        inner = clipped(inner + step)
    assert best is not None
    return best


def step_of(
    found: Refined, guess: Guess, tolerance: float = INVERSION.tolerance, *, lattice_alone: bool = False
) -> FloatArray:
    """The step of the geometry to the minimum of the loss's quadratic form, none longer than is allowed."""
    now = found.state
    ranges = np.array([high - low for low, high in (p.limits() for p in PARAMETERS)])
    jacobian = now.jacobian(found.weights, float(found.backgrounds[1]), lattice_alone=lattice_alone)
    columns = np.concatenate((now.backgrounds, now.patterns))
    to_guess = guess.at - now.inner
    form = quadratic(columns, now.counts.y, found.expected, jacobian, guess.precision, to_guess, tolerance)
    step = form.best_others(form.nonnegative())
    return np.asarray(step / max(1.0, float(np.max(np.abs(step) / (INVERSION.longest_step * ranges)))))


def fitted(
    now: State, expected: FloatArray | None = None, tolerance: float = INVERSION.tolerance, rounds: int = 2
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Weights, backgrounds and expected counts at a fixed geometry, by reweighted least squares.

    Parameters
    ----------
    expected : (n,) float array, optional
        Of an earlier fit; sets the variances of the first round.
    """
    y = now.counts.y
    columns = np.concatenate((now.backgrounds, now.patterns))
    found, expected = reweighted(columns, y, y + 1.0 if expected is None else expected, tolerance, rounds)
    return found[2:], found[:2], expected
