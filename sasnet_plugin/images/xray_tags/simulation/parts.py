"""Intensities of a scene's parts on a detector, each with and without its unevenness around the beam."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ....arrays import Floats
from ....simulate.dataset import Row
from .components import FWHM, GRID, peak, speckle, texture

#: Curves of a row that are parts of the image, in their order.
CURVE_PARTS = ("body", "low_q", "high_q")
#: Shares of a ring's height below which it is left alone by texture and grains.
_FAINT = 1e-6


@dataclass(frozen=True)
class Part:
    """Something that scatters."""

    name: str  #: ``body``, ``low_q``, ``high_q``, ``ring 0`` …, ``spots``.
    intensity: Floats  #: (rows, columns)
    #: even, textured: (rows, columns), it without texture and grains, and without grains; None where it has
    #: neither, or no grains.
    even: Floats | None = None
    textured: Floats | None = None
    #: tuple of (index array, array), of a crystal, pixels of each spot in a flat image, and its intensity
    #: there.
    spots: tuple[tuple[NDArray[np.intp], Floats], ...] = field(default=())


def curve_on(curve: Floats, log_q: Floats) -> Floats:
    """A stored curve at other q, given by their logarithm."""
    return np.asarray(np.exp(np.interp(log_q, np.log(GRID), np.log(np.maximum(curve, 1e-30)))))


def ring_width(fwhm: float, resolution: float) -> float:
    """FWHM of a ring on a detector of so many standard deviations' resolution, in one unit of q."""
    return float(np.hypot(fwhm, FWHM * resolution))


def parts_of(row: Row, q: Floats, phi: Floats, resolution: float, rng: np.random.Generator) -> list[Part]:
    """Compute the parts of a scene of `scenes.row` on a grid of q and azimuth; resolution is one standard
    deviation, in reference radii; `rng` places grains.
    """
    p, parts = row["parameters"], []
    log_q = np.log(np.maximum(q, GRID[0]))
    for name, curve in zip(CURVE_PARTS, np.asarray(row["curves"], float), strict=False):
        if not curve.any():
            continue
        even = curve_on(curve, log_q)
        if name == "body" and p["eta"]:
            parts.append(Part(name, even * texture(phi, min(p["eta"], 0.7), 2, 0.0), even))
        else:
            parts.append(Part(name, even))
    for number, ring in enumerate(np.asarray(row["rings"], float)):
        if ring[2]:
            parts.append(_ring(number, ring, q, phi, resolution, rng))
    spots = np.asarray(row["spots"], float)
    if spots[:, 2].any():
        parts.append(_crystal(spots[spots[:, 2] > 0], q, phi, resolution))
    return parts


def _ring(
    number: int,
    ring: Floats,
    q: Floats,
    phi: Floats,
    resolution: float,
    rng: np.random.Generator,
) -> Part:
    position, fwhm, height, eta, fold, chi, grains, _ = ring
    wide = ring_width(fwhm, resolution)
    even = height * (fwhm / wide) * peak(q, position, wide)
    if not eta and not grains:
        return Part(f"ring {number}", even)
    near = even > _FAINT * height
    part = even.copy()
    if eta:
        part[near] *= texture(phi[near], eta, fold, chi)
    if not grains:
        return Part(f"ring {number}", part, even)
    textured = part.copy()
    # A larger ring has more reflections of as many grains.
    speckles = speckle(rng, grains * np.sqrt(number + 1), rng.uniform(0.008, 0.03))
    bins = (phi[near] * (speckles.size / (2 * np.pi))).astype(int) % speckles.size
    part[near] *= speckles[bins]
    return Part(f"ring {number}", part, even, textured)


def _crystal(spots: Floats, q: Floats, phi: Floats, resolution: float) -> Part:
    x, y = q * np.cos(phi), q * np.sin(phi)
    part, spots_drawn = np.zeros_like(q), []
    for across, up, strength, fwhm in spots:
        wide = ring_width(fwhm, resolution)
        far = 2 * wide
        near = (np.abs(x - across) < far) & (np.abs(y - up) < far)
        spot = strength * (fwhm / wide) ** 2 * peak(np.hypot(x[near] - across, y[near] - up), 0.0, wide)
        part[near] += spot
        spots_drawn.append((np.flatnonzero(near), spot))
    return Part("spots", part, spots=tuple(spots_drawn))
