"""What is fitted: what the data distinguish, within ranges, and of layers those that are there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sasnet_plugin.fitting.problem.experiment import experiment
from sasnet_plugin.fitting.problem.free_parameters import (
    accepted,
    choose_free,
    fittable,
    independent,
    set_ranges,
)
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.types import Curve

Simulated = Callable[..., Curve]


def test_what_scale_does_as_well_is_not_fitted(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 80.0})
    assert curve.dintensity is not None
    fitness = experiment(curve, curve.dintensity, "sphere", {"radius": 80.0})
    free, same = choose_free(fitness, frozenset())
    assert free == ["scale", "background", "radius"]
    assert same == ["sld", "sld_solvent"]


def test_layers_beyond_the_last_are_not_fitted() -> None:
    info = load_model("core_multi_shell").info
    names = fittable(info, {"n": 2, "thickness2_pd": 0.1})
    assert {"thickness1", "thickness2", "thickness2_pd", "sld2", "radius"} <= set(names)
    assert not {"thickness3", "sld3", "n", "thickness1_pd"} & set(names)


def test_a_combination_of_others_is_no_parameter_of_its_own() -> None:
    x = np.linspace(0, 1, 50)
    columns = {"a": np.ones(50), "b": x, "c": 2 - 3 * x, "none": np.zeros(50), "d": x**2}
    assert independent(columns) == ["a", "b", "d"]


def test_ranges_hold_the_start_and_sasmodels_limits(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 80.0})
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


def test_parameters_of_another_model_are_left_out() -> None:
    info = load_model("sphere").info
    given = {"radius": 50.0, "radius_pd": 0.1, "radius_pd_n": 15, "length": 400.0}
    assert accepted(info, given) == {k: v for k, v in given.items() if k != "length"}
