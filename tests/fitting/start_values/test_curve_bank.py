"""Starting values are near the truth, with any size, resolution and structure factor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sasnet_plugin.fitting.start_values.curve_bank import FACTORS, bin_curve, interaction, nearest, places
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve


@pytest.mark.parametrize("factor", ["hardsphere", "squarewell", "stickyhardsphere"])
def test_the_table_is_sasmodels_structure_factor_at_any_radius(factor: str) -> None:
    parameters, radius = FACTORS[factor][1], 73.0
    q = np.geomspace(0.003, 0.3, 60)
    at = places(np.log(q * radius)[None, None])
    found = interaction(factor, parameters, at, np.array([[radius]]))[0, 0]
    exact = call(factor, q, parameters | {"radius_effective": radius}).intensity
    np.testing.assert_allclose(found, exact, atol=0.03)


def test_charged_spheres_take_the_nearest_radius_as_they_do_not_scale() -> None:
    parameters, q = FACTORS["hayter_msa"][3], np.geomspace(0.003, 0.3, 60)
    at = places(np.log(q * 40.0)[None, None])
    found = interaction("hayter_msa", parameters, at, np.array([[40.0]]))[0, 0]
    exact = call("hayter_msa", q, parameters | {"radius_effective": 40.0}).intensity
    np.testing.assert_allclose(found, exact, atol=0.03)


def test_beyond_the_table_nothing_interacts() -> None:
    at = places(np.log(np.array([[[1e4]]])))
    assert interaction("hardsphere", FACTORS["hardsphere"][0], at, np.array([[1.0]])) == 1.0


Simulated = Callable[..., Curve]


def _best(curve: Curve, bank: Bank, model: str, factor: str | None = None) -> dict[str, float]:
    assert curve.dintensity is not None
    return nearest(bank.page(model), model, factor, bin_curve(curve, curve.dintensity))[0].parameters


@pytest.mark.parametrize("radius", [15.0, 70.0, 300.0])
@pytest.mark.parametrize("slit", [0.0, 0.05])
def test_radius_of_a_sphere(simulated: Simulated, bank: Bank, radius: float, slit: float) -> None:
    curve = simulated("sphere", {"radius": radius, "background": 1e-3}, slit=slit)
    assert _best(curve, bank, "sphere")["radius"] == pytest.approx(radius, rel=0.12)


def test_length_and_radius_of_a_cylinder(simulated: Simulated, bank: Bank) -> None:
    found = _best(simulated("cylinder", {"radius": 25.0, "length": 350.0}), bank, "cylinder")
    assert found["radius"] == pytest.approx(25.0, rel=0.15)
    assert found["length"] == pytest.approx(350.0, rel=0.5)


def test_volume_fraction_of_hard_spheres(simulated: Simulated, bank: Bank) -> None:
    truth = {"radius": 60.0, "volfraction": 0.3, "radius_effective_mode": 1}
    found = _best(simulated("sphere@hardsphere", truth), bank, "sphere", "hardsphere")
    assert found["radius"] == pytest.approx(60.0, rel=0.12)
    assert found["volfraction"] == pytest.approx(0.3, abs=0.11)


def test_starts_differ_and_get_worse(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("cylinder", {"radius": 25.0, "length": 350.0})
    assert curve.dintensity is not None
    starts = nearest(bank.page("cylinder"), "cylinder", None, bin_curve(curve, curve.dintensity), count=6)
    assert len(starts) == 6
    residuals = [s.weighted_residual for s in starts]
    assert residuals == sorted(residuals)
    lengths = [s.parameters["length"] for s in starts]
    assert np.std(np.log(lengths)) > 0.05


def test_a_model_with_no_parameter_but_its_scale_has_one_start(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("porod", {"scale": 1e-6, "background": 0.01})
    assert curve.dintensity is not None
    (start,) = nearest(bank.page("porod"), "porod", None, bin_curve(curve, curve.dintensity), count=6)
    assert start.parameters["background"] == pytest.approx(0.01, rel=0.1)


def test_fringes_sampled_without_resolution_do_not_hide_the_size(bank: Bank) -> None:
    # Uncertainties in proportion to I are smallest in the minima, which average away in the bank's curves.
    q = np.geomspace(0.001, 0.5, 200)
    intensity = call("lamellar", q, {"thickness": 164.0}).intensity
    curve = Curve(q, intensity, 0.03 * intensity)
    found = _best(curve, bank, "lamellar")
    assert found["thickness"] == pytest.approx(164.0, rel=0.1)
