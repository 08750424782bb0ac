"""Which models AutoSAS is to fit to some curves, with start values and bounds, as its ``model_inputs``."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...types import Curve, SasnetError, product_name

if TYPE_CHECKING:
    from ...fitting.result.model_fit import ModelFit
    from ...predict.findings import Answer
    from ...simulate.bank import Bank

#: Form model and structure factor.
Pair = tuple[str, str | None]
#: Bounds of scale and background beside their start values: a factor, as AutoSAS's own examples have it.
REACH = 1e3
#: Seconds of a candidate's fit, from whose end AutoSAS starts.
SECONDS = 3.0
#: A pair of less probability for every curve is left out.
LEAST = 0.02


def candidates(curves: Sequence[Curve], top: int = 4, least: float = LEAST) -> list[dict[str, Any]]:
    """List candidates for curves, the most probable first, at least `least` probable for one."""
    # Each has ``name``, ``sasmodel``, ``q_min``, ``q_max`` (Å⁻¹) and ``fit_params`` with ``value`` and, if
    # fitted, ``bounds``, from a short fit to the curve of highest probability. Raises SasnetError without
    # curves or if none resembles anything known.
    from ...predict import open_predictor
    from ...simulate.bank import Bank
    from ...zoo import bank_path

    predictor = open_predictor()
    choice = predictor.choice(len(predictor.manifest.labels))
    answers = predictor.answers(curves, choice) if curves else []
    pairs = _select_pairs(curves, answers, least)
    bank = Bank(bank_path())
    window = _window(curves) if curves else {}
    made_candidates = filter(None, (_make_candidate(pair, curve, bank) for pair, curve in pairs.items()))
    found_candidates = [candidate | window for candidate in itertools.islice(made_candidates, top)]
    if not found_candidates:
        raise SasnetError(
            "these curves are unlike all library models, so AutoSAS gets no candidates; give its"
            " model_inputs yourself."
        )
    return found_candidates


def _pairs(answer: Answer) -> list[tuple[Pair, float]]:
    from ...predict.predictor import suggestion_of

    suggestion = suggestion_of(answer)
    return (
        [((model.name, model.structure_factor), model.probability) for model in suggestion.models]
        if answer.known
        else []
    )


def _window(curves: Sequence[Curve]) -> dict[str, float]:
    """AutoSAS leaves out what lies outside; a little more, as the ends are compared after rounding."""
    low, high = min(c.q[0] for c in curves), max(c.q[-1] for c in curves)
    return {"q_min": float(low) * (1 - 1e-6), "q_max": float(high) * (1 + 1e-6)}


def _select_pairs(curves: Sequence[Curve], answers: Sequence[Answer], least: float) -> dict[Pair, Curve]:
    """Pairs by falling sum of their probabilities, each with the curve for which it is the most probable."""
    best: dict[Pair, tuple[float, Curve]] = {}
    total: dict[Pair, float] = {}
    for curve, answer in zip(curves, answers, strict=True):
        for pair, p in _pairs(answer):
            total[pair] = total.get(pair, 0.0) + p
            if p > best.get(pair, (0.0, curve))[0]:
                best[pair] = p, curve
    order = sorted(total, key=lambda pair: -total[pair])
    return {pair: best[pair][1] for pair in order if best[pair][0] >= least}


def _make_candidate(pair: Pair, curve: Curve, bank: Bank) -> dict[str, Any] | None:
    """A candidate; None where no start of the bank leads anywhere."""
    from ...fitting.api import uncertainties
    from ...fitting.pool import answer_of
    from ...fitting.strategy.fit_candidate import fit_candidate
    from ...fitting.task import Budget, Task

    form, factor = pair
    if form not in bank.models:
        return None
    budget = Budget(SECONDS)
    task = Task(curve, uncertainties(curve)[0], form, factor, budget=budget, as_measured=True)
    fit = answer_of(fit_candidate, task, bank, budget)
    if fit is None or isinstance(fit, Exception):
        return None
    name = product_name(form, factor)
    return {"name": name.replace("@", "_"), "sasmodel": name, "fit_params": _parameters(fit, name)}


def _parameters(fit: ModelFit, name: str) -> dict[str, dict[str, Any]]:
    from ...simulate.kernel import load_model

    call_parameters = {p.name: p for p in load_model(name).info.parameters.call_parameters}
    return {
        key: {
            "value": float(parameter.value),
            "bounds": None if parameter.fixed else _bounds(call_parameters.get(key), key, parameter.value),
        }
        for key, parameter in fit.parameters.items()
        if _is_number(key, parameter.value)
    }


def _is_number(name: str, value: Any) -> bool:
    """Whether AutoSAS may set it: kinds of distributions and choices it may not."""
    return isinstance(value, int | float) and not name.endswith("_type") and math.isfinite(value)


def _bounds(parameter: Any, name: str, value: float) -> list[float] | None:
    """Return bounds of what is fitted; None without finite ones, and it is fixed."""
    from ...fitting.problem.bounds import reach_of

    size = max(abs(value), 1e-8)
    if name == "scale":
        low, high = size / REACH, size * REACH
    elif name == "background":
        low, high = 0.0, size * REACH
    elif name.endswith("_pd"):
        low, high = 0.0, 1.0
    elif parameter is None:
        return None
    else:
        low, high = reach_of(parameter, value)
    return [low, high] if -math.inf < low < high < math.inf else None
