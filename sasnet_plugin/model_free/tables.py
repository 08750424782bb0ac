"""Model-free numbers as short tables: quantity, value with its error, and the q range that it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ..digits import significant, with_error
from ..text_table import align_columns
from .results import Guinier, Kratky, ModelFree, PairDistances, Peak, Plateau, Porod, Refused, Slope

#: Quantity, value with its error and unit, and where it comes from.
Row = tuple[str, str, str]


def format_table(part: Any) -> str:
    """The table of a model-free number, or of all of them."""
    return "\n".join([f"{type(part).__name__}:", *align_columns(list_rows(part))])


def list_rows(part: Any) -> list[Row]:
    """The rows of a model-free number, or of all of them."""
    return _ROWS[type(part)](part)


def _range(part: Any) -> str:
    return f"q {significant(part.q_min, 3)} to {significant(part.q_max, 3)} Å⁻¹, {part.points} points"


def _guinier(part: Guinier) -> list[Row]:
    return [
        ("Rg (Guinier)", f"{with_error(part.rg, part.rg_error)} Å", _range(part)),
        ("I(0)", with_error(part.i0, part.i0_error), ""),
        ("q·Rg", f"{significant(part.qrg_min, 2)} to {significant(part.qrg_max, 2)}", ""),
    ]


def _slope(part: Slope, name: str = "slope") -> list[Row]:
    return [(name, with_error(part.value, part.error), _range(part))]


def _porod(part: Porod) -> list[Row]:
    rows = [("Porod exponent", with_error(part.exponent, part.exponent_error), _range(part))]
    if part.constant is not None:
        rows.append(("Porod constant", with_error(part.constant, part.constant_error), "times Å⁻⁴"))
    return [*rows, ("flat background", with_error(part.background, part.background_error), "")]


def _plateau(part: Plateau) -> list[Row]:
    return [("plateau", with_error(part.level, part.error), _range(part))]


def _peak(part: Peak) -> list[Row]:
    distance = f"2π/q = {with_error(part.d, part.d_error)} Å"
    fringe = ", perhaps a form-factor fringe" if part.fringe else ""
    return [("maximum", f"q = {with_error(part.q, part.q_error)} Å⁻¹", f"{distance}{fringe}")]


def _kratky(part: Kratky) -> list[Row]:
    if part.peak_x is None or part.peak_y is None:
        return [("Kratky plot", "no maximum", "")]
    place = f"at q·Rg = {significant(part.peak_x, 3)}"
    return [("Kratky maximum", significant(part.peak_y, 3), f"{place}; compact particle: 1.10 at 1.73")]


def _distances(part: PairDistances) -> list[Row]:
    return [
        ("D_max", f"{with_error(part.d_max, part.d_max_error)} Å", _range(part)),
        ("Rg from p(r)", f"{with_error(part.rg, part.rg_error)} Å", ""),
        ("I(0) from p(r)", with_error(part.i0, part.i0_error), ""),
        ("reduced χ²", significant(part.reduced_chisq, 3), ""),
    ]


def _refused(part: Refused) -> list[Row]:
    return [("none", part.reason, "")]


def _all(part: ModelFree) -> list[Row]:
    rows = _named("Rg (Guinier)", part.guinier)
    rows += _named("slope at the lowest q", part.low)
    rows += _named("slope at the highest q", part.high)
    rows += _named("Porod exponent", part.porod) + _named("plateau", part.plateau)
    rows += [row for peak in part.peaks for row in _peak(peak)] or [("maximum", "none", "")]
    return rows + _named("Kratky plot", part.kratky)


def _named(name: str, part: Any) -> list[Row]:
    """The rows of a part, or why it has no number; a slope with its place."""
    if isinstance(part, Refused):
        return [(name, "none", part.reason)]
    return _slope(part, name) if isinstance(part, Slope) else list_rows(part)


_ROWS: Mapping[type, Callable[[Any], list[Row]]] = MappingProxyType(
    {
        Guinier: _guinier,
        Slope: _slope,
        Porod: _porod,
        Plateau: _plateau,
        Peak: _peak,
        Kratky: _kratky,
        PairDistances: _distances,
        Refused: _refused,
        ModelFree: _all,
    }
)
