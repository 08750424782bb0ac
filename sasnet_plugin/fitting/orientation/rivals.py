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
from .counts import Counts
from .forward import State
from .linear import deviance, reweighted
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
    lattice : float
        Å.
    gain : float
        By how much its deviance is lower than the fit's, both with their best distributions.
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


def best_rival(counts: Counts, now: State, expected: FloatArray, excess: float) -> Rival | None:
    """The lattice that explains a pattern best besides; None where none explains it nearly as well.

    Parameters
    ----------
    now : State
        The fit.
    expected : (n,) float array
        Its counts.
    excess : float
        Deviance of the fit less what is expected were it right: what a wrong model leaves may change by a
        part of it with anything.
    """
    own = _least(now, expected)
    found = []
    for name, gamma, ratio in RIVALS:
        lattice = ratio * now.factors.geometry.lattice
        other = replace(now, factors=now.factors.on_lattice(lattice, gamma), before=None)
        found.append(Rival(name, lattice, own - _least(other, expected)))
    best = max(found, key=lambda one: one.gain)
    near = max(INVERSION.rival_near, INVERSION.rival_share * max(excess, 0.0))
    return best if best.gain > -near else None


def _least(now: State, expected: FloatArray) -> float:
    """Deviance with the best weights of rotations and backgrounds."""
    columns = np.concatenate((now.backgrounds, now.patterns))
    return float(deviance(now.counts.y, reweighted(columns, now.counts.y, expected)[1]).sum())
