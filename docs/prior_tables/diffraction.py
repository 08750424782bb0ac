"""The tables of docs/diffraction.md: what diffraction images are drawn from."""

from __future__ import annotations

from sasnet_plugin.images.diffraction.simulation import measurement, samples
from sasnet_plugin.images.diffraction.simulation.simulator import SIMULATOR

from .rows import quantities


def tables() -> str:
    """Return all tables."""
    kinds = ["| kind | among 7,264 images of helium droplets | in training |", "|---|---|---|"]
    for found, drawn, alone in (
        (samples.SEED, SIMULATOR.often, 0.0),
        (samples.SEED_MORE, SIMULATOR.more, SIMULATOR.alone),
    ):
        total = sum(drawn.values()) + alone
        kinds += [f"| {k} | {number:,} | {drawn[k] / total:.0%} |" for k, number in found.items()]
    materials = ", ".join(f"{name} ({density:g})" for name, density in samples.MATERIALS.items())
    low, high = samples.ENERGIES
    return "\n\n".join(
        (
            "### Particles\n\n" + "\n".join(kinds),
            "The last four are found on top of the others, one at most, but of irregular and empty images."
            " Streak and Bent are taken to overlap as little as they can: 242 and 390 of 453 Prolate.",
            quantities(samples.PRIORS),
            f"Round is what is seen with an axis ratio above {samples.ROUND:g}, Elliptical below"
            f" {samples.ELLIPTICAL:g}; a body seen {samples.STREAK:g} times as long as"
            f" wide gives a streak, bent"
            f" where tan(tilt) tan(θ/2) at the window's edge is above {samples.BENT:g}. δ and β are"
            f" those of {materials} (g/cm³) at {low * 1e3:g} to {high * 1e3:g} eV, loguniform, by"
            " periodictable, where |n − 1| is small enough for the transform.",
            "### Measurement\n\n" + quantities(measurement.MEASUREMENT),
            f"The detector has {measurement.PIXELS} × {measurement.PIXELS} pixels and is flat. Out of"
            f" distribution: {', '.join(SIMULATOR.kinds)}.",
        )
    )
