"""Kills of `batch`, of `simulate` and of a compilation at any moment, for `robustness.py`.

Whoever is killed with all its processes and then given the same command again has the answers of a run that
nobody disturbed, one row a file, byte by byte the same shards, and leaves neither processes nor files behind.
"""

from __future__ import annotations

import csv
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from .robustness import MOST_BYTES, MOST_SECONDS, Counts, commit

REPOSITORY = Path(__file__).parents[2]
#: Columns of a batch's CSV that may differ from run to run.
_TIMES = ("seconds",)
#: Computes the intensity of a sphere; exits 0 if it is the textbook's.
_SPHERE = """
import sys
import numpy as np
from sasnet_plugin.simulate.kernel import call
x = 0.1 * 50
exact = 1e-4 * 4 / 3 * np.pi * 50**3 * (5 * 3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
found = call("sphere", np.array([0.1]), {"radius": 50.0, "sld": 6.0, "sld_solvent": 1.0}).intensity[0]
sys.exit(0 if abs(found / exact - 1) < 1e-9 else 3)
"""


def environment(home: Path, **more: str) -> dict[str, str]:
    """Of a process whose home, and with it the cache of compiled models, is this folder."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if k not in ("SAS_DLL_PATH", "CC")}
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
    return kept | {"HOME": str(home), "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"} | more


class Run:
    """A command that leads a group of its own, so that it can be killed with all that it has started.

    Parameters
    ----------
    command : sequence of str
        Arguments of a Python.
    given : dict of str
        Its environment.
    folder : Path
        In which it runs.
    """

    def __init__(self, command: Sequence[str], given: dict[str, str], folder: Path) -> None:
        self._said = [tempfile.TemporaryFile("w+", errors="surrogateescape") for _ in "12"]  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, *command], env=given, cwd=folder, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=self._said[0], stderr=self._said[1],
        )  # fmt: skip
        self.group = self._process.pid
        self.out = self.error = ""
        self.code: int | None = None
        #: Bytes of the largest of the command and its processes, once it has ended.
        self.peak = 0

    def ended(self, seconds: float) -> bool:
        """Whether it ends within that time."""
        deadline = time.monotonic() + seconds
        while self.code is None and time.monotonic() < deadline:
            pid, status, used = os.wait4(self.group, os.WNOHANG)
            if pid:
                self.peak = 1024 * used.ru_maxrss
                self.code = self._process.returncode = os.waitstatus_to_exitcode(status)
                self.out, self.error = map(_whole, self._said)
            else:
                time.sleep(0.01)
        return self.code is not None

    def wrong(self, seconds: float) -> str | None:
        """What is wrong with a command that is to end well within that time; None if nothing is."""
        if not self.ended(seconds):
            os.killpg(self.group, signal.SIGKILL)
            self.ended(MOST_SECONDS)
            return f"hangs for {seconds:.0f} s"
        if self.code or "Traceback" in self.error:
            return f"exit code {self.code}: {self.error[-300:]}"
        return f"took {self.peak / 2**20:.0f} MiB" if self.peak > MOST_BYTES else None

    def kill(self) -> None:
        """As the system does it: the command at once; its processes have to see that they are alone."""
        os.kill(self.group, signal.SIGKILL)
        self.ended(MOST_SECONDS)


def _whole(stream: IO[str]) -> str:
    with stream:
        stream.seek(0)
        return stream.read()


def left_alone(group: int, seconds: float = 15.0) -> bool:
    """Whether processes of a group outlive it by that long; they are ended then."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    os.killpg(group, signal.SIGKILL)
    return True


def curves(folder: Path, count: int) -> list[Path]:
    """Files of spheres with 2 % noise."""
    from sasnet_plugin.simulate.kernel import call

    folder.mkdir(parents=True, exist_ok=True)
    q = np.geomspace(0.006, 0.2, 60)
    paths = []
    for k in range(count):
        path = folder / f"run{k}.dat"
        exact = call("sphere", q, {"radius": 40.0 + k, "radius_pd": 0.15, "radius_pd_n": 35}).intensity + 0.1
        noisy = exact + 0.02 * exact * np.random.default_rng(k).standard_normal(q.size)
        np.savetxt(path, np.column_stack([q, noisy, 0.02 * exact]), header="q I dI")
        paths.append(path)
    return paths


def rows_of(table: Path) -> list[dict[str, str]]:
    """Rows of a batch's CSV without what may differ."""
    with table.open(encoding="utf-8", newline="") as text:
        return [{k: v for k, v in row.items() if k not in _TIMES} for row in csv.DictReader(text)]


def _undisturbed(command: Sequence[str], home: Path, folder: Path) -> float:
    """Run a command to its end, unless this commit has done so before; seconds."""
    took = folder / "seconds"
    if not took.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        began = time.monotonic()
        if wrong := Run(command, environment(home), folder).wrong(600.0):
            raise RuntimeError(f"undisturbed: {wrong}")
        took.write_text(str(time.monotonic() - began))
    return float(took.read_text())


