"""Where a fit ends: on sasmodels' own curve, with errors; what the data do not show stands at its default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...digits import significant
from ...simulate.quick_models.quick import is_quick
from ..ledger import spent
from ..problem.bounds import default_of
from ..problem.experiment import TimeUpError
from ..problem.free_parameters import fittable, independent, moving
from ..problem.model_curves import ModelCurves, curves_of
from ..problem.sums import all_exact, all_nearest, components_of, own_cost, share_errors
from ..result.components import Component, bare, is_amplitude
from ..result.covariance import correlations, errors_of
from ..settings import ASSESSMENT, OPTIMIZE, PROBLEM
from ..task import Task
from .local_search import Descent, LocalMinimum, refine

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Done:
    """Where a fit has ended.

    Parameters
    ----------
    theory : (n,) float array
        I(q), resolution included.
    same : list of str
        What was searched for, but the data do not show beside the free ones.
    slopes : mapping of str to (n,) float array
        Of the residuals by the free parameters, per unit of each; empty where they are too expensive.
    errors : mapping of str to float
        Standard deviations of the free parameters; NaN where they are not known.
    cut : bool
        The time was up before it was at its minimum.
    """

    parameters: dict[str, Any]
    theory: Array
    chisq: float
    free: list[str]
    same: list[str] = field(default_factory=list)
    slopes: Mapping[str, Array] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)
    components: tuple[Component, ...] = ()
    warnings: tuple[str, ...] = ()
    cut: bool = False

    @property
    def bic(self) -> float:
        """Bayesian information criterion, χ² + k ln n; sizes that the data do not show were chosen, too."""
        chosen = [n for n in self.same if "sld" not in n and not bare(n).startswith("volfraction")]
        return self.chisq + (len(self.free) + len(chosen)) * float(np.log(self.theory.size))


def finish(task: Task, start: LocalMinimum, per_decade: int | None, seconds: float) -> Done | None:
    """End a fit where its refinement has led to.

    Returns
    -------
    Done or None
        None where the model has no curve at the start.
    """
    deadline = spent() + seconds
    quick = curves_of(task, per_decade)
    quick.deadline = deadline
    found = refine(quick, start.parameters)
    quick.deadline = np.inf  # what was found in time is told, whatever telling takes
    if found is None:
        return None
    local, found, moved = _own(task, quick, found, deadline)
    least = spent() + OPTIMIZE.least_share * task.budget.seconds
    done = _with_errors(quick, _described(local, found), max(deadline, least))
    known = {**done.errors, **dict.fromkeys(moved.keys() & done.errors.keys(), np.nan)}
    return replace(done, errors=known, warnings=tuple(moved.values()))


def _own(
    task: Task, quick: ModelCurves, found: LocalMinimum, deadline: float
) -> tuple[ModelCurves, LocalMinimum, dict[str, str]]:
    """The same on sasmodels' own curve, refined there where it is another."""
    if not is_quick(task.name) or all_exact(task.name, found.parameters):
        return quick, found, {}
    own = curves_of(task, quick.per_decade, quick=False)
    inside = all_nearest(task.name, found.parameters)
    one = own_cost(task.name, found.parameters, own.q_calculated)
    if inside and not set(inside) & {*task.fixed, *task.ranges} and spent() + 10 * one > deadline:
        return quick, replace(found, parameters=found.parameters | inside), _moved(found, inside)
    chisq, parameters = own.better(found.parameters, (np.inf, {}))
    if abs(chisq - found.chisq) > OPTIMIZE.same_share * (chisq + len(own.curve)):
        own.deadline = max(deadline, spent() + OPTIMIZE.least_share * task.budget.seconds)
        better = refine(own, found.parameters)
        own.deadline = np.inf
        return own, better or LocalMinimum(parameters, chisq, found.cut), {}
    return own, LocalMinimum(parameters, chisq, found.cut), {}


def _moved(found: LocalMinimum, values: Mapping[str, float]) -> dict[str, str]:
    """That other values have the same curve: outside its table, one of a lattice's may cost minutes."""
    return {
        name: f"A curve with {name} {significant(found.parameters[name], 3)} takes too long to calculate:"
        f" {significant(value, 3)} is kept."
        for name, value in values.items()
    }


