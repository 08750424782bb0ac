"""What growing films are drawn from. docs/growth_prior.md publishes it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ....simulate.draws import Prior, draw_all
from .film import Film

#: What is drawn; the rest follows: σ = spread · D, R = filling · D/2.
FILM = {
    "distance": Prior("uniform 40 200", "Å", "most probable distance D of neighbouring clusters"),
    "spread": Prior("uniform 0.05 0.35", "", "standard deviation σ of that distance over D"),
    "filling": Prior("uniform 0.4 1.0", "", "diameter of the clusters over their distance, 2R/D"),
    "aspect": Prior("uniform 0.5 1.6", "", "height over radius, H/R"),
    "radius_pd": Prior("uniform 0.05 0.35", "", "spread of the radius, relative"),
    "coupling": Prior("uniform 0 1", "", "κ: larger clusters lie further apart", share=0.5),
    "layer": Prior("loguniform 5 250", "Å", "closed metal layer below the clusters", share=0.5),
    "polymer": Prior("uniform 100 500", "Å", "thickness of the polymer film"),
    "wavelength": Prior("uniform 0.92 1.02", "Å", "wavelength"),
    "alpha_i": Prior("uniform 0.3 0.6", "degrees", "angle of incidence"),
}
#: Limits of what follows, Å; a film beyond them is drawn again.
SPREAD_LIMITS, MOST_METAL = (2.0, 40.0), 250.0


def sample_film(rng: np.random.Generator) -> Film:
    while True:
        values = draw_all(FILM, rng)
        spread = values.pop("spread") * values["distance"]
        radius = values.pop("filling") * values["distance"] / 2
        film = Film(distance_spread=spread, radius=radius, **values)
        if SPREAD_LIMITS[0] <= spread <= SPREAD_LIMITS[1] and film.metal <= MOST_METAL:
            return film


def growing(thickness: float, distance: float) -> Film:
    """Return a film of hemispheres from the effective thickness δ of metal and the distance D, Å, as a series
    of frames shows it.
    """
    # One hemisphere a cell: 2/3 π R³ = δ √3/2 D² (the geometrical model of M. Schwartzkopf et al., Nanoscale
    # 5, 5053, 2013). Once they touch, the rest is a layer below.
    radius = min((thickness * 3 * np.sqrt(3) * distance**2 / (4 * np.pi)) ** (1 / 3), distance / 2)
    bare = Film(distance, 0.15 * distance, float(radius), 1.0, 0.15, 0.0, 0.0, 300.0, 0.96, 0.4)
    rest = thickness - bare.metal
    return bare if rest < 1e-6 * thickness else replace(bare, layer=rest)
