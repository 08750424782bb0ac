"""The sample and the measurement that the tests of orientations share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.images.gisas import inversion
from sasnet_plugin.images.gisas.inversion import Quadratic, State, quadratic
from sasnet_plugin.images.simulation import N_XI, Geometry, Measurement

GEOMETRY = Geometry(350, 1500, 15, 100, 0.05, 1.34, 0.165, oxide=600)
MEASUREMENT = Measurement(
    sigma_phi=0.008,
    sigma_alpha=0.006,
    shift_phi=0.004,
    shift_alpha=0.005,
    flat=0.01,
    diffuse=0.01,
    diffuse_alpha=0.8,
    diffuse_phi=0.3,
    counts=1e6,
)
#: Half width of the beamstop, degrees: the rod, which knows nothing of the angle, is covered.
STOP = 0.07
FLAT = np.full(N_XI, 1 / N_XI)


def form_of(
    now: State, p: np.ndarray, counts: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, Quadratic]:
    """Counts of a distribution, what was expected of them, and the likelihood about that."""
    expected = p @ now.patterns
    expected = expected * (counts / expected.sum())
    y = rng.poisson(expected).astype(float)
    precision = np.full(2, 1e-12)
    return y, expected, quadratic(now.patterns, y, expected, now.backgrounds, precision, np.zeros(2))


@contextmanager
def coarse_films() -> Iterator[None]:
    """Films over all of the range 120 Å apart; one test of `invert` has them as close as they are."""
    with pytest.MonkeyPatch.context() as patch:
        steps = {**inversion.INVERSION.search_steps, "oxide": 120.0}
        patch.setattr(inversion, "INVERSION", replace(inversion.INVERSION, search_steps=steps))
        yield
