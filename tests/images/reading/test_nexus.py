"""NeXus and other HDF5 files: geometry, masks, and series of any length."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
from detectorfiles import pattern

from sasnet_plugin.data.toml_files import overlay_settings
from sasnet_plugin.images.reading import ImageSettings, iter_images, load_images
from sasnet_plugin.types import DataError


def _nexus(path: Path, frames: np.ndarray, *, named: bool = True) -> Path:
    """A NeXus file as a Lambda detector's software or an area detector's plugin writes it."""
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        detector = entry.create_group("instrument/detector")
        detector.attrs["NX_class"] = "NXdetector"
        detector.create_dataset("data", data=frames, chunks=(1, *frames.shape[1:]), compression="gzip")
        detector["pixel_mask"] = np.zeros(frames.shape[1:], dtype=np.uint32)
        detector["pixel_mask"][5, 6] = 1
        if named:
            detector["distance"], detector["x_pixel_size"], detector["y_pixel_size"] = 2.0, 1e-3, 1000.0
            detector["distance"].attrs["units"] = "m"
            detector["x_pixel_size"].attrs["units"], detector["y_pixel_size"].attrs["units"] = "m", "um"
            detector["beam_center_x"], detector["beam_center_y"] = 32.0, 55.0
            beam = entry.create_group("instrument/beam")
            beam["incident_wavelength"] = 0.134
            beam["incident_wavelength"].attrs["units"] = "nm"
            angle = entry.create_dataset("sample/incident_angle", data=np.radians(0.2))
            angle.attrs["units"] = "rad"
        data = entry.create_group("data")
        data.attrs["NX_class"], data.attrs["signal"] = "NXdata", "data"
        data["data"] = h5py.SoftLink("/entry/instrument/detector/data")
    return path


def _frames(number: int, rng: np.random.Generator) -> np.ndarray:
    pitch = float(np.degrees(1 / 2000))
    return np.stack(
        [
            pattern((64, 64), direct=(32, 55), pitch=pitch, alpha_i=0.2, counts=1e5, rng=rng)
            for _ in range(number)
        ]
    ).astype(np.uint32)


def test_nexus_series_with_its_own_geometry_and_mask(tmp_path: Path, rng: np.random.Generator) -> None:
    frames = _frames(3, rng)
    images = load_images(_nexus(tmp_path / "a.nxs", frames))
    assert [image.entry for image in images] == ["frame 1", "frame 2", "frame 3"]
    for image, values in zip(images, frames, strict=True):
        assert np.array_equal(image.counts[image.mask], values[::-1][image.mask])
        assert not image.mask[64 - 1 - 5, 6]
        assert image.mask.sum() == 64 * 64 - 1
        assert (image.geometry.wavelength, image.geometry.alpha_i) == pytest.approx((1.34, 0.2))
        assert image.geometry.alpha_f[64 - 1 - 55] == pytest.approx(-0.2, abs=1e-9)
        assert image.geometry.phi[33] == pytest.approx(np.degrees(1 / 2000), rel=1e-3)


def test_the_images_of_an_hdf5_file_are_found_without_a_signal_or_named(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    frames = _frames(2, rng)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["scan/counts"], file["scan/flatfield"] = frames, np.ones((5, 64, 64))
        file["other/images"] = frames[:1] * 2
    settings = ImageSettings(wavelength=1.3, alpha_i=0.2, phi=(-1.0, 1.0), alpha_f=(1.5, -0.3))
    assert len(load_images(tmp_path / "a.h5", settings)) == 2
    named = overlay_settings(ImageSettings(dataset="/other/images"), settings)
    (image,) = load_images(tmp_path / "a.h5", named)
    assert np.array_equal(image.counts, 2.0 * frames[0][::-1])


def test_a_thousand_frames_are_streamed_with_constant_memory(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    frame = _frames(1, rng)[0]
    with h5py.File(tmp_path / "film.h5", "w") as file:
        stack = file.create_dataset("data", (1000, 64, 64), dtype="u4", chunks=(1, 64, 64))
        for number in range(1000):
            stack[number] = frame + number % 7
    settings = ImageSettings(wavelength=1.3, alpha_i=0.2, phi=(-1.0, 1.0), alpha_f=(1.5, -0.3))
    tracemalloc.start()
    try:
        seen, peaks = 0, []
        for image in iter_images(tmp_path / "film.h5", settings):
            seen += 1
            if seen % 100 == 0:
                peaks.append(tracemalloc.get_traced_memory()[1])
                assert image.counts[-1, 0] == frame[0, 0] + (seen - 1) % 7
    finally:
        tracemalloc.stop()
    assert seen == 1000
    # All frames are a thousand times 32 KiB as floats; not even twenty more are held at the end.
    assert peaks[-1] < 100 * frame.size * 8
    assert peaks[-1] - peaks[0] < 20 * frame.size * 8


def test_a_bad_frame_is_told_and_the_next_is_read(tmp_path: Path, rng: np.random.Generator) -> None:
    frames = _frames(3, rng)
    frames[1] = 0
    told = []
    images = list(
        iter_images(_nexus(tmp_path / "a.nxs", frames), failed=lambda error: told.append(str(error)))
    )
    assert [image.entry for image in images] == ["frame 1", "frame 3"]
    assert len(told) == 1
    assert "(frame 2): every pixel is zero" in told[0]


def _master(folder: Path, frames: np.ndarray, *targets: str) -> Path:
    """A master file as Dectris' detectors write it, with links to data files."""
    path = _nexus(folder / "film_master.h5", frames)
    with h5py.File(path, "a") as file:
        del file["entry/data/data"], file["entry/instrument/detector/data"]
        for number, target in enumerate(targets, 1):
            file[f"entry/data/data_{number:06d}"] = h5py.ExternalLink(target, "/entry/data/data")
    return path


def test_a_master_file_s_images_are_read_from_the_files_beside_it(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = _frames(3, rng)
    for name, part in (("b.h5", frames[2:]), ("a.h5", frames[:2])):
        with h5py.File(tmp_path / name, "w") as file:
            file["entry/data/data"] = part
    path = _master(tmp_path, frames, "a.h5", "b.h5")
    monkeypatch.chdir("/")
    images = load_images(path)
    assert [image.entry for image in images] == ["frame 1", "frame 2", "frame 3"]
    for image, values in zip(images, frames, strict=True):
        assert np.array_equal(image.counts[image.mask], values[::-1][image.mask])
        assert image.mask.sum() == 64 * 64 - 1
        assert (image.geometry.wavelength, image.geometry.alpha_i) == pytest.approx((1.34, 0.2))
    (image,) = load_images(path, ImageSettings(dataset="/entry/data/data_000002"))
    assert np.array_equal(image.counts[image.mask], frames[2][::-1][image.mask])


@pytest.mark.parametrize("target", ["../s.h5", "{there}/s.h5", "link.h5", "gone.h5", "pipe.h5", "."])
def test_no_master_file_leads_out_of_its_folder(
    tmp_path: Path, rng: np.random.Generator, target: str
) -> None:
    (tmp_path / "here").mkdir()
    frames = _frames(1, rng)
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file["entry/data/data"] = frames
    (tmp_path / "here/link.h5").symlink_to(tmp_path / "s.h5")
    os.mkfifo(tmp_path / "here/pipe.h5")
    path = _master(tmp_path / "here", frames, target.format(there=tmp_path))
    with pytest.raises(
        DataError, match=r"film_master\.h5: (/entry/data/data_000001 lies|its images are) in "
    ):
        load_images(path)
