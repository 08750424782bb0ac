"""Local refinement: to the minimum from afar, within what a user allows, and in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sasnet_plugin.fitting.ledger import read_spent_time
from sasnet_plugin.fitting.optimize.local_search import refine
from sasnet_plugin.fitting.problem.model_curves import ModelCurves
from sasnet_plugin.types import Curve

Simulated = Callable[..., Curve]
#: From afar.
FAR: dict[str, Any] = {"tolerances": (0.1, 0.02, 0.0), "steps": 12}


def curves_of(curve: Curve, name: str, **options: object) -> ModelCurves:
    assert curve.dintensity is not None
    return ModelCurves(curve, curve.dintensity, name, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("radius", "length"), [(22.0, 350.0), (16.0, 600.0), (26.0, 300.0)])
def test_a_cylinder_is_found_from_where_levenberg_marquardt_is_lost(
    simulated: Simulated, radius: float, length: float
) -> None:
    curve = simulated("cylinder", {"radius": 20.0, "length": 400.0, "background": 0.01})
    found = refine(curves_of(curve, "cylinder"), {"radius": radius, "length": length}, **FAR)
    assert found is not None
    assert found.chisq / len(curve) < 1.3
    assert found.parameters["radius"] == pytest.approx(20.0, rel=0.02)
    assert found.parameters["length"] == pytest.approx(400.0, rel=0.05)


@settings(max_examples=10)
@given(scale=st.floats(1e-4, 1e5), background=st.floats(-0.3, 3.0))
def test_scale_and_background_are_solved_for_whatever_their_size(scale: float, background: float) -> None:
    """Too much may have been subtracted: the background may be negative."""
    q = np.geomspace(0.005, 0.3, 60)
    helper = ModelCurves(Curve(q, np.ones(60), np.ones(60)), np.ones(60), "sphere")
    (shape,) = helper.intensity({"radius": 60.0})
    intensity = scale * (shape + background * shape.min())
    curve = Curve(q, intensity, 0.01 * np.abs(scale * shape))
    residual, found, level = curves_of(curve, "sphere").solve({"radius": 60.0})
    assert np.max(np.abs(residual)) < 1e-3
    assert found == pytest.approx(scale, rel=1e-4)
    assert level == pytest.approx(background * scale * shape.min(), abs=1e-4 * scale * shape.min())


def test_fixed_parameters_and_ranges_are_kept(simulated: Simulated) -> None:
    curve = simulated("cylinder", {"radius": 20.0, "length": 400.0, "background": 0.01})
    helper = curves_of(
        curve, "cylinder", fixed=frozenset({"radius", "background"}), ranges={"length": (500.0, 600.0)}
    )
    found = refine(helper, {"radius": 23.0, "length": 550.0, "background": 0.02, "scale": 1.0}, **FAR)
    assert found is not None
    assert found.parameters["radius"] == 23.0
    assert found.parameters["background"] == 0.02
    assert 500.0 <= found.parameters["length"] <= 600.0


def test_out_of_time_it_keeps_the_best_point_seen(simulated: Simulated) -> None:
    curve = simulated("cylinder", {"radius": 20.0, "length": 400.0, "background": 0.01})
    helper = curves_of(curve, "cylinder")
    start = {"radius": 22.0, "length": 350.0}
    residual, _, _ = curves_of(curve, "cylinder").solve(start)
    for seconds in (0.0, 0.02):
        helper.deadline = read_spent_time() + seconds
        found = refine(helper, start, **FAR)
        assert found is not None
        assert found.chisq <= float(residual @ residual) * (1 + 1e-9)


def test_no_finite_curve_no_start(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 80.0})
    assert refine(curves_of(curve, "sphere"), {"radius": np.nan}, **FAR) is None
