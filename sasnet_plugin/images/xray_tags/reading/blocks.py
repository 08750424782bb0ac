"""Images of fewer pixels: counts and measured area of blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....arrays import Floats


def summed(counts: Floats, good: NDArray[np.bool_], most: int) -> tuple[Floats, Floats, int]:
    """Counts and good pixels of blocks, as many a side that no more than `most` blocks are left.

    Parameters
    ----------
    counts : (rows, columns) array
    good : (rows, columns) bool array
        Others count as nothing.
    most : int
        Of the longer side.

    Returns
    -------
    counts, area : (rows, columns) array
    block : int
        Pixels of a block's side.
    """
    block = -(-max(counts.shape) // most)
    if block == 1:
        return np.where(good, counts, 0.0), good.astype(float), 1
    return blocked(np.where(good, counts, 0.0), block), blocked(good.astype(float), block), block


def blocked(values: Floats, block: int) -> Floats:
    """Sums over blocks; the last ones of each axis may reach over the border, where nothing is.

    Parameters
    ----------
    values : (rows, columns) array
    block : int
        Pixels of a block's side.
    """
    rows, columns = (-(-n // block) * block for n in values.shape)
    whole = np.zeros((rows, columns))
    whole[: values.shape[0], : values.shape[1]] = values
    return np.asarray(whole.reshape(rows // block, block, columns // block, block).sum(axis=(1, 3)))
