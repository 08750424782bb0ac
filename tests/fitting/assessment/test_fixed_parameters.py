"""Errors over what a fit holds: as large as what was overlooked moves what was fitted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.assessment import error_estimates
from sasnet_plugin.fitting.assessment.error_estimates import (
    errors_beside_contrasts,
    errors_beside_held,
    make_fixed_task,
    widen_errors,
)
from sasnet_plugin.fitting.problem.model_curves import ModelCurves
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import ASSESSMENT, PROBLEM
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve
from sasnet_plugin.zoo import bank_path

#: dq/q of the widest usual resolution.
WIDEST = 0.08
SPHERE = {"radius": 60.0, "sld": 4.0, "sld_solvent": 1.0, "scale": 1.0, "background": 0.0}


#: The calibration of q has a test of its own.
pytestmark = pytest.mark.usefixtures("exact_calibration")


def measured(model: str, values: dict[str, Any], q: np.ndarray) -> Curve:
    """A curve with errors of 1 % of I and of a background beneath, one draw of them."""
    exact = call(model, q, values).intensity
    dintensity = 0.01 * exact + 1e-4 * np.max(exact)
    return Curve(q, exact + dintensity * np.random.default_rng(3).standard_normal(q.size), dintensity)


def errors(
    curve: Curve, model: str, start: dict[str, Any], **known: Any
) -> tuple[ModelFit, dict[str, float]]:
    """A fit from a start, and what it holds adds to its errors."""
    assert curve.dintensity is not None
    fixed = known.get("fixed", {})
    task = Task(curve, curve.dintensity, model, None, starts=(start,), budget=Budget(20.0), fixed=fixed)
    fit = fit_candidate(task, Bank(bank_path()))
    given = frozenset(known.get("given", fixed))
    return fit, errors_beside_held(make_fixed_task(curve, curve.dintensity, fit, given, WIDEST))


def stated(curve: Curve) -> Curve:
    """The same, said to have hardly any width in q."""
    return replace(curve, dq=np.full_like(curve.q, 1e-9))


def test_a_radius_of_the_guinier_region_is_known_as_well_as_the_width() -> None:
    """Rg² = ⅗ R² (1 + 13 w²) of spheres of a narrow width w (A. Guinier, 1955): R moves by 6.5 w²."""
    curve = stated(measured("sphere", SPHERE, np.linspace(0.003, 0.035, 300)))
    fit, more = errors(curve, "sphere", SPHERE)
    # The data say a little of the width, too.
    moved = 6.5 * ASSESSMENT.held_width**2
    assert 0.5 * moved < more["radius"] / fit.parameters["radius"].value < moved
    # One who says that there is no width knows the radius.
    _, known = errors(curve, "sphere", SPHERE, given={"radius_pd"})
    assert known.get("radius", 0.0) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("factor", [3.0, 10.0])
def test_uncertainties_that_are_stated_too_small_leave_a_width_as_open(factor: float) -> None:
    curve = stated(measured("sphere", SPHERE, np.linspace(0.003, 0.035, 300)))
    assert curve.dintensity is not None
    _, right = errors(curve, "sphere", SPHERE)
    _, small = errors(replace(curve, dintensity=curve.dintensity / factor), "sphere", SPHERE)
    assert small["radius"] == pytest.approx(right["radius"], rel=0.15)


def test_fringes_leave_no_room_for_a_width() -> None:
    curve = stated(measured("sphere", SPHERE, np.geomspace(0.003, 0.4, 200)))
    fit, more = errors(curve, "sphere", SPHERE)
    assert more["radius"] < (fit.parameters["radius"].error or 0.0)


def test_a_resolution_that_is_not_stated_is_in_the_error() -> None:
    q = np.geomspace(0.004, 0.3, 150)
    smeared = replace(measured("sphere", SPHERE, q), dq=0.01 * q)
    assert smeared.dintensity is not None
    local = ModelCurves(smeared, smeared.dintensity, "sphere", per_decade=800)
    curve = replace(smeared, intensity=local.intensity(SPHERE)[0], dq=None)
    fit, more = errors(curve, "sphere", SPHERE)
    radius = fit.parameters["radius"]
    assert radius.error is not None
    assert more["radius"] > 2 * radius.error
    assert widen_errors(fit.parameters, more)["radius"].error == pytest.approx(
        np.hypot(radius.error, more["radius"])
    )
    _, none = errors(stated(curve), "sphere", SPHERE)
    assert none["radius"] < 0.5 * more["radius"]


def test_an_exponent_at_its_default_is_in_the_error_of_the_size_beside_it() -> None:
    """Rg of a coil whose Mw/Mn was held at 2: beyond the Guinier region the two are hardly told apart."""
    values = {"rg": 60.0, "polydispersity": 2.0, "i_zero": 70.0, "background": 0.0, "scale": 1.0}
    curve = stated(measured("poly_gauss_coil", values, np.geomspace(0.1, 0.5, 60)))
    fixed = {"polydispersity": 2.0}
    fit, more = errors(curve, "poly_gauss_coil", values, fixed=fixed, given=())
    assert more["rg"] > 2 * (fit.parameters["rg"].error or np.inf)
    fit, more = errors(curve, "poly_gauss_coil", values, fixed=fixed)
    assert more.get("rg", 0.0) == pytest.approx(0.0, abs=1e-6)


def test_without_time_nothing_is_added() -> None:
    curve = measured("sphere", SPHERE, np.geomspace(0.004, 0.3, 50))
    fit, _ = errors(curve, "sphere", SPHERE)
    assert curve.dintensity is not None
    asked = make_fixed_task(curve, curve.dintensity, fit, frozenset(), WIDEST)
    assert errors_beside_held(asked, budget=Budget(-1.0)) == {}


def test_sizes_that_spread_together_are_in_the_errors_of_each() -> None:
    """Where all sizes of a particle grow together, both are known as their common width is."""
    values = {"radius": 40.0, "length": 90.0, "sld": 4.0, "sld_solvent": 1.0, "scale": 1.0, "background": 0.0}
    curve = stated(measured("cylinder", values, np.geomspace(0.004, 0.25, 150)))
    _, more = errors(curve, "cylinder", values)
    _, known = errors(curve, "cylinder", values, given={"radius_pd", "length_pd"})
    assert more["length"] > 1.5 * known["length"]
    assert more["radius"] > 1.5 * known["radius"]


def test_a_length_is_known_no_better_than_the_centre_of_the_resolution() -> None:
    q = np.geomspace(0.004, 0.3, 150)
    width = 0.05
    smeared = replace(measured("sphere", SPHERE, q), dq=width * q)
    assert smeared.dintensity is not None
    local = ModelCurves(smeared, smeared.dintensity, "sphere", per_decade=800)
    exact = local.intensity(SPHERE)[0]
    curve = replace(smeared, intensity=exact, dintensity=1e-4 * exact)
    fit, more = errors(curve, "sphere", SPHERE, given={"radius_pd"})
    radius = fit.parameters["radius"]
    assert radius.error is not None
    floor = ASSESSMENT.resolution_off[0] * width * radius.value
    assert 0.3 * floor < np.hypot(radius.error, more["radius"]) < 2 * floor


def test_no_length_is_known_better_than_the_calibration_of_q(monkeypatch: pytest.MonkeyPatch) -> None:
    """A curve without noise gives lengths, and places of peaks, to what a camera is calibrated to."""
    monkeypatch.setattr(error_estimates, "PROBLEM", PROBLEM)
    values = {"peak_pos": 0.1, "correlation_length": 60.0, "scale": 1.0, "background": 0.01}
    values |= {"porod_scale": 1e-6, "porod_exp": 3.5, "peak_scale": 5.0, "width_exp": 2.0}
    q = np.geomspace(0.01, 0.4, 300)
    exact = call("broad_peak", q, values).intensity
    fit, more = errors(stated(Curve(q, exact, 1e-6 * exact)), "broad_peak", values)
    wide = widen_errors(fit.parameters, more)
    lengths = {name: p.error / p.value for name, p in wide.items() if "Ang" in p.unit and p.error}
    assert len(lengths) == 2
    assert list(lengths.values()) == pytest.approx([PROBLEM.alike] * 2, rel=0.1)
    exponent = wide["porod_exp"].error
    assert exponent is not None
    assert exponent < 1e-3


def test_the_width_of_the_direct_beam_is_in_the_exponent_of_an_upturn() -> None:
    """A beam that smears the lowest points alone makes an upturn steeper, which the points do not show."""
    z, weights = np.polynomial.hermite_e.hermegauss(41)
    q, rng, pulls = np.geomspace(0.003, 0.3, 120), np.random.default_rng(69), []
    for _ in range(20):
        exponent, beam = rng.uniform(3.2, 4.0), rng.uniform(0.05, 0.12) * q[0]
        smeared = (np.abs(q[:, None] + beam * z) / 0.005) ** -exponent @ weights / weights.sum()
        exact = smeared + 1 / (1 + (30 * q) ** 2) + 0.01
        error = 0.01 * exact
        curve = Curve(q, exact + error * rng.standard_normal(q.size), error)
        start = {
            "A_scale": 1.0, "B_scale": 0.005**exponent, "scale": 1.0, "background": 0.01,
            "A_cor_length": 30.0, "B_power": exponent,
        }  # fmt: skip
        fit, more = errors(curve, "lorentz+power_law", start)
        found = widen_errors(fit.parameters, more)["B_power"]
        assert found.error is not None
        pulls.append(abs(found.value - exponent) / found.error)
    assert np.mean(np.array(pulls) < 2) >= 0.8
    assert np.mean(np.array(pulls) > 3) <= 0.05


def test_of_a_resolution_that_a_fit_has_found_none_is_as_possible() -> None:
    values = {"radius": 40.0, "length": 90.0, "sld": 4.0, "sld_solvent": 1.0, "scale": 1.0, "background": 0.0}
    q = np.geomspace(0.004, 0.25, 150)
    curve = replace(measured("cylinder", values, q), dq=0.02 * q)
    assert curve.dintensity is not None
    task = Task(curve, curve.dintensity, "cylinder", None, starts=(values,), budget=Budget(20.0))
    fit = fit_candidate(task, Bank(bank_path()))
    each = [
        errors_beside_held(
            make_fixed_task(curve, curve.dintensity, fit, frozenset(), WIDEST, supposed=supposed)
        )
        for supposed in (False, True)
    ]
    assert each[1]["radius"] > each[0]["radius"]


def smeared_spheres(q: np.ndarray, relative_dq: float, width: float) -> np.ndarray:
    """I(q) of spheres of 60 Å, log-normal in size, averaged over a Gaussian of dq; closed forms in numpy."""
    z, weights = np.polynomial.hermite_e.hermegauss(41)
    radii = 60.0 * np.exp(width * np.linspace(-4, 4, 81) - width**2 / 2)
    numbers = np.exp(-(np.linspace(-4, 4, 81) ** 2) / 2) * radii**6
    x = (q[:, None] * (1 + relative_dq * z))[:, :, None] * radii
    form = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 @ numbers / numbers.sum()
    return np.asarray(form @ weights / weights.sum())


def test_errors_cover_sizes_where_a_wide_resolution_is_not_stated() -> None:
    """Forty files of three columns from instruments of 5 to 8 %, whose points are 4 % apart."""
    q, rng, pulls = np.geomspace(0.005, 0.25, 100), np.random.default_rng(68), []
    for _ in range(40):
        width = rng.uniform(0.06, 0.15)
        exact = smeared_spheres(q, rng.uniform(0.05, 0.08), width) + 1e-4
        error = 0.03 * exact
        curve = Curve(q, exact + error * rng.standard_normal(q.size), error)
        start = SPHERE | {"radius_pd": 0.12, "radius_pd_n": 41, "radius_pd_type": "lognormal"}
        fit, more = errors(curve, "sphere", start)
        for name, truth in (("radius", 60.0 * np.exp(-(width**2) / 2)), ("radius_pd", width)):
            p = fit.parameters[name]
            assert p.error is not None
            pulls.append(
                [abs(p.value - truth) / np.hypot(p.error, more[name]), abs(p.value - truth) / p.error]
            )
    held, counting = np.array(pulls).T
    assert np.mean(counting > 3) > 0.9
    assert np.mean(held < 2) > 0.8
    assert np.mean(held > 3) <= 0.05


SHELL = {
    "radius": 40.0, "thickness": 15.0, "sld_core": 0.5, "sld_shell": 3.0, "sld_solvent": 2.5, "scale": 0.01,
    "background": 0.05, "radius_pd": 0.1, "radius_pd_n": 35, "radius_pd_nsigma": 3,
    "radius_pd_type": "gaussian",
}  # fmt: skip


def fit_of_a_shell(solvent: float, start: dict[str, float]) -> tuple[ModelFit, dict[str, float]]:
    """A core-shell sphere fitted from a start, and what fixed densities add to its errors."""
    q = np.geomspace(0.005, 0.35, 140)
    exact = call("core_shell_sphere", q, {**SHELL, "sld_solvent": solvent}).intensity
    error = 0.02 * exact + 1e-4
    curve = stated(Curve(q, exact, error))
    task = Task(curve, error, "core_shell_sphere", None, starts=({**SHELL, **start},), budget=Budget(20.0))
    fit = fit_candidate(task, Bank(bank_path()))
    held = make_fixed_task(curve, error, fit, frozenset(), WIDEST)
    return fit, errors_beside_contrasts(held, np.inf)


def test_a_shell_of_a_fixed_contrast_is_known_no_better_than_the_contrast() -> None:
    fit, added = fit_of_a_shell(
        2.5, {"thickness": 4.3, "sld_core": 1.0, "sld_shell": 6.5, "sld_solvent": 3.0}
    )
    thickness = fit.parameters["thickness"]
    assert fit.parameters["sld_shell"].fixed, "a combination of the others is much like it"
    assert thickness.error is not None
    assert thickness.error < 0.05 * thickness.value
    assert np.hypot(thickness.error, added["thickness"]) < thickness.value, "without a shell it is no sphere"
    assert abs(thickness.value - SHELL["thickness"]) < 3 * np.hypot(thickness.error, added["thickness"])


def test_factors_and_shifts_of_all_densities_widen_no_size() -> None:
    fit, added = fit_of_a_shell(6.36, {"sld_solvent": 6.36})
    assert len([name for name in fit.free if "sld" in name]) == 1
    assert all(more < 0.01 * (fit.parameters[name].error or 0.0) for name, more in added.items())
