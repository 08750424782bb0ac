"""Formulas of a user: arithmetic, and nothing that could do anything else."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sasnet_plugin.data.sample.expression import expression
from sasnet_plugin.types import DataError


def test_solvent_from_its_share_of_heavy_water() -> None:
    tie = expression("-0.56 + 6.92*x")
    assert tie.names == {"x"}
    assert tie.value({"x": 0.442}) == pytest.approx(2.499, abs=1e-3)


@given(st.floats(-1e3, 1e3), st.floats(0.1, 1e3))
def test_is_what_python_makes_of_the_same_text(a: float, b: float) -> None:
    text = "(a - 2)**2 / b + sqrt(b) * -log(b)"
    known = eval(text, {"sqrt": math.sqrt, "log": math.log}, {"a": a, "b": b})
    assert expression(text).value({"a": a, "b": b}) == pytest.approx(known)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "x.__class__", "[1][0]", "lambda: 1", "x if x else 1", "", "1 +",
        "f(x)", "sqrt(x, 2)", "'text'", "x := 2", "True", "(" * 300 + "1" + ")" * 300,
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"is not a formula|short formula"):
        expression(text)


def test_no_value_is_nan() -> None:
    assert math.isnan(expression("(0 - x)**0.5").value({"x": 2.0}))
    assert math.isnan(expression("1/x").value({"x": 0.0}))
    # Without names it is refused at once.
    with pytest.raises(DataError, match="no finite value"):
        expression("9**9**9**9")
