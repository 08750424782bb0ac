"""The bank of starting values keeps curves and parameters together."""

from __future__ import annotations

import gc
import zlib
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.simulate.bank import (
    BANK_STEP,
    LOG_Q_MIN,
    N_BANK,
    Bank,
    _pack,
    _unpack,
    build_bank,
)
from sasnet_plugin.simulate.curve_simulator import SIMULATOR
from sasnet_plugin.simulate.dataset import Request, plan
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import ModelZooError, SimulationError


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    folder = tmp_path_factory.mktemp("shards")
    names = ("sphere", "vesicle", "hardsphere")
    for _ in plan(SIMULATOR, folder, Request(rounds=1, seed=3, models=names, scale=0.1)).run():
        pass
    path = folder / "seeds.npz"
    assert build_bank(folder, path, per_model=30) == 60
    return Bank(path)


def test_it_holds_form_models_alone(bank: Bank) -> None:
    assert set(bank.models) == {"sphere", "vesicle"}
    with pytest.raises(KeyError):
        bank.page("hardsphere")


def test_half_of_the_curves_are_monodisperse(bank: Bank) -> None:
    page = bank.page("sphere")
    wide = [any(k.endswith("_pd") for k in page.row(i)) for i in range(len(page))]
    assert 0 < sum(wide) <= 15


def test_a_curve_is_that_of_its_parameters(bank: Bank) -> None:
    page = bank.page("vesicle")
    q = np.exp(LOG_Q_MIN + BANK_STEP * np.arange(N_BANK))
    seen = 0
    for index in range(len(page)):
        row = page.row(index)
        if any(k.endswith("_pd") for k in row):
            continue
        size = 2 * (row["radius"] + row["thickness"])
        smooth = q * size < 3  # beyond, the bank averages over fringes
        if not smooth.any():
            continue
        exact = np.log(call("vesicle", q[smooth], row).intensity)
        found = page.log_intensity[index][smooth]
        assert found - found[0] == pytest.approx(exact - exact[0], abs=0.02)
        seen += 1
    assert seen > 5


def test_a_bank_that_is_dropped_lets_go_of_its_file(bank: Bank) -> None:
    again = Bank(bank.path)
    held = again._file
    again.ring = again  # type: ignore[attr-defined]  # a cycle, which only the collector frees
    del again
    gc.collect()
    assert held.zip is None


def test_a_damaged_or_missing_bank_is_a_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "seeds.npz"
    broken.write_bytes(b"not a bank")
    for path in (broken, tmp_path / "none.npz"):
        with pytest.raises(ModelZooError, match=f"{path.name}.*reinstall"):
            Bank(path)


def test_no_form_models_no_bank(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="no shards here"):
        build_bank(tmp_path, tmp_path / "seeds.npz")


def test_packed_curves_come_back_to_the_bit() -> None:
    rng = np.random.default_rng(5)
    curves = np.cumsum(rng.normal(size=(4, 60)), axis=1).astype(np.float16)
    curves[0, :3] = [-0.0, np.inf, np.float16(6e-8)]
    assert np.array_equal(_unpack(_pack(curves)).view(np.uint16), curves.view(np.uint16))


def test_packing_makes_smooth_curves_smaller() -> None:
    curves = -np.log1p(np.geomspace(1e-3, 1e3, 251) ** 2 * np.linspace(1, 9, 40)[:, None]).astype(np.float16)
    assert len(zlib.compress(_pack(curves).tobytes())) < 0.6 * len(zlib.compress(curves.tobytes()))
