"""Other kinds of size distribution for a joint fit, and errors that hold whichever it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...simulate.clean import PD_TYPES
from ...simulate.priors import model_info
from ..result.model_fit import Parameter
from .one_model import JointTask
from .result import JointFit

#: Width with which one begins that has none.
_WIDTH = 0.1


def other_kinds(task: JointTask, fit: JointFit) -> list[JointTask]:
    """The same from where it has ended, with each other kind of the distribution of its widest length.

    Parameters
    ----------
    task : JointTask
        Begins where the fit has ended.
    fit : JointFit
        Without a width one kind is tried, of the model's first length.
    """
    widths = {n: fit.parameters[f"{n}_pd"].value for n in fit.distributions if not _fixed(fit, f"{n}_pd")}
    name = max(widths, key=lambda n: widths[n], default=_first(task))
    if name is None or f"{name}_pd" in task.fixed:
        return []
    now = fit.distributions.get(name) if name in widths else None
    begin, kinds = ({}, PD_TYPES) if name in widths else ({f"{name}_pd": _WIDTH}, PD_TYPES[:1])
    return [
        replace(task, starts=tuple({**(s or {}), **begin, f"{name}_pd_type": kind} for s in task.starts))
        for kind in kinds
        if kind != now
    ]


def _fixed(fit: JointFit, name: str) -> bool:
    return fit.parameters[name].fixed


def _first(task: JointTask) -> str | None:
    table = model_info(task.name).parameters.call_parameters
    return next((p.name for p in table if p.polydisperse and p.type == "volume"), None)


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
        values = np.array([one[name].value if name in one else p.value for one in each])
        return replace(p, error=float(np.sqrt(p.error**2 + weight @ (values - p.value) ** 2)))

    shared = {n: widened(n, p, [f.parameters for f in fits]) for n, p in best.parameters.items()}
    own = tuple(
        {n: widened(n, p, [f.own[i] for f in fits]) for n, p in one.items()} for i, one in enumerate(best.own)
    )
    return replace(best, parameters=shared, own=own)
