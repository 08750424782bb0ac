"""Errors and correlations of fitted parameters are those of repeated measurements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_results import SPHERE, Q, fitted, p
from sasmodels.weights import get_weights

from sasnet_plugin.fitting.optimize.finish import strong_pairs
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.fitting.result.reported_values import (
    correlations,
    describe_value,
    errors_of,
    is_determined,
    list_undetermined,
    moments,
    parameters_in_words,
    slopes_of_moments,
    sum_of,
    telling,
    value_of,
)
from sasnet_plugin.simulate.size_distributions import find_nsigma

# --- Errors and correlations of fitted parameters are those of repeated measurements.


def test_correlations_are_those_of_repeated_measurements() -> None:
    # A straight line far from its origin: slope and offset trade places; r = -mean(x)/rms(x).
    x = np.linspace(10.0, 11.0, 40)
    found = correlations({"offset": np.ones(40), "slope": 1e6 * x})
    expected = -np.mean(x) / np.sqrt(np.mean(x**2))
    assert found[0, 1] == pytest.approx(expected, abs=1e-6)
    rng = np.random.default_rng(5)
    fitted = np.array([np.polyfit(x, rng.standard_normal(40), 1) for _ in range(400)])
    assert np.corrcoef(fitted.T)[0, 1] == pytest.approx(expected, abs=1e-3)
    without = correlations({"offset": np.ones(40), "idle": np.zeros(40)})
    assert without[0, 0] == pytest.approx(1)
    assert np.isnan(without[0, 1])


def test_errors_from_derivatives_are_those_of_a_straight_line() -> None:
    """Of y = a + b x at unit error: var(b) = 1/Σ(x - mean)², var(a) = 1/n + mean²/Σ(x - mean)²."""
    x = np.linspace(1.0, 3.0, 21)
    found = errors_of({"a": np.ones(21), "b": x, "idle": np.zeros(21)})
    spread = np.sum((x - x.mean()) ** 2)
    assert found["b"] == pytest.approx(1 / np.sqrt(spread))
    assert found["a"] == pytest.approx(np.sqrt(1 / 21 + x.mean() ** 2 / spread))
    assert np.isnan(found["idle"])


def test_contrast_and_scale_are_named_as_a_pair() -> None:
    x = np.linspace(1.0, 3.0, 21)
    found = strong_pairs({"scale": x, "sld": -2 * x + 1e-6 * x**2, "radius": x**3})
    assert next(iter(found)) == ("scale", "sld")
    assert found["scale", "sld"] == pytest.approx(1.0, abs=1e-3)


# --- Values as they are reported: the same quantity whichever size distribution was fitted, with
# --- one error.


@pytest.mark.parametrize("kind", ["gaussian", "schulz", "lognormal"])
@pytest.mark.parametrize("width", [0.05, 0.2, 0.45, 0.6])
def test_moments_are_those_of_the_distribution_that_sasmodels_sums_over(kind: str, width: float) -> None:
    size, weight = get_weights(kind, 20001, width, find_nsigma(kind, width), 50.0, (0.0, np.inf), True)
    weight = weight / weight.sum()
    mean = weight @ size
    found = moments(kind, width)
    assert 50.0 * found[0] == pytest.approx(mean, rel=1e-3)
    assert found[1] == pytest.approx(np.sqrt(weight @ (size - mean) ** 2) / mean, rel=2e-3)


def test_moments_of_a_narrow_log_normal_distribution_are_the_textbook_ones() -> None:
    mean, deviation = moments("lognormal", 0.1)
    assert mean == pytest.approx(np.exp(0.005), rel=1e-4)
    assert deviation == pytest.approx(np.sqrt(np.expm1(0.01)), rel=2e-3)
    assert slopes_of_moments("lognormal", 0.1) == pytest.approx((0.1, 1.0), rel=0.05)


def test_one_size_is_reported_as_it_is() -> None:
    fit = fitted("sphere", radius=p(50.0, 0.7))
    assert value_of(fit, "radius") == (50.0, 0.7)
    assert value_of(SPHERE, "radius_pd") == pytest.approx((0.1, 0.004), rel=1e-3)


def test_a_mean_that_is_known_where_median_and_width_are_traded_has_its_own_small_error() -> None:
    """Median and width move against each other; the mean, which the curve shows, does not."""
    rng = np.random.default_rng(1)
    along, across = rng.standard_normal((2, Q.size))
    median, width = 60.0, 0.3
    slopes = {  # only ln(mean) = ln(median) + width²/2 is well determined
        "radius": along / median * 1e3 + across * 1e-2,
        "radius_pd": width * along * 1e3 - across * 1.0,
    }
    fit = fitted(
        "sphere", radius=p(median, 2.0), radius_pd=p(width, 0.11, ""), derivatives=slopes,
        distributions={"radius": "lognormal"},
    )  # fmt: skip
    error = value_of(fit, "radius")[1]
    assert error is not None
    assert error < 0.5
    # What other distributions say of the mean is no part of that.
    apart = replace(fit, apart={"radius": 1.5})
    assert (value_of(apart, "radius")[1] or 0.0) >= 1.5 * np.exp(0.04)


def test_details_name_mean_and_median() -> None:
    fit = replace(SPHERE, distributions={"radius": "lognormal"})
    said = parameters_in_words(fit)
    assert "(median; mean 72.39 ± " in said
    assert "relative standard deviation 0.1" in said


def test_a_sum_is_that_of_the_means() -> None:
    core = fitted(
        "core_shell_sphere", radius=p(40.0, 1.0), radius_pd=p(0.2, 0.01, ""), thickness=p(10.0, 1.0),
        distributions={"radius": "lognormal"},
    )  # fmt: skip
    assert sum_of(core, ["radius", "thickness"])[0] == pytest.approx(40 * np.exp(0.02) + 10, rel=1e-3)


# --- Which parameters tell most of a sample, and which the data do not determine.

Q_HEADLINE = np.geomspace(0.01, 0.3, 60)


def _p(value: float, error: float | None, unit: str, fixed: bool = False) -> Parameter:
    return Parameter(value, error, unit, fixed, 0.0, 1e3)


PARAMETERS = {
    "scale": _p(0.01, 0.001, ""),
    "background": _p(0.1, 0.01, "1/cm"),
    "sld": _p(4.0, None, "1e-6/Ang^2", True),
    "radius": _p(41.31, 0.62, "Ang"),
    "thickness": _p(19.58, 1.1, "Ang"),
    "length": _p(200.0, 350.0, "Ang"),
    "volfraction": _p(0.12, 0.011, ""),
    "charge": _p(12.0, 1.0, "e"),
    "radius_pd": _p(0.1, 0.01, ""),
}
FIT = ModelFit("vesicle", "hardsphere", PARAMETERS, {}, 60.0, 1.0432, 70.0, 0.5, 0.1, 1 / Q_HEADLINE)


def test_lengths_come_first_and_a_width_besides() -> None:
    assert [name for name, _ in telling(FIT)] == ["radius", "thickness", "charge", "radius_pd"]


def test_contrasts_beside_a_fitted_scale_are_a_convention_and_no_result() -> None:
    contrast = {"sld_core": _p(9.9, 0.16, "1e-6/Ang^2")}
    short = {name: PARAMETERS[name] for name in ("scale", "radius")} | contrast
    assert [name for name, _ in telling(replace(FIT, parameters=short))] == ["radius"]
    absolute = replace(FIT, parameters=short | {"scale": _p(1.0, None, "", True)})
    assert [name for name, _ in telling(absolute)] == ["radius", "sld_core"]


def test_what_the_data_leave_open_is_no_measurement() -> None:
    opened = replace(FIT, parameters={"scale": _p(74.0, 6500.0, ""), "length": PARAMETERS["length"]})
    assert list_undetermined(opened) == ["length"]
    assert describe_value("length", PARAMETERS["length"]) == "length not determined (200 ± 350 Å)"
    assert "sld" not in parameters_in_words(FIT)
    assert "scale not determined (100 ± 6500)" in parameters_in_words(opened)
    for unit, words in (("1/cm", "cm⁻¹"), ("Counts", "Counts"), ("unit of I", "unit of I")):
        counted = replace(FIT, parameters={"background": _p(0.98, 0.34, unit)})
        assert parameters_in_words(counted) == f"background 0.98 ± 0.34 {words}"
    # Zero is no mark for a density, and a good value of a background.
    assert is_determined("sld", _p(0.2, 0.5, "1e-6/Ang^2"))
    assert not is_determined("sld", _p(0.2, 12.0, "1e-6/Ang^2"))
    assert all(
        is_determined("background", _p(0.001, 0.002, unit)) for unit in ("1/cm", "unit of I", "counts")
    )
