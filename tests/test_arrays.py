"""The cache of what is calculated from arrays, and a median."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.arrays import ArrayCache, bytes_of, median


def test_a_cache_calculates_once_and_drops_what_was_used_longest_ago() -> None:
    cache: ArrayCache[np.ndarray] = ArrayCache(most=200)
    calls: list[float] = []

    def squares(x: np.ndarray) -> np.ndarray:
        def calculate() -> np.ndarray:
            calls.append(float(x[0]))
            return x**2

        return cache.get(bytes_of(x), calculate, lambda found: found.nbytes)

    one, two, three = (np.full(10, value) for value in (1.0, 2.0, 3.0))  # 80 bytes each
    assert squares(one) is squares(one.copy())
    squares(two)
    squares(one)
    squares(three)  # drops two
    squares(one)
    squares(two)
    assert calls == [1.0, 2.0, 3.0, 2.0]


def test_what_is_larger_than_the_cache_is_not_kept() -> None:
    cache: ArrayCache[np.ndarray] = ArrayCache(most=10)
    found = [cache.get("key", lambda: np.ones(10), lambda x: x.nbytes) for _ in range(2)]
    assert found[0] is not found[1]


def test_bytes_of_nothing_are_none() -> None:
    assert bytes_of(None) is None
    assert bytes_of(np.zeros(2)) == bytes(16)


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_a_median_is_that_of_numpy(size: int) -> None:
    values = np.random.default_rng(size).standard_normal(size)
    assert median(values) == np.median(values)
