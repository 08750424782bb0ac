"""Shifting curves along log q, multiplying structure factors on: against sasmodels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.simulate.curve_simulator import SIMULATOR
from sasnet_plugin.simulate.dataset import Request, plan
from sasnet_plugin.simulate.grid import N_WIDE, PER_DECADE, WIDE_MIN, WIDE_Q, blur
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.simulate.library import DILUTE_SHARE, MAX_SHIFT, Library, shift_curve
from sasnet_plugin.types import SimulationError

SPHERE = {"radius": 80.0, "sld": 1.0, "sld_solvent": 6.0}


def _log(name: str, parameters: dict[str, float]) -> np.ndarray:
    return np.log(call(name, WIDE_Q, parameters).intensity)


@pytest.mark.parametrize("shift", [-90, -1, 0, 37, 90])
def test_a_shifted_sphere_is_a_sphere_of_another_radius(shift: int) -> None:
    moved = shift_curve(_log("sphere", SPHERE), N_WIDE, shift)
    scaled = SPHERE | {"radius": 80.0 * 10 ** (-shift / PER_DECADE)}
    # Large shifts to low q run out of curve at the high end.
    known = slice(0, N_WIDE + min(shift, 0))
    volume = 3 * np.log(scaled["radius"] / 80.0)
    assert moved[known] + volume == pytest.approx(_log("sphere", scaled)[known], abs=1e-5)


@pytest.mark.parametrize("shift", [-60, 60])
def test_a_shifted_structure_factor_is_that_of_another_radius(shift: int) -> None:
    parameters = {"radius_effective": 60.0, "volfraction": 0.3}
    moved = shift_curve(_log("hardsphere", parameters), N_WIDE, shift)
    exact = _log("hardsphere", parameters | {"radius_effective": 60.0 * 10 ** (-shift / PER_DECADE)})
    # sasmodels' own rounding at small q R is a few 1e-4.
    known = slice(100, N_WIDE + min(shift, 0))
    assert moved[known] == pytest.approx(exact[known], abs=2e-3)


def test_a_power_law_stays_one_where_the_shift_leaves_a_gap() -> None:
    moved = shift_curve((-3 * np.log(WIDE_Q)).astype(np.float32), N_WIDE, 90)
    assert np.diff(moved) == pytest.approx(np.diff(-3 * np.log(WIDE_Q)), abs=1e-4)


def test_known_range_moves_with_the_curve() -> None:
    curve = _log("sphere", SPHERE)
    cut = curve.copy()
    cut[500:] = np.nan
    for shift in (-80, 80):
        moved = shift_curve(cut, 500, shift)
        assert np.all(np.isfinite(moved))
        assert moved[: 500 + shift] == pytest.approx(shift_curve(curve, N_WIDE, shift)[: 500 + shift])


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One monodisperse sphere and one hard-sphere structure factor: every draw is their product."""
    folder = tmp_path_factory.mktemp("single")
    request = Request(rounds=1, seed=3, models=("sphere", "hardsphere"), limit=1, monodisperse=True)
    for _ in plan(SIMULATOR, folder, request).run():
        pass
    return folder


def _parameters(path: Path) -> dict[str, float]:
    import h5py

    with h5py.File(path, "r") as file:
        return dict(zip(file["parameters"].attrs["names"], file["parameters"][0], strict=True))


def test_form_times_structure_factor_is_sasmodels_product_model(single: Path) -> None:
    drawn = Library(single, dilute_share=0.0).draw(
        np.zeros(1, int), 3200, np.random.default_rng(1), max_shift=0
    )
    assert drawn.structure_factor[0] == 1
    sphere, factor = _parameters(single / "sphere-0000.h5"), _parameters(single / "hardsphere-0000.h5")
    parameters = sphere | {"volfraction": factor["volfraction"], "radius_effective_mode": 1}
    seen = slice(400, 3200)
    from sasmodels.direct_model import call_kernel

    from sasnet_plugin.simulate.kernel import load_model

    q = WIDE_Q[seen]
    fine = WIDE_MIN * 10 ** (np.arange(2 * 400, 2 * 3200 - 1) / (2 * PER_DECADE))
    kernel = load_model("sphere@hardsphere").make_kernel([fine])
    exact = np.exp(blur(np.log(call_kernel(kernel, parameters | {"background": 0.0})), 2))
    ratio = drawn.intensity[0, seen] / exact
    inside = q * sphere["radius"] < 12
    # S(q) is moved by whole cells of 0.3 %: half a cell is what it can be off by.
    assert np.mean(np.abs(ratio[inside] / np.median(ratio[inside]) - 1) < 0.01) >= 0.99


def test_shares_and_sizes_of_draws(library: Library) -> None:
    form = library.forms.index("sphere")
    top = 2800
    drawn = library.draw(np.full(600, form), top, np.random.default_rng(2))
    assert np.mean(drawn.structure_factor == 0) == pytest.approx(DILUTE_SHARE, abs=0.06)
    names = {library.structure_factors[k - 1] for k in drawn.structure_factor if k}
    assert names == set(library.allowed[form]) == {"hardsphere", "squarewell"}
    assert np.mean(drawn.n_valid >= top) > 0.99
    spread = np.nanmax(drawn.log_rg) - np.nanmin(drawn.log_rg)
    still = library.draw(np.full(600, form), top, np.random.default_rng(2), max_shift=0).log_rg
    # Sizes that the prior drew, times up to 10^(360/800) either way.
    assert spread == pytest.approx(np.nanmax(still) - np.nanmin(still) + 2 * MAX_SHIFT / PER_DECADE, abs=0.3)


def test_models_that_allow_no_structure_factor_get_none(library: Library) -> None:
    form = library.forms.index("lorentz")
    drawn = library.draw(np.full(100, form), 700, np.random.default_rng(3))
    assert library.allowed[form] == ()
    assert np.all(drawn.structure_factor == 0)


def test_the_same_generator_draws_the_same(library: Library) -> None:
    forms = np.arange(len(library)).repeat(5)
    first, second = (library.draw(forms, 700, np.random.default_rng(4)) for _ in range(2))
    assert first.intensity.tobytes() == second.intensity.tobytes()


def test_a_folder_without_form_models_is_refused(tmp_path: Path) -> None:
    for _ in plan(SIMULATOR, tmp_path, Request(rounds=1, seed=1, models=("hardsphere",), limit=2)).run():
        pass
    with pytest.raises(SimulationError, match="no form factor"):
        Library(tmp_path)
