"""The marginal likelihood of a sample: one curve after the other, each under what those before tell.

p(I₁, I₂, …) = p(I₁) p(I₂ | I₁) …: the prior of the first curve's parameters is that of a single fit
(`evidence.prior`), with what is known of calibrations and backgrounds; that of the next is Gaussian about
where the curves before have put them. Each is integrated over its slow errors as a single curve is
(`evidence.marginal`). A scale that a calibration knows to 3 % costs as much as it can move, which is little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...arrays import Floats
from ..evidence.discrepancy import Discrepancy
from ..evidence.marginal import marginal
from ..evidence.prior import extent_in
from ..result.model_fit import Parameter
from ..settings import PROBLEM
from .generalised import Minimum
from .joint import Joint, Key
from .linear import Linear, residuals
from .slow_errors import compute_information


def minus_two_log(
    discrepancies: Sequence[Discrepancy],
    theories: Sequence[Floats],
    residuals: Sequence[Floats],
    slopes: Sequence[Floats],
    prior: tuple[Floats, Floats],
    wide: Floats,
) -> float:
    """Return -2 ln of the marginal likelihood of all curves near the best fit."""
    # `residuals` in uncertainties and `slopes` (n_i, k) by each parameter; `prior` has residuals (m,) and
    # slopes (m, k) of calibrations and backgrounds; `wide` (k,) are prior standard deviations, infinite where
    # `prior` has them.
    scale = np.where(np.isfinite(wide), wide, 1.0)
    besides = prior[1] * scale
    precision = besides.T @ besides + np.diag(np.where(np.isfinite(wide), 1.0, 0.0))
    pull = besides.T @ prior[0]
    total = 0.0
    for curve, theory, residual, unscaled in zip(discrepancies, theories, residuals, slopes, strict=True):
        columns = unscaled * scale
        values, vectors = np.linalg.eigh(precision)
        width = vectors / np.sqrt(np.maximum(values, values[-1] * np.finfo(float).eps))
        residual_left = residual - columns @ (width @ (width.T @ pull))
        marginal_evidence = marginal(curve, theory, residual_left, columns @ width, threshold=-np.inf)
        total += marginal_evidence.minus_two_log
        information = compute_information(marginal_evidence.shared, residual, columns)
        precision, pull = precision + information[0], pull + information[1]
    return total


def evidence_of_all(
    joint: Joint, model: str, linear: Linear, minimum: Minimum, discrepancies: Sequence[Discrepancy]
) -> float:
    """`minus_two_log` of a joint fit about its minimum."""
    values = [
        curve_parameters | {"scale": float(scale), "background": float(level)}
        for curve_parameters, scale, level in zip(
            joint.decode(minimum.x), minimum.scales, minimum.backgrounds, strict=True
        )
    ]
    wide = np.array([_wide(joint, model, key, values, minimum.common, discrepancies) for key in linear.keys])
    curve_residuals, off = residuals(joint, minimum)
    return minus_two_log(
        discrepancies, minimum.theories, curve_residuals, linear.slopes, (off, linear.besides), wide
    )


def _wide(
    joint: Joint, model: str, key: Key, values: Sequence[Mapping[str, Any]], common: float,
    discrepancies: Sequence[Discrepancy],
) -> float:  # fmt: skip
    """Standard deviation of what is known of a parameter beforehand; infinite where a prior's rows say it."""
    (name, place), plan = key, joint.plan
    calibrated = plan.factors is not None and place is not None
    if calibrated and (name == "scale" or (name == "background" and np.isfinite(plan.background))):
        return np.inf
    value = common if key == ("scale", None) else float(values[place or 0][name])
    p = Parameter(value, None, "", False, value, value)
    width = extent_in(model, name, p, discrepancies[place or 0].constant) / float(np.sqrt(2 * np.pi))
    if plan.relative and name in (*joint.forms.matter, joint.forms.solvent):
        width *= _contrast(joint, values[place or 0])
    return width


def _contrast(joint: Joint, values: Mapping[str, Any]) -> float:
    """The largest contrast of a curve over a usual one: where the scale makes up for it, any is as likely."""
    low, high = PROBLEM.neutron_matter
    solvent = float(values.get(joint.forms.solvent, 0.0))
    contrasts = [abs(float(values[name]) - solvent) for name in joint.forms.matter]
    return 2 * max(contrasts, default=high - low) / (high - low)
