"""Errors over kinds of size distribution that a curve does not tell apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_results import SPHERE, answer, fitted, p

from sasnet_plugin.fitting.assessment.error_estimates import other_distributions, spread_over_kinds
from sasnet_plugin.fitting.result.model_fit import ModelFit


def of_kind(kind: str, radius: float, width: float = 0.1) -> ModelFit:
    return fitted(
        "sphere", radius=p(radius, 0.2), radius_pd=p(width, 0.004, ""), distributions={"radius": kind}
    )  # fmt: skip


def test_a_resolution_that_the_file_does_not_state_is_in_the_error_of_a_size() -> None:
    best = of_kind("gaussian", 62.0)
    seen_with = replace(of_kind("gaussian", 66.0), chisq=best.chisq - 5.0)
    found = spread_over_kinds(answer(best, distributions=(best, seen_with))).fits[0].parameters["radius"]
    assert found.error == pytest.approx(np.hypot(0.2, 4.0 / np.sqrt(2)))


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
    assert found.parameters["radius"].error == pytest.approx(np.hypot(0.2, 0.4 / np.sqrt(2)), rel=1e-3)
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
