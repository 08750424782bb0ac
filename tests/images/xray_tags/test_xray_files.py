"""X-ray scattering images from files: bad pixels left out, beam stated or found; bad input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from imagefiles import refused

from sasnet_plugin.domains import ReadOptions
from sasnet_plugin.images.xray_tags import reading as rings_module
from sasnet_plugin.images.xray_tags.reading import (
    WORK,
    bin_counts,
    centre_of,
    check_image,
    inputs,
    mirror_inputs,
    noisy_lines,
    read,
    turn_inputs,
    window,
)
from sasnet_plugin.types import DataError, Image

N, CENTRE = 120, (52.0, 66.5)


@pytest.fixture
def rings() -> np.ndarray:
    """Counts of two rings about a beam off the middle, with a stop, a gap and a hot pixel."""
    row, column = np.mgrid[:N, :N]
    radius = np.hypot(column - CENTRE[0], row - CENTRE[1])
    rate = 40 * np.exp(-radius / 20) + 30 * np.exp(-0.5 * ((radius - 30) / 1.5) ** 2) + 1
    found = np.random.default_rng(1).poisson(np.where(radius < 6, 0, rate)).astype(np.int32)
    found[:, 80:84] = -1
    found[10, 10] = 40_000
    return found


def test_the_beam_is_found_and_the_stop_stays_in_the_picture(rings: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "frame.npy", rings)
    (image,) = read(tmp_path / "frame.npy", ReadOptions())
    assert image.geometry.centre == pytest.approx(CENTRE, abs=0.7)
    assert any("found by the image's symmetry" in note for note in image.notes)
    assert not image.mask[:, 80:84].any()
    assert not image.mask[10, 10]
    assert image.mask[67, 52]  # dark, and to be seen by the network
    (stated,) = read(tmp_path / "frame.npy", ReadOptions(geometry=("direct_beam=[52,66.5]",)))
    assert stated.geometry.centre == CENTRE
    assert not any("found" in note for note in stated.notes)
    assert stated.geometry.edge == pytest.approx(np.hypot(119.5 - 52, 66.5 + 0.5))
    middle, found = centre_of(np.zeros((40, 60)), np.ones((40, 60), bool))
    assert (middle, found) == ((29.5, 19.5), False)


def test_rings_stand_out_at_their_radius_and_a_stop_in_the_map(rings: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "frame.npy", np.stack([rings, rings]))
    one, two = read(tmp_path / "frame.npy", ReadOptions(geometry=("direct_beam=[52,66.5]",)))
    assert [one.entry, two.entry] == ["frame 1", "frame 2"]
    found = inputs([one])
    profile, over = found["profile"][0], found["map"][0]
    radius = rings_module.NEAREST * (rings_module.FARTHEST / rings_module.NEAREST) ** (
        (np.arange(len(profile)) + 0.5) / len(profile)
    )
    radius *= N / rings_module.SIDE
    outer = radius > 15
    assert radius[outer][profile[outer, 1].argmax()] == pytest.approx(30, abs=1)
    stop, beside = profile[radius < 5, 0].mean(), profile[(radius > 7) & (radius < 9), 0].mean()
    assert stop < beside - 0.5
    step = one.geometry.edge / len(over)
    # The gap, 28 pixels to the right of the beam, is seen as what was not measured.
    ring, middle = round(30 / step), over.shape[1] // 2
    assert over[ring, middle - 1 : middle + 1, 3].max() < 0.5 * np.median(over[ring, :, 3])
    large, area, block = bin_counts(np.ones((300, 200)), np.ones((300, 200), bool), WORK)
    assert (large.shape, block) == ((100, 67), 3)
    assert large.sum() == area.sum() == 60_000


def test_a_beam_beside_the_image_is_found_by_its_arcs() -> None:
    row, column = np.mgrid[:N, :N]
    radius = np.hypot(column + 9.0, row - 70.0)
    rate = 2 + sum(30 * np.exp(-0.5 * ((radius - at) / 1.5) ** 2) for at in (25, 60, 90))
    counts = np.random.default_rng(2).poisson(rate).astype(float)
    place, found = centre_of(counts, np.ones((N, N), bool))
    assert found
    assert place == pytest.approx((-9, 70), abs=0.6)


def test_images_from_behind_and_upside_down_are_read_as_their_symmetries_say(rings: np.ndarray) -> None:
    good = rings >= 0

    def seen(counts: np.ndarray, mask: np.ndarray, centre: tuple[float, float]) -> Image:
        return Image(np.where(mask, counts, 0.0), mask, window(counts.shape, centre))

    column, row = CENTRE
    straight = inputs([seen(rings, good, CENTRE)])
    behind = inputs([seen(rings[::-1], good[::-1], (column, N - 1 - row))])
    upside = inputs([seen(rings[::-1, ::-1], good[::-1, ::-1], (N - 1 - column, N - 1 - row))])
    for found, said in ((behind, mirror_inputs(straight)), (upside, turn_inputs(straight))):
        for name in ("profile", "beam", "level"):
            np.testing.assert_allclose(found[name], said[name], atol=0.04)
        # Pixels on the border of two cells fall to the other one.
        assert np.mean(np.abs(found["map"] - said["map"]) > 1e-3) < 0.03
    np.testing.assert_allclose(upside["picture"], turn_inputs(straight)["picture"], atol=1e-5)


def test_orders_lie_the_same_steps_apart_wherever_the_first_ring_is() -> None:
    row, column = np.mgrid[:128, :128] - 63.5
    apart = []
    for first in (12.0, 20.0, 28.0):
        rate = 1 + sum(50 * np.exp(-0.5 * ((np.hypot(row, column) - k * first) / 1.2) ** 2) for k in (1, 2))
        (profile,) = inputs([Image(rate, rate > 0, window(rate.shape, (63.5, 63.5)))])["profile"]
        step = np.log(rings_module.FARTHEST / rings_module.NEAREST) / rings_module.RINGS
        middle = int(np.log(1.4 * first / rings_module.NEAREST) / step)
        apart.append(middle + profile[middle:, 0].argmax() - profile[:middle, 0].argmax())
    assert np.ptp(apart) <= 4
    assert np.mean(apart) == pytest.approx(np.log(2) / step, abs=3)


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        (b"", {}, "the file is empty"),
        (b"\x93NUMPY\x01\x00", {}, "damaged or cut short"),
        (b"II*\x00\x08\x00\x00\x00", {}, "damaged or cut short"),
        (np.zeros((40, 40, 3)), {}, "frame.npy: .*(colour|not rows and columns)"),
        (np.zeros((5, 5)), {}, "not rows and columns of counts"),
        (np.full((40, 40), np.nan), {}, "only 0 pixels hold values"),
        (np.ones((40, 40)), {"entry": "3"}, "there is no frame 3; the file holds"),
        (np.ones((40, 40)), {"entry": "last"}, "give a frame's number"),
        (np.ones((40, 40)), {"geometry": ("direct_beam=[4000,4]",)}, "far off the detector"),
        (np.ones((40, 40)), {"geometry": ("mask_file=none.npy",)}, "no such file"),
        (np.ones((40, 40)), {"q_unit": "1/nm"}, "do not give --q-unit"),
    ],
)
def test_what_is_no_image_is_one_sentence(
    content: bytes | np.ndarray, options: dict[str, object], sentence: str, tmp_path: Path
) -> None:
    refused(read, tmp_path / "frame.npy", content, options, sentence)


def test_a_mask_of_another_detector_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "frame.npy", np.ones((40, 40)))
    np.save(tmp_path / "mask.npy", np.ones((30, 40)))
    with pytest.raises(DataError, match=r"mask.npy: is not a mask of the shape of .*frame.npy"):
        list(read(tmp_path / "frame.npy", ReadOptions(geometry=(f"mask_file={tmp_path / 'mask.npy'}",))))


def test_rows_of_noise_at_the_edges_of_modules_are_left_out(rings: np.ndarray, tmp_path: Path) -> None:
    noise = np.random.default_rng(2).integers(0, 2_000_000, (2, N))
    rings[40:42] = noise
    np.save(tmp_path / "frame.npy", rings)
    (image,) = read(tmp_path / "frame.npy", ReadOptions())
    assert not image.mask[40:42].any()
    assert image.mask[39].mean() > 0.9
    assert image.mask[42].mean() > 0.9
    assert any("Rows and columns of noise were excluded" in note for note in image.notes)
    assert image.geometry.centre == pytest.approx(CENTRE, abs=1.0)


def test_a_streak_through_the_beam_is_no_noise() -> None:
    row, column = np.mgrid[:N, :N]
    falling = 5000 * np.exp(-np.abs(column - 50) / 8) * (np.abs(row - 60) < 2)
    ring = 300 * np.exp(-0.5 * ((np.hypot(column - 50, row - 60) - 30) / 1.0) ** 2)
    counts = np.random.default_rng(3).poisson(falling + ring + 5).astype(float)
    assert not noisy_lines(counts, np.ones((N, N), bool)).any()


def test_a_strip_is_of_no_known_kind_and_says_so(rings: np.ndarray) -> None:
    strip = Image(rings[:30].astype(float), rings[:30] >= 0, window((30, N), (52.0, 15.0)))
    said = check_image(strip, {})
    assert not said.known
    assert "a strip of 30 by 120 pixels" in said.notes[-1]
    whole = Image(rings.astype(float), rings >= 0, window((N, N), CENTRE))
    assert check_image(whole, {}).known
