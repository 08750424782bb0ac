"""Master files of detectors: links and virtual images are followed, and no map of a detector is an image."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from sasnet_plugin.domains import ReadOptions, specification
from sasnet_plugin.images import reading
from sasnet_plugin.images.diffraction.reading import blocks
from sasnet_plugin.types import DataError

SHAPE = (64, 72)
GEOMETRY = {
    "wavelength=1.2", "distance=2000", "pixel_size=0.075", "direct_beam=[30,33]"
}  # fmt: skip


def frames(number: int) -> np.ndarray:
    return np.random.default_rng(number).poisson(9.0, (number, *SHAPE)).astype(np.uint32)


def master(path: Path, targets: list[str], *, maps: bool = True) -> Path:
    """As Dectris' file writer leaves it."""
    with h5py.File(path, "w") as file:
        for number, target in enumerate(targets, start=1):
            file[f"entry/data/data_{number:06d}"] = h5py.ExternalLink(target, "/entry/data/data")
        detector = file.create_group("entry/instrument/detector")
        detector.attrs["NX_class"] = "NXdetector"
        for name, value in (
            ("beam_center_x", 30.0), ("beam_center_y", 33.0), ("detector_distance", 2.0),
            ("x_pixel_size", 75e-6), ("y_pixel_size", 75e-6),
        ):  # fmt: skip
            detector[name] = value
        file["entry/instrument/beam/incident_wavelength"] = 1.2
        # A slit's distance is none of the detector's.
        file["entry/instrument/aperture/distance"] = 0.3
        if maps:
            detector["detectorSpecific/flatfield"] = np.ones(SHAPE, np.float32)
            mask = np.zeros(SHAPE, np.uint32)
            mask[:, 40] = 1
            detector["detectorSpecific/pixel_mask"] = mask
    return path


