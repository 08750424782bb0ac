"""What is printed arrives on any terminal and in any pipe; Ctrl-C ends a command without a word."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tinyzoo import sphere_curve

REPOSITORY = Path(__file__).parents[2]
CLASSIFY = [sys.executable, "-P", "-m", "sasnet_plugin", "classify"]


@pytest.fixture
def environment(zoo: Path) -> dict[str, str]:
    return os.environ | {"SASNET_MODEL_ZOO": str(zoo), "PYTHONPATH": str(REPOSITORY)}


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A file whose name is no UTF-8."""
    path = tmp_path / os.fsdecode(b"b\xff.dat")
    np.savetxt(path, np.column_stack(sphere_curve(60.0)))
    return path


def test_json_on_a_terminal_without_unicode_loses_nothing(odd: Path, environment: dict[str, str]) -> None:
    for encoding in ("ascii", "utf-8"):
        done = subprocess.run(
            [*CLASSIFY, "--json", str(odd)],
            env=environment | {"PYTHONIOENCODING": encoding}, capture_output=True, check=True,
        )  # fmt: skip
        assert json.loads(done.stdout.decode(encoding))["file"] == str(odd)


def test_plot_of_a_file_whose_name_is_no_utf8(odd: Path, environment: dict[str, str]) -> None:
    plot = odd.with_name("p.png")
    done = subprocess.run([*CLASSIFY, str(odd), "--plot", str(plot)], env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert plot.stat().st_size > 1000


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed: str, odd: Path, environment: dict[str, str]) -> None:
    odd.rename(odd.with_name("a.dat"))
    command = f"exec {sys.executable} -P -m sasnet_plugin classify --json a.dat {closed}"
    done = subprocess.run(["sh", "-c", command], cwd=odd.parent, env=environment, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("columns", ["0", "-3", "wide"])
def test_no_impossible_terminal_is_believed(columns: str, odd: Path, environment: dict[str, str]) -> None:
    done = subprocess.run([*CLASSIFY, str(odd)], env=environment | {"COLUMNS": columns}, capture_output=True)
    assert done.returncode == 0
    assert "At least one library model fits" in done.stdout.decode()


NOISY = """
import os, sys
from sasnet_plugin.cli.streams import json_lines
line = json_lines()
print("a library says")
os.write(1, b"another in C\\n")
os.system("echo a compiler")
line({"name": "Å \\udcff"})
"""


def test_what_libraries_print_is_not_between_the_answers(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOISY], env=environment | {"PYTHONIOENCODING": "utf-8"}, capture_output=True
    )
    assert json.loads(done.stdout) == {"name": "Å \udcff"}
    for part in (b"a library says", b"another in C", b"a compiler"):
        assert part in done.stderr


@pytest.mark.parametrize("moment", [0.1, 0.3, 0.6, 0.9])
def test_ctrl_c_while_modules_are_imported(moment: float, odd: Path, environment: dict[str, str]) -> None:
    code = "from sasnet_plugin.__main__ import main; print(1, flush=True); main()"
    with subprocess.Popen(
        [sys.executable, "-P", "-c", code, "classify", str(odd)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.05 + moment)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    # Ended by the signal itself where it came while Python was shutting down.
    assert process.returncode in (0, 130, -signal.SIGINT)
    assert said == b""
