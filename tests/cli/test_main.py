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


def started(code: str) -> str:
    """What a fresh process prints last that classifies a curve and then runs the code."""
    text = f"""
import sys, tempfile, pathlib
import numpy as np
q = np.geomspace(0.005, 0.3, 60)
path = pathlib.Path(tempfile.mkdtemp()) / "curve.dat"
np.savetxt(path, np.stack([q, np.exp(-(q * 40) ** 2 / 3) + 1e-3, 0.02 * q], axis=1))
sys.argv = ["sasnet", "classify", "-q", str(path)]
from sasnet_plugin.__main__ import main
try:
    main()
except SystemExit:
    pass
{code}
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_a_curve_imports_nothing_that_reads_images_or_containers() -> None:
    parts = (
        "images.reading",
        "images.nexus",
        "images.diffraction.reading",
        "images.sans.reading",
        "images.sans.nexus",
        "images.xray_tags.reading",
        "hdf5",
        "containers",
        "h5py",
    )
    code = f"print([m for m in sys.modules if any(part in m for part in {parts})])"
    assert started(code) == "[]"


def test_garbage_is_collected_once_the_command_runs() -> None:
    assert started("import gc; print(gc.isenabled(), gc.get_freeze_count() > 10_000)") == "True True"
