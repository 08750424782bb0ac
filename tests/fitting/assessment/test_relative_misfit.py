"""Scatter of neighbouring points against stated uncertainties: a test that does not trust these."""

from __future__ import annotations

import numpy as np
import pytest
from made_results import Q, fitted

from sasnet_plugin.fitting.assessment.goodness_of_fit import misfit_of
from sasnet_plugin.types import Curve

EXACT = 1 / (1 + (40 * Q) ** 2) ** 2


@pytest.mark.parametrize("factor", [1 / 3, 1.0, 3.0])
def test_uncertainties_wrong_by_three_are_measured_whatever_the_misfit(factor: float) -> None:
    rng = np.random.default_rng(2)
    measured = EXACT * (1 + 0.01 * rng.standard_normal(Q.size) + 0.04 * np.sin(3 * np.log(Q)))
    stated = factor * 0.01 * EXACT
    found = misfit_of(Curve(Q, measured, stated), stated, fitted("sphere", theory=EXACT))
    assert found is not None
    assert found.over_stated == pytest.approx(1 / factor, rel=0.35)
    assert found.scatter == pytest.approx(0.01, rel=0.35)
    assert found.relative > 2 * found.scatter


def test_a_fit_that_follows_the_points_misses_them_by_their_scatter() -> None:
    rng = np.random.default_rng(3)
    measured = EXACT * (1 + 0.02 * rng.standard_normal(Q.size))
    found = misfit_of(Curve(Q, measured, 0.02 * EXACT), 0.02 * EXACT, fitted("sphere", theory=EXACT))
    assert found is not None
    assert found.relative == pytest.approx(found.scatter, rel=0.4)
