"""Tables of the wild: names that tell only beside each other, tables after tables, and what is no q."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.data import load
from sasnet_plugin.types import Curve, DataError

RNG = np.random.default_rng(11)
RADIUS = 45.0
Q = np.geomspace(0.008, 0.4, 90)
X = Q * RADIUS
TRUTH = 6.0 * (3 * (np.sin(X) - X * np.cos(X)) / X**3) ** 2 + 0.03
ERROR = 0.02 * np.sqrt(6.0 * TRUTH)
MEASURED = TRUTH + ERROR * RNG.standard_normal(Q.size)


def rows(*columns: np.ndarray, sign: str = " ") -> str:
    return "\n".join(sign.join(f"{value:.8g}" for value in row) for row in zip(*columns, strict=True))


def write(folder: Path, text: str, name: str = "curve.dat") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def check(curve: Curve, *, factor: float = 1.0, error: bool = True) -> None:
    np.testing.assert_allclose(curve.q, Q, rtol=1e-6)
    np.testing.assert_allclose(curve.intensity, factor * MEASURED, rtol=1e-6)
    if error:
        assert curve.dintensity is not None
        np.testing.assert_allclose(curve.dintensity, factor * ERROR, rtol=1e-6)
    else:
        assert curve.dintensity is None


@pytest.mark.parametrize(
    ("names", "order"),
    [
        ("SMR_Int\tSMR_Error\tSMR_Qvec", "ieq"),
        ("DSM_Qvec\tDSM_Int\tDSM_Error", "qie"),
        ("Q_gel_7\tR_gel_7\tS_gel_7", "qie"),
        ("q_gel\tr_Gel\ts_gel", "qie"),
        ("Q (A-1), I0(80_1.0), I0(err)", "qie"),
        ("Q (1/A)\tSca\tdSca (SD)", "qie"),
        ("File format : Q, I(Q), err", "qie"),
        ("Data columns are: q, I, sigma", "qie"),
        ("columns q I dI", "qie"),
    ],
)
def test_names_beside_each_other_tell_the_columns(tmp_path: Path, names: str, order: str) -> None:
    columns = {"q": Q, "i": MEASURED, "e": ERROR}
    (curve,) = load(write(tmp_path, f"{names}\n{rows(*(columns[one] for one in order))}\n"))
    check(curve)


def test_a_letter_beside_q_is_no_second_q(tmp_path: Path) -> None:
    (curve,) = load(write(tmp_path, f"q,h,I,dI\n{rows(Q, np.cos(Q), MEASURED, ERROR, sign=',')}\n"))
    check(curve)


def test_a_structure_factor_is_no_resolution(tmp_path: Path) -> None:
    (curve,) = load(write(tmp_path, f"q\tI(q)\tS(Q)\n{rows(Q, MEASURED, 1e-3 * Q)}\n"))
    assert curve.dq is None
    check(curve, error=False)


def test_a_fit_beside_a_column_of_ones_is_no_uncertainty(tmp_path: Path) -> None:
    (curve,) = load(write(tmp_path, f"fit\n{rows(Q, 1e9 * MEASURED, np.ones(Q.size), 1e9 * TRUTH)}\n"))
    check(curve, factor=1e9, error=False)


def test_extrapolated_rows_between_names_and_table_are_left_out(tmp_path: Path) -> None:
    """As GNOM writes them: q and the fit alone below the first measured point."""
    ahead = np.linspace(0.0, 0.007, 15)
    text = (
        f"title\n      S          J EXP       ERROR       J REG       I REG\n\n{rows(ahead, 6.0 - ahead)}\n"
        f"{rows(Q, MEASURED, ERROR, TRUTH, TRUTH)}\n\n      R   P(R)   ERROR\n{rows(Q, Q, Q)}\n"
    )
    (curve,) = load(write(tmp_path, text, "fit.out"))
    check(curve)
    assert any("J REG" in note for note in curve.notes)


@pytest.mark.parametrize(("between", "start"), [("\n\n", 0.0), ("\n\n", Q[0]), ("", Q[0])])
def test_tables_that_begin_at_the_same_q_again_are_several(
    tmp_path: Path, between: str, start: float
) -> None:
    """Gnuplot's data sets have two empty lines between them; repeated frames may have none."""
    ahead = f"{start:.8g} 7 0.1\n" if start == 0.0 else ""
    first, second = (ahead + rows(Q, factor * MEASURED, factor * ERROR) for factor in (1, 2))
    curves = load(write(tmp_path, f"{first}\n{between}{second}\n"))
    assert len(curves) == 2
    check(curves[0])
    check(curves[1], factor=2)


