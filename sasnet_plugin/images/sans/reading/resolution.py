"""How sharp a pinhole instrument sees: spread of q from slits, pixels, wavelengths and gravity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ....arrays import Floats

#: Planck's constant over the neutron's mass, m²/s (CODATA 2018): λ = h/(m v).
H_OVER_M = 3.95603401e-7
GRAVITY = 9.80665  # m/s²


@dataclass(frozen=True)
class Setting:
    """How a pinhole instrument is set."""

    wavelength: float  #: Mean, Å.
    spread: float  #: Full width at half maximum of the triangular wavelength distribution over the mean.
    collimation: float  #: Source aperture to sample, L1, mm.
    distance: float  #: Sample to detector, L2, mm.
    #: source_radius, sample_radius: of the apertures, R1 and R2, mm; of a rectangle half its side times 2/√3,
    #: whose variance is the same.
    source_radius: float
    sample_radius: float
    pixel: tuple[float, float]  #: Width and height of a pixel, mm.
    gravity: bool = True  #: Neutrons fall; X-rays do not.

    @property
    def k(self) -> float:
        """Wave number, Å⁻¹."""
        return 2 * math.pi / self.wavelength


def drop(setting: Setting) -> float:
    """Return how far neutrons of the mean wavelength fall from source aperture to detector, mm: A = g m² L2
    (L1 + L2) λ² / 2h² (Mildner, Barker & Kline, J. Appl. Cryst. 44 (2011) 1127).
    """
    if not setting.gravity:
        return 0.0
    speed = H_OVER_M / (setting.wavelength * 1e-10)
    l1, l2 = setting.collimation * 1e-3, setting.distance * 1e-3
    return 1e3 * GRAVITY * l2 * (l1 + l2) / (2 * speed**2)


def geometric(setting: Setting) -> float:
    """Return σ of q along one axis by slits and pixels, Å⁻¹."""
    # σ² = k² [R1²/4L1² + R2²/4L'² + D²/12L2²], 1/L' = 1/L1 + 1/L2 (Mildner & Carpenter, J. Appl. Cryst. 17
    # (1984) 249); D² is the mean square of a pixel's width and height.
    l1, l2 = setting.collimation, setting.distance
    pixel = (setting.pixel[0] ** 2 + setting.pixel[1] ** 2) / 2
    variance = (
        (setting.source_radius / (2 * l1)) ** 2
        + (setting.sample_radius / 2 * (1 / l1 + 1 / l2)) ** 2
        + pixel / (12 * l2**2)
    )
    return setting.k * math.sqrt(variance)


def compute_pixel_resolution(setting: Setting, qx: Floats, qy: Floats) -> tuple[Floats, Floats]:
    """Return σ along q and across it, Å⁻¹; qx and qy (upwards) from where the mean wavelength arrives."""
    # A neutron slower by δ changes q by -δ (q - g ŷ), g = 2kA/L2. A triangle of full width at half maximum w
    # has variance w²/6. The fall goes as λ², so its place changes by 2Aδ; NIST's reduction uses twice that,
    # at most 3 % of σ at 6 Å and 15 m.
    q = np.sqrt(qx**2 + qy**2)
    upwards = np.divide(qy, q, out=np.zeros_like(q), where=q > 0)
    sideways = np.divide(qx, q, out=np.ones_like(q), where=q > 0)
    fall = 2 * setting.k * drop(setting) / setting.distance
    spread = setting.spread / math.sqrt(6)
    base = geometric(setting) ** 2
    along = np.sqrt(base + ((q - fall * upwards) * spread) ** 2)
    return along, np.sqrt(base + (fall * sideways * spread) ** 2)


def compute_ring_resolution(setting: Setting, q: Floats) -> tuple[Floats, Floats]:
    """Return `compute_pixel_resolution` as root mean square over a circle of radius q, Å⁻¹."""
    fall = 2 * setting.k * drop(setting) / setting.distance
    spread, base = setting.spread / math.sqrt(6), geometric(setting) ** 2
    along = np.sqrt(base + (q**2 + fall**2 / 2) * spread**2)
    return along, np.full_like(q, math.sqrt(base + fall**2 / 2 * spread**2))
