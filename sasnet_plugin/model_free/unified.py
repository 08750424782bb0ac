"""Beaucage's unified equation with as many levels as a curve shows, fitted to its bins.

    I = B₀ + Σ G exp(−q² Rg²/3) + B (erf(q Rg/√6)³/q)ᴾ exp(−q² Rg'²/3),

Rg' being the radius of gyration of the next smaller level (G. Beaucage, J. Appl. Cryst. 28 (1995) 717, eq. 14
and J. Appl. Cryst. 29 (1996) 134). A level without a radius is a power law of a structure larger than 1/q.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import erf

from ..arrays import Floats


class LevelStart(NamedTuple):
    """Starting values of a level, the largest structure first."""

    rg: float  #: Å; infinite for a power law alone.
    g: float  #: In the unit of the intensity; 0 for none.
    power: float
    b: float


class UnifiedSettings(NamedTuple):
    """How the levels are fitted."""

    most_levels: int = 6  #: The model of sasmodels has six.
    #: steps, trials: of the search, and lengths tried of each step.
    steps: int = 25
    trials: int = 5
    small: float = 3e-3  #: Relative decrease of χ² at which it has converged.
    #: Standard deviations of the priors of ln G, ln Rg, P and ln B about the starting values.
    prior: tuple[float, float, float, float] = (3.0, 1.0, 1.0, 8.0)
    background_prior: float = 0.5  #: The same of the background, over its level or the lowest intensity.
    powers: tuple[float, float] = (0.1, 6.0)


SETTINGS = UnifiedSettings()
#: Numbers of a level: ln G, ln Rg, P, and ln of the power law where it begins to matter.
_EACH = 4


class UnifiedFit(NamedTuple):
    """Levels at their best: `theta` holds four numbers for each level, and the background."""

    theta: Floats
    pivots: Floats  #: (levels,), q at which the fourth number is the power law's ln I.
    log_intensity: Floats  #: (n,)
    jacobian: Floats  #: (n, numbers), of ln I.
    precision: Floats  #: (numbers,), of the priors.
    pull: Floats  #: (numbers,), from `theta` to the middle of the priors.
    scale: float  #: Of the background.
    criterion: float  #: Bayesian information criterion, the size of the departure unknown.

    @property
    def background(self) -> float:
        """B₀."""
        return float(self.theta[-1]) * self.scale

    def starts(self) -> list[LevelStart]:
        """The levels, to go on from."""
        levels = []
        for k, pivot in enumerate(self.pivots):
            log_g, log_rg, power, log_b = (float(value) for value in self.theta[_EACH * k : _EACH * (k + 1)])
            levels.append(
                LevelStart(
                    math.exp(log_rg) if math.isfinite(log_rg) else math.inf,
                    math.exp(log_g) if math.isfinite(log_g) else 0.0,
                    min(max(power, SETTINGS.powers[0]), SETTINGS.powers[1]) if math.isfinite(log_b) else 4.0,
                    math.exp(min(log_b + power * math.log(pivot), 300.0)) if math.isfinite(log_b) else 0.0,
                )
            )
        return levels


def fit_unified(
    x: Floats, y: Floats, error: Floats, levels: Sequence[LevelStart], background: float,
    settings: UnifiedSettings = SETTINGS,
) -> UnifiedFit | None:  # fmt: skip
    """Fit levels to ln I (n,) at ln q (n,) by Levenberg and Marquardt; None for none or too many."""
    if not 0 < len(levels) <= settings.most_levels or x.size < _EACH * len(levels) + 1:
        return None
    q = np.exp(x)
    # A power law is given by its intensity where it begins: far from there it would depend on P.
    pivots = np.array([_pivot(q, level, levels[k + 1 :]) for k, level in enumerate(levels)])
    scale = max(background, 0.3 * math.exp(float(y.min())))
    start = np.array(
        [number for level, pivot in zip(levels, pivots, strict=True) for number in _numbers(level, pivot)]
        + [background / scale]
    )
    is_there = np.isfinite(start)
    deviation = np.array([*settings.prior * len(levels), settings.background_prior])
    precision = np.where(is_there, deviation**-2, 0.0)
    free = np.flatnonzero(is_there)
    powers = np.arange(2, _EACH * len(levels), _EACH)

    def pull(theta: Floats) -> Floats:
        difference = np.zeros(start.size)
        difference[free] = start[free] - theta[free]
        return difference

    def cost(theta: Floats, log_intensity: Floats) -> float:
        return float(np.sum(((y - log_intensity) / error) ** 2) + np.sum(precision * pull(theta) ** 2))

    theta, damping = start.copy(), 1e-2
    current, jacobian = _evaluate(q, theta, pivots, scale)
    best = cost(theta, current)
    for _ in range(settings.steps):
        scaled = jacobian[:, free] / error[:, None]
        normal = scaled.T @ scaled + np.diag(precision[free])
        gradient = scaled.T @ ((y - current) / error) + (precision * pull(theta))[free]
        before = best
        for _ in range(settings.trials):
            trial = theta.copy()
            trial[free] += np.clip(
                np.linalg.solve(normal + damping * np.diag(np.diag(normal)), gradient), -0.7, 0.7
            )
            trial[powers] = np.clip(trial[powers], *settings.powers)
            trial[-1] = max(trial[-1], 0.0)
            value, derivatives = _evaluate(q, trial, pivots, scale)
            misfit = cost(trial, value)
            if misfit < best:
                theta, current, jacobian, best, damping = trial, value, derivatives, misfit, damping / 5
                break
            damping *= 5
        if before - best < settings.small * best:
            break
    criterion = x.size * math.log(max(best, 1e-300)) + free.size * math.log(x.size)
    return UnifiedFit(theta, pivots, current, jacobian, precision, pull(theta), scale, criterion)


def _numbers(level: LevelStart, pivot: float) -> tuple[float, float, float, float]:
    """ln G, ln Rg, P and ln I of the power law at the pivot; infinite for what there is not."""
    return (
        math.log(level.g) if level.g > 0 else -math.inf,
        math.log(level.rg),
        level.power if level.b > 0 else math.inf,
        math.log(level.b) - level.power * math.log(pivot) if level.b > 0 else -math.inf,
    )


def _pivot(q: Floats, level: LevelStart, smaller: Sequence[LevelStart]) -> float:
    """Middle of the range, on a logarithmic scale, of a level's power law, Å⁻¹."""
    low = max(float(q[0]), 1 / level.rg)
    high = next((1 / other.rg for other in smaller if math.isfinite(other.rg)), float(q[-1]))
    return math.sqrt(low * max(high, low))


