"""Lattices of another kind that explain a pattern as well: what the beam sees of a lattice are its rows.

Under grazing incidence q stays next to one line through the origin. A lattice that lies with a row of
reciprocal points on it looks like every other lattice whose row has the same distances. Which square lattice
that is depends on how either lies, so its constant is looked for: all of them are held against the pattern
with its rows of pixels added up in a few bands, as streaks stand upright, and the best begin descents there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ....arrays import Floats
from ....digits import significant
from ..simulation.lattice import HEXAGONAL, SQUARE
from .counts import in_bands
from .forward import ROUGH, Refined, State, state
from .linear import deviance
from .parameters import INDEX, Guess, clipped
from .refine import fitted, step_of
from .settings import INVERSION

#: Constants of square lattices over the fit's: below the first they are too dense to have its rows, above
#: the last too sparse for spheres that lie in order.
SQUARES = (0.68, 1.35)
#: Least constant over the radius: spheres that nearly touch.
_TOUCHING = 1.9
#: Constants of hexagonal lattices out of the range that is known, over the fit's, whose rows it shares.
_OF_ROWS = (float(np.sqrt(3.0)), float(1 / np.sqrt(3.0)))
#: A step that lowers the deviance by less ends a descent.
_ENOUGH = 1.0
_NAMES = {SQUARE: "square", HEXAGONAL: "hexagonal"}


_TURN = "Rotate the sample about its normal and measure again to distinguish them."


@dataclass(frozen=True)
class Rival:
    """Another lattice beside the one that was fitted."""

    name: str
    lattice: float  #: Å.
    #: By how much its deviance is lower than the fit's, both with their best distributions and geometries,
    #: over what the counts scatter by.
    gain: float

    @property
    def sentence(self) -> str:
        said = f"A {self.name} lattice of {significant(self.lattice, 3)} Å"
        if self.gain > INVERSION.rival_gain:
            return (
                f"{said} fits the pattern better (by {self.gain:.0f} in deviance). It is not a"
                f" hexagonal lattice in the trained range, so p(ξ) is meaningless."
            )
        if self.odds < 1:
            return (
                f"{said} fits the pattern better (by {self.gain:.0f} in deviance), so do not trust"
                f" p(ξ). {_TURN}"
            )
        return (
            f"{said} fits the pattern about equally well: from this side both lattices have the same"
            f" rows. {_TURN}"
        )

    @property
    def odds(self) -> float:
        """Odds of the fitted lattice against this one."""
        return INVERSION.rival_prior * float(np.exp(-np.clip(self.gain, -50.0, 50.0) / 2))

    @property
    def scope(self) -> float:
        """Probability of the fitted lattice beside this one; none is sure beside one that is named."""
        return min(INVERSION.rival_scope, self.odds / (1 + self.odds))


def best_rival(now: State, expected: Floats, likely: float, guess: Guess) -> Rival | None:
    """Find the next best lattice, with `guess` as prior; None if none is nearly as good."""
    # Parameters are equal in number, so the difference of deviances over the dispersion is twice the log
    # odds. `likely` is the deviance expected of a right fit.
    near = _nearest_in_bands(now, guess)
    if near is None:
        return None
    gamma = near.factors.gamma
    begin = state(now.counts, near.inner, _on(now, near.factors.geometry.lattice, gamma))
    least, best = _descended(begin, expected, guess, INVERSION.rival_steps)
    own = float(deviance(now.counts.y, fitted(now, expected)[2]).sum())
    # Of a model that leaves something over, as much may be wrong with either.
    named = max(INVERSION.rival_odds, _gain(own, likely, likely))
    if _gain(own, least, likely) < -named:
        return None
    # The fit may stand at another film, or at its mean geometry: it begins where the rival is, too.
    back = _on(best, now.factors.geometry.lattice, HEXAGONAL)
    own = min(own, *(_descended(one, expected, guess, INVERSION.rival_steps // 2)[0] for one in (now, back)))
    gain = _gain(own, least, likely)
    return Rival(_NAMES[gamma], best.factors.geometry.lattice, gain) if gain > -named else None


def _nearest_in_bands(now: State, guess: Guess) -> State | None:
    """Another lattice with the geometry that suits it best, rows of pixels added up in bands."""
    # None where the fit is far better on them.
    counts = in_bands(now.counts, INVERSION.rival_bands)
    if not counts.y.size:
        return None
    base = state(counts, now.inner, None, ROUGH)
    expected = fitted(base)[2]
    own = now.factors.geometry.lattice
    begin = [_on(base, lattice, SQUARE) for lattice in _nearest_squares(base, expected)]
    begin += [_on(base, ratio * own, HEXAGONAL) for ratio in _OF_ROWS]
    ends = [_descended(one, expected, guess, INVERSION.rival_steps) for one in begin]
    least, best = min(ends, key=lambda end: end[0])
    far = INVERSION.rival_far * float(deviance(counts.y, expected).sum())
    return best if least < far else None


def _nearest_squares(base: State, expected: Floats) -> list[float]:
    """Constants, Å, at which a square lattice explains counts better than beside them, the best first."""
    geometry, window = base.factors.geometry, base.counts.window
    farthest = 2 * np.pi / geometry.wavelength * np.sin(np.radians(window.phi[1]))
    low = max(SQUARES[0] * geometry.lattice, _TOUCHING * geometry.radius)
    high = SQUARES[1] * geometry.lattice
    step = INVERSION.rival_step / (geometry.width * farthest)
    lattices = np.exp(np.arange(np.log(low), np.log(max(high, low)), step))

    def left(lattice: float) -> float:
        found = fitted(_on(base, lattice, SQUARE), expected, rounds=1)[2]
        return float(deviance(base.counts.y, found).sum())

    over = np.array([left(float(lattice)) for lattice in lattices])
    around = np.concatenate(([np.inf], over, [np.inf]))
    lowest = np.flatnonzero((over <= around[:-2]) & (over < around[2:]))
    best = lowest[np.argsort(over[lowest])][: INVERSION.rival_starts]
    return [float(lattice) for lattice in lattices[best]]


def _gain(own: float, other: float, likely: float) -> float:
    """Return how much lower a deviance is than the fit's, over the excess scatter of counts."""
    return (own - other) / max(1.0, own / likely)


def _on(now: State, lattice: float, gamma: float) -> State:
    """Put the same particles on another lattice, whatever the prior's range."""
    inner = now.inner.copy()
    inner[INDEX["lattice"]] = lattice
    return replace(now, inner=inner, factors=now.factors.on_lattice(lattice, gamma), before=None)


def _descended(other: State, expected: Floats, guess: Guess, steps: int) -> tuple[float, State]:
    """Least deviance with the geometry that suits another lattice better, and that geometry."""
    # The lattice constant is free of the guess and of the range that is known.
    error = guess.error.copy()
    error[INDEX["lattice"]] = np.inf
    free = Guess(guess.at, error)
    best, least = other, np.inf
    for number in range(1 + steps):
        weights, backgrounds, expected = fitted(other, expected)
        left = float(deviance(other.counts.y, expected).sum())
        if left > least - _ENOUGH:
            break
        best, least = other, left
        if number < steps:
            inner = other.inner + step_of(Refined(other, weights, backgrounds, expected, 0.5 * left), free)
            kept = clipped(inner)
            kept[INDEX["lattice"]] = inner[INDEX["lattice"]]
            other = state(other.counts, kept, other, other.factors.nodes)
    return least, best
