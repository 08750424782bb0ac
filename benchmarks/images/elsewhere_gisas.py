"""Grazing incidence on ordered spheres: the distorted-wave Born approximation and lattice written out anew.

Spheres lie on a film on silicon, whose reflectivity is Parratt's; the four terms of the wave that comes
and of the one that leaves, each with or without a reflection, add up to an amplitude for each of nine
sizes. The lattice is a sum over its reciprocal points of 2πω²/A (1 + ω²|q − G|²)^(−3/2), the transform
of an order that decays as exp(−r/ω) for any cell, so that square lattices come from the same lines.
Optical constants are those of scattering-length densities. Flat detectors of other sizes stand as they
like, some on their side, with gaps and hot pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..independent_curves.form_factors import sphere_amplitude, sphere_volume
from ..independent_curves.reflectivity import reflected_amplitude
from .elsewhere_files import FloatArray, bars, hit, write

#: 10⁻⁶ Å⁻² of what X-rays see, and attenuation over it: silica 2.2 g/cm³, silicon.
SILICA, SILICON = (18.7, 0.013), (19.8, 0.023)
#: Of every four scenes the last is one of these: it must be refused, or what is wrong with it be said.
STRANGE = ("square", "large", "incidence", "noise")
#: Reciprocal points to each side.
POINTS = 9
#: Rows and columns of detectors.
DETECTORS = ((310, 330), (420, 300), (256, 512), (360, 480))


@dataclass(frozen=True)
class Truth:
    kind: str  #: ``hexagonal`` or one of `STRANGE`.
    #: angles, shares: rotations, degrees, and shares of the surface.
    angles: tuple[float, ...]
    shares: tuple[float, ...]
    #: lattice, radius, oxide: Å.
    lattice: float
    radius: float
    oxide: float
    counts: float

    @property
    def foreign(self) -> bool:
        """It must be refused."""
        return self.kind != "hexagonal"


def amplitudes(
    across: FloatArray, alpha: FloatArray, alpha_i: float, wavelength: float, film: float, radii: FloatArray
) -> NDArray[np.complex128]:
    """(radii, rows, columns) of spheres on the film, four terms each, at |q| in the plane and exit angles."""
    k = 2 * np.pi / wavelength
    densities = np.array([0, *(1e-6 * density * (1 - 1j * lost) for density, lost in (SILICA, SILICON))])
    smooth = np.array([film]), np.zeros(2)
    goes, comes = k * np.sin(alpha)[:, None], k * np.sin(alpha_i)
    back_f = reflected_amplitude(2 * goes[:, 0], densities, *smooth)[:, None]
    back_i = reflected_amplitude(np.array([2 * comes]), densities, *smooth)
    found = np.zeros((radii.size, *across.shape), complex)
    for weight, qz in (
        (1.0, -goes - comes), (back_i, comes - goes), (back_f, goes - comes), (back_i * back_f, goes + comes)
    ):  # fmt: skip
        q = np.hypot(across, qz)
        for one, radius in enumerate(radii):
            form = sphere_volume(radius) * sphere_amplitude(q, radius)
            found[one] += weight * form * np.exp(1j * qz * radius)
    return found


def lattice(qx: FloatArray, qy: FloatArray, cell: FloatArray, width: float, turn: float) -> FloatArray:
    """Structure factor of a lattice (vectors as rows) turned by so many degrees; order decays in `width`."""
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    reciprocal = 2 * np.pi * np.linalg.inv(cell).T @ np.array([[c, s], [-s, c]])
    total, area = np.zeros(qx.shape), abs(np.linalg.det(cell))
    for h in range(-POINTS, POINTS + 1):
        for j in range(-POINTS, POINTS + 1):
            g = h * reciprocal[0] + j * reciprocal[1]
            if abs(g[0]) < 0.09 and abs(g[1]) < np.abs(qy).max() + 0.06:
                total += (1 + width**2 * ((qx - g[0]) ** 2 + (qy - g[1]) ** 2)) ** -1.5
    return 2 * np.pi * width**2 / area * total


def draw(index: int, rng: np.random.Generator) -> Truth:
    kind = STRANGE[index // 4 % len(STRANGE)] if index % 4 == 3 else "hexagonal"
    number = int(rng.integers(1, 4))
    shares = rng.uniform(0.3, 1, number)
    a = {"large": 510.0, "square": 330.0}.get(kind, float(rng.uniform(290, 410)))
    radius = float(rng.uniform(75, min(130, 0.42 * a)))
    turns = tuple(float(x) for x in rng.uniform(0, 60, number))
    oxide, counts = float(rng.uniform(530, 670)), float(10 ** rng.uniform(5.3, 7))
    return Truth(kind, turns, tuple(float(x) for x in shares / shares.sum()), a, radius, oxide, counts)


def scene(index: int, seed: int, folder: Path) -> tuple[Path, Truth]:
    """A file, its TOML, and what it shows."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng([seed, 3, index])
    truth = draw(index, rng)
    rows, columns = DETECTORS[index % len(DETECTORS)]
    wavelength, alpha_i = float(rng.uniform(1.15, 1.55)), float(rng.uniform(0.14, 0.21))
    pixel, reach = float(rng.choice([0.055, 0.1, 0.172])), float(rng.uniform(0.8, 1.15))
    distance = columns * pixel / 2 / np.tan(np.radians(reach))
    beam = columns * float(rng.uniform(0.45, 0.55)), rows - float(rng.uniform(8, 30))
    width, spread = float(rng.uniform(900, 2200)), float(rng.uniform(0, 30))
    parts = int(np.ceil(pixel / distance * 2 * np.pi / wavelength * width * 3)) | 1
    at = (np.arange(columns * parts) + 0.5) / parts - 0.5
    phi = np.arctan((at - beam[0]) * pixel / distance)
    up = np.arctan((beam[1] - np.arange(rows)) * pixel / distance) - np.radians(alpha_i)
    rate, above = np.zeros((rows, columns)), np.flatnonzero(up > 0)
    if truth.kind == "noise":
        rate += 1 / rate.size
    else:
        wave = wavelength, np.radians(alpha_i), width, spread
        rate[above] = ideal(truth, phi, up[above], wave, rng).reshape(above.size, columns, parts).mean(axis=2)
        rate = gaussian_filter(rate, rng.uniform(0.4, 0.9))
        rate = rate / rate.sum() + rng.uniform(0.003, 0.06) / rate.size
    seen = rng.poisson((40.0 if truth.kind == "noise" else truth.counts) * rate).astype(np.int64)
    gaps = bars((rows, columns), rng) if index % 3 == 1 else np.zeros((rows, columns), bool)
    if index % 2 and truth.kind != "noise":
        hit(seen, 5, rng)
    path, side = folder / f"pattern{index}.{('cbf', 'edf', 'tif', 'h5')[index % 4]}", {}
    if index % 5 == 4:
        # A quarter turn anticlockwise: what was on top is on the left.
        seen, gaps, side = np.rot90(seen).copy(), np.rot90(gaps).copy(), {"up": "left"}
        beam = beam[1], columns - 1 - beam[0]
    write(
        path, seen, gaps, wavelength=wavelength, alpha_i=alpha_i + 0.04 * (truth.kind == "incidence"),
        distance=float(distance), pixel_size=pixel, direct_beam=[float(place) for place in beam], **side,
    )  # fmt: skip
    return path, truth


