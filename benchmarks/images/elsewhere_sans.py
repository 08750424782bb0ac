"""Small-angle-scattering images by code that shares nothing with training, as other programs write them.

Bodies are averaged one by one: each of 1,500 has its own axis, drawn about a director in the plane of the
detector (Maier and Saupe), and its own size (lognormal); amplitudes are those of ``fitting/sectors``. Square
pixels of three detectors that are none of training's, with their gaps marked as they mark them, dead rows,
hot pixels, a beamstop, the beam anywhere; flat background; slits' blur by a Gaussian. Files are CBF, TIFF,
NeXus and NXcanSAS; three of four state the beam. A third of the bodies are spheres; of the others half have a
direction that can be seen. Bodies larger than training's come at the end: they must be refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fitting.sectors import amplitude, order_of
from .elsewhere_files import FloatArray, write

#: Axes and sizes that stand for a sample.
BODIES = 1500
#: Rows, columns, pixel in mm, distance in mm, wavelength in Å, whether it has gaps.
DETECTORS = (
    (256, 256, 2.1, 3400.0, 5.1, False), (300, 260, 0.86, 2600.0, 9.4, True),
    (160, 220, 3.3, 7000.0, 7.0, True)
)  # fmt: skip
FORMATS = ("cbf", "tif", "h5", "nxcansas")
#: Of every so many scenes the last has a body larger than any of training's.
HUGE = 10


@dataclass(frozen=True)
class Truth:
    body: str
    radius: float  #: Å.
    aspect: float  #: Length over diameter.
    #: p2, director: degrees anticlockwise from the right, as the picture is seen.
    p2: float | None
    director: float | None
    counts: float
    huge: bool

    @property
    def foreign(self) -> bool:
        """Larger than anything that was trained: it must be refused."""
        return self.huge


def axes(p2: float, rng: np.random.Generator) -> tuple[FloatArray, float]:
    """Unit vectors about x by Maier and Saupe, (BODIES, 3), and their ⟨P₂⟩."""
    from scipy.optimize import brentq

    cosine = np.linspace(0, 1, 4001)
    strength = brentq(lambda s: order_of(s) - p2, -60, 60)
    cumulated = np.cumsum(np.exp(strength * (cosine**2 - (strength > 0))))
    # Evenly spread rather than drawn: fewer bodies do.
    beta = np.interp((rng.permutation(BODIES) + 0.5) / BODIES, cumulated / cumulated[-1], cosine)
    around = 2 * np.pi * (np.arange(BODIES) + rng.uniform()) / BODIES * 377
    sine = np.sqrt(1 - beta**2)
    found = np.stack([beta, sine * np.cos(around), sine * np.sin(around)], axis=1)
    return found, float(np.mean(1.5 * beta**2 - 0.5))


def intensity(
    truth: Truth, spread: float, qx: FloatArray, qy: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, float]:
    """I over the detector, and ⟨P₂⟩ as drawn: on a grid of q and angle, then interpolated."""
    from scipy.interpolate import RegularGridInterpolator

    found, p2 = axes(truth.p2 or 0.0, rng)
    radius = truth.radius * np.exp(spread * rng.normal(size=BODIES))
    sizes: Any = {"length": 2 * radius * truth.aspect, "radius_polar": radius * truth.aspect}
    form = "cylinder" if truth.body == "cylinder" else "ellipsoid"
    q = np.hypot(qx, qy)
    grid = np.geomspace(max(q.min(), q.max() / 300), q.max(), 140)
    turns = np.linspace(0, np.pi / 2, 46) if truth.p2 is not None else np.zeros(1)
    table = np.zeros((grid.size, turns.size))
    for k, turn in enumerate(turns):
        # Both sides of the director are alike; q lies in the detector's plane.
        cosine = found[:, 0] * np.cos(turn) + found[:, 1] * np.sin(turn)
        table[:, k] = np.mean(amplitude(form, sizes, radius, grid[:, None], cosine) ** 2, axis=1)
    log_q = np.log(np.clip(q, grid[0], grid[-1]))
    if truth.p2 is None or truth.director is None:
        return np.exp(np.interp(log_q, np.log(grid), np.log(table[:, 0]))), p2
    away = np.abs(np.angle(np.exp(2j * (np.arctan2(qy, qx) - np.radians(truth.director))))) / 2
    look = RegularGridInterpolator((np.log(grid), turns), np.log(table))
    return np.exp(look(np.stack([log_q, away], axis=-1))), p2


def draw(index: int, rng: np.random.Generator) -> Truth:
    huge, body = index % HUGE == HUGE - 1, ("sphere", "cylinder", "ellipsoid")[index % 3]
    radius = float(np.exp(rng.uniform(*np.log((25, 110) if body == "sphere" else (15, 60)))))
    aspect = {"sphere": 1.0, "cylinder": float(rng.uniform(3, 9)), "ellipsoid": float(rng.uniform(2, 4))}[
        body
    ]
    seen = body != "sphere" and index % 4 != 0
    p2 = float(rng.uniform(0.15, 0.85)) if seen else None
    if seen and index % 8 == 1:
        p2 = float(rng.uniform(-0.35, -0.12))
    if huge:
        body, radius, aspect, p2 = "sphere", float(rng.uniform(700, 1500)), 1.0, None
    director = float(rng.uniform(0, 180)) if p2 is not None else None
    return Truth(body, radius, aspect, p2, director, float(10 ** rng.uniform(4.5, 6.5)), huge)


def scene(index: int, seed: int, folder: Path) -> tuple[Path, Truth]:
    """A file, its TOML, and what it shows."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng([seed, index])
    truth = draw(index, rng)
    rows, columns, pixel, distance, wavelength, has_gaps = DETECTORS[index % len(DETECTORS)]
    distance = 20_000.0 if truth.huge else distance
    beam = columns * float(rng.uniform(0.3, 0.7)), rows * float(rng.uniform(0.3, 0.7))
    row, column = np.mgrid[:rows, :columns]
    # As a screen shows it: the first row on top.
    x, y = (column - beam[0]) * pixel, (beam[1] - row) * pixel
    r = np.maximum(np.hypot(x, y), 0.3 * pixel)
    q = 4 * np.pi / wavelength * np.sin(np.arctan(r / distance) / 2)
    rate, p2 = intensity(truth, float(rng.uniform(0.03, 0.15)), q * x / r, q * y / r, rng)
    rate = gaussian_filter(rate * np.cos(np.arctan(r / distance)) ** 3, 0.8)
    stop = r <= pixel * float(rng.uniform(4, 7))
    rate[stop] = 0
    rate = rate / rate.sum() + float(np.exp(rng.uniform(*np.log((0.01, 0.2))))) / rate.size
    rate[stop] *= 0.02
    counts = rng.poisson(truth.counts * rate / rate.sum()).astype(np.int64)
    counts.ravel()[rng.integers(0, counts.size, 15)] = int(50 * counts.max() + 500)
    gaps = np.zeros(counts.shape, bool)
    if has_gaps:
        gaps[:, columns // 3 : columns // 3 + 6] = gaps[2 * rows // 3 : 2 * rows // 3 + 5] = True
    if index % 5 == 2:
        counts[rows // 5], gaps[rows // 5] = 0, False
    kind = FORMATS[index % len(FORMATS)]
    path = folder / f"scene{index}.{'h5' if kind == 'nxcansas' else kind}"
    if kind == "nxcansas":
        write_nxcansas(path, counts, gaps, {"Qx": q * x / r, "Qy": q * y / r})
    else:
        stated: dict[str, Any] = {} if index % 4 == 3 else {"direct_beam": list(beam)}
        write(
            path, counts, gaps, wavelength=wavelength, distance=distance, pixel_size=pixel, spread=0.1,
            collimation=distance, source_radius=8.0, sample_radius=4.0, **stated,
        )  # fmt: skip
    return path, replace(truth, p2=None if truth.p2 is None else p2)


def write_nxcansas(
    path: Path, counts: NDArray[np.int64], gaps: NDArray[np.bool_], q: dict[str, FloatArray]
) -> None:
    """An image in cm⁻¹ against q in nm⁻¹."""
    import h5py

    with h5py.File(path, "w") as file:
        group = file.create_group("sasentry01/sasdata01")
        group.attrs["canSAS_class"] = "SASdata"
        values = np.where(gaps, np.nan, counts.astype(float))
        group["I"], group["Idev"] = values / 7.0, np.sqrt(np.maximum(values, 1)) / 7.0
        for name, component in q.items():
            group[name] = 10 * component
            group[name].attrs["units"] = "1/nm"
