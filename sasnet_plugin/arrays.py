"""Names of the types of arrays, and a cache of what is calculated from arrays."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

#: Of double precision.
Floats = NDArray[np.float64]
Integers = NDArray[np.int_]
Value = TypeVar("Value")


def median(values: Floats) -> float:
    """The median of finite numbers; numpy's own takes five times as long for a few hundred."""
    ordered, half = np.sort(values), values.size // 2
    return float(ordered[half] if values.size % 2 else 0.5 * (ordered[half - 1] + ordered[half]))


class ArrayCache(Generic[Value]):
    """Keep results of a function of arrays: the last used ones, up to `most` bytes."""

    def __init__(self, most: int) -> None:
        self._most, self._size = most, 0
        self._kept: OrderedDict[Hashable, tuple[int, Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, calculate: Callable[[], Value], size_of: Callable[[Value], int]) -> Value:
        """Return what is kept under a key, or calculate it; `size_of` gives the bytes of a result."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][1]
        found = calculate()
        self._keep(key, found, size_of(found))
        return found

    def _keep(self, key: Hashable, found: Value, size: int) -> None:
        with self._lock:
            if key in self._kept or size > self._most:
                return
            self._kept[key] = size, found
            self._size += size
            while self._size > self._most:
                self._size -= self._kept.popitem(last=False)[1][0]


def bytes_of(array: Floats | None) -> bytes | None:
    """Return the content of an array as a part of a key."""
    return None if array is None else array.tobytes()
