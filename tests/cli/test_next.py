"""``sasnet next``: which measurement comes next, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.fitting.task import Contrast, FitOptions
from sasnet_plugin.planning.measurements import exchanged_density
from sasnet_plugin.planning.options import fix_exchanging

_MODELS = [
    "--models",
    "sphere,fuzzy_sphere",
    "--structure-factor",
    "none",
    "--workers",
    "1",
    "--time-limit",
    "300",
]


def _sphere(q: np.ndarray, radius: float = 40.0) -> np.ndarray:
    x = q * radius
    return (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2


def _write(path: Path, low: float, high: float, seed: int, scale: float = 5.0) -> Path:
    q = np.geomspace(low, high, 60)
    intensity = scale * _sphere(q)
    error = np.sqrt((intensity + 0.05) * 3e-4)
    noisy = intensity + error * np.random.default_rng(seed).standard_normal(q.size)
    np.savetxt(
        path, np.column_stack([q, noisy, error, 0.04 * q]), header="q (1/A)  I (1/cm)  dI (1/cm)  dq (1/A)"
    )
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("next")
    _write(folder / "first.dat", 0.01, 0.1, 1)
    _write(folder / "second.dat", 0.025, 0.25, 2)
    _write(folder / "other.dat", 0.025, 0.25, 2, scale=50.0)
    return folder


@pytest.fixture(scope="module")
def plan(folder: Path) -> Path:
    path = folder / "plan.json"
    found = CliRunner().invoke(
        app, ["next", str(folder / "first.dat"), *_MODELS, "--json", "--save", str(path)]
    )
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout) == json.loads(path.read_text(encoding="utf-8"))
    return path


def test_a_plan_is_printed_and_drawn(folder: Path) -> None:
    picture = folder / "plan.png"
    found = CliRunner().invoke(app, ["next", str(folder / "first.dat"), *_MODELS, "--plot", str(picture)])
    assert found.exit_code == 0, found.output
    now, answer, *_ = found.stdout.splitlines()
    assert now.startswith("Now: ")
    assert "sphere" in now
    assert "higher q" in answer  # where the fringes of a sharp surface are
    assert "the present one is not given; give it, such as --solvent D2O" in found.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_plan_in_json_holds_what_models_predict(plan: Path) -> None:
    answer = json.loads(plan.read_text(encoding="utf-8"))
    predicted = answer["predictions"]
    assert set(predicted["intensity"]) == set(answer["rivals"])
    assert all(len(values) == len(predicted["q"]) for values in predicted["intensity"].values())
    assert sum(answer["rivals"].values()) == pytest.approx(1.0)
    assert all(0 <= row["chance"] <= 1 for row in answer["measurements"])


def test_a_plan_is_compared_with_what_was_measured(folder: Path, plan: Path) -> None:
    files = [str(folder / "first.dat"), str(folder / "second.dat")]
    found = CliRunner().invoke(app, ["next", *files, *_MODELS, "--kind", "settings", "--plan", str(plan)])
    assert found.exit_code == 0, found.output
    assert "The new curve is as predicted for sphere" in found.stdout
    assert "Now sphere leads with" in found.stdout


def test_a_plan_from_curves_that_no_model_fits_says_so(folder: Path) -> None:
    # Ten times the intensity is no setting of the same sample.
    files = [str(folder / "first.dat"), str(folder / "other.dat")]
    found = CliRunner().invoke(app, ["next", *files, *_MODELS, "--kind", "settings"])
    assert "No model fits the data" in found.stdout + found.stderr


def test_a_fit_without_a_plan_is_printed(folder: Path) -> None:
    """Where the plan had no time left, or was asked for a parameter that no model has, the fit was lost."""
    found = CliRunner().invoke(app, ["next", str(folder / "first.dat"), *_MODELS, "--for", "charge"])
    assert found.exit_code == 1
    assert "a fitted parameter of none of the possible models" in found.stderr
    assert "Best fit: sphere" in found.stdout


def test_an_exchanging_part_is_fitted_with_its_density_in_the_present_solvent() -> None:
    parts, sugar = {"sld_shell": "C6H7H[1]3O5@1.5"}, exchanged_density("C6H7H[1]3O5@1.5", 6.0)
    in_water = FitOptions(contrast=Contrast(None, 6.0))
    assert fix_exchanging(in_water, parts).fixed == {"sld_shell": sugar}
    assert fix_exchanging(FitOptions(), parts).fixed == {}
    given = FitOptions(contrast=Contrast(None, 6.0), fixed={"sld_shell": 2.0})
    assert fix_exchanging(given, parts).fixed == {"sld_shell": 2.0}


def test_wrong_usage_is_refused_in_a_sentence(folder: Path) -> None:
    file = str(folder / "first.dat")
    for options, words in (
        (["--exchange", "sld_shell"], "is no part with its material; write name=formula@density"),
        (["--exchange", "sld_shell=C6Qq7@1.5"], "Qq"),
        (["--change", "sld_core"], "is no change of a sample; write name=number"),
    ):
        found = CliRunner().invoke(app, ["next", file, *options])
        assert found.exit_code == 2
        assert words in " ".join(found.stderr.split())
    found = CliRunner().invoke(app, ["next", file, "--plan", file])
    assert found.exit_code == 1
    assert "is no plan; give the file that sasnet next --save wrote" in found.stderr
    found = CliRunner().invoke(app, ["next", file, "--plan", "nowhere.json"])
    assert found.exit_code == 1
    assert "nowhere.json: there is no such file; check the path" in found.stderr
