"""Bumps' Levenberg-Marquardt from one start, and how well it determines its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.effort import spent
from sasnet_plugin.fitting.problem.experiment import TimeUpError, experiment, silent
from sasnet_plugin.fitting.problem.free_parameters import choose_free, fittable, set_ranges
from sasnet_plugin.fitting.problem.quick_parts import all_exact, all_nearest, own_cost
from sasnet_plugin.fitting.problem.resolution import apply_sampling
from sasnet_plugin.fitting.result.components import bare
from sasnet_plugin.fitting.settings import OPTIMIZE, PROBLEM
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.simulate.quick_models.quick import is_quick

from ...digits import significant


@dataclass(frozen=True)
class Done:
    """Where a fit has ended.

    Parameters
    ----------
    parameters : dict
        sasmodels' parameters.
    fitness : Experiment
        Of sasmodels' own model or of one that has the same curve, at these.
    free : list of str
        What was fitted.
    errors : dict of str to float
        Standard deviations, NaN where they are not known.
    chisq, bic : float
    per_decade : int or None
        As for `resolution.resolution`.
    warnings : tuple of str
    """

    parameters: dict[str, Any]
    fitness: Any
    free: list[str]
    errors: dict[str, float]
    chisq: float
    bic: float
    per_decade: int | None
    warnings: tuple[str, ...] = ()


def levenberg(task: Task, start: dict[str, Any], per_decade: int | None, seconds: float) -> Done | None:
    """Fit from a start.

    Parameters
    ----------
    task : Task
    start : dict
        sasmodels' parameters.
    per_decade : int or None
        As for `resolution.resolution`.
    seconds : float
        Evaluations (`effort`); the best point seen by then is the answer.

    Returns
    -------
    Done or None
        None where the fit cannot begin at the start.
    """
    deadline = spent() + seconds
    if not is_quick(task.name):
        return _levenberg(task, start, per_decade, deadline, quick=False)
    done = _levenberg(task, start, per_decade, deadline, quick=True)
    if done is None or all_exact(task.name, done.parameters):
        return done
    fitness = _at(task, done.parameters, per_decade)
    _allow(task, fitness, done.free)
    left = max(deadline - spent(), OPTIMIZE.least_share * task.budget.seconds)
    inside = all_nearest(task.name, done.parameters)
    if inside and not set(inside) & {*task.fixed, *task.ranges}:
        one = own_cost(task.name, done.parameters, fitness.resolution.q_calc)
        if one * (len(done.free) + 2) > left:
            return _moved(done, inside)
    chisq = float(np.sum(fitness.residuals() ** 2))
    if abs(chisq - done.chisq) < OPTIMIZE.same_chisq + OPTIMIZE.same_share * chisq:
        return replace(done, fitness=fitness, chisq=chisq, bic=done.bic + chisq - done.chisq)
    return _levenberg(task, done.parameters, per_decade, spent() + left, quick=False)


def _moved(done: Done, values: dict[str, float]) -> Done:
    """At other values with the same curve, whose errors are not known.

    One evaluation of a lattice outside the quick model's table may cost minutes, and most that end there are
    of the wrong kind.
    """
    for name, value in values.items():
        getattr(done.fitness.model, name).value = value
    done.fitness.update()
    errors = done.errors | dict.fromkeys(set(values) & set(done.errors), float("nan"))
    said = tuple(
        f"A curve with {name} {significant(done.parameters[name], 3)} takes too long to calculate:"
        f" {significant(value, 3)} is kept."
        for name, value in values.items()
    )
    return replace(done, parameters=done.parameters | values, errors=errors, warnings=said)


def unfitted(task: Task, start: dict[str, Any], per_decade: int | None) -> Done:
    """A refined start as it stands: how well the data determine its parameters is not known."""
    fitness = _at(task, start, per_decade, quick=all_exact(task.name, start))
    known = fitness.model.parameters()
    names = fittable(fitness.model.sasmodel.info, start)
    free = [n for n in names if n in known and n not in (task.fixed)][: max(1, len(task.curve) - 1)]
    _allow(task, fitness, free)
    return _done(task, fitness, free, 0, {}, per_decade)


def _levenberg(
    task: Task, start: dict[str, Any], per_decade: int | None, deadline: float, *, quick: bool
) -> Done | None:
    from bumps.fitproblem import FitProblem

    fitness = _at(task, start, per_decade, quick=quick)
    fitness.deadline = deadline
    try:
        free, same = choose_free(fitness, frozenset(task.fixed))
    except ValueError:
        return None
    except TimeUpError:
        return unfitted(task, start, per_decade)
    free = free[: max(1, len(task.curve) - 1)]
    if not free:
        return None  # nothing moves the curve: it has no value here
    _allow(task, fitness, free)
    enough = OPTIMIZE.lm_enough
    errors = run_lm(FitProblem(fitness), fitness, steps=OPTIMIZE.lm_steps, ftol=enough, xtol=enough)
    # A size that the data cannot determine was chosen all the same: the model is no simpler for it. Contrast
    # and concentration are but other names of the scale.
    chosen = [n for n in same if "sld" not in n and bare(n) not in ("scale", "background", "volfraction")]
    return _done(task, fitness, free, len(chosen), errors, per_decade)


def run_lm(problem: Any, fitness: Any, **options: float) -> dict[str, float]:
    """Bumps' Levenberg-Marquardt from where an experiment stands, which is left at the best point seen.

    Parameters
    ----------
    problem : bumps.fitproblem.FitProblem
    fitness : Experiment
        Its only model, with a deadline; without one afterwards.
    **options : float
        Of bumps: ``steps``, ``ftol``, ``xtol``.

    Returns
    -------
    dict of str to float
        Standard deviations of the free parameters, NaN where the time was up.
    """
    from bumps.fitters import fit

    names = [p.name for p in problem._parameters]
    with silent():
        try:
            deviations = np.asarray(fit(problem, method="lm", **options).dx)
        except TimeUpError:
            deviations = np.full(len(names), np.nan)
    fitness.deadline = np.inf
    if fitness.best[0] < float(np.sum(fitness.residuals() ** 2)):
        for name, value in fitness.best[1].items():
            getattr(fitness.model, name).value = value
        fitness.update()
    return {name: float(error) for name, error in zip(names, deviations, strict=True)}


def _at(task: Task, start: dict[str, Any], per_decade: int | None, *, quick: bool = False) -> Any:
    fitness = experiment(task.curve, task.dintensity, task.name, start, quick=quick)
    if per_decade is not None:
        apply_sampling(fitness, task.curve, per_decade)
    return fitness


def _allow(task: Task, fitness: Any, free: list[str]) -> None:
    """Ranges of the free parameters, the user's where there are any."""
    set_ranges(fitness, free)
    for name, (low, high) in task.ranges.items():
        if name in free:
            parameter = getattr(fitness.model, name)
            parameter.value = float(np.clip(parameter.value, low, high))
            parameter.range(low, high)
    fitness.update()


