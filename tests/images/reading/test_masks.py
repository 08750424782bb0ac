"""What is masked, and above all what is not: true peaks, rods and sparse images stay."""

from __future__ import annotations

import numpy as np
import pytest
from detectorfiles import PILATUS_1M, PILATUS_2M, pilatus_gaps

from sasnet_plugin.images import reading
from sasnet_plugin.images.nexus import ImageSettings
from sasnet_plugin.types import DataError


def _all_good(counts: np.ndarray) -> np.ndarray:
    return np.ones(counts.shape, dtype=bool)


@pytest.mark.parametrize("shape", [PILATUS_1M, PILATUS_2M])
def test_gaps_of_the_pilatus_by_shape(shape: tuple[int, int]) -> None:
    gaps, family = reading.module_gaps(shape)
    assert family == "Pilatus"
    assert np.array_equal(gaps, pilatus_gaps(shape))
    on_its_side, _ = reading.module_gaps(shape[::-1])
    assert np.array_equal(on_its_side, pilatus_gaps(shape).T)


@pytest.mark.parametrize(
    ("shape", "family", "rows", "columns"),
    [
        ((1065, 1030), "Eiger", 37, 0),
        ((2167, 2070), "Eiger", 3 * 37, 10),
        ((2162, 2068), "Eiger2", 3 * 38, 12),
    ],
)
def test_gaps_of_the_eiger(shape: tuple[int, int], family: str, rows: int, columns: int) -> None:
    gaps, found = reading.module_gaps(shape)
    assert found == family
    assert np.count_nonzero(gaps.all(axis=1)) == rows
    assert np.count_nonzero(gaps.all(axis=0)) == columns


@pytest.mark.parametrize("shape", [(64, 64), (1024, 1024), (2048, 2048), (516, 1556)])
def test_other_shapes_have_no_known_gaps(shape: tuple[int, int]) -> None:
    assert reading.module_gaps(shape) == (None, "")


def test_hot_pixels_are_found_alone_and_in_pairs(rng: np.random.Generator) -> None:
    counts = rng.poisson(3.0, (300, 300)).astype(float)
    placed = np.zeros(counts.shape, dtype=bool)
    for row, column in ((0, 0), (50, 60), (120, 40), (121, 41), (200, 200), (200, 201), (299, 10)):
        placed[row, column] = True
    counts[placed] = rng.uniform(300, 1e5, np.count_nonzero(placed)).round()
    counts[120, 40] = counts[121, 41] = 5000.0
    assert np.array_equal(reading.hot_pixels(counts, _all_good(counts)), placed)


@pytest.mark.parametrize("width", [0.5, 0.7, 1.0, 2.0])
@pytest.mark.parametrize("height", [1e2, 1e4, 1e6])
def test_true_peaks_are_not_hot(width: float, height: float, rng: np.random.Generator) -> None:
    """Peaks of the beam's width (standard deviation in pixels), anywhere between the pixels' centres."""
    for _ in range(20):
        at = 15 + rng.uniform(-0.5, 0.5, 2)
        row, column = np.indices((31, 31))
        peak = height * np.exp(-((row - at[0]) ** 2 + (column - at[1]) ** 2) / (2 * width**2))
        counts = rng.poisson(peak + 0.2).astype(float)
        assert not reading.hot_pixels(counts, _all_good(counts)).any()


@pytest.mark.parametrize("side", ["upright", "lying"])
def test_a_rod_one_pixel_wide_is_not_hot_even_at_the_horizon(side: str, rng: np.random.Generator) -> None:
    shape = np.zeros((100, 60))
    shape[40:, 30] = 3000 * np.exp(-np.arange(60) / 15)
    counts = rng.poisson(shape + 0.1).astype(float)
    counts = counts if side == "upright" else counts.T
    hot = reading.hot_pixels(counts, _all_good(counts))
    assert not hot.any()


def test_a_rod_that_begins_steeply_is_not_hot() -> None:
    counts = np.zeros((30, 20))
    counts[5:12, 10] = [100, 2000, 3000, 2500, 2400, 2300, 2200]
    assert not reading.hot_pixels(counts, _all_good(counts)).any()


def test_sparse_counts_are_not_hot(rng: np.random.Generator) -> None:
    counts = rng.poisson(0.01, (1000, 1000)).astype(float)
    assert not reading.hot_pixels(counts, _all_good(counts)).any()


def test_a_peak_at_the_edge_of_a_gap_is_not_hot(rng: np.random.Generator) -> None:
    row, column = np.indices((60, 60))
    counts = rng.poisson(1e4 * np.exp(-((row - 30) ** 2 + (column - 30) ** 2) / 2)).astype(float)
    good = (column < 28) | (column > 30)
    assert not reading.hot_pixels(np.where(good, counts, 0.0), good).any()


