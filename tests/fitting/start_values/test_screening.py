"""Screening with the bank's curves: what comes near, in which order, a preview, and the starts of a fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.fitting.problem.free_parameters import widths_of
from sasnet_plugin.fitting.settings import PROBLEM, START_VALUES
from sasnet_plugin.fitting.start_values.curve_bank import bin_curve, nearest
from sasnet_plugin.fitting.start_values.screening import (
    SIMPLE,
    Screen,
    _move_to_matter,
    apply_fixed,
    as_start,
    from_bank,
    page_with_usual,
    preview,
    screen_pairs,
)
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.simulate.bank import BANK_STEP, LOG_Q_MIN, N_BANK, Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve
from sasnet_plugin.zoo import bank_path

# --- Screening with the bank's curves: what comes near, in which order, a preview, and the starts
# --- of a fit.

Simulated = Callable[..., Curve]


def test_screening_finds_what_the_network_did_not_name(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("sphere@hayter_msa", {"radius": 40.0, "volfraction": 0.2, "charge": 25.0})
    assert curve.dintensity is not None
    pairs = [(form, None) for form in SIMPLE] + [("sphere", "hayter_msa"), ("sphere", "squarewell")]
    residuals = screen_pairs(Screen(curve, curve.dintensity, pairs), bank)
    assert set(residuals) == set(pairs)
    least = min(residuals.values())
    assert residuals["sphere", "hayter_msa"] < 2 * least < residuals["sphere", None]


def test_a_preview_is_the_nearest_curve_as_measured(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    assert curve.dintensity is not None
    found = preview(Task(curve, curve.dintensity, "sphere", None), bank)
    assert found is not None
    q, intensity = found
    measured = np.interp(q, curve.q, curve.intensity)
    assert np.median(np.abs(intensity / measured - 1)) < 0.1
    assert preview(Task(curve, curve.dintensity, "unheard_of.py", None), bank) is None


def task_of(curve: Curve, model: str, factor: str | None = None) -> Task:
    assert curve.dintensity is not None
    return Task(curve, curve.dintensity, model, factor)


def test_starts_lie_near_the_truth(simulated: Callable[..., Curve], bank: Bank) -> None:
    found = from_bank(task_of(simulated("sphere", {"radius": 80.0, "background": 0.01}), "sphere"), bank)
    assert 1 < len(found) <= START_VALUES.starts
    assert found[0]["radius"] == pytest.approx(80.0, rel=0.15)


def test_starts_of_what_is_cheap_have_widths_where_the_curve_has(
    simulated: Callable[..., Curve], bank: Bank
) -> None:
    def some_are_wide(model: str, truth: dict[str, float]) -> bool:
        name = next(iter(truth))
        wide = truth | {f"{name}_pd": 0.25, f"{name}_pd_n": 35, f"{name}_pd_nsigma": 3, "background": 0.001}
        return any(map(widths_of, from_bank(task_of(simulated(model, wide), model), bank)))

    assert some_are_wide("sphere", {"radius": 80.0})
    assert not some_are_wide("cylinder", {"radius": 20.0, "length": 300.0})


def test_a_start_of_its_own_comes_first_and_fixed_values_hold(
    simulated: Callable[..., Curve], bank: Bank
) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    task = replace(task_of(curve, "sphere"), extra={"radius": 33.0}, fixed={"sld": 9.0})
    found = from_bank(task, bank)
    assert found[0]["radius"] == 33.0
    assert {start["sld"] for start in found} == {9.0}


def test_a_start_is_what_sasmodels_takes(simulated: Callable[..., Curve]) -> None:
    task = task_of(simulated("sphere", {"radius": 80.0}), "sphere", "hardsphere")
    found = as_start(task, {"radius": 50.0, "radius_pd": 0.1, "radius_pd_type": 1, "length": 3.0})
    assert found["radius_effective_mode"] == 1
    assert found["radius_pd_type"] == "lognormal"
    assert PROBLEM.coarse_width_points["fast"] < found["radius_pd_n"] < PROBLEM.width_points["fast"]
    assert "length" not in found


def test_a_start_in_another_solvent_scatters_the_same() -> None:
    q = np.geomspace(0.005, 0.3, 30)
    start = {"radius": 40.0, "thickness": 15.0, "sld_core": 1.0, "sld_shell": 3.0, "sld_solvent": 0.4}
    moved = apply_fixed(start, {"sld_solvent": 6.36})
    assert moved["sld_solvent"] == 6.36
    assert call("core_shell_sphere", q, moved).intensity == pytest.approx(
        call("core_shell_sphere", q, start).intensity
    )


# --- Usual proportions of bodies that the library of random ones does not hold.


@pytest.mark.parametrize("ratio", [1.0, 0.2, 5.0])
def test_a_box_of_the_table_is_that_of_sasmodels(ratio: float) -> None:
    page = page_with_usual(Bank(bank_path()), "rectangular_prism")
    q = np.exp(LOG_Q_MIN + BANK_STEP * np.arange(N_BANK))
    seen = (q > 1e-3) & (q * 50.0 * max(ratio, 1.0) < 50.0)  # beyond it the table has the mean of the fringes
    rows = [page.row(i) for i in range(len(page))]
    own = {"b2a_ratio": 1.0, "c2a_ratio": ratio, "length_a": 50.0}
    (at,) = (i for i, row in enumerate(rows) if own.items() <= row.items() and "length_a_pd" not in row)
    exact = call("rectangular_prism", q[seen], rows[at] | {"background": 0.0}).intensity
    apart = np.log(exact) - page.log_intensity[at][seen]
    assert np.ptp(apart) < 2e-3


def test_cubes_come_near_their_library_whatever_their_size() -> None:
    q = np.geomspace(0.005, 0.3, 150)
    truth = {"length_a": 83.0, "length_a_pd": 0.06, "length_a_pd_n": 35, "background": 0.0}
    clean = call("rectangular_prism", q, truth).intensity
    clean = clean / clean[0] + 1e-4
    curve = Curve(q, clean, 0.03 * clean)
    bank, data = Bank(bank_path()), bin_curve(curve, 0.03 * clean)
    (found,) = nearest(page_with_usual(bank, "rectangular_prism"), "rectangular_prism", None, data, count=1)
    (plain,) = nearest(bank.page("rectangular_prism"), "rectangular_prism", None, data, count=1)
    assert found.weighted_residual < plain.weighted_residual
    assert found.parameters["length_a"] == pytest.approx(83.0, rel=0.06)
    assert found.parameters["b2a_ratio"] == 1.0


@pytest.mark.parametrize(
    ("model", "start"),
    [
        ("sphere", {"sld": 35.8, "sld_solvent": -4.0, "radius": 50.0}),
        ("core_shell_sphere", {"sld_core": 30.0, "sld_shell": 29.5, "sld_solvent": 13.5, "radius": 20.0}),
        ("vesicle", {"sld": 15.2, "sld_solvent": 7.6, "radius": 45.0, "thickness": 12.0}),
        ("polymer_micelle", {"sld_core": 18.0, "sld_corona": 36.8, "sld_solvent": 11.0}),
        ("lamellar_hg", {"sld": 20.0, "sld_head": -9.0, "sld_solvent": 1.0}),
    ],
)
def test_densities_of_matter_keep_the_curve_to_a_factor(model: str, start: dict[str, float]) -> None:
    """Only differences of scattering length densities scatter, and only their ratios give the shape."""
    q = np.geomspace(0.005, 0.4, 60)
    moved = _move_to_matter(start)
    densities = [value for name, value in moved.items() if "sld" in name]
    assert -1 <= min(densities) <= max(densities) <= 10
    assert {k: v for k, v in moved.items() if "sld" not in k} == {
        k: v for k, v in start.items() if "sld" not in k
    }
    before, after = (call(model, q, {**values, "background": 0.0}).intensity for values in (start, moved))
    np.testing.assert_allclose(after / after[0], before / before[0], rtol=1e-6)
