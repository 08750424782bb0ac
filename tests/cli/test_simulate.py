"""``sasnet simulate``: announced, resumable after a kill, stopped with a sentence."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sasnet_plugin.cli.main import app

# About a fifth of a second a shard: enough to be killed within.
MODELS = "core_shell_sphere,guinier,ellipsoid"
PLAN = ("--rounds", "3", "--limit", "4", "--seed", "5", "--models", MODELS)
SHARDS = 9


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["simulate", *map(str, arguments)])


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sasnet_plugin", "simulate", "--out", str(folder), *PLAN, *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_shards(folder: Path, count: int, process: subprocess.Popen[str]) -> None:
    while len(list(folder.glob("*.h5"))) < count:
        assert process.poll() is None, "it ended before it could be stopped"
        time.sleep(0.002)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an uninterrupted run writes."""
    folder = tmp_path_factory.mktemp("whole")
    assert run("--out", folder, *PLAN).exit_code == 0
    found = contents(folder)
    assert len(found) == SHARDS + 1  # and settings.json
    return found


def test_need_is_announced_before_the_result(tmp_path: Path) -> None:
    result = run("--out", tmp_path / "new", "--rounds", 2, "--limit", 3, "--models", "guinier,sphere")
    assert result.exit_code == 0
    announced, done = result.output.splitlines()
    assert "12 curves of 2 models in 4 files (shards)" in announced
    assert "of disk" in announced
    assert "all 4 shards are there" in done


def test_after_kill_9_only_the_chunk_under_way_is_lost(tmp_path: Path, whole: dict[str, bytes]) -> None:
    process = start(tmp_path)
    wait_for_shards(tmp_path, 4, process)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.h5")}
    assert 4 <= len(kept) < SHARDS
    # As a kill between two writes would leave it.
    (tmp_path / f".ellipsoid-0002.h5.sasnet-tmp{process.pid}").write_bytes(b"half")

    result = run("--out", tmp_path, *PLAN)
    assert result.exit_code == 0
    assert f"{len(kept)} of {SHARDS} shards exist and are skipped" in result.output
    assert "removed" in result.output
    assert contents(tmp_path) == whole
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_kill_9_of_a_run_with_workers_resumes_to_the_same_bytes(
    tmp_path: Path, whole: dict[str, bytes]
) -> None:
    process = start(tmp_path, "--workers", "2")
    wait_for_shards(tmp_path, 3, process)
    process.kill()
    process.communicate()
    result = run("--out", tmp_path, *PLAN)
    assert result.exit_code == 0
    # A worker of the run that was killed may take a moment to end, and leave its half-written file then.
    assert {name: data for name, data in contents(tmp_path).items() if ".sasnet-tmp" not in name} == whole


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_keeps_what_is_finished(tmp_path: Path, workers: str) -> None:
    process = start(tmp_path, "--workers", workers)
    wait_for_shards(tmp_path, 2, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert errors.count("\n") == 1
    assert "are kept" in errors
    assert 2 <= len(list(tmp_path.glob("*.h5"))) < SHARDS
    assert not list(tmp_path.glob("*.tmp*"))


def test_a_finished_folder_is_left_as_it_is(tmp_path: Path) -> None:
    plan = ("--out", tmp_path, "--rounds", 1, "--limit", 3, "--models", "guinier")
    run(*plan)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    result = run(*plan)
    assert result.exit_code == 0
    assert "0 curves of 1 models in 0 files (shards)" in result.output
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("--seed", 6), "another folder or the same options"),
        (("--monodisperse",), "another folder or the same options"),
        (("--limit", 4), "holds 3 curves where 4 are planned"),
    ],
)
def test_other_options_for_the_same_folder_are_refused(tmp_path: Path, change: tuple, words: str) -> None:
    plan = ("--out", tmp_path, "--rounds", 1, "--limit", 3, "--models", "guinier")
    run(*plan)
    before = contents(tmp_path)
    result = run(*plan, *change)
    assert result.exit_code == 1
    assert words in result.stderr
    assert contents(tmp_path) == before


def test_a_disk_that_is_too_small_is_refused_before_the_first_curve(tmp_path: Path) -> None:
    result = run("--out", tmp_path / "big", "--models", "guinier", "--scale", "1e12")
    assert result.exit_code == 1
    assert "are needed but only" in result.stderr
    assert not (tmp_path / "big").exists()


def test_a_users_model_file_is_simulated_under_its_name(tmp_path: Path) -> None:
    plugin = tmp_path / "my_debye.py"
    plugin.write_text(
        'import numpy as np\nname = "my_debye"\ntitle = description = "Debye\'s coil"\ncategory = "polymer"\n'
        'parameters = [["rg", "Ang", 60.0, [0, np.inf], "", "Radius of gyration"]]\n'
        "def Iq(q, rg):\n    x = (q * rg) ** 2\n    return 2 * (np.expm1(-x) + x) / x**2\n"
        "Iq.vectorized = True\n",
        encoding="utf-8",
    )
    out = tmp_path / "out"
    result = run("--out", out, "--rounds", 1, "--limit", 3, "--models", f"{plugin},guinier")
    assert result.exit_code == 0, result.stderr
    assert {path.name for path in out.glob("*.h5")} == {"my_debye-0000.h5", "guinier-0000.h5"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--models", "no_such_model"), 1, "no_such_model: sasmodels cannot load"),
        (("--models", "nowhere/mine.py"), 1, "nowhere/mine.py: there is no such plugin model file"),
        (("--models", "sphere,other/sphere.py"), 1, "other/sphere.py"),
        (("--models", ","), 2, "--models"),
        (("--scale", "0"), 2, "--scale"),
        (("--scale", "nan"), 2, "--scale"),
        (("--rounds", "0"), 2, "--rounds"),
        (("--workers", "none"), 2, "--workers"),
    ],
)
def test_wrong_usage_is_one_clear_message(tmp_path: Path, arguments: tuple, code: int, words: str) -> None:
    result = run("--out", tmp_path / "out", *arguments)
    assert result.exit_code == code
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_a_broken_plugin_and_a_twin_of_a_known_name_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise ValueError('half done')\n", encoding="utf-8")
    result = run("--out", tmp_path / "out", "--models", broken)
    assert result.exit_code == 1
    assert "broken.py" in result.stderr
    assert "half done" in result.stderr
    twin = tmp_path / "guinier.py"
    twin.write_text(
        'name = "guinier"\ntitle = description = ""\ncategory = "x"\n'
        'parameters = [["rg", "Ang", 60.0, [0, 1e9], "", "size"]]\ndef Iq(q, rg):\n    return 1 + 0 * q\n',
        encoding="utf-8",
    )
    result = run("--out", tmp_path / "out", "--models", f"guinier,{twin}")
    assert result.exit_code == 1
    assert "has the same name as guinier" in result.stderr


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("", encoding="utf-8")
    result = run("--out", path, "--rounds", 1, "--limit", 1, "--models", "guinier")
    assert result.exit_code == 1
    assert "name a folder" in result.stderr
