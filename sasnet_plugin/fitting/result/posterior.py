"""What samples of the posterior say of parameters: credible intervals, and whether the chains agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.settings import RESULT

#: Probability inside one standard deviation of a normal distribution.
_ONE_SIGMA = 0.682689492137


@dataclass(frozen=True)
class Posterior:
    """Samples of the fitted parameters, each as probable as the data make it.

    The prior is uniform within the range of each parameter, the likelihood exp(-χ²/2) with the stated (or
    estimated) uncertainties.

    Parameters
    ----------
    names : tuple of str
        k fitted parameters.
    samples : (n, k) float array
        At most 2000, in the parameters' units.
    interval68, interval95 : mapping of str to (float, float)
        Credible intervals with equal tails, of all draws.
    gelman_rubin : float
        Largest R of a parameter; 1 where the chains agree.
    draws : int
        From which the intervals are.
    """

    names: tuple[str, ...]
    samples: NDArray[np.float64]
    interval68: Mapping[str, tuple[float, float]]
    interval95: Mapping[str, tuple[float, float]]
    gelman_rubin: float
    draws: int

    @property
    def converged(self) -> bool:
        """The chains agree with each other: R is small (J. A. Vrugt et al., Int. J. Nonlinear Sci. Numer.
        Simul. 10 (2009) 273).
        """
        return self.gelman_rubin < RESULT.converged


def posterior_of(names: Sequence[str], chains: NDArray[np.float64], rng: np.random.Generator) -> Posterior:
    """Summarise chains.

    Parameters
    ----------
    names : sequence of str
        k parameters.
    chains : (steps, chains, k) float array
        After burn-in.
    rng : numpy.random.Generator
        Picks the samples that are kept.
    """
    flat = chains.reshape(-1, chains.shape[-1])
    inner, outer = (
        np.quantile(flat, [(1 - part) / 2, (1 + part) / 2], axis=0) for part in (_ONE_SIGMA, 0.95)
    )
    kept = flat
    if len(flat) > RESULT.kept_samples:
        kept = flat[np.sort(rng.choice(len(flat), RESULT.kept_samples, replace=False))]
    return Posterior(
        tuple(names),
        kept.copy(),
        {name: (float(low), float(high)) for name, low, high in zip(names, *inner, strict=True)},
        {name: (float(low), float(high)) for name, low, high in zip(names, *outer, strict=True)},
        float(np.max(split_r(chains))),
        len(flat),
    )


def split_r(chains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gelman and Rubin's R of each parameter, each chain split in halves.

    A. Gelman et al., Bayesian Data Analysis, 3rd ed. (2013), equations 11.1 to 11.4. The halves show a chain
    that still drifts; infinite where there are fewer than four steps or nothing moves.

    Parameters
    ----------
    chains : (steps, chains, k) float array

    Returns
    -------
    (k,) float array
    """
    half = len(chains) // 2
    if half < 2:
        return np.full(chains.shape[-1], np.inf)
    pieces = np.concatenate([chains[:half], chains[-half:]], axis=1)
    within = np.mean(np.var(pieces, axis=0, ddof=1), axis=0)
    between = np.var(np.mean(pieces, axis=0), axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.sqrt((half - 1) / half + between / within)
    return np.asarray(np.where(within > 0, found, np.inf))