def _evaluate(q: Floats, theta: Floats, pivots: Floats, scale: float) -> tuple[Floats, Floats]:
    """ln I (n,) and its derivatives by the numbers (n, numbers)."""
    numbers = theta[:-1].reshape(-1, _EACH)
    jacobian = np.zeros((q.size, theta.size))
    total = np.full(q.size, theta[-1] * scale)
    jacobian[:, -1] = scale
    for k, (log_g, log_rg, power, log_b) in enumerate(numbers):
        first = _EACH * k
        u2 = (q * math.exp(log_rg)) ** 2 if math.isfinite(log_rg) else np.zeros(q.size)
        if math.isfinite(log_g):
            guinier = np.exp(log_g - u2 / 3)
            total += guinier
            jacobian[:, first] = guinier
            jacobian[:, first + 1] -= 2 / 3 * u2 * guinier
        if not math.isfinite(log_b):
            continue
        log_q = np.log(q / pivots[k])
        law = log_b - power * log_q
        by_power = -log_q
        by_radius = np.zeros(q.size)
        if math.isfinite(log_rg):
            z = np.sqrt(u2 / 6)
            rise = erf(z)
            law += 3 * power * np.log(rise)
            by_power = by_power + 3 * np.log(rise)
            by_radius = 3 * power * z * (2 / math.sqrt(math.pi)) * np.exp(-(z**2)) / rise
        later = next((m for m in range(k + 1, len(numbers)) if math.isfinite(numbers[m, 1])), None)
        v2 = np.zeros(q.size) if later is None else (q * math.exp(numbers[later, 1])) ** 2
        porod = np.exp(law - v2 / 3)
        total += porod
        jacobian[:, first + 1] += by_radius * porod
        jacobian[:, first + 2] = by_power * porod
        jacobian[:, first + 3] = porod
        if later is not None:
            jacobian[:, _EACH * later + 1] -= 2 / 3 * v2 * porod
    total = np.maximum(total, 1e-300)
    return np.log(total), jacobian / total[:, None]
