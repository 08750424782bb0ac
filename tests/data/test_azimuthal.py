"""Images integrated over the azimuth, as MAX IV and pyFAI write them, are curves."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from sasnet_plugin.data import load
from sasnet_plugin.types import DataError

Q = np.linspace(0.005, 0.3, 80)
CURVE = 50 * np.exp(-((Q * 30) ** 2) / 3) + 0.1
WAVELENGTH = 1.2


def data(
    entry: h5py.Group, name: str, intensity: np.ndarray, axes: list[str], axis: np.ndarray, unit: str
) -> None:
    """A group NXdata with errors of 2 %."""
    group = entry.create_group(name)
    group.attrs.update(NX_class="NXdata", signal="I", axes=axes)
    group["I"], group["I_errors"], group[axes[-1]] = intensity, 0.02 * intensity, axis
    group[axes[-1]].attrs["units"] = unit


def entry_of(file: h5py.File, definition: str | None = "NXazint1d", wavelength: bool = True) -> h5py.Group:
    entry = file.create_group("entry")
    entry.attrs["NX_class"] = "NXentry"
    if definition:
        entry["definition"] = definition
    if wavelength:
        entry["instrument/monochromator/wavelength"] = WAVELENGTH
        entry["instrument/monochromator/wavelength"].attrs["units"] = "angstrom"
    return entry


@pytest.mark.parametrize(("unit", "factor"), [("1/angstrom", 1.0), ("1/nm", 10.0)])
def test_a_series_is_one_curve_a_frame(tmp_path: Path, unit: str, factor: float) -> None:
    frames = np.stack([CURVE, 2 * CURVE, 3 * CURVE])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data(entry_of(file), "data", frames, [".", "radial_axis"], Q * factor, unit)
    curves = load(tmp_path / "a.h5")
    assert [curve.entry for curve in curves] == ["frame 1", "frame 2", "frame 3"]
    for curve, frame in zip(curves, frames, strict=True):
        np.testing.assert_allclose(curve.q, Q)
        np.testing.assert_allclose(curve.intensity, frame)
        np.testing.assert_allclose(curve.dintensity, 0.02 * frame)
    (second,) = load(tmp_path / "a.h5", entry=2)
    np.testing.assert_allclose(second.intensity, 2 * CURVE)


def test_angles_are_converted_with_the_wavelength_of_the_file(tmp_path: Path) -> None:
    angle = np.degrees(2 * np.arcsin(Q * WAVELENGTH / (4 * np.pi)))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data(entry_of(file), "data", CURVE[None], [".", "radial_axis"], angle, "degrees")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        data(entry_of(file, wavelength=False), "data", CURVE[None], [".", "radial_axis"], angle, "degrees")
    with h5py.File(tmp_path / "c.h5", "w") as file:
        entry = entry_of(file, wavelength=False)
        data(entry, "data", CURVE[None], [".", "radial_axis"], angle, "degrees")
        entry["instrument/monochromator/energy"] = 12.398419843320026 / WAVELENGTH
    for name in "ac":
        (curve,) = load(tmp_path / f"{name}.h5")
        np.testing.assert_allclose(curve.q, Q, rtol=1e-6)
        assert any("wavelength" in note for note in curve.notes)
    with pytest.raises(DataError, match="--wavelength"):
        load(tmp_path / "b.h5")


def test_bins_of_azimuth_are_averaged_by_their_pixels_where_no_average_lies_beside(tmp_path: Path) -> None:
    pixels = np.tile([[1.0], [3.0], [0.0]], (1, Q.size))
    cake = np.stack([[CURVE, 2 * CURVE, np.full(Q.size, np.nan)]])
    with h5py.File(tmp_path / "cake.h5", "w") as file:
        entry = entry_of(file, "NXazint2d")
        data(entry, "data", cake, [".", "azimuthal_axis", "radial_axis"], Q, "1/angstrom")
        entry["data/norm"] = pixels
    (curve,) = load(tmp_path / "cake.h5")
    np.testing.assert_allclose(curve.intensity, 1.75 * CURVE)
    np.testing.assert_allclose(curve.dintensity, 0.02 * np.hypot(1, 6) / 4 * CURVE)
    with h5py.File(tmp_path / "both.h5", "w") as file:  # as MAX IV writes both, with a link to the first
        entry = entry_of(file, None)
        for name in ("azint1d", "azint2d"):
            entry.create_group(name).attrs["NX_class"] = "NXsubentry"
        data(entry["azint1d"], "data", CURVE[None], [".", "radial_axis"], Q, "1/angstrom")
        data(entry["azint2d"], "data", cake, [".", "azimuthal_axis", "radial_axis"], Q, "1/angstrom")
        entry["data"] = h5py.SoftLink("/entry/azint1d/data")
    (curve,) = load(tmp_path / "both.h5")
    np.testing.assert_allclose(curve.intensity, CURVE)


def test_powder_of_pyfai(tmp_path: Path) -> None:
    angle = np.degrees(2 * np.arcsin(Q * WAVELENGTH / (4 * np.pi)))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        results = entry_of(file, "NXmonopd").create_group("results")
        results.attrs.update(NX_class="NXdata", signal="data", axes=["polar_angle"])
        results["data"], results["errors"], results["polar_angle"] = CURVE, 0.1 * CURVE, angle
        results["polar_angle"].attrs["units"] = "2th_deg"
    (curve,) = load(tmp_path / "a.h5")
    np.testing.assert_allclose(curve.q, Q)
    np.testing.assert_allclose(curve.dintensity, 0.1 * CURVE)


def test_written_by_pyfai_itself(tmp_path: Path) -> None:
    nexus = pytest.importorskip("pyFAI.io.nexus")
    from pyFAI.detectors import Detector
    from pyFAI.integrator.azimuthal import AzimuthalIntegrator

    plate = Detector(1e-3, 1e-3, max_shape=(120, 120))
    camera = AzimuthalIntegrator(dist=3.0, poni1=0.06, poni2=0.06, detector=plate, wavelength=1e-10)
    image = 1e4 * np.exp(-((camera.array_from_unit(unit="q_A^-1") * 40) ** 2) / 3) + 5
    for unit in ("q_A^-1", "2th_deg"):
        one = camera.integrate1d(image, 60, unit=unit, error_model="poisson")
        nexus.save_NXazint1d(str(tmp_path / "a.h5"), [one, one])
        curves = load(tmp_path / "a.h5")
        assert len(curves) == 2
        expected = 1e4 * np.exp(-((curves[0].q * 40) ** 2) / 3) + 5
        np.testing.assert_allclose(curves[0].intensity, expected, rtol=0.05)
