"""What Python is given where a curve is meant: a curve, the name of its file, or what `load` returns."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ..types import Curve, SasnetError
from .load import load

Given = Curve | str | os.PathLike[str]


def curve_of(source: Given | Iterable[Given]) -> Curve:
    """Return the single curve meant by a curve, a path (read as by `load`) or an iterable. Raises SasnetError
    if it is not exactly one.
    """
    curves = curves_of(source)
    if len(curves) == 1:
        return curves[0]
    if isinstance(source, (str, os.PathLike)):
        read = f'load("{os.fspath(source)}")'
        raise SasnetError(f"{source}: holds {len(curves)} curves; take one of them, such as {read}[0].")
    raise SasnetError(f"Give one curve, not {len(curves)}; take one of them, such as curves[0].")


def curves_of(source: Given | Iterable[Given]) -> list[Curve]:
    """Return all curves that are meant, in their order, as `curve_of` does one."""
    if isinstance(source, Curve):
        return [source]
    if isinstance(source, (str, os.PathLike)):
        return list(load(source))
    if not isinstance(source, Iterable):
        raise _no_curve(source)
    sources = list(source)
    if odd := [item for item in sources if not isinstance(item, (Curve, str, os.PathLike))]:
        raise _no_curve(odd[0])
    return [curve for item in sources for curve in curves_of(item)]


def _no_curve(source: object) -> SasnetError:
    return SasnetError(
        f"A curve cannot be of the type {type(source).__name__}. Give a file name, a curve from load, or"
        " Curve(q, intensity, dintensity)."
    )
