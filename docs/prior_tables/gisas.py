"""The tables of docs/gisas_prior.md: what GISAS samples and measurements are drawn from."""

from __future__ import annotations

from collections.abc import Mapping

from sasnet_plugin.images.gisas.simulation import priors
from sasnet_plugin.images.gisas.simulation.priors import GEOMETRY
from sasnet_plugin.images.simulation import detector
from sasnet_plugin.images.simulation.measurement import MEASUREMENT

from .rows import quantities

_MEANING = {
    "deltas": "{} to {} angles out of the 120".format(*priors.DELTAS),
    "peaks": "{} to {} Gaussians anywhere, wrapped, FWHM loguniform {:g} to {:g} degrees".format(
        *priors.PEAKS, *priors.FWHM
    ),
    "uniform": "every angle alike",
    "mixture": "a sum of {} to {} of the kinds above".format(*priors.PARTS),
}
_FAULTS = {
    "gaps": "up to {} across and {} upright, {:g} to {:g} degrees wide".format(
        detector.GAPS, detector.GAPS, *detector.GAP_WIDTH
    ),
    "beamstop": "half width {:g} to {:g} degrees; a third of them each reach from below to {:g} to {:g}"
    " degrees, cover the specular beam, {:g} to {:g} degrees high, or the whole specular rod".format(
        *detector.STOP_HALF, *detector.STOP_END, *detector.STOP_HEIGHT
    ),
    "hot": f"1 to {detector.HOT} pixels",
    "partial": f"at least {detector.COVERED:.0%} of the height, from the horizon on, and of the width"
    " is seen",
}


def tables() -> str:
    """Return all tables."""
    return "\n\n".join(
        (
            "## The sample and its beam\n\n" + quantities(GEOMETRY, seed=True),
            "## The rotation of the lattice\n\n" + shares(priors.FAMILIES, _MEANING, "kind"),
            "## The measurement\n\n" + quantities(MEASUREMENT, seed=False),
            "## The mask\n\n" + shares(detector.SHARES, _FAULTS, "masked"),
        )
    )


def shares(table: Mapping[str, float], meaning: Mapping[str, str], head: str) -> str:
    """Return the rows of a table of shares."""
    rows = [f"| {head} | share | meaning |", "|---|---|---|"]
    rows += [f"| {name} | {share:.0%} | {meaning[name]} |" for name, share in table.items()]
    return "\n".join(rows)
