"""Do rows of a batch depend on what else the machine does?

``python -m benchmarks fitting/same_rows --work W`` simulates growing spheres, 30 frames of plain numpy, and
fits them with ``sasnet batch`` twice: alone, and beside four processes that do nothing but count. Where the
clock has ended a search, the row says so (``stopped_by_clock``); all others should have the same models,
values and errors. ``--write`` writes the table beside this file.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..asked import parser_of
from ..independent_curves.form_factors import normal_spheres, sphere_volume
from ..tables import markdown, show

#: Radius of the first and of the last frame, Å, relative width, and processes that count in the second run.
FIRST, LAST, WIDTH, SPINNING = 40.0, 70.0, 0.10, 4
#: Relative difference from which on two numbers are not the same: the table has so many digits.
SAME = 1e-6


@contextmanager
def run_busily(count: int) -> Iterator[None]:
    """Run so many processes that count as fast as they can."""
    code = "while True: pass"
    spinning = [subprocess.Popen([sys.executable, "-I", "-c", code]) for _ in range(count)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def write_frames(folder: Path, frames: int, seed: int) -> None:
    """Spheres that grow from frame to frame, radii normally distributed, with a camera's noise."""
    q = np.geomspace(0.006, 0.35, 160)
    for number, radius in enumerate(np.linspace(FIRST, LAST, frames)):
        rng = np.random.default_rng([seed, number])
        clean = 2e-5 * normal_spheres(q, radius, WIDTH) / sphere_volume(1.0) + 0.003
        sigma = np.sqrt((0.01 * clean) ** 2 + 2e-5 * clean)
        rows = np.column_stack([q, clean + sigma * rng.standard_normal(q.size), sigma])
        np.savetxt(folder / f"frame{number:02d}.dat", rows, fmt="%.7g", header="q (1/A) I (1/cm) dI (1/cm)")


def answered(
    data: Path, table: Path, spinning: int, extra: Sequence[str]
) -> tuple[list[dict[str, str]], float]:
    """Rows of a batch by file, and seconds."""
    began, results = time.monotonic(), table.with_suffix(".h5")
    if not table.exists():
        command = [
            sys.executable,
            "-m",
            "sasnet_plugin",
            "batch",
            str(data),
            "--out",
            str(results),
            "--quiet",
        ]
        with run_busily(spinning):
            subprocess.run([*command, *extra], check=True, env=os.environ)
    with table.open(encoding="utf-8") as lines:
        rows = sorted(csv.DictReader(lines), key=lambda row: row["file"])
    return rows, time.monotonic() - began


def difference(one: dict[str, str], other: dict[str, str]) -> str:
    """What differs between two rows, in a few words; empty where nothing does."""
    if one["model"] != other["model"]:
        return f"{one['model'] or 'no fit'} or {other['model'] or 'no fit'}"
    for name in sorted(one.keys() & other.keys() - {"seconds", "file", "notes", "headline", "doubt"}):
        if _apart(one[name], other[name]):
            return f"{name}: {one[name]} or {other[name]}"
    return ""


def _apart(one: str, other: str) -> bool:
    try:
        x, y = float(one), float(other)
    except ValueError:
        return one != other
    return abs(x - y) > SAME * max(abs(x), abs(y))


def report(alone: list[dict[str, str]], beside: list[dict[str, str]], seconds: Sequence[float]) -> str:
    table: list[list[Any]] = []
    stopped = same = 0
    for one, other in zip(alone, beside, strict=True):
        late = [way for way, row in (("alone", one), ("busy", other)) if row["stopped_by_clock"] == "yes"]
        unlike = difference(one, other)
        stopped, same = stopped + bool(late), same + (not late and not unlike)
        if late or unlike:
            table.append([Path(one["file"]).name, one["model"], unlike or "same", ", ".join(late) or "–"])
    head = ["frame", "model, alone", "beside four busy processes", "stopped by the clock"]
    said = (
        f"{same} of {len(alone)} rows are the same, {stopped} were stopped by the clock in either run;"
        f" {seconds[0]:.0f} s alone, {seconds[1]:.0f} s beside four busy processes."
    )
    return f"{markdown(head, table)}\n{said}\n" if table else f"{said}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = parser_of(__doc__, work=True, frames=30, seed=3)
    parser.add_argument("--workers", default="2", help="processes of the batch")
    given = parser.parse_args(arguments)
    data = given.work / "frames"
    data.mkdir(parents=True, exist_ok=True)
    write_frames(data, given.frames, given.seed)
    extra = ["--workers", given.workers]
    alone, first = answered(data, given.work / "alone.csv", 0, extra)
    beside, second = answered(data, given.work / "busy.csv", SPINNING, extra)
    text = report(alone, beside, (first, second))
    show(text, given.write, __file__, "# Rows of a batch\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
