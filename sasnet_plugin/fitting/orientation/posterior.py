"""What the counts say of p(ξ) and of the geometry together, about a refined fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .forward import Counts, State, state
from .linear import Quadratic, deviance, quadratic
from .parameters import PARAMETERS, clipped
from .refine import Refined, fitted
from .sampler import Crowd, pooled, sample
from .verify import dispersion

FloatArray = NDArray[np.float64]
#: Counts of each background, of all that are seen, one standard deviation of what is believed beforehand.
_BACKGROUND = 0.3
#: A crowd whose mean has so much more deviance than the best weights (of 120, of which few are determined).
_AS_GOOD = 80.0
#: Loss by which a corrected geometry may be worse than the refined one.
_WORSE = 15.0
#: Crowds and their members, of the last round and of those before.
_CROWDS, _FIRST_CROWDS = (4, 150), (2, 75)


@dataclass(frozen=True)
class Posterior:
    """A crowd of distributions, and the geometry that goes with it.

    Parameters
    ----------
    state : State
        Simulated at the mean geometry, or near to it.
    form : Quadratic
        The likelihood about it; others are two backgrounds and the parameters' changes.
    crowd : Crowd
    inner, error : (parameters,) float arrays
        Geometry on the fit's scale and its standard deviation, that of p included.
    weights : (120,) float array
        Mean counts of each rotation.
    backgrounds : (2,) float array
    expected : (n,) float array
        Mean counts of each pixel.
    dispersed : float
        See `verify.dispersion`.
    """

    state: State
    form: Quadratic
    crowd: Crowd
    inner: FloatArray
    error: FloatArray
    weights: FloatArray
    backgrounds: FloatArray
    expected: FloatArray
    dispersed: float

    def log_likelihood(self, p: FloatArray) -> FloatArray:
        """Of (n, 120) distributions, scale, backgrounds and geometry at their best."""
        return log_likelihood(self.form, p)


def log_likelihood(form: Quadratic, p: FloatArray) -> FloatArray:
    """Of normalised distributions, (n, 120) → (n,): the scale is at its best as well."""
    aligned = np.maximum(p @ form.v, 0.0)
    return np.asarray(0.5 * aligned**2 / np.einsum("ij,ij->i", p @ form.m, p))


def scales(form: Quadratic, p: FloatArray) -> FloatArray:
    """Best total weight of normalised distributions, (n, 120) → (n,)."""
    return np.asarray(np.maximum(p @ form.v, 0.0) / np.einsum("ij,ij->i", p @ form.m, p))


def posterior(
    counts: Counts,
    refined: Refined,
    at: FloatArray,
    error: FloatArray,
    rng: np.random.Generator,
    *,
    rounds: int = 3,
    effort: float = 15.0,
) -> Posterior:
    """Draw distributions and correct the geometry by them until both agree.

    Several small crowds are drawn rather than a large one: where one has not found the best explanation of
    many counts, their differences tell, and the band is as wide.

    Weights of least loss are spiky, and the geometry beside them is not quite that beside smooth ones, so the
    geometry is moved to its mean over the crowd.

    Parameters
    ----------
    counts : Counts
    refined : Refined
    at, error : (parameters,) float arrays
        Gaussian prior of the geometry.
    rng : numpy.random.Generator
    rounds : int
        Crowds at most; the last one is large.
    effort : float
        Moves of each member of the last crowds at each exponent.
    """
    now, weights, backgrounds, expected = (
        refined.state,
        refined.weights,
        refined.backgrounds,
        refined.expected,
    )
    dispersed = dispersion(counts, expected)
    found: Posterior | None = None
    for number in range(rounds):
        last = number == rounds - 1
        form = expand(now, weights, backgrounds, expected, at, error, dispersed)
        crowd = _crowd(form, rng, effort if last else effort / 4, last)
        every = scales(form, crowd.p)[:, None] * crowd.p
        others = form.best_others(every)
        mean = others.mean(axis=0)
        inner = clipped(now.inner + mean[2:])
        smooth, beside = every.mean(axis=0), np.maximum(mean[:2], 0.0)
        spread = np.sqrt(np.diag(form.spread + np.cov(others.T))[2:])
        found = Posterior(now, form, crowd, inner, spread, smooth, beside, expected, dispersed)
        if last:
            break
        moved = state(counts, inner, now)
        spiky = fitted(moved, expected)
        chisq = float(np.sum(((inner - at) / error) ** 2))
        best = float(deviance(counts.y, spiky[2]).sum())
        if 0.5 * (best + chisq) > refined.loss + dispersed * _WORSE:
            # A crowd that is not there yet has led astray.
            now, weights, backgrounds, expected = (
                refined.state,
                refined.weights,
                refined.backgrounds,
                refined.expected,
            )
            continue
        now = moved
        expected = np.maximum(smooth @ now.patterns + beside @ now.backgrounds, 1e-3)
        weights, backgrounds = smooth, beside
        # About the crowd if it explains the counts, else about what does.
        if deviance(counts.y, expected).sum() > best + dispersed * _AS_GOOD:
            weights, backgrounds, expected = spiky
    assert found is not None
    return found


def _crowd(form: Quadratic, rng: np.random.Generator, effort: float, last: bool) -> Crowd:
    def likely(p: FloatArray) -> FloatArray:
        return log_likelihood(form, p)

    crowds, members = _CROWDS if last else _FIRST_CROWDS
    return pooled([sample(likely, rng, members=members, accepted=effort) for _ in range(crowds)])


def expand(
    now: State,
    weights: FloatArray,
    backgrounds: FloatArray,
    expected: FloatArray,
    at: FloatArray,
    error: FloatArray,
    dispersed: float,
) -> Quadratic:
    """The likelihood of weights about a fit, backgrounds and geometry eliminated.

    `dispersed` is the variance of the counts in units of Poisson's.
    """
    total = float(expected.sum())
    # Once more at the level of the data, where a fit of spikes took backgrounds for peaks.
    others = np.concatenate((now.backgrounds, now.jacobian(weights, float(backgrounds[1]))))
    precision = np.concatenate((np.full(2, 1 / (_BACKGROUND * total) ** 2), 1 / error**2))
    target = np.concatenate((np.zeros(2), at - now.inner))
    assert len(PARAMETERS) == error.size
    return quadratic(now.patterns, now.counts.y, expected, others, precision, target, dispersed=dispersed)
