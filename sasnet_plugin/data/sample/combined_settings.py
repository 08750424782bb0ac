"""Settings of one sample as one curve: what the network is asked about, and where the joint fit begins.

A setting alone sees a window of q. Models of which this window shows nothing but a length too large or too
small fit it as well as the true one, with values far from those that all windows ask for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...arrays import Floats
from ...types import Curve
from .sample import SETTINGS, Sample

#: Points that two settings share where their calibration is compared, at least.
_FEWEST = 3


def as_one_curve(sample: Sample, dintensities: Sequence[Floats]) -> Curve | None:
    """Combine all settings of a sample, calibrated to the first; None if a curve has more of its own than
    calibration, background and pinhole resolution.
    """
    curves = sample.curves
    has_own_values = sample.own or sample.ties or any(value is not None for value in sample.scale)
    slits = any(c.dxl is not None or c.dxw is not None for c in curves)
    if sample.kind != SETTINGS or has_own_values or slits or len(curves) < 2:
        return None
    order = sorted(range(len(curves)), key=lambda i: float(curves[i].q[0]))
    columns = _columns(curves[order[0]], dintensities[order[0]])
    for i in order[1:]:
        columns_of_curve = _columns(curves[i], dintensities[i])
        columns_of_curve[1:3] *= _factor(columns, columns_of_curve)
        columns = _sort_and_merge(np.concatenate([columns, columns_of_curve], axis=1))
    q, intensity, error, dq = columns
    first = curves[order[0]]
    return Curve(
        q, intensity, error, dq if any(c.dq is not None for c in curves) else None,
        file=first.file, entry=first.entry, q_unit=first.q_unit,
    )  # fmt: skip


def _columns(curve: Curve, dintensity: Floats) -> Floats:
    """(4, n) of q, I, its error, and resolution."""
    dq = np.zeros(curve.q.size) if curve.dq is None else curve.dq
    return np.array([curve.q, curve.intensity, dintensity, dq])


def _sort_and_merge(columns: Floats) -> Floats:
    """Sort by q; average points at the very same q by weight."""
    q, place = np.unique(columns[0], return_inverse=True)
    if q.size == columns.shape[1]:
        return columns[:, np.argsort(columns[0])]
    weight = 1 / columns[2] ** 2
    total = np.bincount(place, weight)
    mean = [np.bincount(place, weight * row) / total for row in columns[[1, 3]]]
    return np.array([q, mean[0], 1 / np.sqrt(total), mean[1]])


def _factor(reference: Floats, other_intensity: Floats) -> float:
    """Return the factor that brings another setting to agreement where both have measured; else 1."""
    q, intensity, error, _ = other_intensity
    inside = (q >= reference[0, 0]) & (q <= reference[0, -1]) & (intensity > 0)
    if np.sum(inside) < _FEWEST:
        return 1.0
    expected = np.interp(q[inside], reference[0], reference[1])
    noise = np.hypot(error[inside], np.interp(q[inside], reference[0], reference[2]))
    weight = 1 / noise**2
    intensity_inside = intensity[inside]
    factor = float((weight * intensity_inside) @ expected / ((weight * intensity_inside) @ intensity_inside))
    return factor if factor > 0 else 1.0
