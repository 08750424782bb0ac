"""Orders of images, and how each is kept until something that it depends on has changed.

Of 10⁵ images it takes a tenth of a second to find the least certain, and longer to find the most diverse; a
key that was pressed changes a few of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...web.settings import WEB
from .events import UNKNOWN, YES
from .state import State

Floats = NDArray[np.floating]
Rows = NDArray[np.intp]
#: Of a logit, as sure as it can be.
_SURE = 8.0


def uncertainty(state: State, rows: Rows) -> Floats:
    """(rows,) 1 − |2p − 1| of the tag nearest to a half of those that nobody has answered; −1: none is
    known.
    """
    # It puts images in the same order as the binary entropy of p.
    open_tags = (state.value[rows] == UNKNOWN) & np.isfinite(state.probability[rows])
    sure = np.where(open_tags, np.abs(2 * state.probability[rows] - 1), 2.0)
    return np.asarray(1 - sure.min(axis=1, initial=2.0))


def suspicion(state: State, rows: Rows) -> Floats:
    """(rows,) probability by the model that the least credible label of an image is wrong; −1 where
    unknown.
    """
    # The self-confidence of confident learning (C. Northcutt et al., J. Artif. Intell. Res. 70 (2021) 1373).
    found_suspicion, value = np.full(len(rows), -1.0), state.value[rows]
    labelled_rows = np.flatnonzero((value != UNKNOWN).any(axis=1))
    value, p = value[labelled_rows], state.probability[rows[labelled_rows]]
    wrong = np.where(value == YES, 1 - p, p)
    found_suspicion[labelled_rows] = np.where((value != UNKNOWN) & np.isfinite(p), wrong, -1.0).max(
        axis=1, initial=-1.0
    )
    return found_suspicion


#: Orders by the largest of a number first.
MEASURES: dict[str, Callable[[State, Rows], Floats]] = {"uncertain": uncertainty, "suspect": suspicion}
#: All of them, as the page offers them.
ORDERS = ("name", "uncertain", "diverse", "suspect", "new")


@dataclass
class _Measured:
    """A number of each image, what it was taken of, and all rows in its order."""

    version: int
    number: Floats
    order: Rows


class Orders:
    """Orders of the images of a state; what has changed since the last time is taken in at the next."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._measured: dict[str, _Measured] = {}
        self._logits: tuple[object, Floats | None] = (None, None)
        self._diverse: OrderedDict[object, Rows] = OrderedDict()

    def sort(self, name: str, rows: Rows, pictures: Floats) -> Rows:
        """Order ascending rows by one of `ORDERS`; `pictures` (n, d) as in `points`."""
        if name == "new":
            return rows[::-1]
        if name == "diverse":
            return self._sort_by_diversity(rows, pictures)
        if name == "name":
            return rows[np.argsort(self._state.images.rank[rows])]
        is_wanted = np.zeros(len(self._state.images), dtype=np.bool_)
        is_wanted[rows] = True
        order = self._sort_by_number(name)
        return order[is_wanted[order]]

    def points(self, pictures: Floats) -> Floats:
        """Return (n, d) a model's outputs if it has seen all images, else rough `pictures`."""
        state, is_present = self._state, self._state.images.there
        about = state.shown, len(is_present), int(is_present.sum())
        if self._logits[0] != about:
            is_known = np.isfinite(state.probability)
            columns = is_known.any(axis=0)
            points_found = None
            if columns.any() and (is_known[is_present][:, columns].any(axis=1)).mean() > 0.5:
                p = np.clip(state.probability[:, columns], 1e-4, 1 - 1e-4)
                points_found = np.clip(np.log(p / (1 - p)), -_SURE, _SURE)
            self._logits = about, points_found
        return pictures if self._logits[1] is None else self._logits[1]

    def _sort_by_number(self, name: str) -> Rows:
        """Order rows by one of `MEASURES`, taken anew only for changed images."""
        state, measure, n = self._state, MEASURES[name], len(self._state.images)
        measured = self._measured.get(name) or _Measured(-1, np.zeros(0), np.zeros(0, np.intp))
        if measured.version != state.version or len(measured.number) != n:
            number = np.append(measured.number, np.full(n - len(measured.number), np.nan))
            changed = np.flatnonzero((state.change_version > measured.version) | np.isnan(number))
            number[changed] = measure(state, changed)
            is_same = np.array_equal(number, measured.number)
            order = measured.order if is_same else np.argsort(-number, kind="stable")
            measured = self._measured[name] = _Measured(state.version, number, order)
        return measured.order

    def _sort_by_diversity(self, rows: Rows, pictures: Floats) -> Rows:
        points = self.points(pictures)
        # Thumbnails that come count as changes of the state; labels do not move what a model says.
        version = self._state.version if points is pictures else self._logits[0]
        key = version, rows.tobytes()
        if key not in self._diverse:
            self._diverse[key] = _diverse(points, rows)
        self._diverse.move_to_end(key)
        while len(self._diverse) > WEB.selections:
            self._diverse.popitem(last=False)
        return self._diverse[key]


def _diverse(points: Floats, rows: Rows) -> Rows:
    """Rows, the most diverse first, then the others by their distance from those, then what is not known."""
    points_here = points[rows]
    is_known = np.isfinite(points_here).all(axis=1)
    places, rest = np.flatnonzero(is_known), np.flatnonzero(~is_known)
    if not places.size:
        return rows
    chosen, distance = farthest_first(points_here[places], WEB.diverse)
    is_other = np.ones(len(places), dtype=np.bool_)
    is_other[chosen] = False
    rows_left = np.flatnonzero(is_other)
    rows_left = rows_left[np.argsort(-distance[rows_left], kind="stable")]
    return rows[np.concatenate([places[chosen], places[rows_left], rest])]


#: Of the largest square, what rounding leaves between points that are alike.
_SAME = 1e-6
#: Points whose product BLAS takes in one piece: of more it makes pieces that wait for cores which are busy.
_BLOCK = 512


def farthest_first(points: Floats, number: int) -> tuple[NDArray[np.intp], Floats]:
    """Choose at most `number` centres of points (n, d), starting nearest to the mean, and return their
    indices and each point's squared distance to the nearest.
    """
    # The greedy k-centre of O. Sener and S. Savarese, ICLR 2018. A step is one product of all points with the
    # last centre: |x − c|² = (−2x, |x|², 1)·(c, 1, |c|²), in place, as memory is what it takes its time for.
    points = np.asarray(points - points.mean(axis=0), np.float32)
    squares = np.einsum("nd,nd->n", points, points)
    last, least_square = int(np.argmin(squares)), _SAME * float(squares.max())
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
        if len(chosen) >= number or distance[last] <= least_square:
            return np.array(chosen), distance[: len(points)]
        chosen.append(last)
