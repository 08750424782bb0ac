"""Thicknesses of the film beside a fit: minima of the linearised loss, and better films."""

from __future__ import annotations

import numpy as np
import pytest

from orientation.orientedpatterns import GEOMETRY
from sasnet_plugin.fitting.orientation.films import better_film, film_minima, ratios
from sasnet_plugin.fitting.orientation.forward import Refined, State, state
from sasnet_plugin.fitting.orientation.parameters import INDEX, start
from sasnet_plugin.fitting.orientation.refine import fitted, loss_of

OXIDE = INDEX["oxide"]


def at_film(now: State, film: float) -> Refined:
    inner = now.inner.copy()
    inner[OXIDE] = film
    moved = state(now.counts, inner, now)
    weights, backgrounds, expected = fitted(moved)
    at, error = start({})
    return Refined(moved, weights, backgrounds, expected, loss_of(moved, expected, at, error))


def test_its_own_film_changes_nothing(now: State) -> None:
    found = at_film(now, GEOMETRY.oxide)
    np.testing.assert_allclose(ratios(found, np.array([GEOMETRY.oxide])), 1.0, atol=1e-6)
    assert better_film(found) is None


@pytest.mark.parametrize("off", [-40.0, 60.0])
def test_the_deepest_minimum_lies_towards_the_true_film(now: State, off: float) -> None:
    at, error = start({})
    (film, fall), *others = film_minima(at_film(now, GEOMETRY.oxide + off), at, error)
    assert fall > 0
    assert abs(film - GEOMETRY.oxide) < abs(off)
    assert all(fall >= other for _, other in others)
