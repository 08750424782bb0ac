"""The deviance of a pattern against its mean and standard deviation were the model right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inversion.orientedpatterns import FLAT, form_of
from sasnet_plugin.images.gisas.inversion import State, deviance, moments, verify
from sasnet_plugin.images.gisas.simulation import deltas


def test_the_deviance_has_the_moments_that_are_stated() -> None:
    rng = np.random.default_rng(3)
    for mu in (0.05, 0.7, 5.0, 300.0):
        drawn = deviance(rng.poisson(mu, 200_000).astype(float), np.full(200_000, mu), 0.0)
        mean, variance = (float(m[0]) for m in moments(np.array([mu])))
        assert drawn.mean() == pytest.approx(mean, rel=0.03)
        assert drawn.var() == pytest.approx(variance, rel=0.06)


def test_a_wrong_pattern_s_deviance_is_far_from_its_mean(now: State) -> None:
    rng = np.random.default_rng(5)
    right = deltas(np.array([1.0]), np.array([1.0]))
    y, expected, _ = form_of(now, right, 1e6, rng)
    counts = replace(now.counts, y=y)
    good = verify(counts, expected, 0)
    assert abs(good.deviance - good.expected) < 4 * good.sd
    wrong = FLAT @ now.patterns
    bad = verify(counts, wrong * (y.sum() / wrong.sum()), 0)
    assert bad.deviance - bad.expected > 20 * bad.sd
    assert bad.in_scope < 0.5 < good.in_scope
