"""Stacks of diffraction images: streamed, placed, masked; features that no turn changes."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from imagefiles import refused

from sasnet_plugin.domains import ReadOptions
from sasnet_plugin.images.diffraction import reading
from sasnet_plugin.images.diffraction.reading import Window, frames, read
from sasnet_plugin.images.recognition import rate_particles
from sasnet_plugin.types import Image

N, CENTRE, EDGE = 96, (45.0, 50.5), 44.0


def lobed(turn: float = 0.0, lobes: int = 2, level: float = 200.0) -> np.ndarray:
    """A pattern about a centre that is not the middle, with a number of lobes."""
    row, column = np.mgrid[:N, :N]
    x, y = column - CENTRE[0], row - CENTRE[1]
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    return level * np.exp(-radius / 15) * (1 + 0.5 * np.cos(lobes * (angle - turn)))


@pytest.fixture
def stack() -> np.ndarray:
    rng = np.random.default_rng(1)
    found = rng.poisson([lobed(turn, level=2000) for turn in rng.uniform(0, 6, 12)])
    found[:, :, 60:64] = 0  # a gap
    found[:, 20, 20] = 30_000  # a hot pixel
    return found.astype(np.uint16)


def test_a_stack_is_streamed_with_its_centre_gap_and_hot_pixels_found(
    stack: np.ndarray, tmp_path: Path
) -> None:
    np.save(tmp_path / "run.npy", stack)
    with h5py.File(tmp_path / "run.cxi", "w") as file:
        file["cxi_version"] = 160
        detector = file.create_group("entry_1/instrument_1/detector_1")
        detector["data"] = stack
        detector["distance"], detector["x_pixel_size"] = 0.07, 75e-6
        file["entry_1/instrument_1/source_1/energy"] = 21.6 * 1.602176634e-19
        file["other"] = np.zeros((40, N, N))
    assert rate_particles(tmp_path / "run.cxi") == 1
    assert rate_particles(tmp_path / "run.npy") == 0
    for name in ("run.npy", "run.cxi"):
        (block,) = frames(tmp_path / name)
        assert block.total == len(stack)
        assert block.window.centre == pytest.approx(CENTRE, abs=1.5)
        inside = np.zeros((N, N), dtype=bool)
        inside[30:70, 60:64] = True
        assert not block.masks[:, inside].any()
        assert not block.masks[:, 20, 20].any()
        assert block.masks[0, 40:60, 30:50].all()
    window = next(frames(tmp_path / "run.cxi")).window
    assert window.wavelength == pytest.approx(574.0, rel=0.001)  # 12,398 eV Å over 21.6 eV
    assert window.q_edge == pytest.approx(2 * np.pi / 574 * np.sin(np.arctan(48 * 0.075 / 70)), rel=0.001)


def test_one_frame_is_read_by_its_number(stack: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "run.npy", stack)
    (image,) = read(tmp_path / "run.npy", ReadOptions(entry="7"))
    assert image.entry == "frame 7"
    np.testing.assert_array_equal(image.counts[image.mask], stack[6][image.mask])
    images = list(read(tmp_path / "run.npy", ReadOptions(geometry=("direct_beam=[45,50]", "radius=40"))))
    assert len(images) == 12
    assert images[0].geometry == Window((N, N), (45.0, 50.0), 40.0)


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        (b"", {}, "the file is empty"),
        (b"\x93NUMPY\x01\x00", {}, "damaged or cut short"),
        (b"\x89HDF\r\n\x1a\nnothing", {}, "damaged or cut short"),
        (np.zeros((5, 5)), {}, "not rows and columns of counts"),
        (np.zeros((2, 2, 40, 40)), {}, "not rows and columns of counts"),
        (np.full((40, 40), -1), {}, "only 0 pixels hold values"),
        (np.ones((40, 40)), {"entry": "3"}, "there is no frame 3; the file holds"),
        (np.ones((40, 40)), {"entry": "x"}, "give a frame's number"),
        (np.ones((40, 40)), {"geometry": ("centre=3",)}, "there is no setting 'centre'"),
        (np.ones((40, 40)), {"geometry": ("direct_beam=[4000,4]",)}, "far off the detector"),
        (
            np.ones((40, 40)),
            {"geometry": ("distance=0.07",)},
            "looks like m, but mm is meant; give distance = 70",
        ),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    content: bytes | np.ndarray, options: dict[str, object], sentence: str, tmp_path: Path
) -> None:
    refused(read, tmp_path / "run.npy", content, options, sentence)


def _image(counts: np.ndarray, mask: np.ndarray | None = None) -> Image:
    mask = np.ones((N, N), dtype=bool) if mask is None else mask
    return Image(np.where(mask, counts, 0), mask, Window((N, N), CENTRE, EDGE))


def test_harmonics_and_features_stay_when_the_particle_turns_and_say_what_is_there() -> None:
    images = [_image(lobed(turn, lobes)) for lobes in (2, 3) for turn in (0.0, 0.7, 2.0)]
    found = reading.rings(reading.bin_images(images))
    clear = slice(6, 36)
    amplitude = np.sqrt(np.abs(found.harmonics[:, clear]) ** 2)
    # 1 + 0.5 cos(2φ) has I_2 = 0.25 and nothing else.
    np.testing.assert_allclose(amplitude[:3, :, 2], 0.25, atol=0.02)
    np.testing.assert_allclose(amplitude[3:, :, 3], 0.25, atol=0.02)
    assert amplitude[:3, :, [1, 3, 4]].max() < 0.04
    read = reading.compute_ring_inputs(found)["features"][:, clear]
    assert np.abs(read[1:3, ..., :12] - read[:1, ..., :12]).mean() < 0.02
    assert np.abs(read[3, ..., :12] - read[0, ..., :12]).mean() > 0.03


def test_counting_alone_makes_no_harmonics_and_masks_none_either() -> None:
    rng = np.random.default_rng(3)
    mask = np.ones((N, N), dtype=bool)
    mask[:, 60:66] = False
    flat = [_image(rng.poisson(2.0, (N, N)), mask) for _ in range(40)]
    found = reading.rings(reading.bin_images(flat))
    squared = np.abs(found.harmonics[..., 1:9]) ** 2 - found.noise[..., None]
    # The mean over 40 images and 25 rings is 0 within its own error, far below what counting gives.
    assert abs(squared[:, 12:37].mean()) < 0.1 * found.noise[:, 12:37].mean()


def test_the_cross_correlation_is_that_of_its_definition_and_leaves_counting_out() -> None:
    rng = np.random.default_rng(4)
    cells = reading.bin_images([_image(rng.poisson(lobed(0.3, 2, 400.0))) for _ in range(30)])
    found = reading.cross_correlation(cells).mean(axis=0)[8:14]
    delta = 2 * np.pi * np.arange(1, reading.SECTORS) / reading.SECTORS
    # (1 + a cos 2φ) correlates as a²/2 cos 2Δ.
    np.testing.assert_allclose(found.mean(axis=0), 0.125 * np.cos(2 * delta), atol=0.03)
