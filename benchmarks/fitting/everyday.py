"""Are everyday curves fitted in seconds, with the true model, right sizes and no absurd value?

``python -m benchmarks fitting/everyday --work W`` has two parts. (a) Thirty curves of the models that are
used most, with typical values, good SANS data: ``sasnet fit FILE``, nothing told. (b) Each of forty common
models at sasmodels' defaults and at ten typical draws, precise data: ``sasnet fit FILE --models NAME``. Each
fit is a command of its own with one worker; its CPU time (user and system, with all that it starts) is put
beside that of a process that imports the libraries a fit needs, measured in the same run on the same machine.

Every answer is kept in ``W`` as it comes, so a killed run goes on; ``--third 0`` runs a fixed third,
``--part a`` one part, ``--seeds 1`` one seed, ``--write`` puts the table into
``benchmarks/fitting/everyday.md``.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..common import PRODUCT, markdown, parser_of, percent, run, run_command, show
from .everyday_curves import SAMPLES, Measured, everyday
from .everyday_judged import chisq_of, explained, faults, name_of
from .everyday_models import MODELS, precise

SEEDS = (1, 2, 3)
#: Of each model in part (b): sasmodels' defaults, and typical draws.
DRAWS = 1 + 10
#: The libraries are imported again after so many seconds: the machine may have become slower.
AGAIN = 600.0
LIBRARIES = (
    "import numpy, scipy.optimize, bumps.names, sasmodels.bumps_model, onnxruntime;"
    " from sasdata.dataloader.loader import Loader; Loader()"
)


def importing() -> float:
    """CPU-seconds of importing the libraries, of late."""
    return _importing(int(time.monotonic() // AGAIN))


@cache
def _importing(_: int) -> float:
    return float(np.median([run_command([sys.executable, "-c", LIBRARIES])[0] for _ in range(3)]))


def answered(given: Measured, *options: str) -> tuple[float, dict[str, Any]]:
    """CPU-seconds of ``sasnet fit`` and its answer; an empty one where it has none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "measurement.dat"
        given.save(path)
        command = [*PRODUCT, "fit", "--json", "--quiet", "--workers", "1", *options, str(path)]
        seconds, _, text = run_command(command)
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return seconds, next((line for line in lines if "fits" in line), {})


def untold(_: str, index: int, seed: int) -> dict[str, Any]:
    """Part (a): the answer to one curve, nothing told."""
    given = everyday(index, seed)
    imports = importing()
    seconds, answer = answered(given)
    return _row(given, index, seconds, imports, answer, faults(answer, given))


def named(_: str, index: int, seed: int) -> dict[str, Any]:
    """Part (b): the answer to one precise curve, its model named."""
    given = precise(index, seed)
    imports = importing()
    options = ["--models", given.model.partition("@")[0]]
    if "@" in given.model:
        options += ["--structure-factor", given.model.partition("@")[2]]
    seconds, answer = answered(given, *options)
    own = [fit for fit in answer.get("fits", ()) if name_of(fit) == given.model]
    chisq = min((chisq_of(fit, given.q.size) for fit in own), default=float("inf"))
    why = [] if explained(chisq, given) else [f"chisq: {chisq:.0f}, truth {given.chisq:.0f}"]
    return _row(given, index, seconds, imports, answer, why)


def _row(
    given: Measured, index: int, seconds: float, imports: float, answer: dict[str, Any], why: list[str]
) -> dict[str, Any]:
    fits = answer.get("fits") or []
    for reason in why:
        print(f"    {given.model}: {reason}", flush=True)
    return {
        "index": index, "model": given.model, "truth": given.chisq, "values": given.values,
        "success": not why, "why": why, "seconds": seconds, "imports": imports, "ratio": seconds / imports,
        "chisq": chisq_of(fits[0], given.q.size) if fits else None, "headline": answer.get("headline"),
        "doubt": answer.get("doubt", answer.get("doubts")), "limit_met": answer.get("limit_met"),
        "ranking": [[name_of(f), f["weight"], f["reduced_chisq"]] for f in fits[:8]],
    }  # fmt: skip


def table(parts: dict[str, list[dict[str, Any]]]) -> str:
    header = [
        "part", "curves", "all right %", "right model %", "χ² %", "no absurd value %", "sizes %",
        "CPU / imports: median", "largest", "CPU-seconds, mean",
    ]  # fmt: skip
    lines = [_line(title, rows) for title, rows in parts.items() if rows]
    text = "# Everyday curves\n\n" + markdown(header, lines)
    for title, rows in parts.items():
        if rows:
            text += f"\n## {title}\n\n{_causes(rows)}\n{_models(rows)}"
    return text


def _without(rows: Sequence[dict[str, Any]], kind: str) -> str:
    """Share of rows without a fault of this kind or of having no answer."""
    wrong = [any(w.startswith((kind, "answer")) for w in r["why"]) for r in rows]
    return percent(1 - float(np.mean(wrong)))


def _line(title: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    ratios = [r["ratio"] for r in rows]
    return [
        title, str(len(rows)), percent(float(np.mean([r["success"] for r in rows]))),
        *(_without(rows, kind) for kind in ("model", "chisq", "absurd", "size")),
        f"{np.median(ratios):.1f}", f"{max(ratios):.1f}", f"{np.mean([r['seconds'] for r in rows]):.1f}",
    ]  # fmt: skip


def _causes(rows: Sequence[dict[str, Any]]) -> str:
    kinds = Counter(kind for r in rows for kind in {w.partition(":")[0] for w in r["why"]})
    wrong = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()) or "nothing"
    cut = sum(bool(r["limit_met"]) for r in rows)
    return f"Wrong: {wrong}. Ended by the clock on the wall, on a busy machine: {cut}.\n"


def _models(rows: Sequence[dict[str, Any]]) -> str:
    """A line for each model: how many are right, CPU time, and the first reasons where not."""
    lines = []
    for name in dict.fromkeys(r["model"] for r in rows):
        own = [r for r in rows if r["model"] == name]
        why = "; ".join(w for r in own for w in r["why"][:2])
        right = f"{sum(r['success'] for r in own)} of {len(own)}"
        lines.append([name, right, f"{np.median([r['ratio'] for r in own]):.1f}", why[:300] or "–"])
    return markdown(["model", "right", "CPU / imports", "wrong"], lines)


def numbers_of(count: int, third: int | None, only: Sequence[int] | None, seed: int) -> list[int]:
    """Numbers of the curves asked for: all, a third, which is another with each seed, or these."""
    return [
        i
        for i in range(count)
        if (third is None or (i + seed) % 3 == third) and (only is None or i in set(only))
    ]


def main() -> None:
    parser = parser_of(__doc__, work=True, draws=(DRAWS, "of part b; the first is the defaults"))
    parser.add_argument("--part", choices=("a", "b"))
    parser.add_argument("--third", type=int, choices=(0, 1, 2))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="of part a")
    parser.add_argument("--only", type=int, nargs="+", help="numbers of curves, within a part")
    asked = parser.parse_args()

    def rows(solve: Callable[..., dict[str, Any]], part: str, count: int, seed: int) -> list[dict[str, Any]]:
        if asked.part not in (None, part):
            return []
        return run(solve, part, numbers_of(count, asked.third, asked.only, seed), seed, asked.work, 1)

    parts = {
        "(a) nothing told": [r for s in asked.seeds for r in rows(untold, "a", len(SAMPLES), s)],
        "(b) model named": rows(named, "b", len(MODELS) * asked.draws, SEEDS[0]),
    }
    page = table(parts)
    show(page, asked.write, __file__)
