"""Bodies for training: drawn, some of them at hand for several measurements."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from .bilayers import bilayer
from .body import Body
from .clusters import aggregate
from .faceted import particle
from .networks import porous
from .populations import population
from .proteins import flexible, protein
from .upturns import upturn

#: Generator of each kind, and its share.
BODIES: Mapping[str, tuple[Callable[[np.random.Generator], Body], float]] = {
    "protein": (protein, 0.28),
    "flexible": (flexible, 0.1),
    "bilayer": (bilayer, 0.18),
    "upturn": (upturn, 0.15),
    "population": (population, 0.12),
    "aggregate": (aggregate, 0.08),
    "porous": (porous, 0.05),
    "faceted": (particle, 0.04),
}


def body(rng: np.random.Generator) -> Body:
    names = list(BODIES)
    kind = names[int(rng.choice(len(names), p=[share for _, share in BODIES.values()]))]
    return BODIES[kind][0](rng)


class Drawn:
    """An endless supply of bodies, `kept` at hand and each measured `uses` times on average: a body takes
    tens of milliseconds, a measurement a tenth of one.
    """

    def __init__(self, rng: np.random.Generator, *, kept: int = 256, uses: int = 10) -> None:
        self._rng, self._most, self._uses = rng, kept, uses
        self._kept: list[Body] = []

    def draw(self, count: int) -> list[Body]:
        """So many, no two of them the same where there are enough."""
        for _ in range(1 + count // self._uses):
            if len(self._kept) < self._most:
                self._kept.append(body(self._rng))
            else:
                self._kept[int(self._rng.integers(self._most))] = body(self._rng)
        picked = self._rng.choice(len(self._kept), size=count, replace=count > len(self._kept))
        return [self._kept[int(index)] for index in picked]
