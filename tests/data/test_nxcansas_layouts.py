"""NXcanSAS: slits by name, frames, masks, units of I; canSAS XML with several units."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from sasnet_plugin.data import load
from sasnet_plugin.data.limits import LIMITS
from sasnet_plugin.types import DataError

Q = np.geomspace(0.005, 0.4, 60)
INTENSITY = 8.0 / (1 + (60 * Q) ** 2) ** 2 + 0.01
ERROR = 0.02 * INTENSITY
LENGTH, WIDTH = 0.117, 1e-4


def written(
    path: Path, columns: Mapping[str, Any], *, attributes: Mapping[str, Mapping[str, Any]] | None = None,
    group: Mapping[str, Any] | None = None, plain: bool = False,
) -> Path:  # fmt: skip
    """One SASentry, or a plain NXentry, of these data sets."""
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        entry["title"] = "own"
        data = entry.create_group("data")
        data.attrs["NX_class"] = "NXdata"
        if not plain:
            entry.attrs["canSAS_class"], data.attrs["canSAS_class"] = "SASentry", "SASdata"
            entry["definition"] = "NXcanSAS"
        data.attrs.update({"signal": "I", "I_axes": "Q", "Q_indices": 0} | dict(group or {}))
        for name, values in columns.items():
            data[name] = values
            unit = {"Q": "1/angstrom", "I": "1/cm", "Idev": "1/cm"}.get(name)
            data[name].attrs.update(
                ({"units": unit} if unit else {}) | dict((attributes or {}).get(name, {}))
            )
    return path


ORDERS = {
    "SasView's writer": ["dQl", "dQw"],
    "the definition's order": ["dQw", "dQl"],
    "one text": "dQw, dQl",
    "one text, length first": "dQl,dQw",
}


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("width", [WIDTH, 0.0])
@pytest.mark.parametrize("order", ORDERS.values(), ids=list(ORDERS))
def test_slits_are_taken_by_name(tmp_path: Path, order: Any, width: float, *, plain: bool) -> None:
    columns = {"Q": Q, "I": INTENSITY, "Idev": ERROR, "dQl": np.full(60, LENGTH), "dQw": np.full(60, width)}
    path = written(tmp_path / "a.h5", columns, attributes={"Q": {"resolutions": order}}, plain=plain)
    (curve,) = load(path)
    np.testing.assert_allclose(curve.dxl, LENGTH)
    if width:
        np.testing.assert_allclose(curve.dxw, width)
    else:
        assert curve.dxw is None


@pytest.mark.parametrize("names", [("dQl", "dQw"), ("slit_length", "slit_width")])
def test_slits_without_an_attribute_or_under_other_names(tmp_path: Path, names: tuple[str, str]) -> None:
    long, wide = names
    columns = {"Q": Q, "I": INTENSITY, "Idev": ERROR, long: np.full(60, LENGTH), wide: np.full(60, WIDTH)}
    said = {} if long == "dQl" else {"Q": {"resolutions": [wide, long]}}
    (curve,) = load(written(tmp_path / "a.h5", columns, attributes=said))
    np.testing.assert_allclose(curve.dxl, LENGTH)
    np.testing.assert_allclose(curve.dxw, WIDTH)


def test_one_number_is_the_slit_of_every_point(tmp_path: Path) -> None:
    columns = {"Q": Q, "I": INTENSITY, "Idev": ERROR, "dQw": np.float64(0), "dQl": np.float64(LENGTH)}
    said = {"Q": {"resolutions": ["dQw", "dQl"]}}
    (curve,) = load(written(tmp_path / "a.h5", columns, attributes=said))
    np.testing.assert_allclose(curve.dxl, np.full(60, LENGTH))
    assert curve.dxw is None


def test_a_slit_in_another_unit_than_q(tmp_path: Path) -> None:
    columns = {"Q": Q, "I": INTENSITY, "dQl": np.full(60, 10 * LENGTH)}
    (curve,) = load(written(tmp_path / "a.h5", columns, attributes={"dQl": {"units": "1/nm"}}))
    np.testing.assert_allclose(curve.dxl, LENGTH)


def test_what_sasview_writes_is_read_again(tmp_path: Path) -> None:
    from sasdata.dataloader.data_info import Data1D
    from sasdata.file_converter.nxcansas_writer import NXcanSASWriter

    data = Data1D(x=Q, y=INTENSITY, dy=ERROR)
    data.dxl, data.dxw = np.full(60, LENGTH), np.zeros(60)
    data._xunit, data._yunit, data.title = "1/A", "1/cm", "own"
    NXcanSASWriter().write([data], str(tmp_path / "a.h5"))
    (curve,) = load(tmp_path / "a.h5")
    np.testing.assert_allclose(curve.dxl, LENGTH)
    assert curve.dxw is None
    np.testing.assert_allclose(curve.q, Q)


LEVELS = np.array([1.0, 1.5, 2.5])


@pytest.mark.parametrize("axis", ["Time", "frame", "Temperature"])
@pytest.mark.parametrize("first", [True, False])
def test_every_frame_is_an_entry(tmp_path: Path, axis: str, *, first: bool) -> None:
    i, e = LEVELS[:, None] * INTENSITY, LEVELS[:, None] * ERROR
    columns = {"Q": Q, "I": i if first else i.T, "Idev": e if first else e.T, axis: np.arange(3.0)}
    axes = {"I_axes": [axis, "Q"], "Q_indices": 1} if first else {"I_axes": f"Q,{axis}", "Q_indices": 0}
    curves = load(written(tmp_path / "a.h5", columns, group=axes))
    assert [curve.entry for curve in curves] == ["own frame 1", "own frame 2", "own frame 3"]
    for level, curve in zip(LEVELS, curves, strict=True):
        np.testing.assert_allclose(curve.intensity, level * INTENSITY)
        np.testing.assert_allclose(curve.dintensity, level * ERROR)
    (second,) = load(tmp_path / "a.h5", entry=2)
    np.testing.assert_allclose(second.intensity, 1.5 * INTENSITY)


def test_frames_over_two_axes_and_q_of_each_frame(tmp_path: Path) -> None:
    i = LEVELS[:, None, None] * np.ones((1, 2, 1)) * INTENSITY
    axes = {"I_axes": "Time,Temperature,Q", "Q_indices": 2}
    assert len(load(written(tmp_path / "a.h5", {"Q": Q, "I": i}, group=axes))) == 6
    own = {"Q": LEVELS[:, None] * Q, "I": LEVELS[:, None] * INTENSITY}
    curves = load(written(tmp_path / "b.h5", own, group={"I_axes": "Time,Q", "Q_indices": [0, 1]}))
    np.testing.assert_allclose(curves[2].q, 2.5 * Q)


def test_an_image_is_no_series_of_frames(tmp_path: Path) -> None:
    image = {"Q": np.tile(Q, (60, 1)), "I": np.tile(INTENSITY, (60, 1))}
    with pytest.raises(DataError):
        load(written(tmp_path / "a.h5", image, group={"I_axes": "Q,Q", "Q_indices": [0, 1]}))


def test_a_series_too_long_to_be_read_at_once_points_to_follow(tmp_path: Path) -> None:
    i = np.ones((LIMITS.frames_at_once + 1, 1)) * INTENSITY
    path = written(tmp_path / "a.h5", {"Q": Q, "I": i}, group={"I_axes": "Time,Q", "Q_indices": 1})
    with pytest.raises(DataError, match=r"1,001 frames; read them one by one with sasnet follow"):
        load(path)


@pytest.mark.parametrize("kind", ["bool", "i1", "f8"])
@pytest.mark.parametrize("name", ["mask", "bad_points"])
def test_masked_points_are_excluded_and_counted(tmp_path: Path, name: str, kind: str) -> None:
    mask = np.zeros(60, dtype=kind)
    mask[[4, 20, 21]] = 1
    spoilt = np.where(mask != 0, 99.0, INTENSITY)
    columns = {"Q": Q, "I": spoilt, "Idev": ERROR, name: mask}
    (curve,) = load(written(tmp_path / "a.h5", columns, group={"mask": name}))
    np.testing.assert_allclose(curve.intensity, INTENSITY[mask == 0])
    assert any("3 points" in note and "mask" in note for note in curve.notes)


@pytest.mark.parametrize("shape", [(1, 60), (60, 1)])
def test_a_mask_with_another_axis_is_the_same_mask(tmp_path: Path, shape: tuple[int, int]) -> None:
    mask = np.arange(60).reshape(shape) < 4
    (curve,) = load(written(tmp_path / "a.h5", {"Q": Q, "I": INTENSITY, "mask": mask}))
    np.testing.assert_allclose(curve.intensity, INTENSITY[4:])


def test_a_mask_of_frames_in_one_row_is_that_of_each_frame(tmp_path: Path) -> None:
    mask = np.zeros((3, 60), dtype=bool)
    mask[1, :5] = True
    columns = {"Q": Q, "I": LEVELS[:, None] * INTENSITY, "mask": mask.ravel()}
    curves = load(written(tmp_path / "a.h5", columns, group={"I_axes": "Time,Q", "Q_indices": 1}))
    assert [len(curve) for curve in curves] == [60, 55, 60]


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"mask has the shape \(12,\), and I has \(60,\)"):
        load(written(tmp_path / "a.h5", {"Q": Q, "I": INTENSITY, "mask": np.zeros(12)}))


def test_masks_of_frames(tmp_path: Path) -> None:
    mask = np.zeros((3, 60), dtype=bool)
    mask[1, :5] = True
    columns = {"Q": Q, "I": LEVELS[:, None] * INTENSITY, "mask": mask}
    group = {"I_axes": "Time,Q", "Q_indices": 1, "mask": "mask"}
    assert [len(curve) for curve in load(written(tmp_path / "a.h5", columns, group=group))] == [60, 55, 60]


@pytest.mark.parametrize(
    ("unit", "factor"), [("1/m", 100.0), ("m^-1", 100.0), ("1/mm", 0.1), ("1/(cm sr)", 1.0)]
)
def test_an_intensity_per_length_is_converted(tmp_path: Path, unit: str, factor: float) -> None:
    columns = {"Q": Q, "I": factor * INTENSITY, "Idev": factor * ERROR}
    said = {"I": {"units": unit}, "Idev": {"units": unit}}
    (curve,) = load(written(tmp_path / "a.h5", columns, attributes=said))
    np.testing.assert_allclose(curve.intensity, INTENSITY)
    np.testing.assert_allclose(curve.dintensity, ERROR)
    assert curve.intensity_unit == "cm⁻¹"
    assert any("I was converted" in note for note in curve.notes) == (factor != 1.0)


@pytest.mark.parametrize("unit", ["counts", "arbitrary units", "a.u.", "cm2/g", "barn", "1/cm*ml/mg"])
def test_other_units_of_intensity_are_kept_and_said(tmp_path: Path, unit: str) -> None:
    (curve,) = load(written(tmp_path / "a.h5", {"Q": Q, "I": INTENSITY}, attributes={"I": {"units": unit}}))
    np.testing.assert_allclose(curve.intensity, INTENSITY)
    assert curve.intensity_unit == unit
    assert any(unit in note for note in curve.notes)


@pytest.mark.parametrize("unit", ["1/cm", "counts"])
def test_units_of_intensity_are_exported(tmp_path: Path, unit: str) -> None:
    from sasnet_plugin.report.exports.hdf5 import write_curve

    (curve,) = load(written(tmp_path / "a.h5", {"Q": Q, "I": INTENSITY}, attributes={"I": {"units": unit}}))
    write_curve(curve, tmp_path / "b.h5")
    (again,) = load(tmp_path / "b.h5")
    assert again.intensity_unit == curve.intensity_unit


def xml(path: Path, units: list[str], scale: list[float]) -> Path:
    rows = "".join(
        f'<Idata><Q unit="{u}">{f * q:.9e}</Q><I unit="1/cm">{i:.9e}</I></Idata>'
        for u, f, q, i in zip(units, scale, Q, INTENSITY, strict=True)
    )
    path.write_text(
        '<?xml version="1.0"?><SASroot version="1.1" xmlns="urn:cansas1d:1.1"><SASentry><Title>t</Title>'
        f"<Run>1</Run><SASdata>{rows}</SASdata></SASentry></SASroot>"
    )
    return path


def test_points_of_one_xml_in_several_units_are_converted(tmp_path: Path) -> None:
    units, scale = ["1/A"] * 19 + ["1/nm"] * 41, [1.0] * 19 + [10.0] * 41
    (curve,) = load(xml(tmp_path / "a.xml", units, scale))
    np.testing.assert_allclose(curve.q, Q)
    assert any("several units" in note for note in curve.notes)


def test_units_that_contradict_the_values_are_refused(tmp_path: Path) -> None:
    """Values that ascend only as they are written: the units, not the values, are mixed."""
    with pytest.raises(DataError, match="several units"):
        load(xml(tmp_path / "a.xml", ["1/A"] * 30 + ["1/nm"] * 30, [1.0] * 60))


def test_units_between_which_nothing_converts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one unit"):
        load(xml(tmp_path / "a.xml", ["1/A"] * 30 + ["furlong"] * 30, [1.0] * 60))


def test_a_subentry_is_read_and_an_area_per_volume_is_an_inverse_length(tmp_path: Path) -> None:
    """As USAXS instruments write both, desmeared and slit-smeared: a SASentry within the entry."""
    path = tmp_path / "usaxs.h5"
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs.update({"NX_class": "NXentry", "canSAS_class": "SASentry"})
        for name in ("sample", "sample_smeared"):
            inner = entry.create_group(name)
            inner.attrs.update({"NX_class": "NXsubentry", "canSAS_class": "SASentry"})
            inner["title"] = name
            data = inner.create_group("sasdata")
            data.attrs.update({"NX_class": "NXdata", "canSAS_class": "SASdata", "signal": "I", "I_axes": "Q"})
            data["Q"], data["I"], data["Idev"] = Q, INTENSITY, ERROR
            data["Q"].attrs["units"], data["I"].attrs["units"] = "1/angstrom", "[cm2/cm3]"
    curves = load(path)
    assert [curve.entry for curve in curves] == ["sample", "sample_smeared"]
    for curve in curves:
        np.testing.assert_allclose(curve.intensity, INTENSITY)
        assert curve.intensity_unit == "cm⁻¹"
