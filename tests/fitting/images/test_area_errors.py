"""Errors of an image's fit beside a detector that counts unevenly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.fitting.images.area_errors import area_errors
from sasnet_plugin.fitting.images.fit_image import run
from sasnet_plugin.fitting.images.oriented import OrientedImage, cells_of
from sasnet_plugin.types import Image
from tests.fitting.images import rods

SIZES = {"radius": rods.RADIUS, "aspect": rods.ASPECT, "radius_pd": rods.SPREAD}
TRUTH = {**SIZES, "p2": 0.6, "director": rods.DIRECTOR}


def ends(image: Image) -> tuple[float, float, float]:
    """P₂ where a fit from the truth ends, its error by counting, and by areas."""
    problem = OrientedImage(cells_of(image), "cylinder", TRUTH)
    counted = run(problem)
    return problem.values()["p2"], counted["p2"], area_errors(problem, counted)["p2"]


def uneven(image: Image, rng: np.random.Generator) -> Image:
    """Areas of some twenty pixels count more or less."""
    from scipy.ndimage import gaussian_filter

    clouds = gaussian_filter(rng.standard_normal(image.counts.shape), 8.0)
    return replace(image, counts=rng.poisson(image.counts * (1 + 0.08 * clouds / clouds.std())).astype(float))


def test_errors_by_areas_know_of_uneven_detectors_and_agree_with_counting_without() -> None:
    rng = np.random.default_rng(5)
    image = rods.rods(0.6)
    _, counted, by_area = ends(image)
    assert by_area == pytest.approx(counted, rel=0.3)
    found = np.array([ends(uneven(image, rng)) for _ in range(12)])
    off = found[:, 0] - 0.6
    assert np.sqrt(np.mean((off / found[:, 1]) ** 2)) > 4, "by counting alone P₂ would be known far too well"
    assert np.sqrt(np.mean((off / found[:, 2]) ** 2)) < 2.5