def _described(local: ModelCurves, found: LocalMinimum) -> Done:
    """As it stands: how well the data determine its parameters is not known."""
    curves = local.intensity(found.parameters)
    residual, scales, background = local.residual(curves, found.parameters, local.error(0.0))
    free = [n for n in fittable(local.info, found.parameters) if n not in local.fixed]
    theory = scales @ curves + background  # not finite where the model has no value
    parts = components_of(local.name, local.curve.q, scales[:, None] * curves, scales)
    most = max(1, len(local.curve) - 1)
    chisq = float(residual @ residual)
    return Done(found.parameters, theory, chisq, free[:most], components=parts, cut=found.cut)


def unfinished(task: Task, found: LocalMinimum, per_decade: int | None) -> Done:
    """A refined start as it stands."""
    return _described(curves_of(task, per_decade), found)


def as_it_stands(task: Task, start: dict[str, Any]) -> Done:
    """Values at their best scale and background, with what the data show of them free; no errors."""
    local = curves_of(task, None)
    chisq, values = local.better(start, (np.inf, start))
    done = _with_errors(local, _described(local, LocalMinimum(values, chisq)), np.inf)
    return replace(done, slopes={}, errors={})


def _with_errors(local: ModelCurves, done: Done, deadline: float) -> Done:
    """With slopes and errors, and without what the data do not show."""
    local.deadline = deadline
    try:
        columns = Descent(local, done.parameters, 0.0).natural()
    except TimeUpError:
        return done
    finally:
        local.deadline = np.inf
    own = {name: column for name, column in columns.items() if name in done.free}
    shown = independent(own)[: len(done.free)]
    slopes = {name: own[name] for name in shown}
    same = [name for name in done.free if name not in shown]
    errors = _errors(own, shown, same, done.parameters)
    parts = share_errors(done.components, done.parameters, slopes)
    return replace(done, free=shown, same=same, slopes=slopes, errors=errors, components=parts)


def _errors(
    columns: Mapping[str, Array], shown: Sequence[str], same: Sequence[str], values: Mapping[str, Any]
) -> dict[str, float]:
    """Standard deviations of what the data show; of sizes whatever those have that are not told from them.

    These are known beforehand to a factor. An amplitude is what it is for their values, and its contrast is
    known but for a factor.
    """
    known = {name: columns[name] for name in shown}
    beside = moving({name: columns[name] for name in same if name in columns and _is_shape(name)})
    if not known or not beside:
        return errors_of(known) if known else {}
    reach = np.log(PROBLEM.size_reach)
    before = [1 / (reach * abs(float(values.get(name, 0.0))) or 1.0) for name in beside]
    rows = np.hstack([np.zeros((len(beside), len(known))), np.diag(before)])
    every = np.vstack([np.stack([*known.values(), *beside.values()], axis=1), rows])
    together = errors_of(dict(zip([*known, *beside], every.T, strict=True)))
    return {n: together[n] if _is_shape(n) else error for n, error in errors_of(known).items()}


def _is_shape(name: str) -> bool:
    """Whether a parameter is neither an intensity nor a contrast."""
    return not (is_amplitude(name) or name == "background")


def weakly_shown(
    done: Done, info: Any, fixed: Mapping[str, float], ranges: Mapping[str, tuple[float, float]]
) -> dict[str, float]:
    """Parameters that the data hardly show, with their defaults: widths 0, others sasmodels'.

    Contrasts are left out: `problem.conventions` brings them to what is usual; lengths, of which none is
    usual; and what a user's range keeps from its default.
    """
    found = {}
    # Beside what is not told from it, which is held at its default first.
    errors = errors_of(done.slopes) if done.slopes else {}
    lengths = {p.name for p in info.parameters.call_parameters if "volume" in p.type or p.units == "Ang"}
    kept = lengths | {*fixed, "background"}
    for name in (n for n in (*done.same, *done.free) if n not in kept and not is_amplitude(n)):
        value, default = float(done.parameters.get(name, 0.0)), default_of(info, name)
        low, high = ranges.get(name, (-np.inf, np.inf))
        least = abs(value) / (ASSESSMENT.significant if name.endswith("_pd") else 1.0)
        if value != default and low <= default <= high and errors.get(name, np.inf) > least:
            found[name] = default
    return found


def strong_pairs(slopes: Mapping[str, NDArray[np.float64]]) -> dict[tuple[str, str], float]:
    """Pairs of fitted parameters with |r| of at least 0.95, the strongest first."""
    r = correlations(slopes)
    found = {
        (a, b): float(r[i, j])
        for i, a in enumerate(slopes)
        for j, b in enumerate(slopes)
        if i < j and abs(r[i, j]) >= OPTIMIZE.strong
    }
    return dict(sorted(found.items(), key=lambda item: -abs(item[1])))
