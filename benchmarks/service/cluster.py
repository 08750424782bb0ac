"""Have files answered on a Dask cluster whose workers are killed the rows that they have on this machine?

``python -m benchmarks service/cluster`` writes simulated files and answers them twice, here and on a
LocalCluster of four with ``--scheduler`` while its workers are killed one after the other: ``--fits`` files
by ``sasnet batch``, ``--files`` curves by ``sasnet follow``, which asks the network alone. The tables are
compared row by row but for the seconds. Rows of a batch of which the clock has ended the search, here or
there, say so (``limit_met``); these depend on the machine, and are counted apart. With ``--folder`` the same
command goes on where it was ended. ``--write`` puts the table into ``benchmarks/service/cluster.md``.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..asked import parser_of
from ..tables import markdown
from .robustness_kills import environment, rows_of

#: One small model, a fraction of a second a file.
FAST = ("--models", "sphere", "--structure-factor", "none", "--fix", "radius_pd=0",
        "--time-limit", "600")  # fmt: skip
WORKERS = 4
#: Seconds without any worker: on a busy machine Dask gives up to start them again, which no facility would.
GIVEN_UP = 60.0


@dataclass(frozen=True)
class Command:
    """What answers the files."""

    name: str  #: Subcommand of sasnet.
    options: tuple[str, ...] = ()
    here: tuple[str, ...] = ()  #: Options on this machine alone.
    suffix: str = ".csv"  #: Of what it writes with --out.

    def line(self, data: Path, out: Path, *more: str) -> list[str]:
        """The command."""
        own = [self.name, str(data), "--out", str(out.with_suffix(self.suffix)), *self.options]
        return [sys.executable, "-m", "sasnet_plugin", *own, *more]

    def answered(self, out: Path) -> int:
        """Files that have their answer."""
        kept = out.with_suffix(".h5.journal") if self.suffix == ".h5" else out.with_suffix(".csv")
        mark = b'\n{"file"' if self.suffix == ".h5" else b"\n"
        return kept.read_bytes().count(mark) if kept.exists() else 0


BATCH = Command("batch", ("--quiet", *FAST), ("--workers", "2"), ".h5")
FOLLOW = Command("follow")


@dataclass(frozen=True)
class Compared:
    """Files answered here and on a cluster."""

    files: int
    different: int  #: Rows that differ, are missing or are too many, but for those that the clock has cut.
    cut: int  #: Files of which the clock on the wall has ended the search, here or there.
    kills: int  #: Workers that were killed while files were left.
    #: here, there: seconds.
    here: float
    there: float


def compared(files: int, kills: int, folder: Path, command: Command = BATCH, seed: int = 0) -> Compared:
    """The same files twice; what the folder has of an earlier run is not done again."""
    data = folder / "data"
    curves(data, files)
    (data / "letter.dat").write_text("Dear colleague, the beam was down.\n", encoding="utf-8")
    given, past = environment(folder / "home"), Past(folder / "past.json")
    if not past.here_done:
        with past.timed("here"):
            _run(command.line(data, folder / "here", *command.here), given)
            past.here_done = True
    if not past.there_done:
        with past.timed("there"):
            _on_cluster(command, data, folder / "there", kills, given, random.Random(seed), past)
            past.there_done = True
    different, cut = _different(*(rows_of(folder / f"{name}.csv") for name in ("here", "there")))
    return Compared(files, different, cut, past.killed, past.here, past.there)


@dataclass
class Past:
    """What was done so far, kept in a file."""

    path: Path
    #: here, there: seconds that both batches took, those of ended runs too.
    here: float = 0.0
    there: float = 0.0
    here_done: bool = False
    there_done: bool = False
    killed: int = 0

    def __post_init__(self) -> None:
        if self.path.exists():
            for name, value in json.loads(self.path.read_text(encoding="utf-8")).items():
                setattr(self, name, value)

    def keep(self) -> None:
        """Write it down."""
        kept = {name: value for name, value in vars(self).items() if name != "path"}
        self.path.write_text(json.dumps(kept), encoding="utf-8")

    @contextlib.contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the seconds that something takes, also where it is ended."""
        began = time.monotonic()
        try:
            yield
        finally:
            setattr(self, name, getattr(self, name) + time.monotonic() - began)
            self.keep()


