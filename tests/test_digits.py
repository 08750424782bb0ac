"""Numbers with their uncertainty, by the rule of JCGM 100:2008, 7.2.6."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sasnet_plugin.digits import chisq_text, format_with_error, quantity, unit_text
from sasnet_plugin.digits import significant as shown

_FROM_SUPERSCRIPT = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_NUMBER = r"(-?\d+(?:\.\d+)?)"
_POWER = r"(?:×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?"


def read(text: str) -> tuple[Fraction, Fraction]:
    """What a printed number says, and the size of its last digit, both exact."""
    found = re.fullmatch(_NUMBER + _POWER, text)
    assert found is not None, text
    digits, power = found.groups()
    ten = Fraction(10) ** (int(power.translate(_FROM_SUPERSCRIPT)) if power else 0)
    decimals = len(digits.partition(".")[2])
    return Fraction(digits) * ten, Fraction(10) ** -decimals * ten


def read_pair(text: str) -> tuple[tuple[Fraction, Fraction], tuple[Fraction, Fraction]]:
    """Value and uncertainty of "a ± b" or "(a ± b)×10ⁿ", each with its last digit's size."""
    together = re.fullmatch(rf"\({_NUMBER} ± {_NUMBER}\)(×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", text)
    if together:
        return read(together[1] + together[3]), read(together[2] + together[3])
    value, _, error = text.partition(" ± ")
    (number, place), (spread, its) = read(value), read(error)
    if error.isdigit():  # of an uncertainty that is written out, two digits mean something
        last = Fraction(10) ** max(len(error) - 2, 0)
        place, its = (place if "×" in value else max(place, last)), max(its, last)
    return (number, place), (spread, its)


def significant(text: str) -> int:
    """How many significant digits a printed number has."""
    return len(re.sub(r"\D", "", text.partition("×")[0]).lstrip("0"))


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (56.6213, 1.1874, "56.6 ± 1.2"),
        (10.05762, 0.027, "10.058 ± 0.027"),  # the Guide's own example, 10,057 62 Ω with 27 mΩ
        (100.02147, 0.00035, "100.02147 ± 0.00035"),  # the Guide's 7.2.2
        (-3.14159, 0.5, "-3.14 ± 0.50"),
        (9.99, 0.0996, "9.99 ± 0.10"),  # the uncertainty gains a digit by rounding and loses it again
        (0.3, 12.0, "0 ± 12"),
        (-0.001, 0.5, "0.00 ± 0.50"),
        (0.0, 0.02, "0.000 ± 0.020"),
        (2300.0, 57.0, "2300 ± 57"),
        (1090.2, 157.3, "1090 ± 160"),  # as people say a length, though the last zeros mean nothing
        (12340.0, 571.0, "12340 ± 570"),
        (-0.1, 6500.0, "0 ± 6500"),
        (999600.0, 571.0, "999600 ± 570"),
        (1234000.0, 57100.0, "(1.234 ± 0.057)×10⁶"),
        (1.23456e-5, 1.2e-7, "(1.235 ± 0.012)×10⁻⁵"),
        (0.00125, 0.0001, "0.00125 ± 0.00010"),
        (1e16, 101.0, "1×10¹⁶ ± 100"),  # more digits than a double holds
        (4.0, None, "4"),
        (0.1234567, 0.0, "0.123457"),
        (6.0221407e23, float("inf"), "6.02214×10²³"),
        (0.0, None, "0"),
        (float("nan"), 1.0, "nan"),
    ],
)
def test_known_numbers(value: float, error: float | None, text: str) -> None:
    assert format_with_error(value, error) == text


