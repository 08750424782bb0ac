"""From an image to a distribution: recovered, mirrored, with a band that counts shrink, and verified."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tinypatterns import folded_w1

from inversion.orientedpatterns import coarse_films
from sasnet_plugin.images.gisas import inversion
from sasnet_plugin.images.gisas.inversion import (
    INDEX,
    INVERSION,
    PARAMETERS,
    OrientationGuess,
    OrientationResult,
    Refined,
    invert,
    prior_guess,
    spread_over_films,
)
from sasnet_plugin.images.gisas.simulation import deltas, peak
from sasnet_plugin.images.reading import load_images
from sasnet_plugin.images.simulation import N_XI, PERIOD, WINDOW, XI
from sasnet_plugin.predict.arithmetic import circular_w1, mirror_distribution
from sasnet_plugin.types import Image

Make = Callable[..., Image]
Near = Callable[..., OrientationGuess]
TWO = deltas(np.array([2.0, 30.0]), np.array([0.7, 0.3]))
UNEVEN = 0.6 * peak(4.0, 3.0) + 0.4 * deltas(np.array([27.0]), np.array([1.0]))


@pytest.fixture
def given_tilt(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other tilts are tried where nothing explains the counts: `test_refine` is about those."""
    steps = {**INVERSION.search_steps, "oxide": 120.0}
    monkeypatch.setattr(inversion, "INVERSION", replace(INVERSION, tilts=(), search_steps=steps))


def test_two_angles_are_found_with_their_shares_and_the_geometry(measured: Make, near: Near) -> None:
    image = measured(TWO, counts=1e6)
    found = invert(image, near(image, 0.15), effort=4)
    assert circular_w1(found.p, TWO, PERIOD) < 0.5
    assert found.p[XI == 2.0] == pytest.approx(0.7, abs=0.05)
    assert found.p[XI == 30.0] == pytest.approx(0.3, abs=0.05)
    assert found.uniform_p_value < 0.01
    assert found.mirror_resolved
    assert found.in_scope == 1.0
    assert not any("times the variance of counts" in note for note in found.notes)
    # An ordinary deviation from its mean, and a picture of residuals that are noise.
    assert abs(found.deviance - found.expected_deviance) < 4 * found.deviance_sd
    assert np.std(found.residual[image.mask]) == pytest.approx(1.0, abs=0.15)
    assert not found.residual[~image.mask].any()
    for name, true in (("lattice", 350), ("width", 1500), ("radius", 100), ("alpha_i", 0.165)):
        value, error, _ = found.geometry[name]
        assert abs(value - true) < 4 * error + 1e-3 * true


@pytest.fixture(scope="module")
def straight(measured: Make, near: Near) -> OrientationResult:
    """Of many counts."""
    image = measured(UNEVEN, counts=1e7)
    with coarse_films():
        return invert(image, near(image), effort=10)


@pytest.mark.usefixtures("few_films")
def test_the_mirrored_image_has_the_mirrored_answer(
    measured: Make, near: Near, straight: OrientationResult
) -> None:
    p, other = UNEVEN, measured(UNEVEN, counts=1e7, turned=True)
    turned = invert(other, near(other, turned=True), effort=10)
    # The margin of a detector and the order of draws differ, and little else.
    assert circular_w1(mirror_distribution(straight.p), turned.p, PERIOD) < 0.7
    assert circular_w1(straight.p, p, PERIOD) < 0.7
    assert circular_w1(straight.mirror, turned.p, PERIOD) < circular_w1(straight.p, turned.p, PERIOD)


@pytest.mark.usefixtures("few_films")
def test_more_counts_shrink_the_band(measured: Make, near: Near, straight: OrientationResult) -> None:
    image = measured(UNEVEN, counts=1e4)
    bands = []
    for found in (invert(image, near(image), effort=10), straight):
        assert np.all(found.p_low <= found.p_high)
        assert np.all(found.p >= 0)
        assert found.p.sum() == pytest.approx(1)
        bands.append(float(np.sum(found.p_high - found.p_low)))
    assert bands[1] < 0.6 * bands[0]
    assert folded_w1(straight.p, UNEVEN) < 1.0


