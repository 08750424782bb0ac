"""Samples and geometry together: a band that holds the truth, a geometry with its error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from inversion.orientedpatterns import GEOMETRY
from sasnet_plugin.images.gisas.inversion import (
    INDEX,
    OrientationGuess,
    Problem,
    bin_on_window,
    posterior,
    refine,
    start,
)
from sasnet_plugin.images.gisas.simulation import peak
from sasnet_plugin.images.simulation import PERIOD
from sasnet_plugin.predict.arithmetic import circular_w1
from sasnet_plugin.types import Image


def test_samples_lie_about_the_truth_and_the_lattice_within_its_error(
    measured: Callable[..., Image], near: Callable[..., OrientationGuess]
) -> None:
    p = peak(10.0, 6.0)
    image = measured(p)
    counts, _ = bin_on_window(image)
    problem = Problem(counts, start(near(image).geometry))
    refined = refine(problem)
    found = posterior(problem, refined, np.random.default_rng(0), rounds=2, effort=4.0)
    np.testing.assert_allclose(found.samples.p.sum(axis=1), 1.0)
    assert circular_w1(found.samples.p.mean(axis=0), p, PERIOD) < 2.0
    lattice = INDEX["lattice"]
    assert abs(found.inner[lattice] - GEOMETRY.lattice) < 4 * found.error[lattice]
    assert found.error[lattice] < problem.guess.error[lattice]
    assert found.dispersed == 1.0
