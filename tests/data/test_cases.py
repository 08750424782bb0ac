"""Files that were once read wrongly, each for its kind: what is read of them, and what the network says.

A sphere of 60 Å in most of them (Rg 48 to 50 Å with its polydispersity), a cylinder of 28 × 310 Å, a coil.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin import load, suggest
from sasnet_plugin.types import Curve, DataError, Suggestion

CASES = Path(__file__).parent / "cases"


@cache
def curves(name: str, **how: object) -> tuple[Curve, ...]:
    return load(CASES / name, **how)  # type: ignore[arg-type]


def only(name: str, **how: object) -> Curve:
    (curve,) = curves(name, **how)
    return curve


@cache
def answer(name: str) -> Suggestion:
    return suggest(only(name))


def numbers(name: str, skip: int, columns: int) -> np.ndarray:
    """The table as it stands in the file, (columns, n)."""
    lines = (CASES / name).read_text().splitlines()[skip:]
    rows = [line.split() for line in lines if line.split()]
    return np.array([row for row in rows if len(row) == columns], dtype=float).T


def test_a_unit_below_the_table() -> None:
    curve = only("unit_in_footer.dat")
    q, *_ = numbers("unit_in_footer.dat", 1, 3)
    np.testing.assert_allclose(curve.q, q / 10)
    assert curve.q_unit.stated
    assert answer("unit_in_footer.dat").rg == pytest.approx(49, abs=3)


def test_no_unit_where_nanometres_are_likelier() -> None:
    curve = only("nm_without_header.dat")
    assert not curve.q_unit.stated
    assert "In nm⁻¹ it would end at 0.45 Å⁻¹" in curve.q_unit.doubt


def test_an_angle() -> None:
    with pytest.raises(DataError, match=r"angle.*2-Theta.*--wavelength"):
        load(CASES / "two_theta.chi")
    curve = only("two_theta.chi", wavelength=1.5418)
    # 4π sin(θ)/λ of the first angle, 0.11247626 degrees.
    assert curve.q[0] == pytest.approx(4 * np.pi * np.sin(np.radians(0.11247626 / 2)) / 1.5418)
    assert curve.q_unit.value == "Å⁻¹"


@pytest.mark.parametrize("name", ["several_samples.csv", "several_samples.dat"])
def test_samples_side_by_side(name: str) -> None:
    found = curves(name)
    assert len(found) == 3
    assert len({curve.entry for curve in found}) == 3
    uncertain = name.endswith(".dat")
    for number, curve in enumerate(found):
        assert (curve.dintensity is not None) == uncertain
        assert curve.dq is None
        assert curve.intensity[0] > 1.5 * found[number - 1].intensity[0] or number == 0


@pytest.mark.parametrize(
    ("name", "columns", "taken"),
    [("model_as_fourth_column.fir", 4, (0, 1, 2)), ("model_as_third_column.dat", 4, (0, 1, 3))],
)
def test_a_calculated_curve_beside_the_measured_one(name: str, columns: int, taken: tuple[int, ...]) -> None:
    table = numbers(name, 1 if name.endswith(".fir") else 2, columns)
    curve = only(name)
    for found, column in zip((curve.q, curve.intensity, curve.dintensity), taken, strict=True):
        np.testing.assert_allclose(found, table[column])
    assert curve.dq is None


def test_masked_rows() -> None:
    curve = only("masked_rows_of_zeros.dat")
    assert len(curve) == 91
    assert np.all(curve.intensity != 0)
    assert any(note.startswith("19 rows") for note in curve.notes)
    assert answer("masked_rows_of_zeros.dat").models[0].name == "sphere"


def test_a_shadow_of_a_large_sphere() -> None:
    curve = only("beamstop_shadow.dat")
    assert 0.0024 < curve.q[0] < 0.004
    assert any("beamstop's shadow" in note for note in curve.notes)
    best = answer("beamstop_shadow.dat").models[0]
    assert best.structure_factor is None
    assert "sphere" in best.name


def test_a_shadow_with_negative_intensities() -> None:
    assert only("beamstop_negative.dat").q[0] > 0.0065
    found = answer("beamstop_negative.dat")
    assert "coil" in found.groups[0].name or "coil" in found.models[0].group
    assert found.rg == pytest.approx(60, abs=6)


def test_usaxs_to_waxs_is_in_inverse_angstrom() -> None:
    curve = only("usaxs_to_waxs.dat")
    assert not curve.q_unit.doubt
    assert curve.q[-1] == pytest.approx(1.6)


def test_a_slit_length_among_the_metadata() -> None:
    curve = only("slit_length.xml")
    np.testing.assert_allclose(curve.dxl, 0.117)
    assert any("slit_length" in note for note in curve.notes)


def test_no_point_is_known_better_because_its_error_was_rounded_away() -> None:
    curve = only("one_zero_uncertainty.dat")
    relative = curve.dintensity / curve.intensity
    # The errors are 0.45 % of I; rounding to 1e-5 cannot make any of them smaller.
    assert relative.min() > 0.004
