"""How often could a perfect classifier be right on the realistic protocol, and how near is the network?

``python -m benchmarks curves/limit 80 --work W`` draws curves of the protocol and calculates for each the
evidence of the models that may have made it, under the simulator's own prior and noise: the largest posterior
probability is how often the best possible answer is right. What is done is kept in ``W``, so that a killed run
goes on; ``--write`` puts the tables into ``benchmarks/curves/limit.md``, from any number of curves.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

os.environ.setdefault("SAS_OPENCL", "none")

import numpy as np
from numpy.typing import NDArray

from ..kept import kept, run
from ..tables import markdown

Floats = NDArray[np.float64]
#: Of the samples that can interact, so many do here, for the structure factor's sake; figures of all curves
#: are weighted back to the protocol's.
INTERACTING, PROTOCOL = 0.5, 0.25
#: Probability that the network's models reach before others are left out; CPU-seconds of a curve's rivals.
UNTIL, SECONDS = 0.995, 18.0
#: A true curve that takes longer is left out, s.
SLOWEST = 0.05


@lru_cache(maxsize=1)
def _pages() -> dict[str, Any]:
    from sasnet_plugin.fitting.api import bank_path
    from sasnet_plugin.simulate.bank import Bank

    bank = Bank(bank_path())
    pages = {name: bank.page(name) for name in bank.models}
    bank.close()
    return pages


def network(case: Any) -> tuple[dict[str, float], dict[str, float]]:
    """The packaged network's probabilities of form models and of structure factors, all models alike."""
    from sasnet_plugin.data.preprocess import features_of_rows
    from sasnet_plugin.predict.curves import open_classifier
    from sasnet_plugin.report.evaluation import decoded

    classifier = open_classifier()
    setting, found = case.view.setting, case.measured
    features = features_of_rows(setting.q, found.intensity, found.dintensity, setting.dq, setting.dxl)
    said = decoded(classifier.predictor.outputs({"features": features}), classifier.manifest)
    forms = dict(zip(classifier.manifest.labels, said.form[0].tolist(), strict=True))
    names = ("", *classifier.structure_factors)
    given = said.form[0] @ said.structure_factor[0]
    return forms, dict(zip(names, given.tolist(), strict=True))


@lru_cache(maxsize=1)
def _chances() -> dict[str, float]:
    """ln of the share of each model's curves that show something, from the bank's curves."""
    from sasnet_plugin.simulate.grid import WIDE_Q
    from sasnet_plugin.simulate.bank import BANK_STEP, LOG_Q_MIN
    from sasnet_plugin.simulate.instrument import sample_setting
    from sasnet_plugin.simulate.labelled import SPARED
    from sasnet_plugin.simulate.measure import measured

    from .limit_curves import view

    rng = np.random.default_rng(11)
    views = [view(sample_setting(rng)) for _ in range(40)]
    kept_of = dict.fromkeys(_pages(), 0)
    for seen in views:
        cells = (np.log(WIDE_Q[seen.first : seen.last + 1]) - LOG_Q_MIN) / BANK_STEP
        for name, page in _pages().items():
            rows = rng.integers(len(page), size=6)
            log_i = [np.interp(cells, np.arange(page.log_intensity.shape[1]), page.log_intensity[r]) for r in rows]
            curves = np.exp(np.nan_to_num(np.array(log_i), nan=-40.0)) @ seen.matrix.T
            shown = ~measured(np.asarray(curves), seen.setting, rng).uninformative
            kept_of[name] += int(np.sum(shown | (name in SPARED)))
    return {name: float(np.log((many + 1) / (6 * len(views) + 1))) for name, many in kept_of.items()}


def solve(_: str, index: int, seed: int) -> dict[str, Any]:
    """One curve: its truth, what the network says, and the posterior of forms and of structure factors."""
    from sasnet_plugin.simulate.priors import form_models

    from .limit_curves import case as drawn_case

    began = time.process_time()
    forms = form_models()
    block, place = divmod(index, len(forms))
    form = str(np.random.default_rng([seed, block]).permutation(forms)[place])
    rng = np.random.default_rng([seed, index, 1])
    case = drawn_case(form, rng, INTERACTING)
    row: dict[str, Any] = {"index": index, "model": form, "success": False}
    if case is not None:
        t = time.process_time()
        case.view.smeared(case.sample)
        row["slow"] = time.process_time() - t > SLOWEST
        if not row["slow"]:
            row |= answered(case, rng)
    return row | {"seconds": time.process_time() - began}


