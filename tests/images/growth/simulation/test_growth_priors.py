"""Films are drawn as published, within the ranges of the task, and consistent with themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from growthfilms import ONE_SIZE, SEVERAL
from prior_tables.growth import tables

from sasnet_plugin.images.growth.simulation import FILM_PRIOR, growing, sample_film
from sasnet_plugin.images.growth.specification import FILM as ASKED
from sasnet_plugin.simulate.dataset import scale_targets


def test_films_are_within_the_ranges_of_the_task_and_fill_them(rng: np.random.Generator) -> None:
    films = [sample_film(rng) for _ in range(3000)]
    for name, low, high in (
        ("distance", 40, 200),
        ("distance_spread", 2, 40),
        ("metal", 0, 250),
        ("polymer", 100, 500),
    ):
        values = np.array([getattr(film, name) for film in films])
        assert low <= values.min()
        assert values.max() <= high
        assert np.ptp(values) > 0.9 * (high - low)
    assert all(2 * film.radius <= film.distance for film in films)
    assert all(0 < film.coverage < 0.91 for film in films)


def test_effective_thickness_is_the_volume_of_the_clusters() -> None:
    film = replace(ONE_SIZE, layer=15.0)
    cell = np.sqrt(3) / 2 * film.distance**2
    volume = 2 / 3 * np.pi * film.radius**2 * film.height
    assert film.metal == pytest.approx(15.0 + volume / cell)
    touching = replace(ONE_SIZE, radius=ONE_SIZE.distance / 2)
    assert touching.coverage == pytest.approx(np.pi / (2 * np.sqrt(3)))


def test_a_film_that_grows_holds_what_was_deposited() -> None:
    radii = []
    for thickness in (1.0, 5.0, 20.0, 45.0):
        film = growing(thickness, 100.0)
        assert film.metal == pytest.approx(thickness)
        assert 2 * film.radius <= film.distance
        radii.append(film.radius)
    assert radii == sorted(radii)
    assert growing(5.0, 100.0).layer == 0
    assert growing(45.0, 100.0).layer > 0
    # R³ goes with the thickness while clusters are apart.
    assert growing(8.0, 100.0).radius / growing(1.0, 100.0).radius == pytest.approx(2.0)


def test_sizes_have_their_mean_and_width() -> None:
    radii, shares = SEVERAL.radii()
    assert shares.sum() == pytest.approx(1)
    assert shares @ radii == pytest.approx(SEVERAL.radius)
    width = np.sqrt(shares @ (radii - SEVERAL.radius) ** 2) / SEVERAL.radius
    # A Gaussian that ends at 2.5 standard deviations is narrower by 4.5 %.
    assert width == pytest.approx(0.955 * SEVERAL.radius_pd, rel=0.01)
    assert radii.min() > 0


def test_quantities_come_back_from_their_scale(rng: np.random.Generator) -> None:
    films = [sample_film(rng) for _ in range(300)]
    table = np.stack([scale_targets(ASKED, film) for film in films])
    values = np.array([[q.value(float(x), 0.0)[0] for q, x in zip(ASKED, row, strict=True)] for row in table])
    for column, quantity in enumerate(ASKED):
        truth = np.array([getattr(film, quantity.name) for film in films])
        np.testing.assert_allclose(values[:, column], truth, rtol=1e-4, err_msg=quantity.name)
        assert 0.4 < table[:, column].std() < 1.6, quantity.name


def test_the_published_tables_are_those_of_the_code(repository: Path) -> None:
    text = (repository / "docs" / "growth_prior.md").read_text(encoding="utf-8")
    assert tables() in text
    assert all(f"`{name}`" in text for name in FILM_PRIOR)
