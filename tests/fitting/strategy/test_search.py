"""The search: no more is tried than a curve asks for, and more where nothing explains it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sasnet_plugin import load
from sasnet_plugin.fitting.api import fit
from sasnet_plugin.fitting.ledger import Ledger
from sasnet_plugin.fitting.problem.experiment import experiment
from sasnet_plugin.fitting.strategy.hypothesis import Beliefs, Hypothesis, Supposed, describe_resolution
from sasnet_plugin.fitting.strategy.search import (
    Found,
    Resolved,
    _error,
    resolution_of,
    search,
)
from sasnet_plugin.fitting.strategy.state import State
from sasnet_plugin.fitting.task import Budget, FitOptions, Task
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.grid import WIDE_Q, pinhole_matrix
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve

# --- The search: no more is tried than a curve asks for, and more where nothing explains it.

Simulated = Callable[..., Curve]
#: Two points at a distance, all in one direction: finer fringes than 70 points show.
FRINGES = """
from numpy import cos, inf
name = "fringes"
title = "Two points"
description = "1 + cos(q distance)"
category = "shape-independent"
parameters = [["distance", "Ang", 900.0, [0, inf], "", "of two points"]]
def Iq(q, distance):
    return 1 + cos(q * distance)
Iq.vectorized = True
"""


def state_of(curve: Curve, *named: Hypothesis, **options: Any) -> State:
    assert curve.dintensity is not None
    suggestion = open_classifier().suggest([curve], top=78)[0]
    chosen = FitOptions(models=tuple(h.form for h in named) or None, **options)
    return State(curve, curve.dintensity, Beliefs(suggestion), chosen, named)


def found_of(curve: Curve, pool: Any, *models: str, seconds: float = 100.0, **options: Any) -> Found:
    return search(pool, state_of(curve, *map(Hypothesis, models), **options), seconds)


def best_of(found: Found) -> Any:
    return min(found.fits, key=lambda fit: fit.bic)


def test_a_clean_sphere_is_left_at_that(simulated: Simulated, pool: Any) -> None:
    """The sphere, its other distributions, and the few simple models that look like one: no search beside."""
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    found = found_of(curve, pool)
    assert best_of(found).name == "sphere"
    assert pool.names[0] == "sphere"
    assert len(pool.names) < 10
    assert "screening" not in pool.names
    assert found.curve is curve


def test_the_simplest_models_are_fitted_however_short_the_time(simulated: Simulated, pool: Any) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    found = search(Ledger(pool, np.inf), state_of(curve), 0.0)
    assert "sphere" in [fit.name for fit in found.fits]
    assert best_of(found).reduced_chisq < 1.4


def test_a_structure_factor_is_tried_where_no_form_explains(simulated: Simulated, pool: Any) -> None:
    truth = {"radius": 50.0, "volfraction": 0.3, "radius_effective_mode": 1, "background": 0.01}
    best = best_of(found_of(simulated("sphere@hardsphere", truth), pool))
    assert best.structure_factor is not None
    assert best.reduced_chisq < 1.4
    assert best.parameters["radius"].value == pytest.approx(50.0, rel=0.03)


def test_spheres_with_an_upturn_are_found_and_shares_are_theirs(simulated: Simulated, pool: Any) -> None:
    truth = {
        "A_radius": 40.0, "A_radius_pd": 0.1, "A_radius_pd_n": 25, "A_scale": 1.0, "B_scale": 2e-5,
        "B_power": 3.0, "background": 0.01,
    }  # fmt: skip
    best = best_of(found_of(simulated("sphere+power_law", truth), pool))
    assert best.name == "sphere+power_law"
    for name in ("A_radius", "B_power"):
        p = best.parameters[name]
        assert abs(p.value - truth[name]) < max(4 * p.error, 0.01 * truth[name])
    share = best.components[0]
    assert share.name == "sphere"
    assert 0.5 < share.fraction < 1
    assert 0 < share.error < 0.1


def test_an_upturn_is_no_resolution(pool: Any) -> None:
    """A wrong second component comes as near with a supposed resolution; the right one needs none."""
    q = np.geomspace(0.004, 0.4, 160)
    body = {"radius": 60.0, "radius_pd": 0.12, "radius_pd_n": 40, "sld": 1.0, "sld_solvent": 6.3}
    clean = 0.01 * call("sphere", q, body).intensity + 3e-7 * q**-3.2 + 0.005
    sigma = np.hypot(0.02 * clean, 0.001)
    noisy = clean + sigma * np.random.default_rng(3).standard_normal(q.size)
    found = found_of(Curve(q, noisy, sigma, file="upturn.dat"), pool)
    best = best_of(found)
    assert best.name == "sphere+power_law"
    assert found.curve.dq is None
    radius = best.parameters["A_radius"]
    assert abs(radius.value - 60.0) < 4 * radius.error < 1.0


def test_what_a_user_named_is_all_that_is_fitted(simulated: Simulated, pool: Any) -> None:
    curve = simulated("teubner_strey", {"d": 150.0, "xi": 60.0, "background": 0.01})
    found = found_of(curve, pool, "sphere")
    # Its fit, its search beside, and perhaps other kinds of its size distribution.
    assert set(pool.names) == {"sphere"}
    assert best_of(found).reduced_chisq > 2


def test_all_that_a_user_named_is_fitted_even_if_the_first_explains(simulated: Simulated, pool: Any) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    found = found_of(curve, pool, "sphere", "cylinder", "lamellar")
    assert {fit.name for fit in found.fits} == {"sphere", "cylinder", "lamellar"}


def test_data_that_were_calculated_at_the_measured_points_are_fitted_so(pool: Any) -> None:
    """As sasdata's 100nmPinholeSphere: fringes finer than the points, smeared by sasmodels as they are."""
    q = np.geomspace(0.004, 0.3, 70)
    blank = Curve(q, np.ones(70), np.ones(70), dq=0.1 * q)
    truth = {"radius": 500.0, "background": 1e-3}
    exact = np.asarray(experiment(blank, np.ones(70), "sphere", truth).theory())
    sigma = 0.01 * exact
    noise = np.random.default_rng(3).standard_normal(70)
    curve = replace(blank, intensity=exact + sigma * noise, dintensity=sigma)
    found = found_of(curve, pool, "sphere")
    (fit,) = found.fits
    assert fit.per_decade is None
    assert fit.reduced_chisq < 1.5
    assert fit.parameters["radius"].value == pytest.approx(500.0, abs=1.0)
    assert "Calculated only at the measured points, as SasView does, sphere fits best" in found.notes[0]


