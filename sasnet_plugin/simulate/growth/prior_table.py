"""Write the tables of docs/growth_prior.md: what growing films are drawn from.

Run as ``python -m sasnet_plugin.simulate.growth.prior_table docs/growth_prior.md``; what lies between the two
markers in the file is replaced.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ..prior_table import quantities, write
from . import stack
from .film import WINDOW
from .priors import FILM


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


if __name__ == "__main__":
    write(Path(sys.argv[1]), tables() + "\n")
