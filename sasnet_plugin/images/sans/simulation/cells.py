"""Images counted in rings and sectors at once: what the network reads, at a tenth of the cost of pixels.

The counts of a cell of `reading.polar` are the sum of its pixels' Poisson counts, so they are a Poisson count
themselves. Beams are drawn once a process, with all their pixels; each use turns one by any number of
sectors, and counts anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ....arrays import Floats
from ..reading.geometry import SmallAngle
from ..reading.polar import N_RINGS, N_SECTORS, RINGS, Polar, cells
from ..reading.resolution import Setting, compute_ring_resolution
from .instruments import INSTRUMENTS, draw_setting
from .measurement import FAR, NEAR, SILENT, Background, Beam, beam

#: Beams of a process, and the seed that they are drawn with: the same in all processes.
N_BEAMS, SEED = 500, 20_260_101
_SHAPE = N_RINGS, N_SECTORS


@dataclass(frozen=True)
class CellBeam:
    """A beam whose pixels are gathered in cells."""

    #: Where the pixels of each cell truly lie on average, and what they see together, (N_RINGS, N_SECTORS); 0
    #: in cells without pixels.
    geometry: SmallAngle
    stated: Floats  #: (N_RINGS, N_SECTORS), what the file says that they see.
    block: float  #: Radius of the beamstop, Å⁻¹.

    @property
    def setting(self) -> Setting:
        assert self.geometry.setting is not None
        return self.geometry.setting

    def suits(self, feature: float) -> bool:
        if not np.isfinite(feature):
            return True
        rings = np.flatnonzero(self.stated.sum(axis=1) > 0)
        return bool(RINGS[rings[0]] * FAR < feature and RINGS[rings[-1]] > NEAR * feature)

    def covers(self, feature: float) -> bool:
        """Whether a sample's first feature lies in the window with room on either side."""
        rings = np.flatnonzero(self.stated.sum(axis=1) > 0)
        return bool(RINGS[rings[0]] < 0.5 * feature and RINGS[rings[-1]] > 1.2 * feature)


def gather_in_cells(seen_beam: Beam) -> CellBeam:
    """A beam's pixels in cells."""
    true, stated = seen_beam.true, seen_beam.stated
    used, cell = cells(stated, seen_beam.mask)
    # The neutrons that the beamstop lets through are too few to matter.
    open_ = np.where(true.q.ravel()[used] >= seen_beam.block, 1.0, 0.0)
    size = N_RINGS * N_SECTORS
    weight = true.weight.ravel()[used] * open_
    total = np.asarray(np.bincount(cell, weight, size), dtype=np.float64)
    share = np.divide(1.0, total, out=np.zeros(size), where=total > 0)
    angle = np.arctan2(true.qy, true.qx).ravel()[used]
    q = np.exp(np.bincount(cell, weight * np.log(np.maximum(true.q.ravel()[used], 1e-6)), size) * share)
    cosine, sine = (np.bincount(cell, weight * f(angle), size) for f in (np.cos, np.sin))
    middle = np.arctan2(sine, cosine)
    lost = total <= 0
    q[lost], middle[lost] = np.repeat(RINGS, N_SECTORS)[lost], 0.0
    geometry = SmallAngle(
        (q * np.cos(middle)).reshape(_SHAPE),
        (q * np.sin(middle)).reshape(_SHAPE),
        total.reshape(_SHAPE),
        setting=true.setting,
    )
    nominal = np.asarray(np.bincount(cell, stated.weight.ravel()[used], size), dtype=np.float64)
    return CellBeam(geometry, nominal.reshape(_SHAPE), seen_beam.block)


@lru_cache(maxsize=1)
def beams() -> tuple[CellBeam, ...]:
    """The beams of a process, `N_BEAMS` of them: some seconds of work, once."""
    rng = np.random.default_rng(SEED)
    cell_beams: list[CellBeam] = []
    while len(cell_beams) < N_BEAMS:
        instrument = INSTRUMENTS[int(rng.integers(len(INSTRUMENTS)))]
        gathered_one = gather_in_cells(beam(instrument, draw_setting(instrument, rng), rng))
        if np.count_nonzero(gathered_one.stated.sum(axis=1)) >= 8:
            cell_beams.append(gathered_one)
    return tuple(cell_beams)


def draw_cell_beam(rng: np.random.Generator, feature: float = float("nan")) -> CellBeam:
    """A beam that suits a sample, turned by any number of sectors."""
    pool = beams()
    for _ in range(200):
        cell_beam = pool[int(rng.integers(len(pool)))]
        if cell_beam.suits(feature):
            break
    return turn_beam(cell_beam, int(rng.integers(N_SECTORS)))


def turn_beam(cell_beam: CellBeam, sectors: int) -> CellBeam:
    """A beam turned about itself, mask and faults included."""
    angle = sectors * 2 * np.pi / N_SECTORS
    old = cell_beam.geometry
    qx = old.qx * np.cos(angle) - old.qy * np.sin(angle)
    qy = old.qx * np.sin(angle) + old.qy * np.cos(angle)
    rolled = [np.roll(array, sectors, axis=1) for array in (qx, qy, old.weight, cell_beam.stated)]
    geometry = SmallAngle(rolled[0], rolled[1], rolled[2], setting=old.setting)
    return CellBeam(geometry, rolled[3], cell_beam.block)


def count_in_cells(
    intensity: Floats,
    cell_beam: CellBeam,
    background: Background,
    rng: np.random.Generator,
    counts: float,
) -> Polar:
    """Simulate counts in the cells of a beam from intensity (N_RINGS, N_SECTORS), arbitrary scale; `counts`
    are expected.
    """
    weight = cell_beam.geometry.weight
    expected = background.add_to(intensity * weight, weight, cell_beam.geometry.q, cell_beam.block)
    expected *= counts / max(float(expected.sum()), 1e-300)
    # What the brightest tubes lose by being dead, 3 % at most, is no more than efficiencies scatter.
    values = rng.poisson(np.minimum(expected, 1e12)).astype(np.float64)
    silent = rng.random() < SILENT
    along = np.full(N_RINGS, np.nan) if silent else compute_ring_resolution(cell_beam.setting, RINGS)[0]
    return Polar(values, cell_beam.stated, along, np.ones(N_RINGS))
