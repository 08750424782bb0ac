"""Where parameters may lie: lengths positive, fractions possible, the same everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sasmodels.core import load_model
from sasmodels.direct_model import call_kernel

from sasnet_plugin.fitting.problem.bounds import bounds_of, default_of, range_of
from sasnet_plugin.simulate.priors import form_models, model_info


def parameter(model: str, name: str) -> Any:
    return next(p for p in model_info(model).parameters.call_parameters if p.name == name)


@pytest.mark.parametrize("model", form_models())
def test_no_length_is_negative_and_the_default_is_allowed(model: str) -> None:
    for p in model_info(model).parameters.call_parameters:
        if p.type in ("orientation", "magnetic") or p.name in ("scale", "background"):
            continue
        low, high = bounds_of(p)
        assert low <= p.default <= high, p.name
        assert low < high, p.name
        if p.units == "Ang" and not p.name.startswith("penetration"):
            assert low >= 0, p.name


def test_spheres_fill_no_more_than_they_can() -> None:
    assert bounds_of(parameter("vesicle", "volfraction"))[1] == pytest.approx(np.pi / np.sqrt(18))
    assert bounds_of(parameter("teubner_strey", "volfraction_a"))[1] == 1.0


def test_a_range_holds_its_value_and_stays_within_reach() -> None:
    info = model_info("broad_peak")
    low, high = range_of(info, "correlation_length", 60.0)
    assert 0 < low < 60.0 < high < 1e4
    assert range_of(model_info("sphere"), "radius_pd", 0.1)[0] == 0.0
    assert default_of(info, "width_exp") == 2.0
    assert default_of(model_info("sphere"), "radius_pd") == 0.0


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("two_lorentzian", "lorentz_exp_1"),
        ("polymer_excl_volume", "porod_exp"),
        ("unified_power_Rg", "power2"),
    ],
)
def test_no_power_of_q_falls_as_no_sample_does(model: str, name: str) -> None:
    assert bounds_of(parameter(model, name)) == (0.0, 6.0)


@pytest.mark.parametrize(
    ("model", "name"),
    [("gel_fit", "fractal_dim"), ("fractal", "fractal_dim"), ("mass_surface_fractal", "fractal_dim_mass")],
)
def test_what_is_connected_has_a_dimension_of_one_at_least(model: str, name: str) -> None:
    """Conalbumin, a protein, was a polymer gel of a fractal dimension of 0.72 ± 0.07."""
    assert bounds_of(parameter(model, name)) == (1.0, 6.0)


@pytest.mark.parametrize("volfraction", [0.05, 0.15, 0.2487, 0.2488, 0.3])
def test_the_least_charge_is_that_of_hard_spheres_and_has_a_solution(volfraction: float) -> None:
    """sasmodels' closure has none now and then for smaller charges, which cuts a fit's slopes to nothing."""
    q = np.geomspace(0.005, 0.3, 20)
    given = {"radius_effective": 41.21, "volfraction": volfraction}
    least = bounds_of(parameter("hayter_msa", "charge"))[0]
    charged = call_kernel(load_model("hayter_msa").make_kernel([q]), given | {"charge": least})
    hard = call_kernel(load_model("hardsphere").make_kernel([q]), given)
    assert charged == pytest.approx(hard, rel=0.01)


def test_no_medium_screens_charges_less_than_vacuum() -> None:
    """Bjerrum's length in water at 298 K, of relative permittivity 78.4, is 7.1 Å."""
    _, most = bounds_of(parameter("be_polyelectrolyte", "bjerrum_length"))
    assert most / 78.4 == pytest.approx(7.1, rel=0.01)


@pytest.mark.parametrize(
    ("model", "name"),
    [("power_law", "power"), ("correlation_length", "porod_exp"), ("broad_peak", "porod_exp")],
)
def test_no_power_law_falls_less_than_that_of_thin_rods(model: str, name: str) -> None:
    """I of thin rods falls as 1/q; a power law of exponent 0 is a background, which it cancels."""
    assert bounds_of(parameter(model, name)) == (1.0, 6.0)
