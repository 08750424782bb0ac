"""Bases on disk: the same bytes whoever makes them, resumed by what is missing, strangers refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hexpatterns import SMALL

from sasnet_plugin.simulate.gisas import store
from sasnet_plugin.simulate.gisas.basis import basis
from sasnet_plugin.simulate.gisas.sample import example, group
from sasnet_plugin.simulate.images.detector import MARGIN
from sasnet_plugin.types import SimulationError


def make(folder: Path, *, workers: int = 1, seed: int = 7) -> dict[str, bytes]:
    chunks = store.plan(folder, bases=2 * store.PER_SHARD, seed=seed, window=SMALL)
    for _ in store.run(chunks, workers=workers):
        pass
    return {path.name: path.read_bytes() for path in folder.glob("*.h5")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bases")
    make(path)
    return path


def test_two_workers_write_the_same_bytes_as_one(folder: Path, tmp_path: Path) -> None:
    one = {path.name: path.read_bytes() for path in folder.glob("*.h5")}
    assert len(one) == 2
    assert make(tmp_path, workers=2) == one


def test_only_what_is_missing_is_made(folder: Path, tmp_path: Path) -> None:
    whole = make(tmp_path)
    kept, lost = sorted(tmp_path.glob("*.h5"))
    lost.unlink()
    (tmp_path / "basis-00001.tmp1").write_bytes(b"half a shard")
    before = kept.stat().st_mtime_ns
    chunks = store.plan(tmp_path, bases=9, seed=7, window=SMALL)
    assert [chunk.path for chunk in store.run(chunks)] == [lost]
    assert kept.stat().st_mtime_ns == before
    assert lost.read_bytes() == whole[lost.name]


def test_a_stored_basis_is_that_of_its_geometry(folder: Path) -> None:
    found = store.Store(folder)
    assert len(found) == 2 * store.PER_SHARD
    stored = found[9]
    again = basis(stored.geometry, SMALL.with_margin(MARGIN), dtype=np.float16)
    assert stored.window == again.window
    assert np.array_equal(stored.ratio, again.ratio)
    assert np.array_equal(stored.amplitude, again.amplitude)
    assert len({found[i].geometry for i in range(len(found))}) == len(found)


def test_examples_depend_on_the_generator_alone(folder: Path) -> None:
    stored = store.Store(folder)[3]
    one, again, other = (
        example(stored, np.random.default_rng(seed), window=SMALL) for seed in ([1, 2], [1, 2], [1, 3])
    )
    assert one.counts.tobytes() == again.counts.tobytes()
    assert one.nuisance() == again.nuisance()
    assert one.counts.tobytes() != other.counts.tobytes()


def test_groups_of_examples_depend_on_seed_and_index_alone(folder: Path) -> None:
    found = store.Store(folder)
    in_order = [group(found, 3, index, uses=3) for index in range(4)]
    backwards = [group(store.Store(folder), 3, index, uses=3) for index in (3, 2, 1, 0)][::-1]
    for one, other in zip(in_order, backwards, strict=True):
        assert [e.counts.tobytes() for e in one] == [e.counts.tobytes() for e in other]
    assert len({e.counts.tobytes() for g in in_order for e in g}) == 12
    assert len({e.geometry for g in in_order for e in g}) > 1


def test_an_example_says_what_is_true_and_what_is_stated(folder: Path) -> None:
    rng = np.random.default_rng(4)
    for index in range(10):
        stored = store.Store(folder)[index]
        found = example(stored, rng, window=SMALL)
        assert found.counts.shape == found.mask.shape == SMALL.shape
        assert np.all(found.counts[~found.mask] == 0)
        counts = found.measurement.counts
        assert abs(found.counts.sum(dtype=np.float64) - counts) < 6 * np.sqrt(counts)
        assert found.alpha_i + found.measurement.shift_alpha == pytest.approx(stored.geometry.alpha_i)
        assert found.wavelength == stored.geometry.wavelength


def test_another_seed_window_or_range_in_the_folder_is_refused(folder: Path) -> None:
    for changed in ({"seed": 8}, {"window": SMALL.finer(2, 2)}, {"seed_ranges": True}):
        chunks = store.plan(folder, bases=8, **({"seed": 7, "window": SMALL} | changed))  # type: ignore[arg-type]
        with pytest.raises(SimulationError, match="choose another folder"):
            list(store.run(chunks))


def test_another_bornagain_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store.bornagain, "version", lambda: "24.0.0")
    with pytest.raises(SimulationError, match=r"24\.0\.0"):
        list(store.run(store.plan(folder, bases=8, seed=7, window=SMALL)))


def test_an_empty_folder_and_a_damaged_shard_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="no bases here"):
        store.Store(tmp_path)
    make(tmp_path)
    store.shard_paths(tmp_path)[0].write_bytes(b"not HDF5")
    with pytest.raises(SimulationError, match="delete it and simulate again") as caught:
        store.Store(tmp_path)[0]
    assert "\n" not in str(caught.value)


def test_the_disk_need_is_what_the_shards_take(folder: Path) -> None:
    chunks = store.plan(folder, bases=16, seed=7, window=SMALL)
    taken = sum(path.stat().st_size for path in store.shard_paths(folder))
    assert 0.8 * taken < store.disk_need(chunks) < 1.3 * taken
