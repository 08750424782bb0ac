"""The slit length of canSAS metadata smears a curve that has no column of it."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from sasnet_plugin.data import load

Q = np.geomspace(0.005, 0.3, 40)
CURVE = 50 * np.exp(-((Q * 30) ** 2) / 3) + 0.1


def xml(path: Path, slits: str, column: str = "") -> Path:
    """CanSAS with elements in a detector, and elements in each row."""
    rows = "".join(
        f'<Idata><Q unit="1/A">{q}</Q><I unit="1/cm">{i}</I><Idev unit="1/cm">{i / 50}</Idev>{column}</Idata>'
        for q, i in zip(Q, CURVE, strict=True)
    )
    path.write_text(
        '<?xml version="1.0"?><SASroot version="1.1" xmlns="urn:cansas1d:1.1"><SASentry name="e">'
        f"<Title>t</Title><Run>1</Run><SASdata>{rows}</SASdata><SASsample><ID>s</ID></SASsample><SASinstrument>"
        "<name>n</name><SASsource><radiation>x-ray</radiation></SASsource><SAScollimation/><SASdetector>"
        f"<name>d</name>{slits}</SASdetector></SASinstrument><SASnote/></SASentry></SASroot>"
    )
    return path


@pytest.mark.parametrize(("unit", "factor"), [("1/A", 1.0), ("1/nm", 0.1), ("", 1.0)])
def test_slit_length_of_xml(tmp_path: Path, unit: str, factor: float) -> None:
    (curve,) = load(xml(tmp_path / "a.xml", f'<slit_length unit="{unit}">0.117</slit_length>'))
    np.testing.assert_allclose(curve.dxl, 0.117 * factor)
    assert any("slit_length" in note for note in curve.notes)


@pytest.mark.parametrize(
    "slits", ["", "<slit_length unit='1/A'>0</slit_length>", "<slit_length unit='mm'>5</slit_length>"]
)
def test_no_slit(tmp_path: Path, slits: str) -> None:
    (curve,) = load(xml(tmp_path / "a.xml", slits))
    assert curve.dxl is None


def test_a_pinhole_column_is_believed_and_two_lengths_are_not(tmp_path: Path) -> None:
    one = "<slit_length unit='1/A'>0.1</slit_length>"
    (curve,) = load(xml(tmp_path / "a.xml", one, '<Qdev unit="1/A">0.001</Qdev>'))
    assert curve.dxl is None
    (curve,) = load(xml(tmp_path / "b.xml", one + one.replace("0.1", "0.2")))
    assert curve.dxl is None
    assert any("several values of slit_length" in note for note in curve.notes)


def test_slit_length_of_nxcansas(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        data = file.create_group("sasentry01/sasdata01")
        file["sasentry01"].attrs.update(canSAS_class="SASentry", NX_class="NXentry", version="1.1")
        data.attrs.update(canSAS_class="SASdata", NX_class="NXdata", signal="I", I_axes="Q", Q_indices=0)
        for name, values, unit in (("Q", Q, "1/nm"), ("I", CURVE, "1/cm"), ("Idev", 0.02 * CURVE, "1/cm")):
            data[name] = values
            data[name].attrs["units"] = unit
        file["sasentry01/sasinstrument01/sasdetector01/slit_length"] = 0.3
        file["sasentry01/sasinstrument01/sasdetector01/slit_length"].attrs["units"] = "1/nm"
    (curve,) = load(path)
    np.testing.assert_allclose(curve.q, Q / 10)
    np.testing.assert_allclose(curve.dxl, 0.03)
