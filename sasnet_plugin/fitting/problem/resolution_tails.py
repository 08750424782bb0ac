"""What the far tail of a wide resolution does to points of a steep curve, which no kernel says exactly.

sasmodels ends a pinhole's kernel 2.5 widths below each point. On an upturn measured at dq/q = 0.2 and more
the next width holds as much as all the rest. No file states the tail of its instrument.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Floats
from ...digits import significant
from ...types import Curve
from ..settings import PROBLEM

#: Widths below and above a point at which sasmodels' kernel ends, and where a longer one would.
_LOW, _HIGH, _LONGER = 2.5, 3.0, 3.5
#: The least share of q that a kernel reaches: nothing is measured in the beam.
_LEAST = 0.02
#: Exponents of an upturn: no surface falls faster.
_STEEPEST = 4.0


def add_resolution_tails(curve: Curve, dintensity: Floats) -> tuple[Floats, str]:
    """Add the resolution's tail to the uncertainties (n,), with a sentence if it dominates one."""
    if curve.dq is None or curve.dxl is not None or curve.dxw is not None:
        return dintensity, ""
    share = _tail_share(curve)
    added = share * np.abs(curve.intensity)
    is_dominant = added > dintensity
    if not is_dominant.any():
        return dintensity, ""
    last = curve.q[np.flatnonzero(is_dominant)[-1]]
    return np.where(share > 0, np.hypot(dintensity, added), dintensity), (
        f"Points up to q = {significant(float(last), 2)} Å⁻¹ were given larger uncertainties, because"
        f" the resolution is wide where the curve is steep."
    )


def _tail_share(curve: Curve) -> Floats:
    """Change of the smeared curve, (n,), relative, where the kernel is one width longer; of steep points."""
    assert curve.dq is not None
    slope = np.clip(_slopes(curve), 0.0, _STEEPEST)
    width = curve.dq / curve.q
    share = np.zeros(len(curve))
    # An upturn goes on below the data; fringes and the end of a plateau do not.
    upturn = np.logical_and.accumulate(slope > 1)
    for i in np.flatnonzero((width > PROBLEM.wide_resolution) & upturn):
        share_near, longer = (
            _smear_power_law(float(width[i]), float(slope[i]), end) for end in (_LOW, _LONGER)
        )
        share[i] = longer / share_near - 1
    return share


def _smear_power_law(width: float, exponent: float, end: float) -> float:
    """A power law seen with a resolution, over its value at the point."""
    nodes = np.linspace(-_HIGH, end, 300)
    kernel = np.exp(-(nodes**2) / 2)
    return float(kernel @ np.maximum(1 - nodes * width, _LEAST) ** -exponent / kernel.sum())


def _slopes(curve: Curve) -> Floats:
    """-d ln I/d ln q about each point, (n,)."""
    log_q, log_i = np.log(curve.q), np.log(np.maximum(curve.intensity, 1e-300))
    slopes = np.empty(len(curve))
    for i, log_q_here in enumerate(log_q):
        near = np.abs(log_q - log_q_here) < PROBLEM.slope_window
        slopes[i] = -np.polyfit(log_q[near], log_i[near], 1)[0] if np.count_nonzero(near) > 2 else 0.0
    return slopes
