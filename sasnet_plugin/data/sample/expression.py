"""Arithmetic that a user writes, such as ``-0.56 + 6.92*x``: read into a tree, never executed as Python."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...types import DataError

_TWO: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}  # fmt: skip
_ONE: Mapping[type[ast.unaryop], Callable[[float], float]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_FUNCTIONS: Mapping[str, Callable[[float], float]] = {
    "sqrt": math.sqrt, "exp": math.exp, "log": math.log, "abs": abs,
}  # fmt: skip
_LONGEST = 500


@dataclass(frozen=True)
class Expression:
    """A formula of names and numbers."""

    text: str
    names: frozenset[str]  #: That it needs.

    def value(self, values: Mapping[str, float]) -> float:
        """Its value with these; NaN where it has none, such as a root of something negative."""
        try:
            return _value(ast.parse(self.text, mode="eval").body, values)
        except (ArithmeticError, ValueError, TypeError):  # a root of something negative is complex
            return math.nan


def expression(text: str) -> Expression:
    """Parse numbers, names, + - * / **, brackets, sqrt, exp, log, abs. Raises DataError otherwise."""
    text = text.strip()
    wrong = f"{text!r} is not a formula; use numbers, names, + - * / **, brackets, sqrt, exp, log and abs."
    if len(text) > _LONGEST:
        raise DataError("A tie is a short formula, such as -0.56 + 6.92*x.")
    try:
        names = frozenset(_names(ast.parse(text, mode="eval").body))
    except (SyntaxError, ValueError, RecursionError):
        raise DataError(wrong) from None
    parsed = Expression(text, names)
    if not names and not math.isfinite(parsed.value({})):
        raise DataError(f"{text!r} has no finite value; correct the tie.")
    return parsed


def _names(node: ast.AST) -> set[str]:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return set()
        case ast.Name(id=name):
            return {name}
        case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
            return _names(operand)
        case ast.BinOp(left=left_side, op=op, right=right) if type(op) in _TWO:
            return _names(left_side) | _names(right)
        case ast.Call(func=ast.Name(id=name), args=[operand], keywords=[]) if name in _FUNCTIONS:
            return _names(operand)
    raise ValueError


def _value(node: ast.AST, values: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=number) if isinstance(number, (int, float)):
            return float(number)
        case ast.Name(id=name):
            return float(values[name])
        case ast.UnaryOp(op=op, operand=operand):
            return float(_ONE[type(op)](_value(operand, values)))
        case ast.BinOp(left=left_side, op=op, right=right):
            return float(_TWO[type(op)](_value(left_side, values), _value(right, values)))
        case ast.Call(func=ast.Name(id=name), args=[operand]):
            return float(_FUNCTIONS[name](_value(operand, values)))
    raise ValueError
