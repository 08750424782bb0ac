"""Calibration by simulation: do intervals hold the truth as often as they say?

``python -m benchmarks fitting/sbc --work W`` draws 60 curves of each of twelve common models from the prior
and the measurement model, and fits each with default options; ``--systematic`` adds an error of 3 % of I that
changes slowly along q, ``--named`` tells the fit the model. Of each fit of the true model that explains the
curve, or is the answer, within a systematic error, or equal to it, the place of each true value in its
interval is kept: where intervals are right, these ranks are evenly spread (Talts et al. 2018,
arXiv:1804.06788). Amplitudes and contrasts are left out: the unit of a simulated intensity is arbitrary.

Every answer is kept in ``W`` as it comes, so a killed run goes on, and all that ``W`` has is in the table;
``--write`` puts it into ``benchmarks/fitting/sbc.md`` and the pictures of the ranks into
``benchmarks/fitting/sbc.svg``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..common import kept, markdown, parser_of, percent, run, show, this_process
from .fitting import amplitudes
from .systematic import shared_error
from .task import measurement

if TYPE_CHECKING:
    from sasnet_plugin.fitting.result.model_fit import ModelFit

MODELS = (
    "sphere", "core_shell_sphere", "fuzzy_sphere", "vesicle", "ellipsoid", "cylinder", "flexible_cylinder",
    "lamellar", "poly_gauss_coil", "guinier_porod", "broad_peak", "fractal",
)  # fmt: skip
DRAWS = 60
#: Relative error that neighbours share, where there is one.
SLOW = 0.03
#: Shares of intervals in the table; the second is the one that is promised.
SHARES = (0.5, 0.9)
#: An error so many times its value says that the data do not show it, as none does.
UNKNOWN = 100.0
BINS = 10
CASES = {"exact": "no systematic error", "slow": f"a slow error of {100 * SLOW:.0f} % of I"}


def solve(contestant: str, index: int, seed: int) -> dict[str, Any]:
    """Fitted value, error and truth of each parameter of one curve's true model."""
    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.evidence.marginal import alike
    from sasnet_plugin.fitting.result.model_fit import explains
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.fitting.verdict.equals import is_explained_within_error

    form = MODELS[index % len(MODELS)]
    rng = np.random.default_rng([seed, index])
    given = measurement(form, index, rng, exact=True)
    curve = given.curve
    if "slow" in contestant:
        curve = replace(curve, intensity=curve.intensity * (1 + SLOW * shared_error(curve.q, rng)))
    options = FitOptions()
    if "named" in contestant:
        options = FitOptions(models=(form,), structure_factor=given.factor or "none")
    began = time.process_time()
    result = fit_with(this_process(), curve, options)
    true = next((fit for fit in result.fits if fit.name == given.name), None)
    told = is_explained_within_error(result)
    answers = {fit.name for fit in result.fits[:1]} | set(alike(result.fits)) if told else set()
    left_out = amplitudes(given.name)
    values = {
        name: _compared(true, name, given.parameters)
        for name, p in (true.parameters.items() if true else ())
        if not p.fixed and name in given.parameters and name not in left_out
    }
    return {
        "index": index, "model": given.name, "form": form, "seconds": time.process_time() - began,
        "truth": given.truth, "chisq": true.reduced_chisq if true else None,
        "best": result.best.name if result.best else None, "success": true is not None, "values": values,
        "explains": true is not None
        and (true.name in answers or explains(true.reduced_chisq, len(result.curve))),
    }  # fmt: skip


def _compared(fit: ModelFit, name: str, truth: Mapping[str, Any]) -> list[float | None]:
    """Value, error and truth of what is reported: number means, and relative standard deviations."""
    from sasnet_plugin.fitting.result.reported_values import moments, value_of
    from sasnet_plugin.simulate.clean import PD_TYPES

    value, error = value_of(fit, name)
    size, true = name.removesuffix("_pd"), float(truth[name])
    if truth.get(f"{size}_pd"):
        mean, deviation = moments(PD_TYPES[int(truth[f"{size}_pd_type"])], float(truth[f"{size}_pd"]))
        true = mean * true if size == name else deviation
    return [value, error if fit.parameters[name].at_least is None else None, true]


def ranks(rows: Sequence[dict[str, Any]]) -> NDArray[np.float64]:
    """(k,) place of each true value in its normal posterior, 0..1.

    Values without an error are left out, and those of fits of which it is said that they do not explain the
    curve: these claim nothing.
    """
    from scipy.stats import norm

    every = (v for row in rows if row["explains"] for v in row["values"].values())
    known = [v for v in every if v[1] and v[1] < UNKNOWN * abs(v[0])]
    value, error, truth = np.array(known, dtype=float).reshape(-1, 3).T
    return np.asarray(norm.cdf((truth - value) / error))


