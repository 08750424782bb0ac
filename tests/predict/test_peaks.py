"""The headline of a distribution of angles: shares and places of its peaks, with a floor below them."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.predict.findings import in_words, peaks

GRID = np.arange(120) * 0.5
PERIOD = 60.0


def _mixture(*parts: tuple[float, float, float]) -> np.ndarray:
    """Wrapped normal peaks (share, centre, width), the rest flat."""
    p = np.full(120, (1 - sum(share for share, *_ in parts)) / 120)
    for share, centre, width in parts:
        turn = (GRID - centre + PERIOD / 2) % PERIOD - PERIOD / 2
        bell = np.exp(-0.5 * (turn / width) ** 2)
        p += share * bell / bell.sum()
    return p


def _found(p: np.ndarray, error: float = 0.0) -> list:
    return peaks(GRID, p, p - 1.645 * error, p + 1.645 * error, PERIOD)


def test_shares_and_places_also_across_the_end_of_the_period() -> None:
    found = _found(_mixture((0.7, 0.0, 2.0), (0.3, 30.0, 2.0)))
    assert [peak.share for peak in found] == pytest.approx([0.7, 0.3], abs=0.005)
    assert np.cos(2 * np.pi * found[0].angle / PERIOD) == pytest.approx(1.0, abs=1e-4)
    assert found[1].angle == pytest.approx(30.0, abs=0.1)
    assert in_words(found, PERIOD) == "70 % at 0°, 30 % at 30° (± 1 %)."


def test_a_floor_is_no_peak_and_two_close_ones_are_one() -> None:
    assert in_words(_found(_mixture((0.6, 12.0, 2.0))), PERIOD) == (
        "60 % at 12°, 40 % at every angle alike (± 1 %)."
    )
    (one,) = _found(_mixture((0.5, 20.0, 3.0), (0.5, 24.0, 3.0)))
    assert one.angle == pytest.approx(22.0, abs=0.2)
    assert _found(np.full(120, 1 / 120)) == []


def test_the_error_is_of_the_whole_peak() -> None:
    (one,) = _found(_mixture((1.0, 30.0, 2.0)), error=0.002)
    # All 120 bins belong to it: √120 times that of a bin.
    assert one.error == pytest.approx(0.002 * np.sqrt(120), rel=0.01)