def test_a_calculated_sphere_has_its_radius_though_finer_points_explain_it_too(
    example_data: Path, pool: Any
) -> None:
    """Of 1 µm, calculated with a slit at the measured points: no sphere of 4982 Å with a width of 1 %."""
    curve = load(example_data / "1umSlitSmearSphere.ABS")[0]
    best = best_of(found_of(curve, pool))
    assert best.name == "sphere"
    assert best.parameters["radius"].value == pytest.approx(5000.0, abs=3.0)
    assert "radius_pd" not in best.free


def test_a_plugin_that_its_own_values_explain_is_fitted_from_these_alone(tmp_path: Path, pool: Any) -> None:
    """As octahedron_truncated of SasView's marketplace, whose curve takes longer than all else may."""
    path = tmp_path / "fringes.py"
    path.write_text(FRINGES, encoding="utf-8")
    q = np.linspace(0.005, 0.1, 70)
    blank = Curve(q, np.ones(70), np.ones(70), dq=0.02 * q)
    exact = np.asarray(experiment(blank, np.ones(70), str(path), {"background": 1e-3}).theory())
    noise = np.random.default_rng(3).standard_normal(70)
    curve = replace(blank, intensity=exact + 0.02 * noise, dintensity=np.full(70, 0.02))
    (fit,) = found_of(curve, pool, str(path)).fits
    assert len(pool.names) == 1, pool.names
    assert fit.per_decade is None
    assert fit.reduced_chisq < 1.5
    assert fit.parameters["distance"].value == pytest.approx(900.0, abs=2.0)


def test_a_distribution_is_of_the_kind_that_the_data_like_best(simulated: Simulated, pool: Any) -> None:
    truth = {"radius": 80.0, "background": 0.001, "radius_pd": 0.15, "radius_pd_n": 35}
    curve = simulated("sphere", truth | {"radius_pd_type": "lognormal", "radius_pd_nsigma": 5})
    (best,) = found_of(curve, pool, "sphere").fits
    assert best.distributions["radius"] == "lognormal"
    assert best.parameters["radius_pd"].value == pytest.approx(0.15, abs=0.02)


