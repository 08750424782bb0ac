"""Shares of the components of a sum, in numbers and in words."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.result.components import Component, describe_components, shares


def test_shares_are_of_the_scattering_at_each_point_and_sum_to_one() -> None:
    """A power law that is all there is below the middle of ln q has half of the curve."""
    q = np.geomspace(0.01, 1.0, 201)
    curves = np.stack([np.where(q < 0.1, 1e-9, 1.0), np.where(q < 0.1, 5.0, 1e-9)])
    share, change = shares(curves, q)
    assert share == pytest.approx([0.5, 0.5], abs=0.01)
    # Its scale moves no border here.
    assert np.abs(change).max() < 1e-6


def test_shares_of_volume_are_those_of_the_scales_and_change_with_them() -> None:
    q, scales = np.geomspace(0.01, 1.0, 20), np.array([3.0, 1.0])
    share, change = shares(np.ones((2, 20)), q, scales)
    assert share == pytest.approx([0.75, 0.25])
    moved, _ = shares(np.ones((2, 20)), q, scales * [1.001, 1.0])
    assert (moved - share) / 0.001 == pytest.approx(change[:, 0], rel=1e-2)


def test_words_have_the_share_and_its_error() -> None:
    both = (
        Component("sphere", "A_", 0.9512, 0.004, "volume"),
        Component("sphere", "B_", 0.0488, 0.004, "volume"),
    )
    assert describe_components(both) == (
        "sphere+sphere has A, sphere, 95.12 ± 0.40 % and B, sphere, 4.88 ± 0.40 % of the volume."
    )
    assert describe_components(both[:1]) == ""
