"""A joint fit under the slow errors of its curves: generalised least squares, one step from the plain ones.

Plain least squares take neighbouring residuals for independent. A slow error that many of them share then
pulls parameters as if it had been measured so many times, and models are compared where this pull has put
them. Weighted with the inverse of the residuals' covariance it counts once (A. C. Aitken, Proc. R. Soc.
Edinb. 55 (1936) 42).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...arrays import Floats
from ..evidence.shared_error import SharedError, weight_columns
from .joint import Joint

#: Directions in which the curves tell less than this of what they tell of the best known one are not gone.
_OPEN = 1e-9


@dataclass(frozen=True)
class Minimum:
    """Where a joint fit stands."""

    x: Floats  #: Shape (k,). Codes.
    #: `scales`, `backgrounds`: shape (m,).
    scales: Floats
    backgrounds: Floats
    common: float
    prior: float  #: What scales and backgrounds cost.
    theories: tuple[Floats, ...]  #: Shape (n_i,).


def plain(joint: Joint, x: Floats) -> Minimum:
    """Evaluate at the scales and backgrounds of least squares."""
    curves = joint.intensities(x)
    solution = joint.solve(curves)
    return _make_minimum(joint, x, curves, solution.scales, solution.backgrounds, solution.common)


def solve_generalised(joint: Joint, x: Floats, errors: Sequence[SharedError]) -> Minimum:
    """Refine scales, backgrounds and codes by least squares with the curves' correlated errors, from where
    plain least squares ended.
    """
    columns = list(joint.columns(x).values())
    if columns:
        linear = joint.linear(x)
        step = _step(joint, joint.residuals(x), np.column_stack([*columns, linear]), errors)
        low, high = (np.array([getattr(c, end) for c in joint.codes.values()]) for end in ("low", "high"))
        x = np.clip(x + step[: len(columns)], low, high)
    curves = joint.intensities(x)
    solution = joint.solve(curves)
    step = _step(joint, solution.residual, joint.linear(x), errors)
    count = len(joint.curves)
    common = solution.common + (float(step[-1]) if joint.plan.factors is not None else 0.0)
    scales, backgrounds = step[0 : 2 * count : 2], step[1 : 2 * count : 2]
    return _make_minimum(
        joint, x, curves, solution.scales + scales, solution.backgrounds + backgrounds, common
    )


def _make_minimum(
    joint: Joint, x: Floats, curves: Sequence[Floats], scales: Floats, backgrounds: Floats, common: float
) -> Minimum:
    theories = tuple(s * c + b for s, c, b in zip(scales, curves, backgrounds, strict=True))
    prior = float(np.sum(joint.compute_prior_residuals(scales, backgrounds, common) ** 2))
    return Minimum(x, scales, backgrounds, common, prior, theories)


def _step(joint: Joint, residual: Floats, columns: Floats, errors: Sequence[SharedError]) -> Floats:
    """Step to the minimum of residuals linear in the columns, weighted by their inverse covariance."""
    length = np.linalg.norm(columns, axis=0)
    length[length == 0] = 1.0
    columns = columns / length
    ends = np.cumsum([len(curve.curve) for curve in joint.curves])
    *parts, besides = np.split(columns, ends)
    *off, rest = np.split(residual, ends)
    normal, pull = besides.T @ besides, besides.T @ rest
    for error, part, curve in zip(errors, parts, off, strict=True):
        weight = weight_columns(error, part)
        normal, pull = normal + part.T @ weight, pull + weight.T @ curve
    if not (np.all(np.isfinite(normal)) and np.all(np.isfinite(pull))):
        return np.zeros(length.size)
    return np.asarray(-(np.linalg.pinv(normal, rcond=_OPEN, hermitian=True) @ pull) / length)
