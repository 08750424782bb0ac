"""Results as an assessment leaves them, made by hand: what is said of them is the test's concern."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sasnet_plugin.fitting.assessment.undetermined_lengths import mark_lengths_beyond_range
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter, Replicates, Verification
from sasnet_plugin.types import Curve, GroupGuess, Suggestion

Q = np.geomspace(0.01, 0.3, 60)
CURVE = Curve(Q, 1 / Q, 0.01 / Q, file="run 7/latex.dat")
GOOD = Verification(0.4, 0.1, (0.05, 0.07), True, ())
WRONG = Verification(
    1.0, -8.0, (0.05, 0.07), False, ("Residuals are not random: something is missing.",), 3.0
)
#: The groups that the network cannot tell apart, by falling probability.
GROUPS = (
    GroupGuess(
        "spheres, shells and lamellae", ("sphere", "fuzzy_sphere", "core_shell_sphere", "vesicle"), 0.7
    ),
    GroupGuess("cylinders and boxes", ("cylinder", "ellipsoid", "parallelepiped"), 0.2),
    GroupGuess("networks", ("correlation_length", "two_lorentzian"), 0.1),
)


def p(value: float, error: float | None = None, unit: str = "Ang", *, fixed: bool = False) -> Parameter:
    """A parameter."""
    return Parameter(value, error, unit, fixed, 0.0, 1e4)


def fitted(model: str, chisq: float = 1.02, factor: str | None = None, **given: Any) -> ModelFit:
    """A fit: parameters by name, and fields of `ModelFit` by theirs."""
    values = {name: one for name, one in given.items() if isinstance(one, Parameter)}
    fields = {name: one for name, one in given.items() if name not in values}
    every = {"scale": p(0.01, 0.001, ""), "background": p(0.1, 0.01, "1/cm"), **values}
    found = ModelFit(model, factor, every, {}, 57 * chisq, chisq, 57 * chisq + 12, 0.5, 0.1, 1 / Q)
    return replace(found, **fields)


def weighing(model: str, weight: float, factor: str | None = None) -> ModelFit:
    """A fit of 90 points with a weight."""
    parameters = {
        "radius": Parameter(56.61, 1.24, "Ang", False, 1.0, 1e3),
        "sld": Parameter(4.0, None, "1e-6/Ang^2", True, 4.0, 4.0),
    }
    theory = np.full(90, 2.0)
    return ModelFit(model, factor, parameters, {}, 90.0, 1.0, 95.0, 0.5, 0.1, theory, weight=weight)


SPHERE = fitted(
    "sphere",
    radius=p(72.03, 0.104),
    radius_pd=p(0.1, 0.004, ""),
    distributions={"radius": "schulz"},
    weight=0.9,
)


def answer(*fits: ModelFit, **given: Any) -> FitResult:
    """A result with these fits, the best first, that explains the data unless `verification` says else."""
    known = Suggestion("latex.dat", "", (), GROUPS, 0.9)
    usual = {"verified": True, "verification": GOOD, "expected": known, "scope_threshold": 0.37}
    known_of = tuple(mark_lengths_beyond_range(fit, CURVE, CURVE.dintensity) for fit in fits or (SPHERE,))
    return replace(FitResult(CURVE, 0.01 / Q, known_of), **{**usual, **given})


def unlike(sentence: str) -> Replicates:
    """Replicates that differ from the measurement."""
    return Replicates(64, "spheres", 64, False, 0.1, 0.9, 0.0, 0.1, 0.9, 0.0, (sentence,))
