"""Points of size distributions on the coarse copy."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.problem.free_parameters import coarse, complete_distributions
from sasnet_plugin.simulate.clean import PD_TYPES
from sasnet_plugin.simulate.kernel import call


@pytest.mark.parametrize("kind", PD_TYPES)
def test_few_points_leave_no_fringes_where_there_are_none(kind: str) -> None:
    """Of spheres of sizes 25 % apart the fringes are gone where qR is 11 to 22."""
    q = np.linspace(0.015, 0.03, 60)
    spheres = complete_distributions({"radius": 750.0, "radius_pd": 0.25, "radius_pd_type": kind}, 35)
    few = coarse("sphere", spheres)
    porod = call("sphere", q, few | {"background": 0.0}).intensity * q**4
    assert few["radius_pd_n"] < spheres["radius_pd_n"]
    assert np.std(porod) < 0.2 * np.mean(porod)
