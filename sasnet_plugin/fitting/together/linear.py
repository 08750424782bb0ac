"""A joint fit about its minimum, where it is linear: slopes of all residuals, and standard deviations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Floats
from ..evidence.discrepancy import Discrepancy
from ..evidence.shared_error import SharedError
from ..problem.free_parameters import independent
from .generalised import Minimum
from .joint import Joint, Key
from .slow_errors import slow_errors


@dataclass(frozen=True)
class Linear:
    """Slopes about a minimum, per unit of each parameter that the curves show."""

    keys: tuple[Key, ...]
    slopes: tuple[Floats, ...]  #: Shape (n_i, k). Of each curve's residuals.
    besides: Floats  #: Shape (m, k). Of what is known of scales and backgrounds.

    def columns(self) -> dict[Key, Floats]:
        """Slopes of all residuals by each parameter, (n + m,)."""
        return dict(zip(self.keys, np.vstack([*self.slopes, self.besides]).T, strict=True))


def linear_at(joint: Joint, x: Floats) -> Linear:
    """The slopes at codes x, (k,); scales and backgrounds included."""
    columns = _columns(joint, x)
    all_columns = np.column_stack([np.zeros((joint.rows, 0)), *columns.values()])
    *slopes, besides = np.split(all_columns, np.cumsum([len(curve.curve) for curve in joint.curves]))
    return Linear(tuple(columns), tuple(slopes), besides)


def residuals(joint: Joint, minimum: Minimum) -> tuple[list[Floats], Floats]:
    """Return residuals of each curve, (n_i,), and of known scales and backgrounds, (m,)."""
    curves = zip(minimum.theories, joint.curves, strict=True)
    curve_residuals = [(theory - curve.curve.intensity) / curve.dintensity for theory, curve in curves]
    return curve_residuals, joint.compute_prior_residuals(minimum.scales, minimum.backgrounds, minimum.common)


def deviations(
    linear: Linear, minimum: Minimum, residual_parts: tuple[Sequence[Floats], Floats],
    discrepancies: Sequence[Discrepancy],
    begin: Sequence[SharedError],
) -> tuple[dict[Key, float], Sequence[SharedError]]:  # fmt: skip
    """Return standard deviations, and correlated errors, of a least-squares fit with dependent residuals."""
    # The covariance is A C Aᵀ with A = (JᵀJ)⁻¹Jᵀ and C that of the residuals: noise and what neighbours share
    # (H. White, Econometrica 48 (1980) 817, with C known).
    if not linear.keys:
        return {}, begin
    all_slopes = np.vstack([*linear.slopes, linear.besides])
    scale = np.linalg.norm(all_slopes, axis=0)
    slopes = [slope / scale for slope in linear.slopes]
    curve_residuals, off = residual_parts
    shared = slow_errors(
        discrepancies, minimum.theories, curve_residuals, slopes, (off, linear.besides / scale), begin
    )
    ends = np.cumsum([len(slope) for slope in slopes])
    *parts, last = np.split(np.linalg.pinv(all_slopes / scale), ends, axis=1)
    total = last @ last.T
    for part, error in zip(parts, shared, strict=True):
        total += error.noise**2 * part @ part.T
        for size, shape in error.parts:
            projected = part @ shape.vectors
            total += size**2 * (projected * shape.values) @ projected.T
    return dict(zip(linear.keys, map(float, np.sqrt(np.diag(total)) / scale), strict=True)), shared


def _columns(joint: Joint, x: Floats) -> dict[Key, Floats]:
    """Slopes (n + m,) of the residuals by what the curves show, per unit; scales and backgrounds included."""
    linear = joint.linear(x)
    columns: dict[Any, Floats] = {}
    for i in range(len(joint.curves)):
        columns["scale", i], columns["background", i] = linear[:, 2 * i], linear[:, 2 * i + 1]
    if joint.plan.factors is not None:
        columns["scale", None] = linear[:, -1]
    for (key, code), code_value, column in zip(
        joint.codes.items(), x, joint.columns(x).values(), strict=True
    ):
        columns[key] = column / code.slope(code_value)
    visible_keys: list[Any] = independent(columns)
    return {key: columns[key] for key in visible_keys}
