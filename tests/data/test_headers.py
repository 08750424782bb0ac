"""Headers of several words, resolutions, tables on their side, and one table of abscissae for all files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from sasnet_plugin.data import load
from sasnet_plugin.types import Curve, DataError

Q = np.geomspace(0.004, 0.35, 80)
INTENSITY = 50 / (1 + (40 * Q) ** 2) ** 2 + 0.05
ERROR = 0.02 * INTENSITY + 0.001
DQ = np.hypot(0.04 * Q, 0.0009)
WAVELENGTH = 1.5418
TWO_THETA = np.degrees(2 * np.arcsin(Q * WAVELENGTH / (4 * np.pi)))
#: What stands in a column, by a short name.
COLUMNS = {
    "q": Q, "nm": 10 * Q, "I": INTENSITY, "dI": ERROR, "dq": DQ, "dq_nm": 10 * DQ, "model": 1.02 * INTENSITY,
    "%": 100 * ERROR / INTENSITY, "lg q": np.log10(Q), "lg I": np.log10(INTENSITY), "ln I": np.log(INTENSITY),
    "d lg I": ERROR / INTENSITY / np.log(10), "d ln I": ERROR / INTENSITY, "q2": Q**2, "2θ": TWO_THETA,
    "θ": TWO_THETA / 2, "dq/q": DQ / Q, "dq/q %": 100 * DQ / Q, "2 I": 2 * INTENSITY, "2 dI": 2 * ERROR,
}  # fmt: skip


def write(path: Path, header: str, names: list[str], gap: str = " ") -> Path:
    rows = zip(*(COLUMNS[name] for name in names), strict=True)
    path.write_text(header + "\n" + "".join(gap.join(f"{v:.9e}" for v in row) + "\n" for row in rows))
    return path


def check(curve: Curve, *, error: bool = True, dq: bool = False, factor: float = 1.0) -> None:
    np.testing.assert_allclose(curve.q, Q, rtol=1e-6)
    np.testing.assert_allclose(curve.intensity, factor * INTENSITY, rtol=1e-6)
    for has, values, true in ((error, curve.dintensity, factor * ERROR), (dq, curve.dq, DQ)):
        if has:
            np.testing.assert_allclose(values, true, rtol=1e-5)
        else:
            assert values is None


HEADERS = {
    "Q sigma Q I sigma I": ["q", "dq", "I", "dI"],
    "q std dev I std dev": ["q", "dq", "I", "dI"],
    "Q (1/A) I(Q) (1/cm) std. dev. I(Q) (1/cm) sigma Q (1/A)": ["q", "I", "dI", "dq"],
    "q nm^-1 I cm^-1 error cm^-1": ["nm", "I", "dI"],
    "momentum transfer (1/nm) differential cross section (1/cm) uncertainty": ["nm", "I", "dI"],
    "scattering vector q (1/nm) scattered intensity I standard error of the mean": ["nm", "I", "dI"],
    "q calculated intensity measured intensity error": ["q", "model", "I", "dI"],
    "q (1/A) I (1/cm) relative error (%)": ["q", "I", "%"],
    "q intensity %error": ["q", "I", "%"],
    "log q log I error log I": ["lg q", "lg I", "d lg I"],
    "q natural logarithm of I uncertainty of ln I": ["q", "ln I", "d ln I"],
    "2 theta (deg) I error": ["2θ", "I", "dI"],
    "half scattering angle (deg) I error": ["θ", "I", "dI"],
    "theta(deg) I error": ["θ", "I", "dI"],
    "q (1/nm) I error dq (1/A)": ["nm", "I", "dI", "dq"],
    "q (1/A) I error dq (1/nm)": ["q", "I", "dI", "dq_nm"],
    "q I error dq/q": ["q", "I", "dI", "dq/q"],
    "q I error relative resolution (%)": ["q", "I", "dI", "dq/q %"],
    "2theta I error dq/q": ["2θ", "I", "dI", "dq/q"],
}


@pytest.mark.parametrize("header", HEADERS)
def test_names_of_several_words_are_joined(tmp_path: Path, header: str) -> None:
    names = HEADERS[header]
    text = f"# wavelength = {WAVELENGTH} A\n{header}"
    (curve,) = load(write(tmp_path / "a.dat", text, names))
    check(curve, dq=any(name.startswith("dq") for name in names))


def test_functions_of_q_and_i_in_words_are_converted(tmp_path: Path) -> None:
    (curve,) = load(write(tmp_path / "a.dat", "q squared (1/A2) ln I", ["q2", "ln I"]))
    check(curve, error=False)
    assert any("q²" in note for note in curve.notes)
    assert any("ln of the intensity" in note for note in curve.notes)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("exposure time (s) I error", "'exposure time \\(s\\)', not q"),
        ("time / s mean intensity error", "'time / s', not q"),
        ("detector position (mm) I error", "'detector position \\(mm\\)', not q"),
        ("photon energy (keV) intensity error", "'photon energy \\(keV\\)', not q"),
        ("particle diameter (nm) volume distribution error", "'particle diameter \\(nm\\)', not q"),
        ("Q sigma Q I", "header 'Q sigma Q I'"),  # "sigma Q" is one name, or two
    ],
)
def test_headers_that_name_no_q_or_not_each_column_are_refused(
    tmp_path: Path, header: str, said: str
) -> None:
    columns = ["q", "dq", "I", "dI"] if header.startswith("Q") else ["q", "I", "dI"]
    with pytest.raises(DataError, match=said):
        load(write(tmp_path / "a.dat", header, columns))


def test_a_header_with_fewer_names_than_columns_is_reported(tmp_path: Path) -> None:
    (curve,) = load(write(tmp_path / "a.dat", "q (1/A) I", ["q", "I", "dI"]))
    check(curve)
    assert "The header has 2 names for 3 columns; all were read by their position." in curve.notes


@pytest.mark.parametrize("mark", ["nan", "0", "-1"])
def test_a_missing_resolution_is_taken_from_the_neighbours(tmp_path: Path, mark: str) -> None:
    path = write(tmp_path / "a.dat", "q(1/A) I dI dq(1/A)", ["q", "I", "dI", "dq"])
    lines = path.read_text().splitlines()
    lines[3:-1:4] = [line.rpartition(" ")[0] + f" {mark}" for line in lines[3:-1:4]]
    path.write_text("\n".join(lines) + "\n")
    (curve,) = load(path)
    np.testing.assert_allclose(curve.dq, DQ, rtol=5e-3)
    assert any("missing at 20 points" in note for note in curve.notes)


@pytest.mark.parametrize("names", ["I_0 e_0 I_90 e_90", "I0 err0 I1 err1", "I(0) dI(0) I(90) dI(90)"])
def test_the_first_of_several_sectors_is_no_monitor(tmp_path: Path, names: str) -> None:
    path = write(tmp_path / "a.dat", f"q(1/A) {names}", ["q", "I", "dI", "2 I", "2 dI"])
    first, second = load(path)
    check(first)
    check(second, factor=2)


@pytest.mark.parametrize("gap", [",", "\t", ";"])
def test_rows_in_the_place_of_columns(tmp_path: Path, gap: str) -> None:
    rows = [
        ('"Name"', '"Type; q:"', "q"), ('"A, hot"', '"I(q)"', "I"), ('"A, hot"', '"I(q) sd"', "dI"),
        ('"B"', '"I(q)"', "2 I"), ('"B"', '"I(q) sd"', "2 dI"),
    ]  # fmt: skip
    lines = [gap.join([*words, *(f"{v:.9e}" for v in COLUMNS[key])]) for *words, key in rows]
    (tmp_path / "a.csv").write_text("\n".join([f'{lines[0]}{gap}"US-SOMO output"', *lines[1:]]) + "\n")
    first, second = load(tmp_path / "a.csv")
    assert (first.entry, second.entry) == ("A, hot", "B")
    check(first)
    check(second, factor=2)


def write_axis(folder: Path, container: str, unit: str, x: np.ndarray) -> Path:
    """A curve against an axis, in NXcanSAS, in pyFAI's NXmonopd, or in canSAS XML."""
    path = folder / ("a.xml" if container == "xml" else "a.h5")
    if container == "xml":
        points = "".join(
            f'<Idata><Q unit="{unit}">{a:.12g}</Q><I unit="1/cm">{i:.12g}</I>'
            f'<Idev unit="1/cm">{e:.12g}</Idev></Idata>'
            for a, i, e in zip(x, INTENSITY, ERROR, strict=True)
        )
        frame = f"<SASentry><Title>own</Title><SASdata>{points}</SASdata></SASentry>"
        path.write_text(f'<SASroot version="1.1" xmlns="urn:cansas1d:1.1">{frame}</SASroot>')
        return path
    axis, signal, error = ("Q", "I", "Idev") if container == "NXcanSAS" else ("polar_angle", "data", "errors")
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        data = entry.create_group("results")
        data.attrs.update(NX_class="NXdata", signal=signal, axes=[axis])
        if container == "NXcanSAS":
            entry.attrs["canSAS_class"], data.attrs["canSAS_class"] = "SASentry", "SASdata"
        data[axis], data[signal], data[error] = x, INTENSITY, ERROR
        data[axis].attrs["units"] = unit
    return path


