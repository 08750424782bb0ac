"""Other size distributions for a joint fit, and errors that hold whichever it is.

sasmodels' size of a log-normal distribution is its median, that of the other kinds the mean: with the same
curve it is smaller by half the width squared, which is many errors. Kinds are compared by their means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...simulate.clean import PD_TYPES
from ...simulate.priors import model_info
from ..assessment.over_kinds import Kind, spread_over
from ..ledger import Ledger
from ..pool import answers
from ..problem.free_parameters import fittable
from ..result.model_fit import Parameter
from .joint_fit import joint_fit
from .one_model import JointMinimum, JointTask, fit_one
from .other_shapes import other_proportions
from .result import JointFit

#: Fits whose -2 ln of the evidence lies so far behind the best one may lead with another width: that of the
#: wrong length costs 40 in three curves that are off by 2 %, the wrong kind up to 25.
_LENGTH, _KIND = 60.0, 25.0
_AT_ONCE = 2
#: Width with which one begins that has none.
_WIDTH = 0.1


def whichever_distribution(
    ledger: Ledger, fits: Sequence[JointFit], again: Callable[[JointFit], JointTask], most: float
) -> list[JointFit]:
    """Give the best fit, and those near it within `most` CPU seconds, the size distribution that suits each.
    `again` makes the task that begins where a fit ended.
    """
    if not fits:
        return []
    first = _whichever(ledger, fits[0], again)
    fits_found, end = [first], ledger.spent + most
    for fit in sorted(fits[1:], key=lambda joint: joint.minus_two_log):
        near = fit.minus_two_log < first.minus_two_log + _LENGTH and ledger.spent < end
        fits_found.append(_whichever(ledger, fit, again, first.minus_two_log, end) if near else fit)
    return fits_found


def _whichever(
    ledger: Ledger,
    fit: JointFit,
    again: Callable[[JointFit], JointTask],
    best: float = np.inf,
    end: float = np.inf,
) -> JointFit:
    """The fit with the width of the length that suits best, and of the kind that does where that matters."""
    lengths = [fit, *_fit_in_turn(ledger, other_lengths(again(fit), fit), end)]
    moved = min(lengths, key=lambda length_fit: length_fit.minus_two_log)
    if moved.minus_two_log > best + _KIND:
        return spread_over_kinds(lengths)
    return spread_over_kinds([*lengths, *_fit_in_turn(ledger, other_kinds(again(moved), moved), end)])


def either_proportions(ledger: Ledger, fit: JointFit, again: Callable[[JointFit], JointTask]) -> JointFit:
    """The fit, long or flat, whichever is likelier, with errors that hold the other as well."""
    return spread_over_kinds([fit, *_fit_in_turn(ledger, other_proportions(again(fit), fit), np.inf)])


def _fit_in_turn(ledger: Ledger, tasks: Sequence[JointTask], end: float) -> list[JointFit]:
    """A few at once, until so much CPU is spent, s; what a busy clock says makes no difference."""
    fits_found: list[JointFit] = []
    for i in range(0, len(tasks), _AT_ONCE):
        if ledger.spent < end:
            subset = answers(ledger, fit_one, tasks[i : i + _AT_ONCE], ledger.remaining)
            fits_found += [joint_fit(answer) for _, answer in subset if isinstance(answer, JointMinimum)]
    return fits_found


def other_kinds(task: JointTask, fit: JointFit) -> list[JointTask]:
    """Repeat a fit from its end with other kinds of its widest distribution."""
    widths = _widths(fit)
    if not widths:
        return []
    widest = max(widths, key=lambda n: widths[n])
    distribution = fit.distributions[widest]
    return [_set_start_values(task, {f"{widest}_pd_type": kind}) for kind in PD_TYPES if kind != distribution]


def other_lengths(task: JointTask, fit: JointFit) -> list[JointTask]:
    """Repeat the fit with the width of another length than the widest one, or of each."""
    widths = _widths(fit)
    used = set(
        fittable(model_info(task.name), {n: p.value for n, p in fit.make_curve_fit(0).parameters.items()})
    )
    table = model_info(task.name).parameters.call_parameters
    lengths = [p.name for p in table if p.polydisperse and p.type == "volume" and p.name in used]
    free = [n for n in lengths if f"{n}_pd" not in task.fixed and n not in widths]
    if not widths:
        return [_set_start_values(task, {f"{n}_pd": _WIDTH, f"{n}_pd_type": PD_TYPES[0]}) for n in free]
    widest = max(widths, key=lambda n: widths[n])
    width, distribution = widths[widest], fit.distributions[widest]
    return [
        _set_start_values(task, {f"{widest}_pd": 0.0, f"{n}_pd": width, f"{n}_pd_type": distribution})
        for n in free
    ]


def _widths(fit: JointFit) -> dict[str, float]:
    width_parameters = {n: fit.parameters[f"{n}_pd"] for n in fit.distributions}
    return {n: p.value for n, p in width_parameters.items() if not p.fixed}


def _set_start_values(task: JointTask, values: Mapping[str, Any]) -> JointTask:
    return replace(task, starts=tuple({**(s or {}), **values} for s in task.starts))


def spread_over_kinds(fits: Sequence[JointFit]) -> JointFit:
    """Take the likeliest of fits that differ in their distribution, with errors that cover the others."""
    best = min(fits, key=lambda fit: fit.minus_two_log)
    weights = [float(np.exp(0.5 * (best.minus_two_log - fit.minus_two_log))) for fit in fits]

    def widen_parameters(of_fit: Callable[[JointFit], Mapping[str, Parameter]]) -> dict[str, Parameter]:
        rest = [
            Kind(weight, {**fit.parameters, **of_fit(fit)}, fit.distributions)
            for weight, fit in zip(weights, fits, strict=True)
            if fit is not best
        ]
        best_kind = Kind(1.0, {**best.parameters, **of_fit(best)}, best.distributions)
        return {name: spread_over(name, best_kind, rest) for name in of_fit(best)}

    curve_parameters = tuple(widen_parameters(lambda fit, i=i: fit.own[i]) for i in range(len(best.own)))  # type: ignore[misc]
    return replace(best, parameters=widen_parameters(lambda fit: fit.parameters), own=curve_parameters)
