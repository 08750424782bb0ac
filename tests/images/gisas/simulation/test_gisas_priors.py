"""Draws keep to the published tables."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
from prior_tables.gisas import tables

from sasnet_plugin.images.gisas.simulation import CLOSEST, GEOMETRY, sample_geometry
from sasnet_plugin.images.simulation import (
    COVERED,
    MEASUREMENT,
    WINDOW,
    Geometry,
    Measurement,
    sample_mask,
    sample_measurement,
)
from sasnet_plugin.simulate.draws import Prior


def check(drawn: list[dict[str, float]], table: dict[str, Prior]) -> None:
    for name, prior in table.items():
        values = np.array([one[name] for one in drawn])
        low, high = prior.limits()
        kept = values[values != 0]
        assert np.all((kept >= low) & (kept <= high)), name
        share = len(kept) / len(values)
        assert abs(share - prior.share) <= 5 * np.sqrt(0.25 / len(values)) * (prior.share < 1), name


def test_the_tables_name_every_quantity() -> None:
    assert list(GEOMETRY) == [field.name for field in fields(Geometry)]
    assert list(MEASUREMENT) == [field.name for field in fields(Measurement)]


def test_geometries_lie_within_their_table_and_spheres_do_not_touch(rng: np.random.Generator) -> None:
    drawn = [sample_geometry(rng) for _ in range(600)]
    check([asdict(one) for one in drawn], GEOMETRY)
    assert all(2 * g.radius * (1 + g.radius_pd) <= CLOSEST * g.lattice for g in drawn)


def test_the_seed_s_ranges_lie_within_ours_and_are_kept(rng: np.random.Generator) -> None:
    for _ in range(200):
        geometry = asdict(sample_geometry(rng, seed_ranges=True))
        assert geometry["radius_pd"] == 0
        for name, prior in GEOMETRY.items():
            low, high = prior.limits()
            assert low <= geometry[name] <= high or name == "radius_pd"
        assert 300 <= geometry["lattice"] <= 400
        assert geometry["oxide"] == 600


def test_measurements_lie_within_their_table(rng: np.random.Generator) -> None:
    check([asdict(sample_measurement(rng)) for _ in range(600)], MEASUREMENT)
    assert sample_measurement(rng, counts=123.0).counts == 123.0


def test_a_spread_of_sizes_has_its_mean_and_width() -> None:
    radii, shares = Geometry(350, 1500, 20, 100, 0.1, 1.34, 0.16).radii()
    assert shares.sum() == np.float64(1) or abs(shares.sum() - 1) < 1e-12
    assert abs(shares @ radii - 100) < 1e-9
    assert abs(np.sqrt(shares @ (radii - 100) ** 2) - 10) < 1e-9


def test_masks_leave_most_of_the_window_and_some_leave_all(rng: np.random.Generator) -> None:
    left = np.array([sample_mask(WINDOW, 0.16, rng).mean() for _ in range(400)])
    assert left.min() > COVERED**2 - 0.35
    assert np.mean(left == 1) > 0.05
    assert np.mean(left < 1) > 0.5


def test_the_published_tables_are_those_of_the_code(repository: Path) -> None:
    text = (repository / "docs" / "gisas_prior.md").read_text(encoding="utf-8")
    assert tables() in text
