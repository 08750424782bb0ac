"""Starts of sums: both components found from the bank, whatever their scales."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import nnls

from sasnet_plugin.fitting.start_values.curve_bank import Binned, bin_curve
from sasnet_plugin.fitting.start_values.sums import (
    NearSum,
    collect_fixed,
    find_near_simple_sums,
    has_one_contrast,
    is_smooth_sum,
    nearest_sums,
    two_scales,
)
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve

# --- Starts of sums: both components found from the bank, whatever their scales.

TWO = {"A_radius": 30.0, "B_radius": 110.0, "A_scale": 1.0, "B_scale": 0.03, "background": 0.01}
LINE = {"A_radius": 40.0, "A_radius_pd": 0.1, "A_radius_pd_n": 25, "B_power": 3.0, "A_scale": 1.0}


@pytest.mark.parametrize(
    ("name", "truth", "near"),
    [
        ("sphere+sphere", TWO, {"A_radius": 30.0, "B_radius": 110.0}),
        ("sphere+power_law", LINE | {"B_scale": 2e-6, "background": 0.01}, {"A_radius": 40.0}),
    ],
)
def test_both_components_are_near_the_truth(
    simulated: Callable[..., Curve], bank: Bank, name: str, truth: dict[str, float], near: dict[str, float]
) -> None:
    curve = simulated(name, truth)
    assert curve.dintensity is not None
    starts = nearest_sums(bank, name, bin_curve(curve, curve.dintensity), count=4)
    assert starts[0].weighted_residual < 1
    found = starts[0].parameters
    sizes = sorted(v for k, v in found.items() if k in ("A_radius", "B_radius"))
    assert sizes == pytest.approx(sorted(near.values()), rel=0.15)


def test_two_scales_is_least_squares_with_scales_that_are_not_negative() -> None:
    """Where both components are there the residual is that of scipy's nnls; else the pair is none."""
    x = np.linspace(0, 1, 30)
    rng = np.random.default_rng(2)
    first, second = np.exp(-np.outer([1.0, 3.0, 9.0], x)), 1 / (0.1 + np.outer([1.0, 0.3], x))
    weight = rng.uniform(0.5, 2.0, 30)
    met = 0
    for truth in ((2.0, 0.5, 0.1), (2.0, 0.5, -1.0), (0.1, -0.3, 3.0)):
        intensity = truth[0] * first[1] + truth[1] * second[0] + truth[2] + 0.01 * rng.standard_normal(30)
        data = Binned(intensity, weight, np.arange(30), np.eye(30, dtype=np.float32))
        found = two_scales(first, second, data)
        for i, j in np.ndindex(found.shape):
            columns = np.stack([first[i], second[j], np.ones(30)]) * np.sqrt(weight)
            scales, left = nnls(columns.T, intensity * np.sqrt(weight))
            if np.all(scales[:2] > 0):
                met += 1
                assert found[i, j] == pytest.approx(left**2, rel=1e-6)
            else:
                assert found[i, j] >= left**2 * (1 - 1e-9)
    assert met > 3


def test_only_bodies_of_one_material_have_populations_that_size_alone_distinguishes() -> None:
    assert has_one_contrast("sphere")
    assert not has_one_contrast("core_shell_sphere")
    assert collect_fixed("sphere+mono_gauss_coil") == {"B_i_zero": 1.0}
    assert collect_fixed("mono_gauss_coil") == {}


# --- Simple curves of the field: which come near textbook formulas, and where their fits begin.

Q = np.geomspace(0.004, 0.4, 150)


def near(clean: np.ndarray, error: float = 0.02) -> list[NearSum]:
    dintensity = error * clean
    noisy = clean + dintensity * np.random.default_rng(3).standard_normal(Q.size)
    return find_near_simple_sums(Curve(Q, noisy, dintensity), dintensity)


def test_a_network_with_an_upturn_is_found_with_its_length_and_exponent() -> None:
    found = near(4 / (1 + (45 * Q) ** 2) + 4e-6 * Q**-3.5 + 0.03)
    (both,) = (one for one in found if one.model == "lorentz+power_law")
    assert both.starts[0]["A_cor_length"] == pytest.approx(45, rel=0.25)
    assert both.starts[0]["B_power"] == 3.5
    assert "correlation_length" in {one.model for one in found}


def test_a_peak_on_a_power_law_is_found_where_it_is() -> None:
    found = near(20 / (1 + (75 * (Q - 0.032)) ** 2) + 3e-6 * Q**-2.6 + 0.15)
    assert found[0].model == "broad_peak"
    assert found[0].starts[0]["peak_pos"] == pytest.approx(0.032, rel=0.1)


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("lorentz", {"cor_length": 40.0}),
        ("mono_gauss_coil", {"rg": 60.0, "i_zero": 1.0}),
        ("guinier", {"rg": 50.0}),
        ("guinier_porod", {"rg": 50.0, "s": 0.0, "porod_exp": 3.0}),
        ("dab", {"cor_length": 35.0}),
    ],
)
def test_a_single_term_is_near_itself(model: str, parameters: dict[str, float]) -> None:
    """sasmodels' own curve is near with a length within a step of the grid."""
    curve = call(model, Q, parameters | {"background": 0.0}).intensity
    found = near(curve / curve.max() + 0.01)
    (own,) = (one for one in found if one.model == model)
    length = next(iter(parameters))
    assert own.starts[0][length] == pytest.approx(parameters[length], rel=0.3)


def test_fringes_are_no_simple_sum() -> None:
    assert near(call("sphere", Q, {"radius": 150.0, "background": 0.001}).intensity) == []


def test_particles_and_peaks_are_not_smooth() -> None:
    assert is_smooth_sum("lorentz+power_law")
    assert not is_smooth_sum("sphere+power_law")
    assert not is_smooth_sum("broad_peak")
