"""A power law that appears at low q between two curves of a series: clusters, surfaces, a network.

The later curve is compared with a multiple of the earlier one, the same stretched along q, as by particles
that have grown a little, a flat background and c q⁻ᵖ, by least squares at each exponent. Only what the power
law explains nearly all of is one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.signal import savgol_filter

from ..arrays import Floats


class UpturnSettings(NamedTuple):
    """What an upturn is."""

    #: Exponents that are tried. Steeper laws no sample has; less steep ones are broad shapes, not upturns.
    exponents: tuple[float, ...] = tuple(np.round(np.arange(1.0, 5.01, 0.1), 2))
    seen: float = 5.0  #: Standard deviations from which on it is there.
    share: float = 0.05  #: Of the intensity at the lowest q it makes at least so much.
    #: Of the χ² that a multiple and a background leave, the power law leaves at most so much, besides noise.
    rest: float = 0.1


SETTINGS = UpturnSettings()


class Upturn(NamedTuple):
    """A power law c q⁻ᵖ that one curve has and another has not."""

    exponent: float
    error: float  #: One standard deviation.
    share: float  #: Of the intensity at the lowest q.


def find_upturn(
    q: Floats,
    earlier: Floats,
    of_before: Floats,
    after: Floats,
    of_after: Floats,
    settings: UpturnSettings = SETTINGS,
) -> Upturn | None:
    """Find the power law by which a curve differs from an earlier one; None if unclear."""
    # q in Å⁻¹, ascending; both curves in one unit with standard deviations.
    good = np.isfinite(earlier + after) & (of_before > 0) & (of_after > 0)
    if good.sum() < 8:
        return None
    q, earlier, of_before, after, of_after = (x[good] for x in (q, earlier, of_before, after, of_after))
    sigma = of_after
    columns = [earlier, np.ones_like(q), _stretch(q, earlier)]
    base_chisq = math.inf
    for _ in range(2):  # the variance depends on the multiple
        (scale, *_), base_chisq, _ = _fit_columns(columns, after, sigma)
        sigma = np.hypot(of_after, scale * of_before)
    laws = [
        _fit_columns([*columns, (q / q[0]) ** -exponent], after, sigma) for exponent in settings.exponents
    ]
    chisqs = np.array([chisq for _, chisq, _ in laws])
    best = int(chisqs.argmin())
    (*_, amount), chisq, (*_, error_of_amount) = laws[best]
    spread = max(1.0, chisq / (q.size - 5))
    noise = q.size - 5 + 3 * math.sqrt(2 * q.size)
    clear = amount > settings.seen * error_of_amount * math.sqrt(spread)
    explained = chisq - noise < settings.rest * (base_chisq - chisq)
    if not (clear and explained and amount > settings.share * after[0]):
        return None
    near = chisqs < chisq + spread
    error = max(float(np.ptp(np.array(settings.exponents)[near])) / 2, 0.05)
    return Upturn(float(settings.exponents[best]), error, float(amount / after[0]))


def _stretch(q: Floats, intensity: Floats) -> Floats:
    """The change of a curve when it is stretched along q a little: dI / d ln q, smoothed."""
    width = min(max(5, q.size // 16), q.size - 2) | 1
    change, step = (savgol_filter(x, width, 2, deriv=1) for x in (intensity, np.log(q)))
    return np.asarray(change / step)


def _fit_columns(columns: list[Floats], values: Floats, sigma: Floats) -> tuple[Floats, float, Floats]:
    """Coefficients, χ² and standard deviations of the coefficients."""
    matrix = np.stack(columns, axis=1) / sigma[:, None]
    size = np.linalg.norm(matrix, axis=0)
    left_vectors, singular, right = np.linalg.svd(matrix / size, full_matrices=False)
    inverse = np.where(singular > 1e-10 * singular[0], 1 / np.maximum(singular, 1e-300), 0.0)
    coefficients = right.T @ (inverse * (left_vectors.T @ (values / sigma)))
    errors = np.sqrt(np.sum((right.T * inverse) ** 2, axis=1))
    chisq = float(np.sum((values / sigma - (matrix / size) @ coefficients) ** 2))
    return coefficients / size, chisq, errors / size
