"""NXcanSAS whose attributes name the uncertainty and the resolution, and entries that a link gives twice."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from sasnet_plugin.data import load

Q = np.geomspace(0.05, 3.0, 60)
INTENSITY = 20.0 / (1 + (6 * Q) ** 2) ** 2 + 0.1
ERROR = 0.03 * INTENSITY
WIDTH = 0.02 * Q


def write(path: Path, attributes: dict[str, dict[str, object]], *, elsewhere: bool = False) -> Path:
    with h5py.File(path, "w") as file:
        entry = file.create_group("merged")
        entry.attrs["canSAS_class"], entry.attrs["NX_class"] = "SASentry", "NXentry"
        entry["title"] = "gel"
        data = entry.create_group("result")
        data.attrs.update({"canSAS_class": "SASdata", "NX_class": "NXdata", "signal": "I", "I_axes": "Q"})
        for name, values in {"Q": Q, "I": INTENSITY, "IE": ERROR, "QE": WIDTH, "Other": 9 * ERROR}.items():
            data[name] = values
            data[name].attrs.update(attributes.get(name, {}))
        file["again"] = entry
        if elsewhere:
            file["raw"] = h5py.ExternalLink("raw.nxs", "/entry")
    return path


@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize("as_array", [False, True])
def test_attributes_name_what_goes_with_a_curve(tmp_path: Path, *, elsewhere: bool, as_array: bool) -> None:
    error, width = (["IE"], ["QE"]) if as_array else ("IE", "QE")
    said = {"I": {"uncertainties": error}, "Q": {"resolutions": width, "units": "1/nm"}}
    (curve,) = load(write(tmp_path / "merged.nxs", said, elsewhere=elsewhere))
    np.testing.assert_allclose(curve.q, Q / 10)
    assert curve.dintensity is not None
    assert curve.dq is not None
    np.testing.assert_allclose(curve.dintensity, ERROR)
    np.testing.assert_allclose(curve.dq, WIDTH / 10)


def test_names_that_no_attribute_says_are_not_guessed(tmp_path: Path) -> None:
    said = {"I": {"uncertainties": "gone"}, "Q": {"units": "1/nm"}}
    (curve,) = load(write(tmp_path / "merged.nxs", said))
    assert curve.dintensity is None
    assert curve.dq is None


def write_scaled(path: Path, factor: object) -> Path:
    said = {"I": {"uncertainties": "IE", "scaling_factor": "I_scaling"}, "Q": {"units": "1/nm"}}
    write(path, said)
    with h5py.File(path, "r+") as file:
        file["merged/result/I_scaling"] = factor
    return path


@pytest.mark.parametrize("factor", [0.01, 250.0])
def test_a_scaling_factor_multiplies_the_intensity_and_its_uncertainty(tmp_path: Path, factor: float) -> None:
    (curve,) = load(write_scaled(tmp_path / "merged.nxs", factor))
    assert curve.dintensity is not None
    np.testing.assert_allclose(curve.intensity, factor * INTENSITY)
    np.testing.assert_allclose(curve.dintensity, factor * ERROR)
    assert f"Intensities multiplied by {factor:g}, the scaling_factor of the file." in curve.notes


def test_a_scaling_factor_of_one_changes_nothing_and_needs_no_note(tmp_path: Path) -> None:
    (curve,) = load(write_scaled(tmp_path / "merged.nxs", 1.0))
    np.testing.assert_array_equal(curve.intensity, INTENSITY)
    assert not any("scaling_factor" in note for note in curve.notes)


@pytest.mark.parametrize("factor", [0.0, -2.0, float("nan"), "twice", [1.0, 2.0]])
def test_a_scaling_factor_that_is_none_is_reported(tmp_path: Path, factor: object) -> None:
    (curve,) = load(write_scaled(tmp_path / "merged.nxs", factor))
    np.testing.assert_array_equal(curve.intensity, INTENSITY)
    assert any(note.startswith("Caution: the scaling_factor") for note in curve.notes)


def test_each_frame_has_its_own_scaling_factor(tmp_path: Path) -> None:
    path = tmp_path / "series.nxs"
    with h5py.File(path, "w") as file:
        entry = file.create_group("merged")
        entry.attrs["canSAS_class"], entry.attrs["NX_class"] = "SASentry", "NXentry"
        data = entry.create_group("result")
        data.attrs.update({"canSAS_class": "SASdata", "NX_class": "NXdata", "signal": "I"})
        data.attrs.update({"I_axes": ["Time", "Q"], "Q_indices": [1]})
        data["Q"], data["I"], data["factors"] = Q, np.array([INTENSITY, INTENSITY]), [2.0, 3.0]
        data["Q"].attrs["units"], data["I"].attrs["scaling_factor"] = "1/nm", "factors"
    first, second = load(path)
    np.testing.assert_allclose(first.intensity, 2 * INTENSITY)
    np.testing.assert_allclose(second.intensity, 3 * INTENSITY)
