"""Draws as the protocol file writes them: "uniform a b", "loguniform a b", "integer a b"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..files import read_tables
from ..types import SimulationError


def loguniform(low: float, high: float, rng: np.random.Generator) -> float:
    """One draw, uniform in the logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def log10_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """One draw between ``10**low`` and ``10**high``, uniform in the logarithm."""
    return float(10 ** rng.uniform(low, high))


def choose(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    """One of the names, as often as its share says."""
    weights = np.array(list(shares.values()), dtype=float)
    return list(shares)[int(rng.choice(len(weights), p=weights / weights.sum()))]


def draw(text: str, rng: np.random.Generator) -> float:
    """Make one draw described by text. Raises SimulationError if it is none."""
    words = text.split()
    if len(words) == 3:
        kind, low, high = words[0], float(words[1]), float(words[2])
        if kind == "uniform":
            return float(rng.uniform(low, high))
        if kind == "loguniform":
            return loguniform(low, high, rng)
        if kind == "integer":
            return float(rng.integers(int(low), int(high), endpoint=True))
    raise SimulationError(
        f"{text!r} is not a distribution; write 'uniform a b', 'loguniform a b' or 'integer a b'."
    )


@dataclass(frozen=True)
class Prior:
    """One quantity."""

    drawn: str  #: As `draw` reads it.
    unit: str
    text: str  #: What it is.
    share: float = 1.0  #: Of the draws in which it is not 0.
    seed: str = ""  #: The range that the seed of this work trained on; empty where it left the quantity out.

    def __call__(self, rng: np.random.Generator) -> float:
        # Both are drawn always, so that the share changes no other quantity's draw.
        value, is_kept = draw(self.drawn, rng), rng.random() < self.share
        return value if is_kept else 0.0

    def limits(self) -> tuple[float, float]:
        """Least and largest value, 0 apart."""
        _, low, high = self.drawn.split()
        return float(low), float(high)


def read_priors(module: str) -> dict[str, dict[str, Prior]]:
    """Read the tables of priors that stand beside a module as a TOML file."""
    return {
        table: {name: Prior(*values) for name, values in rows.items()}
        for table, rows in read_tables(module).items()
    }


def draw_all(priors: Mapping[str, Prior], rng: np.random.Generator) -> dict[str, float]:
    """One draw of each quantity, in their order."""
    return {name: prior(rng) for name, prior in priors.items()}
