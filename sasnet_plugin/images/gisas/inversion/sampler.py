"""Samples of the posterior of p(ξ): they move from prior to data as the likelihood is turned on.

Sequential Monte Carlo (P. Del Moral, A. Doucet and A. Jasra, J. R. Stat. Soc. B 68 (2006) 411): the exponent
of the likelihood rises in steps that leave half of the effective sample; the samples are drawn again by
weight, and each moves by Metropolis' rule in the unit cube of the prior. No start is needed, and modes far
apart, such as a distribution and its mirror image, keep their shares.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....arrays import Floats
from ..simulation import cube
from .settings import INVERSION

#: From (n, 120) distributions to (n,) log likelihoods.
LogLikelihood = Callable[[Floats], Floats]
_STEPS, _MOVES = np.array(INVERSION.walk_steps), np.cumsum(INVERSION.moves)


@dataclass(frozen=True)
class Samples:
    """Equally likely samples of a posterior."""

    p: Floats  #: (n, 120)
    #: (n, 120), the same as shares of the patterns on the grid of angles: single angles lie between them.
    weights: Floats
    log_likelihood: Floats
    evidence: float  #: Logarithm of the mean likelihood over the prior.


def sample(
    log_likelihood: LogLikelihood,
    rng: np.random.Generator,
    *,
    number: int = 300,
    accepted: float = 4.0,
    most: int = 100,
) -> Samples:
    """Draw from the posterior, `accepted` moves each in at most `most` tries at each exponent."""
    points = rng.random((number, cube.DIMENSIONS))
    likelihoods = log_likelihood(cube.distributions(points, between=True))
    exponent, evidence = 0.0, 0.0
    works = np.ones(_STEPS.size)
    while exponent < 1:
        rise = _rise(likelihoods, 1 - exponent)
        weight = np.exp(rise * (likelihoods - likelihoods.max()))
        evidence += float(rise * likelihoods.max() + np.log(weight.mean()))
        exponent = 1.0 if rise >= 1 - exponent else exponent + rise
        chosen = _resample(weight, rng)
        points, likelihoods = points[chosen], likelihoods[chosen]
        target, limit = (accepted, most) if exponent < 1 else (3 * accepted, 3 * most)
        moves = 0.0
        for _ in range(limit):
            proposed, size = _proposals(points, works, rng)
            likely = log_likelihood(cube.distributions(proposed, between=True))
            is_accepted = np.log(rng.random(number)) < exponent * (likely - likelihoods)
            points[is_accepted], likelihoods[is_accepted] = proposed[is_accepted], likely[is_accepted]
            _learn(works, size, is_accepted)
            moves += float(is_accepted.mean())
            if moves > target:
                break
    return Samples(
        cube.distributions(points), cube.distributions(points, between=True), likelihoods, evidence
    )


def _learn(works: Floats, size: NDArray[np.intp], is_accepted: NDArray[np.bool_]) -> None:
    """How often each step of a walk is accepted: half is best, always is too short to lead anywhere."""
    for k in np.unique(size[size >= 0]):
        share = min(float(is_accepted[size == k].mean()), 0.5)
        works[k] += 0.1 * (share - works[k])


def pool_samples(sets: Sequence[Samples]) -> Samples:
    """Samples as one, without those that explain the data far worse than the best does."""
    means = np.array([samples.log_likelihood.mean() for samples in sets])
    good = [
        samples for samples, mean in zip(sets, means, strict=True) if mean > means.max() - INVERSION.behind
    ]
    evidences = np.array([samples.evidence for samples in good])
    top = evidences.max()
    parts = zip(*((samples.p, samples.weights, samples.log_likelihood) for samples in good), strict=True)
    p, weights, log_likelihood = map(np.concatenate, parts)
    evidence = float(top + np.log(np.mean(np.exp(evidences - top))))
    return Samples(p, weights, log_likelihood, evidence)


def _rise(likelihoods: Floats, most: float) -> float:
    """How far the exponent may rise and leave the effective sample."""

    def effective(rise: float) -> float:
        weight = np.exp(rise * (likelihoods - likelihoods.max()))
        return float(weight.sum() ** 2 / (weight**2).sum() / weight.size)

    if effective(most) >= INVERSION.effective:
        return most
    low, high = 0.0, most
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if effective(middle) > INVERSION.effective else (low, middle)
    return max(low, 1e-12)


def _resample(weight: Floats, rng: np.random.Generator) -> NDArray[np.intp]:
    """Indices drawn by weight, evenly spaced (systematic resampling)."""
    n = weight.size
    positions = (rng.random() + np.arange(n)) / n
    return np.asarray(np.searchsorted(np.cumsum(weight / weight.sum()), positions).clip(max=n - 1))


def _proposals(points: Floats, works: Floats, rng: np.random.Generator) -> tuple[Floats, NDArray[np.intp]]:
    """A proposal for each sample, as likely as the way back; and which step a walk took."""
    n, d = points.shape
    kind = np.asarray(np.searchsorted(_MOVES, rng.random(n)))
    active = cube.active(points)
    # What a distribution does not depend on follows the prior: drawn anew, as it may come to depend on it.
    spare = ~active
    spare[:, cube.CHOICES] = False
    new = np.where(spare, rng.random((n, d)), points)
    kind[(kind == 0) & ~active.any(axis=1)] = 1
    chance = works + 0.05
    size = np.where(kind == 0, rng.choice(_STEPS.size, size=n, p=chance / chance.sum()), -1)
    rows = np.flatnonzero(kind == 0)
    order = (rng.random((rows.size, d)) + ~active[rows]).argsort(axis=1).argsort(axis=1)
    chosen = (order < rng.integers(1, 5, rows.size)[:, None]) & active[rows]
    new[rows] += chosen * rng.normal(size=(rows.size, d)) * _STEPS[size[rows]][:, None]
    rows = np.flatnonzero(kind == 1)
    any_of = (rng.random((rows.size, d)) + ~active[rows]).argmin(axis=1)
    kinds = np.where(rng.random(rows.size) < 0.5, rng.choice(cube.CHOICES, rows.size), any_of)
    new[rows, kinds] = rng.random(rows.size)
    rows = np.flatnonzero(kind == 2)
    over = (
        rng.random((rows.size, cube.ROUND.size)) < np.where(rng.random(rows.size) < 0.3, 1.0, 0.25)[:, None]
    )
    new[rows] = cube.mirror_points(new[rows], over)
    rows = np.flatnonzero(kind == 3)
    angles = new[rows, cube.ANGLES]
    new[rows, cube.ANGLES] = angles + rng.integers(-1, 2, angles.shape) / 120
    rows = np.flatnonzero(kind == 4)
    for shares in (cube.ANGLE_SHARES, cube.PEAK_SHARES, cube.KIND_SHARES):
        order = rng.random((rows.size, shares.stop - shares.start)).argsort(axis=1)
        values = new[rows, shares]
        moved = 0.1 * rng.normal(size=(rows.size, 1)) * ((order == 0) * 1.0 - (order == 1))
        new[rows, shares] = values + moved
    new[:, cube.ROUND] %= 1.0
    new = np.abs(new)
    new = np.where(new > 1, 2 - new, new)
    return np.clip(new, 0.0, 1 - 1e-12), size
