"""What the best fit still leaves: nothing where residuals are noise, whatever its size."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.strategy.hypothesis import Supposed
from sasnet_plugin.fitting.strategy.settings import STRATEGY
from sasnet_plugin.fitting.strategy.state import estimate_shared_gain, least_misfit
from sasnet_plugin.types import Curve

N = 200


def chisq(residual: np.ndarray) -> float:
    return float(residual @ residual)


def test_independent_noise_leaves_nothing_however_large() -> None:
    """Its χ², at the size that suits it, is no larger than the least that could be left."""
    rng = np.random.default_rng(1)
    gains = []
    for size in (0.5, 1.0, 3.0):
        for _ in range(30):
            residual = size * rng.standard_normal(N)
            own = max(chisq(residual) / N, 1.0)
            gains.append(chisq(residual) / own + N * np.log(own) - least_misfit(residual))
    assert np.mean(np.array(gains) <= 2 * STRATEGY.chance_gain) > 0.9


def test_what_neighbours_share_could_be_explained() -> None:
    """A wave of twice the noise has two thirds of the variance to give: n ln 3 of the likelihood's -2 ln."""
    wave = 2 * np.sin(np.linspace(0, 20, N)) + np.random.default_rng(2).standard_normal(N)
    own = chisq(wave) / N
    gain = 0.5 * (N + N * np.log(own) - least_misfit(wave))
    assert 0.5 * N * np.log(3) - 3 * np.sqrt(17 / 9 * N) < gain < 0.6 * N * np.log(3)


def test_a_supposed_resolution_is_of_two_parts() -> None:
    q = np.geomspace(0.01, 0.1, 20)
    dq = Supposed(0.03, 1e-3).apply_to(Curve(q, np.ones(20))).dq
    assert dq is not None
    np.testing.assert_allclose(dq, np.sqrt((0.03 * q) ** 2 + 1e-6))


def test_what_neighbours_share_may_be_gained_and_noise_may_not() -> None:
    rng = np.random.default_rng(5)
    noise = rng.standard_normal((200, 120))
    smooth = 0.5 * np.sin(np.linspace(0, 6, 120))
    alone = np.mean([estimate_shared_gain(one) for one in noise])
    with_misfit = np.mean([estimate_shared_gain(one + smooth) for one in noise])
    assert alone == pytest.approx(-0.5 * np.sqrt(120), abs=1.0)
    assert with_misfit - alone == pytest.approx(0.5 * float(smooth @ smooth), rel=0.15)
