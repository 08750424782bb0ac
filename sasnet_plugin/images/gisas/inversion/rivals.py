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
from .counts import bin_in_bands
from .forward import ROUGH, Refined, State, state
from .linear import deviance
from .parameters import INDEX, Guess, clip_parameters
from .refine import fit_weights, step_of
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
        text = f"A {self.name} lattice of {significant(self.lattice, 3)} Å"
        if self.gain > INVERSION.rival_gain:
            return (
                f"{text} fits the pattern better (by {self.gain:.0f} in deviance). It is not a"
                f" hexagonal lattice in the trained range, so p(ξ) is meaningless."
            )
        if self.odds < 1:
            return (
                f"{text} fits the pattern better (by {self.gain:.0f} in deviance), so do not trust"
                f" p(ξ). {_TURN}"
            )
        return (
            f"{text} fits the pattern about equally well: from this side both lattices have the same"
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


def best_rival(current: State, expected: Floats, likely: float, guess: Guess) -> Rival | None:
    """Find the next best lattice, with `guess` as prior; None if none is nearly as good."""
    # Parameters are equal in number, so the difference of deviances over the dispersion is twice the log
    # odds. `likely` is the deviance expected of a right fit.
    near = _nearest_in_bands(current, guess)
    if near is None:
        return None
    gamma = near.factors.gamma
    begin = state(current.counts, near.inner, _move_to_lattice(current, near.factors.geometry.lattice, gamma))
    least, best = _descend_on_lattice(begin, expected, guess, INVERSION.rival_steps)
    own_deviance = float(deviance(current.counts.y, fit_weights(current, expected)[2]).sum())
    # Of a model that leaves something over, as much may be wrong with either.
    least_gain = max(INVERSION.rival_odds, _gain(own_deviance, likely, likely))
    if _gain(own_deviance, least, likely) < -least_gain:
        return None
    # The fit may stand at another film, or at its mean geometry: it begins where the rival is, too.
    back = _move_to_lattice(best, current.factors.geometry.lattice, HEXAGONAL)
    own_deviance = min(
        own_deviance,
        *(
            _descend_on_lattice(start_state, expected, guess, INVERSION.rival_steps // 2)[0]
            for start_state in (current, back)
        ),
    )
    gain = _gain(own_deviance, least, likely)
    return Rival(_NAMES[gamma], best.factors.geometry.lattice, gain) if gain > -least_gain else None


def _nearest_in_bands(current: State, guess: Guess) -> State | None:
    """Another lattice with the geometry that suits it best, rows of pixels added up in bands."""
    # None where the fit is far better on them.
    counts = bin_in_bands(current.counts, INVERSION.rival_bands)
    if not counts.y.size:
        return None
    base = state(counts, current.inner, None, ROUGH)
    expected = fit_weights(base)[2]
    own_lattice = current.factors.geometry.lattice
    begin = [_move_to_lattice(base, lattice, SQUARE) for lattice in _nearest_squares(base, expected)]
    begin += [_move_to_lattice(base, ratio * own_lattice, HEXAGONAL) for ratio in _OF_ROWS]
    ends = [_descend_on_lattice(start_state, expected, guess, INVERSION.rival_steps) for start_state in begin]
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

    def measure_deviance(lattice: float) -> float:
        fitted_counts = fit_weights(_move_to_lattice(base, lattice, SQUARE), expected, rounds=1)[2]
        return float(deviance(base.counts.y, fitted_counts).sum())

    over = np.array([measure_deviance(float(lattice)) for lattice in lattices])
    around = np.concatenate(([np.inf], over, [np.inf]))
    lowest = np.flatnonzero((over <= around[:-2]) & (over < around[2:]))
    best = lowest[np.argsort(over[lowest])][: INVERSION.rival_starts]
    return [float(lattice) for lattice in lattices[best]]


def _gain(own_deviance: float, other_deviance: float, likely: float) -> float:
    """Return how much lower a deviance is than the fit's, over the excess scatter of counts."""
    return (own_deviance - other_deviance) / max(1.0, own_deviance / likely)


def _move_to_lattice(current: State, lattice: float, gamma: float) -> State:
    """Put the same particles on another lattice, whatever the prior's range."""
    inner = current.inner.copy()
    inner[INDEX["lattice"]] = lattice
    return replace(current, inner=inner, factors=current.factors.change_lattice(lattice, gamma), before=None)


def _descend_on_lattice(moving: State, expected: Floats, guess: Guess, steps: int) -> tuple[float, State]:
    """Least deviance with the geometry that suits another lattice better, and that geometry."""
    # The lattice constant is free of the guess and of the range that is known.
    error = guess.error.copy()
    error[INDEX["lattice"]] = np.inf
    free = Guess(guess.at, error)
    best, least = moving, np.inf
    for number in range(1 + steps):
        weights, backgrounds, expected = fit_weights(moving, expected)
        deviance_left = float(deviance(moving.counts.y, expected).sum())
        if deviance_left > least - _ENOUGH:
            break
        best, least = moving, deviance_left
        if number < steps:
            inner = moving.inner + step_of(
                Refined(moving, weights, backgrounds, expected, 0.5 * deviance_left), free
            )
            clipped = clip_parameters(inner)
            clipped[INDEX["lattice"]] = inner[INDEX["lattice"]]
            moving = state(moving.counts, clipped, moving, moving.factors.nodes)
    return least, best
