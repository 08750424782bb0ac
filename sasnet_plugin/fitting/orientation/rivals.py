"""Lattices of another kind that explain a pattern as well: what the beam sees of a lattice are its rows.

Under grazing incidence q stays next to one line through the origin. A lattice that lies with a row of
reciprocal points on it looks like every other lattice whose row has the same distances.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...digits import significant
from ...simulate.gisas.lattice import HEXAGONAL, SQUARE
from .forward import Refined, State, state
from .linear import deviance, reweighted
from .parameters import INDEX, clipped
from .refine import fitted, step_of
from .settings import INVERSION

FloatArray = NDArray[np.float64]
_ROOT3 = float(np.sqrt(3.0))
#: Name, angle of its cell, and its lattice constant over that of the hexagonal lattice whose rows it
#: shares: of one that lies along the beam, and of one that is turned by 30 degrees.
RIVALS = (
    ("square", SQUARE, _ROOT3 / 2),
    ("square", SQUARE, _ROOT3 / 2 * float(np.sqrt(2.0))),
    ("square", SQUARE, 0.5 * float(np.sqrt(2.0))),
    ("square", SQUARE, 1.0),
    ("hexagonal", HEXAGONAL, _ROOT3),
    ("hexagonal", HEXAGONAL, 1 / _ROOT3),
)


@dataclass(frozen=True)
class Rival:
    """Another lattice beside the one that was fitted.

    Parameters
    ----------
    name : str
    lattice : float
        Å.
    gain : float
        By how much its deviance is lower than the fit's, both with their best distributions and geometries, over
        what the counts scatter by.
    """

    name: str
    lattice: float
    gain: float

    @property
    def sentence(self) -> str:
        """For people."""
        said = f"A {self.name} lattice of {significant(self.lattice, 3)} Å"
        if self.better:
            return (
                f"{said} explains the pattern better (by {self.gain:.0f} in deviance): it is no hexagonal"
                " lattice within the range that is known, and p(ξ) means nothing."
            )
        return (
            f"{said} explains the pattern nearly as well: from one side both have the same rows. Measure the"
            " sample turned about its normal to tell them apart."
        )

    @property
    def better(self) -> bool:
        """It explains so much more that the fitted lattice is wrong."""
        return self.gain > INVERSION.rival_gain


def best_rival(
    now: State, expected: FloatArray, likely: float, at: FloatArray, error: FloatArray
) -> Rival | None:
    """The lattice that explains a pattern best besides; None where none explains it nearly as well.

    Both have as many free values, so that the difference of their deviances, over what counts scatter by, is
    twice the logarithm of the odds between them.

    Parameters
    ----------
    now : State
        The fit.
    expected : (n,) float array
        Its counts.
    likely : float
        Deviance to expect of the fit, were it right.
    at, error : (parameters,) float arrays
        Gaussian prior of its geometry.
    """
    own = _least(now, expected)
    dispersed = max(1.0, own / likely)
    # Farther than this no other geometry makes a lattice good; a wrong model may change by what it leaves over.
    far = max(INVERSION.rival_near, INVERSION.rival_share * max(own - likely, 0.0))
    found = []
    for name, gamma, ratio in RIVALS:
        other = _on(now, ratio * now.factors.geometry.lattice, gamma)
        left = _least(other, expected)
        if left < own + far:
            left, other = _descended(other, expected, at, error)
        found.append(Rival(name, other.factors.geometry.lattice, (own - left) / dispersed))
    best = max(found, key=lambda one: one.gain)
    return best if best.gain > -INVERSION.rival_odds else None


def _on(now: State, lattice: float, gamma: float) -> State:
    """The same particles on another lattice, in or out of the range that is known."""
    inner = now.inner.copy()
    inner[INDEX["lattice"]] = lattice
    return replace(now, inner=inner, factors=now.factors.on_lattice(lattice, gamma), before=None)


def _descended(
    other: State, expected: FloatArray, at: FloatArray, error: FloatArray
) -> tuple[float, State]:
    """Least deviance with the geometry that suits another lattice better, and that geometry.

    A few steps from the fit's own, the lattice constant free.
    """
    precision = 1 / error**2
    precision[INDEX["lattice"]] = 0.0
    best, least = other, np.inf
    for _ in range(1 + INVERSION.rival_steps):
        weights, backgrounds, expected = fitted(other, expected)
        left = float(deviance(other.counts.y, expected).sum())
        if left > least - 1.0:
            break
        best, least = other, left
        found = Refined(other, weights, backgrounds, expected, 0.5 * left)
        inner = other.inner + step_of(found, precision, at - other.inner)
        kept = clipped(inner)
        kept[INDEX["lattice"]] = inner[INDEX["lattice"]]
        other = state(other.counts, kept, other)
    return least, best


def _least(now: State, expected: FloatArray) -> float:
    """Deviance with the best weights of rotations and backgrounds."""
    columns = np.concatenate((now.backgrounds, now.patterns))
    return float(deviance(now.counts.y, reweighted(columns, now.counts.y, expected)[1]).sum())
