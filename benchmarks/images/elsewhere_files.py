"""Images written as other programs write them: formats, and how each marks what its detector did not see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def write(path: Path, counts: NDArray[np.int64], gaps: NDArray[np.bool_], **stated: Any) -> None:
    """A file of the format that its suffix names, and a TOML with what is stated.

    CBF, TIFF and EDF hold −1 in gaps, NeXus 2³² − 1 under bitshuffle and LZ4.
    """
    kind = path.suffix[1:]
    if kind == "h5":
        import h5py
        import hdf5plugin

        stored = np.where(gaps, 2**32 - 1, counts).astype(np.uint32)[None]
        with h5py.File(path, "w") as file:
            file.create_dataset("entry/instrument/detector/data", data=stored, **hdf5plugin.Bitshuffle())
            file["entry/instrument/detector/flatfield"] = np.ones(counts.shape, np.float32)
    else:
        from fabio.cbfimage import CbfImage
        from fabio.edfimage import EdfImage
        from fabio.tifimage import TifImage

        image = {"cbf": CbfImage, "tif": TifImage, "edf": EdfImage}[kind]
        image(data=np.where(gaps, -1, counts).astype(np.int32)).write(str(path))
    if stated:
        lines = (f"{key} = {value!r}\n" for key, value in stated.items())
        path.with_suffix(".toml").write_text("".join(lines))


def bars(shape: tuple[int, int], rng: np.random.Generator, widest: int = 8) -> NDArray[np.bool_]:
    """Gaps between modules: one upright and one across, somewhere in the middle half."""
    found = np.zeros(shape, bool)
    row, column = (int(n * rng.uniform(0.3, 0.7)) for n in shape)
    found[row : row + int(rng.integers(2, widest))] = True
    found[:, column : column + int(rng.integers(2, widest))] = True
    return found


def hit(counts: NDArray[np.int64], number: int, rng: np.random.Generator) -> None:
    counts.ravel()[rng.integers(0, counts.size, number)] = int(30 * counts.max() + 500)
