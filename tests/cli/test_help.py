"""What a user types before reading anything: -h, -V, a name with a slip, the examples of a help."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from sasnet_plugin.cli.main import COMMANDS, GROUPS, app, read_examples


def _run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def test_short_forms_and_a_slip() -> None:
    assert _run("-h") == _run("--help")
    assert _run("-V") == _run("--version")
    assert _run("fit", "-h")[0] == 0
    code, _, said = _run("clasify", "data.dat")
    assert code == 2
    assert "Did you mean 'classify'?" in said


def test_no_sentence_is_cut_and_options_stand_in_groups() -> None:
    assert "..." not in _run("-h")[1].replace("[ARGS]...", "")
    _, said, _ = _run("fit", "-h")
    titles = re.findall(r"^([A-Z].*):$", said, re.MULTILINE)
    assert titles == ["Arguments", *(t for t in GROUPS), "Options", "Examples"]
    what, how = said.index("What is known:"), said.index("How it is fitted:")
    assert all(what < said.index(f"  {option} ") < how for option in ("--fixed", "--start", "--solvent"))


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_three_examples_that_are_right(name: str) -> None:
    group: Any = typer.main.get_command(app)
    command = group.get_command(None, name)
    known = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
    examples = read_examples()[name]
    assert len(examples) == 3
    for call, _ in examples:
        words = shlex.split(call.rpartition("|")[2])
        assert words[:2] == ["sasnet", name]
        assert {word for word in words if word.startswith("-")} <= known, call
    assert all(call in _run(name, "-h")[1] for call, _ in examples)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_a_command(shell: str) -> None:
    words = "sasnet cla"
    asked = {
        "COMP_WORDS": words,
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": words,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    done = subprocess.run(
        [sys.executable, "-m", "sasnet_plugin"],
        env={**os.environ, **asked, "_SASNET_COMPLETE": f"complete_{shell}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "classify" in done.stdout, done.stderr


def test_the_quick_start_works_as_it_is_typed(repository: Path, tmp_path: Path) -> None:
    """From the second block on: the first one installs."""
    text = (repository / "docs" / "quickstart.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert ". .venv/bin/activate" in blocks[0]
    assert all(".venv/bin" not in block for block in blocks[1:])
    (shown,) = (block for block in blocks if "sasnet classify" in block)
    here = shlex.quote(sys.executable)
    stand_in = f'python() {{ {here} "$@"; }}; sasnet() {{ {here} -m sasnet_plugin "$@"; }}\n'
    done = subprocess.run(
        ["bash", "-ec", stand_in + shown], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "PolySpheres.txt" in done.stdout


def test_every_command_stands_in_one_section_of_the_help() -> None:
    from sasnet_plugin.cli.main import COMMAND_GROUPS, COMMANDS

    listed = [name for names in COMMAND_GROUPS.values() for name in names]
    assert sorted(listed) == sorted(COMMANDS)
    assert listed[:2] == ["fit", "classify"]
