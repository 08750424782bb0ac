"""Are everyday bodies of many sizes found, with a distribution that is no Gaussian?

``python -m benchmarks fitting/broad --work W`` calculates dilute bodies of six kinds whose sizes have a
log-normal or a Schulz distribution, 12 to 35 % wide, at so many sizes that nothing of their number is left,
as a sample has them (a fit has 35 of its own accord, as SasView), with errors of 1.5 % of I at 140 points
from 0.003 to 0.3 Å⁻¹; and fits each with default options, nothing told. Every answer is kept in ``W`` as it
comes, so a killed run goes on; ``--write`` puts the table into ``benchmarks/fitting/broad.md``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from sasnet_plugin.types import Curve

from ..asked import parser_of
from ..kept import Here, run
from ..tables import markdown

COUNT = 36
#: Of each kind the ranges of its sizes, Å; the first one has a distribution.
BODIES: dict[str, dict[str, tuple[float, float]]] = {
    "sphere": {"radius": (60, 800)},
    "core_shell_sphere": {"radius": (40, 300), "thickness": (10, 60)},
    "vesicle": {"radius": (80, 500), "thickness": (20, 60)},
    "fuzzy_sphere": {"radius": (80, 400), "fuzziness": (8, 30)},
    "ellipsoid": {"radius_equatorial": (30, 100), "radius_polar": (40, 150)},
    "cylinder": {"radius": (15, 50), "length": (200, 600)},
}
KINDS = ("lognormal", "schulz")
CONTRASTS = {"core_shell_sphere": {"sld_core": 1.0, "sld_shell": 4.0, "sld_solvent": 6.3}}
WIDTHS, SIZES, SIGMAS = (0.12, 0.35), 400, 8.0
#: Error over I, and background over its top.
RELATIVE, BACKGROUND = 0.015, 5e-4
#: Reduced χ² of a fit that is as good as the truth, over the truth's.
AS_GOOD = 1.1


@cache
def _kernel(model: str, q: tuple[float, ...]) -> Any:
    from sasmodels.core import load_model

    return load_model(model).make_kernel([np.array(q)])


@dataclass(frozen=True)
class Problem:
    """One measurement."""

    model: str
    kind: str
    means: dict[str, float]  #: Of its sizes, Å: sasmodels' log-normal has the median.
    curve: Curve
    truth: float  #: Reduced χ² of what is true.


def problem(index: int, seed: int) -> Problem:
    """Number `index`; bodies take turns, and the two kinds of each."""
    from sasmodels.direct_model import call_kernel

    model, kind = tuple(BODIES)[index // len(KINDS) % len(BODIES)], KINDS[index % len(KINDS)]
    rng = np.random.default_rng([seed, index])
    sizes = {n: float(np.exp(rng.uniform(*np.log(ends)))) for n, ends in BODIES[model].items()}
    width, broad = float(rng.uniform(*WIDTHS)), next(iter(sizes))
    spread = {"": width, "_type": kind, "_n": SIZES, "_nsigma": SIGMAS}
    values = sizes | {f"{broad}_pd{end}": value for end, value in spread.items()} | CONTRASTS.get(model, {})
    q = np.geomspace(0.003, 0.3, 140)
    body = np.asarray(call_kernel(_kernel(model, tuple(q)), values | {"scale": 0.01, "background": 0.0}))
    exact = body + BACKGROUND * body.max()
    sigma = RELATIVE * exact
    noise = sigma * rng.standard_normal(q.size)
    means = sizes | ({broad: sizes[broad] * float(np.exp(width**2 / 2))} if kind == "lognormal" else {})
    curve = Curve(q, exact + noise, sigma, dq=np.full_like(q, 1e-7), file=f"broad-{index:02d}.dat")
    return Problem(model, kind, means, curve, float(np.mean((noise / sigma) ** 2)))


def solve(contestant: str, index: int, seed: int) -> dict[str, Any]:
    """sasnet's answer to one problem."""
    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.evidence.weights import alike
    from sasnet_plugin.fitting.result.reported_values import value_of
    from sasnet_plugin.fitting.task import FitOptions

    given = problem(index, seed)
    began = time.process_time()
    result = fit_with(Here(), given.curve, FitOptions())
    seconds = time.process_time() - began
    own = next((fit for fit in result.fits if fit.name == given.model), None)
    values: dict[str, list[float | None]] = {}
    for name, mean in given.means.items() if own else ():
        values[name] = [*value_of(own, name), mean]
    return {
        "index": index, "model": given.model, "kind": given.kind, "seconds": seconds, "truth": given.truth,
        "best": result.best.name if result.best else None, "explained": result.verified,
        "first": given.model in {fit.name for fit in result.fits[:1]} | set(alike(result.fits)),
        "chisq": own.reduced_chisq if own else None, "values": values,
        "success": own is not None and own.reduced_chisq <= AS_GOOD * given.truth,
    }  # fmt: skip


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The page."""
    header = [
        "body", "curves", "as good as the truth", "first or alike", "explained", "90 % intervals cover",
        "CPU-seconds, mean",
    ]  # fmt: skip
    lines = [_line(model, [r for r in rows if r["model"] == model]) for model in BODIES]
    return "# Bodies of many sizes\n\n" + markdown(header, [*lines, _line("all", rows)])


def _line(name: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    known = [v for r in rows if r["success"] for v in r["values"].values() if v[1]]
    held = sum(abs(value - true) < 1.645 * error for value, error, true in known)
    counts = [str(sum(r[key] for r in rows)) for key in ("success", "first", "explained")]
    seconds = sum(r["seconds"] for r in rows) / max(len(rows), 1)
    return [name, str(len(rows)), *counts, f"{held} of {len(known)}", f"{seconds:.1f}"]


def main() -> None:
    parser = parser_of(__doc__, work=True, count=COUNT, seed=77, workers=1)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    page = table(run(solve, "broad", asked.count, asked.seed, asked.work, asked.workers))
    print(page)
    if asked.write:
        (Path(__file__).parent / "broad.md").write_text(page, encoding="utf-8")
