"""What Python is given where a curve is meant: a curve, the name of its file, or what `load` returns."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ..in_python import in_python
from ..types import Curve, SasnetError
from .load import load

Given = Curve | str | os.PathLike[str]


def curve_of(given: Given | Iterable[Given]) -> Curve:
    """Return the single curve meant by a curve, a path (read as by `load`) or an iterable. Raises SasnetError
    if it is not exactly one.
    """
    found = curves_of(given)
    if len(found) == 1:
        return found[0]
    if isinstance(given, (str, os.PathLike)):
        read = f'load("{os.fspath(given)}")'
        raise SasnetError(f"{given}: holds {len(found)} curves; take one of them, such as {read}[0].")
    raise SasnetError(f"Give one curve, not {len(found)}; take one of them, such as curves[0].")


def curves_of(given: Given | Iterable[Given]) -> list[Curve]:
    """Return all curves that are meant, in their order, as `curve_of` does one."""
    if isinstance(given, Curve):
        return [given]
    if isinstance(given, (str, os.PathLike)):
        return list(load(given))
    if not isinstance(given, Iterable):
        raise _no_curve(given)
    several = list(given)
    if odd := [one for one in several if not isinstance(one, (Curve, str, os.PathLike))]:
        raise _no_curve(odd[0])
    return [curve for one in several for curve in curves_of(one)]


@contextmanager
def sentences_in_python() -> Iterator[None]:
    """Errors of the block name keywords, not options of the command line."""
    try:
        yield
    except SasnetError as error:
        if len(error.args) == 1:  # the sentence
            error.args = (in_python(str(error)),)
        raise


def _no_curve(given: object) -> SasnetError:
    return SasnetError(
        "A curve is the name of its file, what load returns, or Curve(q, intensity, dintensity), and not of"
        f" the type {type(given).__name__}."
    )
