"""Rings, sectors and harmonics of images whose harmonics are known; direction; averages around the beam."""

from __future__ import annotations

import numpy as np
import pytest
from ng7 import NG7

from sasnet_plugin.images.sans.reading import SmallAngle
from sasnet_plugin.images.sans.rings import (
    FRAMES,
    N_CHANNELS,
    N_RINGS,
    RINGS,
    Settings,
    anisotropy,
    average_around_beam,
    excess,
    harmonics,
    inputs,
    odd_harmonics,
    polar,
)
from sasnet_plugin.types import Image

N = 96


def plane(rate: float = 40.0, amplitude: float = 0.0, turn: float = 0.0, seed: int = 0) -> Image:
    """Counts of a rate, with a second harmonic along a direction in degrees."""
    at = (np.arange(N) - (N - 1) / 2) * 8e-4
    qx, qy = np.meshgrid(at, at)
    wave = 1 + amplitude * np.cos(2 * (np.arctan2(qy, qx) - np.radians(turn)))
    counts = np.random.default_rng(seed).poisson(rate * wave).astype(float)
    return Image(counts, np.hypot(qx, qy) > 4e-3, SmallAngle(qx, qy, np.ones((N, N)), setting=NG7))


def outer(values: np.ndarray) -> np.ndarray:
    return values[(RINGS > 0.01) & (RINGS < 0.035)]


def test_harmonics_are_found_with_their_errors_though_a_side_is_masked() -> None:
    image = plane(amplitude=0.5, turn=30)
    mask = image.mask & (image.geometry.qx > -0.3 * np.abs(image.geometry.qy))
    found = polar(Image(image.counts, mask, image.geometry))
    relative, error = harmonics(found)
    for column, true in ((0, 0.5 * np.cos(np.pi / 3)), (1, 0.5 * np.sin(np.pi / 3)), (4, 0.0)):
        pull = outer((relative - true)[:, column] / error[:, column])
        assert np.abs(pull).mean() < 1.3
        assert np.abs(outer(relative[:, column]).mean() - true) < 0.06


def uneven(image: Image, order: int, amplitude: float, turn: float = 20.0) -> Image:
    """The image as a detector sees it that counts unevenly around the beam."""
    angle = np.arctan2(image.geometry.qy, image.geometry.qx) - np.radians(turn)
    counts = np.random.default_rng(3).poisson(image.counts * (1 + amplitude * np.cos(order * angle)))
    return Image(counts.astype(float), image.mask, image.geometry)


def test_odd_harmonics_are_the_detectors_and_none_of_a_samples() -> None:
    at = {"3c": 0, "3s": 1, "5c": 2, "5s": 3}
    found, error = odd_harmonics(polar(plane(amplitude=0.5, turn=30)))
    assert np.abs(outer(found / error)).mean() == pytest.approx(np.sqrt(2 / np.pi), abs=0.15)
    for order in (3, 5):
        found, error = odd_harmonics(polar(uneven(plane(rate=4000.0), order, 0.05)))
        seen = {name: outer(found[:, column]).mean() for name, column in at.items()}
        turn = np.radians(20.0 * order)
        assert seen[f"{order}c"] == pytest.approx(0.05 * np.cos(turn), abs=0.004)
        assert seen[f"{order}s"] == pytest.approx(0.05 * np.sin(turn), abs=0.004)
    # A beam beside the place where it is thought to be is of the first order, which is left out.
    found, _ = odd_harmonics(polar(uneven(plane(rate=4000.0), 1, 0.2)))
    assert np.abs(outer(found).mean(axis=0)).max() < 0.005


def test_odd_harmonics_are_unknown_where_opposite_sectors_are_not_seen() -> None:
    image = plane(rate=4000.0)
    half = Image(image.counts, image.mask & (image.geometry.qx > 0), image.geometry)
    assert np.isinf(outer(odd_harmonics(polar(half))[1])).all()


