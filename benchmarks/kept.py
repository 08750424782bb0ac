"""Answers of contestants to numbered problems: kept as they come, so that a killed benchmark goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sasnet_plugin.fitting.pool import InProcess

#: From contestant, number of a problem and seed to a row with ``index``, ``model``, ``success``, ``seconds``.
Solver = Callable[[str, int, int], dict[str, Any]]


class Here(InProcess):
    """Does the jobs of a fit in this process, so that their CPU time is counted."""

    def __init__(self) -> None:
        from sasnet_plugin.simulate.bank import Bank
        from sasnet_plugin.zoo import bank_path

        super().__init__(Bank(bank_path()))


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


def run(
    solve: Solver, contestant: str, numbers: int | Sequence[int], seed: int, work: Path, workers: int
) -> list[dict[str, Any]]:
    """All answers of one contestant to so many problems or to those, what is kept and what is new."""
    asked = range(numbers) if isinstance(numbers, int) else numbers
    work.mkdir(parents=True, exist_ok=True)
    path = work / f"{contestant}-{seed}.jsonl"
    rows = kept(path)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    torn = bool(text) and not text.endswith("\n")
    missing = [i for i in asked if i not in rows]
    with path.open("a", encoding="utf-8") as file:
        if torn:
            file.write("\n")
        for row in _answers(solve, contestant, missing, seed, workers):
            rows[row["index"]] = row
            file.write(json.dumps(row) + "\n")
            file.flush()
            done = f"{contestant} {len(rows)}/{len(asked)}"
            print(f"{done} {row['model']} {row['success']} {row['seconds']:.1f} s", flush=True)
    return [rows[i] for i in asked if i in rows]


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
