"""Models with fewer points of quadrature: the curves of sasmodels' own, of products too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.quick_models.quick import FIXED, LADDER, is_quick, quick_model

Q = np.geomspace(0.003, 0.2, 24)


def curve(model: Any, **parameters: float) -> np.ndarray:
    from sasmodels.direct_model import call_kernel

    return np.asarray(call_kernel(model.make_kernel([Q]), {**parameters, "background": 0.0}))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("cylinder", {"radius": 30.0, "length": 700.0}),
        ("cylinder@hardsphere", {"radius": 30.0, "length": 200.0, "volfraction": 0.2}),
        ("parallelepiped", {"length_a": 40.0, "length_b": 90.0, "length_c": 500.0}),
        ("core_shell_ellipsoid", {"radius_equat_core": 60.0, "x_core": 3.0, "thick_shell": 20.0}),
        ("micromagnetic_FF_3D", {"radius": 50.0, "thickness": 40.0}),
        ("sc_paracrystal", {"dnn": 220.0, "d_factor": 0.1, "radius": 40.0}),
    ],
)
def test_the_quick_curve_is_that_of_sasmodels(name: str, parameters: dict[str, float]) -> None:
    assert is_quick(name)
    own = curve(load_model(name), **parameters)
    assert curve(quick_model(name), **parameters) == pytest.approx(own, rel=3e-3)


def test_models_without_such_integrals_are_sasmodels_own() -> None:
    for name in ("sphere", "sphere@hardsphere", "lamellar", "prism"):
        assert quick_model(name) is load_model(name)


def test_sasmodels_own_page_is_left_as_it_is() -> None:
    quick_model("cylinder")
    assert "lib/adaptive.c" in load_model("cylinder").info.source
    assert "lib/gauss150.c" in load_model("sc_paracrystal").info.source


def test_no_fixed_rule_has_more_points_than_the_ladder_and_steps_are_narrow() -> None:
    assert max(FIXED.values()) <= max(LADDER)
    assert np.max(np.array(LADDER[1:]) / np.array(LADDER[:-1])) <= 1.5
