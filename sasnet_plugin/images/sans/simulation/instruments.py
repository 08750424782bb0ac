"""Small-angle-scattering instruments, each a page of data; and how a setting of one is drawn.

Figures of D22 are those of its NeXus files. The others stand for instruments of their kind: rounded, one
detector each, and not checked against their facilities' documents. A network that has seen all of them knows
pinhole instruments, not one of these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....simulate.draws import loguniform
from ..reading.resolution import Setting


@dataclass(frozen=True)
class Instrument:
    """One instrument."""

    name: str
    shape: tuple[int, int]  #: (rows, columns), of the detector.
    pixel: tuple[float, float]  #: Width and height, mm.
    #: wavelength, spread: range, Å, and full width at half maximum over the mean; least and largest in use.
    wavelength: tuple[float, float]
    spread: tuple[float, float]
    collimation: tuple[float, ...]  #: Source aperture to sample, m.
    distance: tuple[float, float]  #: Sample to detector, m.
    #: Radii of source apertures, mm; of a guide's rectangle that of the same variance.
    source: tuple[float, ...]
    sample: tuple[float, float]  #: Radius of the sample aperture, mm.
    beamstop: tuple[float, ...]  #: Radii, mm.
    offset: float  #: How far the detector moves sideways, mm.
    #: Axis along which counting tubes lie side by side (1 columns, 0 rows); each has an efficiency of its
    #: own. -1: one chamber.
    tubes: int
    dead_time: float  #: Of a tube, or of the chamber, μs.
    flux: float  #: At the sample with the shortest collimation at 6 Å, n/cm²/s.

    def intensity(self, setting: Setting) -> float:
        """Flux at the sample, n/cm²/s: as λ⁻⁴ L1⁻², a Maxwellian's tail and the solid angle of the guide."""
        shortest = 1e3 * self.collimation[0]
        return self.flux * (6.0 / setting.wavelength) ** 4 * (shortest / setting.collimation) ** 2


INSTRUMENTS = (
    Instrument(
        "D22", (256, 128), (8.0, 4.0), (4.5, 14.0), (0.08, 0.12),
        (2.8, 4.0, 5.6, 8.0, 11.2, 14.4, 17.6), (1.1, 17.6), (27.6,), (3.0, 7.5), (20.0, 30.0, 40.0),
        400.0, 1, 1.5, 6e7,
    ),
    Instrument(
        "D33", (256, 128), (5.0, 2.5), (4.5, 14.0), (0.09, 0.11),
        (2.8, 5.3, 7.8, 10.3, 12.8), (2.0, 12.8), (5.0, 10.0, 15.0, 17.3), (2.5, 7.5), (15.0, 20.0, 28.0),
        100.0, 1, 1.5, 4e7,
    ),
    Instrument(
        "D11", (128, 128), (7.5, 7.5), (4.5, 14.0), (0.09, 0.1),
        (1.5, 2.5, 4.0, 5.5, 8.0, 10.5, 13.5, 16.5, 20.5, 28.0, 34.0, 40.5), (1.2, 38.0), (26.0,),
        (3.5, 7.5), (25.0, 32.0, 45.0), 0.0, -1, 0.4, 1e8,
    ),
    Instrument(
        "NG7", (128, 128), (5.08, 5.08), (5.0, 14.0), (0.11, 0.22),
        (3.87, 5.42, 6.97, 8.52, 10.07, 11.62, 13.17, 14.72, 16.32), (1.0, 15.3), (7.15, 11.0, 19.0, 25.0),
        (3.0, 12.7), (12.7, 25.4, 38.1, 50.8), 250.0, -1, 3.0, 1e7,
    ),
    Instrument(
        "QUOKKA", (192, 192), (5.08, 5.08), (4.5, 14.0), (0.1, 0.14),
        (2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 18.0, 20.0), (1.3, 20.0), (28.9,), (2.5, 10.0),
        (13.75, 27.5, 41.25), 400.0, -1, 0.5, 4e7,
    ),
    # A pulsed source counts many wavelengths; this is one of its narrow slices.
    Instrument(
        "SANS2D-like", (192, 192), (5.1, 5.1), (2.0, 12.0), (0.02, 0.06),
        (2.0, 4.0, 6.0, 8.0, 12.0), (2.0, 12.0), (5.0, 10.0, 15.0), (3.0, 6.0), (25.0, 35.0),
        290.0, -1, 0.5, 1e6,
    ),
    Instrument(
        "KWS-1", (128, 128), (5.3, 5.3), (4.5, 12.0), (0.1, 0.2),
        (2.0, 4.0, 8.0, 14.0, 20.0), (1.5, 20.0), (10.0, 15.0, 28.9), (2.5, 7.5), (15.0, 25.0, 35.0),
        0.0, -1, 2.0, 8e7,
    ),
)  # fmt: skip

#: Share of detectors further than their collimation is long: users keep the two alike, so that source, slits
#: and pixels blur alike.
UNLIKE = 0.15


def draw_setting(instrument: Instrument, rng: np.random.Generator) -> Setting:
    """A setting as users choose it."""
    distance = loguniform(*instrument.distance, rng)
    lengths = np.array(instrument.collimation)
    near = int(np.argmin(np.abs(lengths - distance)))
    free = int(rng.integers(lengths.size))
    chosen = lengths[free if rng.random() < UNLIKE else near]
    return Setting(
        wavelength=loguniform(*instrument.wavelength, rng),
        spread=float(rng.uniform(*instrument.spread)),
        collimation=1e3 * float(chosen),
        distance=1e3 * distance,
        source_radius=float(rng.choice(instrument.source)),
        sample_radius=float(rng.uniform(*instrument.sample)),
        pixel=instrument.pixel,
    )
