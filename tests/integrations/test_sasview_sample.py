"""A sample's project in the real SasView: a simultaneous fit that starts where the joint fit has ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sasviews import Home

from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.fitting.result.sample_result import SampleResult
from sasnet_plugin.fitting.strategy.joint_fit import JointTask, fit_jointly
from sasnet_plugin.fitting.strategy.joint_search import rank_fits
from sasnet_plugin.fitting.task import Budget
from sasnet_plugin.report.exports.write_all import write_sample
from sasnet_plugin.types import Curve, Suggestion

TRUE = {"radius": 50.0, "thickness": 15.0, "sld_core": 0.5, "sld_shell": 3.0}


def measured(solvent: float, seed: int) -> Curve:
    """A core-shell sphere in a solvent, with noise of 1 %."""
    from sasmodels.core import load_model
    from sasmodels.data import Data1D
    from sasmodels.direct_model import DirectModel

    q = np.geomspace(0.005, 0.3, 80)
    data = Data1D(x=q, y=np.ones_like(q), dy=np.ones_like(q))
    clean = DirectModel(data, load_model("core_shell_sphere"))(
        scale=0.01, background=0.05, sld_solvent=solvent, **TRUE
    )
    error = 0.01 * clean + 1e-3
    noise = np.random.default_rng(seed).standard_normal(q.size)
    return Curve(q, clean + error * noise, error, file=f"contrast_{seed}.txt")


@pytest.fixture(scope="module")
def joint() -> SampleResult:
    solvents = [-0.56, 2.5, 6.36]
    curves = [measured(solvent, i) for i, solvent in enumerate(solvents)]
    sample = sample_of(curves, {"solvents": {str(i + 1): v for i, v in enumerate(solvents)}})
    errors = tuple(np.asarray(curve.dintensity) for curve in curves)
    start = {"radius": 45.0, "thickness": 18.0}
    task = JointTask(sample, errors, "core_shell_sphere", None, (start, None, None), probability=1.0)
    fit = fit_jointly(task, None, Budget())
    nothing = Suggestion("", "", (), (), 1.0)
    return SampleResult(sample, errors, tuple(rank_fits([fit], nothing)), nothing)


def test_joint_fit_finds_the_sample(joint: SampleResult) -> None:
    assert joint.best is not None
    for name, true in TRUE.items():
        found = joint.best.parameters[name]
        assert found.error is not None
        assert abs(found.value - true) < 4 * found.error


@pytest.mark.slow
def test_simultaneous_fit_starts_and_keeps_what_is_shared(
    joint: SampleResult, sasview62: Path, tmp_path: Path
) -> None:
    project, _ = write_sample(replace(joint), tmp_path)
    home = Home(tmp_path / "home")
    home.folder.mkdir()
    seen = home.session([str(sasview62)], "simultaneous", project=str(project))
    assert "failure" not in seen, seen["failure"]
    assert [text for text in seen["modal"] if "What's New" not in text] == []
    assert seen["tabs"] == ["FittingWidget"] * 3 + ["ConstraintWidget"]
    assert len(seen["constraints"]) == 2 * len(TRUE)
    assert joint.best is not None
    for state in seen["after"]:
        for name in TRUE:
            fitted, p = float(state[name][1]), joint.best.parameters[name]
            assert abs(fitted - p.value) < 3 * (p.error or 0.0)
    for name in TRUE:  # one value for all
        assert np.ptp([float(state[name][1]) for state in seen["after"]]) < 2e-3 * TRUE[name]
