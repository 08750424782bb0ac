"""What widens errors: other minima, sizes that vary together, a flat χ², other size distributions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from made_results import SPHERE, answer, fitted, p
from scipy.special import j1

from sasnet_plugin import fit
from sasnet_plugin.fitting.assessment.error_estimates import (
    errors_beside_held,
    errors_to_add,
    make_fixed_task,
    other_distributions,
    spread_over_kinds,
    spread_over_minima,
)
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve
from sasnet_plugin.zoo import bank_path

# --- Errors of layered bodies hold other divisions into core and layer that are as good.

#: A body of 95 Å nearly all of which is core: a weak core in a thick shell has the same curve.
NEARLY_PLAIN = {"radius": 94.0, "thickness": 1.0, "sld_core": 4.4, "sld_shell": 4.5, "sld_solvent": 6.2}
SHELL = {"radius": 60.0, "thickness": 10.0, "sld_core": 1.0, "sld_shell": 2.0, "sld_solvent": 3.0}
WIDEST = 0.08


def measure_shell(values: dict[str, float], relative: float) -> Curve:
    q = np.geomspace(0.004, 0.25, 150)
    exact = call("core_shell_sphere", q, values | {"scale": 0.01, "background": 0.001}).intensity
    sigma = relative * exact
    noisy = exact + sigma * np.random.default_rng(3).standard_normal(q.size)
    return Curve(q, noisy, sigma, dq=np.full_like(q, 1e-7))


def fit_shell(curve: Curve, start: dict[str, float]) -> ModelFit:
    assert curve.dintensity is not None
    start = start | {"scale": 0.01, "background": 0.001}
    task = Task(curve, curve.dintensity, "core_shell_sphere", None, starts=(start,), budget=Budget(20.0))
    return fit_candidate(task, Bank(bank_path()))


def spread(curve: Curve, fit: ModelFit, given: frozenset[str] = frozenset()) -> dict[str, float]:
    assert curve.dintensity is not None
    return spread_over_minima(make_fixed_task(curve, curve.dintensity, fit, given, WIDEST), np.inf)


def test_both_of_two_minima_are_held() -> None:
    curve = measure_shell(NEARLY_PLAIN, 0.02)
    one = fit_shell(curve, NEARLY_PLAIN | {"radius": 60.0, "thickness": 35.0, "sld_core": 4.49})
    other = fit_shell(curve, NEARLY_PLAIN)
    assert one.reduced_chisq == pytest.approx(other.reduced_chisq, abs=0.05)
    for name in ("radius", "thickness"):
        own = one.parameters[name]
        assert own.error is not None
        apart = abs(own.value - other.parameters[name].value)
        assert apart > 10.0
        assert apart < 2.5 * np.hypot(own.error, spread(curve, one)[name])


def test_a_layer_that_the_curve_shows_is_known_as_well_as_before() -> None:
    curve = measure_shell(SHELL, 0.01)
    fit = fit_shell(curve, SHELL)
    assert fit.parameters["thickness"].value == pytest.approx(10.0, rel=0.05)
    assert all(one == 0 for one in spread(curve, fit).values())


def test_nothing_is_asked_where_a_layer_is_known() -> None:
    curve = measure_shell(NEARLY_PLAIN, 0.02)
    fit = fit_shell(curve, NEARLY_PLAIN)
    known = replace(fit, derivatives={k: v for k, v in fit.derivatives.items() if k != "thickness"})
    assert spread(curve, known) == {}
    assert spread(curve, fit, frozenset({"radius_pd"})) == {}


# --- A spread of all sizes of a particle against a resolution that no file states; the curve is a
# --- formula.


def cylinders(q: np.ndarray, radius: float, length: float) -> np.ndarray:
    """V² P(q), averaged over orientations (A. Guinier, G. Fournet, 1955)."""
    cosine, weight = np.polynomial.legendre.leggauss(150)
    cosine, weight = 0.5 * (cosine + 1), 0.5 * weight
    x = q[:, None] * radius * np.sqrt(1 - cosine**2)
    amplitude = 2 * j1(x) / x * np.sinc(q[:, None] * length * cosine / (2 * np.pi))
    return np.asarray((radius**2 * length) ** 2 * amplitude**2 @ weight)


def test_discs_of_several_sizes_hold_the_truth_where_a_resolution_is_supposed() -> None:
    q = np.geomspace(0.005, 0.3, 150)
    steps = np.linspace(-4, 4, 17)
    exact = sum(np.exp(-(s**2) / 2) * cylinders(q, 80 * (1 + 0.07 * s), 30 * (1 + 0.07 * s)) for s in steps)
    exact = exact / exact[0] + 1e-4
    sigma = 0.02 * exact
    curve = Curve(q, exact + sigma * np.random.default_rng(5).standard_normal(q.size), sigma)
    result = fit(curve, models=("cylinder",), structure_factor="none", workers=1)
    radius = result.fits[0].parameters["radius"]
    assert radius.error is not None
    assert abs(radius.value - 80.0) < 2.5 * radius.error
    assert radius.error < 0.05 * radius.value


def hard_spheres(x: np.ndarray, fraction: float) -> np.ndarray:
    """S of q times the diameter (J. K. Percus, G. J. Yevick, Phys. Rev. 110 (1958) 1)."""
    a = (1 + 2 * fraction) ** 2 / (1 - fraction) ** 4
    b = -6 * fraction * (1 + fraction / 2) ** 2 / (1 - fraction) ** 4
    sine, cosine = np.sin(x), np.cos(x)
    terms = a * (sine - x * cosine) / x**2
    terms += b * (2 * x * sine + (2 - x**2) * cosine - 2) / x**3
    terms += (
        fraction * a / 2 * (4 * ((3 * x**2 - 6) * cosine + (x**3 - 6 * x) * sine + 6) / x**5 - cosine / x)
    )
    return np.asarray(1 / (1 + 24 * fraction * terms / x))


def test_interacting_spheres_of_several_sizes_hold_the_truth_where_a_resolution_is_supposed() -> None:
    """Neighbours as large as each other: no fit has that, and a resolution looks the same."""
    q, size = np.linspace(0.008, 0.3, 400), 35 * (1 + 0.06 * np.linspace(-4, 4, 33))
    x = q[:, None] * size
    form = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 * hard_spheres(2 * x, 0.15)
    exact = form @ (size**6 * np.exp(-((size / 35 - 1) ** 2) / 2 / 0.06**2))
    exact = exact / exact[0] + 1e-4
    sigma = 0.005 * exact
    curve = Curve(q, exact + sigma * np.random.default_rng(6).standard_normal(q.size), sigma)
    result = fit(curve, models=("sphere",), structure_factor="hardsphere", workers=1)
    radius = result.fits[0].parameters["radius"]
    assert radius.error is not None
    assert abs(radius.value - 35.0) < 2.5 * radius.error
    assert radius.error < 0.05 * radius.value


# --- Errors where χ² is no parabola: as far as another fit with the parameter held there is as
# --- good.

#: Polymer coils of very many lengths: for much wider a curve is hardly another.
COILS = {"rg": 180.0, "polydispersity": 40.0, "i_zero": 100.0, "scale": 1.0, "background": 0.01}


def measure(model: str, values: dict[str, Any], q: np.ndarray) -> Curve:
    """A curve with errors of 2 % of I, one draw of them, whose resolution matters to nothing."""
    exact = call(model, q, values).intensity
    dintensity = 0.02 * exact
    noisy = exact + dintensity * np.random.default_rng(5).standard_normal(q.size)
    return Curve(q, noisy, dintensity, dq=np.full_like(q, 1e-7))


def fit_from(curve: Curve, model: str, start: dict[str, Any], **known: Any) -> ModelFit:
    """From a start, with what is fixed or has a range."""
    assert curve.dintensity is not None
    task = Task(curve, curve.dintensity, model, None, starts=(start,), budget=Budget(20.0), **known)
    return fit_candidate(task, Bank(bank_path()))


def added(curve: Curve, found: ModelFit, given: set[str]) -> tuple[dict[str, float], dict[str, float]]:
    """What adds to its errors, and what of it comes from what the fit holds."""
    assert curve.dintensity is not None
    ranged = frozenset(given.intersection(found.free))
    asked = make_fixed_task(curve, curve.dintensity, found, frozenset(given) - ranged, WIDEST, ranged=ranged)
    return errors_to_add(asked), errors_beside_held(asked)


def test_a_parabola_adds_nothing() -> None:
    values = {"radius": 60.0, "sld": 4.0, "sld_solvent": 1.0, "scale": 0.01, "background": 0.01}
    curve = measure("sphere", values, np.geomspace(0.005, 0.3, 150))
    found = fit_from(curve, "sphere", values)
    every, held = added(curve, found, {"radius_pd"})
    own = found.parameters["radius"].error
    assert own is not None
    assert np.hypot(own, every["radius"]) == pytest.approx(np.hypot(own, held.get("radius", 0.0)), rel=0.1)


def test_an_error_reaches_where_other_fits_are_as_good() -> None:
    curve = measure("poly_gauss_coil", COILS, np.geomspace(0.004, 0.3, 150))
    found = fit_from(curve, "poly_gauss_coil", COILS)
    every, _ = added(curve, found, set())
    p = found.parameters["polydispersity"]
    far = 10 * p.value
    there = fit_from(curve, "poly_gauss_coil", COILS | {"polydispersity": far}, fixed={"polydispersity": far})
    assert there.chisq < found.chisq + 4
    assert p.error is not None
    error = float(np.hypot(p.error, every["polydispersity"]))
    assert p.error < (far - p.value) / 2 < error


def test_an_error_stays_in_the_range_of_a_user() -> None:
    curve = measure("poly_gauss_coil", COILS, np.geomspace(0.004, 0.3, 150))
    found = fit_from(curve, "poly_gauss_coil", COILS, ranges={"polydispersity": (2.0, 100.0)})
    p = found.parameters["polydispersity"]
    assert p.error is not None
    every, held = added(curve, found, {"polydispersity"})
    most = np.hypot(max(p.error, 49.0), held.get("polydispersity", 0.0))
    assert np.hypot(p.error, every["polydispersity"]) <= most
    wide = replace(found, parameters={**found.parameters, "polydispersity": replace(p, high=1e6)})
    assert added(curve, wide, set())[0]["polydispersity"] > most


# --- Errors over kinds of size distribution that a curve does not tell apart.


def of_kind(kind: str, radius: float, width: float = 0.1) -> ModelFit:
    return fitted(
        "sphere", radius=p(radius, 0.2), radius_pd=p(width, 0.004, ""), distributions={"radius": kind}
    )  # fmt: skip


def test_a_resolution_that_the_file_does_not_state_is_in_the_error_of_a_size() -> None:
    best = of_kind("gaussian", 62.0)
    seen_with = replace(of_kind("gaussian", 66.0), chisq=best.chisq - 5.0)
    found = spread_over_kinds(answer(best, distributions=(best, seen_with))).fits[0].parameters["radius"]
    assert found.error == pytest.approx(np.hypot(0.2, 4.0 / np.sqrt(2)))


def test_a_kind_counts_as_its_evidence_says_with_how_seldom_it_is_supposed() -> None:
    """A resolution that is supposed makes χ² less at the price of a further parameter."""
    best = replace(of_kind("gaussian", 62.0), log_evidence=-100.0)
    seen_with = replace(of_kind("gaussian", 66.0), chisq=best.chisq - 5.0, log_evidence=-103.0)
    reported = replace(best, chisq=best.chisq - 1e-3, start_chisq=best.chisq, log_evidence=np.nan)
    found = spread_over_kinds(answer(reported, distributions=(best, seen_with))).fits[0].parameters["radius"]
    odds = np.exp(-3.0)
    assert found.error == pytest.approx(np.hypot(0.2, 4.0 * np.sqrt(odds / (1 + odds))))


def test_other_distributions_are_those_of_the_same_model() -> None:
    shell = fitted("core_shell_sphere", radius=p(42, 5), thickness=p(19, 5))
    gauss = replace(SPHERE, distributions={"radius": "gaussian"})
    far = replace(gauss, chisq=SPHERE.chisq + 100)
    assert other_distributions(answer(SPHERE, distributions=(gauss, far))) == [gauss]
    assert other_distributions(answer(SPHERE, gauss, shell)) == [gauss]


def test_a_radius_is_known_no_better_than_the_kinds_agree() -> None:
    best = of_kind("schulz", 62.5)
    found = spread_over_kinds(answer(best, distributions=(of_kind("gaussian", 62.1),))).fits[0]
    assert found.parameters["radius"].value == 62.5
    # Where the ranges end moves the means by some 10⁻⁵ of them, which is .3 % of what they are apart by.
    assert found.parameters["radius"].error == pytest.approx(np.hypot(0.2, 0.4 / np.sqrt(2)), rel=5e-3)
    # One that is a standard deviation worse counts for less.
    worse = replace(of_kind("gaussian", 62.1), chisq=best.chisq + 1.0)
    less = spread_over_kinds(answer(best, distributions=(worse,))).fits[0].parameters["radius"].error
    assert less is not None
    assert 0.2 < less < np.hypot(0.2, 0.4 / np.sqrt(2))


def test_a_median_with_the_same_mean_is_the_same_radius() -> None:
    best = of_kind("schulz", 60.0, 0.2)
    median = of_kind("lognormal", 60.0 * float(np.exp(-0.02)), 0.2)
    same = spread_over_kinds(answer(best, distributions=(median,))).fits[0].parameters["radius"]
    assert same.error == pytest.approx(0.2, abs=1e-3)  # a sum over sizes ends at 5 σ
    turned = spread_over_kinds(answer(median, distributions=(best,))).fits[0].parameters["radius"]
    assert turned.error == pytest.approx(0.2, abs=1e-3)


def test_what_is_fixed_and_what_has_one_kind_alone_stay_as_they_are() -> None:
    assert spread_over_kinds(answer(SPHERE)).fits[0] is SPHERE
    best = of_kind("schulz", 62.5)
    best = replace(best, parameters=best.parameters | {"sld": p(1.0, None, "1e-6/Ang^2", fixed=True)})
    found = spread_over_kinds(answer(best, distributions=(of_kind("gaussian", 62.1),))).fits[0]
    assert found.parameters["sld"] == best.parameters["sld"]


def test_widths_are_compared_by_the_deviation_over_the_mean() -> None:
    """A log-normal distribution's width is that of ln of the size: 0.25 is 25.4 % of the mean."""
    best = of_kind("schulz", 60.0, float(np.sqrt(np.expm1(0.25**2))))
    same = of_kind("lognormal", 60.0 * float(np.exp(-(0.25**2) / 2)), 0.25)
    found = spread_over_kinds(answer(best, distributions=(same,))).fits[0]
    assert found.parameters["radius_pd"].error == pytest.approx(0.004, abs=1e-3)
    other = of_kind("lognormal", 60.0 * float(np.exp(-(0.2**2) / 2)), 0.2)
    wide = spread_over_kinds(answer(best, distributions=(other,))).fits[0]
    apart = (np.sqrt(np.expm1(0.25**2)) - np.sqrt(np.expm1(0.2**2))) / np.sqrt(2)
    assert wide.parameters["radius_pd"].error == pytest.approx(np.hypot(0.004, apart), abs=1e-3)
    assert wide.apart["radius_pd"] == pytest.approx(apart, abs=1e-3)
