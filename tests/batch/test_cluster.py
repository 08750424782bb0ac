"""A real Dask cluster over TCP that loses a worker in the middle."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import pytest
from batchfiles import FAST
from typer.testing import CliRunner, Result

from sasnet_plugin.batch.plan import Options
from sasnet_plugin.batch.run import answer_on_cluster
from sasnet_plugin.cli.main import app
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.workers.spread import ClusterError, connect


def table_rows(table: Path) -> dict[str, dict[str, str]]:
    """Rows of a batch's table by file, without the time that they took."""
    with table.open(encoding="utf-8", newline="") as text:
        return {row["file"]: {k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(text)}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two workers; the last test that uses them ends them."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, protocol="tcp", dashboard_address=":0",
        silence_logs=50,
    ) as found:  # fmt: skip
        yield found


@pytest.mark.slow
def test_a_series_is_followed_on_a_cluster_as_it_is_here(
    cluster: Any, spheres: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    def followed(out: Path, *more: str) -> Result:
        return CliRunner().invoke(app, ["follow", str(spheres), "--out", str(out), *more])

    here = followed(tmp_path / "here.csv")
    assert here.exit_code == 1, here.stderr  # the letter is no curve
    command = [sys.executable, "-m", "sasnet_plugin", "follow", str(spheres), "--out", tmp_path / "there.csv"]
    there = subprocess.run(
        [*command, "--scheduler", cluster.scheduler_address],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert there.returncode == 1, there.stderr
    added = followed(tmp_path / "sum.csv", "--add", "--scheduler", cluster.scheduler_address)
    text = (tmp_path / "here.csv").read_text(encoding="utf-8")
    assert text.count("\n") == 12
    assert (tmp_path / "there.csv").read_text(encoding="utf-8") == text
    assert added.exit_code == 2
    assert "--scheduler" in added.stderr
    nowhere = followed(tmp_path / "none.csv", "--scheduler", "nonsense://here")
    assert nowhere.exit_code == 1
    assert "no Dask scheduler answers" in nowhere.stderr
    assert "Traceback" not in nowhere.stderr


def test_a_killed_worker_costs_no_file_and_a_lost_scheduler_is_one_sentence(
    cluster: Any, spheres: Path, tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, journal = tmp_path / "results.h5", tmp_path / "results.h5.journal"
    assert cluster.scheduler_address.startswith("tcp://")
    for nanny in cluster.workers.values():
        nanny.auto_restart = False  # nobody but the other worker is to do the work
    process = subprocess.Popen(
        [sys.executable, "-m", "sasnet_plugin", "batch", str(spheres), "--out", str(out),
         "--scheduler", cluster.scheduler_address, *FAST],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 240
    while not journal.exists() or journal.read_bytes().count(b'\n{"file"') < 2:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(cluster.workers[0].pid, signal.SIGKILL)
    _, err = process.communicate(timeout=240)
    # Now all the rest goes; the client is not to wait long for the scheduler to come back.
    monkeypatch.setattr("sasnet_plugin.workers.spread._PATIENCE", "4s")
    paths = [str(spheres / f"run{k}.dat") for k in range(3)]
    quick = Options(FitOptions(models=("sphere",), structure_factor="none", fixed={"radius_pd": 0.0}))
    answers = answer_on_cluster(cluster.scheduler_address, paths, quick, 30.0)
    assert next(answers)["rows"][0]["fits"][0]["model"] == "sphere"
    os.kill(cluster.workers[1].pid, signal.SIGKILL)  # closing would wait for what it has in work
    cluster.close()
    with pytest.raises(ClusterError, match="connection to the Dask scheduler was lost"):
        list(answers)
    assert process.returncode == 1, err  # for the letter
    here = tmp_path / "here.h5"
    done = subprocess.run(
        [sys.executable, "-m", "sasnet_plugin", "batch", str(spheres), "--out", str(here), *FAST],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert table_rows(out.with_suffix(".csv")) == table_rows(here.with_suffix(".csv"))
    with h5py.File(out) as file:
        rows = file["datasets"][:]
    assert sorted(name.decode() for name in rows["file"]) == sorted(str(p) for p in spheres.iterdir())
    assert [name for name, error in zip(rows["file"], rows["error"], strict=True) if error] == [
        str(spheres / "letter.dat").encode()
    ]


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://here"])
def test_no_scheduler_is_one_sentence(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sasnet_plugin.workers.spread._PATIENCE", "1s")
    with pytest.raises(ClusterError, match="no Dask scheduler answers"):
        next(answer_on_cluster(address, ["a.dat"], Options(), 10.0))


def test_that_workers_are_waited_for_is_said(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import LocalCluster

    monkeypatch.setattr("sasnet_plugin.workers.spread._LONELY", 0.5)
    with (
        LocalCluster(n_workers=0, threads_per_worker=1, protocol="tcp", dashboard_address=":0") as cluster,
        connect(cluster.scheduler_address) as there,
        ThreadPoolExecutor(1) as pool,
    ):
        answer = pool.submit(there.spread, sorted, [3, 1, 2])
        said, deadline = "", time.monotonic() + 60
        while "has no workers" not in said:
            assert time.monotonic() < deadline
            assert not answer.done()
            time.sleep(0.1)
            said += capfd.readouterr().err
        cluster.scale(1)
        assert answer.result(timeout=120) == [1, 2, 3]
    assert f"{cluster.scheduler_address}: this Dask scheduler has no workers; waiting" in said
    assert capfd.readouterr().err.count("has no workers") == 0
