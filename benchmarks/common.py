"""What benchmarks share: options, rows that a killed run goes on from, commands of the product, tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, RawTextHelpFormatter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

#: From contestant, number of a problem and seed to a row with ``index``, ``model``, ``success``, ``seconds``.
Solver = Callable[[str, int, int], dict[str, Any]]
PRODUCT = (sys.executable, "-m", "sasnet_plugin")


def parser_of(
    said: str | None, *, work: bool = False, write: bool = True, **numbers: int | tuple[int, str]
) -> ArgumentParser:
    found = ArgumentParser(description=said, formatter_class=RawTextHelpFormatter)
    if work:
        found.add_argument("--work", type=Path, required=True, help="folder of what is computed, and goes on")
    for name, given in numbers.items():
        default, what = given if isinstance(given, tuple) else (given, None)
        found.add_argument(f"--{name}", type=int, default=default, help=what)
    if write:
        found.add_argument("--write", action="store_true", help="keep the tables beside this file")
    return found


def this_process() -> Any:
    """Do the jobs of a fit in this process, so that their CPU time is counted."""
    from sasnet_plugin.fitting.pool import InProcess
    from sasnet_plugin.simulate.bank import Bank
    from sasnet_plugin.zoo import bank_path

    return InProcess(Bank(bank_path()))


def kept(path: Path, key: str = "index") -> dict[Any, dict[str, Any]]:
    """The rows of a file by their key, the last of each; none where there is no such file."""
    rows: dict[Any, dict[str, Any]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
        except ValueError:  # the line under way when a run was killed
            continue
        rows[row[key]] = row
    return rows


def resumed(
    path: Path, asked: Sequence[Any], answer: Callable[[list[Any]], Iterable[dict[str, Any]]],
    said: Callable[[dict[str, Any]], str], key: str = "index",
) -> list[dict[str, Any]]:  # fmt: skip
    """The rows of all that is asked: kept ones, and what `answer` gives of the others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = kept(path, key)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    with path.open("a", encoding="utf-8") as file:
        if text and not text.endswith("\n"):  # torn when a run was killed
            file.write("\n")
        for row in answer([one for one in asked if one not in rows]):
            rows[row[key]] = row
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            print(f"{path.stem} {len(rows)}/{len(asked)} {said(row)}", flush=True)
    return [rows[one] for one in asked if one in rows]


def run(
    solve: Solver, contestant: str, numbers: int | Sequence[int], seed: int, work: Path, workers: int
) -> list[dict[str, Any]]:
    """All answers of one contestant to so many problems or to those, what is kept and what is new."""
    asked = range(numbers) if isinstance(numbers, int) else numbers
    return resumed(
        work / f"{contestant}-{seed}.jsonl", asked,
        lambda missing: _answers(solve, contestant, missing, seed, workers),
        lambda row: f"{row['model']} {row['success']} {row['seconds']:.1f} s",
    )  # fmt: skip


def _answers(
    solve: Solver, contestant: str, indices: list[int], seed: int, workers: int
) -> Iterator[dict[str, Any]]:
    if workers == 1:
        for index in indices:
            yield solve(contestant, index, seed)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(solve, contestant, i, seed) for i in indices]):
            yield future.result()


def list_examples() -> list[Path]:
    """The files among sasdata's example curves."""
    import sasdata

    folder = Path(str(sasdata.__file__)).parent / "example_data" / "1d_data"
    return [path for path in sorted(folder.iterdir()) if path.is_file()]


def run_command(command: Sequence[str], **options: Any) -> tuple[float, float, str]:
    """CPU-seconds of a command with all processes that it waited for, MiB of the largest, and its output."""
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(command, stdout=printed, stderr=said, text=True, **options)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        text = printed.read()
        if child.returncode and not text:
            said.seek(0)
            print(said.read()[-1000:], file=sys.stderr)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, text


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> str:
    """A table whose first columns, so many as `texts`, are text; the others are numbers, to the right."""
    rule = ["---"] * texts + ["---:"] * (len(header) - texts)
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, rule, *rows]) + "\n"


def percent(value: float) -> str:
    """A share as per cent with one decimal; a dash for NaN."""
    return "–" if np.isnan(value) else f"{100 * value:.1f}"


def show(page: str, write: bool, file: str, head: str = "") -> None:
    """Print a page and, if asked to, keep it with what stands above it beside a benchmark's file."""
    print(page)
    if write:
        Path(file).with_suffix(".md").write_text(head + page, encoding="utf-8")
