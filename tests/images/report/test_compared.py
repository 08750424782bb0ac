"""What was simulated beside what was measured: as it is seen, in one scale, by day and by night."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from imagefiles import lattice, rods

from sasnet_plugin.domains import ReadOptions, specification
from sasnet_plugin.images.diffraction.reading import Window
from sasnet_plugin.images.raster import Look, describe_axes, draw_comparison, picture
from sasnet_plugin.images.service import as_seen
from sasnet_plugin.images.settings import RASTER
from sasnet_plugin.report.canvas import png
from sasnet_plugin.types import Image


def pixels(data: bytes) -> np.ndarray:
    from matplotlib.image import imread

    return np.asarray(imread(io.BytesIO(data)))[..., :3]


@pytest.fixture(scope="module")
def small_angle(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return next(iter(specification("sans2d").read(str(rods(tmp_path_factory.mktemp("sans"))), ReadOptions())))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Image:
    path = lattice(tmp_path_factory.mktemp("film"))
    return next(iter(specification("gisas_hex").read(str(path), ReadOptions())))


@pytest.mark.parametrize("turn", [0, 1, 2, 3], ids=lambda turn: f"{90 * turn} degrees")
def test_an_image_is_seen_with_qx_to_the_right_and_qy_up_however_it_lies(
    small_angle: Image, turn: int
) -> None:
    geometry = small_angle.geometry
    lying = {name: np.rot90(getattr(geometry, name), turn) for name in ("qx", "qy", "weight")}
    turned = replace(
        small_angle, counts=np.rot90(small_angle.counts, turn), mask=np.rot90(small_angle.mask, turn),
        geometry=replace(geometry, along=None, across=None, error=None, **lying),
    )  # fmt: skip
    seen = as_seen(turned)
    assert np.all(np.diff(seen.geometry.qx.mean(axis=0)) > 0)
    assert np.all(np.diff(seen.geometry.qy.mean(axis=1)) < 0), "the first row is above"
    np.testing.assert_array_equal(seen.counts, as_seen(small_angle).counts)


def test_nothing_is_left_where_the_simulation_is_right(small_angle: Image) -> None:
    seen = as_seen(small_angle)
    none = np.zeros_like(seen.counts)
    same = draw_comparison(seen, seen.counts, none)
    assert same["measured"] == same["simulated"]
    middle = pixels(same["residual"])[pixels(same["residual"]).min(axis=2) > 0.9]
    assert np.ptp(middle, axis=0).max() < 0.02, "of one colour, white"
    halved = draw_comparison(seen, seen.counts / 2, none + RASTER.far)
    assert pixels(halved["simulated"]).sum() < pixels(same["simulated"]).sum(), "in the scale of the measured"
    red, _, blue = pixels(halved["residual"]).mean(axis=(0, 1))
    assert red > 2 * blue, "measured more"


def test_of_a_film_its_lowest_row_is_below_in_all_three(film: Image) -> None:
    simulated = np.broadcast_to(np.linspace(1, 1000, film.counts.shape[0])[:, None], film.counts.shape)
    found = draw_comparison(replace(film, counts=simulated.copy()), simulated, simulated - 500)
    assert found["measured"] == found["simulated"]
    shown = pixels(found["residual"])
    assert shown[0, 0, 0] > shown[0, 0, 2], "red above, where the residual is positive"
    assert shown[-1, 0, 0] < shown[-1, 0, 2]


def test_who_looks_closer_gets_the_detector_s_own_pixels() -> None:
    counts = np.random.default_rng(2).poisson(5.0, (1300, 1000)).astype(float)
    image = Image(counts, np.ones(counts.shape, dtype=bool), Window((1300, 1000), (499.5, 649.5), 600.0))
    usual, fine = (describe_axes(image, Look(fine=closer)) for closer in (False, True))
    assert (usual["step"], fine["step"]) == (2, 1)
    assert pixels(picture(image, Look(fine=True))).shape[:2] == counts.shape
    assert max(pixels(picture(image, Look())).shape) <= RASTER.view


def test_a_figure_has_the_colours_of_day_or_night() -> None:
    def words(figure: object, paint: object) -> None:
        figure.text(0.5, 0.5, "read me", size=40, ha="center")  # type: ignore[attr-defined]

    def ink(night: bool) -> float:
        from matplotlib.image import imread

        found = np.asarray(imread(io.BytesIO(png(words, (4.0, 2.0), night=night))))
        return float(found[found[..., 3] > 0.9][:, :3].mean())

    assert ink(False) < 0.3
    assert ink(True) > 0.7
