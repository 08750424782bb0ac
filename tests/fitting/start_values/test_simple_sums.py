"""Simple curves of the field: which come near textbook formulas, and where their fits begin."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.start_values.sums import NearSum, find_near_simple_sums, is_smooth_sum
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve

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
