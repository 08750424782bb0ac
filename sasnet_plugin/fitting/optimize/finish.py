"""Where a fit ends: on sasmodels' own curve, with errors; what the data do not show stands at its default."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import filterfalse
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ...digits import significant
from ..ledger import read_spent_time
from ..problem.bounds import default_of
from ..problem.experiment import TimeUpError
from ..problem.free_parameters import independent, moving
from ..problem.model_curves import ModelCurves, curves_of
from ..problem.sums import all_exact, all_nearest, components_of, own_cost, share_errors
from ..result.components import Component, bare, is_amplitude
from ..result.fit_warning import FitWarning
from ..result.reported_values import correlations, errors_of
from ..result.sample_result import Key
from ..settings import ASSESSMENT, OPTIMIZE, PROBLEM
from ..task import Task
from .least_squares_problem import LeastSquaresProblem
from .local_search import LocalMinimum, refine


@dataclass(frozen=True)
class Done:
    """Where a fit has ended."""

    parameters: dict[str, Any]
    theory: Floats  #: (n,), I(q), resolution included.
    chisq: float
    free: list[str]
    #: What was searched for, but the data do not show beside the free ones.
    same: list[str] = field(default_factory=list)
    #: Of the residuals by the free parameters, per unit of each; empty where they are too expensive.
    slopes: Mapping[str, Floats] = field(default_factory=dict)
    #: Standard deviations of the free parameters; NaN where they are not known.
    errors: Mapping[str, float] = field(default_factory=dict)
    components: tuple[Component, ...] = ()
    warnings: tuple[FitWarning, ...] = ()
    cut: bool = False  #: The time was up before it was at its minimum.

    @property
    def bic(self) -> float:
        """Bayesian information criterion, χ² + k ln n; sizes that the data do not show were chosen, too."""
        chosen = [n for n in self.same if "sld" not in n and not bare(n).startswith("volfraction")]
        return self.chisq + (len(self.free) + len(chosen)) * float(np.log(self.theory.size))


def finish(task: Task, start: LocalMinimum, per_decade: int | None, seconds: float) -> Done | None:
    """End a fit where its refinement led; None if the model has no curve at the start."""
    deadline = read_spent_time() + seconds
    quick = curves_of(task, per_decade)
    quick.deadline = deadline
    minimum = refine(quick, start.parameters)
    quick.deadline = np.inf  # what was found in time is told, whatever telling takes
    if minimum is None:
        return None
    local, minimum, moved = _own(task, quick, minimum, deadline)
    if minimum.chisq >= PROBLEM.no_value**2 * len(local.curve):  # sasmodels' own curve has no value there
        return None
    least = read_spent_time() + OPTIMIZE.least_share * task.budget.seconds
    fit = _add_errors(quick, _make_unfinished(local, minimum), max(deadline, least))
    known_errors = {**fit.errors, **dict.fromkeys(moved.keys() & fit.errors.keys(), np.nan)}
    return replace(fit, errors=known_errors, warnings=tuple(moved.values()))


def _own(
    task: Task, quick: ModelCurves, minimum: LocalMinimum, deadline: float
) -> tuple[ModelCurves, LocalMinimum, dict[str, FitWarning]]:
    """Evaluate on sasmodels' own curve, and refine there if that differs."""
    if all_exact(task.name, minimum.parameters):
        return quick, minimum, {}
    exact_curves = curves_of(task, quick.per_decade, quick=False)
    inside = all_nearest(task.name, minimum.parameters)
    exact_cost = own_cost(task.name, minimum.parameters, exact_curves.q_calculated)
    if _may_move(task, inside) and read_spent_time() + 10 * exact_cost > deadline:
        return (
            quick,
            replace(minimum, parameters=minimum.parameters | inside),
            _describe_moved(minimum, inside),
        )
    chisq, parameters = exact_curves.better(minimum.parameters, (np.inf, {}))
    kept_minimum = LocalMinimum(parameters, chisq, minimum.cut)
    if abs(chisq - minimum.chisq) <= PROBLEM.tolerance * (chisq + len(exact_curves.curve)):
        return exact_curves, kept_minimum, {}
    exact_curves.deadline = max(deadline, read_spent_time() + OPTIMIZE.least_share * task.budget.seconds)
    better = refine(exact_curves, minimum.parameters)
    exact_curves.deadline = np.inf
    return exact_curves, better or kept_minimum, {}


