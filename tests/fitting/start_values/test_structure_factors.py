"""Tables of structure factors: sasmodels' own values, one beyond their end."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.start_values.structure_factors import FACTORS, interaction, places
from sasnet_plugin.simulate.kernel import call


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
