"""From an image to the pixels that count: nothing scaled, masked pixels left out, bad images refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from inversion.orientedpatterns import FLAT, STOP
from sasnet_plugin.images.gisas.inversion import INVERSION, bin_on_window
from sasnet_plugin.images.simulation import WINDOW
from sasnet_plugin.types import DataError, GrazingIncidence, Image

Make = Callable[..., Image]


def test_counts_stay_whole_and_masked_pixels_out(measured: Make) -> None:
    image = measured(FLAT)
    counts, shown = bin_on_window(image)
    np.testing.assert_array_equal(counts.y, image.counts[image.mask])
    np.testing.assert_array_equal(counts.spread(counts.y)[~image.mask], 0)
    assert shown.counts.shape == WINDOW.shape
    phi = np.broadcast_to(WINDOW.centres()[1], WINDOW.shape)[counts.mask]
    assert np.all(np.abs(phi) > STOP)
    np.testing.assert_array_equal(counts.rotation_mask, np.abs(phi) > INVERSION.rod)


def test_bad_images_are_refused_with_a_sentence(measured: Make) -> None:
    image = measured(FLAT)
    cases = [
        (replace(image, counts=-image.counts), "negative counts"),
        (replace(image, counts=np.zeros(WINDOW.shape)), "too few"),
        (
            replace(image, geometry=replace(image.geometry, phi=image.geometry.phi + 90)),
            "outside the analysed range",
        ),
    ]
    for bad, words in cases:
        with pytest.raises(DataError, match=words) as caught:
            bin_on_window(bad)
        assert "made.tif" in str(caught.value)
        assert "\n" not in str(caught.value)


def detector(step: float, beam: float, rng: np.random.Generator) -> Image:
    """Whole counts on a detector of other pixels, the beam at any fraction of one."""
    phi = (np.arange(301) - beam) * step
    alpha_f = (np.arange(280) - 21.4) * step
    counts = rng.poisson(3.0, (280, 301)).astype(float)
    return Image(counts, np.ones(counts.shape, dtype=bool), GrazingIncidence(phi, alpha_f, 1.3, 0.17))


@pytest.mark.parametrize(("step", "beam"), [(0.0056, 150.3), (0.0071, 148.9), (0.0334, 150.5)])
def test_pixels_of_a_detector_are_added_up_whole(step: float, beam: float) -> None:
    image = detector(step, beam, np.random.default_rng(1))
    counts, shown = bin_on_window(image)
    # Shared out by area, hardly any would be whole.
    assert np.array_equal(counts.y, np.round(counts.y))
    assert shown.counts.shape == counts.window.shape
    assert counts.window.columns % 2 == 0
    height, width = counts.window.pixel
    assert width / step == pytest.approx(round(width / step), rel=1e-3)
    # The edge in the middle is one of the detector's, next to φ = 0.
    assert abs(counts.offset) <= step / 2 + 1e-12
    assert (counts.offset + step * (beam + 0.5)) / step == pytest.approx(
        round((counts.offset + step * (beam + 0.5)) / step), abs=1e-6
    )
    assert 0.7 * WINDOW.pixel[1] < width < 1.4 * WINDOW.pixel[1]
    assert 0.7 * WINDOW.pixel[0] < height < 1.4 * WINDOW.pixel[0]


def test_what_lies_on_the_window_stays_on_it(measured: Make) -> None:
    counts, _ = bin_on_window(measured(FLAT))
    assert counts.window == WINDOW
    assert counts.offset == 0.0
