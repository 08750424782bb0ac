"""What is installed is what the checkout holds, and what README says is what is checked."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import requires, version
from pathlib import Path

import pytest

import sasnet_plugin

#: What a wheel is built from.
TOP = ("pyproject.toml", "setup.cfg", "README.md", "LICENSE")
#: Builds a wheel, and a source distribution and of that, elsewhere, another wheel.
BUILD = """
import os, shutil
from setuptools import build_meta
source, direct = build_meta.build_sdist("dist"), build_meta.build_wheel("dist")
shutil.unpack_archive(f"dist/{source}", "unpacked")  # tarfile's filters are not in 3.11.2
os.chdir(f"unpacked/{source.removesuffix('.tar.gz')}")
build_meta.build_wheel("../../by_source")
"""


@pytest.fixture(scope="module")
def built(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with its wheel in ``dist``, and in ``by_source`` that of its source distribution."""
    tree = tmp_path_factory.mktemp("tree")
    for name in TOP:
        shutil.copy(repository / name, tree)
    for name in ("sasnet_plugin", "model_zoo"):
        shutil.copytree(repository / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        compiled = tree / name / "__pycache__"
        compiled.mkdir()
        (compiled / "__init__.cpython-311.pyc").write_bytes(b"of another Python")
    done = subprocess.run(
        [sys.executable, "-c", BUILD], cwd=tree, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return tree


@pytest.fixture(scope="module")
def wheel(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked."""
    unpacked = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(_the(built / "dist")) as archive:
        archive.extractall(unpacked)
    return unpacked


def _the(folder: Path) -> Path:
    (wheel,) = folder.glob("*.whl")
    return wheel


def _project(repository: Path) -> dict:
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_one_version(repository: Path) -> None:
    assert _project(repository)["dynamic"] == ["version"]
    stated = sasnet_plugin.__version__
    assert stated == version("sasnet_plugin")
    changes = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = next(line for line in changes.splitlines() if line.startswith("## "))
    assert newest.split()[1] == stated


def test_base_install_is_light() -> None:
    base = {line.split(";")[0].strip() for line in requires("sasnet_plugin") or () if "extra ==" not in line}
    names = {re.split(r"[^\w-]", line)[0].lower() for line in base}
    assert "sasmodels" in names
    heavy = {"tensorflow", "keras", "torch", "tf2onnx", "bornagain", "pyside6", "sasview", "dask"}
    assert not names & heavy


def test_wheel_holds_the_package_and_the_models_and_nothing_else(wheel: Path, repository: Path) -> None:
    """Modules, tables, banks of starting values, whatever comes next: none of them is named here."""

    def files(home: Path) -> dict[str, bytes]:
        return {
            path.relative_to(home).as_posix(): path.read_bytes()
            for folder in ("sasnet_plugin", "model_zoo")
            for path in (home / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    here, there = files(repository), files(wheel)
    assert sorted(here) == sorted(there)
    assert [name for name, content in here.items() if there[name] != content] == []
    assert not list(wheel.rglob("__pycache__"))


def test_wheel_of_the_source_distribution_is_the_same(built: Path) -> None:
    def contents(path: Path) -> dict[str, int]:
        with zipfile.ZipFile(path) as archive:
            return {each.filename: each.CRC for each in archive.infolist()}

    assert contents(_the(built / "dist")) == contents(_the(built / "by_source"))


#: Opens what the zoo names and what a fit starts from; prints each file of sasnet that was opened.
OPENS = """
import sys
from pathlib import Path
wheel = Path(sys.argv[1]).resolve()
sys.path.insert(0, str(wheel))
opened = set()
def note(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and not arguments[0].endswith((".py", ".pyc")):
        opened.add(arguments[0])
sys.addaudithook(note)
from sasnet_plugin.planning.measurements import examples, read_instrument
from sasnet_plugin.zoo import bank_path
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.instrument import protocol
from sasnet_plugin.simulate.quick_models.lattice import tables
from sasnet_plugin.zoo import open_model, list_registered, verify, zoo_folder
for name in list_registered():
    verify(open_model(name))
Bank(bank_path()).close()
protocol()
tables()
for name in examples():
    read_instrument(name)
from importlib import import_module
from sasnet_plugin.cli.main import read_examples
read_examples()
from sasnet_plugin.protein.molecular_weight import read_table
read_table()
for table in (wheel / "sasnet_plugin").rglob("*.toml"):  # read by the module of the same name
    if table.with_suffix(".py").is_file():
        import_module(".".join(table.relative_to(wheel).with_suffix("").parts))
assert zoo_folder().resolve() == wheel / "model_zoo", zoo_folder()
print(*sorted(path for path in opened if Path(path).resolve().is_relative_to(wheel)), sep=chr(10))
"""


def test_wheel_alone_opens_every_model_bank_and_table(wheel: Path, tmp_path: Path) -> None:
    """Outside the checkout, with nothing but the unpacked wheel in front of the path."""
    bare = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "SASNET_MODEL_ZOO")}
    done = subprocess.run(
        [sys.executable, "-c", OPENS, wheel],
        cwd=tmp_path,
        env=bare,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    opened = {Path(line).name for line in done.stdout.splitlines()}
    registry = json.loads((wheel / "model_zoo" / "registry.json").read_text(encoding="utf-8"))
    for page in registry.values():
        manifest = json.loads(
            (wheel / "model_zoo" / page["path"] / "manifest.json").read_text(encoding="utf-8")
        )
        assert set(manifest["sha256"]) <= opened
    # What no manifest names is read as well: no file of data is there for nothing.
    data = {path.name for path in wheel.rglob("*") if path.suffix in (".npz", ".toml", ".onnx", ".json")}
    assert data <= opened


def test_licences_of_what_is_taken_along_are_in_the_wheel(wheel: Path) -> None:
    """Where `pip` and whoever packages look for them; each file of others has one."""
    taken = {path.name.partition(".")[0] for path in wheel.glob("sasnet_plugin/web/static/*.min.*")}
    assert taken
    licences = {path.name for path in wheel.glob("*.dist-info/licenses/**/*") if path.is_file()}
    assert licences >= {"LICENSE", *(f"{name}.LICENSE.txt" for name in taken)}


def test_a_wheel_is_small(built: Path) -> None:
    assert _the(built / "dist").stat().st_size < 24.0e6


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
    assert steps[2] == ".venv/bin/python -m pytest -n 3 --dist loadfile"
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


#: Package that is imported -> the distribution that is declared for it.
DISTRIBUTIONS = {
    "AFL": "AFL-agent",
    "PySide6": "sasview",
    "bluesky_adaptive": "bluesky-adaptive",
    "event_model": "event-model",
    "sas": "sasview",
    "distributed": "dask",
    "sklearn": "scikit-learn",
}
#: Imported only where others have installed them: a backend of keras, and what compiles bumps' steps.
OTHERS = {"torch", "numba"}
#: Imported by keras, for its export to ONNX.
BY_KERAS = {"tf2onnx"}
#: Brings the measured files that commands of README and docs read.
BY_DOCS = {"sasdata"}


def test_what_is_imported_is_declared_and_the_other_way_round(repository: Path) -> None:
    imported: set[str] = set()
    for path in (repository / "sasnet_plugin").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.split(".")[0])
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                given = node.args[0]
                imported |= {str(given.value).split(".")[0]} if isinstance(given, ast.Constant) else set()
    imported -= {*sys.stdlib_module_names, *OTHERS, "sasnet_plugin"}
    project = _project(repository)
    extras = project["optional-dependencies"]
    lines = [
        *project["dependencies"],
        *(line for name in extras if name not in ("dev", "docs") for line in extras[name]),
    ]
    declared = {re.split(r"[\[<>=]", line)[0].lower() for line in lines}
    assert {DISTRIBUTIONS.get(name, name).lower() for name in imported} == declared - BY_KERAS - BY_DOCS


def test_versions_that_ci_tests_are_allowed(repository: Path) -> None:
    from packaging.requirements import Requirement

    project = _project(repository)
    lines = [
        *project["dependencies"],
        *(line for each in project["optional-dependencies"].values() for line in each),
    ]
    wanted = {found.name.lower(): found for found in map(Requirement, lines)}
    tested = dict(
        line.lower().split("==") for line in (repository / ".ci" / "constraints.txt").read_text().split()
    )
    assert set(tested) <= set(wanted)
    assert {name.lower() for name in (Requirement(line).name for line in project["dependencies"])} <= set(
        tested
    )
    assert all(wanted[name].specifier.contains(version) for name, version in tested.items())