def test_an_error_has_one_digit_where_that_says_as_much() -> None:
    from sasnet_plugin.digits import format_rounded

    assert format_rounded(72.0316, 0.1042, 0.2) == "72.0 ± 0.1"
    assert format_rounded(72.0316, 0.1442, 0.2) == "72.03 ± 0.14"
    assert format_rounded(0.0682, 0.00186, 0.2) == "0.068 ± 0.002"
    assert format_rounded(2307.3, 4.7, 0.2) == "2307 ± 5"
    assert format_rounded(9.97, 0.96, 0.2) == "10 ± 1"
    assert format_rounded(1.234e7, 5.71e5, 0.2) == "(1.234 ± 0.057)×10⁷"
    assert format_rounded(41.3456, None, 0.2) == "41.35"
    assert format_rounded(-0.001, 0.5, 0.2) == "0.0 ± 0.5"


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(min_value=5e-324, allow_infinity=False),
)
def test_printed_numbers_are_within_half_a_unit_of_their_last_digit(value: float, error: float) -> None:
    text = format_with_error(value, error)
    for (printed, unit), exact in zip(read_pair(text), (value, error), strict=True):
        # A double stands for its shortest decimal, as everywhere in Python.
        assert abs(printed - Fraction(repr(exact))) <= unit / 2, text


@given(st.floats(min_value=-1e12, max_value=1e12), st.floats(min_value=-9, max_value=6))
def test_value_ends_where_two_digits_of_the_uncertainty_end(value: float, log_ratio: float) -> None:
    error = max(abs(value), 1e-3) * 10**log_ratio
    text = format_with_error(value, error)
    (_, last), (_, last_of_error) = read_pair(text)
    assert last == last_of_error
    printed = text.partition(" ± ")[2].partition(")")[0]
    # Zeros before the decimal point of a number that is written out say nothing of its digits.
    assert significant(printed) == 2 or ("×" not in text and int(printed) % 10 == 0)


@given(st.floats(min_value=1e-3, max_value=9e5), st.floats(min_value=-6, max_value=0))
def test_from_a_thousandth_to_a_million_nothing_is_written_with_a_power_of_ten(
    value: float, log_ratio: float
) -> None:
    for text in (
        format_with_error(value, value * 10**log_ratio),
        shown(value, 2),
        format_with_error(value, None),
    ):
        assert not re.search("[e×]", text), text


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([None, 0.0, math.nan, math.inf]))
def test_without_uncertainty_six_digits(value: float, error: float | None) -> None:
    text = format_with_error(value, error)
    printed, _ = read(text)
    assert significant(text) <= 6
    assert abs(printed - Fraction(repr(value))) <= abs(Fraction(repr(value))) * Fraction(1, 200_000)


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("Ang", "Å"),
        ("1/Ang", "Å⁻¹"),
        ("Ang^3", "Å³"),
        ("1/cm", "cm⁻¹"),
        ("cm^-1", "cm⁻¹"),
        ("1e-6/Ang^2", "10⁻⁶ Å⁻²"),
        ("1e15/cm^3", "10¹⁵ cm⁻³"),
        ("mg/m^2", "mg/m²"),
        ("Ang/cm", "Å/cm"),
        ("mol/L", "mol/L"),
        ("degrees", "°"),
        ("None", ""),
        ("", ""),
    ],
)
def test_units_of_sasmodels(unit: str, text: str) -> None:
    assert unit_text(unit) == text


def test_a_quantity_has_its_unit_and_four_digits_where_its_error_is_unknown() -> None:
    assert quantity(56.6213, "Ang", 1.1874) == "56.6 ± 1.2 Å"
    assert quantity(-0.00051234, "1/cm") == "-5.123×10⁻⁴ cm⁻¹"
    assert quantity(1.5, "", math.inf) == "1.5"


def test_a_reduced_chisq_has_three_digits_and_no_programmer_s_exponent() -> None:
    assert [chisq_text(x) for x in (0.97912, 36.51, 3732.4, 2.43e-6)] == [
        "0.979",
        "36.5",
        "3732",
        "2.43×10⁻⁶",
    ]


def test_no_unit_of_any_model_is_left_in_code() -> None:
    from sasmodels.core import list_models, load_model_info

    units = {p.units for name in list_models() for p in load_model_info(name).parameters.call_parameters}
    assert len(units) > 20
    for unit in units:
        assert not re.search(r"Ang|\^|\d[eE]|[Nn]one", unit_text(unit)), unit