def curves(folder: Path, count: int) -> None:
    """Files of equal spheres with 2 % noise."""
    from sasnet_plugin.simulate.kernel import call

    folder.mkdir(parents=True, exist_ok=True)
    q = np.geomspace(0.006, 0.2, 40)
    for k in range(count):
        exact = call("sphere", q, {"radius": 40.0 + 20.0 * k / count}).intensity + 0.1
        noisy = exact + 0.02 * exact * np.random.default_rng(k).standard_normal(q.size)
        np.savetxt(folder / f"run{k:05d}.dat", np.column_stack([q, noisy, 0.02 * exact]), header="q I dI")


def _run(command: Sequence[str], given: dict[str, str]) -> None:
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    _see_it_went_well(done.returncode, done.stderr)


def _see_it_went_well(code: int, error: str) -> None:
    if code != 1 or "Traceback" in error:  # the letter is no curve
        raise RuntimeError(f"exit code {code}: {error[-500:]}")


def _on_cluster(
    command: Command, data: Path, out: Path, kills: int, given: dict[str, str], rng: random.Random, past: Past
) -> None:
    """The command on a cluster, a worker killed after each of so many equal parts of the files."""
    from distributed import LocalCluster

    count = sum(1 for _ in data.iterdir())
    due = [count * (k + 1) // (kills + 1) for k in range(kills)]
    os.environ["PYTHONPATH"] = given["PYTHONPATH"]  # which the workers inherit
    with LocalCluster(
        n_workers=WORKERS, threads_per_worker=1, processes=True, protocol="tcp", dashboard_address=":0",
        silence_logs=50,
    ) as cluster:  # fmt: skip
        process = subprocess.Popen(
            command.line(data, out, "--scheduler", cluster.scheduler_address),
            env=given, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        seen = time.monotonic()
        while process.poll() is None:
            alive = [one.pid for one in cluster.workers.values() if one.pid]
            seen = time.monotonic() if alive else seen
            if time.monotonic() - seen > GIVEN_UP:
                cluster.scale(0)
                cluster.scale(WORKERS)
                seen = time.monotonic()
            elif alive and past.killed < len(due) and command.answered(out) >= due[past.killed]:
                os.kill(rng.choice(alive), signal.SIGKILL)
                past.killed += 1
                past.keep()
            time.sleep(0.05)
        _, error = process.communicate()
    _see_it_went_well(process.returncode, error)


def _different(here: list[dict[str, str]], there: list[dict[str, str]]) -> tuple[int, int]:
    """Rows that differ, are missing or are too many; and files that the clock has cut, which may."""
    cut = {row["file"] for row in (*here, *there) if row.get("limit_met") == "yes"}
    left = [[tuple(sorted(row.items())) for row in rows if row["file"] not in cut] for rows in (here, there)]
    one, other = map(set, left)
    return max(len(one ^ other), abs(len(left[0]) - len(left[1]))), len(cut)


def main() -> None:
    """Print the table, or write it."""
    parser = parser_of(
        __doc__,
        fits=(2000, "files that are fitted"),
        files=(2000, "curves that are classified"),
        kills=(10, "of workers, in each"),
        seed=0,
    )
    parser.add_argument("--folder", type=Path, help="keep both results here, and go on from them")
    options = parser.parse_args()
    head = ["command", "files", "workers killed", "rows that differ", "cut by the clock", "this machine / s",
            f"cluster of {WORKERS} / s", "files an hour on the cluster"]  # fmt: skip
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for command, files in ((FOLLOW, options.files), (BATCH, options.fits)):
            if not files:
                continue
            own = (options.folder or Path(folder)) / command.name
            found = compared(files, options.kills, own, command, options.seed)
            rows.append(_row(command, found))
            text = markdown(head, rows)
            print(text, flush=True)
            if options.write:
                Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


def _row(command: Command, found: Compared) -> list[str]:
    return [
        f"sasnet {command.name}", f"{found.files:,}", str(found.kills), str(found.different), str(found.cut),
        f"{found.here:.0f}", f"{found.there:.0f}", f"{3600 * found.files / found.there:,.0f}",
    ]  # fmt: skip


if __name__ == "__main__":
    main()
