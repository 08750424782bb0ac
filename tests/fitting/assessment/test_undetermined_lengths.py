"""Lengths that the data do not determine are said to be so."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sasnet_plugin.fitting.assessment.assess import assess
from sasnet_plugin.fitting.assessment.undetermined_lengths import (
    mark_lengths_beyond_range,
    mark_tails,
    replace_by_power_law,
    stands_for_a_power_law,
    tails_of,
    widen_length_errors,
)
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.fitting.result.reported_values import is_determined
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve
from sasnet_plugin.zoo import bank_path

# --- A body far larger than the data show is seen by its surface: a power law, whatever model says
# --- it.

Q = np.geomspace(0.005, 0.3, 120)


def curve_of(clean: np.ndarray) -> Curve:
    dintensity = 0.02 * clean
    return Curve(Q, clean + dintensity * np.random.default_rng(5).standard_normal(Q.size), dintensity)


def fitted(curve: Curve, model: str, **start: float) -> ModelFit:
    assert curve.dintensity is not None
    task = Task(curve, curve.dintensity, model, None, starts=(start,), beside=True, budget=Budget(20.0))
    return fit_candidate(task, Bank(bank_path()))


SURFACE = curve_of(3e-6 * Q**-4 + 0.02)
NETWORK = curve_of(2 / (1 + (40 * Q) ** 2) + 3e-7 * Q**-4 + 0.02)


@pytest.mark.parametrize(
    ("model", "start"),
    [("dab", {"cor_length": 3000.0}), ("sphere", {"radius": 5000.0, "radius_pd": 0.3})],
)
def test_a_large_body_of_which_the_surface_is_seen_is_a_power_law(
    model: str, start: dict[str, float]
) -> None:
    fit = fitted(SURFACE, model, **start)
    assert SURFACE.dintensity is not None
    assert tails_of(fit, SURFACE, SURFACE.dintensity) == (0,)
    open_ = widen_length_errors(mark_tails(fit, SURFACE, SURFACE.dintensity))
    lengths = [(n, p) for n, p in open_.parameters.items() if p.unit == "Ang" and not p.fixed]
    assert not any(is_determined(n, p) for n, p in lengths)


def test_a_sphere_whose_radius_is_seen_is_none() -> None:
    x = 60 * Q
    curve = curve_of((3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 + 0.01)
    assert curve.dintensity is not None
    assert tails_of(fitted(curve, "sphere", radius=60.0), curve, curve.dintensity) == ()


def test_lamellae_that_stand_for_an_upturn_have_no_thickness_and_no_weight() -> None:
    """A sheet of thousands of ångströms has the q⁻⁴ of its surface, as the power law has."""
    assert NETWORK.dintensity is not None
    sheets = fitted(NETWORK, "lamellar+lorentz", A_thickness=5000.0, A_thickness_pd=0.3, B_cor_length=40.0)
    network = fitted(NETWORK, "lorentz+power_law", A_cor_length=40.0, B_power=4.0)
    told = mark_tails(sheets, NETWORK, NETWORK.dintensity)
    assert stands_for_a_power_law(told) == "lorentz+power_law"
    result = assess(NETWORK, NETWORK.dintensity, [sheets, network], prior=[0.99, 0.01])
    assert result.fits[0].name == "lorentz+power_law"
    assert result.fits[0].parameters["A_cor_length"].value == pytest.approx(40, rel=0.1)
    (other,) = result.fits[1:]
    assert other.weight == 0


def test_the_length_of_a_network_with_an_upturn_is_seen() -> None:
    assert NETWORK.dintensity is not None
    fit = fitted(NETWORK, "lorentz+power_law", A_cor_length=40.0, B_power=4.0)
    assert tails_of(fit, NETWORK, NETWORK.dintensity) == ()


def test_the_power_law_stands_last() -> None:
    assert replace_by_power_law("lamellar+lorentz", 0) == "lorentz+power_law"
    assert replace_by_power_law("sphere+lorentz", 1) == "sphere+power_law"
    assert replace_by_power_law("dab", 0) == "power_law"


def test_what_bends_the_background_at_the_highest_q_is_no_power_law() -> None:
    """Two power laws that nearly cancel a background make any gentle slope, and say nothing of it."""
    x = 60 * Q
    spheres = 50 * (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    curve = curve_of(spheres + 1 / (1 + (4 * Q) ** 2))
    assert curve.dintensity is not None
    fit = fitted(curve, "sphere+lorentz", A_radius=60.0, B_cor_length=4.0)
    assert tails_of(fit, curve, curve.dintensity) == ()


# --- Lengths beyond the smallest q: known where their fringes are seen, else only that they are
# --- longer.

Q_LONG = np.geomspace(0.01, 0.2, 150)


def radius_of(truth: float, spread: float, begun: float) -> Parameter:
    """Of spheres measured with errors of 4 % of I and a resolution, fitted from a radius."""
    fine = np.unique(np.r_[Q_LONG, np.geomspace(0.008, 0.25, 20_000)])
    exact = call("sphere", fine, {"radius": truth, "background": 0.0}).intensity
    weights = np.exp(-0.5 * ((fine[None] - Q_LONG[:, None]) / (spread * Q_LONG[:, None])) ** 2) * np.gradient(
        fine
    )
    clean = weights @ exact / weights.sum(axis=1)
    dintensity = 0.04 * clean
    noisy = clean + dintensity * np.random.default_rng(2).standard_normal(Q_LONG.size)
    curve = Curve(Q_LONG, noisy, dintensity, dq=spread * Q_LONG)
    start = {"radius": begun, "sld": 1.0, "sld_solvent": 6.0, "scale": 1.0, "background": 0.0}
    task = Task(curve, dintensity, "sphere", None, starts=(start,), budget=Budget(20.0))
    fit = fit_candidate(task, Bank(bank_path()))
    return mark_lengths_beyond_range(fit, curve, dintensity).parameters["radius"]


@pytest.mark.parametrize("begun", [900.0, 1600.0, 5000.0])
def test_a_radius_of_which_only_the_surface_is_seen_is_longer_than_the_data_show(begun: float) -> None:
    """I = 2 π Δρ² S/V q⁻⁴ says nothing of R once the scale is free (G. Porod, 1951)."""
    radius = radius_of(7000.0, 0.05, begun)
    assert radius.at_least == pytest.approx(math.pi / Q_LONG[0])


def test_a_radius_whose_fringes_are_seen_is_known_however_long_it_is() -> None:
    radius = radius_of(1500.0, 0.005, 1490.0)
    assert radius.at_least is None
    assert radius.error is not None
    assert radius.value == pytest.approx(1500.0, abs=5 * radius.error)
    assert radius.error < 15
