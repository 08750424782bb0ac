"""The table of units against definitions."""

from __future__ import annotations

import math

import pytest

from sasnet_plugin import units


@pytest.mark.parametrize(
    "text", ["nm", "1/nm", "nm^-1", "nm-1", "nm⁻¹", "nm^{-1}", "n_m^-1", "1 / nm", "nm**-1"]
)
def test_spellings_of_inverse_nanometres(text: str) -> None:
    assert units.canonical(text, "q") == "nm⁻¹"


@pytest.mark.parametrize(
    "text",
    ["A", "Å", "1/A", "1/Å", "A^-1", "Å⁻¹", "A^{-1}", "1/Angstrom", "1/angstrom", "Angstrom^-1", "invA"],
)
def test_spellings_of_inverse_angstrom(text: str) -> None:
    assert units.canonical(text, "q") == "Å⁻¹"


@pytest.mark.parametrize("text", ["", "furlong", "counts", "nm^-3", "1/s", "None"])
def test_no_unit(text: str) -> None:
    assert units.canonical(text, "q") is None
    with pytest.raises(ValueError, match="not a unit of q"):
        units.factor(text, "q")


@pytest.mark.parametrize(
    ("value", "unit", "to", "quantity", "expected"),
    [
        (1.0, "1/nm", "1/A", "q", 0.1),
        (1.0, "1/A", "1/nm", "q", 10.0),
        (1.0, "nm", "A", "length", 10.0),
        (1.0, "1/m", "1/cm", "intensity", 0.01),
        (6.36e-6, "1/A^2", "1e-6/A^2", "sld", 6.36),  # D2O
        (6.36e10, "1/cm^2", "1e-6/A^2", "sld", 6.36),
        (6.36e-4, "nm^-2", "1e-6/Å²", "sld", 6.36),
        (math.pi, "rad", "deg", "angle", 180.0),
    ],
)
def test_conversion(value: float, unit: str, to: str, quantity: str, expected: float) -> None:
    assert units.convert(value, unit, to, quantity) == pytest.approx(expected)


@pytest.mark.parametrize("quantity", list(units.FACTORS))
def test_every_internal_unit_has_the_factor_one(quantity: str) -> None:
    assert units.factor(units.INTERNAL[quantity], quantity) == 1.0
    assert all(units.canonical(name, quantity) == name for name in units.FACTORS[quantity])