def test_a_broad_peak_stands_where_it_is(simulated: Simulated, pool: Any) -> None:
    """Its exponents were taken for whole numbers, and its correlation length became negative."""
    truth = {
        "porod_scale": 1e-5, "porod_exp": 3.0, "peak_scale": 10.0, "correlation_length": 60.0,
        "peak_pos": 0.09, "width_exp": 2.0, "shape_exp": 2.0, "background": 0.02,
    }  # fmt: skip
    best = best_of(found_of(simulated("broad_peak", truth), pool))
    assert best.name == "broad_peak"
    assert best.reduced_chisq < 1.4
    for name in ("correlation_length", "peak_pos"):
        p = best.parameters[name]
        assert abs(p.value - truth[name]) < max(4 * p.error, 0.02 * truth[name])


def test_what_is_fixed_for_a_model_by_its_start_is_not_fixed_in_others(simulated: Simulated) -> None:
    from sasnet_plugin.fitting.task import Start

    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    start = Start("sphere", None, {"radius": 79.0}, {"sld": 1.5})
    state = state_of(curve, fixed={"background": 0.02}, start=start)
    assert state.task(Hypothesis("sphere")).fixed == {"sld": 1.5, "background": 0.02}
    assert state.task(Hypothesis("sphere")).extra == {"radius": 79.0}
    assert state.task(Hypothesis("cylinder")).fixed == {"background": 0.02}
    assert state.task(Hypothesis("sphere", None, "power_law")).fixed == {"background": 0.02}


# --- Resolution that a file does not state: found where the curve shows it, left out where it does
# --- not.

Q = np.geomspace(0.005, 0.35, 130)


def measured(relative: float, absolute: float) -> Curve:
    """A sphere of 120 Å with 1 % noise, and no word on its resolution."""
    clean = call("sphere", WIDE_Q, {"radius": 120.0, "sld": 4.0, "sld_solvent": 1.0}).intensity
    exact = pinhole_matrix(Q, np.hypot(relative * Q, absolute)) @ clean
    exact = exact + 1e-4 * exact.max()
    sigma = 0.01 * exact
    noise = np.random.default_rng(1).standard_normal(Q.size)
    return Curve(Q, exact + sigma * noise, sigma, file="sphere.dat")


def find_resolution(curve: Curve, bank: Bank) -> Resolved | None:
    assert curve.dintensity is not None
    start: dict[str, Any] = {"radius": 119.0, "sld": 4.0, "sld_solvent": 1.0}
    return resolution_of(Task(curve, curve.dintensity, "sphere", None, starts=(start,)), bank)


@pytest.mark.parametrize("relative", [0.04, 0.1])
def test_a_relative_width_is_found(bank: Bank, relative: float) -> None:
    found = find_resolution(measured(relative, 0.0), bank)
    assert found is not None
    assert found.supposed.relative == pytest.approx(relative, rel=0.45)
    # The choice of widths is coarse, but what is left over is not: without one χ²/n is above 50.
    assert found.chisq / Q.size < 3.0


def test_an_absolute_width_is_found(bank: Bank) -> None:
    found = find_resolution(measured(0.0, 1.5e-3), bank)
    assert found is not None
    assert found.supposed.absolute == pytest.approx(1.5e-3, rel=0.45)


def test_a_sharp_curve_needs_none(bank: Bank) -> None:
    assert find_resolution(measured(0.002, 0.0), bank) is None


def test_a_model_that_imitates_the_resolution_is_fitted_again_with_it(bank: Bank) -> None:
    """A peak narrower than the resolution: without one the fit has too short a correlation length."""
    true = {"porod_scale": 0.0, "peak_scale": 10.0, "peak_pos": 0.07, "correlation_length": 1000.0}
    clean = call("broad_peak", WIDE_Q, true).intensity
    exact = pinhole_matrix(Q, 0.05 * Q) @ clean
    exact = exact + 1e-3 * exact.max()
    sigma = 0.005 * exact
    curve = Curve(Q, exact + sigma * np.random.default_rng(2).standard_normal(Q.size), sigma)
    assert curve.dintensity is not None
    start = true | {"correlation_length": 250.0, "porod_exp": 3.0, "width_exp": 2.0, "shape_exp": 1.0}
    found = resolution_of(
        Task(curve, curve.dintensity, "broad_peak", None, starts=(start,), budget=Budget(12.0)), bank
    )
    assert found is not None
    assert found.supposed.relative == pytest.approx(0.05, rel=0.03)
    # The peak's exponents make up for the rest: no longer a quarter of the truth.
    assert found.parameters["correlation_length"] == pytest.approx(1000.0, rel=0.25)
    assert found.chisq / Q.size < 1.5


