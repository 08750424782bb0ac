"""Where to begin when little is known of the geometry: a few radii, then a few lattice constants."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from .counts import Counts
from .effort import Effort
from .forward import ROUGH, Refined, State, state
from .linear import deviance
from .parameters import INDEX, PARAMETERS, clipped
from .refine import descend, fitted
from .settings import INVERSION

FloatArray = NDArray[np.float64]
_roughly = partial(
    descend, most=INVERSION.search_steps, tolerance=INVERSION.search_tolerance, enough=INVERSION.search_enough
)


def search(counts: Counts, at: FloatArray, error: FloatArray, effort: Effort | None = None) -> FloatArray:
    """A geometry to descend from.

    Parameters
    ----------
    at, error : (parameters,) float arrays
        A broad guess.
    effort : Effort, optional

    Returns
    -------
    (parameters,) float array
        On the fit's scale.
    """
    found: list[Refined] = []
    for radius in _near(INVERSION.radii, "radius", at, error):
        begin = at.copy()
        begin[INDEX["radius"]] = radius
        if effort is not None and effort.over and found:
            break
        found.append(_roughly(counts, at, error, begin, effort=effort))
    found.sort(key=lambda each: each.loss)
    tried = [_by_lattice(each, at, error, effort) for each in found[: 1 if effort and effort.over else 2]]
    return min(tried, key=lambda each: each.loss).state.inner


def _by_lattice(found: Refined, at: FloatArray, error: FloatArray, effort: Effort | None = None) -> Refined:
    """The lattice constant that fits best beside the particles found, refined."""
    least, best, now = np.inf, found.state.inner, found.state
    for lattice in _near(INVERSION.lattices, "lattice", at, error):
        inner = found.state.inner.copy()
        inner[INDEX["lattice"]] = lattice
        now = state(found.state.counts, clipped(inner), now, ROUGH)
        loss = _loss(now, found.expected)
        if loss < least:
            least, best = loss, now.inner
    return _roughly(found.state.counts, at, error, best, before=now, effort=effort)


def _loss(now: State, expected: FloatArray) -> float:
    fit = fitted(now, expected, INVERSION.search_tolerance, rounds=1)
    return float(deviance(now.counts.y, fit[2], INVERSION.search_tolerance).sum())


def _near(values: tuple[float, ...], name: str, at: FloatArray, error: FloatArray) -> list[float]:
    """Those within two standard deviations of the guess, and the guess."""
    k = INDEX[name]
    assert PARAMETERS[k].scale == "plain"
    return [float(at[k])] + [v for v in values if abs(v - at[k]) < 2 * error[k]]
