"""A time limit holds whatever a process does, and a process that dies costs one candidate."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sasnet_plugin.batch import run as module
from sasnet_plugin.batch import worker
from sasnet_plugin.batch.plan import Options
from sasnet_plugin.batch.run import Supervisor
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.workers import child as processes
from sasnet_plugin.workers import pool as pools

QUICK = Options(FitOptions(models=("sphere", "vesicle"), structure_factor="none", fixed={"radius_pd": 0.0}))


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    list(map(pools._drop, list(pools._IDLE)))  # one that is kept would not be watched
    with Supervisor() as found:
        yield found


@pytest.fixture
def sphere(tmp_path: Path, sphere_file: Callable[..., Path]) -> str:
    return str(sphere_file(tmp_path / "sphere.dat", 60.0))


def _when_fitting(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, sphere: str, act: Callable[[int], None]
) -> threading.Event:
    """Do something to a warm process as soon as it begins with its second candidate, once; set when done."""
    real = processes._hear
    armed, acted = threading.Event(), threading.Event()

    class Watched:
        """Passes messages on, and acts on one of them."""

        def __init__(self, heard: Any) -> None:
            self._heard = heard

        def put(self, said: tuple[object, Any]) -> None:
            _, message, last, _ = said[1] or (0, None, True, None)
            second = not last and message[0] == "try" and str(message[1]).startswith("2.0 ")
            if second and armed.is_set() and not acted.is_set():
                acted.set()
                assert supervisor.pid is not None
                act(supervisor.pid)
            self._heard.put(said)

    def hear(stdout: Any, child: Any) -> None:
        child().heard = Watched(child().heard)
        real(stdout, child)

    monkeypatch.setattr(processes, "_hear", hear)
    supervisor._pool._end(supervisor._pool._slots[0])  # the next one is watched
    supervisor.answer(sphere, QUICK, 60.0)
    armed.set()
    return acted


def test_a_file_is_answered_and_a_missing_one_is_a_sentence(supervisor: Supervisor, sphere: str) -> None:
    found = supervisor.answer(sphere, QUICK, 60.0)
    assert {fit["model"] for fit in found.rows[0]["fits"]} == {"sphere", "vesicle"}
    pid = supervisor.pid
    gone = supervisor.answer("/nowhere/at-all.dat", QUICK, 60.0)
    assert "/nowhere/at-all.dat" in gone.rows[0]["error"]
    assert gone.rows[0]["fits"] == []
    assert supervisor.pid == pid


def test_a_process_killed_in_a_fit_costs_no_candidate(
    supervisor: Supervisor, sphere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    acted = _when_fitting(supervisor, monkeypatch, sphere, lambda pid: os.kill(pid, signal.SIGKILL))
    found = supervisor.answer(sphere, QUICK, 60.0)
    assert acted.is_set()
    (row,) = found.rows
    assert {fit["model"] for fit in row["fits"]} == {"sphere", "vesicle"}
    assert row["error"] == ""
    assert not any("killed" in note for note in row["notes"])
    assert not found.late


def test_a_candidate_that_kills_its_process_each_time_leaves_the_row_unanswered(
    sphere: str, tmp_path: Path
) -> None:
    plugin = tmp_path / "deadly.py"
    plugin.write_text(
        'import os\nname = "deadly"\ntitle = "t"\ndescription = "d"\ncategory = "c"\n'
        'parameters = [["radius", "Ang", 50.0, [0, 1e3], "volume", ""]]\n'
        "def Iq(q, radius):\n    os._exit(9)\nIq.vectorized = True\n"
    )
    models = ("sphere", str(plugin))
    options = Options(FitOptions(models=models, structure_factor="none", fixed={"radius_pd": 0.0}))
    with Supervisor() as supervisor:
        (row,) = supervisor.answer(sphere, options, 60.0).rows
    assert [fit["model"] for fit in row["fits"]] == ["sphere"]
    assert "incomplete without" in row["error"]
    assert "deadly" in row["error"]
    assert any("was killed" in note for note in row["notes"])


def test_what_hangs_is_ended_and_what_was_found_is_kept(
    supervisor: Supervisor, sphere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE", 1.0)
    monkeypatch.setattr(worker, "PATIENCE", 1.0)
    acted = _when_fitting(supervisor, monkeypatch, sphere, lambda pid: os.kill(pid, signal.SIGSTOP))
    found = supervisor.answer(sphere, QUICK, 4.0)
    assert acted.is_set()
    (row,) = found.rows
    assert len(row["fits"]) == 1
    (other,) = {"sphere", "vesicle"} - {row["fits"][0]["model"]}
    assert any("time limit" in note and note.endswith(f": {other}.") for note in row["notes"])
    assert found.late
    assert row["stopped_by_clock"]


def test_a_process_is_replaced_after_some_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "FILES_A_PROCESS", 2)
    pids = []
    with Supervisor() as supervisor:
        for _ in range(3):
            supervisor.answer(str(tmp_path / "none.dat"), QUICK, 60.0)
            pids.append(supervisor.pid)
    assert pids[0] == pids[1] != pids[2]


def test_a_process_ends_with_its_parent(environment: dict[str, str]) -> None:
    import subprocess
    import sys

    code = (
        "import os, sys, threading, time\n"
        "from sasnet_plugin.batch.run import Supervisor\n"
        "from sasnet_plugin.batch.plan import Options\n"
        "a = Supervisor()\n"
        "threading.Thread(target=a.answer, args=('/dev/null', Options(), 60.0), daemon=True).start()\n"
        "while a.pid is None:\n    time.sleep(0.01)\n"
        "print(a.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    child = Path(f"/proc/{int(done.stdout)}/stat")
    deadline = time.monotonic() + 60
    while child.exists() and child.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.05)
