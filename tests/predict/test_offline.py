"""Nothing is told to anybody, and nothing is written where no one asked for it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
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


STRACE = shutil.which("strace") is not None
COMMANDS = {
    "classify": ["classify"],
    "fit": [
        "fit",
        "--models",
        "sphere",
        "--structure-factor",
        "none",
        "--time-limit",
        "600",
        "--workers",
        "1",
    ],
}


def without_network() -> list[str]:
    """What a command begins with to have no network at all; nothing where this user may not do that."""
    command = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") and not subprocess.run([*command, "true"], capture_output=True).returncode:
        return command
    return []


@dataclass(frozen=True)
class Watched:
    """A command that has ended, in a folder of its own with a home and, where strace is, a trace."""

    folder: Path
    done: subprocess.CompletedProcess[str]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def trace(self) -> Path:
        return self.folder / "trace"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> dict[str, Watched]:
    """Each command by its name. They run side by side, as each waits for longer than it works."""
    running = {}
    for name, command in COMMANDS.items():
        folder = tmp_path_factory.mktemp(name)
        (folder / "home").mkdir()
        np.savetxt(folder / "a.dat", np.column_stack(sphere_curve(60.0)))
        running[name] = folder, started(folder, command, repository)
    found = {}
    for name, (folder, process) in running.items():
        out, err = process.communicate()
        found[name] = Watched(folder, subprocess.CompletedProcess(process.args, process.returncode, out, err))
    return found


def started(folder: Path, command: list[str], repository: Path) -> subprocess.Popen[str]:
    trace = str(folder / "trace")
    seen = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=network", "-o", trace] if STRACE else []
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("ORT_", "XDG_", "SAS_DLL_PATH"))},
        "HOME": str(folder / "home"), "PYTHONPATH": str(repository),
    }  # fmt: skip
    environment.pop("SASNET_MODEL_ZOO", None)
    code = [sys.executable, "-B", "-P", "-c", CODE, *command, "a.dat", "--json"]
    return subprocess.Popen(
        [*without_network(), *seen, *code], cwd=folder, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_no_network_is_needed_and_nothing_left_behind(watched: dict[str, Watched], command: str) -> None:
    seen = watched[command]
    assert seen.done.returncode == 0, seen.done.stdout + seen.done.stderr
    assert '"file": "a.dat"' in seen.done.stdout
    # What is fitted is compiled first, into sasmodels' own cache; and sasmodels' prism imports matplotlib.
    own = (".sasmodels/compiled_models/", ".cache/matplotlib/", ".config/matplotlib/")
    written = [path.relative_to(seen.home).as_posix() for path in seen.home.rglob("*") if path.is_file()]
    assert [name for name in written if command == "classify" or not name.startswith(own)] == []
    assert {path.name for path in seen.folder.iterdir()} == {"a.dat", "home"} | (
        {"trace"} if STRACE else set()
    )
    calls = seen.trace.read_text().splitlines() if STRACE else []
    asked = [line for line in calls if re.search(r"\b(connect|send\w*|socket)\(", line)]
    assert [line for line in asked if re.search(r"AF_INET|AF_NETLINK", line)] == []


def test_onnxruntime_is_imported_in_one_place(repository: Path) -> None:
    found = [
        path.name
        for path in (repository / "sasnet_plugin").rglob("*.py")
        if re.search(r"^\s*(import|from) onnxruntime", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert found == ["predictor.py"]
