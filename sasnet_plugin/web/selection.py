"""Which images in which order: by name, the least certain, most diverse or suspect first, alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import SasnetError
from .events import UNKNOWN, YES
from .expression import matching
from .settings import WEB
from .state import State

Floats = NDArray[np.floating]
Rows = NDArray[np.intp]
#: Of a logit, as sure as it can be.
_SURE = 8.0


def selected(
    state: State, pictures: Floats, text: str = "", order: str = "name", like: int | None = None
) -> Rows:
    """Rows of images that a filter lets through, in an order.

    Parameters
    ----------
    state : State
    pictures : (n, d) array
        What is compared of images that no model has seen, NaN where there is nothing.
    text : str
        See `expression`.
    order : str
        One of `ORDERS`.
    like : int, optional
        Only the images most like the one of this row, the likest first.

    Raises
    ------
    SasnetError
        The filter or the order is none.
    """
    rows = np.flatnonzero(matching(text, state) & state.images.there)
    if like is not None:
        if not 0 <= like < len(state.images):
            raise SasnetError(f"There is no image {like}.")
        return _alike(_points(state, pictures), rows, like)
    if order not in ORDERS:
        raise SasnetError(f"There is no order {order[:100]!r}; choose one of {', '.join(ORDERS)}.")
    return ORDERS[order](state, pictures, rows) if rows.size else rows


def uncertainty(state: State, rows: Rows) -> Floats:
    """(rows,) 1 − |2p − 1| of the tag nearest to a half of those that nobody has answered; −1: none is known.

    It puts images in the same order as the binary entropy of p.
    """
    open_tags = (state.value[rows] == UNKNOWN) & np.isfinite(state.probability[rows])
    sure = np.where(open_tags, np.abs(2 * state.probability[rows] - 1), 2.0)
    return np.asarray(1 - sure.min(axis=1, initial=2.0))


def suspicion(state: State, rows: Rows) -> Floats:
    """(rows,) probability by the model that the least credible label of an image is wrong; −1 where unknown.

    The self-confidence of confident learning (C. Northcutt et al., J. Artif. Intell. Res. 70 (2021) 1373).
    """
    found, value = np.full(len(rows), -1.0), state.value[rows]
    some = np.flatnonzero((value != UNKNOWN).any(axis=1))
    value, p = value[some], state.probability[rows[some]]
    wrong = np.where(value == YES, 1 - p, p)
    found[some] = np.where((value != UNKNOWN) & np.isfinite(p), wrong, -1.0).max(axis=1, initial=-1.0)
    return found


@dataclass(frozen=True)
class Pair:
    """Two tags and the images that bear one, the other or both.

    Parameters
    ----------
    first, second : str
    both, only_first, only_second : int
    phi : float
        Their correlation, −1..1.
    """

    first: str
    second: str
    both: int
    only_first: int
    only_second: int
    phi: float


def cooccurrence(state: State) -> list[Pair]:
    """Pairs of tags that are there, the strongest correlations first."""
    present = state.present[state.images.there].astype(np.float64)
    n, counts = len(present), present.sum(axis=0)
    both = present.T @ present
    found = []
    for i in np.flatnonzero(counts):
        for j in np.flatnonzero(counts[:i]):
            spread = counts[i] * (n - counts[i]) * counts[j] * (n - counts[j])
            phi = (n * both[i, j] - counts[i] * counts[j]) / np.sqrt(spread) if spread > 0 else 0.0
            pair = int(both[i, j]), int(counts[j] - both[i, j]), int(counts[i] - both[i, j])
            found.append(Pair(state.tags[j], state.tags[i], *pair, float(phi)))
    return sorted(found, key=lambda pair: -abs(pair.phi))


def _by_name(state: State, pictures: Floats, rows: Rows) -> Rows:
    return rows[np.argsort(state.images.rank[rows])]


def _by(measure: Callable[[State, Rows], Floats]) -> Callable[[State, Floats, Rows], Rows]:
    def order(state: State, pictures: Floats, rows: Rows) -> Rows:
        return rows[np.argsort(-measure(state, rows), kind="stable")]

    return order


def _diverse(state: State, pictures: Floats, rows: Rows) -> Rows:
    """Each the farthest from all before: the greedy k-centre of O. Sener and S. Savarese, ICLR 2018."""
    points = _points(state, pictures)[rows]
    known = np.isfinite(points).all(axis=1)
    some, rest = np.flatnonzero(known), np.flatnonzero(~known)
    if not some.size:
        return rows
    points = points[some] - points[some].mean(axis=0)
    squares = np.einsum("nd,nd->n", points, points)
    chosen, distance = [int(np.argmin(squares))], np.full(len(points), np.inf)
    for _ in range(min(WEB.diverse, len(points))):
        last = chosen[-1]
        distance = np.minimum(distance, squares - 2 * points @ points[last] + squares[last])
        chosen.append(int(np.argmax(distance)))
    chosen = list(dict.fromkeys(chosen))
    left = np.setdiff1d(np.arange(len(points)), chosen)
    left = left[np.argsort(-distance[left], kind="stable")]
    return rows[np.concatenate([some[chosen], some[left], rest])]


def _alike(points: Floats, rows: Rows, like: int) -> Rows:
    if not np.isfinite(points[like]).any():
        raise SasnetError("Nothing is known of this image yet; wait for its thumbnail, or predict.")
    columns = np.isfinite(points[like])
    distance = ((points[rows][:, columns] - points[like][columns]) ** 2).sum(axis=1)
    near = rows[np.argsort(np.where(np.isfinite(distance), distance, np.inf), kind="stable")]
    return near[: WEB.alike]


def _points(state: State, pictures: Floats) -> Floats:
    """(n, d): what a model says where it has seen all images, else what they look like, roughly."""
    seen = np.isfinite(state.probability)
    columns = seen.any(axis=0)
    there = state.images.there
    if columns.any() and (seen[there][:, columns].any(axis=1)).mean() > 0.5:
        p = np.clip(state.probability[:, columns].astype(np.float64), 1e-4, 1 - 1e-4)
        return np.asarray(np.clip(np.log(p / (1 - p)), -_SURE, _SURE), np.float32)
    return pictures


#: Orders by name.
ORDERS: dict[str, Callable[[State, Floats, Rows], Rows]] = {
    "name": _by_name,
    "uncertain": _by(uncertainty),
    "diverse": _diverse,
    "suspect": _by(suspicion),
    "new": lambda state, pictures, rows: rows[::-1],
}
