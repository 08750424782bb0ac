"""Patterns on disk are what they were, come again with the same seed, and are measured anew each time."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from sasnet_plugin.domains import resolve, specification
from sasnet_plugin.simulate.growth import store
from sasnet_plugin.simulate.growth.pattern import pattern
from sasnet_plugin.simulate.growth.quantities import NAMES
from sasnet_plugin.simulate.growth.strangers import KINDS, Scene, stranger
from sasnet_plugin.simulate.growth.stream import ROWS, STRANGERS, Stream, augment, held_out
from sasnet_plugin.simulate.plans import Wish
from sasnet_plugin.types import SimulationError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    made = list(store.run(store.plan(folder, films=1, seed=4)))
    assert len(made) == 1
    return folder


def test_a_pattern_on_disk_is_the_film_s(folder: Path) -> None:
    films = store.Store(folder)
    assert len(films) == store.PER_SHARD
    for index in (0, 77):
        true = pattern(films.film(index), films.window.with_margin(store.MARGIN))
        found = films.clean(index)
        bright = true > 1e-5 * true.max()
        np.testing.assert_allclose(found[bright], (true / true.max())[bright], rtol=3e-3)


def test_what_is_there_is_kept_and_other_settings_are_refused(folder: Path) -> None:
    assert list(store.run(store.plan(folder, films=1, seed=4))) == []
    with pytest.raises(SimulationError, match="another folder"):
        list(store.run(store.plan(folder, films=1, seed=5)))


def test_a_damaged_shard_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="no films here"):
        store.Store(tmp_path)
    (tmp_path / "films-00000.h5").write_bytes(b"nothing")
    with pytest.raises(SimulationError, match="not a shard of films"):
        store.Store(tmp_path)
    with h5py.File(tmp_path / "films-00000.h5", "w") as file:
        file["parameters"] = np.zeros((3, 10))
        file["patterns"] = np.zeros((3, 5, 5))
    with pytest.raises(SimulationError, match="another window"):
        store.Store(tmp_path)


def test_the_plan_of_the_domain_s_page_is_the_store_s(folder: Path) -> None:
    growth = specification("gisas_growth")
    plan = resolve(growth.plan)(folder, Wish(rounds=1, seed=4, scale=0.125))
    assert [chunk.path.name for chunk in plan.chunks] == ["films-00000.h5"]
    assert plan.missing() == []
    plan.check(plan.chunks)
    assert plan.chunks[0].path.stat().st_size <= plan.disk_need(plan.chunks)
    with pytest.raises(SimulationError, match="--limit"):
        resolve(growth.plan)(folder, Wish(rounds=1, seed=4, limit=3))


def test_the_stream_repeats_with_its_seed_and_never_within(folder: Path) -> None:
    one, other = (Stream(folder, np.random.default_rng(3)) for _ in range(2))
    features, answers = one.take()
    again, answers_again = other.take()
    np.testing.assert_array_equal(features, again)
    np.testing.assert_array_equal(answers["quantities"], answers_again["quantities"])
    assert not np.array_equal(features, one.take()[0])
    assert len(features) == ROWS
    assert answers["in_scope"].sum() == ROWS - STRANGERS
    assert np.all(np.isfinite(features))


def test_a_mirror_is_the_same_film(folder: Path) -> None:
    features, answers = Stream(folder, np.random.default_rng(3)).take()
    turned, same = augment(features, answers, np.random.default_rng(0))
    mirrored = np.array(
        [np.array_equal(a[..., 0], b[:, ::-1, 0]) for a, b in zip(features, turned, strict=True)]
    )
    kept = np.array([np.array_equal(a, b) for a, b in zip(features, turned, strict=True)])
    assert np.all(mirrored | kept)
    assert 0.2 < mirrored.mean() < 0.8
    np.testing.assert_array_equal(same["quantities"], answers["quantities"])


def test_counts_are_what_was_asked_for(folder: Path, rng: np.random.Generator) -> None:
    films = store.Store(folder)
    for counts in (1e4, 1e7):
        one = films.example(5, rng, counts=counts)
        assert one.counts[one.mask].sum() == pytest.approx(counts, rel=6 / np.sqrt(counts))
        assert not one.counts[~one.mask].any()
        assert one.alpha_i == pytest.approx(one.film.alpha_i - one.measurement.shift_alpha)


def test_held_out_sets_have_their_numbers(folder: Path, rng: np.random.Generator) -> None:
    held = held_out(store.Store(folder), rng, known=20, strangers=2, counts=1e6)
    assert len(held.features) == 20 + 2 * len(KINDS)
    assert held.quantities.shape == (len(held.features), len(NAMES))
    assert held.in_scope.sum() == 20
    assert (held.counts[:20] == 1e6).all()
    assert sorted(set(held.kind[20:])) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_strangers_fill_the_window_and_are_no_films(
    kind: str, folder: Path, rng: np.random.Generator
) -> None:
    films = store.Store(folder)
    scene = Scene(films.window.with_margin(store.MARGIN), films.film(0))
    found = stranger(kind, scene, films.clean(0), rng)
    assert found.shape == scene.window.shape
    assert np.all(np.isfinite(found))
    assert found.min() >= 0
    assert found.max() > 0