def test_the_fit_says_that_it_used_one() -> None:
    result = fit(measured(0.08, 0.0), models=["sphere"], workers=1)
    assert result.best is not None
    assert result.curve.dq is not None
    assert any("gives no resolution" in note for note in result.notes)
    assert result.best.parameters["radius"].value == pytest.approx(120.0, rel=0.02)
    stated = replace(measured(0.08, 0.0), dq=0.08 * Q)
    assert not any("gives no resolution" in note for note in fit(stated, models=["sphere"], workers=1).notes)


def test_a_systematic_error_of_some_per_cent_is_no_resolution() -> None:
    """Another model may fit far better with one; spheres of a tenth's spread do not ask for it."""
    rng = np.random.default_rng(0)
    q = np.geomspace(0.02, 0.8, 300)
    clean = call("sphere", q, {"radius": 32.0, "sld": 4.0, "sld_solvent": 1.0, "radius_pd": 0.1,
                               "radius_pd_n": 80, "radius_pd_nsigma": 4.0}).intensity  # fmt: skip
    clean = clean / clean.max() + 1e-3 * (0.5 + 0.5 * q)
    kernel = np.exp(-(np.subtract.outer(np.log(q), np.log(q)) ** 2) / 2 / 0.3**2) + 1e-9 * np.eye(q.size)
    off = clean * (1 + 0.03 * np.linalg.cholesky(kernel) @ rng.standard_normal(q.size))
    sigma = np.sqrt((0.01 * off) ** 2 + off * 1e-4)
    curve = Curve(q, off + sigma * rng.standard_normal(q.size), sigma, file="spheres.dat")
    result = fit(curve, models=["sphere", "polymer_micelle"], workers=1)
    assert not any("gives no resolution" in note for note in result.notes)
    sphere = next(one for one in result.fits if one.model == "sphere")
    radius = sphere.parameters["radius"]
    assert radius.error is not None
    assert abs(radius.value - 32.0) < 2.5 * radius.error < 1.6


def test_a_size_holds_whether_a_width_or_the_instrument_washes_its_fringes_out() -> None:
    """What large bodies of a distribution scatter counts more: by 6 σ² the radius would be too small."""
    result = fit(measured(0.04, 0.0), workers=1)
    assert result.best is not None
    assert result.verified
    radius = result.best.parameters["radius"]
    assert radius.error is not None
    assert abs(radius.value - 120.0) < 3 * radius.error
    assert radius.error < 1.5


def test_the_error_of_a_width_is_from_other_widths_alone() -> None:
    """The same width again, from other parameters, says nothing of it; it would be known exactly."""
    found = Resolved(Supposed(0.0, 1e-3), {}, 100.0)
    again = Resolved(Supposed(0.0, 1e-3), {}, 104.0)
    wider = Resolved(Supposed(0.0, 1.2e-3), {}, 101.0)
    assert _error(found, [found, again, wider]) == pytest.approx(np.log(1.2))
    early = Resolved(Supposed(0.0, 1.01e-3), {}, 100.2)  # a fit that ended a little early
    assert _error(found, [found, early, wider]) == pytest.approx(np.log(1.2))
    assert _error(found, [found, again]) == 1.0


def test_a_resolution_wider_than_instruments_have_may_be_a_distribution_of_sizes() -> None:
    """As 21 % was found of microemulsion droplets, whose sizes are spread by about as much."""
    assert "may stand for a distribution of sizes" in describe_resolution(Supposed(0.21, 0.0))
    assert "distribution" not in describe_resolution(Supposed(0.04, 0.0))
    assert "distribution" not in describe_resolution(Supposed(0.0, 1e-3))
