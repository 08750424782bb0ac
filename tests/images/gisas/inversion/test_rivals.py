"""Other lattices beside the one that was fitted: named where they explain as well, with their odds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inversion.orientedpatterns import GEOMETRY
from sasnet_plugin.images.gisas.inversion import (
    Rival,
    State,
    best_rival,
    bin_in_bands,
    chance,
    fit_weights,
    start,
)
from sasnet_plugin.images.gisas.simulation import SQUARE
from sasnet_plugin.images.simulation import N_XI

GUESS = start({"lattice": (GEOMETRY.lattice, 5.0), "radius": (GEOMETRY.radius, 2.0)})


def counted(now: State, truth: State, at: tuple[int, ...], counts: float) -> State:
    """The model at its geometry, before counts that another one expects of lattices at those angles."""
    p = np.zeros(N_XI)
    p[list(at)] = 1 / len(at)
    expected = p @ truth.patterns
    y = np.random.default_rng(4).poisson(expected * (counts / expected.sum())).astype(float)
    return State(now.inner, replace(now.counts, y=y), now.factors)


def rival_of(model: State) -> Rival | None:
    expected = fit_weights(model)[2]
    return best_rival(model, expected, chance(expected)[0], GUESS)


def test_a_hexagonal_pattern_has_no_rival(now: State) -> None:
    assert rival_of(counted(now, now, (23, 71), 1e6)) is None


def test_a_square_lattice_is_found_with_its_own_constant(now: State) -> None:
    # Two per cent beside the one whose rows the fit shares: only its own geometry explains the counts.
    constant = 1.02 * GEOMETRY.lattice * np.sqrt(3) / 2
    truth = State(now.inner, now.counts, now.factors.change_lattice(constant, SQUARE))
    found = rival_of(counted(now, truth, (23, 70), 1e6))
    assert found is not None
    assert found.name == "square"
    assert found.gain > 200
    assert found.lattice == pytest.approx(constant, rel=0.01)
    assert found.scope < 0.01
    assert "not a hexagonal lattice" in found.sentence


def test_a_square_lattice_that_lies_at_an_angle_of_its_own_is_found(now: State) -> None:
    # At no ratio that rows of one kind would have: between a row of ones and one of two by one.
    constant = 1.12 * GEOMETRY.lattice
    truth = State(now.inner, now.counts, now.factors.change_lattice(constant, SQUARE))
    found = rival_of(counted(now, truth, (38,), 2e5))
    assert found is not None
    assert found.lattice == pytest.approx(constant, rel=0.01)
    assert found.odds < 0.01
    assert found.scope < 0.01


def test_streaks_keep_their_place_in_bands_of_rows(now: State) -> None:
    counts = replace(now.counts, y=now.patterns[10] * 1e5)
    bands = bin_in_bands(counts, 5)
    assert bands.window.rows == 5
    assert bands.window.pixel[1] == pytest.approx(counts.window.pixel[1])
    height = counts.window.rows // 5
    whole = counts.spread(counts.y)[: 5 * height]
    every = counts.spread(counts.coverage)[: 5 * height].reshape(5, height, -1).sum(axis=1) / height >= 0.95
    np.testing.assert_allclose(
        bands.spread(bands.y)[every], whole.reshape(5, height, -1).sum(axis=1)[every], rtol=1e-12
    )


@pytest.mark.parametrize(
    ("gain", "scope", "words"),
    [(-8.0, 0.7, "about equally well"), (0.0, 0.7, "about equally well"), (9.0, 0.1, "do not trust")],
)
def test_the_scope_beside_a_rival_is_its_odds(gain: float, scope: float, words: str) -> None:
    one = Rival("square", 330.0, gain)
    assert one.scope == pytest.approx(scope, abs=0.005)
    assert words in one.sentence


def test_rotations_without_weight_need_no_sums(now: State) -> None:
    weights = np.zeros(N_XI)
    weights[[3, 60, 90, 119]] = 10.0, 4.0, 7.0, 2.0
    moved = replace(now.factors.geometry, lattice=GEOMETRY.lattice + 0.5)
    some = now.factors.update(moved, weights=weights)
    assert np.count_nonzero(some.sums.any(axis=(1, 2))) == 4
    np.testing.assert_array_equal(some.mix_sums(weights), now.factors.update(moved).mix_sums(weights))
