"""Which images in which order: by name, the least certain, most diverse or suspect first, alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...types import SasnetError
from ...web.settings import WEB
from .expression import matching
from .orders import ORDERS, Orders
from .state import State

Floats = NDArray[np.floating]
Rows = NDArray[np.intp]


def select_rows(
    state: State,
    orders: Orders,
    pictures: Floats,
    text: str = "",
    order: str = "name",
    like: int | None = None,
) -> Rows:
    """Return rows that pass a filter (see `expression`), in one of `ORDERS`, or those most like row `like`;
    `pictures` as in `Orders.points`. Raises SasnetError for a wrong filter or order.
    """
    rows = np.flatnonzero(matching(text, state) & state.images.there)
    if like is not None:
        if not 0 <= like < len(state.images):
            raise SasnetError(f"There is no image {like}.")
        return _alike(orders.points(pictures), rows, like)
    if order not in ORDERS:
        raise SasnetError(f"There is no order {order[:100]!r}; choose one of {', '.join(ORDERS)}.")
    return orders.sort(order, rows, pictures)


@dataclass(frozen=True)
class Pair:
    """Two tags and the images that bear one, the other or both."""

    first: str
    second: str
    both: int
    only_first: int
    only_second: int
    phi: float  #: Their correlation, −1..1.


def cooccurrence(state: State) -> list[Pair]:
    """Pairs of tags that are there, the strongest correlations first."""
    present = state.present[state.images.there].astype(np.float64)
    n, counts = len(present), present.sum(axis=0)
    pairs_present = present.T @ present
    pairs = []
    for i in np.flatnonzero(counts):
        for j in np.flatnonzero(counts[:i]):
            spread = counts[i] * (n - counts[i]) * counts[j] * (n - counts[j])
            phi = (n * pairs_present[i, j] - counts[i] * counts[j]) / np.sqrt(spread) if spread > 0 else 0.0
            pair = (
                int(pairs_present[i, j]),
                int(counts[j] - pairs_present[i, j]),
                int(counts[i] - pairs_present[i, j]),
            )
            pairs.append(Pair(state.tags[j], state.tags[i], *pair, float(phi)))
    return sorted(pairs, key=lambda pair: -abs(pair.phi))


def _alike(points: Floats, rows: Rows, like: int) -> Rows:
    if not np.isfinite(points[like]).any():
        raise SasnetError("This image has no features yet; wait for its thumbnail, or predict.")
    columns = np.isfinite(points[like])
    distance = ((points[rows][:, columns] - points[like][columns]) ** 2).sum(axis=1)
    near = rows[np.argsort(np.where(np.isfinite(distance), distance, np.inf), kind="stable")]
    return near[: WEB.alike]
