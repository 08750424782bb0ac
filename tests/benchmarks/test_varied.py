"""What the contestants vary: no parameter that another does as well, and none beyond what samples have."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.fitting.varied import choose_free, set_ranges
from sasnet_plugin.fitting.problem.experiment import experiment
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve

Q = np.geomspace(0.005, 0.3, 60)


def sphere() -> Curve:
    clean = call("sphere", Q, {"radius": 80.0}).intensity
    return Curve(Q, clean, 0.02 * clean)


def test_what_scale_does_as_well_is_not_fitted() -> None:
    curve = sphere()
    assert curve.dintensity is not None
    fitness = experiment(curve, curve.dintensity, "sphere", {"radius": 80.0})
    free, same = choose_free(fitness, frozenset())
    assert free == ["scale", "background", "radius"]
    assert same == ["sld", "sld_solvent"]


def test_ranges_hold_the_start_and_sasmodels_limits() -> None:
    curve = sphere()
    assert curve.dintensity is not None
    start = {"radius": 80.0, "radius_pd": 0.1, "radius_pd_n": 15}
    fitness = experiment(curve, curve.dintensity, "sphere", start)
    set_ranges(fitness, ["scale", "background", "radius", "radius_pd", "sld"])
    model = fitness.model
    assert model.radius.bounds == pytest.approx((80.0 / PROBLEM.size_reach, 80.0 * PROBLEM.size_reach))
    assert model.scale.bounds == (0.0, np.inf)
    assert model.background.bounds == (-np.inf, np.inf)
    assert model.radius_pd.bounds == (0.0, PROBLEM.most_width)
    low, high = model.sld.bounds
    assert high - low == pytest.approx(2 * PROBLEM.sld_reach)
