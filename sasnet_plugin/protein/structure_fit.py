"""Does an atomic structure explain the curve?

    I(q) = s S(q; ρ, v) + B + a exp(−(qL)²/3)

S is the structure's curve, ρ the excess density of its hydration shell and v the displaced volume. The scale
s is free; B, ρ and v have priors. Disturbed first points, systematic errors and a, what aggregates add
or a repulsion takes away, are those that the posterior of p(r) found without any structure. What a curve
computed from atoms may be wrong by is a correlated error that grows with q.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..arrays import Floats
from .pair_posterior import SETTINGS as POSTERIOR
from .pair_posterior import Draws, group_points
from .results import Misfit, StructureFit, Value
from .structures import SETTINGS as STRUCTURES
from .structures import AtomCurves, Atoms


class FitSettings(NamedTuple):
    """Priors and the verdict."""

    q_max: float = 0.25  #: Å⁻¹; beyond it, computed curves differ between programs.
    groups: int = 90
    #: Mean and standard deviation of the relative excess density of the shell (0.03 ± 0.02 e/Å³), and of the
    #: displaced volume over that of the atoms.
    contrast: tuple[float, float] = (0.09, 0.06)
    volume: tuple[float, float] = (1.0, 0.02)
    constant: float = 5e-3  #: Standard deviation of B over I(0).
    length: float = 3.0  #: L over Rg.
    #: Relative standard deviation of a computed curve: at q = 0, and what is added at 0.1 Å⁻¹, with the power
    #: of q that it grows by; and its correlation length times Rg. Four measured proteins of known structure
    #: (in the tests of AUSAXS) and the differences between programs agree with it.
    model: tuple[float, float, float, float] = (0.006, 0.018, 3.0, 1.0)
    probability: float = 1e-3  #: Of so large a χ², below which a structure is refused.
    neighbours: int = 5  #: Points that the place of the largest misfit is averaged over.


LIMITS = FitSettings()
#: Electrons per Å³ of the waters of the shell, as AUSAXS weighs them.
WATER_DENSITY = 9.0 / STRUCTURES.water_volume


class Points(NamedTuple):
    """Averaged points that a structure is compared with."""

    q: Floats
    intensity: Floats
    sigma: Floats  #: With the systematic error.


def select_points(
    q: Floats, intensity: Floats, sigma: Floats, rg: float, draws: Draws, limits: FitSettings = LIMITS
) -> Points:
    """Average neighbours, without the points that the posterior of p(r) found disturbed."""
    skip = min(round(draws.skip), draws.q.size - 1)
    begin = 0.5 * (draws.q[skip - 1] + draws.q[skip]) if skip else q[0]
    used = q >= begin
    settings = POSTERIOR._replace(reach=math.inf, q_max=limits.q_max, groups=limits.groups)
    groups = group_points(q[used], intensity[used], sigma[used], rg, settings)
    level = groups.intensity * groups.unit
    error = np.hypot(groups.sigma * groups.unit, draws.systematic * np.abs(level))
    return Points(groups.q, level, error)


def fit_structure(
    points: Points, atoms: Atoms, curves: AtomCurves, rg: float, draws: Draws, limits: FitSettings = LIMITS
) -> StructureFit:
    """Fit scale, constant, hydration shell and displaced volume, and judge χ²."""
    from scipy.optimize import least_squares
    from scipy.stats import chi2 as chi2_law

    q, intensity, sigma = points
    i0 = float(np.mean(draws.p.sum(axis=1))) * draws.unit
    share, spread = float(np.mean(draws.interaction)), float(np.std(draws.interaction))
    low = np.exp(-((q * limits.length * rg) ** 2) / 3)
    guess = curves.interpolate(*_middle(limits))
    weight = sigma**-2
    scale = float((weight * guess * intensity).sum() / (weight * guess**2).sum())
    covariance = np.diag(sigma**2) + _model_covariance(q, scale * guess, rg, limits)
    root = np.linalg.inv(np.linalg.cholesky(covariance))

    def evaluate(parameters: Floats) -> Floats:
        log_scale, constant, excess, contrast, volume = parameters
        curve = math.exp(log_scale) * curves.interpolate(contrast, volume)
        modelled: Floats = scale * curve + i0 * (constant + excess * low)
        return modelled

    centres = np.array([0.0, share, *_middle(limits)])
    widths = np.array([limits.constant, max(spread, 1e-6), limits.contrast[1], limits.volume[1]])

    def residuals(parameters: Floats) -> Floats:
        return np.concatenate([
            root @ (evaluate(parameters) - intensity), (parameters[1:] - centres) / widths
        ])  # fmt: skip

    least = [-np.inf, -np.inf, -np.inf, STRUCTURES.contrasts[0], STRUCTURES.volumes[0]]
    most = [np.inf, np.inf, np.inf, STRUCTURES.contrasts[-1], STRUCTURES.volumes[-1]]
    start = np.array([0.0, *centres])
    found = least_squares(residuals, start, bounds=(least, most), x_scale=[0.01, *widths])
    errors = np.sqrt(np.diag(np.linalg.inv(found.jac.T @ found.jac)))
    chisq, freedom = float(2 * found.cost), q.size - 1
    fitted = evaluate(found.x)
    probability = float(chi2_law.sf(chisq, freedom))
    log_scale, constant, excess, contrast, volume = (
        (float(value), float(error)) for value, error in zip(found.x, errors, strict=True)
    )
    used = f"q {q[0]:.3g} to {q[-1]:.3g} Å⁻¹"
    factor = scale * math.exp(log_scale[0])
    return StructureFit(
        atoms.file, probability >= limits.probability, chisq / freedom, probability,
        Value(factor, factor * log_scale[1], "", used),
        Value(i0 * constant[0], i0 * constant[1], "unit of the intensity", used),
        Value(contrast[0] * WATER_DENSITY, contrast[1] * WATER_DENSITY, "e/Å³", used),
        Value(volume[0], volume[1], "", used),
        _radius(q, curves.interpolate(contrast[0], volume[0])),
        _find_misfit(
            points, fitted, factor * curves.interpolate(contrast[0], volume[0]), np.sqrt(np.diag(covariance)),
            limits,
        ),
        len(atoms.labels), atoms.unusual, q, intensity, sigma, fitted,
    )  # fmt: skip


def _middle(limits: FitSettings) -> tuple[float, float]:
    return limits.contrast[0], limits.volume[0]


def _model_covariance(q: Floats, curve: Floats, rg: float, limits: FitSettings) -> Floats:
    base, added, power, length = limits.model
    error = np.hypot(base, added * (q / 0.1) ** power) * curve
    nearness = np.exp(-0.5 * ((q[:, None] - q) * rg / length) ** 2)
    return np.multiply.outer(error, error) * nearness


def _radius(q: Floats, curve: Floats) -> float:
    """Rg of a computed curve, Å, of its lowest q."""
    low = slice(0, max(3, int(np.searchsorted(q * math.sqrt(max(_slope(q[:4], curve[:4]), 1.0)), 1.0))))
    return math.sqrt(max(_slope(q[low], curve[low]), 0.0))


def _slope(q: Floats, curve: Floats) -> float:
    return float(-3 * np.polyfit(q**2, np.log(np.maximum(curve, 1e-300)), 1)[0])


def _find_misfit(
    points: Points, fitted: Floats, structure: Floats, allowed: Floats, limits: FitSettings
) -> Misfit:
    """Where the curve, averaged over neighbours, is furthest from that of the structure."""
    off = (points.intensity - fitted) / allowed
    kernel = np.ones(min(limits.neighbours, off.size))
    means = np.convolve(off, kernel, "same") / np.convolve(np.ones_like(off), kernel, "same")
    worst = int(np.argmax(np.abs(means)))
    near = slice(max(0, worst - limits.neighbours // 2), worst + limits.neighbours // 2 + 1)
    weight = points.sigma[near] ** -2
    difference = float((weight * (points.intensity - fitted)[near]).sum() / weight.sum())
    level = float((weight * structure[near]).sum() / weight.sum())
    return Misfit(float(points.q[worst]), difference / level, float(means[worst]))
