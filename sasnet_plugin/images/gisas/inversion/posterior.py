"""What the counts say of p(ξ) and of the geometry together, about a refined fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....arrays import Floats
from .forward import Refined, State, state
from .linear import Quadratic, deviance, quadratic
from .parameters import Guess, clip_parameters
from .problem import Problem
from .refine import fit_weights
from .sampler import Samples, pool_samples, sample
from .settings import INVERSION
from .verify import dispersion


@dataclass(frozen=True)
class Posterior:
    """Samples of the distribution, and the geometry that goes with them."""

    state: State  #: Simulated at the mean geometry, or near to it.
    form: Quadratic  #: The likelihood about it; others are two backgrounds and the parameters' changes.
    samples: Samples
    #: inner, error: (parameters,), geometry on the fit's scale and its standard deviation, that of p
    #: included.
    inner: Floats
    error: Floats
    weights: Floats  #: (120,), mean counts of each rotation.
    backgrounds: Floats
    expected: Floats  #: (n,), mean counts of each pixel.
    dispersed: float  #: See `verify.dispersion`.


def posterior(
    problem: Problem,
    refined: Refined,
    rng: np.random.Generator,
    *,
    rounds: int = 3,
    effort: float = 15.0,
) -> Posterior:
    """Draw distributions and correct the geometry by them until both agree, in at most `rounds`; the last
    draws more, with `effort` moves at each exponent.
    """
    # Several small sets show where one has missed the best explanation. Weights of least loss are spiky and
    # pull the geometry, so it moves to its mean over samples.
    counts, guess = problem.counts, problem.guess
    begin = refined.state, refined.weights, refined.backgrounds, refined.expected
    current, weights, backgrounds, expected = begin
    dispersed = dispersion(counts, expected)
    found_posterior: Posterior | None = None
    for number in range(rounds):
        last = number == rounds - 1
        form = expand(current, weights, backgrounds, expected, guess, dispersed)
        samples = _samples(form, rng, effort, last)
        all_weights = form.scales(samples.weights)[:, None] * samples.weights
        other_columns = form.best_others(all_weights)
        mean = other_columns.mean(axis=0)
        inner = clip_parameters(current.inner + mean[2:])
        smooth, fixed_backgrounds = all_weights.mean(axis=0), np.maximum(mean[:2], 0.0)
        spread = np.sqrt(np.diag(form.spread + np.cov(other_columns.T))[2:])
        found_posterior = Posterior(
            current, form, samples, inner, spread, smooth, fixed_backgrounds, expected, dispersed
        )
        if last:
            break
        moved = state(counts, inner, current)
        spiky = fit_weights(moved, expected)
        best = float(deviance(counts.y, spiky[2]).sum())
        if 0.5 * (best + guess.chisq(inner)) > refined.loss + dispersed * INVERSION.worse_geometry:
            # Samples that have not converged yet have led to a wrong geometry.
            current, weights, backgrounds, expected = begin
            continue
        current = moved
        expected = np.maximum(smooth @ current.patterns + fixed_backgrounds @ current.backgrounds, 1e-3)
        weights, backgrounds = smooth, fixed_backgrounds
        # About the samples' mean if it explains the counts, else about the best weights.
        if deviance(counts.y, expected).sum() > best + dispersed * INVERSION.as_good:
            weights, backgrounds, expected = spiky
    assert found_posterior is not None
    return found_posterior


def _samples(form: Quadratic, rng: np.random.Generator, effort: float, last: bool) -> Samples:
    sets, number = INVERSION.sets if last else INVERSION.first_sets
    effort = effort if last else effort / 4
    return pool_samples(
        [sample(form.log_likelihood, rng, number=number, accepted=effort) for _ in range(sets)]
    )


def expand(
    current: State,
    weights: Floats,
    backgrounds: Floats,
    expected: Floats,
    guess: Guess,
    dispersed: float,
) -> Quadratic:
    """The likelihood of weights about a fit, backgrounds and geometry eliminated."""
    # `dispersed` is the variance of the counts in units of Poisson's.
    total = float(expected.sum())
    # Once more at the level of the data, where a fit of spikes took backgrounds for peaks.
    other_columns = np.concatenate((current.backgrounds, current.jacobian(weights, float(backgrounds[1]))))
    precision = np.concatenate((np.full(2, 1 / (INVERSION.background * total) ** 2), guess.precision))
    target = np.concatenate((np.zeros(2), guess.at - current.inner))
    return quadratic(
        current.patterns, current.counts.y, expected, other_columns, precision, target, dispersed=dispersed
    )
