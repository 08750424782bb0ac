"""Images of fewer pixels: counts and measured area of blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....arrays import Floats


def bin_counts(counts: Floats, good: NDArray[np.bool_], most: int) -> tuple[Floats, Floats, int]:
    """Sum counts and usable pixels over square blocks so that the longer side has at most `most`, and return
    the block's side, pixels.
    """
    block = -(-max(counts.shape) // most)
    if block == 1:
        return np.where(good, counts, 0.0), good.astype(float), 1
    return sum_blocks(np.where(good, counts, 0.0), block), sum_blocks(good.astype(float), block), block


def sum_blocks(values: Floats, block: int) -> Floats:
    """Sum over blocks; the last may reach over the border, where nothing is."""
    rows, columns = (-(-n // block) * block for n in values.shape)
    whole = np.zeros((rows, columns))
    whole[: values.shape[0], : values.shape[1]] = values
    return np.asarray(whole.reshape(rows // block, block, columns // block, block).sum(axis=(1, 3)))
