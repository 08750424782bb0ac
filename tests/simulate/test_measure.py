"""Noise, background and faults: what they do to a sphere, and when a curve shows no feature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import maximum_filter1d

from sasnet_plugin.noise import estimate_dintensity
from sasnet_plugin.simulate import measure as simulate_measure
from sasnet_plugin.simulate.grid import WIDE_Q, pinhole_matrix
from sasnet_plugin.simulate.instrument import Setting
from sasnet_plugin.simulate.measure import SYSTEMATIC, Measured, is_uninformative, measure

COUNTS = 2000.0
ROWS = 400


def sphere(q: np.ndarray, radius: float = 60.0) -> np.ndarray:
    x = q * radius
    return (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2


def _setting(counts: float, n: int = 200) -> Setting:
    q = np.geomspace(0.005, 0.3, n)
    matrix = pinhole_matrix(q, 0.05 * q)
    return Setting("sans_merged", q, 0.05 * q, None, counts, matrix, np.gradient(q))


@pytest.fixture(scope="module")
def setting() -> Setting:
    return _setting(COUNTS)


@pytest.fixture(scope="module")
def measured(setting: Setting) -> Measured:
    return measure(np.tile(sphere(WIDE_Q), (ROWS, 1)), setting, np.random.default_rng(5))


def _reduced_chi2(measured: Measured, shape: np.ndarray) -> np.ndarray:
    """Chi² per degree of freedom of A shape + B, for each row."""
    found = []
    for row, sigma in zip(measured.intensity, measured.dintensity, strict=True):
        basis = np.stack([shape, np.ones_like(shape)]) / sigma
        fit = np.linalg.lstsq(basis.T, row / sigma, rcond=None)[0]
        found.append(np.sum((row / sigma - fit @ basis) ** 2) / (shape.size - 2))
    return np.array(found)


def test_scatter_about_the_true_curve_is_what_the_uncertainty_says(
    measured: Measured, setting: Setting
) -> None:
    chi2 = _reduced_chi2(measured, setting.matrix @ sphere(WIDE_Q))
    # Scale and background are fitted; a few rows have faults, which the median leaves out.
    assert np.median(chi2[measured.given]) == pytest.approx(1.0, abs=0.07)


def test_the_weakest_quarter_has_the_counts_of_the_setting(measured: Measured) -> None:
    relative = measured.dintensity / np.where(measured.intensity > 0, measured.intensity, np.nan)
    counts = 1 / (relative**2 - SYSTEMATIC**2)
    quarter = np.nanquantile(np.where(counts > 0, counts, np.nan), 0.25, axis=1)
    assert np.median(quarter[measured.given]) == pytest.approx(COUNTS, rel=0.1)


def test_faults_are_as_frequent_as_the_protocol_says(measured: Measured, setting: Setting) -> None:
    assert np.mean(~measured.given) == pytest.approx(0.10, abs=0.05)
    absent = ~measured.given
    scale = np.max(np.abs(measured.intensity), axis=1, keepdims=True)
    assert measured.dintensity[absent] / scale[absent] == pytest.approx(
        estimate_dintensity(measured.intensity[absent]) / scale[absent], rel=1e-9
    )
    # Mis-stated by up to a factor of two either way: chi² then differs from one by up to four.
    chi2 = _reduced_chi2(measured, setting.matrix @ sphere(WIDE_Q))[measured.given]
    assert 0.03 < np.mean(chi2 < 0.7) < 0.15
    # The first point low by a tenth to seven tenths, at a relative precision far better than that.
    drop = 1 - measured.intensity[:, 0] / measured.intensity[:, 5]
    assert np.mean(drop > 0.09) == pytest.approx(0.10, abs=0.05)


def test_over_subtraction_leaves_negative_points(setting: Setting) -> None:
    # A curve that has nothing left at large q: whatever is there is background.
    clean = np.tile(np.exp(-((WIDE_Q * 120) ** 2) / 3), (ROWS, 1))
    result = measure(clean, setting, np.random.default_rng(6))
    tail = np.median(result.intensity[:, -40:], axis=1)
    assert np.mean(tail < 0) == pytest.approx(0.10, abs=0.05)
    assert np.all(result.dintensity > 0)


def test_scale_is_drawn_over_nine_decades_and_the_input_scale_is_forgotten(setting: Setting) -> None:
    clean = np.tile(sphere(WIDE_Q), (ROWS, 1))
    one = measure(clean, setting, np.random.default_rng(7))
    other = measure(1e5 * clean, setting, np.random.default_rng(7))
    assert other.intensity == pytest.approx(one.intensity, rel=1e-6)
    top = np.log10(np.max(one.intensity, axis=1))
    assert -3.3 < top.min() < -2.5
    assert 5.5 < top.max() < 6.3


def test_more_counts_less_noise(setting: Setting) -> None:
    clean = np.tile(sphere(WIDE_Q), (50, 1))
    noise = []
    for counts in (1e2, 1e4, 1e30):
        result = measure(clean, replace(setting, counts=counts), np.random.default_rng(8))
        assert np.all(np.isfinite(result.intensity))
        noise.append(np.median(result.dintensity / np.abs(result.intensity)))
    assert noise[0] > 5 * noise[1] > 5 * noise[2]
    # What counts cannot improve is the systematic scatter.
    assert noise[2] == pytest.approx(SYSTEMATIC, rel=0.1)


Q = np.geomspace(0.005, 0.3, 150)


def _noisy(curve: np.ndarray, relative: float, rows: int = 40) -> tuple[np.ndarray, np.ndarray]:
    sigma = np.tile(relative * curve, (rows, 1))
    return curve + sigma * np.random.default_rng(9).standard_normal(sigma.shape), sigma


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.37, 4.0])
@pytest.mark.parametrize("background", [0.0, 0.01])
# No measured curve is more precise than its systematic scatter.
@pytest.mark.parametrize("relative", [0.1, 0.02, SYSTEMATIC])
def test_a_power_law_plus_constant_is_featureless(
    exponent: float, background: float, relative: float
) -> None:
    curve = (Q / Q[0]) ** -exponent + background
    assert np.all(is_uninformative(Q, *_noisy(curve, relative)))


@pytest.mark.parametrize("relative", [0.05, 0.02, SYSTEMATIC])
def test_a_sphere_at_good_counts_is_not_featureless(relative: float) -> None:
    assert not np.any(is_uninformative(Q, *_noisy(sphere(Q) + 1e-3, relative)))


def test_a_sphere_that_noise_hides_is_featureless() -> None:
    curve = sphere(Q, radius=3.0)  # falls by 8 % over the window
    assert np.all(is_uninformative(Q, *_noisy(curve, 0.3)))


def test_measuring_drops_power_laws_and_keeps_spheres(setting: Setting) -> None:
    clean = np.stack([WIDE_Q**-3.0, sphere(WIDE_Q)])[np.arange(60) % 2]
    dropped = measure(clean, setting, np.random.default_rng(10)).uninformative
    assert np.all(dropped[0::2])
    assert not np.any(dropped[1::2])


def _only(monkeypatch: pytest.MonkeyPatch, curve: np.ndarray, **shares: float) -> np.ndarray:
    """4,000 copies of a curve with one kind of systematic error alone."""
    none = dict.fromkeys(("strong", "sloped", "upturn", "joined", "slow", "minima"), 0.0)
    monkeypatch.setattr(simulate_measure, "SHARES", replace(simulate_measure.SHARES, **none | shares))
    many = np.tile(curve, (4000, 1))
    rough, _ = simulate_measure.roughen(ROUGH_Q, many, np.full((4000, 1), 1e-12), np.random.default_rng(4))
    return rough / curve


ROUGH_Q = np.geomspace(0.003, 0.4, 300)


def test_slow_errors_in_training_have_the_documented_size_and_are_smooth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rough = _only(monkeypatch, np.ones(ROUGH_Q.size), slow=0.35)
    off = np.any(rough != 1, axis=1)
    assert np.mean(off) == pytest.approx(0.35, abs=0.03)
    assert np.abs(np.diff(np.log(rough[off]), axis=1)).max() < 0.02
    rms = np.sqrt(np.mean(np.log(rough[off]) ** 2, axis=1))
    # The median of 0.3 to 6 %, log-uniform, is 1.3 %; a curve holds but a few correlation lengths.
    assert np.median(rms) == pytest.approx(0.013, rel=0.3)
    assert np.quantile(rms, 0.99) < 0.15


def test_errors_of_the_model_are_largest_in_minima(monkeypatch: pytest.MonkeyPatch) -> None:
    curve = sphere(ROUGH_Q, radius=60.0)
    off = np.abs(_only(monkeypatch, curve, minima=1.0) - 1)
    deep = curve < 1e-3 * maximum_filter1d(curve, 41)
    assert deep.any()
    assert np.median(off[:, deep]) > 5 * np.median(off[:, ~deep])
    assert np.median(off[:, :50]) < 0.03


def test_backgrounds_rise_and_fall_up_to_the_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    rough = _only(monkeypatch, ROUGH_Q**-2.0 / ROUGH_Q[0] ** -2.0, sloped=1.0) - 1
    assert np.all(rough > 0)
    # The background relative to a signal of q⁻² rises with q for every exponent above -2.
    power = np.log(rough[:, -1] / rough[:, 0]) / np.log(ROUGH_Q[-1] / ROUGH_Q[0]) - 2
    assert power.min() == pytest.approx(-2, abs=0.02)
    assert power.max() == pytest.approx(2, abs=0.02)
    assert 0.02 <= np.min(rough[power > 0, -1]) < 0.03
    assert 2.5 < np.max(rough[power > 0, -1]) < 3.01
    assert 2.5 < np.max(rough[power < 0, 0]) < 3.01


def test_training_states_uncertainties_too_small_more_often(setting: Setting) -> None:
    clean = np.tile(sphere(WIDE_Q), (ROWS, 1))
    shares = []
    for wide in (False, True):
        result = measure(clean, setting, np.random.default_rng(3), wide=wide)
        relative = np.median(result.dintensity / np.abs(result.intensity), axis=1)[result.given]
        shares.append(np.mean(relative < 0.45 * np.median(relative)))
    assert shares[0] < 0.02
    assert shares[1] == pytest.approx(0.15 * 0.6, abs=0.06)
