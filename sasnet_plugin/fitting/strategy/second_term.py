"""What a second term promises beside a fit before it is fitted: evidence of both in linear approximation.

A weak power law under a sphere changes the curve by less than a bank's curve misses it; beside the fit that
is there it shows in the residuals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...arrays import Floats
from ...simulate.kernel import call
from ...types import SasnetError
from ..evidence.marginal import evidence
from ..problem.experiment import starting_values
from ..problem.free_parameters import moves
from ..problem.sums import as_part, prefix
from ..result.model_fit import ModelFit, Parameter
from ..start_values.sums import TERMS, values_of
from .hypothesis import Hypothesis, second_share
from .state import State


@dataclass(frozen=True)
class Promise:
    """What a sum may become."""

    gain: float  #: ln of its posterior probability over that of the fit.
    start: dict[str, Any]


def promises(state: State, best: Hypothesis) -> Iterator[tuple[Hypothesis, Promise]]:
    """Yield what each second term promises next to a fit with slopes."""
    fit = state.fits[best]
    if best.second is not None or not fit.derivatives or best.form.endswith(".py"):
        return
    for term in TERMS:
        sum_hypothesis = replace(best, second=term)
        key = sum_hypothesis, best, fit.chisq
        if key not in state.expected:
            state.expected[key] = _promise(state, fit, sum_hypothesis)
        if (promise := state.expected[key]) is not None:
            yield sum_hypothesis, promise


def _promise(state: State, fit: ModelFit, hypothesis: Hypothesis) -> Promise | None:
    """Return the promise of the term's best value; None if its scale is negative."""
    term = str(hypothesis.second)
    name, fixed = TERMS[term]
    columns = np.stack([c for c in fit.derivatives.values() if moves(c)], axis=1)
    basis = np.linalg.qr(columns / np.linalg.norm(columns, axis=0))[0]
    residual = state.discrepancy.residual(fit)
    remainder = residual - basis @ (basis.T @ residual)
    trials = []
    q = state.curve.q
    for value in values_of(term, float(q[0]), float(q[-1])):
        if value < 0:  # what rises is a background
            continue
        curve = _curve(state, term, {name: value, **fixed})
        if curve is None:
            continue
        new_part = curve - basis @ (basis.T @ curve)
        size, length = float(new_part @ remainder), float(new_part @ new_part)
        if min(size, length) > 0:
            trials.append((size**2 / length, value, size / length))
    if not trials:
        return None
    _, value, scale = max(trials)
    return _predict_sum(state, fit, hypothesis, value, scale)


def _predict_sum(
    state: State, fit: ModelFit, hypothesis: Hypothesis, value: float, scale: float
) -> Promise | None:
    """The sum's evidence with what the body's parameters make of it, in linear approximation."""
    term = str(hypothesis.second)
    (name, fixed), second = TERMS[term], prefix(1)
    step = 1e-3 * value
    slope_at, slope_beyond = (_curve(state, term, {name: v, **fixed}) for v in (value, value + step))
    if slope_at is None or slope_beyond is None:
        return None
    slopes = dict(fit.derivatives) | {
        f"{second}scale": slope_at,
        f"{second}{name}": scale * (slope_beyond - slope_at) / step,
    }
    columns = np.stack(list(slopes.values()), axis=1)
    length = np.maximum(np.linalg.norm(columns, axis=0), np.finfo(float).tiny)
    residual = state.discrepancy.residual(fit)
    moved = np.linalg.lstsq(columns / length, residual, rcond=1e-6)[0] / length
    added = state.dintensity * (columns @ moved)
    new_parameters = {
        f"{second}scale": Parameter(max(scale, 1e-300), None, "", False, 0.0, np.inf),
        f"{second}{name}": Parameter(value, None, "", False, -np.inf, np.inf),
    }
    after = replace(
        fit, parameters={**fit.parameters, **new_parameters}, derivatives=slopes, theory=fit.theory + added
    )
    gain = 0.5 * (
        evidence(state.discrepancy, fit).minus_two_log - evidence(state.discrepancy, after).minus_two_log
    )
    values = starting_values(fit)
    start = as_part(values, 0) | as_part({name: value, **fixed}, 1)
    start |= {f"{prefix(0)}scale": values["scale"], f"{second}scale": scale}
    start["background"] = values["background"]
    return Promise(float(gain + np.log(second_share(hypothesis))), start)


def _curve(state: State, term: str, parameters: dict[str, float]) -> Floats | None:
    """(n,) of scale 1, in uncertainties, without resolution, which hardly changes what is so smooth."""
    try:
        weighted = call(term, state.curve.q, parameters).intensity / state.dintensity
    except SasnetError:
        return None
    return np.asarray(weighted) if np.all(np.isfinite(weighted)) else None
