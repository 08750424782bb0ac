"""The tables of docs/growth_prior.md: what growing films are drawn from."""

from __future__ import annotations

from sasnet_plugin.images.growth import simulation
from sasnet_plugin.images.growth.simulation import FILM_PRIOR
from sasnet_plugin.images.simulation import FILM_WINDOW

from .rows import quantities


def tables() -> str:
    """Return all tables."""
    materials = [
        f"| {part} | {formula} | {density:g} g/cm³ |"
        for part, (formula, density) in (
            ("clusters and layer", simulation.METAL),
            ("polymer", simulation.POLYMER),
            ("substrate", simulation.SUBSTRATE),
        )
    ]
    (low, high), (bottom, top) = FILM_WINDOW.phi, FILM_WINDOW.alpha_f
    window = (
        f"The network's window: φ {low:g} to {high:g} degrees, α_f {bottom:g} to {top:g} degrees,"
        f" {FILM_WINDOW.columns} × {FILM_WINDOW.rows} pixels."
    )
    return "\n\n".join(
        (
            "## The film and its beam\n\n" + quantities(FILM_PRIOR, seed=False),
            "## Materials\n\n" + "\n".join(["| part | formula | density |", "|---|---|---|", *materials]),
            window,
        )
    )
