"""The tables of docs/growth_prior.md: what growing films are drawn from."""

from __future__ import annotations

from sasnet_plugin.images.growth.simulation import stack
from sasnet_plugin.images.growth.simulation.film import WINDOW
from sasnet_plugin.images.growth.simulation.priors import FILM

from .rows import quantities


def tables() -> str:
    """Return all tables."""
    materials = [
        f"| {part} | {formula} | {density:g} g/cm³ |"
        for part, (formula, density) in (
            ("clusters and layer", stack.METAL),
            ("polymer", stack.POLYMER),
            ("substrate", stack.SUBSTRATE),
        )
    ]
    (low, high), (bottom, top) = WINDOW.phi, WINDOW.alpha_f
    window = (
        f"The network's window: φ {low:g} to {high:g} degrees, α_f {bottom:g} to {top:g} degrees,"
        f" {WINDOW.columns} × {WINDOW.rows} pixels."
    )
    return "\n\n".join(
        (
            "## The film and its beam\n\n" + quantities(FILM, seed=False),
            "## Materials\n\n" + "\n".join(["| part | formula | density |", "|---|---|---|", *materials]),
            window,
        )
    )
