"""Oriented images fitted: the values that they were simulated with, and a verdict that holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.domains import ReadOptions
from sasnet_plugin.images.sans.fitting import DISTRIBUTIONS, OrientedFit, fit_oriented, refine_answer
from sasnet_plugin.images.sans.reading import read
from sasnet_plugin.images.sans.report import _directions, write_image
from sasnet_plugin.images.sans.specification import SANS2D
from sasnet_plugin.predict.findings import Answer
from sasnet_plugin.predict.predictor import open_predictor
from sasnet_plugin.types import DataError
from tests.images.sans.fitting import rods


@pytest.fixture(scope="module")
def fitted() -> OrientedFit:
    """Rods of P₂ = 0.6, fitted from nothing but their direction."""
    return fit_oriented(rods.rods(0.6), {"director": 30.0})


def test_rods_are_found_with_their_size_order_and_direction(fitted: OrientedFit) -> None:
    assert fitted.body == "cylinder"
    assert fitted.verified
    assert fitted.values["p2"].value == pytest.approx(0.6, abs=0.03)
    assert fitted.values["director"].value == pytest.approx(rods.DIRECTOR, abs=1.0)
    assert fitted.values["radius"].value == pytest.approx(rods.RADIUS, rel=0.05)
    assert fitted.values["aspect"].value == pytest.approx(rods.ASPECT, rel=0.15)
    length = fitted.values["length"]
    assert length.value == pytest.approx(2 * rods.RADIUS * rods.ASPECT, abs=3 * length.error)
    assert " Å, length " in fitted.headline
    said = fitted.as_dict()["fit"]
    assert said["distribution"] in DISTRIBUTIONS
    assert said["verified"]
    assert said["parameters"]["radius"]["unit"] == "Å"
    assert "Verified" in fitted.sentences()[0]


def test_flat_cylinders_and_other_distributions_of_radii_are_found() -> None:
    image = rods.discs()
    fitted = fit_oriented(image, {"director": 30.0})
    assert (fitted.body, fitted.verified) == ("cylinder", True)
    assert fitted.values["aspect"].value == pytest.approx(0.2, abs=3 * fitted.values["aspect"].error)
    assert fitted.values["radius"].value == pytest.approx(60, abs=3 * fitted.values["radius"].error)


def test_what_is_added_to_the_image_is_not_verified(fitted: OrientedFit) -> None:
    image = rods.rods(0.6)
    spot = np.exp(-(((image.geometry.qx - 0.04) / 0.008) ** 2) - ((image.geometry.qy / 0.008) ** 2))
    more = replace(image, counts=image.counts + np.where(image.mask, np.round(40 * spot), 0.0))
    found = fit_oriented(more, {"director": 30.0}, seconds=0.0)
    assert not found.verified
    assert found.chisq > 2 * fitted.chisq
    assert "Neither cylinders" in found.sentences()[0] or "end of its range" in found.sentences()[0]


def test_an_image_that_is_alike_all_around_is_left_to_the_fit_of_curves() -> None:
    answer = Answer("a.dat", "", 0.9, (), keys=SANS2D.keys)
    found = refine_answer(rods.rods(0.0), answer)
    assert any("curve" in note for note in found.notes)
    assert found.findings == ()


def test_an_image_without_an_answer_is_refused_with_its_reason() -> None:
    """Scattering to one side, as under grazing incidence: no class is given, and nothing can be fitted."""
    image = rods.rods(0.6)
    half = replace(image, counts=np.where(image.geometry.qx > 0, image.counts, np.round(0.1 * image.counts)))
    (answer,) = open_predictor(SANS2D.name).answers([half])
    assert not answer.known
    with pytest.raises(DataError, match="Scattering at q and at −q differs by .* no shape is given"):
        refine_answer(half, answer)


def test_image_and_fit_as_nxcansas_are_read_again(fitted: OrientedFit, tmp_path: Path) -> None:
    image = rods.rods(0.6)
    write_image(image, fitted, tmp_path / "a.h5")
    measured, again = read(tmp_path / "a.h5", ReadOptions())
    seen = image.mask & measured.mask & again.mask
    assert seen.sum() > 0.9 * image.mask.sum()
    np.testing.assert_allclose(measured.counts[seen], (image.counts / image.geometry.weight)[seen])
    np.testing.assert_allclose(measured.geometry.qx, image.geometry.qx, atol=1e-9)
    # The fitted image is the measured one but for counting: a mean of χ² near 1.
    variance = np.maximum(again.counts * image.geometry.weight, 0.1)[seen]
    off = (image.counts - again.counts * image.geometry.weight)[seen]
    assert np.mean(off**2 / variance) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("director", [29.0, 31.0, 119.5, 89.8, 90.3, 179.9, 359.9])
def test_the_two_sectors_keep_their_order_when_a_fit_knows_the_axes(director: float) -> None:
    """Harmonics know the axes but for a quarter turn."""
    before = _directions((director + 1) % 90, None)
    after = _directions((director + 1) % 90, director)
    turns = [abs((a - b + 90) % 180 - 90) for a, b in zip(before.values(), after.values(), strict=True)]
    assert max(turns) < 2
    assert after[f"{director % 180:.0f}°, along the axes"] == director
    assert not any("a" in name for name in before), "what they are along is not known"
