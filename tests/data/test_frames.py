"""Frames of a file that grows are read from a number on, each as the whole file has it."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from sasnet_plugin.data.frames import EmptyFrameError, frames, holds_curves
from sasnet_plugin.data.load import load
from sasnet_plugin.domains import ReadOptions
from sasnet_plugin.types import Curve, DataError

Q = np.geomspace(0.01, 0.3, 40)


def intensity(number: int) -> np.ndarray:
    return (1 + number) * np.exp(-((Q * 30) ** 2) / 3) + 0.01


def write_azint(path: Path, count: int, *, errors: int | None = None) -> None:
    with h5py.File(path, "w") as file:
        data = file.create_group("entry/data")
        data.attrs.update({"NX_class": "NXdata", "signal": "I", "axes": [".", "radial_axis"]})
        data["radial_axis"] = Q
        data["radial_axis"].attrs["units"] = "1/angstrom"
        data["I"] = np.array([intensity(k) for k in range(count)])
        data["I_errors"] = 0.02 * np.array([intensity(k) for k in range(count if errors is None else errors)])


def write_nxcansas(path: Path, count: int, *, together: bool) -> None:
    with h5py.File(path, "w") as file:
        for k in [0] if together else range(count):
            entry = file.create_group(f"sasentry{k:04d}")
            entry.attrs["canSAS_class"] = "SASentry"
            entry["title"] = "run"
            data = entry.create_group("sasdata")
            data.attrs["canSAS_class"] = "SASdata"
            data["Q"] = Q
            data["Q"].attrs["units"] = "1/angstrom"
            values = np.array([intensity(j) for j in range(count)]) if together else intensity(k)
            data["I"], data["Idev"] = values, 0.02 * values


@pytest.mark.parametrize("kind", ["azint", "nxcansas frames", "nxcansas entries"])
def test_frames_from_a_number_on(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    if kind == "azint":
        write_azint(path, 70)
    else:
        write_nxcansas(path, 70, together="frames" in kind)
    found = list(frames(str(path), ReadOptions(), 40))
    assert len(found) == 30
    for number, one in enumerate(found, start=40):
        assert isinstance(one, Curve)
        np.testing.assert_allclose(one.intensity, intensity(number))
        np.testing.assert_allclose(one.dintensity, 0.02 * intensity(number))
    assert holds_curves(str(path))


def test_a_series_is_as_load_has_it(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    write_azint(path, 5)
    for one, other in zip(frames(str(path), ReadOptions()), load(path), strict=True):
        assert isinstance(one, Curve)
        assert one.entry == other.entry
        np.testing.assert_array_equal(one.intensity, other.intensity)


def test_a_frame_counts_when_its_uncertainties_are_there(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    write_azint(path, 6, errors=4)
    assert len(list(frames(str(path), ReadOptions()))) == 4


def test_an_unusable_frame_is_a_sentence_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    write_azint(path, 3)
    with h5py.File(path, "a") as file:
        file["entry/data/I"][1] = np.nan
    found = list(frames(str(path), ReadOptions()))
    assert [type(one) for one in found] == [Curve, EmptyFrameError, Curve]
    assert "frame 2" in str(found[1])


def test_a_file_that_is_being_written_is_read_along(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with h5py.File(path, "w", libver="latest") as file:
        data = file.create_group("entry/data")
        data.attrs.update({"NX_class": "NXdata", "signal": "I", "axes": [".", "radial_axis"]})
        data["radial_axis"] = Q
        data["radial_axis"].attrs["units"] = "1/angstrom"
        rows = data.create_dataset("I", (0, Q.size), maxshape=(None, Q.size), chunks=(1, Q.size))
        file.swmr_mode = True
        for number in range(3):
            rows.resize(number + 1, axis=0)
            rows[number] = intensity(number)
            rows.flush()
            assert len(list(frames(str(path), ReadOptions(), number))) == 1


def test_text_and_what_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.dat"
    np.savetxt(path, np.c_[Q, intensity(0), 0.02 * intensity(0)])
    assert len(list(frames(str(path), ReadOptions()))) == 1
    assert list(frames(str(path), ReadOptions(), 1)) == []
    with pytest.raises(DataError, match="none.dat"):
        list(frames(str(tmp_path / "none.dat"), ReadOptions()))
    assert not holds_curves(str(tmp_path / "none.dat"))
