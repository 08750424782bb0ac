"""Layers are no thicker than their spacing, spheres of a crystal no larger than its cell lets them be."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.problem.model_curves import ModelCurves
from sasnet_plugin.fitting.problem.overlaps import overlaps
from sasnet_plugin.types import Curve


@pytest.mark.parametrize(
    ("form", "body", "distance", "touching"),
    [
        ("lamellar_stack_caille", "thickness", "d_spacing", 1.0),
        ("lamellar_stack_paracrystal", "thickness", "d_spacing", 1.0),
        ("sc_paracrystal", "radius", "dnn", 0.5),
        ("fcc_paracrystal", "radius", "dnn", 0.5),
    ],
)
def test_bodies_may_touch_and_no_more(form: str, body: str, distance: str, touching: float) -> None:
    assert not overlaps(form, {body: 99.9 * touching, distance: 100.0})
    assert overlaps(form, {body: 100.1 * touching, distance: 100.0})


def test_a_fit_turns_back_where_layers_would_be_thicker_than_their_spacing() -> None:
    q = np.geomspace(0.01, 0.3, 40)
    curve = Curve(q, 1 / q, 0.03 / q)
    local = ModelCurves(curve, 0.03 / q, "sphere+lamellar_stack_paracrystal")
    stack = {"A_radius": 60.0, "B_thickness": 99.0, "B_d_spacing": 100.0, "B_Nlayers": 10.0}
    assert np.all(np.isfinite(local.intensity(stack)))
    assert np.all(np.isnan(local.intensity(stack | {"B_thickness": 101.0})))
