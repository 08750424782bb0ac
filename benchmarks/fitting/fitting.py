"""How often does a fit without any hint explain a measured curve, and how often is its model the true one?

``python -m benchmarks fitting/fitting --work W`` draws curves under the realistic protocol, over all form
models, and fits each with default options (model unknown, five best candidates). A fit succeeds when its
reduced χ² is at most 1.1 times that of the truth. Every answer is kept in ``W`` as it comes, so a killed run
goes on; ``--write`` puts the table into ``benchmarks/fitting/fitting.md``.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ..common import markdown, parser_of, percent, run, show, this_process
from .task import AGREES, LIMIT, SUCCESS, Problem, problem

Rows = list[dict[str, Any]]
#: A fitted parameter is right within this share of the truth, or within so many standard errors.
WITHIN, SIGMAS = 0.1, 3.0
#: Types of parameters of which the data determine only a product with fixed ones.
_TYPES = ("sld", "magnetic")


def solve(contestant: str, index: int, seed: int) -> dict[str, Any]:
    """The product's answer to one problem with its default options, as JSON has it."""
    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.predict.class_prior import UNIFORM

    given = problem(index, seed)
    began = time.process_time()
    # Problems are drawn so: every form model as often as every other.
    result = fit_with(this_process(), given.curve, FitOptions(time_limit=LIMIT, prior=UNIFORM))
    row = {
        "index": index, "model": given.name, "points": len(given.curve), "truth": given.truth,
        "seconds": time.process_time() - began, "reduced_chisq": float("inf"), "best": None,
        "weight_of_truth": 0.0, "weight_of_alike": 0.0,
    }  # fmt: skip
    if result.best is not None:
        alike = equivalent_fits(result, given.form)
        row |= {
            "reduced_chisq": min(fit.reduced_chisq for fit in result.fits),
            "best": result.best.name,
            "ranking": [[fit.name, fit.weight, fit.reduced_chisq, fit.seconds] for fit in result.fits],
            "weight_of_truth": sum(fit.weight for fit in result.fits if fit.model == given.form),
            "weight_of_alike": sum(fit.weight for fit in result.fits if fit.name in alike),
            "values": {k: [p.value, p.error] for k, p in result.best.parameters.items() if not p.fixed},
        }
    row["success"] = bool(row["reduced_chisq"] <= SUCCESS * given.truth)
    return row


def equivalent_fits(result: Any, form: str) -> set[str]:
    """Names of fits of the true form, of its group, and those that this curve cannot tell from its best."""
    from sasnet_plugin.fitting.evidence.marginal import alike
    from sasnet_plugin.predict import open_classifier

    group = next((g.members for g in open_classifier().manifest.groups if form in g.members), (form,))
    names = {fit.name for fit in result.fits if fit.model in group}
    true = [fit for fit in result.fits if fit.model == form]
    if true:
        best = min(true, key=lambda fit: fit.chisq)
        names |= set(alike([best, *(fit for fit in result.fits if fit is not best)]))
    return names


def parameters_recovered(row: dict[str, Any], given: Problem) -> dict[str, bool]:
    """Of each fitted parameter that the truth has: whether it is within 10 % or 3 σ."""
    skipped, recovered = amplitudes(given.name), {}
    for name, (value, error) in row["values"].items():
        if name in given.parameters and name not in skipped:
            truth = float(given.parameters[name])
            recovered[name] = bool(abs(value - truth) <= max(WITHIN * abs(truth), SIGMAS * (error or 0.0)))
    return recovered


def amplitudes(name: str) -> set[str]:
    """Parameters that mean nothing where the unit of the intensity is arbitrary; contrasts are among them."""
    from sasnet_plugin.simulate.kernel import load_model

    table = load_model(name).info.parameters.call_parameters
    skipped = {p.name for p in table if p.type in _TYPES or p.units == "1/cm" or "scale" in p.name}
    return skipped | {"background"}


def table(rows: Rows, seed: int) -> str:
    seconds = np.array([row["seconds"] for row in rows])
    true, alike = (np.mean([row[f"weight_of_{key}"] for row in rows]) for key in ("truth", "alike"))
    lines = [
        ["problems", str(len(rows))],
        ["success / %", percent(float(np.mean([row["success"] for row in rows])))],
        ["CPU-seconds, mean", f"{seconds.mean():.1f}"],
        ["CPU-seconds, median", f"{np.median(seconds):.1f}"],
        ["weight of the true form model, mean", f"{true:.2f}"],
        ["weight of it, its group and what the curve cannot tell from it, mean", f"{alike:.2f}"],
    ]
    first = [row for row in rows if row["success"] and row["best"] == row["model"]]
    each = [parameters_recovered(row, problem(row["index"], seed, exact=False)) for row in first]
    each = [recovered for recovered in each if recovered]
    lines.append(["problems whose true model fits and is first", str(len(first))])
    if each:
        flags = np.concatenate([list(recovered.values()) for recovered in each])
        whole = np.mean([all(recovered.values()) for recovered in each])
        lines += [
            [f"… of their {flags.size} parameters within 10 % or 3 σ / %", percent(float(flags.mean()))],
            ["… problems with all parameters within / %", percent(float(whole))],
        ]
    return markdown(["", ""], lines) + (
        "\nA problem's curve is of the grid for training, or sasmodels' own where the two differ by more than"
        f" {100 * AGREES:.0f} % of the truth's χ². At most {LIMIT:.0f} CPU-seconds a problem. Parameters are"
        " without amplitudes, backgrounds and contrasts.\n"
    )


def main() -> None:
    """Fit, print the table, and write it if asked to."""
    options = parser_of(__doc__, work=True, count=300, seed=2026, workers=2).parse_args()
    rows = run(solve, "sasnet", options.count, options.seed, options.work, options.workers)
    page = f"# Fitting\n\n{table(rows, options.seed)}"
    show(page, options.write, __file__)
