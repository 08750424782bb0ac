"""From an image to the pixels that count: nothing scaled, masked pixels left out, bad images refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from orientation.orientedpatterns import FLAT, STOP
from sasnet_plugin.fitting.orientation.counts import on_window
from sasnet_plugin.fitting.orientation.settings import INVERSION
from sasnet_plugin.simulate.gisas.geometry import WINDOW
from sasnet_plugin.types import DataError, Image

Make = Callable[..., Image]


def test_counts_stay_whole_and_masked_pixels_out(measured: Make) -> None:
    image = measured(FLAT)
    counts, shown = on_window(image)
    np.testing.assert_array_equal(counts.y, image.counts[image.mask])
    np.testing.assert_array_equal(counts.spread(counts.y)[~image.mask], 0)
    assert shown.counts.shape == WINDOW.shape
    phi = np.broadcast_to(WINDOW.centres()[1], WINDOW.shape)[counts.mask]
    assert np.all(np.abs(phi) > STOP)
    np.testing.assert_array_equal(counts.beside_rod, np.abs(phi) > INVERSION.rod)


def test_bad_images_are_refused_with_a_sentence(measured: Make) -> None:
    image = measured(FLAT)
    cases = [
        (replace(image, counts=-image.counts), "negative counts"),
        (replace(image, counts=np.zeros(WINDOW.shape)), "too few"),
        (
            replace(image, geometry=replace(image.geometry, phi=image.geometry.phi + 90)),
            "nothing of the window",
        ),
    ]
    for bad, words in cases:
        with pytest.raises(DataError, match=words) as caught:
            on_window(bad)
        assert "made.tif" in str(caught.value)
        assert "\n" not in str(caught.value)
