"""What an evaluation of each model takes, beside what `sasnet_plugin.fitting.costs` counts for it.

``python -m benchmarks fitting/evaluation_cost`` draws parameters of each form model from its prior, with the
size distributions among them, and calculates 150 points of q as a fit does on its way and as sasmodels has
the model, in CPU time. Budgets of fits are counted: a model that counts ten times what it takes gets a tenth
of the search that others have. ``--write`` puts the table into ``evaluation_cost.md``.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from ..asked import parser_of

Q = np.geomspace(0.005, 0.3, 150)
#: A kernel is called until this many CPU-seconds are measured, or so many times.
ENOUGH, CALLS = 0.02, 40
#: Of a size distribution: fits have up to 35, and what is counted is in proportion.
WIDTH_POINTS = 7


def main() -> None:
    """Measure, print the table, and write it if asked to."""
    from sasnet_plugin.simulate.priors import form_models

    parser = parser_of(__doc__, draws=8, seed=2026)
    parser.add_argument("models", nargs="*", help="default: all")
    options = parser.parse_args()
    lines = [_HEAD]
    print(_HEAD)
    for name in options.models or form_models():
        for line in rows(name, options.draws, options.seed):
            print(line, flush=True)
            lines.append(line)
    if options.write:
        text = _WORDS.format(draws=options.draws) + "\n" + "\n".join(lines) + "\n"
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


_WORDS = """# What an evaluation takes, and what it counts

CPU time of one evaluation at 150 points of q, {draws} draws of each model's prior; counted time by measured
time, geometric mean and range. Both with Python's share of an evaluation.
"""
_HEAD = "| model | calculated | ms | counted / measured | least | most |\n|---|---|---:|---:|---:|---:|"


def rows(name: str, draws: int, seed: int) -> list[str]:
    """The table's rows of a model: as fits calculate it on their way, and as sasmodels does."""
    from sasnet_plugin.fitting.costs import EFFORT, cost
    from sasnet_plugin.simulate.kernel import load_model
    from sasnet_plugin.simulate.quick_models.quick import is_quick, quick_model

    found = []
    for quick in (True, False) if is_quick(name) else (False,):
        model = quick_model(name) if quick else load_model(name)
        measured, counted = [], []
        for parameters in _drawn(name, draws, seed):
            measured.append(EFFORT.each + _seconds(model, parameters))
            counted.append(cost(name, parameters, Q, quick=quick))
        ratio = np.log(counted) - np.log(measured)
        low, mean, high = np.exp([ratio.min(), ratio.mean(), ratio.max()])
        how = "quick" if quick else "sasmodels"
        found.append(
            f"| {name} | {how} | {1e3 * np.median(measured):.3g} | {mean:.2g} | {low:.2g} | {high:.2g} |"
        )
    return found


def _drawn(name: str, draws: int, seed: int) -> list[dict[str, Any]]:
    from sasnet_plugin.fitting.problem.free_parameters import completed
    from sasnet_plugin.simulate.clean import simulate_clean
    from sasnet_plugin.types import SimulationError

    found = []
    for index in range(draws):
        try:
            drawn = simulate_clean(name, np.random.default_rng([seed, index])).parameters
        except SimulationError:
            continue
        found.append(completed(drawn, WIDTH_POINTS))
    return found


def _seconds(model: Any, parameters: dict[str, Any], q: NDArray[np.float64] = Q) -> float:
    """CPU-seconds of one call of a kernel."""
    from sasmodels.direct_model import call_kernel

    kernel = model.make_kernel([q])
    first = time.process_time()
    call_kernel(kernel, parameters)
    began, calls = time.process_time(), 0
    if began - first > ENOUGH:  # whatever the first call prepares is small beside that
        return began - first
    while time.process_time() - began < ENOUGH and calls < CALLS:
        call_kernel(kernel, parameters)
        calls += 1
    return (time.process_time() - began) / calls
