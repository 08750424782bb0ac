"""What simulated images of several kinds have in common: stripes of no scattering, and uneven pixels."""

from __future__ import annotations

import numpy as np

from ...arrays import Floats

#: More expected counts than this in a pixel are this many.
_MOST = 1e12


def stripes(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    """Draw waves in one direction, as of a read-out, about 1, not negative; x and y from -1 to 1."""
    waves = np.cos((x * rng.normal() + y * rng.normal()) * rng.uniform(5, 60))
    return np.asarray(1 + waves * rng.uniform(0.3, 1))


def count_unevenly(expected: Floats, scatter: float, rng: np.random.Generator) -> Floats:
    """Draw Poisson counts of pixels whose gains scatter about 1 by `scatter`, at least 0.2."""
    gain = np.maximum(1 + scatter * rng.standard_normal(expected.shape), 0.2)
    return rng.poisson(np.minimum(expected * gain, _MOST)).astype(np.float64)
