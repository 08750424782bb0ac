"""Nothing is told to anybody, and nothing is written where no one asked for it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tinyzoo import sphere_curve

#: Runs a command; then waits for what ONNX Runtime does behind its caller's back.
CODE = """
import sys, time
from sasnet_plugin.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
sys.stdout.flush()
time.sleep(6)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def without_network() -> list[str]:
    """What a command begins with to have no network at all; nothing where this user may not do that."""
    command = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") and not subprocess.run([*command, "true"], capture_output=True).returncode:
        return command
    return []


@pytest.mark.parametrize(
    "command",
    [
        ["classify"],
        ["fit", "--models", "sphere", "--structure-factor", "none", "--time-limit", "600", "--workers", "1"],
    ],
    ids=["classify", "fit"],
)
def test_no_network_is_needed_and_nothing_left_behind(
    tmp_path: Path, home: Path, repository: Path, command: list[str]
) -> None:
    np.savetxt(tmp_path / "a.dat", np.column_stack(sphere_curve(60.0)))
    before = {path.name for path in tmp_path.iterdir()} | {"trace"}
    trace = tmp_path / "trace"
    seen = (
        ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=network", "-o", str(trace)]
        if shutil.which("strace")
        else []
    )
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("ORT_", "XDG_", "SAS_DLL_PATH"))},
        "HOME": str(home), "PYTHONPATH": str(repository),
    }  # fmt: skip
    environment.pop("SASNET_MODEL_ZOO", None)
    code = [sys.executable, "-B", "-P", "-c", CODE, *command, "a.dat", "--json"]
    done = subprocess.run(
        [*without_network(), *seen, *code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"file": "a.dat"' in done.stdout
    # What is fitted is compiled first, into sasmodels' own cache; and sasmodels' prism imports matplotlib.
    own = (".sasmodels/compiled_models/", ".cache/matplotlib/", ".config/matplotlib/")
    written = [path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()]
    assert [name for name in written if command[0] == "classify" or not name.startswith(own)] == []
    assert {path.name for path in tmp_path.iterdir()} == before - (set() if seen else {"trace"})
    calls = trace.read_text().splitlines() if seen else []
    asked = [line for line in calls if re.search(r"\b(connect|send\w*|socket)\(", line)]
    assert [line for line in asked if re.search(r"AF_INET|AF_NETLINK", line)] == []


def test_onnxruntime_is_imported_in_one_place(repository: Path) -> None:
    found = [
        path.name
        for path in (repository / "sasnet_plugin").rglob("*.py")
        if re.search(r"^\s*(import|from) onnxruntime", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert found == ["predictor.py"]
