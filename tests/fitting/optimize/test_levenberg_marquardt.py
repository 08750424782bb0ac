"""The answer with the quick model is that of sasmodels' own; correlations of the fitted parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.optimize.levenberg_marquardt import (
    correlations,
    derivatives,
    errors_of,
    levenberg,
    strong_pairs,
)
from sasnet_plugin.fitting.problem.experiment import experiment
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.quick_models.quick import quick_model
from sasnet_plugin.types import Curve

Q = np.geomspace(0.004, 0.2, 60)
#: A rod: the quick model is off by up to 7 % there.
ROD = {"radius_equat_minor": 20.0, "radius_equat_major": 25.0, "radius_polar": 200.0}
BLOB = {"radius_equat_minor": 20.0, "radius_equat_major": 25.0, "radius_polar": 40.0}


def theory(model: Any, parameters: dict[str, float]) -> np.ndarray:
    from sasmodels.direct_model import call_kernel

    return np.asarray(call_kernel(model.make_kernel([Q]), {**parameters, "background": 0.0}))


@pytest.mark.parametrize("body", [ROD, BLOB])
def test_chisq_is_of_sasmodels_own_model(body: dict[str, float]) -> None:
    exact = theory(load_model("triaxial_ellipsoid"), body)
    error = 0.01 * exact
    curve = Curve(Q, exact + error * np.random.default_rng(1).standard_normal(Q.size), error)
    task = Task(curve, error, "triaxial_ellipsoid", None, budget=Budget(30.0))
    start = {k: 1.1 * v for k, v in body.items()} | {"scale": 1.0, "background": 0.0}
    found = levenberg(task, start, None, 30.0)
    assert found is not None
    own = theory(load_model("triaxial_ellipsoid"), {k: found.parameters[k] for k in (*body, "scale")})
    residual = (curve.intensity - own - found.parameters["background"]) / error
    assert found.chisq == pytest.approx(float(residual @ residual), rel=1e-3)
    assert found.chisq / Q.size < 1.3
    assert found.parameters["radius_polar"] == pytest.approx(body["radius_polar"], rel=0.05)


def test_a_lattice_beyond_the_table_does_not_cost_minutes() -> None:
    """A nearly perfect crystal with a size distribution: 40 ms a point in sasmodels' own model."""
    crystal = {"dnn": 400.0, "d_factor": 0.02, "radius": 80.0, "radius_pd": 0.1, "radius_pd_n": 15}
    exact = theory(quick_model("fcc_paracrystal"), crystal | {"scale": 1.0})
    error = 0.02 * exact
    task = Task(Curve(Q, exact, error), error, "fcc_paracrystal", None, budget=Budget(2.0))
    found = levenberg(task, crystal | {"scale": 1.0, "background": 0.0}, None, 2.0)
    assert found is not None
    assert found.parameters["d_factor"] == pytest.approx(0.04)
    assert found.chisq / Q.size < 0.1  # the quick curve is that of 0.04
    assert np.isnan(found.errors.get("d_factor", np.nan))
    assert "d_factor" in found.warnings[0]


def test_the_rod_is_one_for_which_the_quick_model_does_not_do() -> None:
    own, quick = (
        theory(model, ROD) for model in (load_model("triaxial_ellipsoid"), quick_model("triaxial_ellipsoid"))
    )
    assert np.max(np.abs(quick / own - 1)) > 0.03


Simulated = Callable[..., Curve]


def test_correlations_are_those_of_repeated_measurements() -> None:
    # A straight line far from its origin: slope and offset trade places; r = -mean(x)/rms(x).
    x = np.linspace(10.0, 11.0, 40)
    found = correlations(np.stack([np.ones(40), 1e6 * x], axis=1))
    expected = -np.mean(x) / np.sqrt(np.mean(x**2))
    assert found[0, 1] == pytest.approx(expected, abs=1e-6)
    rng = np.random.default_rng(5)
    fitted = np.array([np.polyfit(x, rng.standard_normal(40), 1) for _ in range(400)])
    assert np.corrcoef(fitted.T)[0, 1] == pytest.approx(expected, abs=1e-3)
    without = correlations(np.stack([np.ones(40), np.zeros(40)], axis=1))
    assert without == pytest.approx(np.eye(2))


def test_derivatives_leave_the_model_as_it_was(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    assert curve.dintensity is not None
    fitness = experiment(curve, curve.dintensity, "sphere", {"radius": 80.0, "background": 0.01})
    fitness.model.radius.range(10.0, 80.0)  # no room above
    before = fitness.residuals().copy()
    slopes = derivatives(fitness, ["scale", "background", "radius"])
    assert fitness.residuals() == pytest.approx(before, abs=1e-12)
    # Residuals are (I - theory)/σ or its negative: a background moves all of them by 1/σ.
    assert np.abs(slopes[:, 1]) == pytest.approx(1 / curve.dintensity, rel=1e-6)
    assert np.abs(slopes[:, 2]).max() > 0


def test_contrast_and_scale_are_named_as_a_pair(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    assert curve.dintensity is not None
    fitness = experiment(curve, curve.dintensity, "sphere", {"radius": 80.0, "background": 0.01})
    names = ["scale", "background", "radius", "sld"]
    found = strong_pairs(dict(zip(names, derivatives(fitness, names).T, strict=True)))
    assert list(found) == [("scale", "sld")]
    # In a solvent of larger density, a larger density of the sphere lessens the contrast.
    assert found["scale", "sld"] == pytest.approx(1.0, abs=1e-3)


def test_errors_from_derivatives_are_those_of_a_straight_line() -> None:
    """Of y = a + b x at unit error: var(b) = 1/Σ(x - mean)², var(a) = 1/n + mean²/Σ(x - mean)²."""
    x = np.linspace(1.0, 3.0, 21)
    found = errors_of({"a": np.ones(21), "b": x, "idle": np.zeros(21)})
    spread = np.sum((x - x.mean()) ** 2)
    assert found["b"] == pytest.approx(1 / np.sqrt(spread))
    assert found["a"] == pytest.approx(np.sqrt(1 / 21 + x.mean() ** 2 / spread))
    assert np.isnan(found["idle"])
