"""What the columns of a detector count of a pattern on parts of pixels: its mean over each, blurred.

A peak is often narrower than a column. Whether its blur crosses the column's edge depends on where in the
column it stands, so a blur that takes counts for evenly spread over a column is wrong by some hundredths
next to the specular rod, where most counts are.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from ....arrays import Floats
from ...simulation.window import Window

#: Parts of a pixel's part below which a blur is none.
_SHARP = 1e-4
#: Standard deviations of the blur beyond which an edge is not.
_FAR = 5.5


def columns_of(
    window: Window, across: int, offset: float = 0.0, sigma: float = 0.0, shift: float = 0.0
) -> Floats:
    """Compute which share of pixel parts each column counts, (columns, columns · across)."""
    # `offset` of columns to the right, Gaussian blur `sigma` and `shift` to larger angles are in degrees.
    # Between centres the pattern is a parabola through neighbouring parts, as a column may begin within a
    # part and within a narrow peak. Column edges are averaged over the blur.
    if not offset and not sigma and not shift:
        return np.repeat(np.eye(window.columns), across, axis=1) / across
    n, width = window.columns * across, window.pixel[1] / across
    ends = np.arange(window.columns + 1) * across + (offset - shift) / width
    ends = ends[:, None] - (np.arange(n) + 0.5)
    blur = max(sigma / width, _SHARP)
    middle, lower, after = ((ends > 0) * whole for whole in (11 / 12, 1 / 24, 1 / 24))
    near = np.abs(ends) < 0.5 + _FAR * blur
    middle[near], lower[near], after[near] = _integrate_to_end(ends[near], blur)
    # At the window's edges a part is its own neighbour.
    middle[:, 1:] += after[:, :-1]
    middle[:, :-1] += lower[:, 1:]
    middle[:, 0] += lower[:, 0]
    middle[:, -1] += after[:, -1]
    return np.asarray(np.diff(middle, axis=0) / across)


def _integrate_to_end(end: Floats, sigma: float) -> tuple[Floats, Floats, Floats]:
    """Integrate a part's parabola up to a blurred end, with weights of its neighbours' values."""
    low, high = (-0.5 - end) / sigma, (0.5 - end) / sigma
    density = [sigma * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi) for z in (low, high)]
    beyond = ndtr(-high)
    # Moments of where the end is, as far as it is within the part.
    m0 = ndtr(high) - ndtr(low)
    m1 = end * m0 - (density[1] - density[0])
    m2 = end * m1 + sigma**2 * m0 - 0.5 * (density[1] + density[0])
    m3 = end * m2 + 2 * sigma**2 * m1 - 0.25 * (density[1] - density[0])
    slope, bend = (m2 - m0 / 4) / 4, (m3 / 3 + m0 / 24 + beyond / 12) / 2
    return m1 + m0 / 2 + beyond - 2 * bend, bend - slope, bend + slope
