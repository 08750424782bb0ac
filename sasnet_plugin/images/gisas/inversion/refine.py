"""Geometry and distribution together: Gauss–Newton on the Poisson likelihood, weights not negative.

The loss has many local minima along the thickness of the film, so others than the fit's are tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ....arrays import Floats
from .films import better_film, film_minima, is_new
from .forward import ROUGH, Refined, State, state
from .linear import deviance, quadratic, reweight
from .parameters import INDEX, PARAMETERS, Guess, clip_parameters
from .problem import Problem
from .settings import INVERSION
from .verify import excess

#: Geometries of a descent, at most, at each tolerance.
MOST = 10
#: Shares of a step that are tried, until one lowers the loss.
SHRINKS = (1.0, 1 / 3, 1 / 3 / 3, 1 / 3 / 3 / 3)


def refine(problem: Problem, begin: Floats | None = None) -> Refined:
    """Refine the geometry from `begin` (parameters,) or the guess; includes the films of all descents."""
    effort = problem.effort
    refined = best_tilt(problem, problem.guess.at if begin is None else begin)
    ends = [end_of(refined)]
    followed = [ends[0][0]]
    while len(followed) <= INVERSION.most_films and not effort.is_over:
        film = next_film(refined, problem.guess, followed)
        if film is None:
            break
        followed.append(film)
        effort.say(f"a film of {film:.0f} Å is tried")
        trial = from_film(problem, refined, film)
        ends.append(end_of(trial))
        refined = min(refined, trial, key=lambda descent: descent.loss)
    return replace(refined, films=tuple(ends))


def sweep_films(problem: Problem, refined: Refined) -> Refined:
    """The best of short descents from films all over the range, with the ends of all of them."""
    # Between two films that explain the counts alike the loss need not look as if it fell from either.
    best = refined
    low, high = PARAMETERS[INDEX["oxide"]].limits()
    half, ends = INVERSION.sweep_step / 2, list(refined.films)
    for film in np.arange(low + half, high, INVERSION.sweep_step):
        if not is_new(film, dict(ends).keys(), half):
            continue
        if problem.effort.is_over:
            break
        trial = from_film(problem, best, film, INVERSION.sweep_first)
        if trial.loss < best.loss + INVERSION.sweep_far:
            begin = trial.state
            trial = descend(problem, begin.inner, previous=begin, most=INVERSION.sweep_steps)
        ends.append(end_of(trial))
        best = min(best, trial, key=lambda descent: descent.loss)
    if best is not refined:
        best = descend(problem, best.state.inner, previous=best.state)
        ends.append(end_of(best))
    return replace(best, films=tuple(ends))


def from_film(problem: Problem, refined: Refined, film: float, most: int = MOST) -> Refined:
    """A descent from a fit with another film."""
    moved = refined.state.inner.copy()
    moved[INDEX["oxide"]] = film
    return descend(problem, moved, previous=refined.state, most=most)


def end_of(refined: Refined) -> tuple[float, float]:
    """Film and loss at which a descent ended."""
    return float(refined.state.inner[INDEX["oxide"]]), refined.loss


def next_film(refined: Refined, guess: Guess, followed: Sequence[float]) -> float | None:
    """A film worth a descent, Å: one that promises much, or any other where the fit leaves something over."""
    better = None if explains(refined) else better_film(refined)
    if better is not None and is_new(better, followed):
        return better
    least = 0.0 if explains(refined, INVERSION.well_explained) else -np.inf
    falling = (film for film, fall in film_minima(refined, guess) if fall > least)
    return next(filter(lambda film: is_new(film, followed), falling), None)


def best_tilt(problem: Problem, begin: Floats) -> Refined:
    """The first descent that explains the counts, from one tilt of the sample or another; else the best."""
    refined: Refined | None = None
    for loose in _begin_descents(problem, begin):
        trial = descend(problem, loose.state.inner, previous=loose.state)
        refined = trial if refined is None else min(refined, trial, key=lambda descent: descent.loss)
        if explains(refined):
            break
    assert refined is not None
    return refined


def _begin_descents(problem: Problem, begin: Floats) -> Iterator[Refined]:
    """Descents to follow: at once where nothing is suspicious; those that are left wait, the best first."""
    enough = INVERSION.suspect_loss * problem.counts.y.size
    waiting: list[Refined] = []
    any_followed = False
    for loose in _descend_from_tilts(problem, begin):
        if loose.loss > enough:
            waiting.append(loose)
        else:
            yield loose
            any_followed = True
    for loose in sorted(waiting, key=lambda descent: descent.loss)[: INVERSION.most_waiting]:
        if problem.effort.is_over and any_followed:
            break
        yield loose
        any_followed = True


def _descend_from_tilts(problem: Problem, begin: Floats) -> Iterator[Refined]:
    """Short descents with the loose tolerance, from the tilt of the sample at which one begins and others."""
    tilt = INDEX["shift_alpha"]
    current: State | None = None
    for errors in (0.0, *INVERSION.tilts):
        if errors and problem.effort.half_over:
            break
        moved = begin.copy()
        moved[tilt] += errors * problem.guess.error[tilt]
        steps = INVERSION.trial_steps if errors else MOST // 2
        problem.effort.say("another tilt of the sample is tried" if errors else "the geometry is refined")
        loose = descend(problem, moved, previous=current, most=steps, tolerance=INVERSION.loose_tolerance)
        current = loose.state
        yield loose


def explains(refined: Refined, within: float = INVERSION.explained) -> bool:
    """The deviance is what chance leaves, to so many standard deviations."""
    return excess(refined.state.counts, refined.expected) < within


def loss_of(current: State, expected: Floats, guess: Guess, tolerance: float = INVERSION.tolerance) -> float:
    """Half of the deviance and of the geometry's χ² about the guess."""
    return 0.5 * (float(deviance(current.counts.y, expected, tolerance).sum()) + guess.chisq(current.inner))