def _may_move(task: Task, values: Mapping[str, float]) -> bool:
    """Whether there are such values, and a user has said nothing of any."""
    return bool(values) and values.keys().isdisjoint((*task.fixed, *task.ranges, *task.fitted))


def _describe_moved(minimum: LocalMinimum, values: Mapping[str, float]) -> dict[str, FitWarning]:
    """Say which other values give the same curve; a lattice's, outside its table, would cost minutes."""
    return {
        name: FitWarning(
            f"A curve with {name} {significant(minimum.parameters[name], 3)} takes too long to"
            f" calculate; {significant(value, 3)} is kept."
        )
        for name, value in values.items()
    }


def _make_unfinished(local: ModelCurves, minimum: LocalMinimum) -> Done:
    """Describe a minimum whose parameters' errors are unknown."""
    curves = local.intensity(minimum.parameters)
    residual, scales, background = local.residual(curves, minimum.parameters, local.error(0.0))
    free = local.list_free(minimum.parameters)
    theory = scales @ curves + background  # not finite where the model has no value
    parts = components_of(local.name, local.curve.q, scales[:, None] * curves, scales)
    most = max(1, len(local.curve) - 1)
    chisq = float(residual @ residual)
    return Done(minimum.parameters, theory, chisq, free[:most], components=parts, cut=minimum.cut)


def finish_as_is(task: Task, minimum: LocalMinimum, per_decade: int | None) -> Done:
    return _make_unfinished(curves_of(task, per_decade), minimum)


def as_it_stands(task: Task, start: dict[str, Any]) -> Done:
    """Values at their best scale and background, with what the data show of them free; no errors."""
    local = curves_of(task, None)
    chisq, values = local.better(start, (np.inf, start))
    unfinished = _add_errors(local, _make_unfinished(local, LocalMinimum(values, chisq)), np.inf)
    return replace(unfinished, slopes={}, errors={})


def _add_errors(local: ModelCurves, fit: Done, deadline: float) -> Done:
    slopes_by_name = _slopes(local, fit, deadline)
    if slopes_by_name is None:
        return fit
    shape_names = filter(_is_shape, slopes_by_name)
    far = {name: reach for name in shape_names if (reach := _reach(name, fit.parameters)) > 0}
    visible_names = independent(slopes_by_name, far)[: len(fit.free)]
    slopes = {name: slopes_by_name[name] for name in visible_names}
    hidden_names = list(filterfalse(visible_names.__contains__, fit.free))
    errors = _errors(slopes_by_name, visible_names, hidden_names, fit.parameters)
    parts = share_errors(fit.components, fit.parameters, slopes)
    return replace(fit, free=visible_names, same=hidden_names, slopes=slopes, errors=errors, components=parts)


def _slopes(local: ModelCurves, fit: Done, deadline: float) -> dict[str, Floats] | None:
    """Derivatives of the residuals by the free parameters; None if the time was up."""
    scales: dict[Key, float] = {
        (name, 0): float(fit.parameters.get(name, 1.0)) or 1.0 for name in local.scales
    }
    local.deadline = deadline
    try:
        problem = LeastSquaresProblem([local], [fit.parameters])
        columns = problem.slopes_per_unit(problem.each("first"), scales)
    except TimeUpError:
        return None
    finally:
        local.deadline = np.inf
    return {name: column for (name, _), column in columns.items() if name in fit.free}


