"""What benchmarks there are, what each asks, and when and how long it was last run: read from their files."""

from __future__ import annotations

import ast
import re
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
#: Benchmarks whose table is a page of the documentation.
PAGES = {"scoreboard": HERE.parent / "docs" / "scoreboard.md"}
#: What a run leaves at the end of its table.
RECORD = re.compile(r"<!-- run (\d{4}-\d\d-\d\d), ([\d,]+) CPU-seconds: (.*) -->")


@dataclass(frozen=True)
class Benchmark:
    """A file with a function ``main``; its table, if it keeps one, lies beside it."""

    path: Path
    asks: str  #: First sentence of its docstring.

    @property
    def name(self) -> str:
        """Room and file, as in ``fitting/sbc``."""
        return self.path.relative_to(HERE).with_suffix("").as_posix()

    @property
    def table(self) -> Path:
        return PAGES.get(self.name) or self.path.with_suffix(".md")


def found(folder: Path = HERE) -> list[Benchmark]:
    """All benchmarks of a folder, by name; nothing is imported."""
    every = []
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        runs = any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body)
        if runs and path.name != "__main__.py":
            every.append(Benchmark(path, " ".join((ast.get_docstring(tree) or "").split("\n\n")[0].split())))
    return every


def last_run(one: Benchmark) -> tuple[str, str]:
    """Day and CPU time of the last table."""
    if not one.table.exists():
        return "no table", ""
    record = RECORD.search(one.table.read_text(encoding="utf-8"))
    if record:
        return record[1], spelled(float(record[2].replace(",", "")))
    return "unknown", "not timed"


def spelled(seconds: float) -> str:
    """CPU-seconds in a unit that is read at a glance."""
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def listed(every: Sequence[Benchmark]) -> str:
    """A line for each: name, day of its table, CPU time, what it asks."""
    rows = [(one.name, *last_run(one), one.asks) for one in every]
    widths = [max(len(row[k]) for row in rows) for k in range(3)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) + f"  {row[3]}"
        for row in rows
    )


def run(one: Benchmark, arguments: Sequence[str]) -> int:
    """Run its ``main`` with these arguments, and note in a table that it has written what that took."""
    before = _text(one.table)
    began = _used()
    sys.argv = [one.name, *arguments]
    code = import_module(f"{__package__}.{one.name.replace('/', '.')}").main()
    if _text(one.table) != before:
        note(one.table, _used() - began, arguments)
    return int(code or 0)


def note(table: Path, seconds: float, arguments: Sequence[str]) -> None:
    """Leave a line at the end of a table: the day, CPU-seconds with those of children, and the options.

    What a work folder kept from earlier runs is not in the seconds. Of folders only the name is said.
    """
    arguments = [Path(one).name if "/" in one else one for one in arguments]
    text = RECORD.sub("", _text(table)).rstrip()
    options = " ".join(arguments).replace("--", "\N{MINUS SIGN}\N{MINUS SIGN}") or "no options"
    line = f"<!-- run {date.today().isoformat()}, {seconds:,.0f} CPU-seconds: {options} -->"
    table.write_text(f"{text}\n\n{line}\n", encoding="utf-8")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _used() -> float:
    """CPU-seconds of this process and of its children that have ended."""
    times = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in times)


def checkout_version() -> str:
    """Commit of this checkout; with "+" where the package or the benchmarks were changed since."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(HERE.parent), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "sasnet_plugin", "benchmarks/*.py")
    return (git("rev-parse", "--short=9", "HEAD") or "unknown") + "+" * bool(changed)
