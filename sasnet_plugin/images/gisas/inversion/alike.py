"""Whether every angle may be alike: the geometry beside that is fitted as well."""

from __future__ import annotations

import numpy as np

from ....arrays import Floats
from ..simulation.geometry import N_XI
from .forward import State, state
from .information import uniform_p_value
from .linear import Quadratic
from .parameters import Guess, clip_parameters
from .posterior import Posterior, expand
from .refine import loss_of
from .settings import INVERSION


def uniform_alike(
    current: State, posterior: Posterior, guess: Guess, rng: np.random.Generator, best: float
) -> float:
    """Return the p-value of a uniform distribution; `best` is the loss of the distribution found."""
    # The geometry is refitted with the uniform one first, as the best geometry depends on the distribution.
    weights, backgrounds = np.full(N_XI, float(posterior.weights.mean())), posterior.backgrounds
    form, loss = flat_form(current, weights, backgrounds, guess, posterior.dispersed)

    def p_value() -> float:
        # It is expensive, and far off it is not needed on the way: not a number.
        return np.nan if loss > best + INVERSION.surely_not_uniform else uniform_p_value(form, rng)

    alike = p_value()
    for _ in range(INVERSION.uniform_steps):
        if alike > INVERSION.surely_uniform:
            break
        weights = form.scales(np.full((1, N_XI), 1 / N_XI))[0] * np.full(N_XI, 1 / N_XI)
        other_columns = form.best_others(weights)
        moved = state(current.counts, clip_parameters(current.inner + other_columns[2:]), current)
        trial_form, less = flat_form(
            moved, weights, np.maximum(other_columns[:2], 0.0), guess, posterior.dispersed
        )
        if less > loss - 0.5:
            break
        current, form, loss = moved, trial_form, less
        alike = p_value()
        if np.isnan(alike):
            break
    return uniform_p_value(form, rng) if np.isnan(alike) else alike


def flat_form(
    current: State,
    weights: Floats,
    backgrounds: Floats,
    guess: Guess,
    dispersed: float,
) -> tuple[Quadratic, float]:
    """The likelihood about a fit with every angle alike, and the loss of that fit."""
    expected = np.maximum(weights @ current.patterns + backgrounds @ current.backgrounds, 1e-3)
    expected *= current.counts.y.sum() / expected.sum()
    form = expand(current, weights, backgrounds, expected, guess, dispersed)
    return form, loss_of(current, expected, guess)
