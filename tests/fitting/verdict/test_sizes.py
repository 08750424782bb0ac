"""Sizes that models of different names share, and what they are known to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_results import SPHERE, Q, answer, fitted, p

from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.verdict.sizes import (
    Size,
    find_agreement,
    find_lower_bounds,
    make_size,
    sizes,
    spread,
)
from sasnet_plugin.simulate.priors import model_info


def _shell(radius: float, thickness: float, error: float = 5.0) -> ModelFit:
    return fitted("core_shell_sphere", radius=p(radius, error), thickness=p(thickness, error))


def test_every_size_is_a_sum_of_parameters_that_its_model_has() -> None:
    from sasnet_plugin.fitting.verdict import sizes as module

    for model, found in module._OF.items():
        known = {one.name.partition("[")[0] for one in model_info(model).parameters.kernel_parameters}
        assert {part.rstrip("*") for parts in found.values() for part in parts} <= known, model


def test_a_radius_is_the_outer_one_whatever_the_model() -> None:
    onion = fitted(
        "core_multi_shell", n=p(2, None, "", fixed=True), radius=p(40, 1), thickness1=p(20, 1),
        thickness2=p(10, 1), thickness3=p(99, 1),
    )  # fmt: skip
    found = [sizes(fit)["outer radius"].value for fit in (SPHERE, _shell(42, 19), onion)]
    assert found == pytest.approx([72.03, 61, 70], rel=1e-4)
    assert sizes(fitted("sphere+power_law", radius=p(10, 1))) == {}


def test_the_sum_of_what_is_traded_is_known_better_than_its_parts() -> None:
    # A core and its shell whose derivatives are nearly the same: only the sum is determined.
    rng = np.random.default_rng(1)
    slope = rng.standard_normal(Q.size)
    traded = {"radius": slope, "thickness": slope + 0.01 * rng.standard_normal(Q.size)}
    fit = fitted("core_shell_sphere", radius=p(42, 5), thickness=p(19, 5), derivatives=traded)
    apart = fitted("core_shell_sphere", radius=p(42, 5), thickness=p(19, 5))
    assert sizes(apart)["outer radius"].error == pytest.approx(5 * np.sqrt(2))
    assert (sizes(fit)["outer radius"].error or 0) < 0.3


def test_what_equal_fits_say_is_in_the_error() -> None:
    one = Size("radius", 62.5, 0.2, "Ang", ("radius",))
    others = [Size("radius", value, 0.1, "Ang", ("radius",)) for value in (62.2, 62.4)]
    assert spread(one, []) == 0.2
    found = spread(one, others)
    assert found == pytest.approx(np.sqrt(0.2**2 + (0.3**2 + 0.1**2) / 3))
    assert found is not None
    assert abs(62.5 - 62.0) < 2 * found  # the truth
    assert spread(Size("radius", 62.5, None, "Ang", ()), others) is None


def test_kinds_of_distribution_are_compared_by_their_means() -> None:
    width = p(0.2, 0.01, "")
    schulz = fitted("sphere", radius=p(60.0, 0.1), radius_pd=width, distributions={"radius": "schulz"})
    # The same mean: sasmodels' radius of a log-normal distribution is its median.
    median = 60.0 * float(np.exp(-0.5 * 0.2**2))
    lognormal = fitted(
        "sphere", radius=p(median, 0.1), radius_pd=width, distributions={"radius": "lognormal"}
    )  # fmt: skip
    found = [sizes(fit)["outer radius"] for fit in (schulz, lognormal)]
    assert found[0].value == pytest.approx(found[1].value, rel=1e-3)
    assert [size.title for size in found] == ["number-mean outer radius"] * 2


def test_fits_agree_on_a_size_that_most_of_them_have() -> None:
    same = find_agreement([SPHERE, _shell(50, 21), fitted("ellipsoid", radius_polar=p(1, 1))])
    assert same is not None
    assert same.value == pytest.approx((72.03 + 71) / 2, rel=1e-4)
    # No less than what either is known to.
    assert (same.error or 0.0) > (sizes(_shell(50, 21))["outer radius"].error or np.inf)
    assert find_agreement([SPHERE, _shell(20, 21)]) is None
    assert find_agreement([SPHERE, SPHERE]) is None  # one model agrees with itself
    assert find_agreement([SPHERE, _shell(50, 21), *[fitted("dab")] * 3]) is None


def test_nothing_is_agreed_on_that_no_fit_determines() -> None:
    """Flat noise: a coil and a Guinier law of 0.88 Å that say ± 72 Å each."""
    coil, guinier = (
        fitted(name, rg=p(rg, 72.0)) for name, rg in (("mono_gauss_coil", 0.87), ("guinier", 0.89))
    )
    assert find_agreement([coil, guinier]) is None


def test_what_is_not_determined_is_no_quantity() -> None:
    fit = fitted("cylinder", radius=p(20, 1), length=p(200, 350))
    assert make_size("length", fit) is None
    assert make_size("nothing", fit) is None
    assert make_size("radius", fit) == Size("radius", 20, 1, "Ang", ("radius",))


def test_a_square_is_told_as_the_length_that_people_know() -> None:
    fit = fitted("star_polymer", rg_squared=p(6400, 160, "Ang^2"))
    assert make_size("rg_squared", fit) == Size("rg_squared", 80, 1, "Ang", ("rg_squared",))


def test_lengths_beyond_the_data_are_at_least_that() -> None:
    long = fitted("cylinder", radius=p(20, 1), length=p(1090, 160))
    assert find_lower_bounds(answer(long).fits[0]) == {"length": pytest.approx(np.pi / 0.01)}


def test_a_fit_of_little_weight_widens_an_error_as_little() -> None:
    own = Size("outer radius", 20.0, 0.1, "Ang", ("radius",))
    even, unlikely = replace(own, value=18.0), replace(own, value=18.0, weight=0.02)
    assert spread(own, [even]) == pytest.approx((0.1**2 + 2.0**2 / 2) ** 0.5)
    assert spread(own, [unlikely]) == pytest.approx((0.1**2 + 0.02 * 2.0**2 / 1.02) ** 0.5)