def data(path: Path, images: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    with h5py.File(path, "w") as file:
        file["entry/data/data"] = images


def test_links_are_followed_and_the_mask_and_geometry_used(tmp_path: Path) -> None:
    stack = frames(5)
    data(tmp_path / "a_data_000001.h5", stack[:3])
    data(tmp_path / "more/a_data_000002.h5", stack[3:])
    path = master(tmp_path / "a_master.h5", ["a_data_000001.h5", "more/a_data_000002.h5"])
    found = list(reading.frames(path, str(path)))
    assert [one.entry for one in found] == [f"frame {k}" for k in range(1, 6)]
    for one, values in zip(found, stack, strict=True):
        assert np.array_equal(one.values, values)
        assert one.bad is not None
        assert one.bad[:, 40].all()
        assert one.geometry.direct_beam == (30.0, 33.0)
        assert one.geometry.distance == pytest.approx(2000.0)
        assert one.geometry.pixel_size == pytest.approx((0.075, 0.075))
        assert one.geometry.wavelength == pytest.approx(1.2)
    # The same finder serves stacks in blocks, from any frame on.
    (first, second) = blocks(path, str(path), start=2)
    assert (first.start, second.start, first.total) == (2, 3, 5)
    assert np.array_equal(np.concatenate([first.frames, second.frames]), stack[2:])
    assert first.bad is not None


@pytest.mark.parametrize("domain", ["gisas_hex", "sans2d", "diffraction", "xray_tags"])
def test_a_missing_data_file_is_named_and_the_flat_field_is_no_image(tmp_path: Path, domain: str) -> None:
    path = master(tmp_path / "a_master.h5", ["gone_000001.h5"])
    with pytest.raises(DataError, match=r"images are in gone_000001\.h5, which is not in its folder"):
        list(specification(domain).read(str(path), ReadOptions()))


def test_frames_of_a_missing_file_are_said_where_others_are_there(tmp_path: Path) -> None:
    data(tmp_path / "a_data_000001.h5", frames(2))
    path = master(tmp_path / "a_master.h5", ["a_data_000001.h5", "a_data_000002.h5"])
    found = list(reading.frames(path, str(path)))
    assert len(found) == 2
    assert "a_data_000002.h5" in found[0].notes[0]


def test_virtual_images_are_put_together_from_files_beside(tmp_path: Path) -> None:
    stack = frames(4)
    for number in (1, 2):
        data(tmp_path / f"v{number}.h5", stack[2 * number - 2 : 2 * number])
    layout = h5py.VirtualLayout((4, *SHAPE), np.uint32)
    for number in (1, 2):
        layout[2 * number - 2 : 2 * number] = h5py.VirtualSource(
            f"v{number}.h5", "entry/data/data", (2, *SHAPE)
        )
    path = tmp_path / "virtual.h5"
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("entry/data/data", layout)
    assert np.array_equal([one.values for one in reading.frames(path, str(path))], stack)
    (tmp_path / "v2.h5").unlink()
    with pytest.raises(DataError, match=r"v2\.h5, which is not in its folder"):
        list(reading.frames(path, str(path)))
    (tmp_path / "v2.h5").symlink_to("/dev/null")
    with pytest.raises(DataError, match="not followed"):
        list(reading.frames(path, str(path)))


def test_virtual_images_of_the_files_own_missing_links_are_lost(tmp_path: Path) -> None:
    # As NXmx masters are written: one virtual data set over the file's own links.
    path = tmp_path / "virtual.nxs"
    layout = h5py.VirtualLayout((4, *SHAPE), np.uint32)
    for number in (1, 2):
        place = f"/entry/data/data_{number:06d}"
        layout[2 * number - 2 : 2 * number] = h5py.VirtualSource(".", place, (2, *SHAPE))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("entry/data/data", layout)
        for number in (1, 2):
            file[f"entry/data/data_{number:06d}"] = h5py.ExternalLink(f"v{number}.h5", "/data")
    with h5py.File(tmp_path / "v1.h5", "w") as file:
        file["data"] = frames(2)
    with pytest.raises(DataError, match=r"images are in v2\.h5, which is not in its folder"):
        list(reading.frames(path, str(path)))
    with h5py.File(tmp_path / "v2.h5", "w") as file:
        file["data"] = frames(2)
    assert np.array_equal([one.values for one in reading.frames(path, str(path))], [*frames(2), *frames(2)])
    with h5py.File(path, "r+") as file:
        del file["entry/data/data_000002"]
        file["entry/data/data_000002"] = h5py.ExternalLink("../v2.h5", "/data")
    with pytest.raises(DataError, match="not followed"):
        list(reading.frames(path, str(path)))


@pytest.mark.parametrize("domain", ["gisas_hex", "sans2d", "diffraction", "xray_tags"])
def test_curves_that_were_made_of_images_are_no_image(tmp_path: Path, domain: str) -> None:
    path = tmp_path / "processed.nxs"
    with h5py.File(path, "w") as file:
        group = file.create_group("processed/result")
        group.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": [".", "binning"]})
        group["data"] = np.random.default_rng(1).random((40, 300))
        group["binning"] = np.linspace(2, 20, 300)
        group["binning"].attrs["long_name"] = "two_theta (degrees)"
        file["processed/process/pos_map"] = np.zeros((40, 2), np.int64)
    with pytest.raises(DataError, match="it contains curves or spectra"):
        list(specification(domain).read(str(path), ReadOptions()))


def test_raw_time_of_flight_is_named(tmp_path: Path) -> None:
    path = tmp_path / "LOQ00012345.nxs"
    with h5py.File(path, "w") as file:
        group = file.create_group("raw_data_1/detector_1")
        group["counts"] = np.ones((1, 300, 50), np.int32)
        group["time_of_flight"] = np.linspace(0, 1e5, 51)
    with pytest.raises(DataError, match="unreduced time-of-flight data"):
        list(reading.frames(path, str(path)))
