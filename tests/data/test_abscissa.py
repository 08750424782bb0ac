"""A first column is q by its name alone: functions of q are converted, other quantities are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.data import load
from sasnet_plugin.types import Curve, DataError

Q = np.geomspace(0.005, 0.4, 80)
INTENSITY = 8.0 / (1 + (60 * Q) ** 2) ** 2 + 0.01
ERROR = 0.02 * INTENSITY

CONVERTED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sin(theta)/lambda": lambda q: q / (4 * np.pi),
    "sin(θ)/λ": lambda q: q / (4 * np.pi),
    "sin(theta)/lambda[1/nm]": lambda q: 10 * q / (4 * np.pi),
    "2sin(theta)/lambda": lambda q: q / (2 * np.pi),
    "4*pi*sin(theta)/lambda": lambda q: q,
    "d*": lambda q: q / (2 * np.pi),
    "d*2_nm^-2": lambda q: (10 * q / (2 * np.pi)) ** 2,
    "d*2_A^-2": lambda q: (q / (2 * np.pi)) ** 2,
    "1/d": lambda q: q / (2 * np.pi),
    "q/2π": lambda q: q / (2 * np.pi),
    "q^4": lambda q: q**4,
    "log10(q.m)_None": lambda q: np.log10(1e10 * q),
    "log(q.nm)_None": lambda q: np.log(10 * q),
    "log(1+q.nm)_None": lambda q: np.log(1 + 10 * q),
    "log(1+q)": np.log1p,
    "arcsinh(q.nm)_None": lambda q: np.arcsinh(10 * q),
    "arcsinh(q)": np.arcsinh,
    "ln(q)": np.log,
}
REFUSED = (
    "frame", "position", "x(mm)", "x(m)", "Energy(keV)", "energy", "time", "channel", "pixel", "r_mm",
    "theta_in", "Temperature", "d", "q*Rg", "wavelength", "sin(2theta)", "mystery",
)  # fmt: skip


def written(path: Path, name: str, x: np.ndarray, between: str) -> Path:
    rows = [between.join(f"{v:.9e}" for v in row) for row in zip(x, INTENSITY, ERROR, strict=True)]
    mark = "# " if between == " " else ""
    path.write_text(mark + between.join([name, "I", "sigma"]) + "\n" + "\n".join(rows) + "\n")
    return path


def read(path: Path, **how: str) -> Curve:
    (curve,) = load(path, **how)
    return curve


@pytest.mark.parametrize("between", [" ", "\t", ","])
@pytest.mark.parametrize("name", CONVERTED)
def test_a_function_of_q_is_converted_and_a_note_says_so(tmp_path: Path, name: str, between: str) -> None:
    curve = read(written(tmp_path / "a.dat", name, CONVERTED[name](Q), between))
    np.testing.assert_allclose(curve.q, Q, rtol=1e-5)
    np.testing.assert_allclose(curve.dintensity, ERROR, rtol=1e-5)
    if name != "4*pi*sin(theta)/lambda":
        assert any("converted" in note or "calculated" in note for note in curve.notes)


@pytest.mark.parametrize("between", [" ", "\t", ","])
@pytest.mark.parametrize("name", REFUSED)
def test_another_quantity_is_refused_by_its_name(tmp_path: Path, name: str, between: str) -> None:
    path = written(tmp_path / "a.dat", name, 100 * Q, between)
    with pytest.raises(DataError) as refused:
        load(path)
    assert repr(name) in str(refused.value)
    assert "--q-unit" in str(refused.value) or "--wavelength" in str(refused.value)


@pytest.mark.parametrize("name", ["mystery", "position"])
def test_who_insists_gets_the_first_column_as_q(tmp_path: Path, name: str) -> None:
    curve = read(written(tmp_path / "a.dat", name, Q, " "), q_unit="A")
    np.testing.assert_allclose(curve.q, Q, rtol=1e-6)
    assert any(name in note for note in curve.notes)


@pytest.mark.parametrize("letter", ["s", "h", "k"])
def test_a_letter_that_is_q_for_some_is_said_to_be_ambiguous(tmp_path: Path, letter: str) -> None:
    curve = read(written(tmp_path / "a.dat", letter, Q, "\t"))
    np.testing.assert_allclose(curve.q, Q, rtol=1e-6)
    assert any(f"'{letter}'" in note and "2π" in note for note in curve.notes)


def test_s_that_the_header_defines_is_not_ambiguous(tmp_path: Path) -> None:
    path = written(tmp_path / "a.dat", "s", Q / (2 * np.pi), "\t")
    path.write_text("s = 2 sin(theta)/lambda\n" + path.read_text())
    curve = read(path)
    np.testing.assert_allclose(curve.q, Q, rtol=1e-5)
    assert not any("named" in note and "larger" in note for note in curve.notes)


@pytest.mark.parametrize(
    "words", ["", "# my sphere data\n", "# three column file\n", "x y e\n", "# buffer subtracted data\n"]
)
def test_columns_without_names_stay_q(tmp_path: Path, words: str) -> None:
    path = written(tmp_path / "a.dat", "q", Q, " ")
    path.write_text(words + path.read_text().partition("\n")[2])
    np.testing.assert_allclose(read(path).q, Q, rtol=1e-6)


@pytest.mark.parametrize(
    ("names", "first"),
    [
        ("delta(A) P dP", "delta(A)"),
        ("tau(s) g2 err", "tau(s)"),
        ("tau g2 err", "tau"),
        ("f(Hz) G dG", "f(Hz)"),
        ("strain[%] stress sigma_stress", "strain[%]"),
        ("hw(meV) S err", "hw(meV)"),
    ],
)
def test_a_quantity_against_another_is_no_scattering(tmp_path: Path, names: str, first: str) -> None:
    """An S behind an energy was read as q, and the energy as the intensity."""
    path = written(tmp_path / "a.dat", "q", 100 * Q, " ")
    path.write_text(path.read_text().replace("q I sigma", names))
    with pytest.raises(DataError) as refused:
        load(path)
    assert repr(first) in str(refused.value)


@pytest.mark.parametrize("words", ["silica in buffer", "measured on D22", "Sample spheres 60A"])
def test_words_above_a_table_are_no_names(tmp_path: Path, words: str) -> None:
    path = written(tmp_path / "a.dat", "q", Q, " ")
    path.write_text(path.read_text().replace("q I sigma", words))
    np.testing.assert_allclose(read(path).q, Q, rtol=1e-6)


@pytest.mark.parametrize("names", ["q(1/A) P dP", "Q S dS", "q F2 sigma_F2"])
def test_the_uncertainty_of_a_column_is_no_intensity(tmp_path: Path, names: str) -> None:
    path = written(tmp_path / "a.dat", "q", Q, " ")
    path.write_text(path.read_text().replace("q I sigma", names))
    curve = read(path)
    np.testing.assert_allclose(curve.intensity, INTENSITY, rtol=1e-6)
    np.testing.assert_allclose(curve.dintensity, ERROR, rtol=1e-6)
