"""Whether a curve can be assessed, and what is to be said of its points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sasnet_plugin.data.uninformative import is_uninformative
from sasnet_plugin.domains import Seen
from sasnet_plugin.types import Curve, DataError

UNINFORMATIVE = (
    "A power law plus a constant explains this curve within its uncertainties; models are hardly told apart"
    " by such data, whatever the probabilities say."
)
FEW_POINTS = 25
_THIN = 1000  # points that the test for features looks at


def check(curve: Curve, inputs: Mapping[str, Any]) -> Seen:
    """The curve, and notes: points outside the trained range, few points, estimated uncertainties.

    Files are tidied on reading; arrays come as they are, and the grid needs ascending, finite points.

    Parameters
    ----------
    curve : Curve
    inputs : mapping
        Of the manifest: ``q_range``, Å⁻¹.

    Raises
    ------
    DataError
        Its points are not in order, not finite, or have negative uncertainties.
    """
    ascending = curve.q.size > 0 and curve.q[0] > 0 and bool(np.all(np.diff(curve.q) >= 0))
    if not ascending or not np.isfinite(curve.q[-1]) or not np.all(np.isfinite(curve.intensity)):
        raise DataError(
            f"{curve.file or 'the curve'}: q must be positive and ascending, and q and intensity finite;"
            " sort the points and drop the others."
        )
    if curve.dintensity is not None and not np.all(curve.dintensity >= 0):
        raise DataError(
            f"{curve.file or 'the curve'}: dintensity must be a number, not negative, at each point;"
            " drop the others, or leave dintensity out to have it estimated."
        )
    low, high = inputs["q_range"]
    return Seen(curve, tuple(_notes(curve, (low, high))))


def _notes(curve: Curve, q_range: tuple[float, float]) -> list[str]:
    notes = list(curve.notes)
    total = len(curve)
    inside = int(np.count_nonzero((curve.q >= q_range[0]) & (curve.q <= q_range[1])))
    if inside < total:
        notes.append(
            f"{total - inside} of {total} points lie outside the trained q range"
            f" ({q_range[0]:g} to {q_range[1]:g} Å⁻¹) and were not used."
        )
    if inside < FEW_POINTS:
        notes.append(f"Only {inside} points were used; the probabilities rest on little data.")
    if curve.dintensity is None and not any("estimated" in note for note in curve.notes):
        notes.append("No uncertainties were given; they were estimated from the scatter of the points.")
    if _uninformative(curve, q_range):
        notes.append(UNINFORMATIVE)
    return notes


def _uninformative(curve: Curve, q_range: tuple[float, float]) -> bool:
    """Whether the curve is of the kind that training left out, as no model can be told from it."""
    if curve.dintensity is None:
        return False
    used = np.flatnonzero((curve.q >= q_range[0]) & (curve.q <= q_range[1]) & (curve.dintensity > 0))
    used = used[:: max(1, used.size // _THIN)]
    if used.size < 4:
        return False
    return bool(is_uninformative(curve.q[used], curve.intensity[used][None], curve.dintensity[used][None])[0])