def answered(case: Any, rng: np.random.Generator) -> dict[str, Any]:
    """What is kept of one curve."""
    from sasnet_plugin.simulate.priors import allowed_structure_factors

    from .limit_evidence import Clock, posterior
    from .limit_rivals import combined, of_factors, of_rival, of_truth, rivals, sharpened

    sample, pages = case.sample, _pages()
    said, said_factor = network(case)
    clock = Clock(SECONDS)
    truth, loss = of_truth(case, pages.get(sample.form))
    if not truth:
        return {}
    interacting = bool(sample.factor)
    order = rivals(case, said, pages, UNTIL)
    found: dict[str, list[Any]] = {sample.form: sharpened(case, truth, rng)}
    examined = said[sample.form]
    factors = of_factors(case, loss) if allowed_structure_factors(sample.form) else {}
    factors = {name: sharpened(case, fits, rng) for name, fits in factors.items()}
    factors[sample.factor] = found[sample.form]
    if interacting:
        found[sample.form] = [*found[sample.form], *factors[""]]
    left = Clock(SECONDS)
    for name in order:
        if left.over():
            break
        allowed = allowed_structure_factors(name)
        asked = ["", sample.factor] if interacting and sample.factor in allowed else [""]
        found[name] = sharpened(case, of_rival(case, name, pages[name], asked, loss), rng)
        examined += said[name]
    weights = {}
    for name, fits in found.items():
        share = 0.25 if interacting and sample.factor in allowed_structure_factors(name) else 0.0
        logs = {"": float(np.log(1 - share)), sample.factor or "none": float(np.log(share or 1.0))}
        weights[name] = combined(fits, logs) - _chances().get(name, 0.0)
    by_form = posterior({n: w for n, w in weights.items()})
    by_factor = {}
    if len(factors) > 1:
        others = [n for n in factors if n]
        shares = {n: float(np.log(PROTOCOL / len(others))) for n in others} | {"": float(np.log(1 - PROTOCOL))}
        by_factor = posterior({n: combined(fits, shares) for n, fits in factors.items()})
    main = found[sample.form][0]
    best = max(by_form, key=lambda n: by_form[n])
    return {
        "success": best == sample.form,
        "kept": True,
        "factor": sample.factor,
        "instrument": case.view.setting.instrument,
        "reach": float(case.view.setting.q[0] * case.radius / np.pi),
        "posterior": {n: p for n, p in by_form.items() if p > 1e-6},
        "log_weights": {n: round(w, 3) for n, w in weights.items() if np.isfinite(w)},
        "by_factor": by_factor,
        "volfraction": float(sample.interaction.get("volfraction", 0.0)),
        "network": {n: p for n, p in said.items() if p > 1e-3},
        "network_factor": said_factor,
        "examined": examined,
        "rivals": len(found) - 1,
        "dimensions": int(main.mode.z.size),
        "laplace": main.evidence.laplace,
        "sampled": main.evidence.sampled,
        "effective": main.evidence.effective,
        "reduced_chi2": main.mode.chi2 / float(case.use.sum()),
        "truth_seconds": clock.used() - left.used(),
    }


def mean_of(values: Sequence[float], weights: Floats) -> str:
    """A weighted mean in per cent with its standard error."""
    x = np.asarray(values, dtype=float)
    if x.size < 2:
        return "–"
    w = weights / weights.sum()
    mean = float(w @ x)
    error = float(np.sqrt(np.sum((w * (x - mean)) ** 2) * x.size / (x.size - 1)))
    return f"{100 * mean:.1f} ± {100 * error:.1f}"


def protocol_weights(rows: Sequence[Mapping[str, Any]]) -> Floats:
    """Of curves that interact, and of those that could but do not, as many as the protocol has."""
    up, down = PROTOCOL / INTERACTING, (1 - PROTOCOL) / (1 - INTERACTING)
    return np.array([up if r["factor"] else down if r["by_factor"] else 1.0 for r in rows])


