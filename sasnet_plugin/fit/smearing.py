"""Resolution for a fit: sasmodels' own, calculated at as many points of q as the fringes need."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import Curve

#: Points a decade that the model is calculated at where the measured points, sasmodels' choice, are too few.
FINE, FINEST = 200, 800
#: Points along half a slit.
_ALONG_SLIT = 7


def has_resolution(curve: Curve) -> bool:
    """Whether the curve says how wide in q its points are."""
    return any(column is not None and bool(np.any(column > 0)) for column in (curve.dq, curve.dxl, curve.dxw))


def resolution(curve: Curve, per_decade: int | None = None) -> Any:
    """sasmodels' resolution of a curve.

    Parameters
    ----------
    curve : Curve
    per_decade : int, optional
        Points a decade at which the model is to be calculated, besides the measured ones; default: the
        measured points alone, as in SasView.

    Returns
    -------
    sasmodels.resolution.Resolution
        ``q_calc`` and ``apply``.

    Notes
    -----
    sasmodels takes the model at the measured points and averages those within the resolution. If
    a body's fringes, 2π/size apart, are finer than the points, that average is of aliases.
    """
    from sasmodels.resolution import Perfect1D, Pinhole1D, Slit1D

    if not has_resolution(curve):
        return Perfect1D(curve.q)
    slit = (curve.dxl is not None and np.any(curve.dxl > 0)) or (
        curve.dxw is not None and np.any(curve.dxw > 0)
    )
    if slit:
        length = np.zeros(len(curve)) if curve.dxl is None else curve.dxl
        width = np.zeros(len(curve)) if curve.dxw is None else curve.dxw
        plain = Slit1D(curve.q, q_length=length, q_width=width)
        if per_decade is None:
            return plain
        # At q far above the slit's length the points that it sees are close together.
        seen = np.hypot(curve.q[:, None], length[:, None] * np.linspace(0.0, 1.0, _ALONG_SLIT)).ravel()
        points = np.union1d(_finer(plain, per_decade), seen)
        return _sparse(Slit1D(curve.q, q_length=length, q_width=width, q_calc=points))
    assert curve.dq is not None
    plain = Pinhole1D(curve.q, curve.dq)
    if per_decade is None:
        return plain
    return _sparse(Pinhole1D(curve.q, curve.dq, q_calc=_finer(plain, per_decade)))


def _finer(plain: Any, per_decade: int) -> NDArray[np.float64]:
    """sasmodels' points, and others even in ln q over the range that the resolution sees.

    The measured points have to be there: a resolution narrower than the others' distance averages them alone.
    """
    q = np.asarray(plain.q_calc)
    first = max(float(q.min()), 0.02 * float(plain.q.min()))
    decades = np.log10(float(q.max()) / first)
    return np.union1d(q, np.geomspace(first, float(q.max()), int(np.ceil(decades * per_decade)) + 1))


def _sparse(fine: Any) -> Any:
    """The same resolution with a sparse matrix: at 800 points a decade nearly all weights are zero."""
    from scipy import sparse

    matrix = sparse.csr_matrix(fine.weight_matrix.T)
    fine.weight_matrix = None
    fine.apply = lambda theory: matrix @ theory
    return fine


def apply_sampling(fitness: Any, curve: Curve, per_decade: int | None) -> None:
    """Calculate an experiment at these points from now on."""
    fitness.resolution = resolution(curve, per_decade)
    fitness._kernel = None
    fitness.update()


def sampling_needed(fitness: Any, curve: Curve, *, tolerance: float = 0.03) -> int | None:
    """The fewest points a decade with which an experiment's χ² no longer depends on their number.

    Parameters
    ----------
    fitness : Experiment
        At the parameters that count.
    curve : Curve
    tolerance : float
        Of the mean squared change of a residual.

    Returns
    -------
    int or None
        For `resolution`. The experiment is left with this sampling.
    """
    if not has_resolution(curve):
        return None
    theories = {}
    for per_decade in (FINEST, FINE, None):
        apply_sampling(fitness, curve, per_decade)
        theories[per_decade] = np.asarray(fitness.theory(), dtype=float)
    chosen: int | None = FINEST
    for per_decade in (None, FINE):
        change = (theories[per_decade] - theories[FINEST]) / fitness.dIq
        if np.mean(change**2) < tolerance:
            chosen = per_decade
            break
    apply_sampling(fitness, curve, chosen)
    return chosen
