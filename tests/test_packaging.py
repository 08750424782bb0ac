"""What is installed is what the checkout holds, and what README says is what is checked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import requires, version
from pathlib import Path

import pytest

import sasnet_plugin

MODEL_FILES = ("card.md", "manifest.json", "model.onnx", "parity.npz")


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, unpacked; built from a copy, so that nothing is left in the checkout."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
        shutil.copy(repository / name, tree)
    for name in ("sasnet_plugin", "model_zoo"):
        shutil.copytree(repository / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run(
        [*build, "--wheel-dir", tree / "dist", tree], cwd=tree, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (built,) = (tree / "dist").glob("*.whl")
    unpacked = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(unpacked)
    return unpacked


def _project(repository: Path) -> dict:
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_one_version(repository: Path) -> None:
    stated = _project(repository)["version"]
    assert stated == sasnet_plugin.__version__ == version("sasnet_plugin")
    changes = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = next(line for line in changes.splitlines() if line.startswith("## "))
    assert newest.split()[1] == stated


def test_base_install_is_light() -> None:
    base = {line.split(";")[0].strip() for line in requires("sasnet_plugin") or () if "extra ==" not in line}
    names = {line.split(">")[0].split("[")[0].lower() for line in base}
    assert "sasmodels" in names
    heavy = {"tensorflow", "keras", "torch", "tf2onnx", "bornagain", "pyside6", "sasview", "dask"}
    assert not names & heavy


def test_wheel_holds_every_module_and_table(wheel: Path, repository: Path) -> None:
    package = repository / "sasnet_plugin"
    here = {
        path.relative_to(repository).as_posix()
        for pattern in ("*.py", "*.toml", "py.typed")
        for path in package.rglob(pattern)
    }
    assert "sasnet_plugin/simulate/realistic_protocol.toml" in here
    there = {path.relative_to(wheel).as_posix() for path in wheel.rglob("*") if path.is_file()}
    assert sorted(here - there) == []


def test_wheel_holds_the_trained_models(wheel: Path, repository: Path) -> None:
    zoo = wheel / "model_zoo"
    registry = json.loads((zoo / "registry.json").read_text(encoding="utf-8"))
    assert "sas1d" in registry
    for page in registry.values():
        for name in MODEL_FILES:
            installed = zoo / page["path"] / name
            assert installed.read_bytes() == (repository / "model_zoo" / page["path"] / name).read_bytes()


def test_wheel_finds_its_own_models(wheel: Path, tmp_path: Path) -> None:
    """Outside the checkout, with nothing but the unpacked wheel in front of the path."""
    code = (
        f"import sys; sys.path.insert(0, {str(wheel)!r})\n"
        "from sasnet_plugin.zoo import zoo_folder\n"
        "print(zoo_folder())"
    )
    bare = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "SASNET_MODEL_ZOO")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=bare, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == (wheel / "model_zoo").resolve()


def test_command_starts_the_command_line(repository: Path) -> None:
    module, _, function = _project(repository)["scripts"]["sasnet"].partition(":")
    done = subprocess.run(
        [sys.executable, "-c", f"from {module} import {function}; {function}()", "--version"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sasnet_plugin.__version__ in done.stdout


def test_readme_gives_the_command_that_ci_runs(repository: Path) -> None:
    """.ci/run takes the block after its mark; it is one command that installs, then tests."""
    readme = (repository / "README.md").read_text(encoding="utf-8")
    script = (repository / ".ci" / "run").read_text(encoding="utf-8")
    mark = "<!-- install and test -->"
    assert readme.count(mark) == 1
    assert mark in script
    command = readme.partition(mark)[2].split("```")[1].removeprefix("bash").strip()
    assert "\n" not in command
    steps = [step.strip() for step in command.split("&&")]
    assert steps[0] == "python3 -m venv .venv"
    assert steps[1] == '.venv/bin/pip install -e ".[dev,docs,train]"'
    assert steps[2] == ".venv/bin/python -m pytest"
    assert len(steps) == 3


def test_frozen_protocol_is_whole(repository: Path) -> None:
    path = repository / "sasnet_plugin" / "simulate" / "realistic_protocol.toml"
    protocol = tomllib.loads(path.read_text(encoding="utf-8"))
    assert protocol["version"] == 1
    assert sum(page["weight"] for page in protocol["instrument"]) == pytest.approx(1.0)


def test_reference_answers_name_models_and_files_that_exist(repository: Path, example_data: Path) -> None:
    from sasmodels.core import list_models

    path = repository / "tests" / "reference" / "real_answers.toml"
    answers = tomllib.loads(path.read_text(encoding="utf-8"))["data"]
    kinds = [answer["kind"] for answer in answers]
    assert (kinds.count("measured"), kinds.count("calculated")) == (12, 9)
    known = set(list_models())
    for answer in answers:
        assert (example_data / answer["file"]).is_file()
        for name in answer["models"]:
            assert set(name.replace("?", "").split("@")) <= known, name
