"""A sphere whose parameters the data determine well, fitted by Levenberg-Marquardt."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from sasnet_plugin.fitting.optimize.refine_best import Refinement
from sasnet_plugin.fitting.problem.experiment import rebuilt
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.fitting.task import Method
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve

TRUTH = {"scale": 0.02, "background": 0.01, "radius": 60.0}
LIMITS = {"scale": (0.0, np.inf), "background": (-np.inf, np.inf), "radius": (2.0, 1800.0)}


def sphere_curve(q_max: float = 0.2, noise: float = 0.02, points: int = 40, seed: int = 4) -> Curve:
    q = np.geomspace(0.004, q_max, points)
    exact = call("sphere", q, {"radius": 60.0}).intensity * 0.02 + 0.01
    sigma = noise * exact
    return Curve(q, exact + sigma * np.random.default_rng(seed).standard_normal(points), sigma)


def lm_fit(curve: Curve, start: dict[str, float]) -> ModelFit:
    """Levenberg-Marquardt from a start, by bumps."""
    from bumps.fitters import fit

    assert curve.dintensity is not None
    parameters = {k: Parameter(v, None, "", False, *LIMITS[k]) for k, v in start.items()}
    nothing = np.zeros(len(curve))
    found = ModelFit("sphere", None, parameters, {}, 0.0, 0.0, 0.0, 1.0, 0.0, nothing)
    problem, fitness = rebuilt(curve, curve.dintensity, found)
    result = fit(problem, method="lm", steps=100)
    errors = dict(zip(problem.labels(), result.dx, strict=True))
    chisq = float(np.sum(fitness.residuals() ** 2))
    values = {
        k: replace(p, value=float(getattr(fitness.model, k).value), error=float(errors[k]))
        for k, p in parameters.items()
    }
    degrees = len(curve) - len(values)
    return replace(
        found, parameters=values, chisq=chisq, reduced_chisq=chisq / degrees, theory=fitness.theory(),
        bic=chisq + len(values) * np.log(len(curve)),
    )  # fmt: skip


def refinement(
    curve: Curve, found: ModelFit, method: Method, seconds: float = 100.0, seed: int = 5
) -> Refinement:
    assert curve.dintensity is not None
    return Refinement(curve, curve.dintensity, found, method, time.time() + seconds, seed)
