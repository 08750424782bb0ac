"""The tables of docs/xray_tags_network.md: what scenes and detectors are drawn from, how often tags are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sasnet_plugin.images.xray_tags import simulation
from sasnet_plugin.images.xray_tags.simulation import SIMULATOR
from sasnet_plugin.images.xray_tags.specification import LABELS, WEIGHTS

from .rows import quantities

#: Scenes that are measured for the frequency of tags.
NUMBER = 250


def tables() -> str:
    """Return all tables."""
    rng = np.random.default_rng(1)
    rows = [SIMULATOR.clean(SIMULATOR.sample(rng)) for _ in range(NUMBER)]
    share = SIMULATOR.measure(rows, rng)[1]["tags"].mean(axis=0)
    order = np.argsort(share)
    tags = [f"| `{LABELS[k]}` | {share[k]:.1%} | {WEIGHTS.get(LABELS[k], 1.0):g} |" for k in order]
    return "\n\n".join(
        (
            "### Tags\n\n| tag | in | weight in the loss |\n|---|---|---|\n" + "\n".join(tags),
            f"Of {NUMBER:,} scenes, measured once. The sample mainly is {_shares(simulation.MAIN)}; a lattice"
            f" is {_shares(simulation.LATTICE)}; the beamstop is {_shares(simulation.STOPS)}.",
            "### Scenes\n\n" + quantities(simulation.PRIORS),
            f"### Measurement\n\n{quantities(simulation.MEASUREMENT)}",
            f"The longer side has {simulation.PIXELS} pixels; half of it is the reference radius. Out of"
            f" distribution: {', '.join(SIMULATOR.kinds)}.",
        )
    )


def _shares(often: Mapping[str, float]) -> str:
    total = sum(often.values())
    return ", ".join(f"{name or 'none'} {number / total:.0%}" for name, number in often.items())