def test_a_beamstop_is_a_shadow(rng: np.random.Generator) -> None:
    row, column = np.indices((200, 200))
    stop = (row - 90) ** 2 + (column - 110) ** 2 <= 12**2
    counts = rng.poisson(np.where(stop, 0.0, 20.0)).astype(float)
    assert np.array_equal(reading.shadows(counts, _all_good(counts)), stop)


@pytest.mark.parametrize("rate", [0.02, 0.3, 1.0, 4.0])
def test_empty_pixels_of_weak_images_are_no_shadow(rate: float, rng: np.random.Generator) -> None:
    counts = rng.poisson(rate, (300, 300)).astype(float)
    assert not reading.shadows(counts, _all_good(counts)).any()


def test_a_pattern_that_fades_out_is_no_shadow(rng: np.random.Generator) -> None:
    row = np.arange(300)[:, None]
    counts = rng.poisson(100 * np.exp(-row / 20) * np.ones((1, 300))).astype(float)
    assert not reading.shadows(counts, _all_good(counts)).any()


def test_a_beamstop_that_hangs_from_the_edge_is_a_shadow_and_a_horizon_is_none(
    rng: np.random.Generator,
) -> None:
    row, column = np.indices((120, 160))
    stop = (np.abs(column - 80) < 6) & (row < 70)
    counts = rng.poisson(np.where(stop, 0.0, 20.0)).astype(float)
    assert np.array_equal(reading.shadows(counts, _all_good(counts)), stop)
    for below in (0.0, 1e-3, 0.05):
        counts = rng.poisson(np.where(row < 40, below, 20.0)).astype(float)
        assert not reading.shadows(counts, _all_good(counts)).any()


def test_few_saturated_pixels_are_masked_and_many_refused(rng: np.random.Generator) -> None:
    counts = rng.poisson(50.0, (200, 200)).astype(float)
    counts[100, 90:100] = 2e6
    few = reading.check_saturation(counts, _all_good(counts), 1048574.0, "a.tif")
    assert np.array_equal(few, counts > 1e6)
    counts[:, :20] = 2e6
    with pytest.raises(
        DataError, match=r"^a.tif: 10 % of the pixels are saturated at 1.04857e\+06 counts; measure"
    ):
        reading.check_saturation(counts, _all_good(counts), 1048574.0, "a.tif")


def test_a_plateau_is_saturation_without_a_stated_limit(rng: np.random.Generator) -> None:
    bright = rng.poisson(3000.0, (200, 200)).astype(float)
    assert not reading.check_saturation(bright, _all_good(bright), None, "a.tif").any()
    clipped = np.minimum(bright, 3160.0)
    found = reading.check_saturation(clipped, _all_good(bright), None, "a.tif")
    assert np.array_equal(found, bright >= 3160)
    with pytest.raises(DataError, match="saturated at 3050"):
        reading.check_saturation(np.minimum(bright, 3050.0), _all_good(bright), None, "a.tif")


@pytest.mark.parametrize("rate", [0.1, 5.0, 500.0])
def test_counts_that_agree_by_chance_are_no_saturation(rate: float, rng: np.random.Generator) -> None:
    counts = rng.poisson(rate, (1000, 300)).astype(float)
    assert not reading.check_saturation(counts, _all_good(counts), None, "a.tif").any()


@pytest.mark.parametrize(
    ("values", "bad"),
    [
        (np.array([[-2, -1, 0, 7]], dtype=np.int32), [True, True, False, False]),
        (np.array([[0, 4294967295, 3]], dtype=np.uint32), [False, True, False]),
        (np.array([[0, 65535, 3]], dtype=np.uint16), [False, False, False]),
        (np.array([[np.nan, np.inf, -1.0, 2.5]]), [True, True, True, False]),
    ],
)
def test_what_the_file_marks(values: np.ndarray, bad: list[bool]) -> None:
    assert reading.find_marked_bad(values).tolist() == [bad]


def test_the_users_rectangles_and_circle() -> None:
    settings = ImageSettings(mask=((1.0, 2.0, 3.0, 2.0), (0.0, 5.0, 0.0, 4.0)), beamstop=(8.0, 8.0, 1.0))
    covered = reading.find_excluded((10, 10), settings)
    expected = {(2, 1), (2, 2), (2, 3), (4, 0), (5, 0), (8, 8), (7, 8), (9, 8), (8, 7), (8, 9)}
    assert {tuple(map(int, at)) for at in np.argwhere(covered)} == expected