def descend(
    problem: Problem,
    begin: Floats,
    *,
    previous: State | None = None,
    most: int = MOST,
    tolerance: float = INVERSION.tolerance,
    enough: float = 0.5,
) -> Refined:
    """Gauss–Newton steps until they gain less than ``enough``, shorter ones where the loss would rise."""
    numbers = iter(range(2, most + 1))
    best = _fit_at(problem, clip_parameters(begin), previous, None, tolerance)
    ended = problem.effort.ends(1, most)
    while not ended:
        lower, ended = _lower(problem, best, numbers, most, tolerance, enough)
        best = lower or best
    return best


def _lower(
    problem: Problem, best: Refined, numbers: Iterator[int], most: int, tolerance: float, enough: float
) -> tuple[Refined | None, bool]:
    """Find less loss in the direction of a step, or None, and whether the descent ends."""
    step = step_of(best, problem.guess, tolerance)
    for number, shrink in zip(numbers, SHRINKS, strict=False):
        inner = clip_parameters(best.state.inner + shrink * step)
        trial = _fit_at(problem, inner, best.state, best.expected, tolerance)
        if trial.loss <= best.loss:
            settled = shrink == 1.0 and best.loss - trial.loss < enough
            return trial, settled or problem.effort.ends(number, most)
        if trial.loss < best.loss + enough:
            break
    return None, True


def _fit_at(
    problem: Problem, inner: Floats, previous: State | None, expected: Floats | None, tolerance: float
) -> Refined:
    current = state(
        problem.counts, inner, previous, ROUGH if tolerance >= INVERSION.loose_tolerance else None
    )
    problem.effort.geometry(current.factors.sums.size)
    weights, backgrounds, counts = fit_weights(current, expected, tolerance)
    return Refined(current, weights, backgrounds, counts, loss_of(current, counts, problem.guess, tolerance))


def step_of(refined: Refined, guess: Guess, tolerance: float = INVERSION.tolerance) -> Floats:
    """The step of the geometry to the minimum of the loss's quadratic form, none longer than is allowed."""
    current = refined.state
    ranges = np.array([high - low for low, high in (p.limits() for p in PARAMETERS)])
    jacobian = current.jacobian(refined.weights, float(refined.backgrounds[1]))
    columns = np.concatenate((current.backgrounds, current.patterns))
    to_guess = guess.at - current.inner
    form = quadratic(
        columns, current.counts.y, refined.expected, jacobian, guess.precision, to_guess, tolerance
    )
    step = form.best_others(form.nonnegative())
    return np.asarray(step / max(1.0, float(np.max(np.abs(step) / (INVERSION.longest_step * ranges)))))


def fit_weights(
    current: State, expected: Floats | None = None, tolerance: float = INVERSION.tolerance, rounds: int = 2
) -> tuple[Floats, Floats, Floats]:
    """Fit weights, backgrounds and expected counts at fixed geometry by reweighted least squares; `expected`
    of an earlier fit sets the first variances.
    """
    y = current.counts.y
    columns = np.concatenate((current.backgrounds, current.patterns))
    solution, expected = reweight(columns, y, y + 1.0 if expected is None else expected, tolerance, rounds)
    return solution[2:], solution[:2], expected
