"""Files as instruments write them (SINQ, VSANS, NXsas, panels), and stated beams held against the image."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from sansfiles import SETTING, scene

from sasnet_plugin.domains import ReadOptions
from sasnet_plugin.images.recognition import rate_sans as recognise
from sasnet_plugin.images.sans.reading import read
from sasnet_plugin.images.sans.rings import polar
from sasnet_plugin.types import DataError, Image

GEOMETRY = "wavelength=6", "distance=8000", "pixel_size=5"


def the(path: Path, *geometry: str) -> Image:
    (found,) = read(path, ReadOptions(geometry=geometry))
    return found


def put(group: h5py.Group, **values: object) -> None:
    for name, value in values.items():
        group[name] = value


def test_sans_1_of_sinq(tmp_path: Path) -> None:
    geometry, counts = scene()
    path = tmp_path / "sans2025n012345.hdf"
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry1")
        entry["definition"] = "NXsas"
        group = entry.create_group("SANS")
        put(group.create_group("Dornier-VS"), **{"lambda": [0.6]})
        put(group.create_group("monochromator"), wavelength_spread=[0.1])
        put(group.create_group("collimator"), length=[8.0])
        put(
            group.create_group("detector"),
            counts=counts.astype(np.int32), x_position=[12000.0], beam_center_x=[30.0], beam_center_y=[33.0],
        )  # fmt: skip
    assert recognise(path) == 1
    found = the(path)
    # Pixels of 7.5 mm at 12 m see what those of 5 mm at 8 m do.
    assert found.geometry.q == pytest.approx(geometry.q, rel=1e-5, abs=1e-7)


def test_nxsas_has_its_spread_and_its_beam_in_millimetres(tmp_path: Path) -> None:
    geometry, counts = scene()
    path = tmp_path / "nxsas.nxs"
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry["definition"] = "NXsas"
        detector = entry.create_group("instrument/detector")
        put(detector, data=counts[::-1].astype(np.uint32), distance=8.0, x_pixel_size=5.0, y_pixel_size=5.0)
        put(detector, beam_center_x=150.0, beam_center_y=150.0)
        for name in ("x_pixel_size", "y_pixel_size", "beam_center_x", "beam_center_y"):
            detector[name].attrs["units"] = "mm"
        put(entry.create_group("instrument/monochromator"), wavelength=0.6, wavelength_spread=0.1)
        entry["instrument/monochromator/wavelength"].attrs["units"] = "nm"
    assert recognise(path) == 1
    found = the(path)
    assert found.geometry.q[::-1] == pytest.approx(geometry.q, rel=1e-5, abs=1e-7)
    assert found.geometry.qy[0, 0] > 0  # the first row is on top


def vsans(path: Path, *, off: str = "") -> Path:
    """Left, right, top and bottom panels of the middle carriage, 10 m away; nothing in front."""
    rng = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/instrument")
        group["beam/monochromator/wavelength"] = [6.0]
        for name, shape in (("ML", (48, 128)), ("MR", (48, 128)), ("MT", (128, 48)), ("MB", (128, 48))):
            tubes = 48
            side = name[1] in "LR"
            detector = group.create_group(f"detector_{name}")
            put(
                detector,
                distance=[1000.0], setback=[0.0 if side else 41.0], beam_center_x=[0.3], beam_center_y=[-0.2],
                x_pixel_size=[8.4 if side else 4.0], y_pixel_size=[4.0 if side else 8.4], panel_gap=[3.5],
                lateral_offset=[-3.0 if name == "ML" else 3.0],
                vertical_offset=[5.0 if name == "MT" else -5.0],
                spatial_calibration=np.outer([-256.0, 4.0, 0.0], np.ones(tubes)),
            )  # fmt: skip
            x, y = (np.arange(n, dtype=float) for n in shape)
            start = {"L": -3.0 - 0.175 - 0.84 * 47.5, "R": 3.0 + 0.175 + 0.42, "T": 5.175 + 0.42}
            start["B"] = -5.175 - 0.84 * 47.5
            across = start[name[1]] + 0.84 * x if side else -25.6 + 0.4 * x
            along = -25.6 + 0.4 * y if side else start[name[1]] + 0.84 * y
            distance = 1000.0 if side else 1041.0
            r = np.hypot(across[:, None] - 0.3, along[None] + 0.2)
            q = 4 * np.pi / 6 * np.sin(np.arctan(r / distance) / 2)
            area = 0.84 * 0.4 / distance**2 * np.cos(np.arctan(r / distance)) ** 3
            rate = 3e9 * area * np.exp(-((q * 100) ** 2) / 3)
            detector["data"] = (rng.poisson(rate) if name != off else np.zeros(shape)).astype(np.int32)
    return path


def test_panels_of_vsans_are_one_measurement(tmp_path: Path) -> None:
    path = vsans(tmp_path / "sans98765.nxs.ngv")
    assert recognise(path) == 1
    found = the(path)
    assert any("Panels ML, MR, MT, MB were read as one measurement" in note for note in found.notes)
    assert found.counts.shape == (1, 4 * 48 * 128)
    rings = polar(found)
    seen = rings.counts.sum(axis=1) > 2000
    from sasnet_plugin.images.sans.rings import RINGS

    expected = np.exp(-((RINGS * 100) ** 2) / 3)
    ratio = rings.rate[seen] / expected[seen]
    # Panels of two distances agree on the same I(q), so that one scale serves all rings.
    assert ratio / np.median(ratio) == pytest.approx(np.ones(seen.sum()), abs=0.12)
    from sasnet_plugin.report.canvas import upright

    assert min(upright(found).counts.shape) > 20


def test_a_panel_that_was_switched_off_is_named(tmp_path: Path) -> None:
    found = the(vsans(tmp_path / "a.nxs", off="MT"))
    assert any("with hardly any counts: MT" in note for note in found.notes)


def test_panels_of_nxcansas_have_names_and_settings_are_told_apart(tmp_path: Path) -> None:
    geometry, counts = scene()
    halves = {"front": np.s_[:, :30], "rear": np.s_[:, 30:]}
    path = tmp_path / "panels.h5"
    with h5py.File(path, "w") as file:
        for name, part in halves.items():
            group = file.create_group(f"sasentry/{name}")
            group.attrs["canSAS_class"] = "SASdata"
            put(
                group,
                I=counts[part],
                Idev=np.sqrt(counts[part] + 1),
                Qx=geometry.qx[part],
                Qy=geometry.qy[part],
            )
    found = the(path)
    assert found.counts.size == counts.size
    assert any("Panels front, rear" in note for note in found.notes)
    with h5py.File(path, "w") as file:
        for name in ("up", "down"):
            group = file.create_group(f"sasentry/{name}")
            group.attrs["canSAS_class"] = "SASdata"
            put(group, I=counts, Idev=np.sqrt(counts + 1), Qx=geometry.qx, Qy=geometry.qy)
    assert {one.entry for one in read(path, ReadOptions())} == {"up", "down"}


def edf(path: Path, counts: np.ndarray, beam: tuple[float, float]) -> Path:
    from fabio.edfimage import EdfImage

    header = {"Center_1": str(beam[0] + 0.5), "Center_2": str(beam[1] + 0.5)}
    EdfImage(data=counts.astype(np.int32), header=header).write(str(path))
    return path


def test_a_header_s_beam_is_held_against_the_image(tmp_path: Path) -> None:
    _, counts = scene(shape=(96, 96), centre=(50.0, 41.0))
    right = the(edf(tmp_path / "right.edf", counts, (50.5, 40.0)), *GEOMETRY)
    assert not any("header" in note for note in right.notes)
    wrong = the(edf(tmp_path / "wrong.edf", counts, (65.0, 41.0)), *GEOMETRY)
    assert any(
        "beam position in the header, column 65.0, row 41.0, is not the centre" in note
        for note in wrong.notes
    )
    row, column = np.unravel_index(np.argmin(wrong.geometry.q), counts.shape)
    assert (column, row) == pytest.approx((50, 41), abs=1)
    # Who states it is believed, and told.
    told = the(tmp_path / "wrong.edf", *GEOMETRY, "direct_beam=[65,41]")
    assert any("not about the stated column 65.0, row 41.0" in note for note in told.notes)
    row, column = np.unravel_index(np.argmin(told.geometry.q), counts.shape)
    assert column == 65


def test_a_neutron_of_half_an_angstrom_is_one_in_nanometres(tmp_path: Path) -> None:
    _, counts = scene()
    np.save(tmp_path / "a.npy", counts)
    with pytest.raises(
        DataError, match=r"wavelength = 0\.51 Å is too short for neutrons.*give wavelength = 5\.1"
    ):
        the(tmp_path / "a.npy", "wavelength=0.51", "distance=8000", "pixel_size=5", "direct_beam=[30,33]")
    xray = the(
        tmp_path / "a.npy", "wavelength=0.51", "distance=3000", "pixel_size=0.172", "direct_beam=[30,33]"
    )
    assert xray.geometry.q.max() > 0


def test_hot_pixels_do_not_say_where_the_beam_is(tmp_path: Path) -> None:
    _, counts = scene(shape=(96, 96), centre=(50.0, 41.0))
    rng = np.random.default_rng(3)
    counts[rng.integers(0, 40, 25), rng.integers(60, 96, 25)] = 60_000
    np.save(tmp_path / "a.npy", counts)
    found = the(tmp_path / "a.npy", *GEOMETRY)
    row, column = np.unravel_index(np.argmin(found.geometry.q), counts.shape)
    assert (column, row) == pytest.approx((50, 41), abs=1)
    assert SETTING.k > 0
