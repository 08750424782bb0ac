"""A bumps model script runs in bumps alone and starts where the fit ended."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from simulated_fits import KINDS, simulated

from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.report.exports.bumps import write_script
from sasnet_plugin.types import Curve, SasnetError


def batch(script: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """``bumps script.py --batch`` in another process, in the script's folder."""
    return subprocess.run(
        [sys.executable, "-m", "bumps", script.name, "--batch", "--fit=lm", *options],
        cwd=script.parent,
        capture_output=True,
        text=True,
        timeout=120,  # no assertion on speed: a fit that never returns must not hold up all other tests
    )


@pytest.mark.parametrize("kind", KINDS)
def test_starts_with_the_chisq_of_the_fit(kind: str, tmp_path: Path) -> None:
    from bumps.fitproblem import load_problem

    result = simulated(kind)
    for number, fit in enumerate(result.fits):
        path = tmp_path / f"m{number}.py"
        write_script(result, fit, path)
        problem = load_problem(path)
        assert 2 * problem.nllf() == pytest.approx(fit.chisq, rel=1e-6)
        assert sorted(problem.labels()) == sorted(fit.free)
        for parameter in problem._parameters:
            ours = fit.parameters[parameter.name]
            assert parameter.value == ours.value
            assert tuple(parameter.bounds) == (ours.low, ours.high)
        model = next(iter(problem.models))
        np.testing.assert_allclose(model.theory(), fit.theory, rtol=1e-9)
        assert model.numpoints() == len(result.curve)
    assert any("_pd" in name for fit in simulated("pinhole").fits for name in fit.free)


def test_its_head_says_what_the_errors_include_and_those_of_bumps(tmp_path: Path) -> None:
    from bumps.fitproblem import load_problem
    from bumps.lsqerror import stderr

    result, path = simulated("perfect"), tmp_path / "model.py"
    fit = result.fits[0]
    radius = fit.parameters["radius"]
    write_script(result, fit, path)
    assert "# Errors are those of this fit alone." in path.read_text(encoding="utf-8")
    problem = load_problem(path)
    of_bumps = dict(zip(problem.labels(), stderr(problem.cov(problem.getp())), strict=True))["radius"]
    wide = replace(fit, parameters={**fit.parameters, "radius": replace(radius, error=10 * radius.error)})
    write_script(result, wide, path)
    head = path.read_text(encoding="utf-8")
    assert "such as the resolution, which the file does not give. This fit alone has radius = " in head
    said = re.search(r"radius = ([\d.]+) ± ([\d.]+) Å \(from derivatives", head)
    assert said is not None
    assert float(said[2]) == pytest.approx(of_bumps, rel=0.1)


def test_runs_in_batch(tmp_path: Path) -> None:
    from bumps.webview.server.state_hdf5_backed import State

    result = simulated("perfect")
    fit = result.fits[0]
    path = tmp_path / "model.py"
    write_script(result, fit, path)
    assert [p.name for p in tmp_path.iterdir()] == ["model.py"]  # data and all
    assert "sasnet_plugin" not in path.read_text(encoding="utf-8")
    done = batch(path, "--steps=3", "--export=out", "--session=done.h5")
    assert done.returncode == 0, done.stderr
    state = State()
    state.read_session_file(str(tmp_path / "done.h5"))
    assert 2 * state.problem.fitProblem.nllf() <= fit.chisq * (1 + 1e-6)
    values = dict(line.rsplit(" ", 1) for line in (tmp_path / "out/model.par").read_text().splitlines())
    assert float(values["radius"]) == pytest.approx(fit.parameters["radius"].value, rel=0.01)


def test_a_model_without_a_value_does_not_hold_bumps_up(tmp_path: Path) -> None:
    """From this start sphere@hayter_msa comes to NaN, where bumps' LM would never return."""
    curve = simulated("perfect").curve
    start = {"scale": 1.0, "background": 0.02, "radius": 20.0, "charge": 100.0, "volfraction": 0.4}
    high = {"charge": 200.0, "volfraction": 0.6}
    parameters = {k: Parameter(v, None, "", False, 0.03 * v, high.get(k, 30 * v)) for k, v in start.items()}
    parameters["radius_effective_mode"] = Parameter(1.0, None, "", True, 1.0, 1.0)
    fit = ModelFit("sphere", "hayter_msa", parameters, {}, 1.0, 1.0, 1.0, 1.0, 1.0, curve.intensity)
    path = tmp_path / "nan.py"
    write_script(FitResult(curve, simulated("perfect").dintensity, (fit,)), fit, path)
    done = batch(path, "--session=nan.h5")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "nan.h5").exists()


def test_any_title_will_do(tmp_path: Path) -> None:
    from bumps.fitproblem import load_problem

    result = simulated("perfect")
    awkward = 'two\nlines, """ and \\N{x} {0} \'quoted\' Å'
    curve = replace(result.curve, entry=awkward, file=f"/x/{awkward}.dat")
    path = tmp_path / "title.py"
    write_script(replace(result, curve=curve, notes=(awkward,)), result.fits[0], path)
    problem = load_problem(path)
    assert 2 * problem.nllf() == pytest.approx(result.fits[0].chisq, rel=1e-6)
    assert next(iter(problem.models)).name == " ".join(awkward.split())


def test_estimated_uncertainties_are_the_ones_used(tmp_path: Path) -> None:
    from bumps.fitproblem import load_problem

    result = simulated("perfect")
    bare = Curve(result.curve.q, result.curve.intensity)
    path = tmp_path / "bare.py"
    write_script(replace(result, curve=bare, dintensity=2 * result.dintensity), result.fits[0], path)
    assert 2 * load_problem(path).nllf() == pytest.approx(result.fits[0].chisq / 4, rel=1e-6)


def test_same_fit_same_bytes(tmp_path: Path) -> None:
    result = simulated("slit")
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_script(result, result.fits[0], tmp_path / folder / "m.py")
    assert (tmp_path / "a/m.py").read_bytes() == (tmp_path / "b/m.py").read_bytes()


def test_unwritable_path_is_one_sentence(tmp_path: Path) -> None:
    result = simulated("slit")
    file = tmp_path / "file"
    file.write_text("mine")
    for path in (tmp_path / "missing" / "m.py", file / "m.py", tmp_path):
        with pytest.raises(SasnetError) as caught:
            write_script(result, result.fits[0], path)
        text = str(caught.value)
        assert text.startswith(str(path))
        assert text.endswith(".")
        assert "\n" not in text
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]
    assert file.read_text() == "mine"


def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text("old")
    result = simulated("slit")
    limit = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "from sasnet_plugin.files import put_whole;"
        "put_whole('m.py', b'x' * 5000, 'bumps script')"
    )
    done = subprocess.run([sys.executable, "-c", limit], cwd=tmp_path, capture_output=True, text=True)
    assert "SasnetError: m.py: the bumps script cannot be written" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["m.py"]
    assert path.read_text() == "old"
    write_script(result, result.fits[0], path)
    assert path.stat().st_size > 1000
