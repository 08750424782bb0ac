"""The table of commands: each is there, and none is paid for by the others."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from sasnet_plugin.cli.main import COMMANDS, app


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0, result.output
    assert f"sasnet {command}" in result.stdout or f"{command} [OPTIONS]" in result.stdout


def test_help_lists_the_commands() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0, result.output
    assert all(f"  {command} " in result.stdout for command in COMMANDS)


def test_unknown_command_is_wrong_usage() -> None:
    result = CliRunner().invoke(app, ["clasify"])
    assert result.exit_code == 2
    assert "clasify" in result.stderr


def test_one_command_does_not_import_the_others() -> None:
    code = """
import sys
from typer.testing import CliRunner
from sasnet_plugin.cli.main import COMMANDS, app
assert CliRunner().invoke(app, ["classify", "--help"]).exit_code == 0
print([name for name, home in COMMANDS.items() if home.partition(":")[0] in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['classify']"