def _done(
    task: Task, fitness: Any, free: list[str], chosen: int, errors: dict[str, float], per_decade: int | None
) -> Done:
    chisq = float(np.sum(fitness.residuals() ** 2))
    state = {k: v for k, v in fitness.model.state().items() if k in _kept(fitness)}
    bic = chisq + (len(free) + chosen) * float(np.log(len(task.curve)))
    return Done(state, fitness, free, errors, chisq, bic, per_decade)


def _kept(fitness: Any) -> set[str]:
    """Names worth keeping: table parameters, and distributions of non-zero width."""
    info = fitness.model.sasmodel.info
    names = {p.name for p in info.parameters.call_parameters if p.type not in ("orientation", "magnetic")}
    for p in info.parameters.call_parameters:
        if p.polydisperse and getattr(fitness.model, f"{p.name}_pd").value > 0:
            names |= {f"{p.name}_pd", f"{p.name}_pd_n", f"{p.name}_pd_nsigma", f"{p.name}_pd_type"}
    return names


def errors_of(slopes: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """Standard deviations from derivatives of the residuals, (JᵀJ)⁻¹; NaN where nothing moves.

    Parameters
    ----------
    slopes : mapping of str to (n,) float array
        By parameter, per unit of it.
    """
    jacobian = np.stack(list(slopes.values()), axis=1)
    scale = np.linalg.norm(jacobian, axis=0)
    scale = np.where(scale > 0, scale, np.nan)
    moving = np.isfinite(scale)
    found = np.full(scale.size, np.nan)
    unit = jacobian[:, moving] / scale[moving]
    found[moving] = np.sqrt(np.diag(np.linalg.pinv(unit.T @ unit, hermitian=True))) / scale[moving]
    return dict(zip(slopes, map(float, found), strict=True))


def derivatives(fitness: Any, names: Sequence[str]) -> NDArray[np.float64]:
    """Derivatives of the residuals at the present point, one-sided and away from the limits.

    Parameters
    ----------
    fitness : Experiment
        As `problem.experiment` makes it; left as it was.
    names : sequence of str
        Parameters of its model.

    Returns
    -------
    (n, k) float array
        Per unit of each parameter. Costs k + 1 curves.
    """
    model = fitness.model
    fitness.update()
    base = np.asarray(fitness.residuals(), dtype=float)
    columns = []
    for name in names:
        parameter = getattr(model, name)
        value = float(parameter.value)
        step = PROBLEM.step * (abs(value) or 1.0)
        if parameter.bounds is not None and value + step > parameter.bounds[1]:
            step = -step
        parameter.value = value + step
        fitness.update()
        columns.append((np.asarray(fitness.residuals(), dtype=float) - base) / step)
        parameter.value = value
    fitness.update()
    return np.stack(columns, axis=1) if columns else np.empty((base.size, 0))


def correlations(slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation coefficients of the parameters of a least-squares fit.

    The covariance is (JᵀJ)⁻¹ (Press et al., Numerical Recipes, 3rd ed. 2007, 15.4). Columns are scaled first:
    an sld of 4 and a background of 1e-4 have nothing to do with each other's rounding.

    Parameters
    ----------
    slopes : (n, k) float array
        J, from `derivatives`.

    Returns
    -------
    (k, k) float array
        A parameter without effect is correlated with none.
    """
    length = np.linalg.norm(slopes, axis=0)
    seen = length > 0
    unit = slopes[:, seen] / length[seen]
    found = np.eye(length.size)
    if not seen.any() or not np.all(np.isfinite(unit)):
        return found
    _, singular, rows = np.linalg.svd(unit, full_matrices=False)
    rows = rows[: singular.size] / np.maximum(singular, 1e-9 * singular[0])[:, None]
    covariance = rows.T @ rows
    error = np.sqrt(np.diag(covariance))
    found[np.ix_(seen, seen)] = covariance / np.outer(error, error)
    return np.asarray(np.clip(found, -1.0, 1.0))


def strong_pairs(slopes: Mapping[str, NDArray[np.float64]]) -> dict[tuple[str, str], float]:
    """Pairs of fitted parameters with |r| of at least 0.95, the strongest first.

    Parameters
    ----------
    slopes : mapping of str to (n,) float array
        Derivatives of the residuals by each of them.
    """
    r = correlations(np.stack(list(slopes.values()), axis=1))
    found = {
        (a, b): float(r[i, j])
        for i, a in enumerate(slopes)
        for j, b in enumerate(slopes)
        if i < j and abs(r[i, j]) >= OPTIMIZE.strong
    }
    return dict(sorted(found.items(), key=lambda item: -abs(item[1])))
