"""What the program itself answers of files that were read rightly: the size, and whether the unit was stated.

One command classifies all files; each answer's radius of gyration (of sphere and coil) or spacing (of the
lamellae) by its numbers without a model is compared with what was measured, and ``q_unit`` with what the
file says.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Rg or d, Å, and by how much the answer may be off: a coil's Guinier region is short.
SIZES = {"sphere": (46.5, 0.03), "coil": (60.0, 0.08), "lamellae": (120.0, 0.02)}


@dataclass(frozen=True)
class Asked:
    """A file to be asked about."""

    path: Path
    kind: str  #: A key of `SIZES`.
    silent: bool  #: Whether the file names no unit of q.


def answers(asked: Iterable[Asked]) -> dict[str, dict[str, Any]]:
    """The first JSON row of each file, by its path."""
    paths = [str(one.path) for one in asked]
    command = [sys.executable, "-m", "sasnet_plugin", "classify", "--json", "-q", *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rows: dict[str, dict[str, Any]] = {}
    for line in done.stdout.splitlines():
        row = json.loads(line)
        rows.setdefault(row["file"], row)
    return rows


def size(row: dict[str, Any], kind: str) -> float | None:
    """Rg or d of an answer, Å; None where it gives none."""
    found = row.get("model_free") or {}
    if kind == "lamellae":
        peaks = found.get("peaks") or [{}]
        value = peaks[0].get("d")
    else:
        value = (found.get("guinier") or {}).get("rg")
    return None if value is None else float(value)


def verdict(row: dict[str, Any] | None, one: Asked) -> tuple[str, str]:
    """Of one file: "right", "no size", "wrong size", "wrong on the unit" or "no answer", and why."""
    if row is None:
        return "no answer", ""
    unit = row.get("q_unit")
    if unit is not None and bool(unit.get("stated")) == one.silent:
        return "wrong on the unit", str(unit)
    value = size(row, one.kind)
    true, off = SIZES[one.kind]
    if value is None:
        return "no size", ""
    wrong = abs(value / true - 1) > off
    return ("wrong size", f"{value:.4g} Å instead of {true:g} Å") if wrong else ("right", "")


def report(asked: list[Asked]) -> str:
    """Counts, and each that is wrong."""
    rows = answers(asked)
    found = [(one, *verdict(rows.get(str(one.path)), one)) for one in asked]
    counts = Counter(kind for _, kind, _ in found)
    text = f"\nAnswers of {len(asked)} files that were read rightly: "
    text += ", ".join(f"{number} {kind}" for kind, number in counts.most_common()) + ".\n\n"
    bad = [(one, kind, why) for one, kind, why in found if kind.startswith("wrong")]
    return text + "".join(f"- {one.path.name}: {kind}, {why}\n" for one, kind, why in bad)
