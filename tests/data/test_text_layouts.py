"""Text: NIST's slits, pixels as rows, index columns, decimal commas, units of I."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.data import load
from sasnet_plugin.images.recognition import rate_sans
from sasnet_plugin.types import Curve, DataError

Q = np.geomspace(5e-3, 0.3, 70)
INTENSITY = 28.0 / (1 + (40 * Q) ** 2) ** 2 + 0.1
ERROR = 0.02 * INTENSITY
SLIT = 0.117
ROUNDED = [round(float(i), k % 3) for k, i in enumerate(INTENSITY)]


def rows(*columns: np.ndarray, between: str = " ", form: str = "%.7e") -> str:
    return "".join(between.join(form % v for v in row) + "\n" for row in zip(*columns, strict=True))


def only(path: Path, text: str) -> Curve:
    path.write_text(text)
    (curve,) = load(path)
    return curve


HEADERS = {
    "COR": "COR FILES: A1,A2\nLABEL: own\nEMP LEVEL: 0.7 ; BKG LEVEL: 0.6\n",
    "none": "",
    "as of SANS": "The 6 columns are | Q (1/A) | I(Q) (1/cm) | std. dev. I(Q) (1/cm) | sigmaQ | meanQ |"
    " ShadowFactor|\n",
    "named": "The 6 columns are | Q (1/A) | I(Q) (1/cm) | std. dev. I(Q) (1/cm) | -dQv | -dQv | -dQv|\n",
    "short": "Q I dI -dQv -dQv -dQv\n",
}


@pytest.mark.parametrize("ending", ["cor", "abs", "ABS", "txt", "dat"])
@pytest.mark.parametrize("header", HEADERS.values(), ids=list(HEADERS))
def test_six_columns_of_usans_state_a_slit(tmp_path: Path, header: str, ending: str) -> None:
    slit = np.full(Q.size, -SLIT)
    curve = only(tmp_path / f"a.{ending}", header + rows(Q / 100, INTENSITY, ERROR, slit, slit, slit))
    np.testing.assert_allclose(curve.q, Q / 100, rtol=1e-6)
    np.testing.assert_allclose(curve.dxl, SLIT)
    np.testing.assert_allclose(curve.dintensity, ERROR, rtol=1e-6)
    assert curve.dq is None


@pytest.mark.parametrize("names", [("dQl", "dQw"), ("dxl", "dxw"), ("slit_length", "slit_width")])
@pytest.mark.parametrize("turned", [False, True])
def test_columns_of_a_slit_by_name(tmp_path: Path, names: tuple[str, str], *, turned: bool) -> None:
    length, width = np.full(Q.size, SLIT), np.full(Q.size, 1e-4)
    pair = [(names[0], length), (names[1], width)][:: -1 if turned else 1]
    header = "\t".join(["q (1/A)", "I", "dI", pair[0][0], pair[1][0]]) + "\n"
    text = header + rows(Q, INTENSITY, ERROR, pair[0][1], pair[1][1], between="\t")
    curve = only(tmp_path / "a.dat", text)
    np.testing.assert_allclose(curve.dxl, SLIT)
    np.testing.assert_allclose(curve.dxw, 1e-4)


def pixels(fast_y: bool, *, positive: bool = False) -> list[np.ndarray]:
    x = np.linspace(0.01 if positive else -0.2, 0.2, 24)
    qx, qy = np.meshgrid(x, x, indexing="ij" if fast_y else "xy")
    intensity = np.exp(-((np.hypot(qx, qy) * 30) ** 2) / 3) + 0.02
    return [qx.ravel(), qy.ravel(), intensity.ravel(), 0.1 * intensity.ravel()]


@pytest.mark.parametrize("between", [" ", "\t", ",", ";"])
@pytest.mark.parametrize("fast_y", [False, True])
def test_pixels_as_rows_without_words_are_an_image(tmp_path: Path, between: str, *, fast_y: bool) -> None:
    path = tmp_path / "a.dat"
    path.write_text(rows(*pixels(fast_y), between=between))
    assert rate_sans(path) == 1.0
    with pytest.raises(DataError, match="two-dimensional"):
        load(path)


def test_pixels_of_one_quadrant_are_no_curve(tmp_path: Path) -> None:
    path = tmp_path / "a.dat"
    path.write_text(rows(*pixels(False, positive=True)))
    with pytest.raises(DataError, match="two-dimensional"):
        load(path)


def test_frames_in_one_table_are_no_image(tmp_path: Path) -> None:
    path = tmp_path / "a.dat"
    frame, q = np.repeat(np.arange(12.0), 70), np.tile(Q, 12)
    path.write_text(rows(frame, q, np.tile(INTENSITY, 12), np.tile(ERROR, 12)))
    assert rate_sans(path) == 0.0


@pytest.mark.parametrize("first", [0, 1, 17])
@pytest.mark.parametrize(
    ("header", "between"),
    [
        ("# i q (1/A) I dI\n", " "),
        (",q,I,dI\n", ","),
        ("index\tq\tI\tdI\n", "\t"),
        ("Point q I dI\n", " "),
        ("", " "),
    ],
)
def test_an_index_in_front_is_not_used(tmp_path: Path, header: str, between: str, first: int) -> None:
    index = [str(first + k) for k in range(Q.size)]
    body = rows(Q, INTENSITY, ERROR, between=between).splitlines()
    text = header + "\n".join(between.join(pair) for pair in zip(index, body, strict=True))
    curve = only(tmp_path / "a.csv", text)
    np.testing.assert_allclose(curve.q, Q, rtol=1e-6)
    np.testing.assert_allclose(curve.intensity, INTENSITY, rtol=1e-6)
    np.testing.assert_allclose(curve.dintensity, ERROR, rtol=1e-6)


@pytest.mark.parametrize("header", ["", "q,I,dI\n", "q;I;dI\n"])
@pytest.mark.parametrize("form", ["%.6e", "%.8f"])
@pytest.mark.parametrize("between", [",", ", ", ";", "\t", " "])
def test_decimal_commas(tmp_path: Path, between: str, form: str, header: str) -> None:
    body = "".join(
        between.join((form % v).replace(".", ",") for v in row) + "\n"
        for row in zip(Q, INTENSITY, ERROR, strict=True)
    )
    curve = only(tmp_path / "a.csv", header + body)
    np.testing.assert_allclose(curve.q, Q, rtol=1e-5)
    np.testing.assert_allclose(curve.intensity, INTENSITY, rtol=1e-5)


def test_decimal_commas_that_cannot_be_told_apart_are_refused(tmp_path: Path) -> None:
    """Numbers that lost their zeros at the end fall into other numbers of cells."""
    path = tmp_path / "a.csv"
    lines = [
        ",".join(f"{v:.3f}".rstrip("0").rstrip(".").replace(".", ",") for v in row)
        for row in zip(np.linspace(0.01, 0.3, 70), ROUNDED, ERROR, strict=True)
    ]
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match="commas"):
        load(path)


@pytest.mark.parametrize(("unit", "factor"), [("1/m", 100.0), ("m^-1", 100.0), ("1/cm", 1.0), ("mm^-1", 0.1)])
def test_a_unit_of_i_in_a_column_is_converted(tmp_path: Path, unit: str, factor: float) -> None:
    header = f"q (1/A)\tI ({unit})\tdI ({unit})\n"
    curve = only(tmp_path / "a.dat", header + rows(Q, factor * INTENSITY, factor * ERROR, between="\t"))
    np.testing.assert_allclose(curve.intensity, INTENSITY, rtol=1e-6)
    np.testing.assert_allclose(curve.dintensity, ERROR, rtol=1e-6)


def test_a_line_of_units_gives_that_of_i(tmp_path: Path) -> None:
    text = "q\tI\tdI\n1/nm\t1/m\t1/m\n" + rows(10 * Q, 100 * INTENSITY, 100 * ERROR, between="\t")
    curve = only(tmp_path / "a.dat", text)
    np.testing.assert_allclose(curve.q, Q, rtol=1e-6)
    np.testing.assert_allclose(curve.intensity, INTENSITY, rtol=1e-6)


@pytest.mark.parametrize("lost", [3, 9, 16])
def test_a_last_line_that_is_cut_short_is_left_out_with_a_note(tmp_path: Path, lost: int) -> None:
    whole = "# q (1/A) I dI\n" + rows(Q, INTENSITY, ERROR)
    curve = only(tmp_path / "a.dat", whole[: -1 - lost])
    assert len(curve) == Q.size - 1
    assert any("truncated" in note for note in curve.notes)


def test_a_last_line_without_an_end_is_whole(tmp_path: Path) -> None:
    curve = only(tmp_path / "a.dat", "# q (1/A) I dI\n" + rows(Q, INTENSITY, ERROR).rstrip())
    assert len(curve) == Q.size
    assert not curve.notes


def test_counts_stay_counts(tmp_path: Path) -> None:
    curve = only(tmp_path / "a.dat", "q (1/A)\tI (counts)\n" + rows(Q, INTENSITY, between="\t"))
    assert curve.intensity_unit == "counts"
    np.testing.assert_allclose(curve.intensity, INTENSITY, rtol=1e-6)
