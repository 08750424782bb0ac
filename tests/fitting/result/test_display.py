"""A fit for people: its table and its figure, and a corner plot whose contours hold what they say."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.result.display import (
    MOST_PANELS,
    corner_figure,
    draw,
    drawn_names,
    html_table,
    parameters_in_words,
    rows,
)
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter, posterior_of
from sasnet_plugin.types import Curve

N = 90


def _fit(model: str, weight: float, factor: str | None = None) -> ModelFit:
    parameters = {
        "radius": Parameter(56.61, 1.24, "Ang", False, 1.0, 1e3),
        "sld": Parameter(4.0, None, "1e-6/Ang^2", True, 4.0, 4.0),
    }
    theory = np.full(N, 2.0)
    return ModelFit(model, factor, parameters, {}, 90.0, 1.0, 95.0, 0.5, 0.1, theory, weight=weight)


def test_what_was_fitted_is_told_and_what_was_fixed_is_not() -> None:
    assert parameters_in_words(_fit("sphere", 1.0)) == "radius 56.6 ± 1.2 Å"


def test_tables_list_every_fit_and_html_is_escaped() -> None:
    fits = [_fit("sphere", 0.7, "hardsphere"), _fit("/tmp/<b>.py", 0.3)]
    assert [row["weight"] for row in rows(fits)] == [0.7, 0.3]
    found = html_table(fits)
    assert "&lt;b&gt;" in found
    assert "<b>" not in found
    assert "No model could be fitted" in html_table([])


def test_data_are_drawn_with_fits_and_the_best_ones_residuals() -> None:
    curve = Curve(np.geomspace(0.01, 0.3, N), np.full(N, 2.2), np.full(N, 0.1))
    assert curve.dintensity is not None
    data, residuals = draw(curve, curve.dintensity, [_fit("sphere", 1.0)]).axes
    assert residuals.lines[0].get_ydata() == pytest.approx(np.full(N, 2.0))
    assert any(line.get_label().startswith("sphere") for line in data.lines)


def _drawn(names: tuple[str, ...]) -> ModelFit:
    rng = np.random.default_rng(1)
    chains = rng.standard_normal((400, 10, len(names))) + 5.0
    parameters = {name: Parameter(5.0, 1.0, "Ang", False, 0.0, 10.0) for name in names}
    posterior = posterior_of(names, chains, rng)
    return ModelFit("m", None, parameters, {}, 1.0, 1.0, 1.0, 0.5, 0.1, np.ones(3), posterior=posterior)


def test_scale_and_background_give_way_where_there_are_too_many() -> None:
    many = ("scale", "background", *(f"p{i}" for i in range(MOST_PANELS)))
    assert drawn_names(_drawn(many)) == many[2:]
    assert drawn_names(_drawn(many[:3])) == many[:3]


def test_each_parameter_and_each_pair_has_a_panel_with_the_fit_in_it() -> None:
    figure = corner_figure(_drawn(("a", "b", "c")))
    panels = {axes.get_gid(): axes for axes in figure.axes}
    assert set(panels) == {f"panel-{row}-{column}" for row in range(3) for column in range(row + 1)}
    low, high = panels["panel-1-0"].get_xlim()
    assert low < 5.0 < high