def _killed_and_resumed(
    command: Sequence[str], home: Path, folder: Path, moment: float, limit: float, inside: str = ""
) -> str | None:
    """Kill a command after some seconds, since a file of that pattern is there if so; what is then wrong."""
    first = Run(command, environment(home), folder)
    while inside and not first.ended(0.01) and not any(folder.rglob(inside)):
        pass
    if not first.ended(moment):
        first.kill()
    if left_alone(first.group):
        return "processes outlived it"
    if wrong := Run(command, environment(home), folder).wrong(limit):
        return f"afterwards: {wrong}"
    return "half-written files are left" if any(folder.rglob("*.sasnet-tmp*")) else None


def batch(work: Path, tried: int, seed: int) -> Counts:
    """Kill `sasnet batch` of six files, give the command again, and compare with a run left in peace."""
    rng, counts, home = random.Random(seed), Counts(), work / "home"
    files = [str(path) for path in curves(work / "data", 6)]
    tail = ["--workers", "2", "--models", "sphere", "--structure-factor", "none"]

    def command(out: Path) -> list[str]:
        return ["-m", "sasnet_plugin", "batch", *files, "--out", str(out / "r.h5"), *tail]

    peace = work / f"peace-{commit()}"
    seconds = _undisturbed(command(peace), home, peace)
    expected = rows_of(peace / "r.csv")
    for k in range(tried):
        folder = work / f"try-{seed}-{k}"
        shutil.rmtree(folder, ignore_errors=True)  # of a benchmark that was stopped
        folder.mkdir()
        moment = rng.uniform(0.0, seconds)
        limit = 3 * seconds + MOST_SECONDS
        wrong = _killed_and_resumed(command(folder), home, folder, moment, limit)
        if wrong is None and rows_of(folder / "r.csv") != expected:
            wrong = "rows differ from those of a run left in peace"
        counts.add(wrong and f"killed after {moment:.2f} s: {wrong}")
        shutil.rmtree(folder)
    return counts


def simulate(work: Path, tried: int, seed: int) -> Counts:
    """Kill `sasnet simulate` while shards are made, give the command again, and compare their bytes."""
    rng, counts, home = random.Random(seed), Counts(), work / "home"

    def command(out: Path) -> list[str]:
        tail = ["--rounds", "2", "--seed", "7", "--scale", "0.2", "--models", "sphere,lamellar"]
        return ["-m", "sasnet_plugin", "simulate", "--out", str(out / "data"), "--workers", "2", *tail]

    def bytes_of(folder: Path) -> dict[str, str]:
        found = sorted((folder / "data").glob("*.h5"))
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}

    peace = work / f"peace-{commit()}"
    seconds = _undisturbed(command(peace), home, peace)
    expected = bytes_of(peace)
    for k in range(tried):
        folder = work / f"try-{seed}-{k}"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "data").mkdir(parents=True)
        (folder / "data" / "foreign.tmp123").write_text("mine")
        moment = rng.uniform(0.0, 0.5 * seconds)
        limit = 3 * seconds + MOST_SECONDS
        # The note of the settings is there just before the first shard is begun.
        wrong = _killed_and_resumed(command(folder), home, folder, moment, limit, "settings.json")
        if wrong is None and bytes_of(folder) != expected:
            wrong = "shards differ from those of a run left in peace"
        if wrong is None and not (folder / "data" / "foreign.tmp123").exists():
            wrong = "a file of somebody else is gone"
        counts.add(wrong and f"killed {moment:.2f} s inside: {wrong}")
        shutil.rmtree(folder)
    return counts


def compilation(work: Path, tried: int, seed: int) -> Counts:
    """Kill a process and its compiler while half of a library is written; the next has to be right."""
    rng, counts = random.Random(seed), Counts()
    compiler = work / "slow-cc"
    compiler.write_text(
        "#!/bin/sh\nfor each; do case $before in -o) out=$each;; esac; before=$each; done\n"
        'printf half > $out; touch $HOME/compiling; sleep 0.2; cc "$@"; code=$?; sleep 0.2; exit $code\n'
    )
    compiler.chmod(0o755)
    for k in range(tried):
        folder = work / f"try-{seed}-{k}"
        shutil.rmtree(folder, ignore_errors=True)
        first = Run(["-c", _SPHERE], environment(folder, CC=str(compiler)), folder)
        while not first.ended(0.005) and not (folder / "compiling").exists():
            pass
        moment = rng.uniform(0.0, 1.0)
        if not first.ended(moment):
            os.killpg(first.group, signal.SIGKILL)
            first.ended(MOST_SECONDS)
        # The second and the third at once: one compiles, both are right.
        both = [Run(["-c", _SPHERE], environment(folder), folder) for _ in range(2)]
        wrong = [said for said in [run.wrong(MOST_SECONDS) for run in both] if said]
        counts.add(f"killed after {moment:.2f} s: {wrong[0]}" if wrong else None)
        shutil.rmtree(folder)
    return counts
