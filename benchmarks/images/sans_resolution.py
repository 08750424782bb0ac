"""Spreads of q by our formulas over those that a reduction wrote into its file.

    python -m benchmarks images/sans_resolution DEC07266.DAT > benchmarks/images/sans_resolution.md

The file is NIST's 2D ASCII with columns SigmaQ_parall and SigmaQ_perp, such as that of SasView/sasmodels,
example/; its detector's pixels are 5.08 mm.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from sasnet_plugin.data.sans.resolution import of_pixels
from sasnet_plugin.data.sans.text_files import read

PIXEL = (5.08, 5.08)


def main() -> None:
    """Print the table."""
    path = Path(sys.argv[1])
    raw = read(path, str(path))
    setting = replace(raw.settings, pixel_size=PIXEL).setting()
    assert setting is not None
    assert raw.qx is not None
    assert raw.qy is not None
    print(f"Spreads of q over the columns of `{path.name}`, {raw.values.size} pixels.\n")
    print("| | median | 5 % | 95 % |\n|---|---|---|---|")
    for what, one in (("", setting), (" without gravity", replace(setting, gravity=False))):
        found = of_pixels(one, raw.qx, raw.qy)
        for name, ours, theirs in zip(("along q", "across q"), found, (raw.along, raw.across), strict=True):
            low, middle, high = np.percentile(ours / theirs, [5, 50, 95])
            print(f"| {name}{what} | {middle:.4f} | {low:.4f} | {high:.4f} |")
