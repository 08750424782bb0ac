"""Journals with a flipped bit, fits started at once in a fresh home, many files, for `robustness.py`."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from .robustness import MOST_SECONDS, Counts
from .robustness_kills import Run, curves, environment

FILES = 12
#: Notes of an answer that lacks a candidate for a reason of the machine.
_LOST = ("the fit failed", "was killed", "Tried twice")
#: Seconds for a fit; eight share the machine.
_LIMIT = 300.0
_START = (
    "-m", "sasnet_plugin", "fit", "--json", "--workers", "1", "--time-limit", f"{_LIMIT:g}", "--models",
    "sphere,ellipsoid,cylinder,core_shell_sphere,lamellar,vesicle", "--structure-factor", "none",
)  # fmt: skip


def _answer(k: int) -> dict[str, Any]:
    """What a journal keeps of a file: two fits."""
    parameter = {"value": 40.0 + k, "error": 0.5, "unit": "Ang", "fixed": False}
    fits = [
        {"model": name, "structure_factor": None, "reduced_chisq": 1.0 + k, "bic": 60.0, "weight": 0.5,
         "probability": 0.5, "seconds": 0.2, "warnings": [], "parameters": {"radius": parameter}}
        for name in ("sphere", "vesicle")
    ]  # fmt: skip
    row = {"entry": "", "notes": ["60 points."], "seconds": 1.0, "error": "", "verified": True, "fits": fits}
    return {
        "file": f"/data/run{k}.dat", "size": 2000 + k, "mtime": 10**18 + k, "options": "abc", "limit": 60.0,
        "late": False, "time": 1.8e9 + k, "version": "sasnet 0.1.0", "rows": [row],
    }  # fmt: skip


def flips(work: Path, tried: int, seed: int) -> Counts:
    """Flip one bit of a journal: all that it still says is what was written, the rest is said and redone."""
    from sasnet_plugin.batch.journal import Journal
    from sasnet_plugin.batch.plan import remarks
    from sasnet_plugin.batch.results import write_results

    rng, counts, path = np.random.default_rng(seed), Counts(), work / f"{seed}.journal"
    path.unlink(missing_ok=True)
    answers = {answer["file"]: answer for answer in map(_answer, range(FILES))}
    with Journal(path) as journal:
        journal.name_options("abc", {"top": 5})
        for answer in answers.values():
            journal.add(answer)
        written = {record["file"]: record for record in journal.records()}
    content = path.read_bytes()
    for _ in range(tried):
        place, bit = int(rng.integers(len(content))), int(rng.integers(8))
        damaged = bytearray(content)
        damaged[place] ^= 1 << bit
        path.write_bytes(damaged)
        wrong = None
        try:
            with Journal(path) as journal:
                kept = {record["file"]: record for record in journal.records()}
                lost = [name for name in answers if name not in kept]
                torn = place == len(content) - 1
                if not kept.items() <= written.items():
                    wrong = "an altered answer passes"
                elif not torn and not (journal.damaged and any("damaged" in s for s in remarks(journal, ()))):
                    wrong = "nothing is said"
                elif len(lost) > 2:
                    wrong = f"{len(lost)} answers are lost"
                for name in lost:
                    journal.add(answers[name])
                rows, without = write_results(journal.records, journal.options, work / "r.h5")
                if (rows, without) != (FILES, 0):
                    wrong = f"{rows} rows, {without} without an answer"
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        counts.add(wrong and f"bit {bit} of byte {place}: {wrong}")
    return counts


def starts(work: Path, tried: int, seed: int) -> Counts:
    """Start `sasnet fit` so many times at once where nothing is compiled: each finds the sphere among all."""
    counts, home = Counts(), work / f"home-{seed}"
    (path,) = curves(work / "data", 1)
    given = environment(home)
    processes = [Run([*_START, str(path)], given, home) for _ in range(tried)]
    for k, process in enumerate(processes):
        wrong = process.wrong(_LIMIT + MOST_SECONDS)
        try:
            found = {} if wrong else json.loads(process.out)
            models = {fit["model"] for fit in found.get("fits", ())}
            lost = [note for note in found.get("notes", ()) if any(words in note for words in _LOST)]
            if found and (lost or len(models) < 6):
                wrong = f"of six models {len(models)} were fitted: {found['notes']}"
            elif found and found["best"] != "sphere":
                wrong = f"best is {found['best']}"
        except ValueError:
            wrong = f"no answer: {process.out[-200:]}"
        counts.add(wrong and f"seed {seed}, process {k + 1}: {wrong}")
    shutil.rmtree(home, ignore_errors=True)
    return counts


def many(work: Path, tried: int, seed: int) -> Counts:
    """Classify so many files by one command, and a tenth of them: an answer each, and no more memory."""
    counts, peaks = Counts(), []
    shutil.rmtree(work / "files", ignore_errors=True)
    sources = curves(work / "curves", 100)
    for number in (tried // 10, tried):
        folder = work / "files" / str(number)
        folder.mkdir(parents=True)
        for k in range(number):
            os.link(sources[k % len(sources)], folder / f"{k:06d}.dat")
        run = Run(
            ["-m", "sasnet_plugin", "classify", "--json", str(folder)], environment(work / "home"), work
        )
        if wrong := run.wrong(_LIMIT + 0.1 * number):
            return Counts(tried, 0, [wrong])
        answers = [json.loads(line) for line in run.out.splitlines()]
        peaks.append(run.peak / 2**20)
    named = [Path(each["file"]).name for each in answers]
    counts = Counts(tried, sum(name == f"{k:06d}.dat" for k, name in enumerate(named)))
    if counts.survived < tried or len(named) > tried:
        counts.failures.append(f"{len(named)} answers, of which {counts.survived} are in their place")
    if peaks[1] > 1.05 * peaks[0]:
        counts.failures.append(f"memory grows from {peaks[0]:.0f} to {peaks[1]:.0f} MiB")
    counts.remarks.append(
        f"peak {peaks[0]:.1f} MiB with {tried // 10:,} files, {peaks[1]:.1f} with {tried:,}"
    )
    shutil.rmtree(work / "files")
    return counts
