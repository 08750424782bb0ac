"""How often could a perfect classifier be right on the realistic protocol, and how near is the network?

``python -m benchmarks curves/limit 80 --work W`` draws curves of the protocol and calculates for each the
evidence of the models that may have made it, under the simulator's own prior and noise: the largest
posterior probability is how often the best possible answer is right. What is done is kept in ``W``, so that
a killed run goes on; ``--write`` puts the tables into ``benchmarks/curves/limit.md``, from any number of
curves.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

os.environ.setdefault("SAS_OPENCL", "none")

import numpy as np

from ..asked import parser_of
from ..kept import kept, run
from .limit_tables import INTERACTING, PROTOCOL, SLOWEST, first_of, page

#: Probability that the network's models reach before others are left out; CPU-seconds of a curve's rivals.
UNTIL, SECONDS = 0.995, 14.0
#: What is drawn: all forms in turn, or those that allow a structure factor, for that alone.
ALL, FACTORS = "limit", "factors"


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
    from sasnet_plugin.simulate.bank import BANK_STEP, LOG_Q_MIN
    from sasnet_plugin.simulate.grid import WIDE_Q
    from sasnet_plugin.simulate.instrument import sample_setting
    from sasnet_plugin.simulate.labelled import SPARED
    from sasnet_plugin.simulate.measure import measured

    from .limit_curves import view

    rng = np.random.default_rng(11)
    views = [view(sample_setting(rng)) for _ in range(40)]
    kept_of = dict.fromkeys(_pages(), 0)
    for seen in views:
        cells = (np.log(WIDE_Q[seen.first : seen.last + 1]) - LOG_Q_MIN) / BANK_STEP
        for name, known in _pages().items():
            rows = rng.integers(len(known), size=6)
            at = np.arange(known.log_intensity.shape[1])
            log_i = [np.interp(cells, at, known.log_intensity[r]) for r in rows]
            curves = np.exp(np.nan_to_num(np.array(log_i), nan=-40.0)) @ seen.matrix.T
            shown = ~measured(np.asarray(curves), seen.setting, rng).uninformative
            kept_of[name] += int(np.sum(shown | (name in SPARED)))
    return {name: float(np.log((many + 1) / (6 * len(views) + 1))) for name, many in kept_of.items()}


def solve(what: str, index: int, seed: int) -> dict[str, Any]:
    """One curve: its truth, what the network says, and the posterior of forms and of structure factors.

    Parameters
    ----------
    what : str
        `ALL`, or `FACTORS` for structure factors alone, of forms that allow one.
    """
    from sasnet_plugin.simulate.priors import allowed_structure_factors, form_models

    from .limit_curves import case as drawn_case

    began = time.process_time()
    forms = [name for name in form_models() if what == ALL or allowed_structure_factors(name)]
    block, place = divmod(index, len(forms))
    form = str(np.random.default_rng([seed, block]).permutation(forms)[place])
    rng = np.random.default_rng([seed, index, 1 if what == ALL else 2])
    case = drawn_case(form, rng, INTERACTING)
    row: dict[str, Any] = {"index": index, "model": form, "success": False}
    if case is not None:
        t = time.process_time()
        case.view.smeared(case.sample)
        row["slow"] = time.process_time() - t > SLOWEST
        if not row["slow"]:
            row |= answered(case, rng) if what == ALL else answered_factor(case, rng)
    return row | {"seconds": time.process_time() - began}


def by_factor(case: Any, rng: np.random.Generator) -> tuple[dict[str, list[Any]], float]:
    """Fits of the true form by structure factor, "" for none, and the loss of the truth."""
    from .limit_rivals import of_factors, of_truth, sharpened

    truth, loss = of_truth(case, _pages().get(case.sample.form))
    if not truth:
        return {}, loss
    best = max(truth, key=lambda one: one.log_weight)
    found = {name: sharpened(case, fits, rng) for name, fits in of_factors(case, best).items()}
    return found | {case.sample.factor: sharpened(case, truth, rng)}, loss


def reach(case: Any) -> float:
    """First q of the window over π/R, R being the effective radius."""
    return float(case.view.setting.q[0] * case.radius / np.pi)


def answered_factor(case: Any, rng: np.random.Generator) -> dict[str, Any]:
    """What is kept of one curve whose structure factor alone is asked for."""
    found, _ = by_factor(case, rng)
    if not found:
        return {}
    by = factor_posterior(found)
    return {
        "success": first_of(by) == case.sample.factor,
        "factor": case.sample.factor,
        "reach": reach(case),
        "by_factor": by,
        "network_factor": network(case)[1],
    }


def answered(case: Any, rng: np.random.Generator) -> dict[str, Any]:
    """What is kept of one curve; nothing where the truth itself gives no curve to its own fit."""
    from .limit_evidence import Clock, posterior

    sample = case.sample
    said, said_factor = network(case)
    clock = Clock(1e9)
    factors, loss = by_factor(case, rng)
    if not factors:
        return {}
    spent = clock.used()
    forms = {sample.form: [one for name in {sample.factor, ""} & factors.keys() for one in factors[name]]}
    forms |= compared(case, said, loss, rng)
    weights = log_weights(case, forms)
    by_form = posterior(weights)
    main = factors[sample.factor][0]
    return {
        "success": first_of(by_form) == sample.form,
        "kept": True,
        "factor": sample.factor,
        "instrument": case.view.setting.instrument,
        "reach": reach(case),
        "posterior": {n: p for n, p in by_form.items() if p > 1e-6},
        "log_weights": {n: round(w, 3) for n, w in weights.items() if np.isfinite(w)},
        "by_factor": factor_posterior(factors),
        "volfraction": float(sample.interaction.get("volfraction", 0.0)),
        "network": {n: p for n, p in said.items() if p > 1e-3},
        "network_factor": said_factor,
        "examined": sum(said[name] for name in forms),
        "rivals": len(forms) - 1,
        "dimensions": int(main.mode.z.size),
        "laplace": main.evidence.laplace,
        "sampled": main.evidence.sampled,
        "effective": main.evidence.effective,
        "reduced_chi2": main.mode.chi2 / float(case.use.sum()),
        "truth_seconds": spent,
    }


def compared(case: Any, said: Mapping[str, float], loss: float, rng: np.random.Generator) -> dict[str, Any]:
    """Fits of the true form's rivals by name, as many as the time allows.

    That a sample interacts, and by which structure factor, rivals are told, as the true form is.
    """
    from sasnet_plugin.simulate.priors import allowed_structure_factors

    from .limit_evidence import Clock
    from .limit_rivals import of_rival, rivals, sharpened

    clock, found = Clock(SECONDS), {}
    for name in rivals(case, said, _pages(), UNTIL):
        if clock.over():
            break
        own = {case.sample.factor} & set(allowed_structure_factors(name))
        fits = of_rival(case, name, _pages()[name], ["", *own], loss)
        found[name] = sharpened(case, fits, rng)
    return found


def log_weights(case: Any, forms: Mapping[str, Any]) -> dict[str, float]:
    """ln of each form's evidence over the share of its curves that show anything.

    Of a dilute sample it is taken as known that it is; of others the true structure factor stands for all.
    """
    from sasnet_plugin.simulate.priors import allowed_structure_factors

    from .limit_rivals import combined

    factor, found = case.sample.factor, {}
    for name, fits in forms.items():
        share = PROTOCOL if factor and factor in allowed_structure_factors(name) else 0.0
        logs = {factor: float(np.log(share or 1.0))} | {"": float(np.log1p(-share))}
        found[name] = combined(fits, logs) - _chances().get(name, 0.0)
    return found


def factor_posterior(factors: Mapping[str, Any]) -> dict[str, float]:
    """Of structure factors of a form that is known, none being ""; empty for a form that allows none."""
    from .limit_evidence import posterior
    from .limit_rivals import combined

    others = [n for n in factors if n]
    if not others:
        return {}
    shares = {n: float(np.log(PROTOCOL / len(others))) for n in others} | {"": float(np.log1p(-PROTOCOL))}
    return posterior({n: combined(fits, shares) for n, fits in factors.items()})


def main() -> None:
    """Draw curves, calculate, print the tables."""
    parser = parser_of(
        __doc__, work=True, factors=(0, "more curves, for the structure factor alone"), workers=1, seed=2026
    )
    parser.add_argument("curves", type=int, nargs="?", default=78, help="so many, 0 for the kept ones alone")
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    run(solve, ALL, asked.curves, asked.seed, asked.work, asked.workers)
    run(solve, FACTORS, asked.factors, asked.seed, asked.work, asked.workers)
    rows, more = (list(kept(asked.work / f"{what}-{asked.seed}.jsonl").values()) for what in (ALL, FACTORS))
    if sum(bool(row.get("kept")) for row in rows) < 2:
        sys.exit(f"{asked.work}: holds fewer than two finished curves; ask for more of them.")
    text = page(rows, [row for row in more if row.get("by_factor")])
    print(text)
    if asked.write:
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
