"""Does a file have the same answer whatever else the machine does?

``python -m benchmarks service/same_answers --work W`` fits files of sasdata's ``1d_data``, one data set of
each, through the command line, as a user would (``sasnet fit FILE --json``): alone, beside two processes that
do nothing but count, and with ``--workers 1``. A budget of a fit is counted in evaluations, so that the first
model should be the same and each of its fitted parameters within a tenth of its standard deviation.

The files are the first ``--files`` in alphabetical order that have one data set and can be fitted.
Answers are kept in ``W`` as they come: a run that was stopped goes on. Nothing else should run meanwhile.
``--write`` writes the table beside this file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ..asked import parser_of
from ..kept import run
from ..tables import markdown

#: How a file is fitted: options, and processes that count meanwhile.
WAYS: dict[str, tuple[tuple[str, ...], int]] = {
    "alone": ((), 0),
    "busy": ((), 2),
    "workers1": (("--workers", "1"), 0),
}
#: Standard deviations by which a parameter may differ, and seconds that a command may take at most.
WITHIN, PATIENCE = 0.1, 900


@cache
def names() -> list[str]:
    """Files that hold one data set each, in alphabetical order."""
    from sasnet_plugin import load

    return [path.name for path in sorted(folder().iterdir()) if _single(path, load)]


def folder() -> Path:
    """Where sasdata has its curves."""
    import sasdata

    return Path(str(sasdata.__file__)).parent / "example_data" / "1d_data"


def _single(path: Path, load: Any) -> bool:
    from sasnet_plugin import SasnetError

    try:
        return len(load(path)) == 1
    except SasnetError:
        return False


@contextmanager
def busy(count: int) -> Iterator[None]:
    """So many processes that count as fast as they can."""
    code = "while True: pass"
    spinning = [subprocess.Popen([sys.executable, "-I", "-c", code]) for _ in range(count)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def fitted(way: str, index: int, seed: int) -> dict[str, Any]:
    """The answer about a file, see `kept.Solver`; the seed is not used, as the command has its own."""
    options, spinning = WAYS[way]
    file = names()[index]
    command = [sys.executable, "-m", "sasnet_plugin", "fit", str(folder() / file), "--json", *options]
    began = time.monotonic()
    with busy(spinning):
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=os.environ)
    seconds = time.monotonic() - began
    lines = done.stdout.splitlines()
    said = json.loads(lines[0]) if lines else {"error": done.stderr.strip()[-200:]}
    row = {"index": index, "file": file, "success": bool(said.get("fits")), "seconds": seconds}
    if not row["success"]:
        return row | {"model": "", "why": said.get("error") or "; ".join(said.get("notes") or ())}
    best = said["fits"][0]
    values = {
        name: [p["value"], p["error"]] for name, p in best["parameters"].items() if not p.get("fixed", False)
    }
    return row | {
        "model": said["best"],
        "reduced_chisq": best["reduced_chisq"],
        "parameters": values,
        "limit_met": said.get("limit_met"),
    }


def difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """What differs between two answers about a file, in a few words; empty where nothing does."""
    if one["model"] != other["model"]:
        return f"{one['model'] or 'no fit'} or {other['model'] or 'no fit'}"
    worst, name = 0.0, ""
    for key, (value, error) in one.get("parameters", {}).items():
        if key not in other["parameters"]:
            return f"{key} fitted or not"
        moved = abs(other["parameters"][key][0] - value)
        # Where no error is known, as that of a parameter that the data do not determine, the values decide.
        scale = error if error else max(abs(value), 1e-300)
        if moved / scale > worst:
            worst, name = moved / scale, key
    return f"{name} by {worst:.2g} σ" if worst > WITHIN else ""


def report(rows: dict[str, list[dict[str, Any]]]) -> tuple[str, int]:
    """The table, and how many files have another answer somewhere."""
    first = rows["alone"]
    table, differing = [], 0
    for number, one in enumerate(first):
        others = [rows[way][number] for way in list(WAYS)[1:]]
        said = [difference(one, other) for other in others]
        differing += any(said)
        seconds = " / ".join(f"{row['seconds']:.0f}" for row in (one, *others))
        late = [way for way in WAYS if rows[way][number].get("limit_met")]
        model = one["model"] or one.get("why", "")[:60]
        chisq = f"{one['reduced_chisq']:.3g}" if one["success"] else ""
        same = [each or "same" for each in said]
        table.append([one["file"], model, chisq, *same, seconds, ", ".join(late) or "–"])
    head = ["file", "first model, alone", "χ²/dof", "beside two busy processes", "one worker",
            "seconds (alone / busy / one worker)", "ended early by the time limit"]  # fmt: skip
    said = f"{len(first) - differing} of {len(first)} files have the same answer all three times."
    return f"{markdown(head, table)}\n{said}\n", differing


def chosen(count: int, work: Path, seed: int) -> list[int]:
    """The first files that can be fitted; those that cannot are passed over."""
    every, found = range(len(names())), []
    for index in every:
        (row,) = run(fitted, "alone", [index], seed, work, 1)
        found += [index] if row["success"] else []
        if len(found) == count:
            break
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, compare, print the table, and write it if asked to."""
    parser = parser_of(__doc__, work=True, files=20)
    given = parser.parse_args(arguments)
    given.work.mkdir(parents=True, exist_ok=True)
    indices = chosen(given.files, given.work, 0)
    rows = {way: run(fitted, way, indices, 0, given.work, 1) for way in WAYS}
    text, differing = report(rows)
    print(text)
    if given.write:
        said = (__doc__ or "").split("\n\n")
        head = f"# Same answers\n\n{said[0].strip()} {said[1].strip()}\n\n".replace("``", "`")
        Path(__file__).with_suffix(".md").write_text(f"{head}{text}", encoding="utf-8")
    return 1 if differing else 0