def _errors(
    columns: Mapping[str, Floats],
    visible_names: Sequence[str],
    hidden_names: Sequence[str],
    values: Mapping[str, Any],
) -> dict[str, float]:
    """Standard deviations of what the data show; of sizes whatever those have that are not told from them."""
    # These are known beforehand to a factor. An amplitude is what it is for their values, and its contrast is
    # known but for a factor.
    visible_slopes = {name: columns[name] for name in visible_names}
    errors_alone = errors_of(visible_slopes)
    hidden_slopes = moving(
        {name: columns[name] for name in filter(_is_shape, hidden_names) if name in columns}
    )
    if not hidden_slopes:
        return errors_alone
    together = errors_of(_add_prior_rows(visible_slopes, hidden_slopes, values))
    return errors_alone | {name: together[name] for name in filter(_is_shape, visible_slopes)}


def _add_prior_rows(
    visible_slopes: Mapping[str, Floats], hidden_slopes: Mapping[str, Floats], values: Mapping[str, Any]
) -> dict[str, Floats]:
    """Columns of both, with a row for each of the second that says what is known of it beforehand."""
    prior_widths = [1 / (_reach(name, values) or 1.0) for name in hidden_slopes]
    rows = np.hstack([np.zeros((len(hidden_slopes), len(visible_slopes))), np.diag(prior_widths)])
    all_rows = np.vstack([np.stack([*visible_slopes.values(), *hidden_slopes.values()], axis=1), rows])
    return dict(zip([*visible_slopes, *hidden_slopes], all_rows.T, strict=True))


def _reach(name: str, values: Mapping[str, Any]) -> float:
    """How far a size may be off; 0 of what is 0."""
    return float(np.log(PROBLEM.size_reach)) * abs(float(values.get(name, 0.0)))


def _is_shape(name: str) -> bool:
    return not (is_amplitude(name) or name == "background")


def weakly_shown(
    fit: Done, info: Any, fixed: Collection[str], ranges: Mapping[str, tuple[float, float]]
) -> dict[str, float]:
    """Parameters that the data hardly show, with their defaults: widths 0, others sasmodels'."""
    # `fixed` are those of which a user wants the value, or a fit.
    # Contrasts are left out: `problem.conventions` brings them to what is usual; lengths, of which none is
    # usual; and what a user's range keeps from its default.
    # Beside what is not told from it, which is held at its default first.
    errors = errors_of(fit.slopes)
    lengths = {p.name for p in info.parameters.call_parameters if "volume" in p.type or p.units == "Ang"}
    kept_names = lengths | {*fixed, "background"}

    def weak(name: str) -> bool:
        ratio = name.endswith("_ratio") and name not in fixed
        if (name in kept_names and not ratio) or is_amplitude(name):
            return False
        value, default = float(fit.parameters.get(name, 0.0)), default_of(info, name)
        low, high = ranges.get(name, (-np.inf, np.inf))
        least = abs(value) / (ASSESSMENT.significant if name.endswith("_pd") else 1.0)
        if ratio and low <= default <= high:
            # Of sides: equal ones are what is made, and there their slopes are one.
            return errors.get(name, np.inf) > abs(value - default)
        return value != default and low <= default <= high and errors.get(name, np.inf) > least

    return {name: default_of(info, name) for name in filter(weak, (*fit.same, *fit.free))}


def strong_pairs(slopes: Mapping[str, NDArray[np.float64]]) -> dict[tuple[str, str], float]:
    """Pairs of fitted parameters with |r| of at least 0.95, the strongest first."""
    r = correlations(slopes)
    found_correlations = {
        (a, b): float(r[i, j])
        for i, a in enumerate(slopes)
        for j, b in enumerate(slopes)
        if i < j and abs(r[i, j]) >= OPTIMIZE.strong
    }
    return dict(sorted(found_correlations.items(), key=lambda item: -abs(item[1])))
