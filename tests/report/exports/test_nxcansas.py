"""NXcanSAS, read back by sasdata and by sasnet itself."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from simulated_fits import KINDS, simulated

from sasnet_plugin import load
from sasnet_plugin.report.exports.hdf5 import write_nxcansas
from sasnet_plugin.types import Curve
from sasnet_plugin.units import UNIT_OF_I


def read(path: Path) -> list[Any]:
    from sasdata.dataloader.loader import Loader

    found = Loader().load(str(path))
    assert all(not d.errors for d in found)
    return list(found)


def same_q(found: Any, ours: Any) -> None:
    """Equal but for the last bit: sasdata multiplies by 1e10 and divides again, whatever the unit."""
    np.testing.assert_allclose(found, ours, rtol=3e-16)


@pytest.mark.parametrize("kind", KINDS)
def test_sasdata_reads_measurement_and_fit(kind: str, tmp_path: Path) -> None:
    result = simulated(kind)
    path = tmp_path / "fit.h5"
    write_nxcansas(result, path)
    measured, fitted = read(path)
    curve, best = result.curve, result.fits[0]
    same_q(measured.x, curve.q)
    np.testing.assert_array_equal(measured.y, curve.intensity)
    np.testing.assert_array_equal(measured.dy, result.dintensity)
    assert measured.x_unit == "A^{-1}"
    assert measured.title == curve.entry
    assert not measured.process
    same_q(fitted.x, curve.q)
    np.testing.assert_array_equal(fitted.y, best.theory)
    assert fitted.title == f"{curve.entry}, fit of {best.name}"
    for data in (measured, fitted):
        if kind == "pinhole":
            same_q(data.dx, curve.dq)
        elif kind == "slit":
            same_q(data.dxl, curve.dxl)
            np.testing.assert_array_equal(data.dxw, np.zeros(len(curve)))
            assert data.dx is None
        else:
            assert data.dx is None
            assert data.dxl is None


@pytest.mark.parametrize("kind", KINDS)
def test_sasdata_reads_the_process(kind: str, tmp_path: Path) -> None:
    result = simulated(kind)
    best = result.fits[0]
    path = tmp_path / "fit.h5"
    write_nxcansas(result, path)
    (process,) = read(path)[1].process
    assert process.name == "sasnet fit"
    assert process.description.startswith(f"{best.name} fitted")
    chisq = re.search(r" χ² = ([^,]+), ", process.description)
    assert chisq is not None
    assert float(chisq[1]) == pytest.approx(best.chisq, rel=1e-8)
    assert len(process.term) == len(best.parameters)
    for text, (name, parameter) in zip(process.term, best.parameters.items(), strict=True):
        found = re.fullmatch(r"(\w+) = (\S+)(?: ± (\S+))?(?: ([^( ]\S*))?( \(fixed\))?", text)
        assert found is not None, text
        assert found[1] == name
        assert float(found[2]) == parameter.value
        if parameter.error is None:
            assert found[3] is None
        else:
            assert float(found[3]) == pytest.approx(parameter.error, rel=0.01)
        assert (found[4] or "") == parameter.unit.replace(UNIT_OF_I, "")
        assert bool(found[5]) == parameter.fixed
    assert [n.split(":")[0] for n in process.notes[:2]] == [f.name for f in result.fits]
    assert process.notes[2:] == [*best.warnings, *result.notes]


def test_parameters_for_programs(tmp_path: Path) -> None:
    import h5py

    result = simulated("pinhole")
    best = result.fits[0]
    path = tmp_path / "fit.h5"
    write_nxcansas(result, path)
    with h5py.File(path, "r") as file:
        process = file["sasentry02/sasprocess01"]
        terms = {t.attrs["name"]: dict(t.attrs) for k, t in process.items() if k.startswith("term")}
        np.testing.assert_array_equal(file["sasentry01/sasdata01/Q"][()], result.curve.q)
        np.testing.assert_array_equal(file["sasentry01/sasdata01/dQ"][()], result.curve.dq)
        # What the definition asks for.
        assert file.attrs["NX_class"] == "NXroot"
        for entry in file.values():
            assert (entry.attrs["NX_class"], entry.attrs["canSAS_class"]) == ("NXentry", "SASentry")
            assert entry.attrs["version"] == "1.1"
            assert entry["definition"].asstr()[()] == "NXcanSAS"
            assert entry[entry.attrs["default"]].attrs["signal"] == "I"
    assert list(terms) == list(best.parameters)
    for name, p in best.parameters.items():
        assert terms[name]["value"] == p.value
        assert bool(terms[name]["fixed"]) == p.fixed
        assert terms[name].get("uncertainty") == p.error
    assert terms["radius_equatorial_pd"]["distribution"] == best.distributions["radius_equatorial"]
    assert terms["radius_polar"]["units"] == "Ang"


@pytest.mark.parametrize("kind", KINDS)
def test_sasnet_reads_it_too(kind: str, tmp_path: Path) -> None:
    result = simulated(kind)
    path = tmp_path / "fit.h5"
    write_nxcansas(result, path)
    found = load(path)[0]
    for name in ("q", "intensity", "dintensity", "dq", "dxl"):
        ours, theirs = getattr(result.curve, name), getattr(found, name)
        if ours is None:
            assert theirs is None
        else:
            same_q(theirs, ours)


@pytest.mark.parametrize(("given", "said"), [("", None), ("cm⁻¹", "cm^{-1}"), ("counts", "counts")])
def test_the_unit_of_i_is_that_of_the_file(given: str, said: str | None, tmp_path: Path) -> None:
    """One that nobody gave is not written: read again, it would make the volume fraction certain."""
    result = simulated("pinhole")
    path = tmp_path / "fit.h5"
    write_nxcansas(replace(result, curve=replace(result.curve, intensity_unit=given)), path)
    assert [data.y_unit for data in read(path)] == [said, said]
    assert [curve.intensity_unit for curve in load(path)][0] == given


def test_width_and_length_of_a_slit_are_not_confused(tmp_path: Path) -> None:
    result = simulated("slit")
    width = np.full(len(result.curve), 0.0007)
    path = tmp_path / "fit.h5"
    write_nxcansas(replace(result, curve=replace(result.curve, dxw=width)), path)
    measured = read(path)[0]
    same_q(measured.dxw, width)
    same_q(measured.dxl, result.curve.dxl)


def test_estimated_uncertainties_and_no_title(tmp_path: Path) -> None:
    result = simulated("perfect")
    bare = replace(result, curve=Curve(result.curve.q, result.curve.intensity))
    path = tmp_path / "fit.h5"
    write_nxcansas(bare, path)
    measured = read(path)[0]
    np.testing.assert_array_equal(measured.dy, result.dintensity)
    assert measured.title == "curve"
