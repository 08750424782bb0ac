"""Reading what sasdata's example folder holds, and text as people write it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.data import load
from sasnet_plugin.data.clean import cut_to_q_range
from sasnet_plugin.types import Curve, DataError

# Known by what they are: a table of scattering length density, and the profile of a camera's beam.
NOT_CURVES = {"CoreXY_ShellZ.txt", "beam profile.DAT"}


@pytest.fixture(scope="module")
def many(example_data: Path) -> tuple[Curve, ...]:
    """A file of 240 entries, whose reading takes the longest."""
    return load(example_data / "VTMA.h5")


def test_every_example_is_read_or_refused_in_one_sentence(
    example_data: Path, many: tuple[Curve, ...]
) -> None:
    files = sorted(example_data.iterdir())
    assert len(files) == 54
    assert {file.name for file in files} >= NOT_CURVES
    for file in files:
        if file.name in NOT_CURVES:
            with pytest.raises(DataError, match=re.escape(str(file))) as caught:
                load(file)
            assert "\n" not in str(caught.value)
            continue
        curves = many if file.name == "VTMA.h5" else load(file)
        titles = [curve.entry for curve in curves]
        assert len(set(titles)) == len(titles)
        for curve in curves:
            assert len(curve) >= 8
            assert np.all(curve.q > 0)
            assert np.all(np.diff(curve.q) >= 0)
            assert np.all(np.isfinite(curve.intensity))
            assert curve.dintensity is None or np.all(curve.dintensity > 0)
            assert curve.file == str(file)


def test_apoferritin(example_data: Path) -> None:
    (curve,) = load(example_data / "apoferritin.txt")
    assert len(curve) == 395
    assert curve.q[[0, -1]] == pytest.approx([0.0055, 0.3995])
    assert curve.intensity[0] == pytest.approx(6.648618e-01)
    assert curve.dintensity is not None
    assert curve.dintensity[0] == pytest.approx(1.143732e-01)
    assert curve.dq is not None
    assert curve.dq[0] == pytest.approx(8.935321e-04)
    assert np.count_nonzero(curve.intensity < 0) == 31
    assert any("31 intensities below zero were kept" in note for note in curve.notes)


def test_many_entries(many: tuple[Curve, ...]) -> None:
    assert len(many) == 240
    assert len({curve.entry for curve in many}) == 240


def test_entry_that_is_not_there(example_data: Path) -> None:
    file = example_data / "latex_smeared.xml"
    with pytest.raises(DataError, match=r"no entry 'nothing'.*1 'latex particles.*2 'latex particles"):
        load(file, entry="nothing")
    for number in (0, 3):
        with pytest.raises(DataError, match="no entry"):
            load(file, entry=number)


def test_sans_and_usans_in_one_file(example_data: Path) -> None:
    sans, usans = load(example_data / "latex_smeared.xml")
    assert sans.dq is not None
    assert sans.dxl is None
    assert sans.dxw is None
    assert usans.dq is None
    assert usans.dxl == pytest.approx(np.full(len(usans), 0.117))
    assert usans.q[-1] < sans.q[-1] / 50
    (named,) = load(example_data / "latex_smeared.xml", entry=usans.entry)
    np.testing.assert_array_equal(named.intensity, usans.intensity)
    (second,) = load(example_data / "latex_smeared.xml", entry=2)
    np.testing.assert_array_equal(second.intensity, usans.intensity)


def test_slit_of_abs(example_data: Path) -> None:
    (curve,) = load(example_data / "1umSlitSmearSphere.ABS")
    assert curve.dxl == pytest.approx(np.full(150, 0.117))
    assert curve.dq is None


@pytest.mark.parametrize("name", ["cyl_400_20.txt", "cyl_400_40.txt"])
def test_first_row_without_a_number_is_dropped_and_counted(example_data: Path, name: str) -> None:
    lines = (example_data / name).read_text().split("\n")
    assert "-1.#IND" in lines[1]
    (curve,) = load(example_data / name)
    assert len(curve) == len([line for line in lines if line.strip()]) - 2
    assert any(note.startswith("1 row") and "dropped" in note for note in curve.notes)
    assert curve.dintensity is None
    assert any("are estimated" in note for note in curve.notes)


@pytest.mark.parametrize("name", ["Anton-Paar.pdh", "saxess_example.pdh", "10wtAOT_Reline_120_reduced.pdh"])
def test_pdh_is_in_inverse_nanometres(example_data: Path, name: str) -> None:
    (curve,) = load(example_data / name)
    assert "n_m^-1" in (example_data / name).read_text()
    first = float((example_data / name).read_text().splitlines()[5].split()[0])
    assert cut_to_q_range(curve, 0.0, np.inf).q[0] == pytest.approx(first / 10)
    assert any("converted from nm⁻¹" in note for note in curve.notes)


def test_the_same_measurement_in_three_formats(example_data: Path) -> None:
    (xml,) = load(example_data / "33837rear_1D_1.75_16.5_CanSAS1D.xml")
    for name in ("33837rear_1D_1.75_16.5_NXcanSAS.h5", "33837rear_1D_1.75_16.5_NXcanSAS_v3.h5"):
        (nexus,) = load(example_data / name)
        assert nexus.entry == xml.entry
        np.testing.assert_allclose(nexus.q, xml.q, rtol=1e-5)
        np.testing.assert_allclose(nexus.intensity, xml.intensity, rtol=1e-5)
        np.testing.assert_allclose(nexus.dintensity, xml.dintensity, rtol=1e-5)
        assert nexus.dq is None
        assert xml.dq is None


def test_text_agrees_with_sasdata(example_data: Path) -> None:
    from sasdata.dataloader.loader import Loader

    for name in (
        "apoferritin.txt",
        "x_coreshell_1.txt",
        "Alumina_usaxs.csv",
        "ISIS_98929.TXT",
        "PolySpheres.txt",
    ):
        theirs = Loader().load(str(example_data / name))[0]
        (ours,) = load(example_data / name)
        np.testing.assert_allclose(ours.q, theirs.x, rtol=1e-12)
        np.testing.assert_allclose(ours.intensity, theirs.y, rtol=1e-12)
        np.testing.assert_allclose(ours.dintensity, theirs.dy, rtol=1e-12)


def test_one_masked_row_is_left_out(example_data: Path) -> None:
    (curve,) = load(example_data / "AOT_Microemulsion-Drop_Contrast.xml")
    assert curve.dintensity is not None
    assert np.all(curve.dintensity > 0)
    assert not np.any(curve.intensity == 0)
    assert "1 row marked as masked in the file (I = 0) was excluded." in curve.notes


def test_negative_q_of_the_straight_line_is_dropped(example_data: Path) -> None:
    (curve,) = load(example_data / "testdata_line3.txt")
    assert curve.q[0] > 0
    assert "1 row with negative q was dropped." in curve.notes
    assert "looks like an angle" in curve.q_unit.doubt


def test_xml_that_sasdata_refuses(example_data: Path) -> None:
    (curve,) = load(example_data.parent / "other_formats" / "1000A_sphere_sm.xml")
    assert len(curve) == 75
    assert curve.dxl == pytest.approx(np.full(75, 0.117))


@pytest.mark.parametrize("unit", ["nm", "1/nm", "nm^-1", "nm⁻¹", "nm-1"])
def test_forced_unit(write, guinier, unit: str) -> None:
    q, intensity, error = guinier
    (curve,) = load(write(q * 10, intensity, error), q_unit=unit)
    np.testing.assert_allclose(curve.q, q, rtol=1e-8)
    assert curve.q_unit.stated


def test_forced_unit_overrides_the_file(example_data: Path) -> None:
    (own,) = load(example_data / "Ludox_silica.xml")
    (forced,) = load(example_data / "Ludox_silica.xml", q_unit="nm")
    np.testing.assert_allclose(forced.q, own.q / 10)
    np.testing.assert_allclose(forced.dq, own.dq / 10)
    assert any("the file gives Å⁻¹" in note for note in forced.notes)
    (paar,) = load(example_data / "Anton-Paar.pdh", q_unit="A")
    assert paar.q[-1] == pytest.approx(4.5017)


@pytest.mark.parametrize(
    "header", ["q (1/nm) I (1/cm)", "q[nm^-1]  I[cm^-1]", "# Q nm-1, I cm-1", "q / nm⁻¹; I", "<q> 1/nm <I>"]
)
def test_unit_from_a_header(write, guinier, header: str) -> None:
    q, intensity, error = guinier
    (curve,) = load(write(q * 10, intensity, error, header=header))
    np.testing.assert_allclose(curve.q, q, rtol=1e-8)


def test_wavelength_is_no_unit_of_q(write, guinier) -> None:
    (curve,) = load(write(*guinier, header="wavelength 0.154 (nm)\nq (1/A) I"))
    np.testing.assert_allclose(curve.q, guinier[0], rtol=1e-8)


def _nexus(path: Path, q: np.ndarray, intensity: np.ndarray, unit: str | None) -> Path:
    import h5py

    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs.update({"NX_class": "NXentry", "canSAS_class": "SASentry"})
        entry["title"] = "silica"
        data = entry.create_group("data")
        data.attrs.update({"NX_class": "NXdata", "canSAS_class": "SASdata", "signal": "I", "I_axes": "Q"})
        data["Q"], data["I"] = q, intensity
        if unit is not None:
            data["Q"].attrs["units"] = unit
        data["I"].attrs["units"] = "1/cm"
    return path


@pytest.mark.parametrize(("unit", "scale"), [("1/nm", 10), ("1/angstrom", 1), ("nm^-1", 10), (None, 1)])
def test_unit_of_nxcansas(tmp_path: Path, guinier, unit: str | None, scale: float) -> None:
    q, intensity, _ = guinier
    (curve,) = load(_nexus(tmp_path / "silica.h5", q * scale, intensity, unit))
    np.testing.assert_allclose(curve.q, q, rtol=1e-6)
    assert curve.entry == "silica"


@pytest.mark.parametrize("delimiter", [" ", "\t", ",", ", ", ";", " ; "])
def test_delimiters(write, guinier, delimiter: str) -> None:
    q, intensity, error = guinier
    (curve,) = load(write(q, intensity, error, delimiter=delimiter, header="made by hand"))
    np.testing.assert_allclose(curve.q, q, rtol=1e-8)
    np.testing.assert_allclose(curve.intensity, intensity, rtol=1e-8)
    np.testing.assert_allclose(curve.dintensity, error, rtol=1e-8)


@pytest.mark.parametrize("delimiter", [";", "\t", "  "])
def test_decimal_commas(write, guinier, delimiter: str) -> None:
    path = write(*guinier, delimiter=delimiter)
    path.write_text(path.read_text().replace(".", ","))
    (curve,) = load(path)
    np.testing.assert_allclose(curve.q, guinier[0], rtol=1e-8)
    np.testing.assert_allclose(curve.intensity, guinier[1], rtol=1e-8)


def test_numbers_in_the_header_and_a_footer(write, guinier) -> None:
    path = write(*guinier, header="run 17\n 60 0 0 0\n 1 2\nq I dI")
    path.write_text(path.read_text() + "end of data\n3 points bad\n")
    (curve,) = load(path)
    np.testing.assert_allclose(curve.q, guinier[0], rtol=1e-8)


def test_a_broken_line_does_not_end_the_table(write, guinier) -> None:
    path = write(*guinier)
    lines = path.read_text().splitlines()
    lines[20] = "detector tripped"
    path.write_text("\n".join(lines))
    (curve,) = load(path)
    np.testing.assert_allclose(curve.q, np.delete(guinier[0], 20), rtol=1e-8)
    assert any(note.startswith("1 line inside the table") for note in curve.notes)


def test_remarks_behind_the_numbers(write, guinier) -> None:
    path = write(*guinier)
    path.write_text("\n".join(f"{line} # point {n}" for n, line in enumerate(path.read_text().splitlines())))
    (curve,) = load(path)
    np.testing.assert_allclose(curve.q, guinier[0], rtol=1e-8)


def test_columns_in_the_order_of_their_names(write, guinier) -> None:
    q, intensity, error = guinier
    (curve,) = load(write(q, 0.05 * q, intensity, error, header="Q dQ I dI"))
    np.testing.assert_allclose(curve.dq, 0.05 * q, rtol=1e-8)
    np.testing.assert_allclose(curve.intensity, intensity, rtol=1e-8)
    np.testing.assert_allclose(curve.dintensity, error, rtol=1e-8)


def test_overlapping_configurations_keep_equal_q_in_order(write, guinier) -> None:
    q, intensity, error = guinier
    merged = np.concatenate([q[:40], q[30:]]), np.concatenate([intensity[:40], 1.1 * intensity[30:]])
    (curve,) = load(write(*merged, np.concatenate([error[:40], error[30:]])))
    assert len(curve) == 70
    ratio = curve.intensity[31:51:2] / curve.intensity[30:50:2]
    np.testing.assert_allclose(ratio, 1.1, rtol=1e-7)
    assert any("not in ascending order" in note for note in curve.notes)


def test_encodings(write, guinier) -> None:
    path = write(*guinier, header="q [Å⁻¹] I")
    text = path.read_text(encoding="utf-8")
    for data in (text.encode("utf-16"), text.encode("utf-8-sig"), text.replace("⁻¹", "-1").encode("latin-1")):
        path.write_bytes(data)
        (curve,) = load(path)
        np.testing.assert_allclose(curve.q, guinier[0], rtol=1e-8)


def test_loading_does_not_import_what_a_user_does_not_need(example_data: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom sasnet_plugin.data import load\n"
        f"load({str(example_data / 'apoferritin.txt')!r})\n"
        f"load({str(example_data / 'latex_smeared.xml')!r})\n"
        "print([m for m in ('bumps', 'matplotlib', 'sasmodels', 'keras', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""
