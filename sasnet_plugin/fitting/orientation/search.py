"""Where to begin when little is known of the geometry: a few radii, then a few lattice constants."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .forward import ROUGH, Counts, State, state
from .linear import deviance
from .parameters import INDEX, PARAMETERS, clipped
from .refine import Refined, descend, fitted

FloatArray = NDArray[np.float64]
#: What is tried, Å.
_RADII = (80.0, 93.0, 106.0, 119.0, 132.0)
_LATTICES = np.arange(285.0, 420.0, 8.0)
#: Differences of this much, relative, are forgiven while valleys are compared.
_TOLERANCE = 0.25
_STEPS = 4


def search(counts: Counts, at: FloatArray, error: FloatArray) -> FloatArray:
    """A geometry to descend from.

    Parameters
    ----------
    counts : Counts
    at, error : (parameters,) float arrays
        A broad guess.

    Returns
    -------
    (parameters,) float array
        On the fit's scale.
    """
    found: list[Refined] = []
    for radius in _near(_RADII, "radius", at, error):
        begin = at.copy()
        begin[INDEX["radius"]] = radius
        found.append(descend(counts, at, error, begin, most=_STEPS, tolerance=_TOLERANCE, enough=5.0))
    found.sort(key=lambda each: each.loss)
    tried = [_by_lattice(each, at, error) for each in found[:2]]
    return min(tried, key=lambda each: each.loss).state.inner


def _by_lattice(found: Refined, at: FloatArray, error: FloatArray) -> Refined:
    """The lattice constant that fits best beside the particles found, refined."""
    least, best, now = np.inf, found.state.inner, found.state
    for lattice in _near(_LATTICES, "lattice", at, error):
        inner = found.state.inner.copy()
        inner[INDEX["lattice"]] = lattice
        now = state(found.state.counts, clipped(inner), now, ROUGH)
        loss = _loss(now, found.expected)
        if loss < least:
            least, best = loss, now.inner
    return descend(
        found.state.counts, at, error, best, before=now, most=_STEPS, tolerance=_TOLERANCE, enough=5.0
    )


def _loss(now: State, expected: FloatArray) -> float:
    fit = fitted(now, expected, _TOLERANCE, rounds=1)
    return float(deviance(now.counts.y, fit[2], _TOLERANCE).sum())


def _near(
    values: FloatArray | tuple[float, ...], name: str, at: FloatArray, error: FloatArray
) -> list[float]:
    """Those within two standard deviations of the guess, and the guess."""
    k = INDEX[name]
    assert PARAMETERS[k].scale == "plain"
    return [float(at[k])] + [float(v) for v in values if abs(v - at[k]) < 2 * error[k]]
