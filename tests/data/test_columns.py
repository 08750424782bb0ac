"""Columns: what their names say, and what they could be where they have none."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.data import load
from sasnet_plugin.data.columns.names import understand
from sasnet_plugin.types import Curve, DataError

SEED = np.random.default_rng(7)
RADIUS = 60.0


def sphere(q: np.ndarray) -> np.ndarray:
    """Form factor of a sphere of 60 Å with a background; Lord Rayleigh, Proc. R. Soc. 84 (1911) 25."""
    x = q * RADIUS
    return 8.0 * (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 + 0.02


Q = np.geomspace(0.006, 0.35, 110)
TRUTH = sphere(Q)
ERROR = 0.01 * np.sqrt(TRUTH * 8.0)
MEASURED = TRUTH + ERROR * SEED.standard_normal(Q.size)


def write(path: Path, header: str, *columns: np.ndarray, footer: str = "", delimiter: str = " ") -> Path:
    rows = "\n".join(delimiter.join(f"{v:.8g}" for v in row) for row in zip(*columns, strict=True))
    path.write_text(f"{header}\n{rows}\n{footer}" if header else f"{rows}\n{footer}", encoding="utf-8")
    return path


def only(path: Path, **how: float) -> Curve:
    (curve,) = load(path, **how)  # type: ignore[arg-type]
    return curve


def check(curve: Curve, *, error: bool = True) -> None:
    np.testing.assert_allclose(curve.q, Q, rtol=1e-6)
    np.testing.assert_allclose(curve.intensity, MEASURED, rtol=1e-6)
    if error:
        np.testing.assert_allclose(curve.dintensity, ERROR, rtol=1e-6)
    else:
        assert curve.dintensity is None


@pytest.mark.parametrize(
    ("text", "quantity", "scale", "unit"),
    [
        ("q_nm^-1", "q", "", "nm^-1"),
        ("<q>", "q", "", ""),
        ("Q, 1/Å", "q", "", "1/Å"),
        ("Q(A^(-1))", "q", "", "A^-1"),
        ("sExp", "q", "", ""),
        ("scattering vector (nm^-1)", "q", "", "nm^-1"),
        ("q [furlong]", "q", "", "furlong"),
        ("2-Theta Angle (Degrees)", "angle", "", "Degrees"),
        ("2th_deg", "angle", "", "deg"),
        ("2θ", "angle", "", ""),
        ("I(q) (cm⁻¹)", "intensity", "", "cm⁻¹"),
        ("J EXP", "intensity", "", ""),
        ("iExp", "intensity", "", ""),
        ("log10(I)", "intensity", "log10", ""),
        ("ln I", "intensity", "ln", ""),
        ("q²·I(q)", "intensity", "q2", ""),
        ("Iq", "intensity", "", ""),
        ("iFit(+Const)", "model", "", ""),
        ("J REG", "model", "", ""),
        ("sigma(I)", "dintensity", "", ""),
        ("variance", "dintensity", "squared", ""),
        ("dI/I", "relative", "", ""),
        ("Error [%]", "relative", "", "%"),
        ("sigma_Q", "dq", "", ""),
        ("dsigQ", "dq", "", ""),
        ("Counts", "other", "", ""),
        ("residuals/sigma", "other", "", ""),
        ("I(buffer)", "before subtraction", "", ""),
        ("5 wt%", "", "", ""),
    ],
)
def test_names(text: str, quantity: str, scale: str, unit: str) -> None:
    found = understand(text)
    assert (found.quantity, found.scale, found.unit) == (quantity, scale, unit)


def test_error_in_percent_is_a_hundredth() -> None:
    assert understand("error(%)").factor == pytest.approx(0.01)


@pytest.mark.parametrize("header", ["q exp_intensity model_intensity error", ""])
def test_a_calculated_curve_is_no_uncertainty(tmp_path: Path, header: str) -> None:
    curve = only(write(tmp_path / "foxs.dat", header, Q, MEASURED, TRUTH, ERROR))
    check(curve)
    assert any("calculated curve" in note for note in curve.notes)


@pytest.mark.parametrize("header", ["   sExp  |  iExp |  Err | iFit(+Const) | Chi^2=   1.01", ""])
def test_a_calculated_curve_is_no_resolution(tmp_path: Path, header: str) -> None:
    curve = only(write(tmp_path / "fit.fir", header, Q, MEASURED, ERROR, TRUTH))
    check(curve)
    assert curve.dq is None
    assert any("calculated curve" in note for note in curve.notes)


def test_a_resolution_without_a_name_is_used(tmp_path: Path) -> None:
    curve = only(write(tmp_path / "sans.dat", "", Q, MEASURED, ERROR, np.hypot(0.05 * Q, 1e-3)))
    np.testing.assert_allclose(curve.dq, np.hypot(0.05 * Q, 1e-3), rtol=1e-6)


def test_samples_side_by_side_are_several_data_sets(tmp_path: Path) -> None:
    one = write(tmp_path / "s.dat", "q I_1 e_1 I_2 e_2", Q, MEASURED, ERROR, 2 * MEASURED, 3 * ERROR)
    first, second = load(one)
    check(first)
    np.testing.assert_allclose(second.intensity, 2 * MEASURED, rtol=1e-6)
    np.testing.assert_allclose(second.dintensity, 3 * ERROR, rtol=1e-6)
    assert (first.entry, second.entry) == ("I_1", "I_2")


def test_samples_of_any_name(tmp_path: Path) -> None:
    columns = Q, MEASURED, 2 * MEASURED, 4 * MEASURED
    found = load(write(tmp_path / "s.csv", "q (1/A),5 wt%,10 wt%,20 wt%", *columns, delimiter=","))
    assert [curve.entry for curve in found] == ["5 wt%", "10 wt%", "20 wt%"]
    for curve, truth in zip(found, columns[1:], strict=True):
        np.testing.assert_allclose(curve.intensity, truth, rtol=1e-6)
        assert curve.dintensity is None


def test_what_was_subtracted_is_not_the_curve(tmp_path: Path) -> None:
    header = "q I_sample I_buffer I_subtracted error"
    check(only(write(tmp_path / "s.dat", header, Q, MEASURED + 1, np.ones_like(Q), MEASURED, ERROR)))


@pytest.mark.parametrize(("header", "factor"), [("q I error(%)", 100.0), ("q I dI/I", 1.0)])
def test_relative_uncertainties(tmp_path: Path, header: str, factor: float) -> None:
    check(only(write(tmp_path / "r.dat", header, Q, MEASURED, factor * ERROR / MEASURED)))


def test_logarithms(tmp_path: Path) -> None:
    path = write(tmp_path / "l.dat", "log10(q) log10(I)", np.log10(Q), np.log10(np.abs(MEASURED)))
    check(only(path), error=False)
    with pytest.raises(DataError, match="log10 of q"):
        load(write(tmp_path / "n.dat", "", np.log10(Q), np.log10(np.abs(MEASURED))))


def test_kratky(tmp_path: Path) -> None:
    check(only(write(tmp_path / "k.dat", "q q^2*I error", Q, Q**2 * MEASURED, Q**2 * ERROR)))


def test_counts_are_no_part_of_a_curve(tmp_path: Path) -> None:
    check(only(write(tmp_path / "c.dat", "Q Counts I dI", Q, 1e4 * MEASURED, MEASURED, ERROR)))


def test_point_numbers_are_no_q(tmp_path: Path) -> None:
    check(only(write(tmp_path / "p.dat", "", np.arange(Q.size), Q, MEASURED, ERROR)))


def test_gnom_s_experimental_curve_is_read_though_p_of_r_is_longer(tmp_path: Path) -> None:
    path = write(
        tmp_path / "g.out", "      S          J EXP       ERROR       J REG       I REG\n",
        Q, MEASURED, ERROR, TRUTH, TRUTH,
    )  # fmt: skip
    r = np.linspace(0, 120, 300)
    rows = "\n".join(f"{v:.4f} {v * (120 - v):.5f} {0.1:.3f}" for v in r)
    path.write_text(
        path.read_text()
        + f"\n    Distance distribution  function of particle\n\n   R   P(R)   ERROR\n\n{rows}\n"
    )
    check(only(path))


@pytest.mark.parametrize(
    ("header", "footer", "scale"),
    [
        ("Sample description: micelle", "angular-unit: nanometer", 10.0),
        ("# scattering vector in inverse nanometres", "", 10.0),
        ("# q unit: nm^-1", "", 10.0),
        ("q [1/um] I dI", "", 1e4),
        ("q (pm^-1) I dI", "", 0.01),
        ("q (m^-1) I dI", "", 1e10),
        ("q [\\AA^{-1}] I dI", "", 1.0),
        ("_sas_scan.momentum_transfer_units 1/AA\n_sas_result.length_units nm", "", 1.0),
        ("q I dI\n1/nm cm^-1 cm^-1", "", 10.0),
        ("s=2 sin(theta)/lambda in 1/nm", "", 10.0 / (2 * np.pi)),
        ("# s = 4 pi sin(theta)/lambda [1/nm]", "", 10.0),
    ],
)
def test_units_wherever_they_stand(tmp_path: Path, header: str, footer: str, scale: float) -> None:
    curve = only(write(tmp_path / "u.dat", header, Q * scale, MEASURED, ERROR, footer=footer))
    check(curve)
    assert curve.q_unit.stated


def test_an_unknown_unit_is_refused_and_can_be_overridden(tmp_path: Path) -> None:
    path = write(tmp_path / "f.dat", "q (furlong^-1) I dI", Q, MEASURED, ERROR)
    with pytest.raises(DataError, match=r"furlong.*not a known unit of q"):
        load(path)
    check(load(path, q_unit="A")[0])


def test_no_unit_is_said_to_be_assumed(tmp_path: Path) -> None:
    curve = only(write(tmp_path / "n.dat", "q I dI", Q, MEASURED, ERROR))
    check(curve)
    assert str(curve.q_unit) == "q read as Å⁻¹ (assumed)"
    assert curve.q_unit.as_dict() == {"value": "Å⁻¹", "stated": False}
    assert not curve.q_unit.doubt


def test_where_nanometres_are_likelier_both_readings_are_said(tmp_path: Path) -> None:
    curve = only(write(tmp_path / "n.dat", "", 10 * Q, MEASURED, ERROR))
    # Rg = sqrt(3/5) 60 Å = 46.5 Å, read ten times too small.
    size = re.search(r"Rg about ([\d.]+) Å\. In nm⁻¹", curve.q_unit.doubt)
    assert size is not None
    assert float(size[1]) == pytest.approx(4.65, rel=0.1)
    assert "In nm⁻¹ it would end at 0.35 Å⁻¹" in curve.q_unit.doubt


def test_joined_data_of_wide_angles_are_not_doubted(tmp_path: Path) -> None:
    q = np.geomspace(1.2e-4, 1.6, 260)
    curve = only(write(tmp_path / "w.dat", "", q, q**-4 + 0.02, 0.02 * q**-4 + 4e-4))
    assert not curve.q_unit.doubt


def test_an_angle_needs_the_wavelength(tmp_path: Path) -> None:
    two_theta = np.degrees(2 * np.arcsin(Q * 1.5418 / (4 * np.pi)))
    path = write(
        tmp_path / "a.chi", "a.gfrm\n2-Theta Angle (Degrees)\nIntensity\n   110", two_theta, MEASURED
    )
    with pytest.raises(DataError, match=r"2-Theta Angle \(Degrees\).*--wavelength"):
        load(path)
    check(only(path, wavelength=1.5418), error=False)
    stated = write(tmp_path / "b.xy", "# wavelength: 1.5418 A\n2theta I", two_theta, MEASURED)
    check(only(stated), error=False)
    milliradian = write(tmp_path / "c.xy", "2theta (mrad) I", 1e3 * np.radians(two_theta), MEASURED)
    check(only(milliradian, wavelength=1.5418), error=False)


@pytest.mark.parametrize("between", ["", "\nsample: B, twice as much\nq(1/A) I dI"])
def test_tables_below_each_other_are_several_data_sets(tmp_path: Path, between: str) -> None:
    path = write(tmp_path / "t.dat", "q(1/A) I dI", Q, MEASURED, ERROR)
    again = write(tmp_path / "u.dat", f"{between}\nsample B", Q, 2 * MEASURED, ERROR)
    path.write_text(path.read_text() + again.read_text())
    first, second = load(path)
    check(first)
    np.testing.assert_allclose(second.intensity, 2 * MEASURED, rtol=1e-6)
    assert second.q_unit.stated


def test_settings_below_each_other_are_one_curve(tmp_path: Path) -> None:
    path = write(tmp_path / "t.dat", "q(1/A) I dI", Q[:60], MEASURED[:60], ERROR[:60])
    again = write(tmp_path / "u.dat", "# 2 m", Q[50:], 1.01 * MEASURED[50:], ERROR[50:])
    path.write_text(path.read_text() + again.read_text())
    assert len(only(path)) == 120


def test_distances_are_no_q(tmp_path: Path) -> None:
    r = np.linspace(0, 120, 100)
    with pytest.raises(DataError, match="distances"):
        load(write(tmp_path / "p.dat", "# R (A)   P(R)   ERROR", r, r * (120 - r), 0 * r + 0.1))


def test_numbers_in_quotes_with_decimal_commas(tmp_path: Path) -> None:
    path = write(tmp_path / "q.csv", '"q (1/A)";"I"', Q, MEASURED, delimiter=";")
    lines = path.read_text().splitlines()
    rows = [",".join(f'"{v.replace(".", ",")}"' for v in line.split(";")) for line in lines[1:]]
    path.write_text("\n".join([lines[0].replace(";", ","), *rows]))
    check(only(path), error=False)


def test_a_slit_of_usans_has_a_minus(tmp_path: Path) -> None:
    header = "The 6 columns are | Q (1/A) | I(Q) (1/cm) | std. dev. I(Q) (1/cm) | -dQv | -dQv | -dQv |"
    slit = np.full_like(Q, -0.117)
    curve = only(write(tmp_path / "u.cor", header, Q, MEASURED, ERROR, slit, slit, slit))
    check(curve)
    np.testing.assert_allclose(curve.dxl, 0.117)
    assert curve.dq is None
