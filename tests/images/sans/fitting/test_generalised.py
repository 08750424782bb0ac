"""Bands of an order parameter that hold what an instrument does to an image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.images.sans import simulation
from sasnet_plugin.images.sans.fitting import (
    OrientedImage,
    cells_of,
    linear,
    refit_generalised,
    run,
    whitening,
)
from sasnet_plugin.images.sans.simulation import (
    Background,
    Direction,
    Posture,
    Sample,
    pars_of,
    row_of,
    simulate_measurement,
)
from sasnet_plugin.types import Image
from tests.images.sans.fitting import rods

SIZES = {"radius": rods.RADIUS, "aspect": rods.ASPECT, "radius_pd": rods.SPREAD}
TRUTH = {**SIZES, "p2": 0.6, "director": rods.DIRECTOR}


def counted(image: Image) -> tuple[OrientedImage, float]:
    """A fit by counting alone, begun at the truth, and its error of P₂ by counting."""
    problem = OrientedImage(cells_of(image), "cylinder", TRUTH)
    run(problem)
    at = linear(problem)
    alone = whitening(np.maximum(at.expected, 0.3), np.zeros((at.expected.size, 1)))
    return problem, at.errors(alone)["p2"]


def uneven(image: Image, rng: np.random.Generator) -> Image:
    """Areas of some twenty pixels count more or less by 8 %."""
    from scipy.ndimage import gaussian_filter

    clouds = gaussian_filter(rng.standard_normal(image.counts.shape), 8.0)
    return replace(image, counts=rng.poisson(image.counts * (1 + 0.08 * clouds / clouds.std())).astype(float))


def test_an_even_detector_leaves_errors_near_those_by_counting() -> None:
    problem, by_counting = counted(rods.rods(0.6))
    best, errors, found = refit_generalised(problem, run)
    assert by_counting <= errors["p2"] < 2 * by_counting
    assert max(found.areas) < 0.02
    assert best.values()["p2"] == pytest.approx(problem.values()["p2"], abs=2 * errors["p2"])


def test_bands_hold_where_a_detector_counts_unevenly() -> None:
    rng = np.random.default_rng(7)
    off = []
    for _ in range(5):
        problem, by_counting = counted(uneven(rods.rods(0.6), rng))
        best, errors, found = refit_generalised(problem, run)
        first, last = problem.values()["p2"] - 0.6, best.values()["p2"] - 0.6
        off.append((first / by_counting, last / errors["p2"]))
        assert max(found.areas) > 0.03
    by_counting_alone, whitened = np.sqrt(np.mean(np.square(off), axis=0))
    assert by_counting_alone > 2, "by counting alone P₂ would be known far too well"
    assert whitened < 1.6


def test_scattering_by_slits_and_a_centre_that_is_off_do_not_move_the_order_parameter() -> None:
    image = rods.rods(0.6)
    rng, geometry = np.random.default_rng(3), image.geometry
    slits = np.where(image.mask, (geometry.q / geometry.q[image.mask].min()) ** -3.4, 0.0) * geometry.weight
    more = image.counts + rng.poisson(0.2 * image.counts.sum() * slits / slits.sum())
    pixel = abs(geometry.qx[0, 1] - geometry.qx[0, 0])
    stated = replace(geometry, qx=geometry.qx + 0.4 * pixel)
    problem, _ = counted(replace(image, counts=more, geometry=stated))
    best, errors, _ = refit_generalised(problem, run)
    now = best.values()
    assert now["centre_x"] == pytest.approx(0.4, abs=0.15)
    assert best.chisq() < 1.2 < problem.chisq()
    assert abs(now["p2"] - 0.6) < 2.5 * errors["p2"] < 0.03


def test_an_image_that_says_nothing_of_its_resolution_has_it_fitted() -> None:
    image = rods.rods(0.6)
    silent = replace(image, geometry=replace(image.geometry, setting=None))
    problem, _ = counted(silent)
    assert "blur" in problem.values()
    assert problem.values()["radius_pd"] == pytest.approx(rods.SPREAD, abs=0.03)
    assert problem.chisq() < 1.25


def test_lost_counts_where_it_is_bright_are_fitted() -> None:
    """Of a detector whose pixels are read apart, so that each is dead for its own counts."""
    ground, rng = rods.ground(), np.random.default_rng(4)
    pars = pars_of("cylinder", rods.RADIUS, rods.ASPECT, rods.SPREAD)
    turned = Direction(simulation.maier_saupe(simulation.strength_of(0.6)), np.radians(rods.DIRECTOR))
    seen = Posture(row_of(Sample("cylinder", SIZES, "cylinder", pars)), turned).intensity(ground.true)
    whole = simulate_measurement(seen, ground, Background(flat=0.05), rng, 2e5)
    events = np.where(whole.mask, seen * ground.true.weight, 0.0)
    kept = 1 / (1 + 0.03 * events / events.mean())
    image = replace(whole, counts=rng.binomial(whole.counts.astype(int), kept).astype(float))
    problem, by_counting = counted(image)
    best, errors, _ = refit_generalised(problem, run)
    assert abs(problem.values()["p2"] - 0.6) > 3 * by_counting
    assert best.values()["lost"] > 0.05
    assert abs(best.values()["p2"] - 0.6) < 2.5 * errors["p2"]
