"""Shards: the same bytes whoever makes them, resumed by what is missing, other plans refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from sasnet_plugin.files import remove_leftovers
from sasnet_plugin.simulate import shards
from sasnet_plugin.simulate.clean import PD_TYPES
from sasnet_plugin.simulate.grid import PER_DECADE, WIDE_MIN, WIDE_Q, blurred
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import SimulationError


def make(
    folder: Path, *, workers: int = 1, seed: int = 7, models: tuple[str, ...] = ("sphere",)
) -> dict[str, bytes]:
    """Two rounds of four curves of each model; the bytes of each shard."""
    plan = shards.plan(folder, rounds=2, seed=seed, models=models, limit=4)
    for _ in shards.run(plan, workers=workers):
        pass
    return {path.name: path.read_bytes() for path in folder.glob("*.h5")}


def test_two_workers_write_the_same_bytes_as_one(tmp_path: Path) -> None:
    models = ("sphere", "guinier", "hardsphere")
    one = make(tmp_path / "one", models=models)
    two = make(tmp_path / "two", models=models, workers=2)
    assert len(one) == 6
    assert one == two


def test_bytes_depend_on_seed_model_and_round_alone(tmp_path: Path) -> None:
    alone = make(tmp_path / "alone")
    among = make(tmp_path / "among", models=("guinier", "sphere"))
    other = make(tmp_path / "other", seed=8)
    assert {name: among[name] for name in alone} == alone
    assert all(other[name] != alone[name] for name in alone)
    assert len(set(alone.values())) == len(alone)


def test_what_exists_is_not_made_again(tmp_path: Path) -> None:
    whole = make(tmp_path)
    kept, lost = sorted(tmp_path.glob("*.h5"))
    lost.unlink()
    before = kept.stat()
    plan = shards.plan(tmp_path, rounds=2, seed=7, models=("sphere",), limit=4)
    assert [chunk.path for chunk in shards.run(plan)] == [lost]
    assert kept.stat().st_mtime_ns == before.st_mtime_ns
    assert lost.read_bytes() == whole[lost.name]


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
        exact = blurred(
            np.log(call("core_shell_sphere", WIDE_MIN * 10 ** (at / PER_DECADE), parameters).intensity), 2
        )
        assert curve[:n] == pytest.approx(np.maximum(exact - exact.max(), -60), abs=1e-4)
    assert 0 < spread < len(rows)


def test_plan_goes_round_by_round_with_fewer_curves_of_slow_models(tmp_path: Path) -> None:
    plan = shards.plan(tmp_path, rounds=3, seed=1, models=("sphere", "cylinder", "barbell", "pringle"))
    assert [chunk.round for chunk in plan] == sorted(chunk.round for chunk in plan)
    assert [chunk.count for chunk in plan[:4]] == [150, 50, 20, 2]
    assert len({chunk.path for chunk in plan}) == len(plan) == 12
    half = shards.plan(tmp_path, rounds=1, seed=1, models=("sphere", "pringle"), scale=0.5, limit=60)
    assert [chunk.count for chunk in half] == [60, 1]


def test_all_models_and_structure_factors_are_planned(tmp_path: Path) -> None:
    from sasmodels.core import list_models

    planned = {chunk.model for chunk in shards.plan(tmp_path, rounds=1, seed=1)}
    # two_yukawa imitates the other structure factors and is left out of the default.
    assert set(list_models()) - planned == {"two_yukawa"}


def test_announced_disk_need_is_enough_and_not_wasteful(tmp_path: Path) -> None:
    plan = shards.plan(tmp_path, rounds=1, seed=1, models=("sphere", "core_multi_shell"), scale=0.5)
    for _ in shards.run(plan):
        pass
    used = sum(path.stat().st_size for path in tmp_path.glob("*.h5"))
    assert used <= shards.disk_need(plan) < 1.6 * used


@pytest.mark.parametrize("change", [{"seed": 8}, {"monodisperse": True}])
def test_a_folder_of_other_settings_is_refused(tmp_path: Path, change: dict[str, int]) -> None:
    before = make(tmp_path)
    plan = shards.plan(tmp_path, **{"rounds": 3, "seed": 7, "models": ("sphere",), "limit": 4} | change)
    with pytest.raises(SimulationError, match="another folder"):
        list(shards.run(plan))
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.h5")} == before


def test_shards_with_another_number_of_curves_are_refused(tmp_path: Path) -> None:
    make(tmp_path)
    shards.check_counts(shards.plan(tmp_path, rounds=2, seed=7, models=("sphere",), limit=4))
    with pytest.raises(SimulationError, match="holds 4 curves where 5 are planned"):
        shards.check_counts(shards.plan(tmp_path, rounds=2, seed=7, models=("sphere",), limit=5))


def test_damaged_files_are_named(tmp_path: Path) -> None:
    make(tmp_path)
    shard = tmp_path / "sphere-0001.h5"
    shard.write_bytes(shard.read_bytes()[:3000])
    with pytest.raises(SimulationError, match="sphere-0001.h5.*delete it"):
        shards.read_shelves(tmp_path)
    with pytest.raises(SimulationError, match="sphere-0001.h5.*delete it"):
        shards.check_counts(shards.plan(tmp_path, rounds=2, seed=7, models=("sphere",), limit=4))
    (tmp_path / "settings.json").write_text("{", encoding="utf-8")
    with pytest.raises(SimulationError, match="settings.json"):
        make(tmp_path)
    with pytest.raises(SimulationError, match="no shards here"):
        shards.read_shelves(tmp_path / "nowhere")


def test_half_written_files_of_dead_runs_are_removed_and_of_live_ones_kept(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = tmp_path / f"sphere-0000.tmp{dead.pid}"
    live = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    kept = tmp_path / f"sphere-0001.tmp{live.pid}"
    for path in (left, kept):
        path.write_bytes(b"half a shard")
    try:
        assert remove_leftovers(tmp_path) == 1
    finally:
        live.communicate(b"\n")
    assert not left.exists()
    assert kept.exists()


def test_shelves_gather_the_rounds_of_a_model(shard_folder: Path) -> None:
    shelves = shards.read_shelves(shard_folder)
    assert all(len(shelf) == 24 for shelf in shelves.values())
    assert json.loads((shard_folder / "settings.json").read_text(encoding="utf-8"))["seed"] == 7
    # A structure factor's effective radius is a parameter of its own.
    assert np.all(shelves["hardsphere"].radius_effective > 1.0)
    rg = 10 ** shelves["sphere"].log_rg
    assert np.nanmedian(rg / shelves["sphere"].radius_effective) == pytest.approx(np.sqrt(0.6), rel=0.2)


def test_a_users_model_file_becomes_a_shelf(tmp_path: Path, plugin: Path) -> None:
    found = make(tmp_path / "out", models=(str(plugin),))
    assert set(found) == {"my_guinier-0000.h5", "my_guinier-0001.h5"}
    (shelf,) = shards.read_shelves(tmp_path / "out").values()
    assert len(shelf) == 8
    assert Path(shelf.model).stem == "my_guinier"


def test_a_worker_that_is_killed_ends_in_a_sentence() -> None:
    from sasnet_plugin.compute import unordered_map

    with pytest.raises(SimulationError, match="worker process was killed"):
        list(unordered_map(_kill_self, range(3), workers=2))


def _kill_self(_: int) -> None:
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)
