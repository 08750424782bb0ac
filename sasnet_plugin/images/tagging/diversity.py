"""The most diverse of many points: each the farthest from all that were chosen before it.

The greedy k-centre of O. Sener and S. Savarese, ICLR 2018. A step is one product of all points with the last
centre: |x − c|² = (−2x, |x|², 1)·(c, 1, |c|²), in place, as memory is what it takes its time for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
#: Of the largest square, what rounding leaves between points that are alike.
_SAME = 1e-6
#: Points whose product BLAS takes in one piece: of more it makes pieces that wait for cores which are busy.
_BLOCK = 512


def farthest_first(points: Floats, number: int) -> tuple[NDArray[np.intp], Floats]:
    """Choose at most `number` centres of points (n, d), starting nearest to the mean, and return their
    indices and each point's squared distance to the nearest.
    """
    points = np.asarray(points - points.mean(axis=0), np.float32)
    squares = np.einsum("nd,nd->n", points, points)
    last, same = int(np.argmin(squares)), _SAME * float(squares.max())
    # In blocks, a point a column; those that fill up the last one have no distance, and are never chosen.
    blocks = -(-len(points) // _BLOCK)
    table = np.zeros((points.shape[1] + 2, blocks * _BLOCK), np.float32)
    table[:, : len(points)] = np.concatenate([-2 * points.T, squares[None], np.ones((1, len(points)))])
    table = np.ascontiguousarray(table.reshape(len(table), blocks, _BLOCK).swapaxes(0, 1))
    chosen, new = [last], np.empty((blocks, _BLOCK), np.float32)
    distance = np.full(blocks * _BLOCK, np.inf, np.float32)
    while True:
        centre = np.concatenate([points[last], np.array([1.0, squares[last]], np.float32)])
        np.minimum(distance, np.matmul(centre, table, out=new).ravel(), out=distance)
        distance[last] = 0.0
        last = int(np.argmax(distance))
        if len(chosen) >= number or distance[last] <= same:
            return np.array(chosen), distance[: len(points)]
        chosen.append(last)
