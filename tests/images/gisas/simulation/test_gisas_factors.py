"""A basis put together from its factors, and the prior of distributions as a cube."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hexpatterns import BROAD, SHARP

from sasnet_plugin.images.gisas import simulation
from sasnet_plugin.images.gisas.simulation import (
    FAMILIES,
    Factors,
    basis,
    film_profiles,
    mix,
    sample_orientation,
)
from sasnet_plugin.images.simulation import Window
from sasnet_plugin.predict.arithmetic import mirror_distribution

SMALL = Window(16, 16)


@pytest.mark.parametrize("geometry", [SHARP, BROAD], ids=["sharp", "broad"])
def test_the_factors_make_the_basis(geometry) -> None:
    factors, half = Factors.compute(geometry, SMALL), basis(geometry, SMALL).half()
    np.testing.assert_allclose(factors.half(), half, rtol=3e-6)
    p = sample_orientation(np.random.default_rng(0), family="peaks")[1]
    np.testing.assert_allclose(
        factors.pattern(factors.mix_sums(p), 1.0) @ factors.sharp.T, mix(half, p), rtol=3e-6
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("lattice", 320.0), ("width", 2000.0), ("position_spread", 11.0), ("radius", 95.0), ("oxide", 640.0)],
)
def test_factors_that_moved_are_those_of_the_new_geometry(name: str, value: float) -> None:
    there = replace(SHARP, **{name: value})
    moved = Factors.compute(SHARP, SMALL).update(there)
    np.testing.assert_allclose(moved.half(), Factors.compute(there, SMALL).half(), rtol=1e-6)


def test_another_film_changes_rows_as_the_whole_pattern_says() -> None:
    there = replace(BROAD, oxide=630.0)
    rows = film_profiles(BROAD, SMALL, [BROAD.oxide, 630.0])
    np.testing.assert_allclose(rows[0], 1.0)
    one, other = (Factors.compute(geometry, SMALL).every.sum(axis=1) for geometry in (BROAD, there))
    np.testing.assert_allclose(rows[1], other / one, rtol=0.02)


def test_points_of_the_cube_are_drawn_as_the_prior_draws() -> None:
    rng = np.random.default_rng(1)
    made = simulation.distributions(rng.random((3000, simulation.DIMENSIONS)))
    drawn = np.stack([sample_orientation(rng)[1] for _ in range(3000)])
    np.testing.assert_allclose(made.sum(axis=1), 1)
    assert np.mean(np.ptp(made, axis=1) < 1e-12) == pytest.approx(FAMILIES["uniform"], abs=0.03)
    for q in (0.1, 0.25, 0.5, 0.75, 0.9):
        one, other = (np.quantile((p**2).sum(axis=1), q) for p in (made, drawn))
        assert one == pytest.approx(other, rel=0.15)


def test_what_is_not_active_changes_nothing_and_what_is_does() -> None:
    rng = np.random.default_rng(2)
    points = rng.random((400, simulation.DIMENSIONS))
    active = simulation.active(points)
    other = np.where(active, points, rng.random(points.shape))
    other[:, simulation.CHOICES] = points[:, simulation.CHOICES]
    np.testing.assert_allclose(simulation.distributions(other), simulation.distributions(points), atol=1e-12)
    moved = np.where(active, rng.random(points.shape), points)
    changed = np.abs(simulation.distributions(moved) - simulation.distributions(points)).max(axis=1) > 1e-6
    assert np.all(changed == active.any(axis=1))


def test_turning_everything_over_is_the_mirror() -> None:
    points = np.random.default_rng(3).random((200, simulation.DIMENSIONS))
    over = simulation.mirror_points(points, np.ones((200, simulation.ROUND.size), dtype=bool))
    # An angle's place within its bin turns as well, to the next bin at the very edge.
    np.testing.assert_allclose(
        simulation.distributions(over), mirror_distribution(simulation.distributions(points)), atol=1e-9
    )
