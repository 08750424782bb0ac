"""What the counts say of p(ξ): how many modes, whether all angles are alike, and which mirror image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ....arrays import Floats
from ....predict.arithmetic import circular_w1, mirror_distribution
from ..simulation import cube
from ..simulation.geometry import N_XI, PERIOD
from .linear import Quadratic
from .settings import INVERSION


def count_resolved_modes(form: Quadratic) -> float:
    """Count modes visible through noise, each by the share that the data decide: Σ λ/(1 + λ) over eigenvalues
    λ of the information in units of the prior's covariance.
    """
    values, vectors = _prior()
    # Weights are counts; the scale is what a uniform distribution of best scale has.
    flat = np.full(N_XI, 1 / N_XI)
    along = form.m @ flat
    scale = float(flat @ form.v) / float(flat @ along)
    information = form.m - np.outer(along, along) / float(flat @ along)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    eigenvalues = np.linalg.eigvalsh(scale**2 * root.T @ information @ root)
    eigenvalues = np.maximum(eigenvalues, 0.0)
    return float(np.sum(eigenvalues / (1 + eigenvalues)))


@lru_cache(maxsize=1)
def _prior() -> tuple[Floats, Floats]:
    """Eigenvalues and vectors of the prior's covariance of p, the same at every angle."""
    draws = cube.distributions(np.random.default_rng(0).random((4000, cube.DIMENSIONS)))
    # Every rotation of the prior is the prior, so its covariance depends on the distance alone.
    spectrum = (np.abs(np.fft.rfft(draws - 1 / N_XI, axis=1)) ** 2).mean(axis=0)
    distance = np.fft.irfft(spectrum, n=N_XI) / N_XI
    covariance = distance[(np.arange(N_XI)[:, None] - np.arange(N_XI)) % N_XI]
    values, vectors = np.linalg.eigh(covariance)
    return values, vectors


def uniform_p_value(form: Quadratic, rng: np.random.Generator) -> float:
    """Return the p-value (at least 1/1000) of a uniform distribution, from the likelihood about its fit
    without geometry and backgrounds.
    """
    # The statistic is the prior mean of the likelihood ratio (J. Neyman and E. S. Pearson: no test against a
    # mixture has more power). Its law comes from uniform samples drawn in the quadratic form.
    flat = np.full(N_XI, 1 / N_XI)
    samples = cube.distributions(rng.random((1500, cube.DIMENSIONS)))
    samples = samples[np.abs(samples - flat).sum(axis=1) > 1e-9]
    shapes = np.concatenate([flat + strength * (samples - flat) for strength in INVERSION.strengths])
    # With the scale at its best: what is orthogonal to the uniform pattern.
    along = form.m @ flat
    norm = float(flat @ along)
    scale = float(form.scales(flat[None])[0])
    change = scale * (shapes - np.outer(shapes @ along / norm, flat))
    length = np.einsum("ij,ij->i", change @ form.m, change)
    values, vectors = np.linalg.eigh((form.m + form.m.T) / 2)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    noise = root @ rng.normal(size=(N_XI, INVERSION.reference_patterns))
    scores = np.column_stack((form.v - scale * along, noise))
    ratios = change @ scores - 0.5 * length[:, None]
    top = ratios.max(axis=0)
    statistic = top + np.log(np.exp(ratios - top).mean(axis=0))
    return float((1 + np.sum(statistic[1:] >= statistic[0])) / (INVERSION.reference_patterns + 1))


@dataclass(frozen=True)
class MirrorAmbiguity:
    """The two mirror solutions."""

    #: one, other: (120,), means of the samples nearer to either; `other` is the mirror image of `one` where
    #: no sample is.
    one: Floats
    other: Floats
    share: float  #: Of the samples, that belong to `one`.
    resolved: bool  #: The data can choose, or need not.
    sentence: str


def mirror_ambiguity(p: Floats) -> MirrorAmbiguity:
    """Sort equally likely distributions (n, 120) by mirror image, ξ or 60° − ξ."""
    # Only the Ewald sphere's curvature tells them apart; if that does not suffice both are reported.
    # The sample that the others are nearest to stands for its side.
    sparse = p[:: max(1, len(p) // 100)]
    middle = sparse[np.argmin(circular_w1(sparse[:, None], sparse[None], PERIOD).mean(axis=1))]
    distribution = mirror_distribution(middle)
    if float(circular_w1(middle, distribution, PERIOD)) < INVERSION.own_mirror:
        mean = p.mean(axis=0)
        sentence = "Within the uncertainties the distribution is its own mirror image."
        return MirrorAmbiguity(mean, mirror_distribution(mean), 1.0, True, sentence)
    is_mirrored = circular_w1(p, distribution, PERIOD) < circular_w1(p, middle, PERIOD)
    share = 1 - float(is_mirrored.mean())
    mirrored_mean = p[~is_mirrored].mean(axis=0)
    if share > 1 - INVERSION.mirrored_share:
        sentence = f"The data decide between ξ and 60° − ξ ({100 * share:.0f} % for the solution given)."
        return MirrorAmbiguity(mirrored_mean, mirror_distribution(mirrored_mean), share, True, sentence)
    sentence = (
        f"ξ and 60° − ξ cannot be distinguished ({100 * share:.0f} % against"
        f" {100 * (1 - share):.0f} %): p is the mean of both, and the mirror solution is given as well."
    )
    return MirrorAmbiguity(mirrored_mean, p[is_mirrored].mean(axis=0), share, False, sentence)
