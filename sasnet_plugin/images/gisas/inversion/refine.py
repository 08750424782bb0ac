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
from .linear import deviance, quadratic, reweighted
from .parameters import INDEX, PARAMETERS, Guess, clipped
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
    """The best of short descents from films all over the range, with the ends of all of them."""
    # Between two films that explain the counts alike the loss need not look as if it fell from either.
    best = found
    low, high = PARAMETERS[INDEX["oxide"]].limits()
    half, ends = INVERSION.sweep_step / 2, list(found.films)
    for film in np.arange(low + half, high, INVERSION.sweep_step):
        if not is_new(film, dict(ends).keys(), half):
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
    better = None if explains(found) else better_film(found)
    if better is not None and is_new(better, followed):
        return better
    least = 0.0 if explains(found, INVERSION.well_explained) else -np.inf
    falling = (film for film, fall in film_minima(found, guess) if fall > least)
    return next(filter(lambda film: is_new(film, followed), falling), None)


def best_tilt(problem: Problem, begin: Floats) -> Refined:
    """The first descent that explains the counts, from one tilt of the sample or another; else the best."""
    found: Refined | None = None
    for loose in _begun(problem, begin):
        tried = descend(problem, loose.state.inner, before=loose.state)
        found = tried if found is None else min(found, tried, key=lambda each: each.loss)
        if explains(found):
            break
    assert found is not None
    return found


def _begun(problem: Problem, begin: Floats) -> Iterator[Refined]:
    """Descents to follow: at once where nothing is suspicious; those that are left wait, the best first."""
    enough = INVERSION.suspect_loss * problem.counts.y.size
    waiting: list[Refined] = []
    any_followed = False
    for loose in _tilted(problem, begin):
        if loose.loss > enough:
            waiting.append(loose)
        else:
            yield loose
            any_followed = True
    for loose in sorted(waiting, key=lambda each: each.loss)[: INVERSION.most_waiting]:
        if problem.effort.over and any_followed:
            break
        yield loose
        any_followed = True


def _tilted(problem: Problem, begin: Floats) -> Iterator[Refined]:
    """Short descents with the loose tolerance, from the tilt of the sample at which one begins and others."""
    tilt = INDEX["shift_alpha"]
    now: State | None = None
    for errors in (0.0, *INVERSION.tilts):
        if errors and problem.effort.half_over:
            break
        other = begin.copy()
        other[tilt] += errors * problem.guess.error[tilt]
        steps = INVERSION.trial_steps if errors else MOST // 2
        problem.effort.say("another tilt of the sample is tried" if errors else "the geometry is refined")
        loose = descend(problem, other, before=now, most=steps, tolerance=INVERSION.loose_tolerance)
        now = loose.state
        yield loose


def explains(found: Refined, within: float = INVERSION.explained) -> bool:
    """The deviance is what chance leaves, to so many standard deviations."""
    return excess(found.state.counts, found.expected) < within


def loss_of(now: State, expected: Floats, guess: Guess, tolerance: float = INVERSION.tolerance) -> float:
    """Half of the deviance and of the geometry's χ² about the guess."""
    return 0.5 * (float(deviance(now.counts.y, expected, tolerance).sum()) + guess.chisq(now.inner))


def descend(
    problem: Problem,
    begin: Floats,
    *,
    before: State | None = None,
    most: int = MOST,
    tolerance: float = INVERSION.tolerance,
    enough: float = 0.5,
) -> Refined:
    """Gauss–Newton steps until they gain less than ``enough``, shorter ones where the loss would rise."""
    numbers = iter(range(2, most + 1))
    best = _fitted_at(problem, clipped(begin), before, None, tolerance)
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
        inner = clipped(best.state.inner + shrink * step)
        tried = _fitted_at(problem, inner, best.state, best.expected, tolerance)
        if tried.loss <= best.loss:
            settled = shrink == 1.0 and best.loss - tried.loss < enough
            return tried, settled or problem.effort.ends(number, most)
        if tried.loss < best.loss + enough:
            break
    return None, True


def _fitted_at(
    problem: Problem, inner: Floats, before: State | None, expected: Floats | None, tolerance: float
) -> Refined:
    now = state(problem.counts, inner, before, ROUGH if tolerance >= INVERSION.loose_tolerance else None)
    problem.effort.geometry(now.factors.sums.size)
    weights, backgrounds, counts = fitted(now, expected, tolerance)
    return Refined(now, weights, backgrounds, counts, loss_of(now, counts, problem.guess, tolerance))


def step_of(found: Refined, guess: Guess, tolerance: float = INVERSION.tolerance) -> Floats:
    """The step of the geometry to the minimum of the loss's quadratic form, none longer than is allowed."""
    now = found.state
    ranges = np.array([high - low for low, high in (p.limits() for p in PARAMETERS)])
    jacobian = now.jacobian(found.weights, float(found.backgrounds[1]))
    columns = np.concatenate((now.backgrounds, now.patterns))
    to_guess = guess.at - now.inner
    form = quadratic(columns, now.counts.y, found.expected, jacobian, guess.precision, to_guess, tolerance)
    step = form.best_others(form.nonnegative())
    return np.asarray(step / max(1.0, float(np.max(np.abs(step) / (INVERSION.longest_step * ranges)))))


def fitted(
    now: State, expected: Floats | None = None, tolerance: float = INVERSION.tolerance, rounds: int = 2
) -> tuple[Floats, Floats, Floats]:
    """Fit weights, backgrounds and expected counts at fixed geometry by reweighted least squares; `expected`
    of an earlier fit sets the first variances.
    """
    y = now.counts.y
    columns = np.concatenate((now.backgrounds, now.patterns))
    found, expected = reweighted(columns, y, y + 1.0 if expected is None else expected, tolerance, rounds)
    return found[2:], found[:2], expected
