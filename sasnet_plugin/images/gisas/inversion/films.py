"""Thicknesses of the film that explain a pattern better: the loss has many minima along it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ....arrays import Floats
from ..simulation.factors import film_profiles
from .forward import Refined
from .linear import deviance, quadratic
from .parameters import INDEX, PARAMETERS, Guess
from .settings import INVERSION

_FILMS = np.arange(*PARAMETERS[INDEX["oxide"]].limits(), INVERSION.film_step)
_OTHERS = [k for k in range(len(PARAMETERS)) if k != INDEX["oxide"]]


def is_new(film: float, other_films: Iterable[float], least: float = INVERSION.same_film) -> bool:
    """Whether a film is another one than all of these, by so many Å."""
    return all(abs(film - other_film) >= least for other_film in other_films)


def film_minima(refined: Refined, guess: Guess) -> list[tuple[float, float]]:
    """Find film thicknesses, Å, of least loss, with its expected fall, deepest first."""
    # Fringes of the rod repeat, so minima may be far. Scale, backgrounds and other parameters adapt linearly
    # at each: rough far away, but minima stay in place.
    state, counts, oxide = refined.state, refined.state.counts, INDEX["oxide"]
    current_film = float(state.inner[oxide])
    films = np.unique(np.append(_FILMS, current_film))
    jacobian = state.jacobian(refined.weights, float(refined.backgrounds[1]))[_OTHERS]
    expected = refined.expected[None]
    precision, target = guess.precision[_OTHERS], (guess.at - state.inner)[_OTHERS]
    losses = []
    for film, ratio in zip(films, ratios(refined, films), strict=True):
        columns = np.concatenate((state.backgrounds, expected * ratio))
        form = quadratic(columns, counts.y, refined.expected, jacobian * ratio, precision, target)
        weights = form.nonnegative()
        loss = form.rest - 2 * weights @ form.v + weights @ form.m @ weights
        losses.append(0.5 * (float(loss) + ((film - guess.at[oxide]) / guess.error[oxide]) ** 2))
    falls = losses[int(np.argmin(np.abs(films - current_film)))] - np.array(losses)
    around = np.concatenate(([-np.inf], falls, [-np.inf]))
    lowest = (falls >= around[:-2]) & (falls >= around[2:])
    return sorted(zip(films[lowest].tolist(), falls[lowest].tolist(), strict=True), key=lambda pair: -pair[1])


def better_film(refined: Refined) -> float | None:
    """A thickness, Å, that explains the rows better, nothing else changed; None where none does."""
    # For fits so far from the counts that what is linear about them says little.
    y = refined.state.counts.y
    films = _FILMS[np.abs(_FILMS - refined.state.inner[INDEX["oxide"]]) > INVERSION.film_step]
    best, least = None, float(deviance(y, refined.expected).sum()) - INVERSION.film_gain_alone
    for film, ratio in zip(films, ratios(refined, films), strict=True):
        changed = refined.expected * ratio
        loss = float(deviance(y, changed * (y.sum() / changed.sum())).sum())
        if loss < least:
            best, least = float(film), loss
    return best


def ratios(refined: Refined, films: Floats) -> Floats:
    """What other thicknesses do to each pixel that counts, (films, n): a factor."""
    counts = refined.state.counts
    rows = film_profiles(refined.state.factors.geometry, counts.window, films.tolist())
    return np.broadcast_to(rows[:, :, None], (len(films), *counts.mask.shape))[:, counts.mask]
