"""The scripts in findings/ are listed, pin their packages, run without sasnet and explain themselves."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "findings"
SCRIPTS = sorted(path for path in FOLDER.glob("*.sh") if path.name != "run_all.sh")
HEADER_LINES = 12
CHANGED = 1  # exit status of run_all.sh if a finding has changed


def header(script: Path) -> list[str]:
    """Return the comment between the interpreter line and the first command."""
    lines = script.read_text(encoding="utf-8").splitlines()[1:]
    end = next(i for i, line in enumerate(lines) if not line.startswith("# "))
    return [line[2:] for line in lines[:end]]


def packages(script: Path) -> list[str]:
    """Return the arguments of ``pip install`` that are no options."""
    (line,) = re.findall(r"pip install (.*?)\|\|", script.read_text(encoding="utf-8"))
    return [word for word in re.findall(r"[^\s\"]+", line) if not word.startswith("-")]


def test_the_readme_lists_every_script_once_with_one_line() -> None:
    listed = re.findall(
        r"^\| `(\w+\.sh)` \| (.+) \|$", (FOLDER / "README.md").read_text(encoding="utf-8"), re.M
    )
    assert [name for name, _ in listed] == [script.name for script in SCRIPTS]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_versions_are_pinned_and_the_library_is_named(script: Path) -> None:
    pinned = packages(script)
    assert pinned
    assert [each for each in pinned if not re.fullmatch(r"[\w-]+==\d[\w.]*", each)] == []
    first = header(script)[0]
    libraries = [each.partition("==")[::2] for each in pinned]
    named = [name for name, version in libraries if f"{name} {version}" in first]
    assert named, f"the first line names none of {pinned}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_runs_without_sasnet_and_cleans_up(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert "sasnet" not in text
    assert "folder=$(mktemp -d)\ntrap 'rm -rf \"$folder\"' EXIT" in text
    assert "set -euo pipefail" in text
    assert re.search(r"^assert |^    assert ", text, re.M)
    assert "print(" in text
    assert os.access(script, os.X_OK)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_header_says_why_it_matters_in_few_lines(script: Path) -> None:
    lines = header(script)
    assert len(lines) <= HEADER_LINES
    assert any(line.startswith("Why it matters: ") for line in lines)


@pytest.mark.parametrize("script", [*SCRIPTS, FOLDER / "run_all.sh"], ids=lambda script: script.stem)
def test_the_shell_accepts_it(script: Path) -> None:
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


def test_the_runner_names_what_has_changed(tmp_path: Path) -> None:
    (tmp_path / "run_all.sh").write_bytes((FOLDER / "run_all.sh").read_bytes())
    for name, status in (("same", 0), ("other", 1), ("absent", 2)):
        (tmp_path / f"{name}.sh").write_text(f"#!/usr/bin/env bash\nexit {status}\n")
        (tmp_path / f"{name}.sh").chmod(0o755)
    run = subprocess.run(
        ["bash", tmp_path / "run_all.sh"], capture_output=True, text=True, check=False, cwd=tmp_path.parent
    )
    assert run.returncode == CHANGED
    assert "As described: 1\nChanged: 1\n  other.sh\nCould not be installed: 1\n  absent.sh" in run.stdout
    alone = subprocess.run(["bash", tmp_path / "run_all.sh", "same"], check=False, capture_output=True)
    assert alone.returncode == 0
