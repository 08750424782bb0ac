"""An image in rings and sectors as a fit sees it, and the counts that amplitudes expect in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....arrays import Floats
from ....types import DataError, Image
from ..reading.evenness import border
from ..reading.geometry import SmallAngle
from ..reading.polar import N_RINGS, N_SECTORS, cells, polar
from ..simulation.orientation import DEGREES
from .oriented_settings import SETTINGS
from .unevenness import Whitening

#: Pixels over which a detector's rim may count less; a sum of both is near any between.
RIM = (1.5, 4.0)


@dataclass(frozen=True)
class Cells:
    """An image in rings and sectors."""

    geometry: SmallAngle  #: (1, n): the mean q of each cell's pixels, and what they see.
    counts: Floats  #: (n,), of reduced data as many as have their relative error.
    scale: Floats  #: (n,), intensity that one count over one of exposure stands for.
    where: NDArray[np.intp]  #: (n,), ring · N_SECTORS + sector.
    pixels: Floats  #: (n,), how many lie in each.
    #: (n, len(RIM)), mean of exp(-x/`RIM`) over each cell's pixels, x their distance from the image's border,
    #: pixels.
    rim: Floats
    blunted: Floats  #: (n, len(DEGREES)), length of the mean of exp(imψ) over each cell's pixels.
    sharp: bool  #: Whether the file says how sharp q is.

    @property
    def exposure(self) -> Floats:
        """(n,) what each cell sees."""
        return np.asarray(self.geometry.weight[0])

    @cached_property
    def pitch(self) -> float:
        """Distance of pixels, Å⁻¹, on average: the root of their area."""
        area = np.ptp(self.geometry.qx) * np.ptp(self.geometry.qy)
        return float(np.sqrt(area / self.pixels.sum()))

    def exclude(self, selection: NDArray[np.bool_]) -> Cells:
        """These but for some, (n,)."""
        arrays = {name: getattr(self.geometry, name) for name in ("qx", "qy", "weight", "along", "across")}
        geometry = {name: values[:, ~selection] for name, values in arrays.items() if values is not None}
        names = ("counts", "scale", "where", "pixels", "rim", "blunted")
        columns: dict[str, Any] = {name: getattr(self, name)[~selection] for name in names}
        return replace(self, geometry=replace(self.geometry, **geometry), **columns)

    def blur(self, by: float) -> Cells:
        """These with the usual wavelengths of a selector, and slits that blur by so many pixels."""
        q, slits = self.geometry.q, np.full(self.geometry.shape, by * self.pitch)
        along = np.hypot(slits, SETTINGS.selector * q)
        return replace(self, geometry=replace(self.geometry, along=along, across=slits))

    def move_beam(self, centre: tuple[float, float], share_kept: Floats) -> Cells:
        """Return cells for a beam centre off by `centre` pixels along qx and qy,
        with the share `share_kept` of
        counts.
        """
        old, (x, y) = self.geometry, centre
        moved = replace(
            old, qx=old.qx - x * self.pitch, qy=old.qy - y * self.pitch, weight=old.weight * share_kept
        )
        return replace(self, geometry=moved)

    def terms(self, intensity: Floats) -> Floats:
        """(n, 2 + powers) counts at amplitudes of one: of the body, flat, and of slits and windows."""
        # What slits and windows scatter falls as q⁻² to q⁻⁴, alike all around.
        flat = 1 / self.scale
        slits = [flat * self.geometry.q[0] ** -power for power in SETTINGS.powers]
        return np.asarray(np.stack([intensity, flat, *slits], axis=1) * self.exposure[:, None])

    def amplitudes(self, basis: Floats, whitening: Whitening | None = None) -> tuple[Floats, Floats]:
        """Amplitudes of `terms` that fit best, and the counts expected then."""
        # Weighted least squares with none below zero, thrice with the variances of the counts expected; or
        # once with residuals that are whitened.
        from scipy.optimize import nnls

        size = np.maximum(basis.sum(axis=0), 1e-300)
        basis = basis / size
        if whitening is not None:
            amplitudes = nnls(whitening.apply(basis), whitening.apply(self.counts))[0]
            return amplitudes / size, np.maximum(basis @ amplitudes, 1e-9)
        variance = np.maximum(self.counts, 1.0)
        for _ in range(3):
            root = 1 / np.sqrt(variance)
            amplitudes = nnls(basis * root[:, None], self.counts * root)[0]
            expected = basis @ amplitudes
            variance = np.maximum(expected, 0.3)
        return amplitudes / size, np.maximum(expected, 1e-9)


def cells_of(image: Image) -> Cells:
    """Sort an image into rings and sectors. Raises DataError if too few hold counts."""
    polar_image = polar(image)
    geometry: SmallAngle = image.geometry
    used, cell = cells(geometry, image.mask)
    size = N_RINGS * N_SECTORS
    number = np.bincount(cell, minlength=size)
    mask = np.flatnonzero((number > 0) & (polar_image.exposure.ravel() > 0))
    if mask.size < SETTINGS.fewest_cells or polar_image.counts.sum() <= 0:
        raise DataError(f"{image.file}: too little of the image holds counts to fit it; check its mask.")

    def mean(values: Floats) -> Floats:
        return (np.bincount(cell, values.ravel()[used], size)[mask] / number[mask])[None]

    spread = geometry.spread()
    stated = spread if geometry.setting is None else None
    along, across = map(mean, stated) if stated else (None, None)
    # Both of one scale: an intensity over counts and exposure of one ring.
    scale = np.repeat(polar_image.scale, N_SECTORS)[mask]
    small = SmallAngle(
        mean(geometry.qx), mean(geometry.qy), polar_image.exposure.ravel()[mask][None], along, across,
        setting=geometry.setting,
    )  # fmt: skip
    inwards = border(geometry.shape) + 0.5
    rim = np.concatenate([mean(np.exp(-inwards / length)) for length in RIM]).T
    angle = np.arctan2(geometry.qy, geometry.qx)
    blunted = np.concatenate([np.hypot(mean(np.cos(m * angle)), mean(np.sin(m * angle))) for m in DEGREES]).T
    counts = np.maximum(polar_image.counts.ravel()[mask], 0.0)
    scale = np.ones_like(scale) if geometry.error is None else scale
    pixels = number[mask].astype(np.float64)
    return Cells(small, counts, scale, mask, pixels, rim, blunted, sharp=spread is not None)


def find_shadowed(cells: Cells, expected: Floats) -> NDArray[np.bool_]:
    """Find cells (n,) in the beamstop's shadow beyond its mask, from expected counts of a first fit."""
    # The mask is of the stated centre, and the stop has a penumbra: within some pixels of the innermost
    # visible ones, a cell that lacks half its counts beyond chance is dark.
    q = cells.geometry.q[0]
    near = q < q.min() + SETTINGS.penumbra * cells.pitch
    lacking = expected - cells.counts
    return np.asarray(near & (lacking > 0.5 * expected) & (lacking > 4 * np.sqrt(expected)))
