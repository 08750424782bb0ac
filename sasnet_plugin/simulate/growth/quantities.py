"""What a network is asked of a growing film: a table of quantities, and their scale for training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..gisas.nuisance import Quantity

#: In the order of the network's outputs. Lengths as logarithms: what is asked for is a relative error.
QUANTITIES = (
    Quantity("distance", "Å", 40.0, 200.0, logarithmic=True, floor=10.0),
    Quantity("distance_spread", "Å", 2.0, 40.0, logarithmic=True, floor=0.5),
    Quantity("radius", "Å", 8.0, 100.0, logarithmic=True, floor=2.0),
    Quantity("aspect", "", 0.5, 1.6, logarithmic=True, floor=0.1),
    Quantity("radius_pd", "", 0.05, 0.35),
    Quantity("coverage", "", 0.14, 0.91, logarithmic=True, floor=0.01),
    Quantity("metal", "Å", 0.5, 250.0, logarithmic=True, floor=0.2),
    Quantity("polymer", "Å", 100.0, 500.0),
)
NAMES = tuple(quantity.name for quantity in QUANTITIES)


def scaled(values: Mapping[str, float]) -> NDArray[np.float32]:
    """The network's targets, (len(QUANTITIES),), of a film's properties by name."""
    return np.array([quantity.scaled(values[quantity.name]) for quantity in QUANTITIES], dtype=np.float32)
