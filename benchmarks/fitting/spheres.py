"""Does a fit call spheres spheres, and know their radius, where neighbouring points share an error?

``python -m benchmarks fitting/spheres --work W`` simulates nanoparticle solutions (R 17-34 Å, normal widths
of 4-12 %, q 0.02-0.8 Å⁻¹) with a background that rises with q, an error of 3 % of I that changes slowly along
q, and points whose given uncertainty holds the scatter alone; and fits each, model unknown, with 60
CPU-seconds. The curves share no code with training. Every answer is kept in ``W`` as it comes, so a killed
run goes on; ``--write`` puts the table into ``benchmarks/fitting/spheres.md``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from sasnet_plugin.types import Curve, sum_parts

from ..asked import parser_of
from ..independent_curves.form_factors import normal_spheres
from ..kept import Here, run
from ..tables import show
from .shared_error import shared_error

#: CPU-seconds: the default of sasnet fit, 30 s of two processes.
COUNT, LIMIT = 60, 60.0
#: Relative error that neighbours share.
SLOW = 0.03


def problem(index: int, seed: int) -> tuple[float, Curve]:
    """Radius (Å) and curve of one solution."""
    rng = np.random.default_rng([seed, index])
    q = np.geomspace(0.02, 0.8, int(rng.integers(120, 400)))
    radius, width = float(rng.uniform(17, 34)), float(rng.uniform(0.04, 0.12))
    body = normal_spheres(q, radius, width)
    rising = 10 ** rng.uniform(-4, -2.3) * (q / 0.8) ** rng.uniform(0.3, 2) + 10 ** rng.uniform(-5, -3)
    intensity = (body / body.max() + rising) * (1 + SLOW * shared_error(q, rng))
    sigma = np.sqrt((0.01 * intensity) ** 2 + intensity * 10 ** rng.uniform(-5, -3.5))
    return radius, Curve(
        q, intensity + sigma * rng.standard_normal(q.size), sigma, file=f"spheres-{index:02d}.dat"
    )


def solve(contestant: str, index: int, seed: int) -> dict[str, Any]:
    """sasnet's answer to one problem, as JSON has it."""
    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.assessment.assess import discrepancy, simplest_within_error
    from sasnet_plugin.fitting.evidence.marginal import alike, evidence
    from sasnet_plugin.fitting.task import FitOptions

    radius, curve = problem(index, seed)
    began = time.process_time()
    result = fit_with(Here(), curve, FitOptions(time_limit=LIMIT))
    seconds = time.process_time() - began
    fits = list(result.fits)
    among = discrepancy(curve, result.dintensity, fits)
    errors = {f.name: evidence(among, f).shared for f in fits}
    same = {f.name for f in fits[:1]} | set(alike(fits))
    simple = simplest_within_error(fits, errors, same) if fits else None
    said = same | ({simple[0].name} if simple else set())
    found = next((f for f in fits if sum_parts(f.name)[0] == "sphere"), None)
    first = bool(fits) and sum_parts(fits[0].name)[0] == "sphere"
    row: dict[str, Any] = {
        "index": index, "model": "sphere", "seconds": seconds, "points": len(curve), "radius": radius,
        "best": fits[0].name if fits else None, "verified": result.verified, "notes": list(result.notes),
        "ranking": [
            [f.name, f.weight, f.reduced_chisq, len(f.free), -2 * f.log_evidence, f.name in same]
            for f in fits[:8]
        ],
        "systematic": {k: e.as_dict() for k, e in list(errors.items())[:8]},
        "first": first, "alone": bool(fits) and fits[0].name == "sphere", "alike": "sphere" in same,
        "success": any(sum_parts(name)[0] == "sphere" for name in said),
        "within": [simple[0].name, simple[1].relative] if simple else None,
    }  # fmt: skip
    if found is not None:
        its = found.parameters["radius" if found.name == "sphere" else "A_radius"]
        row |= {"found": its.value, "error": its.error, "weight": found.weight}
        row["radius_right"] = abs(its.value / radius - 1) < 0.02
        row["covered"] = its.error is not None and abs(its.value - radius) < its.error
    return row


def table(rows: Sequence[dict[str, Any]]) -> str:

    def share(key: str) -> str:
        return f"{100 * np.mean([bool(r.get(key)) for r in rows]):.0f} %" if rows else "–"

    mean = np.mean([r["seconds"] for r in rows]) if rows else 0
    return "\n".join(
        [
            "# Spheres under a systematic error",
            "",
            "| curves | first: sphere | or sphere with a power law | or sphere named beside it | radius"
            " within 2 % | 68 % interval covers | CPU-seconds, mean |",
            "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
            f"| {len(rows)} | {share('alone')} | {share('first')} | {share('success')} |"
            f" {share('radius_right')} | {share('covered')} | {mean:.1f} |",
            "",
            "Named beside it: not to be distinguished from the first, or the simplest that a systematic error"
            " of 5 % of I or less excuses. The radius is that of the best of these fits.",
            "",
        ]
    )


def main() -> None:
    parser = parser_of(__doc__, work=True, count=COUNT, first=0, seed=2026, workers=1)
    asked = parser.parse_args()
    numbers = range(asked.first, asked.first + asked.count)
    page = table(run(solve, "spheres", numbers, asked.seed, asked.work, asked.workers))
    show(page, asked.write, __file__)
