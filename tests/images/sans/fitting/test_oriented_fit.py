"""Verdict and words of a fit of an oriented image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.images.sans.fitting import (
    SETTINGS,
    OrientedFit,
    OrientedImage,
    Unevenness,
    cells_of,
    finish_fit,
    scale_errors,
)
from sasnet_plugin.predict.findings import Value
from tests.images.sans.fitting import rods


@pytest.fixture(scope="module")
def good() -> OrientedFit:
    cells = cells_of(rods.rods(0.6))
    known = {"radius": 40.0, "aspect": 4.0, "radius_pd": 0.1, "p2": 0.6, "director": 30.0, "length": 320.0}
    values = {name: Value(v, 0.01 * v, 0.98 * v, 1.02 * v, "") for name, v in known.items()}
    amplitudes = (1.0, *[0.0] * (1 + len(SETTINGS.powers)))
    return OrientedFit("cylinder", values, cells, cells.counts, 1.0, 0.0, amplitudes=amplitudes)


def test_a_fit_holds_by_counting_or_within_what_efficiencies_are_known_to(good: OrientedFit) -> None:
    assert good.verified
    assert replace(good, chisq=50.0, misfit=0.02).verified
    assert not replace(good, chisq=2.0, misfit=0.1).verified
    assert not replace(good, at_limit=("aspect",)).verified
    assert "aspect" in replace(good, at_limit=("aspect",)).sentences()[0]


def test_a_deviance_above_that_of_counting_is_a_caution_and_widens_errors(good: OrientedFit) -> None:
    assert good.caution == ""
    assert good.headline.startswith("Verified fit: ")
    over = replace(good, chisq=1.0 + 9 * good.scatter, misfit=0.02)
    assert over.verified
    assert over.headline.startswith("Fit: ")
    assert over.caution.startswith("The fit does not agree with the image within counting statistics")
    assert over.caution in over.sentences()
    counting = {"radius": 1.0, "aspect": 0.5, "covariance": 0.1}
    wider = scale_errors({"radius": 0.5, "aspect": 2.0, "covariance": 0.2}, counting, 2.0)
    assert wider == {"radius": 2.0, "aspect": 2.0, "covariance": 0.8}


def test_sizes_of_a_fit_as_likely_with_another_axis_along_the_direction_widen_errors(
    good: OrientedFit,
) -> None:
    sizes = {"radius_equat_minor": 40.0, "radius_equat_minor_pd": 0.1, "radius_equat_major": 60.0}
    start = {"sld": 4.0, "sld_solvent": 1.0, **sizes, "radius_polar": 15.0, "p2": 0.8, "director": 133.0}
    best = OrientedImage(good.cells, "triaxial_ellipsoid", start)
    turned = replace(best, start={**start, "radius_polar": 55.0, "director": 43.0})
    errors = dict.fromkeys(best.sample_limits, 0.5)
    fit = finish_fit(best, errors, Unevenness(0.0, np.zeros(2)), [turned])
    assert fit.other == pytest.approx((0.8, 43.0))
    polar, major = fit.values["radius_polar"], fit.values["radius_equat_major"]
    assert polar.error == pytest.approx(np.hypot(0.5, 40 / np.sqrt(2)))
    assert polar.high > 55
    assert major.error == pytest.approx(0.5)
    assert "An angle of 43° with ⟨P₂⟩ = 0.80 fits as well." in fit.sentences()[0]


def test_json_and_words_say_the_same(good: OrientedFit) -> None:
    found = replace(good, other=(-0.25, 120.0))
    fit = found.as_dict()["fit"]
    assert fit["parameters"]["p2"] == {"value": 0.6, "error": 0.006, "unit": ""}
    assert fit["or"] == {"p2": -0.25, "director_deg": 120.0}
    assert fit["verified"] is True
    (sentence,) = found.sentences()
    assert sentence.startswith("Verified")
    assert "An angle of 120° with ⟨P₂⟩ = -0.25" in sentence


def test_simulated_again_the_image_is_brightest_across_the_rods(good: OrientedFit) -> None:
    """Rods scatter across their axes."""
    geometry = rods.rods(0.6).geometry
    found = good.intensity(geometry)
    ring = (geometry.q > 0.03) & (geometry.q < 0.04)
    angle = np.degrees(np.arctan2(geometry.qy, geometry.qx)) % 180
    along, across = (ring & (abs(angle - a) < 10) for a in (30.0, 120.0))
    assert found[across].mean() > 3 * found[along].mean()
