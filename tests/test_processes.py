"""Processes of sasnet: what they import, what they print, and that none outlives whoever wanted it."""

from __future__ import annotations

import gc
import os
import queue
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sasnet_plugin.workers.child import Child, delay_interrupt

HERE = "test_processes"
PATIENCE = 60.0


def echo(receive: Callable[[], Any], say: Callable[[Any], None]) -> None:
    """Say each message again; a text is looked up as a module first."""
    while True:
        message = receive()
        print("this must not come between the messages")
        say(__import__(message).__file__ if isinstance(message, str) else message)


def begin() -> Callable[[Any, Any], Any]:
    """A process of a pool that says its jobs again."""
    return lambda job, _: job


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
        "import os, queue\nfrom sasnet_plugin.workers.child import Child\nheard = queue.Queue()\n"
        f"child = Child('{HERE}:hang', heard)\nprint(heard.get()[1], flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    path = os.pathsep.join(map(str, (repository, repository / "tests")))
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert _gone(int(done.stdout))


def test_a_fork_leaves_the_processes_of_its_parent_alone(repository: Path) -> None:
    code = (
        "import os, sys\nfrom sasnet_plugin.workers.pool import Pool\n"
        f"def begin():\n    pool = Pool('{HERE}:begin')\n    pool.start()\n    return pool\n"
        "kept = begin()\n(pid,) = kept.pids\nkept.close(keep=True)\n"
        "if not (fork := os.fork()):\n    sys.exit(begin().pids == [pid])\n"
        "print(os.waitpid(fork, 0)[1], pid, end=' ')\npool = begin()\nprint(pool.pids == [pid], end=' ')\n"
        "pool.ask(7)\nprint(pool.hear(60)[0].message)\npool.close(keep=True)\n"
    )
    path = os.pathsep.join(map(str, (repository, repository / "tests")))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env=os.environ | {"PYTHONPATH": path},
        capture_output=True, text=True,
    )  # fmt: skip
    status, pid, *answers = done.stdout.split()
    assert (status, answers) == ("0", ["True", "7"]), done.stderr
    assert _gone(int(pid)), "what is kept ends with the parent"


#: A module beside the data that tells when it is imported.
POISON = "import os\nopen(os.path.join(os.path.dirname(__file__), 'imported'), 'a').write(__name__ + ' ')\n"


@pytest.mark.parametrize("found", ["by the path", "with an empty part of the path"])
def test_no_process_imports_what_lies_beside_the_data(found: str, tmp_path: Path, repository: Path) -> None:
    for name in ("multiprocessing", "numpy", "pickle", "sasnet_plugin", "subprocess"):
        (tmp_path / f"{name}.py").write_text(POISON)
    code = (
        "import os, queue, sys\nsys.path.remove('')\nfrom sasnet_plugin.workers.spread import map_unordered\n"
        "from sasnet_plugin.workers.child import Child\n"
        f"os.chdir({str(tmp_path)!r})\nsys.path.append(os.getcwd())\n"
        "heard = queue.Queue()\nchild = Child('test_processes:echo', heard, quiet=True)\n"
        "child.send('json')\nsaid = heard.get()[1]\nchild.end()\n"
        "print(sorted(map_unordered(str, [1, 2], workers=2)), said, os.environ.get('PYTHONSAFEPATH'))\n"
    )
    path = [str(repository), str(repository / "tests"), *([""] if "empty" in found else [])]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository,
        env=environment | {"PYTHONPATH": os.pathsep.join(path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.startswith("['1', '2'] "), done.stderr
    assert done.stdout.endswith("json/__init__.py None\n"), "the caller's own variables are as they were"
    assert not (tmp_path / "imported").exists()


def test_the_command_takes_the_current_folder_off_its_path(tmp_path: Path, repository: Path) -> None:
    for name in ("numpy", "typer", "random"):
        (tmp_path / f"{name}.py").write_text(POISON)
    environment = os.environ | {"PYTHONPATH": str(repository)}
    command = [sys.executable, "-m", "sasnet_plugin", "--version"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "imported").exists()


def test_every_python_is_started_with_a_safe_path(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sasnet_plugin.integrations.sasview.install import record
    from sasnet_plugin.workers.child import safe_environment

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", ".", "/elsewhere"]))
    monkeypatch.chdir("/")
    assert record()["command"][1:3] == ["-P", "-m"]
    assert record()["environment"] == {"SASNET_SURFACE": "page", "PYTHONPATH": "/elsewhere"}
    assert safe_environment() == {"PYTHONSAFEPATH": "1", "PYTHONPATH": "/elsewhere"}
    for path in (repository / "sasnet_plugin").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for start in ("sys.executable, ", "str(candidate), "):
            assert all(rest.startswith(('"-P"', '"-I"')) for rest in text.split(f"[{start}")[1:]), path
        assert not re.search(r"get_context|ProcessPool|multiprocessing\.(Pool|Process)\b", text), path


def test_ctrl_c_in_a_protected_block_is_heard_at_its_end() -> None:
    done = []

    def protected() -> None:
        with delay_interrupt():
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        protected()
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
