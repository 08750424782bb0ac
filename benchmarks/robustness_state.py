"""Journals with a flipped bit, and fits started at once in a fresh home, for `robustness.py`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from robustness import Counts
from robustness_kills import curves, environment, started

FILES = 12
#: Notes of an answer that lacks a candidate for a reason of the machine.
_LOST = ("the fit failed", "was killed", "Tried twice")
_START = (
    "-m", "sasnet_plugin", "fit", "--json", "--workers", "1", "--time-limit", "300", "--models",
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
    processes = [started([*_START, str(path)], given, home) for _ in range(tried)]
    for k, process in enumerate(processes):
        out, said = process.communicate()
        wrong = None
        try:
            found = json.loads(out)
            models = {fit["model"] for fit in found["fits"]}
            lost = [note for note in found["notes"] if any(words in note for words in _LOST)]
            if process.returncode or "Traceback" in said:
                wrong = f"exit code {process.returncode}: {said[-200:]}"
            elif lost or len(models) < 6:
                wrong = f"of six models {len(models)} were fitted: {found['notes']}"
            elif found["best"] != "sphere":
                wrong = f"best is {found['best']}"
        except ValueError:
            wrong = f"exit code {process.returncode}, no answer: {said[-200:]}"
        counts.add(wrong and f"seed {seed}, process {k + 1}: {wrong}")
    shutil.rmtree(home, ignore_errors=True)
    return counts
