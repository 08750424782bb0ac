"""A measured GISAS image by BornAgain 25's plain interface, as TIFF with its geometry beside it in TOML.

Nothing of sasnet is imported. Run as ``python gisas_file.py OUT.tif [COUNTS [SEED]]``: the sample of
gisas_plain.py, lattices under 0 (70 %) and 30 degrees (30 %), on 128 x 128 pixels; BornAgain evaluates the
middle of a pixel, so each is the sum of 4 x 5 parts of it, finer than the peaks. A narrow beamstop covers the
specular rod, which would have nearly all counts. Row 0 of the file is the top.
"""

import sys
from pathlib import Path

import fabio
import numpy as np
from gisas_plain import ALPHA_I, WAVELENGTH, pattern

SIZE, UP, ACROSS = 128, 4, 5
STOP = 3  # columns to each side of the middle


def image(counts: float, seed: int) -> np.ndarray:
    fine = pattern(SIZE * UP, SIZE * ACROSS)
    summed = fine.reshape(SIZE, UP, SIZE, ACROSS).sum(axis=(1, 3))
    summed[:, SIZE // 2 - STOP : SIZE // 2 + STOP] = 0
    rng = np.random.default_rng(seed)
    background = 0.02 * summed.sum() / summed.size
    expected = np.where(summed > 0, summed + background, 0)
    return rng.poisson(expected * counts / expected.sum()).astype(np.int32)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    found = image(
        float(sys.argv[2]) if len(sys.argv) > 2 else 1e6, int(sys.argv[3]) if len(sys.argv) > 3 else 0
    )
    fabio.tifimage.TifImage(data=found[::-1].copy()).write(str(path))
    half_row, half_column = 1.1 / SIZE, 1.07 / SIZE
    first, last = SIZE // 2 - STOP, SIZE // 2 + STOP - 1
    path.with_suffix(".toml").write_text(
        f"wavelength = {10 * WAVELENGTH}\n"
        f"alpha_i = {ALPHA_I}\n"
        f"phi = [{-1.07 + half_column}, {1.07 - half_column}]\n"
        f"alpha_f = [{2.2 - half_row}, {half_row}]\n"
        f"mask = [[{first}, 0, {last}, {SIZE - 1}]]\n"
    )