def covered(places: NDArray[np.float64], share: float) -> float:
    """Part of the truths that the central intervals of this share hold."""
    return float(np.mean(np.abs(places - 0.5) <= share / 2)) if places.size else float("nan")


def uncertainty(rows: Sequence[dict[str, Any]], share: float, draws: int = 400) -> float:
    """Standard error of `covered`: curves are drawn again, as parameters of one curve go together."""
    rng = np.random.default_rng(0)
    each = [ranks([row]) for row in rows]
    each = [one for one in each if one.size]
    if len(each) < 2:
        return float("nan")
    again = rng.integers(len(each), size=(draws, len(each)))
    return float(np.std([covered(np.concatenate([each[i] for i in one]), share) for one in again]))


def table(cases: dict[str, list[dict[str, Any]]]) -> str:
    text = "# Calibration by simulation\n"
    for title, rows in cases.items():
        lines = [_line(form, [r for r in rows if r["form"] == form]) for form in MODELS]
        lines.append(_line("all", rows))
        intervals = [f"{100 * share:.0f} % intervals cover" for share in SHARES]
        header = [
            "model", "curves", "true model fitted", "and explains", "parameters", "without an error",
            *intervals, "bias",
        ]  # fmt: skip
        text += f"\n## {title}\n\n{markdown(header, lines)}"
    return text + (
        "\n![Ranks of the truth](sbc.svg)\n"
        "\nBias: mean of (truth - value) / error, its standard error in brackets where curves are many;"
        " a parameter without an error is said to be undetermined, or only to be longer than the data show.\n"
    )


def _line(name: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    from scipy.stats import norm

    told = [row for row in rows if row["explains"]]
    values = [v for r in told for v in r["values"].values()]
    places = ranks(rows)
    known = [
        f"{percent(covered(places, share))} ± {percent(uncertainty(rows, share))}" if places.size else "–"
        for share in SHARES
    ]
    shift = np.clip(norm.ppf(places), -5, 5)
    bias = f"{shift.mean():+.2f} ({shift.std() / np.sqrt(shift.size):.2f})" if places.size else "–"
    found, blank = sum(r["success"] for r in rows), len(values) - places.size
    return [name, str(len(rows)), str(found), str(len(told)), str(len(values)), str(blank), *known, bias]


def picture(cases: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Histograms of all ranks, and of each model how far they run from an even spread."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * len(cases), 5.2), layout="constrained")
    axes = figure.subplots(2, len(cases), squeeze=False)
    for (title, rows), (top, below) in zip(cases.items(), axes.T, strict=True):
        _histogram(top, ranks(rows))
        top.set_title(title, fontsize="medium")
        for i, form in enumerate(MODELS):
            places = np.sort(ranks([r for r in rows if r["form"] == form]))
            if places.size > 1:
                share, style = np.arange(1, places.size + 1) / places.size, "-" if i < 10 else "--"
                below.plot(places, share - places, style, color=f"C{i % 10}", lw=1, label=form)
        below.axhline(0, color="0.5", lw=0.8)
        below.set(xlim=(0, 1), xlabel="rank of the truth", ylabel="cumulative share - rank")
    handles, names = axes[1, -1].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", fontsize=7, ncols=6, frameon=False)
    with rc_context({"svg.hashsalt": "sasnet"}):
        figure.savefig(path, metadata={"Date": None})


def _histogram(axes: Any, places: NDArray[np.float64]) -> None:
    from scipy.stats import binom

    low, high = binom.ppf([0.025, 0.975], places.size, 1 / BINS)
    axes.axhspan(low, high, color="0.9")
    axes.hist(places, bins=BINS, range=(0, 1), histtype="step", color="C0")
    axes.set(xlim=(0, 1), xlabel="rank of the truth", ylabel="parameters")


def main() -> None:
    parser = parser_of(__doc__, work=True, draws=DRAWS, seed=2026, workers=1)
    parser.add_argument("--systematic", action="store_true")
    parser.add_argument("--named", action="store_true")
    asked = parser.parse_args()
    told = "-named" if asked.named else ""
    case = "slow" if asked.systematic else "exact"
    run(solve, f"sbc-{case}{told}", len(MODELS) * asked.draws, asked.seed, asked.work, asked.workers)
    found = {
        title: list(kept(asked.work / f"sbc-{case}{told}-{asked.seed}.jsonl").values())
        for case, title in CASES.items()
    }
    found = {title: rows for title, rows in found.items() if rows}
    page = table(found)
    show(page, asked.write, __file__)
    if asked.write:
        picture(found, Path(__file__).with_suffix(".svg"))
