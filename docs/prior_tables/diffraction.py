"""The tables of docs/diffraction_network.md: what diffraction images are drawn from."""

from __future__ import annotations

from sasnet_plugin.images.diffraction import simulation
from sasnet_plugin.images.diffraction.simulation import SIMULATOR

from .rows import quantities


def tables() -> str:
    """Return all tables."""
    kinds = ["| kind | among 7,264 images of helium droplets | in training |", "|---|---|---|"]
    for found, drawn, alone in (
        (simulation.SEED, SIMULATOR.often, 0.0),
        (simulation.SEED_MORE, SIMULATOR.more, SIMULATOR.alone),
    ):
        total = sum(drawn.values()) + alone
        kinds += [f"| {k} | {number:,} | {drawn[k] / total:.0%} |" for k, number in found.items()]
    materials = ", ".join(f"{name} ({density:g})" for name, density in simulation.MATERIALS.items())
    low, high = simulation.ENERGIES
    return "\n\n".join(
        (
            "### Particles\n\n" + "\n".join(kinds),
            "The last four are found on top of the others, one at most, but of irregular and empty images."
            " Streak and Bent are taken to overlap as little as they can: 242 and 390 of 453 Prolate.",
            quantities(simulation.PRIORS),
            f"Round is what is seen with an axis ratio above {simulation.ROUND:g}, Elliptical below"
            f" {simulation.ELLIPTICAL:g}; a body seen {simulation.STREAK:g} times as long as"
            f" wide gives a streak, bent"
            f" where tan(tilt) tan(θ/2) at the window's edge is above {simulation.BENT:g}. δ and β are"
            f" those of {materials} (g/cm³) at {low * 1e3:g} to {high * 1e3:g} eV, loguniform, by"
            " periodictable, where |n − 1| is small enough for the transform.",
            "### Measurement\n\n" + quantities(simulation.MEASUREMENT),
            f"The detector has {simulation.PIXELS} × {simulation.PIXELS} pixels and is flat. Out of"
            f" distribution: {', '.join(SIMULATOR.kinds)}.",
        )
    )
