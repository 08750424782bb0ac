"""A curve in one line of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sasnet_plugin.types import Curve

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(curve: Curve, width: int = 40) -> str:
    """Draw log I against log q with block characters.

    Parameters
    ----------
    curve : Curve
        q in Å⁻¹; points with I <= 0 are left out, as on any logarithmic axis.
    width : int
        Characters; each shows the mean of log I of its points and is blank where it has none.

    Returns
    -------
    line : str
        `width` characters; empty where fewer than two points are positive.
    """
    positive = (curve.q > 0) & (curve.intensity > 0)
    if np.count_nonzero(positive) < 2:
        return ""
    x, y = np.log(curve.q[positive]), np.log(curve.intensity[positive])
    span = x[-1] - x[0]
    if not span > 0:
        return ""
    cell = np.minimum((width * (x - x[0]) / span).astype(int), width - 1)
    count = np.bincount(cell, minlength=width)
    height = np.bincount(cell, weights=y, minlength=width) / np.maximum(count, 1)
    low, high = height[count > 0].min(), height[count > 0].max()
    step = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        BLOCKS[round((h - low) * step)] if n else " "
        for h, n in zip(height.tolist(), count.tolist(), strict=True)
    )
