"""A fit of several curves about its minimum, where it is linear: errors, correlated errors, evidence.

Plain least squares take neighbouring residuals for independent. A correlated error that many of them share
then pulls parameters as if it had been measured so many times. Weighted with the inverse of the residuals'
covariance it counts once (A. C. Aitken, Proc. R. Soc. Edinb. 55 (1936) 42).

Residuals at the best fit are too small a measure of a correlated error: parameters have taken up what they
could. For one curve the likelihood of the others is the prior of the parameters, Gaussian about where these
curves alone would put them, and the curve's correlated error is integrated under it as that of a single
curve is (`evidence.marginal`), in turn. One that is too small to be seen is still as likely as it is:
without it the values of half of all samples are too sure.

The marginal likelihood is p(I₁) p(I₂ | I₁) …: the prior of the first curve's parameters is that of a single
fit (`evidence.prior`), with what is known of calibrations and backgrounds; that of the next is Gaussian about
where the curves before have put them. A scale that a calibration knows to 3 % costs as much as it can move,
which is little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Floats
from ...data.sample.sample import ALWAYS_OWN
from ..optimize.least_squares_problem import LeastSquaresProblem
from ..problem.contrast_forms import ContrastForms
from ..problem.free_parameters import independent
from ..result.model_fit import Parameter
from ..result.residuals import SharedError
from ..result.sample_result import Key
from ..settings import PROBLEM
from .discrepancy import Discrepancy, Information, compute_information, propagate_error
from .marginal import Evidence, extent_in, marginal


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


def plain(joint: LeastSquaresProblem, x: Floats) -> Minimum:
    """Evaluate at the scales and backgrounds of least squares."""
    solved = joint.solve(x)
    return _make_minimum(joint, x, np.ravel(solved.scales), np.array(solved.backgrounds), solved.common)


def solve_generalised(joint: LeastSquaresProblem, x: Floats, errors: Sequence[SharedError]) -> Minimum:
    """Refine scales, backgrounds and codes by least squares with the curves' correlated errors, from where
    plain least squares ended.
    """
    if joint.codes:
        step = _step(joint, x, joint.slopes(x), errors)
        moved = x + np.array([step[key] for key in joint.codes])
        x = np.clip(moved, joint.each("low"), joint.each("high"))
    step, solved = _step(joint, x, joint.linear_slopes(x), errors), joint.solve(x)
    scales, backgrounds = (
        np.array([step.get((name, i), 0.0) for i in range(len(joint.curves))]) for name in ALWAYS_OWN
    )
    common = solved.common + step.get(("scale", None), 0.0)
    return _make_minimum(joint, x, np.ravel(solved.scales) + scales, solved.backgrounds + backgrounds, common)


def _make_minimum(
    joint: LeastSquaresProblem, x: Floats, scales: Floats, backgrounds: Floats, common: float
) -> Minimum:
    curves = [shapes[0] for shapes in joint.evaluate(x)[1]]
    theories = tuple(s * c + b for s, c, b in zip(scales, curves, backgrounds, strict=True))
    prior = float(np.sum(joint.compute_prior_residuals(scales, backgrounds, common) ** 2))
    return Minimum(x, scales, backgrounds, common, prior, theories)


def _step(
    joint: LeastSquaresProblem, x: Floats, slopes: Mapping[Key, Floats], errors: Sequence[SharedError]
) -> dict[Key, float]:
    """Step to the minimum of residuals linear in the columns, weighted by their inverse covariance."""
    if not slopes:
        return {}
    columns = np.column_stack(list(slopes.values()))
    length = np.linalg.norm(columns, axis=0)
    length[length == 0] = 1.0
    parts, besides = joint.split(columns / length)
    off, rest = joint.split(joint.solve(x).residual)
    information = compute_information(SharedError(), rest, besides)
    for error, part, residual in zip(errors, parts, off, strict=True):
        information += compute_information(error, residual, part)
    if not (np.all(np.isfinite(information.precision)) and np.all(np.isfinite(information.pull))):
        return dict.fromkeys(slopes, 0.0)
    return dict(zip(slopes, map(float, -information.solve() / length), strict=True))


@dataclass(frozen=True)
class Linear:
    """Slopes about a minimum, per unit of each parameter that the curves show."""

    keys: tuple[Key, ...]
    slopes: tuple[Floats, ...]  #: Shape (n_i, k). Of each curve's residuals.
    besides: Floats  #: Shape (m, k). Of what is known of scales and backgrounds.

    def columns(self) -> dict[Key, Floats]:
        """Slopes of all residuals by each parameter, (n + m,)."""
        return dict(zip(self.keys, np.vstack([*self.slopes, self.besides]).T, strict=True))


def linear_at(joint: LeastSquaresProblem, x: Floats) -> Linear:
    """The slopes at codes x, (k,); scales and backgrounds included."""
    columns = joint.slopes_per_unit(x)
    shown_keys = independent(columns)
    all_columns = np.column_stack([np.zeros((joint.rows, 0)), *(columns[key] for key in shown_keys)])
    slopes, besides = joint.split(all_columns)
    return Linear(tuple(shown_keys), tuple(slopes), besides)


def residuals(joint: LeastSquaresProblem, minimum: Minimum) -> tuple[list[Floats], Floats]:
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
        total += propagate_error(error, part)
    return dict(zip(linear.keys, map(float, np.sqrt(np.diag(total)) / scale), strict=True)), shared


#: Times that each curve is looked at; a third changes errors by less than a tenth.
_ROUNDS = 2
#: Of what all curves tell of a parameter, as much as is always known of it, so that none is left open.
_KNOWN = 1e-6
#: Of the largest precision of a direction: none is smaller than rounding allows.
_ROUNDING = 1e-14


def slow_errors(
    discrepancies: Sequence[Discrepancy],
    theories: Sequence[Floats],
    residuals: Sequence[Floats],
    slopes: Sequence[Floats],
    prior: tuple[Floats, Floats],
    begin: Sequence[SharedError],
) -> list[SharedError]:
    """Estimate the correlated error of each curve at the best fit."""
    # `residuals` in uncertainties, `slopes` (n_i, k) by each parameter, `prior` residuals (m,) and slopes (m,
    # k) of other knowledge.
    shared_errors = list(begin)
    curves = list(zip(residuals, slopes, strict=True))
    information = [compute_information(e, *curve) for e, curve in zip(shared_errors, curves, strict=True)]
    known = compute_information(SharedError(), *prior)
    floor = _KNOWN * sum(information, known).precision.diagonal()
    known += Information(np.diag(floor), np.zeros(floor.size))
    for _ in range(_ROUNDS):
        for i, curve in enumerate(discrepancies):
            rest = sum(information[:i] + information[i + 1 :], known)
            if np.all(np.isfinite(rest.precision)):
                shared_errors[i] = _integrate(rest, curve, theories[i], *curves[i]).shared
                information[i] = compute_information(shared_errors[i], *curves[i])
    return shared_errors


def _integrate(
    known: Information, curve: Discrepancy, theory: Floats, residual: Floats, slopes: Floats
) -> Evidence:
    """Integrate the likelihood of one curve under what is known of the parameters, as Gaussian."""
    values, vectors = np.linalg.eigh(known.precision)
    width = vectors / np.sqrt(np.maximum(values, _ROUNDING * values[-1]))
    residual_left = residual - slopes @ (width @ (width.T @ known.pull))
    return marginal(curve, theory, residual_left, slopes @ width, threshold=-np.inf)


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
    known = compute_information(SharedError(), prior[0], prior[1] * scale)
    known += Information(np.diag(np.where(np.isfinite(wide), 1.0, 0.0)), np.zeros(wide.size))
    total = 0.0
    for curve, theory, residual, curve_slopes in zip(discrepancies, theories, residuals, slopes, strict=True):
        columns = curve_slopes * scale
        evidence = _integrate(known, curve, theory, residual, columns)
        total += evidence.minus_two_log
        known += compute_information(evidence.shared, residual, columns)
    return total


def evidence_of_all(
    joint: LeastSquaresProblem,
    model: str,
    linear: Linear,
    minimum: Minimum,
    discrepancies: Sequence[Discrepancy],
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
    joint: LeastSquaresProblem, model: str, key: Key, values: Sequence[Mapping[str, Any]], common: float,
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
    if plan.relative and joint.forms and name in (*joint.forms.matter, joint.forms.solvent):
        width *= _contrast(joint.forms, values[place or 0])
    return width


def _contrast(forms: ContrastForms, values: Mapping[str, Any]) -> float:
    """The largest contrast of a curve over a usual one: where the scale makes up for it, any is as likely."""
    low, high = PROBLEM.matter["neutron"]
    solvent = float(values.get(forms.solvent, 0.0))
    contrasts = [abs(float(values[name]) - solvent) for name in forms.matter]
    return 2 * max(contrasts, default=high - low) / (high - low)
