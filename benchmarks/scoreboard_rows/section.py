"""What a data set contributes to the scoreboard, and what its functions are given."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple


class Row(NamedTuple):
    """One figure of a data set."""

    task: str  #: What is counted.
    published: str  #: The peer's published figure.
    peer: str  #: The peer's figure on the same files, where it was run.
    ours: str
    seconds: float | None = None  #: CPU-seconds a curve, of sasnet.


@dataclass(frozen=True)
class Section:
    """All figures of one data set."""

    rows: Sequence[Row]
    details: str = ""  #: Further tables.


@dataclass(frozen=True)
class Request:
    """What is asked of each data set."""

    data: Path  #: Folder of the clones.
    work: Path  #: Folder of the answers, from which a stopped run continues.
    quick: bool = False
    peers: str | None = None  #: Interpreter that has pyirena, freesas and McSAS3.

    def checkpoint(self, name: str) -> Path:
        """The file of a data set's answers."""
        return self.work / f"{name}.jsonl"


def cpu_seconds() -> float:
    """CPU-seconds of this process and of its children: those that have ended, and on Linux those that run.

    A fit keeps its worker for the next one, and the system adds a child's time only when it has ended.
    """
    times = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    ticks = 0
    for children in Path("/proc/self/task").glob("*/children"):
        for child in children.read_text().split():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                # Behind the name, which may have spaces: utime and stime are the fields 14 and 15 of all.
                fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
    return sum(one.ru_utime + one.ru_stime for one in times) + ticks / os.sysconf("SC_CLK_TCK")


def ask_peer(python: str, program: str, problem: Any) -> Any:
    """Return what a program for another interpreter prints as JSON; it reads the problem as JSON.

    Raises
    ------
    OSError
        It failed, as where the other interpreter lacks a package.
    """
    done = subprocess.run(
        [python, "-c", program], input=json.dumps(problem), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OSError((done.stderr.strip().splitlines() or ["no output"])[-1])
    return json.loads(done.stdout.splitlines()[-1])
