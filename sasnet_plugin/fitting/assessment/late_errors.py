"""Errors of fits whose time was up before bumps calculated any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.effort import spent
from sasnet_plugin.fitting.optimize.levenberg_marquardt import derivatives, errors_of, strong_pairs
from sasnet_plugin.fitting.problem.experiment import TimeUpError, experiment_of
from sasnet_plugin.fitting.problem.free_parameters import moving
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import ASSESSMENT
from sasnet_plugin.simulate.quick_models.quick import fit_cost_class
from sasnet_plugin.types import Curve


def with_errors(curve: Curve, dintensity: NDArray[np.float64], fits: Sequence[ModelFit]) -> list[ModelFit]:
    """The same fits; those that come near the best one have errors, as far as these are quickly calculated.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
    fits : sequence of ModelFit

    Returns
    -------
    list of ModelFit
        With errors and correlations from the derivatives of the residuals where they ended.
    """
    least = min((max(fit.reduced_chisq, 1.0) for fit in fits), default=1.0)
    until = spent() + ASSESSMENT.late_errors
    found = list(fits)
    for i in np.argsort([fit.bic for fit in fits]):
        fit = fits[i]
        near = fit.reduced_chisq <= ASSESSMENT.much_worse * least
        unknown = fit.free and all(fit.parameters[name].error is None for name in fit.free)
        # One curve of an expensive model may take longer than all that is allowed here.
        cheap = not fit.model.endswith(".py") and fit_cost_class(fit.model) != "slow"
        if near and unknown and cheap:
            found[i] = _with_errors(curve, dintensity, fit, until)
    return found


def _with_errors(curve: Curve, dintensity: NDArray[np.float64], fit: ModelFit, until: float) -> ModelFit:
    fitness = experiment_of(curve, dintensity, fit)
    fitness.deadline = until
    # A width of 0 is none.
    names = [name for name in fit.free if fit.parameters[name].value or not name.endswith("_pd")]
    try:
        slopes = dict(zip(names, derivatives(fitness, names).T, strict=True))
    except TimeUpError:
        return fit
    if _moves_on(slopes, (curve.intensity - fit.theory) / dintensity, fit):
        return fit  # errors are those of a minimum
    known = {name: error for name, error in errors_of(slopes).items() if np.isfinite(error)}
    parameters = {
        name: replace(p, error=known[name]) if name in known else p for name, p in fit.parameters.items()
    }
    return replace(fit, parameters=parameters, derivatives=slopes, correlations=strong_pairs(slopes))


def _moves_on(slopes: dict[str, NDArray[np.float64]], residual: NDArray[np.float64], fit: ModelFit) -> bool:
    """Whether χ² would still fall clearly, were the curve linear in the parameters."""
    known = moving(slopes)
    if not known:
        return False
    columns = np.stack(list(known.values()), axis=1)
    columns = columns / np.linalg.norm(columns, axis=0)
    taken = columns @ np.linalg.lstsq(columns, residual, rcond=None)[0]
    return float(taken @ taken) > ASSESSMENT.significant**2 * max(fit.reduced_chisq, 1.0)
