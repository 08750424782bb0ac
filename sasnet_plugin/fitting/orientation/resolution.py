"""How many modes of p(ξ) the counts determine."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...simulate.gisas import cube
from ...simulate.gisas.geometry import N_XI
from .linear import Quadratic

FloatArray = NDArray[np.float64]
_DRAWS = 4000


def resolved(form: Quadratic) -> float:
    """Modes whose scatter in the prior is seen through the noise, each by the share that the data decide.

    Parameters
    ----------
    form : Quadratic
        The likelihood of the weights about a fit.

    Notes
    -----
    Σ λ/(1 + λ) over the eigenvalues λ of the information in units of the prior's covariance.
    """
    values, vectors = _prior()
    # Weights are counts; the scale is what a uniform distribution of best scale has.
    flat = np.full(N_XI, 1 / N_XI)
    along = form.m @ flat
    scale = float(flat @ form.v) / float(flat @ along)
    information = form.m - np.outer(along, along) / float(flat @ along)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    found = np.linalg.eigvalsh(scale**2 * root.T @ information @ root)
    found = np.maximum(found, 0.0)
    return float(np.sum(found / (1 + found)))


@lru_cache(maxsize=1)
def _prior() -> tuple[FloatArray, FloatArray]:
    """Eigenvalues and vectors of the prior's covariance of p, the same at every angle."""
    draws = cube.distributions(np.random.default_rng(0).random((_DRAWS, cube.DIMENSIONS)))
    # Every rotation of the prior is the prior, so its covariance depends on the distance alone.
    spectrum = (np.abs(np.fft.rfft(draws - 1 / N_XI, axis=1)) ** 2).mean(axis=0)
    distance = np.fft.irfft(spectrum, n=N_XI) / N_XI
    covariance = distance[(np.arange(N_XI)[:, None] - np.arange(N_XI)) % N_XI]
    values, vectors = np.linalg.eigh(covariance)
    return values, vectors
