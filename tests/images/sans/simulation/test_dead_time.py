"""What dead time loses: of a tube along its whole length, of a chamber everywhere alike."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.images.sans.simulation import INSTRUMENTS, Beam, beam, compute_counted_share, draw_setting


def _seen(name: str) -> tuple[Beam, np.ndarray]:
    one = next(i for i in INSTRUMENTS if i.name == name)
    rng = np.random.default_rng(2)
    seen = beam(one, draw_setting(one, rng), rng)
    return seen, rng.random(one.shape) ** 4


def test_a_tube_counts_as_a_detector_of_its_own_rate() -> None:
    seen, expected = _seen("D22")
    rate = 4e6
    share = compute_counted_share(expected, seen, rate)
    assert share.shape == (1, 128)
    # A tube of n events a second counts n/(1 + 1.5 µs n).
    busy = rate * expected.sum(axis=0) / expected.sum()
    assert (share[0] * busy) == pytest.approx(busy / (1 + 1.5e-6 * busy))


def test_a_chamber_loses_everywhere_alike() -> None:
    seen, expected = _seen("NG7")
    assert compute_counted_share(expected, seen, 2e5).item() == pytest.approx(1 / (1 + 2e5 * 3e-6))


def test_slow_counting_loses_nothing() -> None:
    seen, expected = _seen("D22")
    assert compute_counted_share(expected, seen, 0.0) == pytest.approx(1.0)
