"""From an image that is alike all around to a curve with its uncertainties and resolution."""

from __future__ import annotations

import numpy as np

from ....types import Curve, DataError, Image
from .evenness import RIM, border, rim_efficiency, scatter
from .geometry import SmallAngle

#: Points of a curve, at most: an image of 128 pixels across has no more.
MOST_POINTS = 120
#: Fewer pixels than this make no point.
_FEWEST = 4


def average_around_beam(image: Image) -> Curve:
    """Average around the beam (geometry `SmallAngle`) in rings of a pixel or `MOST_POINTS`; intensity per
    solid angle. Raises DataError if too few pixels count.
    """
    # Uncertainties combine counting (or reduced pixels) with the scatter of a ring's sectors; ``dq`` combines
    # resolution and ring width, None if unknown. Border rows that count less are corrected by
    # `evenness.rim_efficiency`.
    geometry: SmallAngle = image.geometry
    used = image.mask & (geometry.weight > 0) & (geometry.q > 0)
    q, weight, values = geometry.q[used], geometry.weight[used], image.counts[used]
    if q.size < 10 * _FEWEST:
        raise DataError(f"{image.file or 'the image'}: only {q.size} pixels are usable, too few for a curve.")
    # As wide as the pixels are apart, on average over the detector.
    pixel = float(np.sqrt(np.ptp(geometry.qx[used]) * np.ptp(geometry.qy[used]) / q.size))
    number = int(np.clip(np.ptp(q) / max(pixel, 1e-12), 10, MOST_POINTS))
    edges = np.linspace(float(q.min()), float(q.max()) * (1 + 1e-9), number + 1)
    ring = np.clip(np.digitize(q, edges) - 1, 0, number - 1)
    if geometry.error is None:
        # By the mean of each ring: a pixel's own count says too little of its variance.
        rate = np.bincount(ring, values, number) / np.maximum(np.bincount(ring, weight, number), 1e-300)
        noise = np.maximum(weight * rate[ring], 1e-12)
    else:
        noise = (geometry.error[used] * weight) ** 2
    row = border(geometry.shape)[used]
    counts_less = np.append(rim_efficiency(ring, row, weight, values, noise), 1.0)
    weight = weight * counts_less[np.minimum(row, RIM)]
    pixels = np.bincount(ring, minlength=number)
    exposure = np.bincount(ring, weight, number)
    has_pixels = (pixels >= _FEWEST) & (exposure > 0)
    total = np.bincount(ring, values, number)
    variance = np.maximum(total, 1.0) if geometry.error is None else np.bincount(ring, noise, number)
    angle = np.arctan2(geometry.qy[used], geometry.qx[used])
    variance = variance + scatter(ring, angle, weight, values, noise) * total**2
    with np.errstate(divide="ignore", invalid="ignore"):
        intensity, error = total / exposure, np.sqrt(variance) / exposure
        middle = np.bincount(ring, q, number) / pixels
    dq = None
    spread = geometry.spread()
    if spread is not None:
        along = np.bincount(ring, spread[0][used], number)[has_pixels] / pixels[has_pixels]
        dq = np.hypot(along, (edges[1] - edges[0]) / np.sqrt(12))
    return Curve(
        middle[has_pixels],
        intensity[has_pixels],
        error[has_pixels],
        dq,
        file=image.file,
        entry=image.entry,
        notes=image.notes,
    )
