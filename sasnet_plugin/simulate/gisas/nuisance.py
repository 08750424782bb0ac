"""What the network says of a sample besides p(ξ): a table of quantities, and their scale for training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..images.measurement import MEASUREMENT
from .priors import GEOMETRY


@dataclass(frozen=True)
class Quantity:
    """One number that the network estimates.

    Parameters
    ----------
    name : str
        Of a field of `Geometry` or `Measurement`.
    unit : str
    low, high : float
        Of its prior.
    logarithmic : bool
        Estimated as a logarithm.
    floor : float
        Less than this is the same as nothing (logarithmic quantities that may be 0).
    odd : bool
        Changes its sign in a mirror.
    """

    name: str
    unit: str
    low: float
    high: float
    logarithmic: bool = False
    floor: float = 0.0
    odd: bool = False

    def scaled(self, value: float) -> float:
        """About −1.7 to 1.7 over the prior."""
        middle, step = self._scale()
        return float(((self._log(value) if self.logarithmic else value) - middle) / step)

    def value(self, scaled: float, error: float) -> tuple[float, float]:
        """The quantity and its standard error, in its unit, from the scaled ones."""
        middle, step = self._scale()
        x = middle + step * scaled
        if not self.logarithmic:
            return float(x), float(step * error)
        found = float(np.exp(x))
        return found, float(found * np.sinh(min(step * error, 3.0)))

    def _scale(self) -> tuple[float, float]:
        """Middle and standard deviation of the prior's range."""
        low, high = (self._log(x) if self.logarithmic else x for x in (self.low, self.high))
        return (low + high) / 2, (high - low) / float(np.sqrt(12))

    def _log(self, value: float) -> float:
        return float(np.log(max(value, self.floor)))


def _of(name: str, *, floor: float = 0.0, odd: bool = False) -> Quantity:
    prior = GEOMETRY.get(name) or MEASUREMENT[name]
    low, high = prior.limits()
    return Quantity(name, prior.unit, low, high, prior.drawn.startswith("log"), floor, odd)


#: In the order of the network's outputs.
QUANTITIES = (
    _of("lattice"),
    _of("width"),
    _of("position_spread"),
    _of("radius"),
    _of("radius_pd"),
    _of("oxide"),
    _of("sigma_phi", floor=0.003),
    _of("sigma_alpha", floor=0.003),
    _of("shift_phi", odd=True),
    _of("shift_alpha"),
    _of("flat", floor=1e-4),
    _of("diffuse", floor=1e-3),
)
NAMES = tuple(quantity.name for quantity in QUANTITIES)
#: −1 for those that change their sign in a mirror.
SIGNS = np.array([-1.0 if quantity.odd else 1.0 for quantity in QUANTITIES], dtype=np.float32)


def scaled(values: Mapping[str, float]) -> NDArray[np.float32]:
    """The network's targets, (len(QUANTITIES),), of everything that was drawn."""
    return np.array([quantity.scaled(values[quantity.name]) for quantity in QUANTITIES], dtype=np.float32)
