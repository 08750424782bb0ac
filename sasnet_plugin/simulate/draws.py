"""Draws as the protocol file writes them: "uniform a b", "loguniform a b", "integer a b"."""

from __future__ import annotations

import numpy as np

from ..types import SimulationError


def loguniform(low: float, high: float, rng: np.random.Generator) -> float:
    """One draw, uniform in the logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def draw(text: str, rng: np.random.Generator) -> float:
    """One draw as described by text.

    Raises
    ------
    SimulationError
        The text is no draw.
    """
    words = text.split()
    if len(words) == 3:
        kind, low, high = words[0], float(words[1]), float(words[2])
        if kind == "uniform":
            return float(rng.uniform(low, high))
        if kind == "loguniform":
            return loguniform(low, high, rng)
        if kind == "integer":
            return float(rng.integers(int(low), int(high), endpoint=True))
    raise SimulationError(f"{text!r} is not a draw; write 'uniform a b', 'loguniform a b' or 'integer a b'.")
