"""Chains of a sampler summarised: samples that are kept, credible intervals, and whether the chains agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .model_fit import Posterior

#: Samples of a posterior that are kept: enough for a corner plot, few enough to send and store.
KEPT = 2000
#: Probability inside one standard deviation of a normal distribution.
_ONE_SIGMA = 0.682689492137


def posterior_of(names: Sequence[str], chains: NDArray[np.float64], rng: np.random.Generator) -> Posterior:
    """Summarise chains (steps, chains, k) after burn-in; `rng` picks the samples that are kept."""
    flat = chains.reshape(-1, chains.shape[-1])
    inner, outer = (
        np.quantile(flat, [(1 - part) / 2, (1 + part) / 2], axis=0) for part in (_ONE_SIGMA, 0.95)
    )
    samples_kept = flat
    if len(flat) > KEPT:
        samples_kept = flat[np.sort(rng.choice(len(flat), KEPT, replace=False))]
    return Posterior(
        tuple(names),
        samples_kept.copy(),
        {name: (float(low), float(high)) for name, low, high in zip(names, *inner, strict=True)},
        {name: (float(low), float(high)) for name, low, high in zip(names, *outer, strict=True)},
        float(np.max(split_r(chains))),
        len(flat),
    )


def split_r(chains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Gelman and Rubin's R (k,) of chains (steps, chains, k), each split in halves to detect drift;
    infinite below four steps or without motion.
    """
    # A. Gelman et al., Bayesian Data Analysis, 3rd ed. (2013), equations 11.1 to 11.4.
    half = len(chains) // 2
    if half < 2:
        return np.full(chains.shape[-1], np.inf)
    pieces = np.concatenate([chains[:half], chains[-half:]], axis=1)
    within = np.mean(np.var(pieces, axis=0, ddof=1), axis=0)
    between = np.var(np.mean(pieces, axis=0), axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        r_hat = np.sqrt((half - 1) / half + between / within)
    return np.asarray(np.where(within > 0, r_hat, np.inf))