@pytest.mark.usefixtures("given_tilt")
@pytest.mark.parametrize("kind", ["ring", "flat"])
def test_what_no_orientation_explains_is_outside_what_the_model_knows(
    measured: Make, near: Near, kind: str
) -> None:
    alpha, phi = WINDOW.centres()
    radius = np.hypot(alpha[:, None], phi)
    expected = {"ring": np.exp(-0.5 * ((radius - 0.8) / 0.05) ** 2) + 0.01, "flat": np.ones(WINDOW.shape)}
    drawn = np.random.default_rng(0).poisson(expected[kind] * 3e5 / expected[kind].sum()).astype(float)
    image = replace(measured(TWO), counts=drawn, mask=np.ones(WINDOW.shape, dtype=bool))
    found = invert(image, near(image, 0.01), effort=1)
    if kind == "flat":  # where an answer is soonest there
        np.testing.assert_array_equal(found.p, invert(image, near(image, 0.01), effort=1).p)
    assert found.in_scope < 0.1
    assert "outside the training data of this model" in found.notes[-1]


@pytest.mark.usefixtures("given_tilt")
def test_a_detector_that_is_uneven_makes_up_no_orientation(measured: Make, near: Near) -> None:
    p = 0.5 * peak(15.0, 10.0) + 0.5 * np.full(N_XI, 1 / N_XI)
    good = measured(p, counts=1e7)
    sensitivity = 1 + 0.03 * np.random.default_rng(5).normal(size=WINDOW.shape)
    uneven = replace(good, counts=np.round(good.counts * sensitivity))
    found = invert(uneven, near(uneven, 0.01), effort=1)
    assert found.deviance > found.expected_deviance + 20 * found.deviance_sd
    assert any("times the variance of counts" in note for note in found.notes)
    # Variance of unevenness, of what the simulation's tolerance leaves.
    mu = good.counts[good.mask]
    expected = 1 + np.mean((0.03 * mu) ** 2 / (np.maximum(mu, 1) + (INVERSION.tolerance * mu) ** 2))
    widened = next(re.search(r"([\d.]+) times the variance", note) for note in found.notes if "times" in note)
    assert widened is not None
    assert float(widened[1]) == pytest.approx(expected, rel=0.25)
    assert circular_w1(found.p, p, PERIOD) < 2.0


@pytest.mark.usefixtures("few_films")
def test_a_file_of_plain_bornagain_is_read_and_inverted(tmp_path: Path) -> None:
    pytest.importorskip("fabio")
    script = Path(__file__).parents[3] / "reference" / "gisas_file.py"
    path = tmp_path / "film.tif"
    subprocess.run([sys.executable, script, path, "1e6"], check=True, timeout=300)
    (image,) = load_images(path)
    assert image.counts.shape == (128, 128)
    # What an experimenter knows: about the distance of the particles and their size.
    guess = prior_guess(image)
    near = {"lattice": (355.0, 6.0), "radius": (108.0, 4.0)}
    found = invert(image, replace(guess, geometry={**guess.geometry, **near}), effort=4)
    distance = np.minimum(XI, 60 - XI)
    assert found.p[distance <= 3].sum() == pytest.approx(0.7, abs=0.1)
    assert found.p[np.abs(XI - 30) <= 3].sum() == pytest.approx(0.3, abs=0.1)
    assert found.geometry["lattice"][0] == pytest.approx(360, abs=2)
    assert found.geometry["radius"][0] == pytest.approx(110, abs=1)
    assert found.uniform_p_value < 0.01
    assert found.in_scope > 0.5
    assert found.file == str(path)


def test_the_film_s_error_reaches_over_minima_that_are_as_good() -> None:
    """Descents from other films may end where the counts are explained as well: there is no saying which."""
    inner, narrow = np.zeros(len(PARAMETERS)), np.full(len(PARAMETERS), 8.0)
    inner[INDEX["oxide"]] = 560.0
    ends = ((560.0, 900.0), (600.0, 900.0), (602.0, 900.0), (640.0, 925.0))
    refined = Refined(SimpleNamespace(inner=inner), inner, inner, inner, 900.0, ends)  # type: ignore[arg-type]
    found = spread_over_films(refined, inner, narrow)
    # Two that are as likely, one of them reached twice; not the one that is far worse.
    assert found[INDEX["oxide"]] == pytest.approx(np.hypot(8.0, 40.0 / np.sqrt(2)), rel=1e-6)
    assert np.all(np.delete(found, INDEX["oxide"]) == 8.0)
