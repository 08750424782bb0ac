"""How much slower is this machine than that of the others' answers to `fitting`?

``python -m benchmarks fitting/again --work W`` fits once more what Levenberg-Marquardt fitted in W in a
second or more and by itself, the same steps from the same start; the answers are kept in
``W/lm-again-SEED.jsonl``, and `fitting` with the same W takes sasnet's CPU time and the others' as of one
machine. To be run after sasnet's part, where the others' rows are of another machine.
"""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from ..asked import parser_of
from ..kept import kept, run
from . import fitting


def solve(name: str, index: int, seed: int) -> dict[str, Any]:
    """Levenberg-Marquardt's answer to one problem, never stopped: a slower machine takes the same steps."""
    fitting.PATIENCE["lm"] = float("inf")
    return fitting.solve("lm", index, seed)


def main() -> None:
    """Fit them again."""
    parser = parser_of(__doc__, work=True, write=False, seed=2026, workers=2)
    options = parser.parse_args()
    rows = kept(options.work / f"lm-{options.seed}.jsonl").values()
    chosen = [r["index"] for r in rows if r["seconds"] >= 1 and not r["late"]]
    run(solve, "lm-again", chosen, options.seed, options.work, options.workers)
