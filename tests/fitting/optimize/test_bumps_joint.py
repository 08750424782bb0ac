"""Reported joint fits are those of Bumps, on the problem that the exported script holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.fitting.optimize.bumps_fit import JointProblem, ReportedJoint, refit_jointly_by_bumps
from sasnet_plugin.fitting.result.sample_result import SampleResult
from sasnet_plugin.fitting.strategy.joint_fit import JointTask, fit_jointly
from sasnet_plugin.report.exports.write_all import sample_script
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve, Suggestion

START = {"radius": 58.0, "radius_pd": 0.12, "radius_pd_type": "gaussian", "sld": 4.0, "sld_solvent": 1.0}
CONTRASTS = {"kind": "contrasts", "solvents": {"1": -0.56, "2": 6.36}}
SETTINGS = {"kind": "settings"}
_RANGES = {"contrasts": ((0.003, 0.3), (0.003, 0.3)), "settings": ((0.003, 0.05), (0.03, 0.3))}


def sample(described: dict[str, Any]) -> SampleResult:
    """Polydisperse spheres with 2 % of noise, the second curve calibrated 2 % higher."""
    curves = []
    around = described.get("solvents", {"1": 1.0, "2": 1.0})
    for i, (low, high) in enumerate(_RANGES[described["kind"]]):
        q = np.geomspace(low, high, 80)
        values = START | {"radius": 60.0, "radius_pd": 0.1, "sld_solvent": around[str(i + 1)]}
        exact = call("sphere", q, values).intensity * 0.01 * (1 + 0.02 * i) + 1e-3
        size = 0.02 * exact
        noisy = exact + size * np.random.default_rng(i).standard_normal(q.size)
        curves.append(Curve(q, noisy, size, file=f"{i}.dat"))
    found = sample_of(curves, described)
    errors = tuple(np.asarray(curve.dintensity) for curve in curves)
    task = JointTask(found, errors, "sphere", None, (START, None))
    return SampleResult(found, errors, (fit_jointly(task, None, JointTask.budget),), NOTHING)


NOTHING = Suggestion("", "", (), (), 1.0)


def asked(result: SampleResult) -> ReportedJoint:
    return ReportedJoint(result.sample, result.dintensities, result.fits[0])


@pytest.fixture(scope="module", params=[CONTRASTS, SETTINGS], ids=["contrasts", "settings"])
def searched(request: pytest.FixtureRequest) -> SampleResult:
    return sample(request.param)


def test_the_problem_is_that_of_the_search(searched: SampleResult) -> None:
    """Calibrations and backgrounds included: χ² and slopes are the same."""
    joint, fit = JointProblem(asked(searched)), searched.fits[0]
    assert fit.factors == (1.0, 1.0)
    assert np.sum(joint.residuals() ** 2) == pytest.approx(fit.total, rel=1e-9)
    slopes, _ = joint.columns()
    for key, column in fit.derivatives.items():
        assert slopes[key] == pytest.approx(column, rel=1e-2, abs=1e-2 * np.max(np.abs(column))), key


def test_bumps_is_not_worse_and_keeps_the_errors_of_least_squares(searched: SampleResult) -> None:
    before, found = searched.fits[0], refit_jointly_by_bumps(asked(searched))
    assert found.total <= before.total * (1 + 1e-9)
    assert found.fitter.startswith("bumps ")
    radius = found.parameters["radius"]
    assert radius.error is not None
    assert abs(radius.value - 60.0) < 4 * radius.error
    error = before.parameters["radius"].error
    assert radius.error == pytest.approx(error, rel=0.05)


def test_the_script_ends_where_the_report_says(searched: SampleResult) -> None:
    """Read as Bumps reads it and fitted by it once more."""
    from bumps.fitters import fit as bumps_fit

    found = refit_jointly_by_bumps(asked(searched))
    scope: dict[str, Any] = {}
    exec(sample_script(replace(searched, fits=(found,)), "sample.py"), scope)
    problem = scope["problem"]
    assert 2 * problem.nllf() == pytest.approx(found.total, rel=1e-8)
    bumps_fit(problem, method="lm")
    assert 2 * problem.nllf() == pytest.approx(found.total, rel=1e-4)
    assert scope["model1"].radius.value == pytest.approx(found.parameters["radius"].value, rel=1e-4)
    for i, own in enumerate(found.own):
        assert scope[f"model{i}"].scale.value == pytest.approx(own["scale"].value, rel=1e-4)
