"""A fit goes its way with the quick model, and its answer is that of sasmodels' own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.optimize.levenberg_marquardt import levenberg
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


def test_the_rod_is_one_for_which_the_quick_model_does_not_do() -> None:
    own, quick = (
        theory(model, ROD) for model in (load_model("triaxial_ellipsoid"), quick_model("triaxial_ellipsoid"))
    )
    assert np.max(np.abs(quick / own - 1)) > 0.03
