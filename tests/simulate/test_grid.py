"""The wide grid and the interpolation on it."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.simulate.grid import (
    BLUR,
    LN_STEP,
    N_LAGRANGE,
    N_WIDE,
    WIDE_MIN,
    WIDE_Q,
    blur,
    lagrange_weights,
    pinhole_matrix,
)


def interpolate(q: np.ndarray, values: np.ndarray) -> np.ndarray:
    first, weights = lagrange_weights(q)
    return np.sum(weights * values[first[..., None] + np.arange(N_LAGRANGE)], axis=-1)


def test_grid_is_even_in_log_q_and_wider_than_any_instrument() -> None:
    assert np.diff(np.log(WIDE_Q)) == pytest.approx(LN_STEP, rel=1e-9)
    assert WIDE_MIN < 1e-4
    assert WIDE_Q[-1] > 1.2


@pytest.mark.parametrize("power", range(N_LAGRANGE))
def test_polynomials_in_log_q_are_exact(power: int) -> None:
    q = np.exp(np.random.default_rng(power).uniform(np.log(WIDE_MIN), np.log(WIDE_Q[-1]), 500))
    x_grid, x = np.log(WIDE_Q), np.log(q)
    scale = np.max(np.abs(x_grid)) ** power
    assert interpolate(q, x_grid**power) == pytest.approx(x**power, abs=1e-11 * scale)


@pytest.mark.parametrize("exponent", [-4.0, -2.0, -1.0, 0.5])
def test_power_laws_are_exact_to_nine_digits(exponent: float) -> None:
    q = np.exp(np.random.default_rng(1).uniform(np.log(WIDE_MIN), np.log(WIDE_Q[-1]), 500))
    assert interpolate(q, WIDE_Q**exponent) == pytest.approx(q**exponent, rel=1e-8)


def test_grid_points_keep_their_own_value() -> None:
    values = np.random.default_rng(2).standard_normal(N_WIDE)
    assert interpolate(WIDE_Q, values) == pytest.approx(values, abs=1e-8)


def test_fringes_of_a_sphere_are_followed_to_q_r_of_60() -> None:
    radius = 200.0

    def amplitude_free(q: np.ndarray) -> np.ndarray:
        x = q * radius
        return (9 * (np.sin(x) - x * np.cos(x)) ** 2 / x**6) * x**4

    q = np.linspace(1.0, 60.0, 4000) / radius
    x4 = (q * radius) ** 4
    found = interpolate(q, amplitude_free(WIDE_Q) / (WIDE_Q * radius) ** 4) * x4
    # The fringes' height is 9 in units of x⁻⁴.
    assert np.max(np.abs(found - amplitude_free(q))) < 0.02 * 9


def test_beyond_the_grid_its_end_is_taken() -> None:
    matrix = pinhole_matrix(np.array([1e-6, 100.0]), np.zeros(2))
    assert matrix @ WIDE_Q == pytest.approx([WIDE_MIN, WIDE_Q[-1]], rel=1e-9)


@pytest.mark.parametrize("exponent", [-4.0, -1.0, 2.0])
def test_a_blurred_power_law_keeps_its_power_and_gains_the_variance_of_the_blur(exponent: float) -> None:
    at = np.log(WIDE_MIN) + LN_STEP * np.arange(2 * 400 + 1) / 2
    found = blur(exponent * at, 2)
    assert np.diff(found) == pytest.approx(exponent * LN_STEP, abs=1e-9)
    # The mean of exp(p x) over a Gaussian of variance s² is exp(p² s²/2) times its value at the centre.
    assert found - exponent * at[::2] == pytest.approx((exponent * BLUR * LN_STEP) ** 2 / 2, rel=0.02)


def test_blur_averages_what_is_finer_than_the_grid() -> None:
    wave = np.log(2 + np.cos(2 * np.pi * np.arange(8 * 200 + 1) / 8 / 1.3))  # 1.3 cells long
    assert np.exp(blur(wave, 8))[10:-10] == pytest.approx(2.0, rel=0.005)
