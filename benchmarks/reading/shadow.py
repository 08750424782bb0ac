"""Is the beamstop's shadow found, and is nothing else taken for it?

``python -m benchmarks reading/shadow`` writes simulated measurements (`shadow_curves`) as text and reads
them: with the shadow of a beamstop, deep or not, sharp or gradual; of particles that repel one another
(hayter_msa, hard spheres), in a window that begins below the peak; and neither. ``--write`` puts the table
into ``benchmarks/reading/shadow.md``. The settings of `data.shadow` were chosen on seeds 1 and 2.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("SAS_OPENCL", "none")

import numpy as np

from sasnet_plugin.data import load
from sasnet_plugin.data.clean import within

from ..asked import parser_of
from ..tables import markdown, percent
from .shadow_curves import KINDS, Measured


@dataclass(frozen=True)
class Read:
    """What became of one measurement on reading."""

    measured: Measured
    hidden: int  #: Points left out as a shadow.
    #: q of the first point kept, over that from which on the beamstop lets 97 % pass; nan without a shadow.
    first: float
    whole: bool  #: Whether the range of all q gives every point back.


def read(measured: Measured) -> Read:
    """Write a measurement as text, and read it."""
    columns = [measured.q, measured.intensity, measured.dintensity, measured.dq]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "curve.dat"
        np.savetxt(path, np.column_stack(columns), fmt="%.7g", header="q (1/A) I (1/cm) dI dq")
        (curve,) = load(path)
    hidden = 0 if curve.shadow is None else len(curve.shadow)
    whole = within(curve, 0.0, np.inf)
    return Read(measured, hidden, float(curve.q[0]) / measured.clear, len(whole) == measured.q.size)


def table(every: Sequence[Read]) -> str:
    """The figures in Markdown."""
    rows = []
    for kind, parts in _PARTS.items():
        for words, chosen in parts.items():
            some = [one for one in every if one.measured.kind == kind and chosen(one.measured)]
            if some:
                found = np.mean([one.hidden > 0 for one in some])
                rows.append([f"{kind}{words}", str(len(some)), percent(float(found))])
    edges = np.array([one.first for one in every if one.measured.kind == "shadow" and one.hidden])
    low, middle, high = np.quantile(edges, (0.05, 0.5, 0.95))
    whole = all(one.whole for one in every)
    return (
        "# The beamstop's shadow\n\n"
        + markdown(["measurements", "number", "said to have a shadow, %"], rows)
        + f"\nThe first point that is kept lies at {middle:.2f} ({low:.2f} to {high:.2f} for 90 % of them)"
        " times the q from which on the beamstop lets 97 % pass."
        f" {'Every' if whole else 'Not every'} point comes back with the q range of all.\n"
    )


_PARTS = {
    "shadow": {
        "": lambda one: True,
        ", sharp (rise in 10 % of q)": lambda one: one.steepness >= 16,
        ", gradual": lambda one: one.steepness < 16,
        ", samples with a structure factor": lambda one: "@" in one.sample,
    },
    "repulsion": {
        "": lambda one: True,
        ", hard spheres": lambda one: one.sample.endswith("hardsphere"),
        ", charged": lambda one: one.sample.endswith("hayter_msa"),
    },
    "plain": {"": lambda one: True},
}


def main() -> None:
    """Simulate, read, print the table."""
    parser = parser_of(__doc__, each=(200, "measurements of a kind"), seed=2026)
    asked = parser.parse_args()
    every = [
        read(make(np.random.default_rng([asked.seed, row, number])))
        for row, make in enumerate(KINDS.values())
        for number in range(asked.each)
    ]
    text = table(every)
    print(text)
    if asked.write:
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
