"""How well a fit determines its parameters, and which of them it cannot distinguish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.settings import OPTIMIZE, PROBLEM


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


def strong_pairs(fitness: Any, names: Sequence[str]) -> dict[tuple[str, str], float]:
    """Pairs of fitted parameters with |r| of at least 0.95, the strongest first.

    Parameters
    ----------
    fitness : Experiment
        At the best point.
    names : sequence of str
        The fitted parameters.
    """
    r = correlations(derivatives(fitness, names))
    found = {
        (a, b): float(r[i, j])
        for i, a in enumerate(names)
        for j, b in enumerate(names)
        if i < j and abs(r[i, j]) >= OPTIMIZE.strong
    }
    return dict(sorted(found.items(), key=lambda item: -abs(item[1])))
