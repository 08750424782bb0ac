"""What neighbouring residuals of a fit share: how large it is, and what it leaves of parameters' errors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...arrays import Floats
from ..problem.free_parameters import moving
from ..result.components import Component, is_scale
from ..result.model_fit import ModelFit
from ..result.residuals import SharedError
from .discrepancy import Discrepancy

#: Directions in which a curve tells less than this of what it tells of the best known one are not seen.
_OPEN = 1e-9


def widen_by_shared_error(discrepancy: Discrepancy, fit: ModelFit, error: SharedError) -> ModelFit:
    """The fit with parameter errors that hold under a shared error."""
    # Least squares that take the points for independent have the covariance (JᵀJ)⁻¹ Jᵀ Σ J (JᵀJ)⁻¹ (H. White,
    # Econometrica 48 (1980) 817, with Σ the covariance of the residuals). Where J is not known, each error
    # grows as that of the scale. The values stand where independent points and a constant background have put
    # them: how far they move where the points are weighted by Σ⁻¹ (A. C. Aitken, Proc. R. Soc. Edinb. 55
    # (1936) 42), beside a background that changes along q if there is one, is added.
    if not error.parts and error.noise == 1.0:
        return fit
    errors = _grow_errors(discrepancy, fit, error)
    wider = {name: replace(fit.parameters[name], error=new_error) for name, new_error in errors.items()}
    # Shares of components are known as their scales are.
    scales = filter(is_scale, errors)
    by = max([1.0, *(errors[name] / (fit.parameters[name].error or np.inf) for name in scales)])
    components = tuple(_wider(component, by) for component in fit.components)
    return replace(fit, parameters={**fit.parameters, **wider}, components=components)


def _wider(component: Component, by: float) -> Component:
    return component if component.error is None else replace(component, error=component.error * by)


def _grow_errors(discrepancy: Discrepancy, fit: ModelFit, error: SharedError) -> dict[str, float]:
    old_errors = {name: p.error for name, p in fit.parameters.items() if p.error is not None}
    known_errors = _errors(discrepancy, fit, error)
    factor = (
        _compute_scale_growth(discrepancy, fit, error) if old_errors.keys() - known_errors.keys() else 1.0
    )
    return {
        name: max(old_error, known_errors.get(name, factor * old_error))
        for name, old_error in old_errors.items()
    }


def _errors(discrepancy: Discrepancy, fit: ModelFit, error: SharedError) -> dict[str, float]:
    slopes = moving(fit.derivatives)
    if not slopes:
        return {}
    drift_columns = list(discrepancy.drifts.T) if error.background else []
    jacobian = np.stack([*slopes.values(), *drift_columns], axis=1)
    scale = np.linalg.norm(jacobian, axis=0)
    columns = jacobian / scale
    inverse = np.linalg.pinv(columns, rcond=_OPEN)[: len(slopes)]
    covariance = propagate_error(error, inverse)
    off = compute_information(error, discrepancy.residual(fit), columns).solve()[: len(slopes)]
    errors = np.sqrt(np.diag(covariance) + off**2) / scale[: len(slopes)]
    return dict(zip(slopes, map(float, errors), strict=True))


@dataclass(frozen=True)
class Information:
    """What residuals tell of the parameters that they are linear in."""

    precision: Floats  #: Shape (k, k). Inverse of the covariance.
    pull: Floats  #: Shape (k,). Half the gradient of χ².

    def __add__(self, other: Information) -> Information:
        return Information(self.precision + other.precision, self.pull + other.pull)

    def solve(self) -> Floats:
        """How far the parameters, (k,), lie from where χ² is least; directions that are not seen stay."""
        return np.asarray(np.linalg.pinv(self.precision, rcond=_OPEN, hermitian=True) @ self.pull)


def compute_information(error: SharedError, residual: Floats, columns: Floats) -> Information:
    """What residuals (n,) tell of parameters by their slopes (n, k), weighted by their inverse covariance."""
    weight = _weight_columns(error, columns)
    return Information(columns.T @ weight, weight.T @ residual)


def propagate_error(error: SharedError, inverse: Floats) -> Floats:
    """Covariance (k, k) of what is linear in the residuals with these coefficients, (k, n)."""
    return np.asarray(error.noise**2 * inverse @ inverse.T + _project_shared_part(error, inverse.T))


def _weight_columns(error: SharedError, columns: Floats) -> Floats:
    """Columns (n, k) times the inverse of the residuals' covariance."""
    plain = columns / error.noise**2
    if not error.parts:
        return np.asarray(plain)
    base = np.column_stack([size * shape.vectors * np.sqrt(shape.values) for size, shape in error.parts])
    if base.shape[1] >= len(columns):
        whole = error.noise**2 * np.eye(len(columns)) + base @ base.T
        return np.asarray(np.linalg.solve(whole, columns))
    inner = error.noise**2 * np.eye(base.shape[1]) + base.T @ base
    return np.asarray(plain - base @ np.linalg.solve(inner, base.T @ plain))


def _compute_scale_growth(discrepancy: Discrepancy, fit: ModelFit, error: SharedError) -> float:
    """Return how much the error of a scale would grow if nothing else were fitted."""
    slope = np.abs(fit.theory) / discrepancy.dintensity
    weight = (slope / np.sum(slope**2))[:, None]
    wide = error.noise**2 * np.sum(weight**2) + float(_project_shared_part(error, weight)[0, 0])
    return float(np.sqrt(max(wide * np.sum(slope**2), 1.0)))


def _project_shared_part(error: SharedError, columns: Floats) -> Floats:
    """columnsᵀ K columns, (m, m), with K the shared part's covariance of the residuals."""
    covariance = np.zeros((columns.shape[1], columns.shape[1]))
    for size, shape in error.parts:
        projected = shape.vectors.T @ columns
        covariance += size**2 * projected.T @ (shape.values[:, None] * projected)
    return covariance
