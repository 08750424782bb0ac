"""sasmodels' pringle, a saddle-shaped disk, ten times faster.

The body and its series: Edler et al., Langmuir 27 (2011) and sasmodels' page of the model: with ψ the angle
to the axis, c = q cos ψ, s = q sin ψ, and n from -3 to 3 as sasmodels stops there,

    I(q) ∝ ∫ dψ sin ψ [sin(c t/2)/(c t/2)]² Σₙ |∫₀¹ x dx exp(i α R² c x²) Jₙ(β R² c x²) J₂ₙ(s R x)|².

sasmodels calculates each Bessel function anew; here they are read from tables, with no more points of
quadrature than the phases need, and all thicknesses at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from .separable_average import Floats, rule, step_of

#: Orders n of the series; those below zero are the same again.
ORDERS = (0, 1, 2, 3)
#: Step of the tables, between which Bessel functions are interpolated: linearly, an error below 1e-4 of the
#: function's own envelope; and their end, beyond which the first term of the asymptotic series does.
_STEP, _END = 0.02, 2000.0
#: Points of quadrature over the angle for each phase, over the radius, and besides; at most.
_ANGLE, _RADIUS, _LEAST, _MOST = 0.6, 0.3, 12, 160
_LADDER = (16, 20, 26, 34, 44, 58, 76, 100, 130, _MOST)
#: Numbers that are worked on at a time: few enough for the processor's caches.
_AT_ONCE = 40_000


def intensity(
    q: Floats, radius: float, alpha: float, beta: float, thicknesses: Sequence[tuple[float, float]]
) -> Floats:
    """Sum volume² times the mean square form over thicknesses (weight, Å), (n,); radius in Å, q in Å⁻¹."""
    bend = (abs(alpha) + abs(beta)) * radius**2
    thick = max(t for _, t in thicknesses) / 2
    over_angle = step_of(_LADDER, _ANGLE * q * max(radius, bend, thick) + _LEAST)
    over_radius = step_of(_LADDER, _RADIUS * q * (radius + bend) + _LEAST)
    codes = over_angle * 1000 + over_radius
    out = np.empty_like(q)
    for code in np.unique(codes):
        indices = np.flatnonzero(codes == code)
        n, m = divmod(int(code), 1000)
        chunk = max(_AT_ONCE // (n * m * len(ORDERS)), 1)
        for subset in np.split(indices, range(chunk, indices.size, chunk)):
            out[subset] = _average(q[subset], n, m, radius, alpha, beta, thicknesses)
    return out


def _average(
    q: Floats,
    n: int,
    m: int,
    radius: float,
    alpha: float,
    beta: float,
    thicknesses: Sequence[tuple[float, float]],
) -> Floats:
    """Average with n points over the angle, m over the radius."""
    turn, weight = rule(n)
    psi = np.pi / 2 * turn
    along, across = q[:, None] * np.cos(psi), q[:, None] * np.sin(psi)
    x, weights = rule(m)
    squared = radius**2 * along[..., None] * x**2
    bent = _bessel(abs(beta) * squared, 1)
    flat = _bessel(radius * across[..., None] * x, 2)
    product = bent * flat
    phase = alpha * squared
    total: Floats = np.zeros(along.shape)
    for wave in (np.cos(phase), np.sin(phase)):
        # Orders −n give what n gives.
        amplitude = np.einsum("qpxn,qpx->qpn", product, wave * (weights * x))
        total += (amplitude**2) @ np.array([1.0 if order == 0 else 2.0 for order in ORDERS])
    volumes = np.zeros(along.shape)
    for share, t in thicknesses:
        volumes += share * (np.pi * radius**2 * t * np.sinc(along * t / (2 * np.pi))) ** 2
    # sasmodels' 4 sin ψ, times the interval of ψ.
    return np.asarray(2 * np.pi * (volumes * total * np.sin(psi)) @ weight)


@cache
def _table(times: int) -> Floats:
    """J of `times` the orders, (points, orders)."""
    from scipy.special import jv

    grid = np.arange(0.0, _END + 2 * _STEP, _STEP)
    return np.stack([jv(times * order, grid) for order in ORDERS], axis=-1)


def _bessel(x: Floats, times: int) -> Floats:
    """J of `times` the orders at x, at least 0; (..., orders)."""
    table = _table(times)
    position = np.minimum(x, _END) / _STEP
    index = position.astype(np.intp)
    share = (position - index)[..., None]
    values = table[index]
    values += share * (table[index + 1] - values)
    far = x > _END
    if far.any():
        beyond = x[far][..., None]
        phase = beyond - np.pi / 4 - np.pi / 2 * times * np.array(ORDERS)
        values[far] = np.sqrt(2 / (np.pi * beyond)) * np.cos(phase)
    return np.asarray(values)
