"""What ``sasnet fit`` says to wrong names, poor data, full disks and models that fail: one sentence each."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.data import load
from sasnet_plugin.fitting import api
from sasnet_plugin.fitting.pool import InProcess
from sasnet_plugin.service import answers
from sasnet_plugin.service.answers import Request
from sasnet_plugin.simulate import compile_cache
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import SasnetError

HEAD = """
import numpy as np
name = "{name}"
title = description = "balls"
parameters = [["size", "Ang", 40.0, [0, np.inf], "", "radius of a ball"]]
def Iq(q, size):
    {body}
Iq.vectorized = True
"""
BALLS = """x = q * size
    return 100 * (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2"""


@pytest.fixture
def sphere(tmp_path: Path) -> Path:
    return _written(tmp_path / "sphere.dat", 60)


def _written(path: Path, points: int) -> Path:
    q = np.geomspace(0.008, 0.3, points)
    exact = call("sphere", q, {"radius": 70.0}).intensity + 0.01
    sigma = 0.02 * exact
    noisy = exact + sigma * np.random.default_rng(3).standard_normal(q.size)
    np.savetxt(path, np.column_stack([q, noisy, sigma]), header="q I dI")
    return path


def _run(*arguments: object) -> tuple[int, str, str]:
    # One process: a second one would be started for nothing.
    result = CliRunner().invoke(app, ["fit", "--workers", "1", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


def _one_sentence(text: str, *words: str) -> None:
    # On a busy machine progress is said, too.
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("Fitting: ")]
    assert len(lines) == 1
    assert all(word in lines[0] for word in words)
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--models", "sphre"), ("sphre", "did you mean sphere")),
        (("--models", "sphere,zzz"), ("zzz", "knows no such model")),
        (("--models", "nowhere.py"), ("nowhere.py", "no such plugin model file")),
        (("--models", "sphere", "--fixed", "sdl_solvent=1"), ("sdl_solvent", "sld_solvent")),
        (("--models", "sphere", "--ranges", "radus=1:9"), ("radus", "did you mean radius")),
        (("--structure-factor", "hayter"), ("hayter:", "hayter_msa")),
    ],
)
def test_unknown_names_are_answered_with_the_nearest_before_anything_is_fitted(
    sphere: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    code, out, err = _run(*arguments, sphere)
    assert code == 1
    assert out == ""
    _one_sentence(err, *words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--ranges", "radius=90:10"), ("radius=90:10", "smaller number first")),
        (("--ranges", "radius=90"), ("radius=90", "name=low:high")),
        (("--q-range", "0.3:0.01"), ("0.3:0.01", "smaller first")),
        (("--fixed", "radius=large"), ("radius=large", "name=number")),
        (("--fixed", "radius"), ("radius", "name=number")),
        (("--fixed", "sld=4,radius"), ("radius", "name=number")),
        (("--q-unit", "mm"), ("'mm' is a length", "use nm (for nm⁻¹) or mm^-1 (for mm⁻¹)")),
    ],
)
def test_limits_that_are_none_are_wrong_usage(
    sphere: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    code, out, err = _run(*arguments, sphere)
    assert code == 2
    assert out == ""
    said = " ".join(err.replace("│", " ").split())
    assert all(word in said for word in words)


def test_few_points_for_many_parameters_are_fitted_with_a_warning(tmp_path: Path) -> None:
    path = _written(tmp_path / "short.dat", 9)
    code, out, _ = _run("--json", "--models", "core_multi_shell", "--structure-factor", "none", path)
    assert code == 0
    answer = json.loads(out)
    (fit,) = answer["fits"]
    free = [name for name, p in fit["parameters"].items() if not p["fixed"]]
    assert len(free) < 9
    assert f"9 points for {len(free)} fitted" in answer["doubt"]


def test_too_few_points_are_a_sentence(tmp_path: Path) -> None:
    code, out, err = _run("--models", "sphere", _written(tmp_path / "tiny.dat", 4))
    assert code == 1
    assert out == ""
    _one_sentence(err, "tiny.dat", "4 usable points")


@pytest.mark.parametrize("option", ["--report", "--export"])
def test_a_place_that_cannot_be_written_is_said_before_a_fit(
    sphere: Path, tmp_path: Path, option: str
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file, not a folder", encoding="utf-8")
    code, out, err = _run("--models", "sphere", option, taken, sphere)
    assert code == 1
    assert out == ""
    assert "Fitting" not in err
    _one_sentence(err, "taken", "another folder")


@pytest.mark.parametrize("option", ["--report", "--export"])
def test_a_full_disk_costs_no_answer_and_leaves_no_half_file(
    sphere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    target = tmp_path / "out"
    code, out, err = _run("--models", "sphere", option, target, sphere)
    assert code == 1
    assert "radius" in out
    _one_sentence(err, "No space left", "out")
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_full_disk_under_the_answer_is_a_sentence(sphere: Path, form: list[str]) -> None:
    command = [sys.executable, "-m", "sasnet_plugin", "classify", *form, str(sphere)]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    _one_sentence(done.stderr, "No space left")


def _plugin(folder: Path, name: str, body: str) -> Path:
    path = folder / f"{name}.py"
    path.write_text(HEAD.format(name=name, body=body), encoding="utf-8")
    return path


def test_a_users_model_is_fitted_by_path_and_by_name(
    sphere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, named = (_plugin(tmp_path, name, BALLS) for name in ("balls", "balls_by_name"))
    monkeypatch.setenv("SAS_MODELPATH", str(tmp_path))
    code, out, _ = _run("--json", "--models", f"{path},balls_by_name,guinier", sphere)
    assert code == 0
    fits = {fit["model"]: fit for fit in json.loads(out)["fits"]}
    assert set(fits) == {str(path), str(named), "guinier"}
    for own in (path, named):
        size = fits[str(own)]["parameters"]["size"]
        assert abs(size["value"] - 70.0) < 4 * size["error"]
        assert fits[str(own)]["reduced_chisq"] < 1.5


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('raise ValueError("no curve\\ntoday")', ("ValueError: no curve today",)),
        ("return np.nan * q", ("no finite, positive curve for its default parameters",)),
        ("raise SystemExit(3)", ("SystemExit",)),
    ],
)
def test_a_users_model_that_fails_is_named_with_its_reason(
    sphere: Path, tmp_path: Path, body: str, words: tuple[str, ...]
) -> None:
    path = _plugin(tmp_path, "failing", body)
    code, out, err = _run("--json", "--models", path, sphere)
    assert code == 1
    assert err == ""
    answer = json.loads(out)
    assert answer["best"] is None
    (note,) = (n for n in answer["notes"] if str(path) in n)
    _one_sentence(note, *words)


@pytest.mark.parametrize("text", ["raise RuntimeError('not today')", "def Iq(q:", "import sys; sys.exit(2)"])
def test_a_users_model_that_cannot_be_loaded_is_one_sentence(sphere: Path, tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.py"
    path.write_text(text, encoding="utf-8")
    code, out, err = _run("--models", path, sphere)
    assert code == 1
    assert out == ""
    _one_sentence(err, "broken.py", "cannot load this model")


def test_what_nobody_thought_of_costs_one_file_and_is_a_sentence(
    sphere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sasnet_plugin.fitting import api as fitting

    real = fitting.fit_with

    def sometimes(pool: Any, curve: Any, *options: Any, **more: Any) -> Any:
        if "odd" in curve.file:
            raise KeyError("radius\nof nothing")
        return real(pool, curve, *options, **more)

    monkeypatch.setattr(fitting, "fit_with", sometimes)
    odd = _written(tmp_path / "odd.dat", 40)
    code, out, err = _run("--models", "sphere", "--structure-factor", "none", odd, sphere)
    assert code == 1
    assert re.search(r"Best fit: spheres, radius (70|69\.9)", out)
    _one_sentence(err, "odd.dat", "could not be fitted", "KeyError")


@pytest.fixture
def no_compiler(sphere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a C compiler that has compiled no model, once the data exist."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("SAS_DLL_PATH", str(tmp_path / "compiled"))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(compile_cache, "find_spec", lambda name: None)


NO_COMPILER = ("there is no C compiler (cc); install gcc or clang", "pip install ziglang")


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize("command", ["fit", "next", "batch", "bumps"])
def test_without_a_compiler_every_command_that_fits_says_so_at_once(
    sphere: Path, command: str, tmp_path: Path
) -> None:
    options = ["--out", str(tmp_path / "out.h5")] if command == "batch" else []
    result = CliRunner().invoke(app, [command, "--quiet", str(sphere), *options])
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit)
    _one_sentence(result.stderr, *NO_COMPILER)
    assert "fits" not in result.stdout


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_services_and_notebooks_say_so_at_once(sphere: Path) -> None:
    curve = load(sphere)[0]
    other = replace(curve, file="other.dat", intensity=2 * curve.intensity)
    with pytest.raises(SasnetError, match=re.escape(NO_COMPILER[0])):
        api.fit(curve, workers=1, progress=False)
    with pytest.raises(SasnetError, match=re.escape(NO_COMPILER[0])):
        api.fit_together([curve, other], kind="settings", workers=1, progress=False)
    body = {"curve": {"q": curve.q.tolist(), "intensity": curve.intensity.tolist()}}
    with pytest.raises(SasnetError, match=re.escape(NO_COMPILER[0])):
        answers.fit(InProcess(), Request(1, "fit", body))
