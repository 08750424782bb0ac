"""A posterior drawn: a corner plot whose contours hold what they say."""

from __future__ import annotations

import numpy as np

from sasnet_plugin.fitting.optimize.refine_best import posterior_of
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.report.plot import MOST_PANELS, corner_of, select_drawn_names


def _drawn(names: tuple[str, ...]) -> ModelFit:
    rng = np.random.default_rng(1)
    chains = rng.standard_normal((400, 10, len(names))) + 5.0
    parameters = {name: Parameter(5.0, 1.0, "Ang", False, 0.0, 10.0) for name in names}
    posterior = posterior_of(names, chains, rng)
    return ModelFit("m", None, parameters, {}, 1.0, 1.0, 1.0, 0.5, 0.1, np.ones(3), posterior=posterior)


def test_scale_and_background_give_way_where_there_are_too_many() -> None:
    many = ("scale", "background", *(f"p{i}" for i in range(MOST_PANELS)))
    assert select_drawn_names(_drawn(many)) == many[2:]
    assert select_drawn_names(_drawn(many[:3])) == many[:3]


def test_each_parameter_and_each_pair_has_a_panel_with_the_fit_in_it() -> None:
    figure = corner_of(_drawn(("a", "b", "c")))
    panels = {axes.get_gid(): axes for axes in figure.axes}
    assert set(panels) == {f"panel-{row}-{column}" for row in range(3) for column in range(row + 1)}
    low, high = panels["panel-1-0"].get_xlim()
    assert low < 5.0 < high
