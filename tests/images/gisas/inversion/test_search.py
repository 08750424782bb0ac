"""A geometry to begin with where the guess says little."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inversion.orientedpatterns import GEOMETRY
from sasnet_plugin.images.gisas.inversion import INDEX, Problem, bin_on_window, search, start
from sasnet_plugin.images.gisas.simulation import peak
from sasnet_plugin.types import Image


def test_lattice_and_radius_are_found_from_a_guess_that_is_far_off(measured: Callable[..., Image]) -> None:
    counts, _ = bin_on_window(measured(peak(10.0, 8.0), counts=1e7))
    guess = start({"lattice": (330.0, 14.0), "radius": (113.0, 8.0)})
    found = search(Problem(counts, guess))
    assert found[INDEX["lattice"]] == pytest.approx(GEOMETRY.lattice, abs=8)
    assert found[INDEX["radius"]] == pytest.approx(GEOMETRY.radius, abs=8)
