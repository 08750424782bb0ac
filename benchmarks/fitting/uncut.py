"""What does differential evolution cost where `fitting` stopped it? A sample goes on, ten minutes each.

``python -m benchmarks fitting/uncut --work W`` draws from the problems whose answer in W was stopped, and
fits them again with `LATEST`; the answers are kept in ``W/de-uncut-SEED.jsonl``, and `fitting` with the
same W puts them into its table.
"""

from __future__ import annotations

import json
import os
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from ..asked import parser_of
from ..kept import run
from . import fitting
from .task import LATEST


def solve(name: str, index: int, seed: int) -> dict[str, Any]:
    """Differential evolution's answer to one problem, stopped late."""
    fitting.PATIENCE["de"] = LATEST
    return fitting.solve("de", index, seed)


def sample(rows: list[dict[str, Any]], count: int, seed: int) -> list[int]:
    """Numbers of `count` problems, drawn from those that were stopped."""
    late = [r["index"] for r in rows if r["late"]]
    return [int(i) for i in np.random.default_rng(seed).permutation(late)[:count]]


def main() -> None:
    """Fit the sample."""
    parser = parser_of(
        __doc__, work=True, write=False, count=(12, "problems in the sample"), seed=2026, workers=2
    )
    options = parser.parse_args()
    text = (options.work / f"de-{options.seed}.jsonl").read_text(encoding="utf-8")
    chosen = sample([json.loads(line) for line in text.splitlines()], options.count, options.seed)
    run(solve, "de-uncut", chosen, options.seed, options.work, options.workers)
