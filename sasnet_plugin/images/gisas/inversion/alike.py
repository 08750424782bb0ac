"""Whether every angle may be alike: the geometry beside that is fitted as well."""

from __future__ import annotations

import numpy as np

from ....arrays import Floats
from ..simulation.geometry import N_XI
from .forward import State, state
from .information import uniform_p_value
from .linear import Quadratic
from .parameters import Guess, clipped
from .posterior import Posterior, expand
from .refine import loss_of
from .settings import INVERSION


def uniform_alike(now: State, found: Posterior, guess: Guess, rng: np.random.Generator, best: float) -> float:
    """Return the p-value of a uniform distribution; `best` is the loss of the distribution found."""
    # The geometry is refitted with the uniform one first, as the best geometry depends on the distribution.
    weights, backgrounds = np.full(N_XI, float(found.weights.mean())), found.backgrounds
    form, loss = flat_form(now, weights, backgrounds, guess, found.dispersed)

    def p_value() -> float:
        # It is expensive, and far off it is not needed on the way: not a number.
        return np.nan if loss > best + INVERSION.surely_not_uniform else uniform_p_value(form, rng)

    alike = p_value()
    for _ in range(INVERSION.uniform_steps):
        if alike > INVERSION.surely_uniform:
            break
        weights = form.scales(np.full((1, N_XI), 1 / N_XI))[0] * np.full(N_XI, 1 / N_XI)
        others = form.best_others(weights)
        moved = state(now.counts, clipped(now.inner + others[2:]), now)
        tried, less = flat_form(moved, weights, np.maximum(others[:2], 0.0), guess, found.dispersed)
        if less > loss - 0.5:
            break
        now, form, loss = moved, tried, less
        alike = p_value()
        if np.isnan(alike):
            break
    return uniform_p_value(form, rng) if np.isnan(alike) else alike


def flat_form(
    now: State,
    weights: Floats,
    backgrounds: Floats,
    guess: Guess,
    dispersed: float,
) -> tuple[Quadratic, float]:
    """The likelihood about a fit with every angle alike, and the loss of that fit."""
    expected = np.maximum(weights @ now.patterns + backgrounds @ now.backgrounds, 1e-3)
    expected *= now.counts.y.sum() / expected.sum()
    form = expand(now, weights, backgrounds, expected, guess, dispersed)
    return form, loss_of(now, expected, guess)