#: What pyFAI and others write in the place of the unit.
AXES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "q_nm^-1": lambda q: 10 * q,
    "d*2_A^-2": lambda q: (q / (2 * np.pi)) ** 2,
    "d*2_nm^-2": lambda q: (10 * q / (2 * np.pi)) ** 2,
    "log10(q.m)_None": lambda q: np.log10(1e10 * q),
    "log(1+q.nm)_None": lambda q: np.log1p(10 * q),
    "arcsinh(q.A)_None": np.arcsinh,
}
CONTAINERS = ("NXcanSAS", "NXmonopd", "xml")


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("unit", AXES)
def test_functions_of_q_are_converted_in_every_container(tmp_path: Path, container: str, unit: str) -> None:
    (curve,) = load(write_axis(tmp_path, container, unit, AXES[unit](Q)))
    check(curve)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("unit", ["2th_deg", "deg", "2th_rad", "mrad"])
def test_angles_are_converted_with_the_wavelength_given(tmp_path: Path, container: str, unit: str) -> None:
    factor = {"2th_rad": np.pi / 180, "mrad": np.pi / 0.18}.get(unit, 1.0)
    path = write_axis(tmp_path, container, unit, factor * TWO_THETA)
    check(load(path, wavelength=WAVELENGTH)[0])
    with pytest.raises(DataError, match="--wavelength") as refused:
        load(path)
    assert "--q-unit" not in str(refused.value)  # with which degrees would count as q
    with pytest.raises(DataError, match="angle"):
        load(path, q_unit="A")


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("unit", ["r_m", "r_mm", "mm", "furlong"])
def test_another_axis_is_refused_in_every_container(tmp_path: Path, container: str, unit: str) -> None:
    path = write_axis(tmp_path, container, unit, Q)
    with pytest.raises(DataError, match=unit):
        load(path)
    (curve,) = load(path, q_unit="A")
    check(curve)
