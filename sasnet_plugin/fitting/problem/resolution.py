"""Resolution for a fit: sasmodels' own, calculated at as many points of q as the fringes need."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.types import Curve


def has_resolution(curve: Curve) -> bool:
    """Whether the curve says how wide in q its points are."""
    return any(column is not None and bool(np.any(column > 0)) for column in (curve.dq, curve.dxl, curve.dxw))


def resolution(curve: Curve, per_decade: int | None = None, *, plain: bool = False) -> Any:
    """sasmodels' resolution of a curve.

    Parameters
    ----------
    curve : Curve
    per_decade : int, optional
        Points a decade at which the model is to be calculated, besides the measured ones; default: the
        measured points alone, as in SasView.
    plain : bool
        sasmodels' own object, which other programs can read; otherwise one that is faster.

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
    points = None if per_decade is None else calculated_q(curve, per_decade)
    if is_slit(curve):
        length, width = _slit(curve)
        found = Slit1D(curve.q, q_length=length, q_width=width, q_calc=points)
    else:
        found = Pinhole1D(curve.q, curve.dq, q_calc=points)
    return found if plain or per_decade is None else _Sparse(found)


def is_slit(curve: Curve) -> bool:
    """Whether a slit smears the curve; then a pinhole resolution is not used."""
    return any(column is not None and bool(np.any(column > 0)) for column in (curve.dxl, curve.dxw))


def calculated_q(curve: Curve, per_decade: int) -> NDArray[np.float64]:
    """Points of q, Å⁻¹, at which a model is calculated: the measured ones and so many a decade.

    At q far above a slit's length the points that it sees are close together, so there are some along it.
    """
    found = _finer(resolution(curve), per_decade)
    if is_slit(curve):
        length, _ = _slit(curve)
        seen = np.hypot(curve.q[:, None], length[:, None] * np.linspace(0.0, 1.0, PROBLEM.along_slit))
        found = np.union1d(found, seen)
    return found


def _slit(curve: Curve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    zero = np.zeros(len(curve))
    return (zero if curve.dxl is None else curve.dxl), (zero if curve.dxw is None else curve.dxw)


def _finer(plain: Any, per_decade: int) -> NDArray[np.float64]:
    """sasmodels' points, and others even in ln q over the range that the resolution sees.

    The measured points have to be there: a resolution narrower than the others' distance averages them alone.
    """
    q = np.asarray(plain.q_calc)
    first = max(float(q.min()), 0.02 * float(plain.q.min()))
    decades = np.log10(float(q.max()) / first)
    return np.union1d(q, np.geomspace(first, float(q.max()), int(np.ceil(decades * per_decade)) + 1))


class _Sparse:
    """The same resolution with a sparse matrix: at 800 points a decade nearly all weights are zero."""

    def __init__(self, dense: Any) -> None:
        from scipy import sparse

        self.q, self.q_calc = dense.q, dense.q_calc
        self._matrix = sparse.csr_matrix(dense.weight_matrix.T)

    def apply(self, theory: NDArray[np.float64]) -> NDArray[np.float64]:
        """The smeared curve at the measured points."""
        return np.asarray(self._matrix @ theory)


def apply_sampling(fitness: Any, curve: Curve, per_decade: int | None) -> None:
    """Calculate an experiment at these points from now on."""
    fitness.resolution = resolution(curve, per_decade)
    fitness._kernel = None
    fitness.update()


def sampling_needed(
    fitness: Any, curve: Curve, *, tolerance: float = PROBLEM.sampling_tolerance, finest: int = PROBLEM.finest
) -> int | None:
    """The fewest points a decade with which an experiment's χ² no longer depends on their number.

    Parameters
    ----------
    fitness : Experiment
        At the parameters that count.
    curve : Curve
    tolerance : float
        Of the mean squared change of a residual from one number to the next.
    finest : int
        Points a decade that are taken for enough.

    Returns
    -------
    int or None
        For `resolution`. The experiment is left with the last sampling that was tried.
    """
    if not has_resolution(curve):
        return None

    def theory(per_decade: int | None) -> NDArray[np.float64]:
        apply_sampling(fitness, curve, per_decade)
        return np.asarray(fitness.theory(), dtype=float)

    chosen, found = None, theory(None)
    for finer in (*(n for n in (PROBLEM.sparse, PROBLEM.fine, PROBLEM.finest) if n < finest), finest):
        better = theory(finer)
        if np.mean(((better - found) / fitness.dIq) ** 2) < tolerance:
            return chosen
        chosen, found = finer, better
    return chosen
