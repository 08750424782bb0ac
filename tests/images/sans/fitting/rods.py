"""Images of oriented rods of known size and order, simulated with a whole instrument."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from sasnet_plugin.images.sans import simulation
from sasnet_plugin.images.sans.nexus import Setting
from sasnet_plugin.images.sans.simulation import (
    Background,
    Beam,
    Direction,
    Posture,
    Sample,
    beam,
    pars_of,
    row_of,
    simulate_measurement,
)
from sasnet_plugin.types import Image

RADIUS, ASPECT, SPREAD, DIRECTOR = 40.0, 4.0, 0.1, 30.0
#: NG7-like, where the first minimum of the rods' radius lies in the window.
SETTING = Setting(6.0, 0.12, 4000.0, 4000.0, 15.0, 5.0, (5.3, 5.3))


@cache
def ground() -> Beam:
    """One instrument with its faults, whose detector counts evenly, as after its flat field."""
    found = beam(simulation.INSTRUMENTS[-1], SETTING, np.random.default_rng(3))
    return replace(found, true=replace(found.true, weight=found.stated.weight))


def rods(p2: float = 0.6, counts: float = 2e5, body: str = "cylinder", seed: int = 1) -> Image:
    """Counts of rods."""
    return count(body, {"radius": RADIUS, "aspect": ASPECT, "radius_pd": SPREAD}, p2, counts, seed)


def discs() -> Image:
    """Counts of flat cylinders whose radii have a Gaussian distribution."""
    values = {"radius": 60.0, "aspect": 0.2, "radius_pd": 0.12}
    return count("cylinder", values, 0.6, 4e5, 1, "gaussian")


def count(
    body: str, values: dict[str, float], p2: float, counts: float, seed: int, distribution: str = "schulz"
) -> Image:
    """Counts of particles with these sizes about the director."""
    pars = pars_of(body, values["radius"], values["aspect"], values["radius_pd"], distribution)
    averages = simulation.maier_saupe(simulation.strength_of(p2))
    posture = Posture(row_of(Sample(body, values, body, pars)), Direction(averages, np.radians(DIRECTOR)))
    rng = np.random.default_rng(seed)
    return simulate_measurement(
        posture.intensity(ground().true), ground(), Background(flat=0.05), rng, counts
    )
