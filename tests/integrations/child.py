"""`sasnet serve` as its caller sees it: a process, lines in, events out, and whatever it starts."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from sasnet_plugin.simulate.grid import WIDE_Q, pinhole_matrix
from sasnet_plugin.simulate.kernel import call

REPOSITORY = Path(__file__).parents[2]
#: Seconds after which something that was to happen never will.
PATIENCE = 120.0

#: A model that nobody can wait for.
SLEEPY = """
import time
name = "sleepy"
title = description = "a sphere that takes its time"
category = "shape:sphere"
parameters = [["radius", "Ang", 50.0, [0, 1e4], "volume", ""]]

def Iq(q, radius):
    time.sleep(1.0)
    return (1 + (q * radius) ** 2) ** -2
Iq.vectorized = True
"""

Event = dict[str, Any]


class Child:
    """The process with its pipes; leaving ends it.

    Parameters
    ----------
    workers : int
        Processes that fit.
    home : Path
        Its folder for temporary files.
    """

    def __init__(self, workers: int, home: Path) -> None:
        path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sasnet_plugin", "serve", "--workers", str(workers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path, "TMPDIR": str(home)},
        )
        self._heard: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        self.process.stdin.close()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stdout:
            for line in stdout:
                self._heard.put(line)

    def line(self, line: bytes) -> None:
        """Send a line as it is."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def send(self, **request: Any) -> None:
        """Send a request."""
        self.line(json.dumps(request).encode())

    def hear(self) -> Event:
        """The next event."""

        def none(name: str) -> None:
            raise AssertionError(f"{name} is no JSON")

        found = json.loads(self._heard.get(timeout=PATIENCE).decode("utf-8"), parse_constant=none)
        assert isinstance(found, dict)
        return found

    def ask(self, **request: Any) -> Event:
        """Send a request, and its last event; nothing else is said meanwhile but its progress."""
        self.send(**request)
        while (event := self.hear())["event"] == "progress":
            assert event["id"] == request["id"]
        assert event["id"] == request["id"], event
        return event

    def family(self) -> set[int]:
        """Its own number and those of all that it started, without those that only wait to be buried."""
        return {self.process.pid} | descendants(self.process.pid)

    def fitting(self) -> set[int]:
        """The processes that fit."""
        return {pid for pid in descendants(self.process.pid) if "workers.pool:" in _command(pid)}


def descendants(pid: int) -> set[int]:
    """Numbers of the living children of a process, of theirs, and so on."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if state != "Z":
                parents[int(entry.name)] = int(parent)
    found: set[int] = set()
    new = {pid}
    while new := {child for child, parent in parents.items() if parent in new} - found:
        found |= new
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that still run."""
    left = set()
    for pid in pids:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                left.add(pid)
        except OSError:
            continue
    return left


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


def columns(radius: float = 60.0, *, relative: float = 0.03) -> dict[str, Any]:
    """A noisy curve of a sphere as a request holds it, dq = `relative` q."""
    q = np.geomspace(0.005, 0.35, 130)
    exact = call("sphere", WIDE_Q, {"radius": radius, "sld": 4.0, "sld_solvent": 1.0}).intensity
    smeared = pinhole_matrix(q, relative * q) @ exact
    smeared = smeared + 1e-4 * smeared.max()
    sigma = 0.01 * smeared
    intensity = smeared + sigma * np.random.default_rng(1).standard_normal(q.size)
    return {
        "name": "sphere.dat",
        "q": q.tolist(),
        "intensity": intensity.tolist(),
        "dintensity": sigma.tolist(),
        "dq": (relative * q).tolist(),
        "dxl": None,
        "dxw": None,
    }
