"""What tests write to a Tiled server, and how a user names it."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.live.instrument import sphere

Q = np.geomspace(0.01, 0.3, 100)


def curve(radius: float, seed: int = 0) -> dict[str, np.ndarray]:
    """q in Å⁻¹, I and dI of spheres."""
    clean = sphere(Q, radius)
    sigma = 0.02 * clean + 1e-4
    return {"q": Q, "I": clean + sigma * np.random.default_rng(seed).standard_normal(Q.size), "dI": sigma}


def at(place: Any, *names: str) -> str:
    """What a user writes for an entry."""
    server = str(place.uri).partition("/api/")[0].rstrip("/")
    return f"tiled:{server}/{'/'.join(filter(None, [*place.path_parts, *names]))}"