def forms_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Best possible and network, first answers, by instrument."""
    header = ["curves", "number", "perfect classifier, expected", "perfect classifier, truth first", "network, truth first", "network, expected"]
    groups = {"all": list(rows)}
    for row in rows:
        groups.setdefault(str(row["instrument"]), []).append(row)
    lines = []
    for name, some in groups.items():
        w = protocol_weights(some)
        cells = [
            [max(r["posterior"].values()) for r in some],
            [float(r["success"]) for r in some],
            [float(max(r["network"], key=r["network"].get) == r["model"]) for r in some],
            [max(r["network"].values()) for r in some],
        ]
        lines.append([name, str(len(some)), *(mean_of(c, w) for c in cells)])
    return markdown(header, lines)


def factors_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Structure factor: is there one, and its type, by the window."""
    can = [r for r in rows if r["by_factor"]]
    header = ["curves", "number", "perfect, expected", "perfect, truth first", "of those with one: type first", "network: that", "there is one, AUC-like: mean p with one", "without one"]
    windows = {
        "all that can interact": lambda r: True,
        "window begins below 0.8 π/R": lambda r: r["reach"] < 0.8,
        "beyond": lambda r: r["reach"] >= 0.8,
    }
    lines = []
    for name, chosen in windows.items():
        some = [r for r in can if chosen(r)]
        w = protocol_weights(some)
        first = [float(max(r["by_factor"], key=r["by_factor"].get) == r["factor"]) for r in some]
        has = [r for r in some if r["factor"]]
        none = [r for r in some if not r["factor"]]
        ones = np.ones
        lines.append(
            [
                name,
                str(len(some)),
                mean_of([max(r["by_factor"].values()) for r in some], w),
                mean_of(first, w),
                mean_of([f for f, r in zip(first, some, strict=True) if r["factor"]], ones(len(has))),
                mean_of([float(max(r["network_factor"], key=r["network_factor"].get) == r["factor"]) for r in has], ones(len(has))),
                mean_of([1 - r["by_factor"][""] for r in has], ones(len(has))),
                mean_of([1 - r["by_factor"][""] for r in none], ones(len(none))),
            ]
        )
    return markdown(header, lines)


def reliability(rows: Sequence[Mapping[str, Any]]) -> str:
    """Whether the truth is first as often as the posterior says, in bins of it."""
    lines = []
    w = protocol_weights(rows)
    top = np.array([max(r["posterior"].values()) for r in rows])
    right = np.array([float(r["success"]) for r in rows])
    for low, high in ((0.0, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 0.995), (0.995, 1.01)):
        some = (top >= low) & (top < high)
        if some.any():
            said, was = mean_of(top[some], w[some]), mean_of(right[some], w[some])
            lines.append([f"{100 * low:.4g} to {100 * min(high, 1):.4g} %", str(int(some.sum())), said, was])
    return markdown(["largest posterior probability", "curves", "its mean / %", "truth first / %"], lines)


def page(rows: Sequence[Mapping[str, Any]]) -> str:
    """All tables with what they hold for."""
    good = [r for r in rows if r.get("kept")]
    slow = [str(r["model"]) for r in rows if r.get("slow")]
    sampled = np.array([r["effective"] >= 5 for r in good])
    apart = np.array([abs(r["laplace"] - r["sampled"]) for r in good])[sampled]
    examined = np.mean([r["examined"] for r in good])
    return "\n".join(
        [
            "# The limit: how often a perfect classifier would be right\n",
            f"{len(good)} curves of the realistic protocol, all form models in turn; shares in % with standard errors.\n",
            forms_table(good),
            "Structure factor, the form being known:\n",
            factors_table(good),
            "Whether the posterior can be believed:\n",
            reliability(good),
            f"Evidence by samples for {100 * sampled.mean():.0f} % of the true models (median of {np.median([r['effective'] for r in good]):.0f} effective samples), where Laplace's formula is {np.median(apart):.2f} off in ln p at the median and {np.quantile(apart, 0.9):.1f} for nine in ten. The models compared hold {100 * examined:.1f} % of the network's probability. Left out, as one curve takes more than {1000 * SLOWEST:.0f} ms: {len(slow)} curves ({', '.join(sorted(set(slow))) or 'none'}).\n",
        ]
    )


def main() -> None:
    """Draw curves, calculate, print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("curves", type=int, nargs="?", default=78, help="so many, 0 for the kept ones alone")
    parser.add_argument("--work", type=Path, required=True, help="folder for what is done")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--write", action="store_true", help="keep the tables beside this file")
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    run(solve, "limit", asked.curves, asked.seed, asked.work, asked.workers)
    rows = list(kept(asked.work / f"limit-{asked.seed}.jsonl").values())
    text = page(rows)
    print(text)
    if asked.write:
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
