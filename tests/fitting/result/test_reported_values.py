"""Values as they are reported: the same quantity whichever size distribution was fitted, with one error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_results import SPHERE, Q, fitted, p
from sasmodels.weights import get_weights

from sasnet_plugin.fitting.result.reported_values import (
    moments,
    parameters_in_words,
    sigmas,
    slopes_of_moments,
    sum_of,
    value_of,
)


@pytest.mark.parametrize("kind", ["gaussian", "schulz", "lognormal"])
@pytest.mark.parametrize("width", [0.05, 0.2, 0.45])
def test_moments_are_those_of_the_distribution_that_sasmodels_sums_over(kind: str, width: float) -> None:
    size, weight = get_weights(kind, 2001, width, sigmas(kind), 50.0, (0.0, np.inf), True)
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
