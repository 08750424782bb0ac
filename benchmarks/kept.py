"""Answers of contestants to numbered problems: kept as they come, so that a killed benchmark goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
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