def test_settings_one_after_the_other_stay_one_curve(tmp_path: Path) -> None:
    low, high = slice(0, 60), slice(40, 90)
    parts = [rows(Q[part], k * MEASURED[part], ERROR[part]) for k, part in ((1.0, low), (1.01, high))]
    (curve,) = load(write(tmp_path, "\n\n".join(parts)))
    assert len(curve) == 110


def test_the_last_row_counts_though_a_text_of_dos_ends_in_it(tmp_path: Path) -> None:
    path = tmp_path / "curve.dat"
    path.write_bytes(b"title\n" + rows(Q, MEASURED, ERROR).encode() + b"\x1a\n")
    (curve,) = load(path)
    check(curve)


ENERGY = np.linspace(7000.0, 8000.0, Q.size)


@pytest.mark.parametrize(
    ("header", "x", "said"),
    [
        ("#  energy      xmu", 0.001 * ENERGY, "'energy', not q"),
        ("#time   #signal", Q, "'time', not q"),
        ("r($\\AA$)  G($\\AA^{-2}$)", 40 * Q, "not q"),
        ("Size\tGNOM_PR", 200 * Q, "'Size', not q"),
        ("M_lambda\tM_spec", 10 * Q, "'M_lambda', not q"),
        ("SizesDistDiameter_1,SizesNumberDistribution_1", 100 * Q, "not q"),
        ("TwoThetaOmega\tIntensity (counts)", 10 * Q, "is an angle"),
        ("Intensity,Error", MEASURED, "is named q"),
        ("", ENERGY, "neither q in"),
        ('\'Comment: "" Scantype: "Z"', Q, "scan of a motor"),
        ("	q	   refl", Q, "reflectometry"),
        ("#columns Qz R", Q, "reflectometry"),
        ("", RNG.uniform(0.01, 0.3, Q.size), "not in order"),
        ("", np.repeat([0.1, 0.2, 0.3], 30), "different q"),
    ],
)
def test_what_is_no_curve_is_refused_with_its_reason(
    tmp_path: Path, header: str, x: Sequence[float] | np.ndarray, said: str
) -> None:
    scattered = RNG.uniform(0.5, 1.5, Q.size) if said == "not in order" else MEASURED
    path = write(tmp_path, f"{header}\n{rows(np.asarray(x), scattered)}\n")
    with pytest.raises(DataError, match=said):
        load(path)


def test_large_numbers_are_q_in_a_unit_that_is_given(tmp_path: Path) -> None:
    (curve,) = load(write(tmp_path, rows(1e10 * Q, MEASURED, ERROR)), q_unit="1/m")
    check(curve)


def test_a_shuffled_curve_is_sorted(tmp_path: Path) -> None:
    order = RNG.permutation(Q.size)
    (curve,) = load(write(tmp_path, rows(Q[order], MEASURED[order], ERROR[order])))
    check(curve)


@pytest.mark.parametrize(
    "header",
    [
        "# $q$ ($\\mathrm{\\AA}^{-1}$)\t$I(q)$ (cm$^{-1}$)\t$\\sigma$",
        "q (&Aring;<sup>-1</sup>)\tI\terr",
        '@    xaxis  label "q (\\cE\\C A\\S-1\\N)"',
    ],
)
def test_markup_of_units_is_read_as_it_prints(tmp_path: Path, header: str) -> None:
    (curve,) = load(write(tmp_path, f"{header}\n{rows(Q, MEASURED, ERROR, sign=chr(9))}\n"))
    check(curve)
    assert curve.q_unit.stated


