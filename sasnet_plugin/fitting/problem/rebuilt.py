"""A fit's problem again, where it ended: for another method, another program, or a simulation."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.problem.experiment import experiment
from sasnet_plugin.fitting.problem.resolution import apply_sampling
from sasnet_plugin.fitting.problem.size_distributions import sigmas
from sasnet_plugin.fitting.result.fit_result import ModelFit
from sasnet_plugin.simulate.quick import is_exact
from sasnet_plugin.types import Curve


def starting_values(fit: ModelFit) -> dict[str, Any]:
    """Every keyword of sasmodels' ``Model`` that brings the fit back, numbers of its distributions included.

    Parameters
    ----------
    fit : ModelFit

    Returns
    -------
    dict of str to float, int or str
        Values in sasmodels' units; kinds of distributions as text.
    """
    values: dict[str, Any] = {}
    for name, parameter in fit.parameters.items():
        values[name] = float(parameter.value)
        if name.endswith("_pd"):
            kind = fit.distributions.get(name.removesuffix("_pd"), "gaussian")
            values[f"{name}_n"], values[f"{name}_nsigma"] = fit.pd_points, sigmas(kind)
            values[f"{name}_type"] = kind
    return values


def rebuilt(
    curve: Curve, dintensity: NDArray[np.float64], fit: ModelFit, *, seconds: float = np.inf
) -> tuple[Any, Any]:
    """The bumps problem of a fit, its free parameters within the ranges they had.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
    fit : ModelFit
    seconds : float
        CPU time after which residuals raise `TimeUpError`.

    Returns
    -------
    problem : bumps.fitproblem.FitProblem
    fitness : Experiment
        Its only model; ``best`` holds the least χ² seen, as in `problem.experiment`.
    """
    from bumps.fitproblem import FitProblem

    fitness = experiment_of(curve, dintensity, fit)
    fitness.deadline = time.process_time() + seconds
    return FitProblem(fitness), fitness


def experiment_of(curve: Curve, dintensity: NDArray[np.float64], fit: ModelFit) -> Any:
    """The experiment of a fit, where it ended, with ranges and points of q as it had them."""
    values = starting_values(fit)
    fitness = experiment(curve, dintensity, fit.name, values, quick=is_exact(fit.name, values))
    if fit.per_decade is not None:
        apply_sampling(fitness, curve, fit.per_decade)
    for name in fit.free:
        getattr(fitness.model, name).range(fit.parameters[name].low, fit.parameters[name].high)
    return fitness