def test_an_uneven_detector_is_no_axis_to_the_network() -> None:
    significance = slice(9, 12)

    def read(image: Image) -> np.ndarray:
        return outer(inputs([image])["features"][0, 0, :, significance]).mean(axis=0)

    even = read(plane(rate=4000.0))
    # As strong in the odd orders as in the even ones, as areas that count more or less are.
    areas = plane(rate=4000.0)
    for order in (2, 3, 4, 5, 6):
        areas = uneven(areas, order, 0.05, turn=7.0 * order)
    axis = read(plane(rate=4000.0, amplitude=0.05))
    assert read(areas).max() < even.max() + 0.35
    assert axis[0] > even[0] + 0.7


def test_nothing_is_lost_and_an_even_plane_has_no_excess() -> None:
    image = plane()
    found = polar(image)
    assert found.counts.sum() == image.counts.sum(where=image.mask)
    assert outer(excess(found)).mean() == pytest.approx(1, abs=0.15)
    assert outer(found.rate).mean() == pytest.approx(40, rel=0.02)


def test_a_reduced_image_counts_as_much_as_its_errors_say() -> None:
    image = plane()
    geometry = image.geometry
    reduced = SmallAngle(
        geometry.qx, geometry.qy, geometry.weight, error=0.01 * np.sqrt(np.full((N, N), 40.0)), setting=NG7
    )
    found, counted = polar(Image(0.01 * image.counts, image.mask, reduced)), polar(image)
    assert found.counts.sum() == pytest.approx(counted.counts.sum(), rel=0.02)
    assert outer(found.scale) == pytest.approx(0.01, rel=0.1)
    assert harmonics(found)[0] == pytest.approx(harmonics(counted)[0], abs=1e-6)


def test_errors_that_change_along_q_leave_the_intensity_as_it_is() -> None:
    image = plane(rate=400.0)
    geometry = image.geometry
    # Ten times as large outside as inside, as where a background of many counts was subtracted.
    error = 0.2 * 10 ** (geometry.q / 0.04)
    reduced = SmallAngle(geometry.qx, geometry.qy, geometry.weight, error=error, setting=NG7)
    found = polar(Image(0.01 * image.counts, image.mask, reduced))
    assert outer(found.rate * found.scale) == pytest.approx(4.0, rel=0.05)
    assert outer(found.scale)[-1] > 10 * outer(found.scale)[0]
    seen = inputs([image, Image(0.01 * image.counts, image.mask, reduced)])["features"][:, 0, :, 0]
    assert outer(seen[1] - seen[0]) == pytest.approx(outer(seen[1] - seen[0]).mean(), abs=0.02)


@pytest.mark.parametrize("turn", [10.0, 100.0])
def test_a_direction_is_found_up_to_a_quarter_turn(turn: float) -> None:
    found = anisotropy([polar(plane(amplitude=0.2, turn=turn))])
    assert found.has_direction
    assert found.axis == pytest.approx(10, abs=4 * found.axis_error)
    assert found.axis_error < 2
    assert found.amplitude == pytest.approx(0.2, rel=0.2)


def test_an_even_image_has_no_direction() -> None:
    assert not any(anisotropy([polar(plane(seed=seed))]).has_direction for seed in range(20))


def test_the_average_is_the_rate_and_its_errors_hold() -> None:
    curve = average_around_beam(plane(rate=9.0))
    assert curve.dintensity is not None
    assert curve.dq is not None
    pull = (curve.intensity - 9) / curve.dintensity
    assert 0.8 < pull.std() < 1.2
    assert np.all(curve.dq > 5e-4)


def test_a_set_of_settings_is_one_example() -> None:
    found = inputs([Settings((plane(), plane(rate=2.0))), plane()])
    assert found["features"].shape == (2, FRAMES, N_RINGS, N_CHANNELS)
    assert found["frame_mask"].tolist() == [[1, 1, 0], [1, 0, 0]]
    assert np.array_equal(found["features"][0, 0], found["features"][1, 0])
    assert found["level"][0] > found["level"][1]