def ideal(
    truth: Truth, phi: FloatArray, alpha: FloatArray, wave: tuple[float, float, float, float],
    rng: np.random.Generator,
) -> FloatArray:  # fmt: skip
    """Intensity at exit angles above the horizon, (rows, columns), any scale."""
    wavelength, alpha_i, width, spread = wave  # alpha_i in radians; decay of the order, scatter of sites
    k = 2 * np.pi / wavelength
    qx = k * (np.cos(alpha)[:, None] * np.cos(phi) - np.cos(alpha_i))
    qy = k * np.cos(alpha)[:, None] * np.sin(phi)
    sizes = 1 + rng.uniform(0.02, 0.1) * np.linspace(-2, 2, 9)
    weight = np.exp(-(np.linspace(-2, 2, 9) ** 2) / 2)
    waves = amplitudes(np.hypot(qx, qy), alpha, alpha_i, wavelength, truth.oxide, truth.radius * sizes)
    weight = (weight / weight.sum())[:, None, None]
    every, mean = (weight * np.abs(waves) ** 2).sum(axis=0), np.abs((weight * waves).sum(axis=0)) ** 2
    angle = 90.0 if truth.kind == "square" else 60.0
    cell = truth.lattice * np.array([[1, 0], [np.cos(np.radians(angle)), np.sin(np.radians(angle))]])
    order = sum(
        share * lattice(qx, qy, cell, width, turn)
        for turn, share in zip(truth.angles, truth.shares, strict=True)
    )
    return every + mean * np.exp(-((spread * np.hypot(qx, qy)) ** 2)) * (order - 1)
