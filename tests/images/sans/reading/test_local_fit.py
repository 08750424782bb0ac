"""Level, slope and error of profiles that are known, many counts and few; means over neighbouring rings."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.images.sans.rings import N_RINGS, RINGS, local_fit, local_mean

MIDDLE = slice(40, 150)


def counted(expected: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).poisson(expected).astype(float)


def test_a_power_law_has_its_slope_everywhere() -> None:
    expected = 1e6 * (RINGS / RINGS[60]) ** -3.0
    exposure = (RINGS / RINGS[60]) ** 2
    found = local_fit(counted(expected * exposure, 0), exposure, 0.3)
    assert found.slope[MIDDLE] == pytest.approx(-3, abs=0.05)
    assert found.level[MIDDLE] == pytest.approx(np.log(expected)[MIDDLE], abs=0.02)


@pytest.mark.parametrize("rate", [0.3, 3.0, 300.0])
def test_few_counts_a_ring_are_no_bias_and_the_error_holds(rate: float) -> None:
    runs = [local_fit(counted(np.full(N_RINGS, rate), k), np.ones(N_RINGS), 0.35) for k in range(60)]
    level = np.array([one.level[MIDDLE] for one in runs]) - np.log(rate)
    error = np.array([one.error[MIDDLE] for one in runs])
    assert abs(np.log(np.mean(np.exp(level)))) < 0.3 * np.median(error)
    pulls = level / error
    assert 0.4 < pulls.std() < 1.3


def test_an_end_without_counts_is_dark_and_stays_finite() -> None:
    counts = np.where(np.arange(N_RINGS) < 90, 50.0, 0.0)
    found = local_fit(counts, np.ones(N_RINGS), 0.06)
    assert np.all(np.isfinite([found.level, found.slope, found.error]))
    assert found.level[110:].max() < np.log(50) - 3
    assert found.error[110:].min() > 10 * found.error[40:80].max()


def test_neighbouring_rings_know_more_together_and_nothing_where_nothing_is() -> None:
    rng, error = np.random.default_rng(1), np.full((N_RINGS, 200), 0.2)
    error[120:] = np.inf
    values = np.where(np.isfinite(error), 0.5 + 0.2 * rng.standard_normal(error.shape), 0.0)
    mean, spread = local_mean(values, error, 0.3)
    assert np.std((mean - 0.5)[60] / spread[60]) == pytest.approx(1, abs=0.2)
    assert spread[60].max() < 0.2 / 3
    far, nothing = local_mean(values, error, 0.01)
    assert np.all(far[150:] == 0)
    assert np.all(np.isinf(nothing[150:]))
