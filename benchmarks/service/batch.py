"""Does a batch of a thousand files survive two kills with one row a file, and does its memory stay flat?

``python -m benchmarks service/batch --work W`` simulates files as the realistic protocol measures them, lets
``sasnet batch`` fit them with two workers, kills it with all its processes when a third and when two thirds
are answered, gives the same command again, and looks at what is there at the end. What was measured is kept
in ``W``; ``--write`` puts the table and the figure of memory beside this file.
"""

from __future__ import annotations

import csv
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..asked import parser_of
from ..fitting.task import problem
from ..tables import markdown

PAGE = os.sysconf("SC_PAGE_SIZE")
EVERY = 1.0  # seconds between two looks at the memory
KILLS = (1 / 3, 2 / 3)


def simulate(folder: Path, count: int, seed: int) -> None:
    """Write the files that are not there yet: q, I, dI and the resolution, as an instrument would."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        path = folder / f"problem-{index:05d}.dat"
        if path.exists():
            continue
        given = problem(index, seed, exact=False)
        columns, names = [given.curve.q, given.curve.intensity, given.dintensity], "q I dI"
        if given.curve.dq is not None:
            columns, names = [*columns, given.curve.dq], "q I dI dQ"
        aside = path.with_suffix(".part")
        np.savetxt(aside, np.column_stack(columns), header=names)
        aside.replace(path)


def memory(root: int) -> tuple[float, list[float]]:
    """Resident memory of a process and of each process below it, MB."""
    parents: dict[int, int] = {}
    resident: dict[int, float] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            parents[int(entry)], resident[int(entry)] = int(fields[1]), int(fields[21]) * PAGE / 1e6
    below = []
    for pid in parents:
        at = pid
        while at in parents and at != root:
            at = parents[at]
        if at == root and pid != root:
            below.append(resident[pid])
    return resident.get(root, 0.0), below


def answered(journal: Path) -> int:
    """Files that the journal holds an answer about."""
    if not journal.exists():
        return 0
    with journal.open("rb") as file:
        return len(
            {line.partition(b",")[0] for line in file if line.startswith(b'{"file"') and line.endswith(b"\n")}
        )


def watch(command: Sequence[str], journal: Path, until: int | None, log: Path, run: int) -> float:
    """Run the batch until it ends, or kill it when so many files are answered; seconds that it took."""
    began = time.monotonic()
    process = subprocess.Popen(command, start_new_session=True)
    with log.open("a", encoding="utf-8") as samples:
        while process.poll() is None:
            done = answered(journal)
            if until is not None and done >= until:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                break
            main, workers = memory(process.pid)
            sample = {
                "run": run,
                "seconds": time.monotonic() - began,
                "done": done,
                "main": main,
                "workers": workers,
            }
            samples.write(json.dumps(sample) + "\n")
            samples.flush()
            time.sleep(EVERY)
    return time.monotonic() - began


def check(out: Path, files: Sequence[Path]) -> dict[str, Any]:
    """Count the rows of both results files; one a file is what is promised."""
    import h5py

    names = Counter(str(path.resolve()) for path in files)
    with h5py.File(out) as file:
        rows = file["datasets"][:]
        seconds = file["fits"]["seconds"]
    with out.with_suffix(".csv").open(encoding="utf-8", newline="") as text:
        table = Counter(row["file"] for row in csv.DictReader(text))
    return {
        "files": len(names),
        "rows": len(rows),
        "exactly_one": Counter(name.decode() for name in rows["file"]) == names and table == names,
        "without": int(np.sum(rows["error"] != b"")),
        "verified": int(np.sum(rows["verified"])),
        "cpu": float(np.sum(seconds)),
    }


def flatness(samples: list[dict[str, Any]]) -> list[list[str]]:
    """Memory early and late in each run: medians of its second and of its last quarter, and the largest."""
    lines = []
    for run in sorted({s["run"] for s in samples}):
        own = [s for s in samples if s["run"] == run]
        # Not the seconds in which workers start or have ended.
        full = max(len(s["workers"]) for s in own)
        own = [s for s in own if len(s["workers"]) == full]
        quarter = max(len(own) // 4, 1)
        for name, value in (
            ("main process", lambda s: s["main"]),
            ("workers, sum", lambda s: sum(s["workers"])),
        ):
            found = [value(s) for s in own]
            early, late = np.median(found[quarter : 2 * quarter] or found), np.median(found[-quarter:])
            lines.append([str(run + 1), name, f"{early:.0f}", f"{late:.0f}", f"{max(found):.0f}"])
    return lines


def draw(samples: list[dict[str, Any]], path: Path) -> None:
    """Memory against files answered, a line where the batch was killed."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    # A thousand points are as good as all.
    thin = samples[:: max(len(samples) // 1000, 1)]
    for run in sorted({s["run"] for s in thin}):
        own = [s for s in thin if s["run"] == run]
        done = [s["done"] for s in own]
        label = {"main process": "C0", "workers, sum": "C1"} if run == 0 else {}
        axes.plot(done, [s["main"] for s in own], color="C0", lw=1, label="main process" if label else None)
        axes.plot(
            done, [sum(s["workers"]) for s in own], color="C1", lw=1, label="workers, sum" if label else None
        )
        if run:
            axes.axvline(done[0], color="0.6", lw=0.8, ls=":")
    axes.set(xlabel="files answered (dotted: killed)", ylabel="resident memory / MB", ylim=(0, None))
    axes.legend(frameon=False)
    with matplotlib.rc_context({"svg.hashsalt": "sasnet"}):
        figure.savefig(path, metadata={"Date": None})


def main() -> int:
    """Simulate, run, kill, resume, check; print the table, and write it if asked to."""
    parser = parser_of(__doc__, work=True, count=1000, seed=2026, workers=2)
    parser.add_argument("--options", default="", help="Further options of sasnet batch, in quotes.")
    given = parser.parse_args()
    data, out, log = given.work / "data", given.work / "results.h5", given.work / "memory.jsonl"
    simulate(data, given.count, given.seed)
    files = sorted(data.glob("*.dat"))[: given.count]
    journal = out.with_name(out.name + ".journal")
    command = [sys.executable, "-m", "sasnet_plugin", "batch", str(data / "*.dat"), "--out", str(out)]
    command += ["--workers", str(given.workers), *shlex.split(given.options)]
    times = given.work / "runs.json"
    seconds = json.loads(times.read_text()) if times.exists() else []
    for run, share in list(enumerate((*KILLS, None)))[len(seconds) :]:
        until = None if share is None else max(round(share * given.count), 1)
        seconds.append(watch(command, journal, until, log, run))
        times.write_text(json.dumps(seconds))
    samples = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    found = check(out, files)
    report = markdown(
        [
            "files",
            "kills",
            "rows",
            "one row a file",
            "without an answer",
            "verified",
            "hours",
            "files an hour",
        ],
        [
            [
                str(found["files"]),
                str(len(KILLS)),
                str(found["rows"]),
                "yes" if found["exactly_one"] else "NO",
                str(found["without"]),
                str(found["verified"]),
                f"{sum(seconds) / 3600:.2f}",
                f"{3600 * found['files'] / sum(seconds):.0f}",
            ]
        ],
    )
    options = f"`{given.options}`" if given.options else "none"
    report += f"\nOptions beside two workers: {options}.\n"
    report += "\nResident memory, MB: medians of the second and the last quarter of each run, largest:\n\n"
    report += markdown(["run", "of", "second quarter", "last quarter", "largest"], flatness(samples))
    print(report)
    if given.write:
        here = Path(__file__)
        draw(samples, here.with_suffix(".svg"))
        text = f"# Batch\n\n{report}\n![Memory against files answered](batch.svg)\n"
        here.with_suffix(".md").write_text(text, encoding="utf-8")
    return 0 if found["exactly_one"] else 1
