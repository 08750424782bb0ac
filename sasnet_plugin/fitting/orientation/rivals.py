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
from .linear import deviance
from .parameters import INDEX, PARAMETERS, Guess, clipped
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


_TURN = "Measure the sample turned about its normal to tell them apart."


@dataclass(frozen=True)
class Rival:
    """Another lattice beside the one that was fitted.

    Parameters
    ----------
    lattice : float
        Å.
    gain : float
        By how much its deviance is lower than the fit's, both with their best distributions and geometries,
        over what the counts scatter by.
    """

    name: str
    lattice: float
    gain: float

    @property
    def sentence(self) -> str:
        """For people."""
        said = f"A {self.name} lattice of {significant(self.lattice, 3)} Å"
        if self.gain > INVERSION.rival_gain:
            return (
                f"{said} explains the pattern better (by {self.gain:.0f} in deviance): it is no hexagonal"
                " lattice within the range that is known, and p(ξ) means nothing."
            )
        if self.odds < 1:
            return (
                f"{said} explains the pattern better (by {self.gain:.0f} in deviance): p(ξ) is not to be"
                f" believed. {_TURN}"
            )
        return f"{said} explains the pattern about as well: from one side both have the same rows. {_TURN}"

    @property
    def odds(self) -> float:
        """Of the fitted lattice against this one."""
        return INVERSION.rival_prior * float(np.exp(-np.clip(self.gain, -50.0, 50.0) / 2))

    @property
    def scope(self) -> float:
        """Probability of the fitted lattice beside this one; none is sure beside one that is named."""
        return min(INVERSION.rival_scope, self.odds / (1 + self.odds))


def best_rival(now: State, expected: FloatArray, likely: float, guess: Guess) -> Rival | None:
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
    guess : Guess
        Prior of its geometry.
    """
    own = float(deviance(now.counts.y, fitted(now, expected)[2]).sum())
    # How much less a lattice may explain for its own geometry to make it good: a wrong model may change by a
    # part of what it leaves over.
    near = max(INVERSION.rival_near, INVERSION.rival_share * max(own - likely, 0.0))
    best, least, name_of_best = now, np.inf, ""
    for name, gamma, ratio in RIVALS:
        other = _on(now, ratio * now.factors.geometry.lattice, gamma)
        left, other = _descended(other, expected, guess, own + 5 * near, lattice_alone=True)
        if left < own + near:
            left, other = _descended(other, expected, guess, np.inf)
        if left < least:
            best, least, name_of_best = other, left, name
        if _gain(own, least, likely) > INVERSION.rival_odds:
            break
    if least > own + near:
        return None
    # The fit may stand at another film, or at its mean geometry: it has as many steps, and begins where the
    # rival is, too.
    back = _on(best, now.factors.geometry.lattice, HEXAGONAL)
    own = min(own, *(_descended(one, expected, guess, np.inf)[0] for one in (now, back)))
    gain = _gain(own, least, likely)
    # Of a model that leaves something over, as much may be wrong with either.
    named = max(INVERSION.rival_odds, _gain(own, likely, likely))
    return Rival(name_of_best, best.factors.geometry.lattice, gain) if gain > -named else None


def _gain(own: float, other: float, likely: float) -> float:
    """By how much a deviance is lower than the fit's, over what the counts scatter by beyond chance."""
    return (own - other) / max(1.0, own / likely)


def _on(now: State, lattice: float, gamma: float) -> State:
    """The same particles on another lattice, in or out of the range that is known."""
    inner = now.inner.copy()
    inner[INDEX["lattice"]] = lattice
    return replace(now, inner=inner, factors=now.factors.on_lattice(lattice, gamma), before=None)


def _descended(
    other: State,
    expected: FloatArray,
    guess: Guess,
    hopeless: float,
    *,
    lattice_alone: bool = False,
) -> tuple[float, State]:
    """Least deviance with the geometry that suits another lattice better, and that geometry.

    A few steps, the lattice constant free; none where the deviance is above `hopeless`.

    Parameters
    ----------
    lattice_alone : bool
        Only the lattice constant and the width are moved: much cheaper.
    """
    free = np.array([parameter.name in ("lattice", "width") or not lattice_alone for parameter in PARAMETERS])
    error = guess.error.copy()
    error[INDEX["lattice"]] = np.inf
    best, least = other, np.inf
    steps = 1 if lattice_alone else INVERSION.rival_steps
    for number in range(1 + steps):
        weights, backgrounds, expected = fitted(other, expected)
        left = float(deviance(other.counts.y, expected).sum())
        if left > least - 1.0:
            break
        best, least = other, left
        if left > hopeless or number == steps:
            break
        found = Refined(other, weights, backgrounds, expected, 0.5 * left)
        near = Guess(np.where(free, guess.at, other.inner), error)
        inner = other.inner + step_of(found, near, lattice_alone=lattice_alone)
        kept = clipped(inner)
        kept[INDEX["lattice"]] = inner[INDEX["lattice"]]
        other = state(other.counts, kept, other)
    return least, best
