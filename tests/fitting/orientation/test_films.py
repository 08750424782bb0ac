"""Thicknesses of the film beside a fit: minima of the linearised loss, and better films."""

from __future__ import annotations

import numpy as np
import pytest
from orientedpatterns import FLAT, GEOMETRY

from sasnet_plugin.fitting.orientation.films import better_film, film_minima, ratios
from sasnet_plugin.fitting.orientation.forward import State, state
from sasnet_plugin.fitting.orientation.parameters import INDEX, start
from sasnet_plugin.fitting.orientation.refine import Refined, fitted, loss_of

OXIDE = INDEX["oxide"]


def at_film(now: State, film: float) -> Refined:
    inner = now.inner.copy()
    inner[OXIDE] = film
    moved = state(now.counts, inner, now)
    weights, backgrounds, expected = fitted(moved)
    at, error = start({})
    return Refined(moved, weights, backgrounds, expected, loss_of(moved, expected, at, error), 1)


def test_its_own_film_changes_nothing(now: State) -> None:
    found = at_film(now, GEOMETRY.oxide)
    np.testing.assert_allclose(ratios(found, np.array([GEOMETRY.oxide])), 1.0, atol=1e-6)
    assert better_film(found) is None


def test_the_true_film_is_among_the_minima_of_a_wrong_one(now: State) -> None:
    found = at_film(now, GEOMETRY.oxide + 60)
    at, error = start({})
    minima = film_minima(found, at, error)
    assert min(abs(film - GEOMETRY.oxide) for film, _ in minima) < 15
    falls = [fall for _, fall in minima]
    assert falls == sorted(falls, reverse=True)
    assert len(FLAT) == pytest.approx(len(found.weights))
