"""Slopes, Porod's constant, background, plateau, maxima and the Kratky plot against what formulas say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from bodies import coil, measured, rod, sphere

from sasnet_plugin.model_free import Kratky, Plateau, Porod, Refused, Slope
from sasnet_plugin.types import Curve

Q = np.geomspace(0.004, 0.4, 250)


@pytest.mark.parametrize("power", [1.0, 2.5, 4.0])
def test_both_slopes_of_a_power_law_are_its_power(power: float) -> None:
    found = measured(Q, Q**-power).model_free()
    for slope in (found.low, found.high):
        assert isinstance(slope, Slope)
        assert abs(slope.value + power) < 3 * slope.error
        assert slope.error < 0.1


def test_the_slope_of_a_long_thin_rod_is_minus_one() -> None:
    low = measured(Q, rod(Q, 5000.0)).model_free().low
    assert isinstance(low, Slope)
    assert low.value == pytest.approx(-1, abs=0.1)


def test_where_the_curve_bends_the_slope_is_less_certain() -> None:
    straight, bent = (measured(Q, clean).model_free().low for clean in (Q**-2.0, coil(Q, 150.0)))
    assert isinstance(straight, Slope)
    assert isinstance(bent, Slope)
    assert bent.error > 3 * straight.error


@pytest.mark.parametrize("background", [0.0, 0.05])
def test_porods_constant_of_polydisperse_spheres_is_that_of_their_surface(background: float) -> None:
    """2π Δρ² S/V times the volume fraction (G. Porod 1951), with sizes 20 % apart against the fringes."""
    contrast, phi, q = 3.0, 0.01, np.geomspace(0.005, 0.5, 300)
    radii = np.linspace(30, 190, 321)
    number = np.exp(-(((radii - 100) / 20) ** 2) / 2)
    volume = 4 / 3 * np.pi * radii**3
    density = phi * number / np.sum(number * volume)
    clean = np.sum(
        [n * (contrast * v) ** 2 * sphere(q, r) for n, v, r in zip(density, volume, radii, strict=True)],
        axis=0,
    )
    surface = np.sum(density * 4 * np.pi * radii**2)
    start = clean[np.searchsorted(q, 0.17)]
    found = measured(q, clean + background * start).porod()
    assert isinstance(found, Porod)
    assert found.exponent == pytest.approx(4, abs=3 * found.exponent_error + 0.05)
    assert found.constant == pytest.approx(2 * np.pi * contrast**2 * surface, rel=0.05)
    assert found.background == pytest.approx(
        background * start, abs=3 * found.background_error + 2e-3 * start
    )


def test_a_chain_has_no_porod_constant() -> None:
    found = measured(Q, coil(Q, 100.0)).porod()
    assert isinstance(found, Porod)
    assert found.constant is None
    assert found.exponent == pytest.approx(2, abs=0.25)


def test_nothing_is_said_of_noise() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        found = Curve(Q, rng.standard_normal(Q.size), np.ones_like(Q)).model_free()
        assert not any((found.guinier, found.low, found.high, found.porod, found.plateau, found.peaks))
        assert isinstance(found.kratky, Refused)


def test_the_plateau_below_a_guinier_region() -> None:
    found = measured(Q, 7 * sphere(Q, 15.0) + 1e-3).model_free().plateau
    assert isinstance(found, Plateau)
    assert found.level == pytest.approx(7, rel=0.04)
    assert found.q_max < 0.5 / (15 * np.sqrt(3 / 5)) * 1.3


@pytest.mark.parametrize("steps", [1, 3])
def test_peaks_of_a_lamellar_phase_stand_where_bragg_says(steps: int) -> None:
    repeat = 63.0
    q = np.linspace(0.02, 0.4, 400 * steps)
    orders = (2 * np.pi * k / repeat for k in (1, 2, 3))
    clean = 0.02 * (q / 0.1) ** -2 + sum(
        np.exp(-(((q - at) / 0.004) ** 2) / 2) / k for k, at in enumerate(orders, 1)
    )
    found = measured(q, clean).peaks()
    assert [peak.d * k for k, peak in enumerate(found, 1)] == pytest.approx([repeat] * 3, rel=0.005)
    assert not any(peak.fringe for peak in found)
    assert all(abs(peak.width - 0.0094) < 0.002 for peak in found)


def test_fringes_of_a_sphere_are_said_to_be_possible_fringes() -> None:
    found = measured(Q, sphere(Q, 60.0)).peaks()
    assert found[0].q * 60 == pytest.approx(5.763, rel=0.01)  # tan x = 3x / (3 − x²)
    assert all(peak.fringe for peak in found[:2])


def test_smooth_curves_have_no_maximum() -> None:
    for seed in range(20):
        assert measured(Q, coil(Q, 60.0), 0.1, seed).peaks() == ()


def test_the_kratky_plot_tells_a_sphere_from_a_chain() -> None:
    """Of a sphere it has its maximum, 1.03, at q Rg = 1.61; of a chain it rises to 2."""
    compact, chain = measured(Q, sphere(Q, 60.0)).kratky(), measured(Q, coil(Q, 60.0)).kratky()
    assert isinstance(compact, Kratky)
    assert isinstance(chain, Kratky)
    assert (compact.peak_x, compact.peak_y) == pytest.approx((1.61, 1.03), rel=0.05)
    assert chain.peak_x is None
    assert np.median(chain.y[-20:]) == pytest.approx(2, rel=0.15)


def test_all_of_it_is_plain_json() -> None:
    for clean in (sphere(Q, 60.0), Q**-1.0):
        found = json.loads(json.dumps(measured(Q, clean).model_free().as_dict(), allow_nan=False))
        assert set(found) == {"guinier", "low_slope", "high_slope", "porod", "plateau", "peaks", "kratky"}
    assert "refused" in found["guinier"]


def test_a_maximum_at_one_q_that_stands_there_several_times_is_none() -> None:
    """Its width is zero; warnings are errors here."""
    q = np.concatenate([np.linspace(0.01, 0.04, 30), np.full(40, 0.05), np.linspace(0.06, 0.1, 30)])
    intensity = np.ones_like(q)
    intensity[45:55] = 10.0
    assert Curve(q, intensity, np.full(q.size, 0.01)).peaks() == ()
