"""Sums of models: whose parameter is whose, and scales that are solved for together."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.problem.free_parameters import fittable
from sasnet_plugin.fitting.problem.sums import as_part, extract_part, scales_of, solve_scales
from sasnet_plugin.fitting.result.components import bare, is_scale
from sasnet_plugin.simulate.kernel import call, load_model


def test_a_component_has_the_parameters_of_its_own_model() -> None:
    whole = as_part({"radius": 40.0, "sld": 2.0}, 0) | as_part({"power": 3.0}, 1) | {"background": 1.0}
    assert extract_part(whole, 0, 2) == {"radius": 40.0, "sld": 2.0, "scale": 1.0, "background": 0.0}
    assert extract_part(whole, 1, 2) == {"power": 3.0, "scale": 1.0, "background": 0.0}
    assert [bare(n) for n in ("A_radius", "lorentz_scale", "Nlayers")] == [
        "radius",
        "lorentz_scale",
        "Nlayers",
    ]
    assert is_scale("B_scale")
    assert not is_scale("A_lorentz_scale")


def test_sasmodels_sum_is_that_of_its_components() -> None:
    """What `extract_part` gives is what sasmodels' own mixture adds up."""
    from sasmodels.direct_model import call_kernel

    q = np.geomspace(0.005, 0.3, 40)
    first, second = {"radius": 45.0, "radius_pd": 0.1, "radius_pd_n": 15}, {"power": 2.5}
    both = as_part(first, 0) | as_part(second, 1)
    kernel = load_model("sphere+power_law").make_kernel([q])
    found = call_kernel(kernel, both | {"A_scale": 3.0, "B_scale": 1e-3, "background": 0.0})
    parts = [call(n, q, p).intensity for n, p in (("sphere", first), ("power_law", second))]
    assert found == pytest.approx(3.0 * parts[0] + 1e-3 * parts[1], rel=1e-9)


def test_each_component_is_fitted_with_its_own_scale_and_the_common_one_stays() -> None:
    names = fittable(load_model("sphere@hardsphere+power_law").info, {"A_radius_pd": 0.1})
    assert names[:3] == ["A_scale", "B_scale", "background"]
    assert {"A_radius", "A_radius_pd", "A_volfraction", "B_power"} < set(names)
    assert "scale" not in names
    assert "A_radius_effective" not in names
    assert scales_of("sphere") == ("scale",)


def test_scales_of_curves_whose_squares_no_number_holds_are_found() -> None:
    q = np.geomspace(0.01, 0.3, 40)
    columns = np.vstack([1e200 * q**-4, 1e-3 * np.exp(-(q**2) * 900)])
    truth, background = np.array([2e-200, 5e3]), 0.1
    scales, level = solve_scales(columns, np.ones(q.size), truth @ columns + background)
    assert scales == pytest.approx(truth, rel=1e-6)
    assert level == pytest.approx(background, rel=1e-6)
    # Over its errors this curve is no number at all.
    columns, truth = columns * np.array([[1e95], [1.0]]), truth * np.array([1e-95, 1.0])
    scales, level = solve_scales(columns, np.full(q.size, 1e40), truth @ columns + background)
    assert scales == pytest.approx(truth, rel=1e-6)
    assert level == pytest.approx(background, rel=1e-6)


def test_scales_and_background_are_found_and_a_component_that_is_not_there_has_none() -> None:
    q = np.geomspace(0.01, 0.3, 60)
    columns = np.stack([np.exp(-((30 * q) ** 2)), q**-3.0])
    weight = 1 / (0.02 * columns.sum(axis=0)) ** 2
    scales, background = solve_scales(columns, weight, 2.0 * columns[0] + 1e-4 * columns[1] - 0.01)
    assert scales == pytest.approx([2.0, 1e-4], rel=1e-6)
    assert background == pytest.approx(-0.01, rel=1e-6)
    scales, _ = solve_scales(columns, weight, 2.0 * columns[0] - 1e-5 * columns[1])
    assert scales[1] == 0.0
    assert scales[0] > 0
