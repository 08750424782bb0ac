"""Datasets on disk: the same bytes whoever makes them, resumed by what is missing, other plans refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from sasnet_plugin.files import remove_leftovers
from sasnet_plugin.images import bornagain
from sasnet_plugin.images.gisas.simulation import SIMULATOR as HEXAGONAL
from sasnet_plugin.images.growth.simulation import SIMULATOR as FILMS
from sasnet_plugin.images.growth.simulation import unpack_pattern
from sasnet_plugin.images.simulation import MARGIN, Window
from sasnet_plugin.simulate.clean import PD_TYPES
from sasnet_plugin.simulate.curve_simulator import SIMULATOR as CURVES
from sasnet_plugin.simulate.curve_simulator import prior_of
from sasnet_plugin.simulate.dataset import Dataset, Plan, Request, plan, shard_paths
from sasnet_plugin.simulate.grid import PER_DECADE, WIDE_MIN, WIDE_Q, blur
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.simulate.library import read_models
from sasnet_plugin.types import SimulationError

SMALL = Window(12, 10, (-1.0, 1.0), (0.0, 2.0))
Planned = Callable[..., Plan]


def curves(folder: Path, **changed: Any) -> Plan:
    """Two rounds of four curves of three models."""
    usual: dict[str, Any] = {
        "rounds": 2,
        "seed": 7,
        "limit": 4,
        "models": ("sphere", "guinier", "hardsphere"),
    }
    return plan(CURVES, folder, Request(**usual | changed))


def bases(folder: Path, **changed: Any) -> Plan:
    """Two shards of a small window."""
    changed = {"rounds": 1, "seed": 7, "scale": 0.016} | changed
    window, seed_ranges = changed.pop("window", SMALL), changed.pop("seed_ranges", False)
    return plan(replace(HEXAGONAL, window=window, seed_ranges=seed_ranges), folder, Request(**changed))


def films(folder: Path, **changed: Any) -> Plan:
    """One shard of a small window."""
    usual: dict[str, Any] = {"rounds": 1, "seed": 7, "scale": 0.1}
    return plan(replace(FILMS, window=SMALL), folder, Request(**usual | changed))


def made(planned: Plan, workers: int = 1) -> dict[str, bytes]:
    """The bytes of each shard, and which were made."""
    for _ in planned.run(workers=workers):
        pass
    return {shard.path.name: shard.path.read_bytes() for shard in planned.shards}


Fill = Callable[[Planned, Path], dict[str, bytes]]


@pytest.fixture(scope="module")
def fill(tmp_path_factory: pytest.TempPathFactory) -> Fill:
    """Fills a folder with what a usual plan makes, simulated once; the bytes of each shard."""
    folders: dict[Planned, tuple[Path, dict[str, bytes]]] = {}

    def copied(planned: Planned, folder: Path) -> dict[str, bytes]:
        if planned not in folders:
            first = tmp_path_factory.mktemp("made")
            folders[planned] = first, made(planned(first))
        first, content = folders[planned]
        shutil.copytree(first, folder, dirs_exist_ok=True)
        return content

    return copied


@pytest.fixture(params=[curves, bases, films], ids=lambda f: f.__name__)
def planned(request: pytest.FixtureRequest) -> Planned:
    if request.param is not curves:
        pytest.importorskip("bornagain")
    return request.param  # type: ignore[no-any-return]


def test_two_workers_write_the_same_bytes_as_one(planned: Planned, fill: Fill, tmp_path: Path) -> None:
    assert fill(planned, tmp_path / "one") == made(planned(tmp_path / "two"), workers=2)


def test_bytes_do_not_depend_on_who_holds_what_is_written(
    fill: Fill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import h5py

    usual, held = fill(curves, tmp_path / "usual"), []
    create = h5py.Group.create_dataset

    def create_and_hold(*args: Any, **how: Any) -> Any:
        """What a profiler of another thread does that looks at a frame: its objects live on."""
        held.append(create(*args, **how))
        return held[-1]

    monkeypatch.setattr(h5py.Group, "create_dataset", create_and_hold)
    assert made(curves(tmp_path / "held")) == usual
    assert held


def test_only_what_is_missing_is_made(planned: Planned, fill: Fill, tmp_path: Path) -> None:
    whole = fill(planned, tmp_path)
    *_, lost = planned(tmp_path).shards
    kept = {s.path: s.path.stat().st_mtime_ns for s in planned(tmp_path).shards if s != lost}
    lost.path.unlink()
    assert [shard.path for shard in planned(tmp_path).run()] == [lost.path]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert lost.path.read_bytes() == whole[lost.path.name]


def test_another_seed_in_the_folder_is_refused(planned: Planned, fill: Fill, tmp_path: Path) -> None:
    before = fill(planned, tmp_path)
    with pytest.raises(SimulationError, match="choose another folder"):
        list(planned(tmp_path, seed=8).run())
    assert {path.name: path.read_bytes() for path in shard_paths(tmp_path)} == before


def test_announced_disk_need_is_enough_and_not_wasteful(planned: Planned, tmp_path: Path) -> None:
    found = planned(tmp_path, **{"limit": None, "scale": 0.5} if planned is curves else {})
    made(found)
    used = sum(path.stat().st_size for path in shard_paths(tmp_path))
    assert used <= found.disk_need(found.shards) < 1.7 * used


def test_a_damaged_shard_is_one_sentence(planned: Planned, fill: Fill, tmp_path: Path) -> None:
    found = planned(tmp_path)
    with pytest.raises(SimulationError, match="no shards here"):
        shard_paths(tmp_path)
    fill(planned, tmp_path)
    found.check()
    found.shards[-1].path.write_bytes(b"not HDF5")
    read = read_models if planned is curves else lambda path: Dataset(path, found.shards[0].simulator)[0]
    if planned is bases:
        found.shards[0].path.write_bytes(b"not HDF5")
    for ask in (lambda: read(tmp_path), found.check):
        with pytest.raises(SimulationError, match="delete it and simulate again") as caught:
            ask()
        assert "\n" not in str(caught.value)
    (tmp_path / "settings.json").write_text("{", encoding="utf-8")
    with pytest.raises(SimulationError, match=r"settings\.json"):
        list(planned(tmp_path).run())


@pytest.mark.parametrize("changed", [{"window": SMALL.finer(2, 2)}, {"seed_ranges": True}])
def test_other_bases_in_the_folder_are_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    pytest.importorskip("bornagain")
    made(bases(tmp_path, scale=0.001))
    with pytest.raises(SimulationError, match="choose another folder"):
        list(bases(tmp_path, **changed).run())


def test_another_bornagain_is_refused(fill: Fill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("bornagain")
    fill(films, tmp_path)
    monkeypatch.setattr(bornagain, "version", lambda: "24.0.0")
    with pytest.raises(SimulationError, match=r"24\.0\.0"):
        list(films(tmp_path).run())


def test_a_stored_row_is_that_of_its_parameters(fill: Fill, tmp_path: Path) -> None:
    pytest.importorskip("bornagain")
    for planned, keys in ((bases, ("amplitude", "ratio")), (films, ("patterns",))):
        folder = tmp_path / planned.__name__
        simulator = planned(folder).shards[0].simulator
        fill(planned, folder)
        data = Dataset(folder, HEXAGONAL if planned is bases else FILMS)
        assert data.simulator == simulator  # of the window that the folder was made for
        assert len(data) == len(shard_paths(folder)) * simulator.layout.rows
        row = data[len(data) - 1]
        again = simulator.clean(type(simulator.sample(np.random.default_rng(0)))(**row["parameters"]))
        for key in keys:
            np.testing.assert_array_equal(row[key], again[key])
        assert len({tuple(data[index]["parameters"].values()) for index in range(len(data))}) == len(data)


def test_a_film_keeps_ten_decades(tmp_path: Path) -> None:
    from sasnet_plugin.images.growth.simulation import pattern

    rng = np.random.default_rng(3)
    film = FILMS.sample(rng)
    true = pattern(film, FILMS.window.add_margin(MARGIN))
    bright = true > 1e-5 * true.max()
    found = unpack_pattern(FILMS.clean(film))
    np.testing.assert_allclose(found[bright], (true / true.max())[bright], rtol=3e-3)


def test_what_only_curves_have_is_refused_of_patterns(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="--limit"):
        films(tmp_path, limit=3)


def test_bytes_depend_on_seed_model_and_round_alone(tmp_path: Path) -> None:
    alone = made(curves(tmp_path / "alone", models=("sphere",)))
    among = made(curves(tmp_path / "among", models=("guinier", "sphere")))
    other = made(curves(tmp_path / "other", models=("sphere",), seed=8))
    assert {name: among[name] for name in alone} == alone
    assert all(other[name] != alone[name] for name in alone)
    assert len(set(alone.values())) == len(alone)


def test_stored_parameters_give_the_stored_curve(shard_folder: Path) -> None:
    with h5py.File(shard_folder / "core_shell_sphere-0000.h5", "r") as file:
        names = list(file["parameters"].attrs["names"])
        units = dict(zip(names, file["parameters"].attrs["units"], strict=True))
        rows, curves, valid = file["parameters"][()], file["log_intensity"][()], file["n_valid"][()]
        assert file["q"][()] == pytest.approx(WIDE_Q)
        assert file["q"].attrs["units"] == "1/Ang"
        assert dict(file.attrs)["seed"] == 7
        assert {"sasmodels", "numpy", "model", "round"} <= set(file.attrs)
    assert units["radius"] == units["thickness"] == "Ang"
    assert units["sld_core"] == "1e-6/Ang^2"
    spread = 0
    for row, curve, n in zip(rows, curves, valid, strict=True):
        parameters = {name: value for name, value in zip(names, row, strict=True) if np.isfinite(value)}
        parameters = {
            name: PD_TYPES[int(value)] if name.endswith("_pd_type") else value
            for name, value in parameters.items()
        }
        spread += any(name.endswith("_pd") for name in parameters)
        at = np.arange(2 * n - 1) / 2
        exact = blur(
            np.log(call("core_shell_sphere", WIDE_MIN * 10 ** (at / PER_DECADE), parameters).intensity), 2
        )
        assert curve[:n] == pytest.approx(np.maximum(exact - exact.max(), -60), abs=1e-4)
    assert 0 < spread < len(rows)


def test_plan_goes_round_by_round_with_fewer_curves_of_slow_models(tmp_path: Path) -> None:
    models = ("sphere", "cylinder", "barbell", "pringle")
    found = curves(tmp_path, rounds=3, models=models, limit=None).shards
    assert [shard.name for shard in found] == [f"{model}-{n:04d}" for n in range(3) for model in models]
    assert [shard.rows for shard in found[:4]] == [600, 50, 20, 10]
    half = curves(tmp_path, rounds=1, models=("sphere", "pringle"), scale=0.5, limit=60).shards
    assert [shard.rows for shard in half] == [60, 5]
    spread = curves(tmp_path, rounds=1, models=models[:2], spread=True).shards
    assert [(shard.name, shard.rows) for shard in spread][2:] == [("cylinder-spread-0000", 100)]


@pytest.mark.parametrize("truncated", [True, False])
def test_a_folder_says_which_prior_its_curves_come_from(tmp_path: Path, truncated: bool) -> None:
    made(curves(tmp_path, rounds=1, models=("sphere",), truncated=truncated))
    assert ("truncated" in prior_of(tmp_path)) == truncated


def test_all_models_and_structure_factors_are_planned(tmp_path: Path) -> None:
    from sasmodels.core import list_models

    planned = {shard.part for shard in curves(tmp_path, models=None).shards}
    # two_yukawa imitates the other structure factors and is left out of the default.
    assert set(list_models()) - planned == {"two_yukawa"}


def test_shards_with_another_number_of_curves_are_refused(fill: Fill, tmp_path: Path) -> None:
    fill(curves, tmp_path)
    curves(tmp_path).check()
    with pytest.raises(SimulationError, match="holds 4 curves where 5 are planned"):
        curves(tmp_path, limit=5).check()


def test_half_written_files_of_dead_runs_are_removed_and_of_live_ones_kept(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = tmp_path / f".sphere-0000.h5.sasnet-tmp{dead.pid}"
    live = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    kept = tmp_path / f".sphere-0001.h5.sasnet-tmp{live.pid}"
    for path in (left, kept):
        path.write_bytes(b"half a shard")
    try:
        assert remove_leftovers(tmp_path) == 1
    finally:
        live.communicate(b"\n")
    assert not left.exists()
    assert kept.exists()


def test_models_gather_their_rounds(shard_folder: Path) -> None:
    models = read_models(shard_folder)
    assert all(len(one) == 24 for one in models.values())
    assert json.loads((shard_folder / "settings.json").read_text(encoding="utf-8"))["seed"] == 7
    # A structure factor's effective radius is a parameter of its own.
    assert np.all(models["hardsphere"].radius_effective > 1.0)
    rg = 10 ** models["sphere"].log_rg
    assert np.nanmedian(rg / models["sphere"].radius_effective) == pytest.approx(np.sqrt(0.6), rel=0.2)


def test_a_users_model_file_is_simulated_by_its_name(tmp_path: Path, plugin: Path) -> None:
    found = made(curves(tmp_path / "out", models=(str(plugin),)))
    assert set(found) == {"my_guinier-0000.h5", "my_guinier-0001.h5"}
    (one,) = read_models(tmp_path / "out").values()
    assert len(one) == 8
    assert Path(one.model).stem == "my_guinier"


def test_a_worker_that_is_killed_ends_in_a_sentence() -> None:
    from sasnet_plugin.workers.spread import map_unordered

    with pytest.raises(SimulationError, match="worker process was killed"):
        list(map_unordered(_kill_self, range(3), workers=2))


def _kill_self(_: int) -> None:
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)