def test_a_resolution_before_the_uncertainty_is_seen_without_names(tmp_path: Path) -> None:
    width = 0.05 * Q + 0.001
    (curve,) = load(write(tmp_path, rows(Q, MEASURED, width, ERROR)))
    check(curve)
    assert curve.dq is not None
    np.testing.assert_allclose(curve.dq, width, rtol=1e-6)
    assert any("grows with q" in note for note in curve.notes)


@pytest.mark.parametrize("name", ["var(I)", "I_var", "sigma(I)^2", "variance"])
def test_a_variance_by_any_name_is_rooted(tmp_path: Path, name: str) -> None:
    (curve,) = load(write(tmp_path, f"q I {name}\n{rows(Q, MEASURED, ERROR**2)}\n"))
    check(curve)


def test_a_band_of_the_intensity_is_no_uncertainty(tmp_path: Path) -> None:
    band = (MEASURED - ERROR, MEASURED + ERROR)
    (curve,) = load(write(tmp_path, f"q I I-err I+err\n{rows(Q, MEASURED, *band)}\n"))
    check(curve, error=False)


def test_samples_by_the_letters_of_units_are_no_units(tmp_path: Path) -> None:
    columns = (Q, MEASURED, ERROR, 1.1 * Q, 2 * MEASURED, 2 * ERROR)
    first, second = load(write(tmp_path, f"q_A,I_A,e_A,q_B,I_B,e_B\n{rows(*columns, sign=',')}\n"))
    check(first)
    assert not first.q_unit.stated
    np.testing.assert_allclose(second.q, 1.1 * Q, rtol=1e-6)
    np.testing.assert_allclose(second.dintensity, 2 * ERROR, rtol=1e-6)


def test_edges_of_bins_are_no_q(tmp_path: Path) -> None:
    path = write(
        tmp_path, f"qlow (1/A),qhigh (1/A),I,dI\n{rows(0.98 * Q, 1.02 * Q, MEASURED, ERROR, sign=',')}"
    )
    with pytest.raises(DataError, match="'qlow"):
        load(path)


def test_a_column_guessed_to_be_the_uncertainty_is_said(tmp_path: Path) -> None:
    (curve,) = load(write(tmp_path, f"q I(q) thing\n{rows(Q, MEASURED, ERROR)}\n"))
    check(curve)
    assert "Column 'thing' was read as the uncertainty." in curve.notes


def test_counts_of_a_diffractometer_are_against_its_angle(tmp_path: Path) -> None:
    angle = np.degrees(2 * np.arcsin(Q * 1.5406 / (4 * np.pi)))
    (curve,) = load(write(tmp_path, f"_WL1=1.540600\n_2THETACOUNTS\n{rows(angle, MEASURED)}\n", "scan.uxd"))
    check(curve, error=False)


@pytest.mark.parametrize("names", ["frame,q,I,dI", "sample,q,I,dI"])
def test_frames_in_one_long_table_are_several(tmp_path: Path, names: str) -> None:
    marks = ("1", "2") if names.startswith("frame") else ("gel A", "gel B")
    parts = [
        "\n".join(
            f"{mark},{line}" for line in rows(Q, factor * MEASURED, factor * ERROR, sign=",").split("\n")
        )
        for mark, factor in zip(marks, (1, 2), strict=True)
    ]
    first, second = load(write(tmp_path, "\n".join([names, *parts])))
    check(first)
    check(second, factor=2)


@pytest.mark.parametrize(
    ("names", "said"),
    [("# phi(deg) I", "'phi"), ("# Azimuth Intensity", "'Azimuth'"), ("r  gamma(r)", "correlation function")],
)
def test_profiles_over_an_azimuth_or_a_distance_are_refused(tmp_path: Path, names: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        load(write(tmp_path, f"{names}\n{rows(np.arange(90.0), MEASURED)}\n"))
