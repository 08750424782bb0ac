"""Small patterns of both kinds, and files with frames of a film that grows."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sasnet_plugin.images.growth.simulation import growing
from sasnet_plugin.images.growth.simulation import pattern as film_pattern
from sasnet_plugin.images.simulation import PERIOD, WINDOW, Window
from sasnet_plugin.predict.arithmetic import circular_w1, mirror_distribution
from sasnet_plugin.types import GrazingIncidence, Image

#: Somewhat more than the network sees, as a detector does.
SEEN = Window(rows=72, columns=80, phi=(-2.2, 2.2), alpha_f=(0.0, 2.7))
GEOMETRY = (
    "wavelength = 0.96\nalpha_i = 0.4\n"
    f"phi = [{-2.2 + 0.0275:g}, {2.2 - 0.0275:g}]\nalpha_f = [{2.7 - 0.01875:g}, 0.01875]\n"
)
#: Beside a TIFF of `pattern`.
TOML = """
wavelength = 1.34
alpha_i = 0.16
phi = [-1.0532812, 1.0532812]
alpha_f = [0.0171875, 2.1828125]
up = "bottom"
"""


def folded_w1(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """`circular_w1` of what is left when ξ and 60° − ξ are not told apart, degrees."""
    return circular_w1((p + mirror_distribution(p)) / 2, (q + mirror_distribution(q)) / 2, PERIOD)


def pattern(*, seed: int = 0, counts: float = 1e5, name: str = "") -> Image:
    """A pattern with a rod, two unequal side maxima and noise on the network's window."""
    rng = np.random.default_rng(seed)
    alpha, phi = WINDOW.centres()
    across = (
        50 * np.exp(-0.5 * (phi / 0.03) ** 2)
        + 2 * np.exp(-0.5 * ((phi - 0.25) / 0.04) ** 2)
        + np.exp(-0.5 * ((phi + 0.5) / 0.04) ** 2)
        + 0.05
    )
    clean = np.outer(np.exp(-alpha / 0.5), across)
    drawn = rng.poisson(clean * counts / clean.sum()).astype(np.float64)
    return Image(
        drawn, np.ones(WINDOW.shape, dtype=bool), GrazingIncidence(phi, alpha, 1.34, 0.16), file=name
    )


def frames(number: int, rng: np.random.Generator, *, counts: float = 2e5) -> np.ndarray:
    """Counts of a film that grows, (number, rows, columns) int32, row 0 on top."""
    shapes = [
        film_pattern(growing(thickness, 60 + 0.5 * thickness), SEEN) for thickness in np.linspace(3, 40, 5)
    ]
    chosen = [shapes[index * 5 // number] for index in range(number)]
    return np.stack([rng.poisson(counts * one / one.sum())[::-1] for one in chosen]).astype(np.int32)


def write_stack(path: Path, values: np.ndarray) -> Path:
    """A TIFF of several pages, with its geometry."""
    import tifffile

    with tifffile.TiffWriter(path) as file:
        for frame in values:
            file.write(frame, contiguous=True)
    path.with_suffix(".toml").write_text(GEOMETRY, encoding="utf-8")
    return path


def write_nexus(path: Path, values: np.ndarray) -> Path:
    """A NeXus stream of frames in one dataset, with its geometry."""
    import h5py

    with h5py.File(path, "w") as file:
        data = file.create_dataset("entry/data/data", data=values, chunks=(1, *values.shape[1:]))
        file["entry"].attrs.update(NX_class="NXentry", default="data")
        file["entry/data"].attrs.update(NX_class="NXdata", signal="data")
        data.attrs["interpretation"] = "image"
    path.with_suffix(".toml").write_text(GEOMETRY, encoding="utf-8")
    return path
