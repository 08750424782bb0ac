"""Narrow rings of a powder, and light from outside the window: no single particle, and no empty frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.images.diffraction.prediction import (
    RINGS_ENOUGH,
    brighter_elsewhere,
    narrow_rings,
    profiles,
)
from sasnet_plugin.images.diffraction.simulation import SIMULATOR, draw_sample, shot
from sasnet_plugin.types import Image

DETECTOR = {"hole": 0.08, "gap": 0.0, "beside": 0.0, "dead": 0.0, "saturation": 0.0}


def shots(kind: str, number: int, exposure: float = 1e6) -> list[Image]:
    rng = np.random.default_rng(17)
    rows = [SIMULATOR.clean(draw_sample(rng, {kind: 1}, {}, 1)) for _ in range(number)]
    return [shot(row, rng, exposure, DETECTOR) for row in rows]


def seen_by(image: Image, intensity: np.ndarray) -> Image:
    """Counts of an intensity, in the frame of a shot."""
    counts = np.random.default_rng(3).poisson(np.where(image.mask, intensity, 0.0))
    return replace(image, counts=counts.astype(image.counts.dtype))


@pytest.fixture(scope="module")
def frame() -> Image:
    return shots("empty", 1)[0]


def radius_of(image: Image) -> np.ndarray:
    """Of each pixel from the beam, over the window's."""
    y, x = np.indices(image.counts.shape)
    return np.hypot(x - image.geometry.centre[0], y - image.geometry.centre[1]) / image.geometry.edge


def test_orders_of_a_layered_powder_are_narrow_rings(frame: Image) -> None:
    """As silver behenate's: sharp, evenly spaced, on what decays from the beam."""
    r = radius_of(frame)
    rings = sum(np.exp(-0.5 * ((r - 0.22 * order) / 0.008) ** 2) for order in range(1, 5))
    powder = seen_by(frame, 300 * (0.05 / (0.05 + r)) + 400 * rings)
    assert narrow_rings(profiles([powder]))[0] >= RINGS_ENOUGH
    halo = seen_by(frame, 300 * (0.05 / (0.05 + r)))
    assert narrow_rings(profiles([halo]))[0] == 0


def test_fringes_of_one_particle_and_of_two_are_not(frame: Image) -> None:
    r = radius_of(frame)
    for fringes in (3, 6, 10):  # over the window, as two particles' interference
        two = 2000 * np.exp(-2 * r) * np.cos(np.pi * fringes * r) ** 2 + 1
        assert narrow_rings(profiles([seen_by(frame, two)]))[0] < RINGS_ENOUGH
    for kind in ("round", "elliptical", "streak_bent"):
        assert np.all(narrow_rings(profiles(shots(kind, 20))) < RINGS_ENOUGH)


def test_light_beside_the_window_is_seen_and_stray_light_around_the_beam_is_none(frame: Image) -> None:
    """A frame of grazing incidence, its beam at the border, is flat around the detector's middle."""
    shape, centre = (96, 240), (119.5, 47.5)
    wide = Image(np.zeros(shape), np.ones(shape, bool), replace(frame.geometry, shape=shape, centre=centre))
    y, x = np.indices(shape)
    spot = np.exp(-0.5 * ((x - 240) ** 2 + (y - 48) ** 2) / 20**2)
    assert brighter_elsewhere(seen_by(wide, 5 + 40 * spot))
    stray = np.exp(-radius_of(wide) / 0.4)
    assert not brighter_elsewhere(seen_by(wide, 5 + 40 * stray))
    assert not brighter_elsewhere(seen_by(wide, np.full(shape, 5.0)))
    assert not brighter_elsewhere(seen_by(wide, np.full(shape, 0.05)))
