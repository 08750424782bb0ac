"""Processes of sasnet: what they import, what they print, and that none outlives whoever wanted it."""

from __future__ import annotations

import gc
import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sasnet_plugin.processes import Child

HERE = "test_processes"
PATIENCE = 60.0


def echo(receive: Callable[[], Any], say: Callable[[Any], None]) -> None:
    """Say each message again; a text is looked up as a module first."""
    while True:
        message = receive()
        print("this must not come between the messages")
        say(__import__(message).__file__ if isinstance(message, str) else message)


def hang(receive: Callable[[], Any], say: Callable[[Any], None]) -> None:
    """Be up, and never come to an end."""
    say(os.getpid())
    while True:
        time.sleep(0.1)


@pytest.fixture
def heard() -> queue.Queue[Any]:
    return queue.Queue()


def _gone(pid: int) -> bool:
    deadline = time.monotonic() + PATIENCE
    stat = Path(f"/proc/{pid}/stat")
    while time.monotonic() < deadline:
        try:
            if stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


def test_messages_come_back_whatever_the_process_prints(heard: queue.Queue[Any]) -> None:
    child = Child(f"{HERE}:echo", heard, quiet=True)
    for message in (1, {"large": b"x" * 1_000_000}):
        child.send(message)
        assert heard.get(timeout=PATIENCE) == (child, message)
    child.end()
    assert heard.get(timeout=PATIENCE) == (child, None)
    assert not child.alive
    child.send("lost, and no error")


def test_files_of_the_current_folder_are_not_imported(
    heard: queue.Queue[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "random.py").write_text("raise SystemExit('not mine')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    child = Child(f"{HERE}:echo", heard, quiet=True)
    child.send("random")
    assert not heard.get(timeout=PATIENCE)[1].startswith(str(tmp_path))
    child.end()


def test_a_child_that_nobody_holds_ends(heard: queue.Queue[Any]) -> None:
    child = Child(f"{HERE}:hang", heard)
    pid = heard.get(timeout=PATIENCE)[1]
    assert pid == child.pid
    del child
    gc.collect()
    assert _gone(pid)


def test_a_child_ends_with_its_parent(repository: Path) -> None:
    code = (
        "import os, queue\nfrom sasnet_plugin.processes import Child\nheard = queue.Queue()\n"
        f"child = Child('{HERE}:hang', heard)\nprint(heard.get()[1], flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    path = os.pathsep.join(map(str, (repository, repository / "tests")))
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert _gone(int(done.stdout))
