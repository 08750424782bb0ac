"""Whatever kills a batch, and however often: a file has one row, and nothing half-written stays."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from batchfiles import FAST


def _answered(journal: Path) -> int:
    """Whole answers, those without a result not counted."""
    lines = journal.read_bytes().splitlines(keepends=True) if journal.exists() else []
    return sum(line.endswith(b"\n") and b'"error": "", "fits": [{' in line for line in lines)


def _start(arguments: list[object], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sasnet_plugin", "batch", *map(str, arguments)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        start_new_session=True,
    )  # fmt: skip


def _wait_for(journal: Path, answers: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 240
    while _answered(journal) < answers:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_killed_stopped_and_resumed_every_file_has_one_row(
    spheres: Path, tmp_path: Path, environment: dict[str, str], sasnet: Callable[..., object]
) -> None:
    out, journal = tmp_path / "results.h5", tmp_path / "results.h5.journal"
    command: list[object] = [f"{spheres}/*.dat", "--out", out, "--workers", 1, *FAST]
    for number, answers in ((signal.SIGKILL, 2), (signal.SIGINT, 4), (signal.SIGTERM, 5)):
        process = _start(command, environment)
        _wait_for(journal, answers, process)
        if number == signal.SIGKILL:
            os.killpg(process.pid, number)
            process.communicate()
            with journal.open("ab") as file:  # a kill in the middle of a line
                file.write(b'{"file": "/half')
            # and one in the middle of the results
            (tmp_path / f".{out.name}.sasnet-tmp{process.pid}").write_bytes(b"half")
            continue
        process.send_signal(number)
        _, err = process.communicate(timeout=120)
        assert process.returncode == 130
        assert "continues from there" in err
        assert "Traceback" not in err
        with h5py.File(out) as file:
            kept = int(np.sum(file["datasets"]["error"] == b""))
        assert answers <= kept < 10
    done = sasnet(*command)
    assert done.returncode == 1, done.stderr  # type: ignore[attr-defined]
    assert f"{11 - kept} of 11 files to fit" in done.stderr  # type: ignore[attr-defined]
    assert _answered(journal) == 10
    names = sorted(str(path) for path in spheres.iterdir())
    with h5py.File(out) as file:
        rows = file["datasets"][:]
        assert sorted(name.decode() for name in rows["file"]) == names
        assert int(np.sum(rows["error"] != b"")) == 1
        assert b"no table of numbers" in rows["error"][0]
        # From a row to its best fit and on to its parameters.
        radii = []
        for row in rows[1:]:
            best = file["fits"][row["first_fit"]]
            first, count = best["first_parameter"], best["parameters"]
            values = {p["name"]: p for p in file["parameters"][first : first + count]}
            radii.append(float(values[b"radius"]["value"]))
            assert values[b"radius"]["unit"] == b"Ang"
            assert values[b"sld"]["fixed"]
            assert np.isnan(values[b"sld"]["error"])
    assert radii == pytest.approx([40.0 + k for k in range(10)], rel=0.03)
    with out.with_suffix(".csv").open(encoding="utf-8", newline="") as text:
        table = list(csv.DictReader(text))
    assert [row["file"] for row in table] == names
    assert [float(row["radius"]) for row in table if not row["error"]] == pytest.approx(radii)
    assert {p.name for p in tmp_path.iterdir() if p.is_file()} == {out.name, journal.name, "results.csv"}


def test_three_at_once_in_a_fresh_home_answer_as_one_after_another(
    spheres: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    """Three processes meet at every model that is to be compiled; time decides nothing, there is plenty."""
    home, tables = tmp_path / "home", []
    home.mkdir()
    fresh = {k: v for k, v in environment.items() if k != "SAS_DLL_PATH"} | {"HOME": str(home)}
    files = [spheres / name for name in ("letter.dat", "run0.dat", "run4.dat", "run8.dat")]
    given = [*files, "--time-limit", 600, "--structure-factor", "none", "--fixed", "radius_pd=0"]
    for workers in (3, 1):
        out = tmp_path / f"{workers}.h5"
        own = ["--models", "sphere,guinier", "--out", out, "--workers", workers]
        process = _start([*given, *own], fresh)
        _, err = process.communicate(timeout=600)
        assert process.returncode == 1, err  # the letter
        with out.with_suffix(".csv").open(encoding="utf-8", newline="") as text:
            tables.append([row | {"seconds": ""} for row in csv.DictReader(text)])
        lines = (tmp_path / f"{workers}.h5.journal").read_bytes().splitlines()
        rows = [row for line in lines[1:] for row in json.loads(line).get("rows", ())]
        assert {len(row["fits"]) for row in rows if not row["error"]} == {2}
        folder = home / ".sasmodels" / "compiled_models"
        assert len(list(folder.glob("*.so"))) == len(list(folder.glob("*.sha256"))) >= 2
    assert tables[0] == tables[1]
    assert [row["best"] for row in tables[0]] == ["", *["sphere"] * 3]
