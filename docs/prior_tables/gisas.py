"""The tables of docs/gisas_prior.md: what GISAS samples and measurements are drawn from."""

from __future__ import annotations

from collections.abc import Mapping

from sasnet_plugin.images import simulation as images_simulation
from sasnet_plugin.images.gisas import simulation as gisas_simulation
from sasnet_plugin.images.gisas.simulation import GEOMETRY
from sasnet_plugin.images.simulation import MEASUREMENT

from .rows import quantities

_MEANING = {
    "deltas": "{} to {} angles out of the 120".format(*gisas_simulation.DELTAS),
    "peaks": "{} to {} Gaussians anywhere, wrapped, FWHM loguniform {:g} to {:g} degrees".format(
        *gisas_simulation.PEAKS, *gisas_simulation.FWHM
    ),
    "uniform": "every angle alike",
    "mixture": "a sum of {} to {} of the kinds above".format(*gisas_simulation.PARTS),
}
_FAULTS = {
    "gaps": "up to {} across and {} upright, {:g} to {:g} degrees wide".format(
        images_simulation.GAPS, images_simulation.GAPS, *images_simulation.GAP_WIDTH
    ),
    "beamstop": "half width {:g} to {:g} degrees; a third of them each reach from below to {:g} to {:g}"
    " degrees, cover the specular beam, {:g} to {:g} degrees high, or the whole specular rod".format(
        *images_simulation.STOP_HALF, *images_simulation.STOP_END, *images_simulation.STOP_HEIGHT
    ),
    "hot": f"1 to {images_simulation.HOT} pixels",
    "partial": f"at least {images_simulation.COVERED:.0%} of the height, from the horizon on, and of the"
    " width is seen",
}


def tables() -> str:
    """Return all tables."""
    return "\n\n".join(
        (
            "## The sample and its beam\n\n" + quantities(GEOMETRY, seed=True),
            "## The rotation of the lattice\n\n" + shares(gisas_simulation.FAMILIES, _MEANING, "kind"),
            "## The measurement\n\n" + quantities(MEASUREMENT, seed=False),
            "## The mask\n\n" + shares(images_simulation.SHARES, _FAULTS, "masked"),
        )
    )


def shares(table: Mapping[str, float], meaning: Mapping[str, str], head: str) -> str:
    """Return the rows of a table of shares."""
    rows = [f"| {head} | share | meaning |", "|---|---|---|"]
    rows += [f"| {name} | {share:.0%} | {meaning[name]} |" for name, share in table.items()]
    return "\n".join(rows)
