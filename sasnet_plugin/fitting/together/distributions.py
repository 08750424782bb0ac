"""Other size distributions for a joint fit, and errors that hold whichever it is.

sasmodels' size of a log-normal distribution is its median, that of the other kinds the mean: with the same
curve it is smaller by half the width squared, which is many errors. Kinds are compared by their means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...simulate.clean import PD_TYPES
from ...simulate.priors import model_info
from ..result.model_fit import Parameter, over_median
from .one_model import JointTask
from .result import JointFit

#: Width with which one begins that has none.
_WIDTH = 0.1


def other_widths(task: JointTask, fit: JointFit) -> list[JointTask]:
    """The same from where it has ended: other kinds of its widest distribution, and that of another length.

    Parameters
    ----------
    task : JointTask
        Begins where the fit has ended.
    fit : JointFit
        Without a width one is tried of each length.
    """
    widths = {n: fit.parameters[f"{n}_pd"].value for n in fit.distributions if not _fixed(fit, f"{n}_pd")}
    table = model_info(task.name).parameters.call_parameters
    lengths = [p.name for p in table if p.polydisperse and p.type == "volume"]
    free = [n for n in lengths if f"{n}_pd" not in task.fixed and n not in widths]
    if not widths:
        return [_with(task, {f"{n}_pd": _WIDTH, f"{n}_pd_type": PD_TYPES[0]}) for n in free]
    widest = max(widths, key=lambda n: widths[n])
    now = fit.distributions[widest]
    kinds = [_with(task, {f"{widest}_pd_type": kind}) for kind in PD_TYPES if kind != now]
    moved = [_with(task, {f"{widest}_pd": 0.0, f"{n}_pd": widths[widest], f"{n}_pd_type": now}) for n in free]
    return kinds + moved


def _with(task: JointTask, values: Mapping[str, Any]) -> JointTask:
    return replace(task, starts=tuple({**(s or {}), **values} for s in task.starts))


def _fixed(fit: JointFit, name: str) -> bool:
    return fit.parameters[name].fixed


def over_kinds(fits: Sequence[JointFit]) -> JointFit:
    """The likeliest of fits that differ in their distribution, with errors that hold the others as well.

    Parameters
    ----------
    fits : sequence of JointFit
        Of the same model.
    """
    best = min(fits, key=lambda fit: fit.bic)
    weight = np.exp(0.5 * (best.bic - np.array([fit.bic for fit in fits])))
    weight = weight / weight.sum()

    def widened(name: str, p: Parameter, each: Sequence[Mapping[str, Parameter]]) -> Parameter:
        if p.error is None or name.endswith("_pd"):  # widths of other kinds are other numbers
            return p
        own = over_median(best.parameters, best.distributions, name)
        values = np.array(
            [
                one[name].value * over_median(fit.parameters, fit.distributions, name) / own
                if name in one
                else p.value
                for fit, one in zip(fits, each, strict=True)
            ]
        )
        return replace(p, error=float(np.sqrt(p.error**2 + weight @ (values - p.value) ** 2)))

    shared = {n: widened(n, p, [f.parameters for f in fits]) for n, p in best.parameters.items()}
    own = tuple(
        {n: widened(n, p, [f.own[i] for f in fits]) for n, p in one.items()} for i, one in enumerate(best.own)
    )
    return replace(best, parameters=shared, own=own)
