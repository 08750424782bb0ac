"""Starts of fits of oriented bodies: near the truth without a hint of the network."""

from __future__ import annotations

import numpy as np

from sasnet_plugin.images.sans.fitting import screen_starts
from sasnet_plugin.images.sans.particles import ASPECTS, SETTINGS
from tests.images.sans.fitting import rods


def test_the_nearest_start_of_the_right_body_is_close_in_size_order_and_direction() -> None:
    found = screen_starts(rods.rods(0.6), ["cylinder"], {})
    assert [one.distance for one in found] == sorted(one.distance for one in found)
    assert len(found) == len(ASPECTS["cylinder"])
    best = found[0].values
    assert abs(np.log(best["radius"] / rods.RADIUS)) < 0.3
    assert 0.3 <= best["p2"] <= 0.88
    # Seen from half a turn away rods are the same.
    assert abs(np.mod(best["director"] - rods.DIRECTOR + 90, 180) - 90) < 5


def test_axes_across_their_director_are_not_taken_for_axes_along_it() -> None:
    best = screen_starts(rods.rods(-0.25), ["cylinder"], {})[0].values
    along = abs(np.mod(best["director"] - rods.DIRECTOR + 90, 180) - 90) < 10
    # Rods across a director scatter like rods along the direction a quarter turn from it, but weaker.
    assert (best["p2"] < 0) == along


def test_the_radius_stays_in_its_range() -> None:
    low, high = SETTINGS.limits["radius"]
    assert all(low <= one.values["radius"] <= high for one in screen_starts(rods.rods(), ["ellipsoid"], {}))
