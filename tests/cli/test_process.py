"""``sasnet`` as a process: what it imports, that it streams, and how it ends when it is stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tinyzoo import sphere_curve

REPOSITORY = Path(__file__).parents[2]
HEAVY = ("tensorflow", "keras", "torch", "bumps", "matplotlib", "sasmodels")


@pytest.fixture
def environment(zoo: Path) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
    return os.environ | {"SASNET_MODEL_ZOO": str(zoo), "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}


def data_file(path: Path) -> Path:
    np.savetxt(path, np.column_stack(sphere_curve(60.0, points=50)))
    return path


def python(code: str, environment: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environment, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip


REPORT = f"""
import sys
from sasnet_plugin.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("LOADED", [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""


@pytest.mark.parametrize("form", ["--json", "--top=3"])
def test_classify_imports_nothing_heavy(form: str, tmp_path: Path, environment: dict[str, str]) -> None:
    done = python(REPORT, environment, "classify", form, data_file(tmp_path / "a.dat"))
    assert done.returncode == 0, done.stderr
    assert "a.dat" in done.stdout
    assert done.stderr.splitlines()[-1] == "LOADED []"


def test_import_of_the_package_is_light_and_lazy(environment: dict[str, str]) -> None:
    code = f"""
import sys, sasnet_plugin
print([name for name in ("numpy", "scipy", "onnxruntime", "rich", *{HEAVY!r}) if name in sys.modules])
sasnet_plugin.Curve, sasnet_plugin.load, sasnet_plugin.suggest
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    done = python(code, environment)
    assert done.stdout.split("\n")[:2] == ["[]", "[]"], done.stderr


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A folder whose answers fill any pipe, so that a reader who stops reading stops the process."""
    folder = tmp_path / "many"
    folder.mkdir()
    first = data_file(folder / "000.dat").read_bytes()
    for index in range(1, 400):
        (folder / f"{index:03d}.dat").write_bytes(first)
    return folder


def start(folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "sasnet_plugin", "classify", "--json", str(folder)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_closed_pipe_ends_it_quietly(many: Path, environment: dict[str, str]) -> None:
    with start(many, environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["file"] == str(many / "000.dat")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_interrupt_keeps_the_answers_so_far(many: Path, environment: dict[str, str]) -> None:
    with start(many, environment) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate()
        assert process.returncode == 130
    answers = [json.loads(line) for line in [first, *rest.splitlines()]]  # whole lines only
    assert 1 <= len(answers) < 400
    assert all(answer["models"] for answer in answers)
    assert b"Traceback" not in errors


def test_terminal_without_unicode(tmp_path: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sasnet_plugin", "classify", str(data_file(tmp_path / "a.dat"))],
        env=environment | {"PYTHONIOENCODING": "ascii"}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"a.dat" in done.stdout


def test_version(environment: dict[str, str]) -> None:
    import sasnet_plugin

    done = subprocess.run(
        [sys.executable, "-m", "sasnet_plugin", "--version"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == f"sasnet {sasnet_plugin.__version__}"
