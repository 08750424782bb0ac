"""One map(): the same results wherever it runs, and one sentence where it cannot."""

from __future__ import annotations

import concurrent.futures.thread
import contextlib
import gc
import json
import os
import queue
import sys
import threading
from collections import deque
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tinyzoo import FORMS, manifest_entries, write_zoo
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.report import evaluation
from sasnet_plugin.simulate.curve_simulator import SIMULATOR
from sasnet_plugin.simulate.dataset import Request, plan
from sasnet_plugin.types import SasnetError, SimulationError, TechnicalError
from sasnet_plugin.workers import child, pool, spread
from sasnet_plugin.workers.spread import map_unordered

_busy = threading.Lock()


def alone(item: int) -> int:
    """Square a number, and see that no other thread of this process does it at the same time."""
    if not _busy.acquire(blocking=False):
        raise RuntimeError("two at a time")
    threading.Event().wait(0.05)
    _busy.release()
    return item**2


def fail(item: int, error: Exception) -> int:
    """Square an even number."""
    if item % 2:
        raise error
    return item**2


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Address of a Dask cluster of one process with two threads."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=True,
        protocol="tcp",
        dashboard_address=":0",
        silence_logs=50,
    ) as cluster:
        yield cluster.scheduler_address


def _simulated(out: Path, *where: str) -> dict[str, bytes]:
    done = CliRunner().invoke(
        app,
        ["simulate", "--out", str(out), "--models", "sphere,core_shell_sphere,hardsphere", "--rounds", "2",
         "--limit", "4", *where],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_shards_have_the_same_bytes_wherever_they_are_made(scheduler: str, tmp_path: Path) -> None:
    here = _simulated(tmp_path / "here")
    assert sum(name.endswith(".h5") for name in here) == 6
    assert _simulated(tmp_path / "there", "--scheduler", scheduler) == here


def test_a_network_has_the_same_figures_wherever_it_is_evaluated(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = manifest_entries()["heads"]
    heads["form"]["labels"] = sorted(FORMS)
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(write_zoo(tmp_path / "zoo", heads=heads)))
    monkeypatch.setattr(evaluation, "_FEWEST", 3)
    monkeypatch.setattr(evaluation, "_TOGETHER", 9)
    test, request = tmp_path / "test", Request(rounds=1, seed=9, models=(*FORMS, "hardsphere"), limit=3)
    deque(plan(SIMULATOR, test, request).run(), maxlen=0)
    found = []
    for where in ((), ("--workers", "2"), ("--scheduler", scheduler)):
        asked = ["evaluate", "--test", str(test), "--per-model", "3", "--json", *where]
        done = CliRunner().invoke(app, asked)
        assert done.exit_code == 0, done.output
        found.append(json.loads(done.stdout))
    assert found[0]["all"]["count"] == 3 * len(FORMS)
    assert found[0] == found[1] == found[2]


def test_a_process_of_a_cluster_does_one_thing_at_a_time(scheduler: str) -> None:
    assert sorted(map_unordered(alone, range(6), workers=scheduler)) == [k**2 for k in range(6)]


def test_what_fails_on_a_cluster_is_an_error_or_a_result_of_its_own(scheduler: str) -> None:
    with pytest.raises(SimulationError, match=r"1: the worker failed \(OSError: no room\); see its log"):
        list(map_unordered(partial(fail, error=OSError("no room")), [1], workers=scheduler))
    with pytest.raises(SasnetError, match="^as it is$"):
        list(map_unordered(partial(fail, error=SasnetError("as it is")), [1], workers=scheduler))
    found = map_unordered(
        partial(fail, error=ValueError()), range(4), workers=scheduler, failed=lambda item, reason: -item
    )
    assert sorted(found) == [-3, -1, 0, 4]


def test_no_more_is_taken_than_is_needed_and_closing_ends_the_rest() -> None:
    taken = []

    def items() -> Iterator[int]:
        for k in range(100):
            taken.append(k)
            yield k

    found = map_unordered(str, items(), workers=2)
    assert int(next(found)) < 4
    assert len(taken) < 10
    found.close()  # type: ignore[attr-defined]


class ThreadChild:
    """Does what a `Child` does, in a thread: at each line of the pool one is started."""

    pid, alive = 0, True

    def __init__(self, target: str, heard: Any, **how: Any) -> None:
        messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.send, self.end = messages.put, lambda: messages.put(None)

        def receive() -> Any:
            if (message := messages.get()) is None:
                raise SystemExit
            return message

        def run() -> None:
            with contextlib.suppress(SystemExit):
                child.function_of(target)(receive, lambda message: heard.put((self, message)))

        threading.Thread(target=run, daemon=True).start()


def test_ctrl_c_at_whatever_line_leaves_nothing_that_python_would_wait_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "Child", ThreadChild)

    def interrupted(at: int) -> bool:
        left = [at]

        def trace(frame: Any, event: str, _: Any) -> Any:
            if frame.f_code.co_filename not in watched:
                return None
            left[0] -= event == "line"
            if left[0] < 0:
                sys.settrace(None)
                raise KeyboardInterrupt
            return trace

        found = map_unordered(str, range(3), workers=2)
        sys.settrace(trace)
        try:
            list(found)
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(None)
        return False

    # Of the standard library its pools alone: nobody can make `threading` safe.
    watched = {
        module.__file__
        for module in (spread, pool, child, concurrent.futures.thread, concurrent.futures._base)
    }
    before = set(threading.enumerate())
    line = 0
    gc.disable()  # what it calls is not interrupted
    try:
        while interrupted(line):
            line += 1
    finally:
        gc.enable()
    assert line > 20
    waited_for = [one for one in threading.enumerate() if not one.daemon and one not in before]
    for thread in waited_for:
        thread.join(timeout=5.0)
        assert not thread.is_alive()


def double(item: int) -> int:
    """Twice an even number; others are errors, of which some cannot be sent."""
    if item == 1:
        raise TechnicalError("sphere", "no room")
    if item == 3:
        raise ImportError("x", name=threading.Lock())  # type: ignore[arg-type]
    if item == 5:
        os._exit(3)
    return 2 * item


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ((0, 2, 4, 6), ""),
        ((0, 1), r"^sphere: no room\.$"),
        ((0, 3), r"^a worker failed \(ImportError: x\)\.$"),
        ((0, 5), "a worker process was killed"),
    ],
)
def test_processes_answer_fail_or_are_lost(items: tuple[int, ...], words: str) -> None:
    found = map_unordered(double, items, workers=2)
    if not words:
        assert sorted(found) == [0, 4, 8, 12]
        return
    with pytest.raises(SasnetError, match=words):
        list(found)


def test_a_cluster_that_is_not_there_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sasnet_plugin.workers.spread._PATIENCE", "1s")
    where = ["--models", "sphere", "--limit", "1", "--scheduler", "tcp://127.0.0.1:9"]
    done = CliRunner().invoke(app, ["simulate", "--out", str(tmp_path / "x"), *where])
    assert done.exit_code == 1
    assert "no Dask scheduler answers" in done.stderr
    assert "Traceback" not in done.stderr
