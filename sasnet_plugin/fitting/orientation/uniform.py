"""Is every angle alike? The likelihood averaged over other distributions, against that of uniform."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...simulate.gisas import cube
from ...simulate.gisas.geometry import N_XI
from .linear import Quadratic
from .posterior import scales

FloatArray = NDArray[np.float64]
#: Distributions that stand for the alternative, and patterns of a uniform sample that give the reference.
_DRAWS, _PATTERNS = 1500, 999
#: Strengths with which each is mixed into the uniform one: a weak order is found as well as a strong one.
_STRENGTHS = (1.0, 0.3, 0.1, 0.03)


def uniform_p_value(form: Quadratic, rng: np.random.Generator) -> float:
    """Probability of a statistic as large as the data's, were the distribution uniform.

    The statistic is the mean of the likelihood ratio over distributions of the prior (J. Neyman and
    E. S. Pearson: no test of one hypothesis against a mixture has more power). Its law under the uniform
    distribution comes from patterns of a uniform sample, drawn in the quadratic form of the likelihood.

    Parameters
    ----------
    form : Quadratic
        The likelihood about a fit with a uniform distribution; geometry and backgrounds eliminated.
    rng : numpy.random.Generator

    Returns
    -------
    float
        At least 1/1000.
    """
    flat = np.full(N_XI, 1 / N_XI)
    some = cube.distributions(rng.random((_DRAWS, cube.DIMENSIONS)))
    some = some[np.abs(some - flat).sum(axis=1) > 1e-9]
    shapes = np.concatenate([flat + strength * (some - flat) for strength in _STRENGTHS])
    # With the scale at its best: what is orthogonal to the uniform pattern.
    along = form.m @ flat
    norm = float(flat @ along)
    scale = float(scales(form, flat[None])[0])
    change = scale * (shapes - np.outer(shapes @ along / norm, flat))
    length = np.einsum("ij,ij->i", change @ form.m, change)
    values, vectors = np.linalg.eigh((form.m + form.m.T) / 2)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    noise = root @ rng.normal(size=(N_XI, _PATTERNS))
    scores = np.column_stack((form.v - scale * along, noise))
    ratios = change @ scores - 0.5 * length[:, None]
    top = ratios.max(axis=0)
    statistic = top + np.log(np.exp(ratios - top).mean(axis=0))
    return float((1 + np.sum(statistic[1:] >= statistic[0])) / (_PATTERNS + 1))
