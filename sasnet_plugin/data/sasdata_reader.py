"""sasdata's loader, kept quiet, its answer as raw curves."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sasnet_plugin import units
from sasnet_plugin.data.raw import RawCurve, column

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Answer:
    """What sasdata makes of a file.

    Parameters
    ----------
    curves : list of RawCurve
        The 1D data sets; q in Å⁻¹ where sasdata knows the file's unit.
    images : int
        How many two-dimensional data sets it found.
    sesans : bool
        The data are spin-echo.
    """

    curves: list[RawCurve]
    images: int = 0
    sesans: bool = False


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence sasdata's and numpy's messages about bad files: `load` raises one sentence instead."""
    logger = logging.getLogger("sasdata")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def read(path: Path) -> Answer:
    """Let sasdata read a file; an empty answer where it cannot."""
    with quiet():
        from sasdata.dataloader.loader import Loader

        # sasdata raises whatever its readers stumble over; that is no error of this program.
        try:
            found = Loader().load(str(path))
        except Exception:
            return Answer([])
    curves = [curve for data in found if (curve := _curve(data)) is not None]
    images = sum(getattr(data, "qx_data", None) is not None for data in found)
    sesans = any(getattr(data, "isSesans", False) for data in found)
    return Answer(curves, images, sesans)


def with_provenance(curves: list[RawCurve], scanned: list[RawCurve]) -> list[RawCurve]:
    """Add to sasdata's curves what the file itself says: its unit, rows dropped, order.

    Parameters
    ----------
    curves : list of RawCurve
        From `read`.
    scanned : list of RawCurve
        The same data sets as they stand in the file; ignored unless there are as many.

    Returns
    -------
    list of RawCurve
        With q in the file's own unit again, so that the unit can be overridden.
    """
    if len(curves) != len(scanned):
        return curves
    return [_merge(curve, source) for curve, source in zip(curves, scanned, strict=True)]


def _merge(curve: RawCurve, source: RawCurve) -> RawCurve:
    dropped = max(0, source.q.size - curve.q.size)
    unsorted = bool(np.any(np.diff(source.q[np.isfinite(source.q)]) < 0))
    merged = replace(curve, dropped=dropped, sorted_by_reader=unsorted, title=curve.title or source.title)
    if source.q_unit is None or curve.q_unit is None:
        return replace(merged, q_unit=None)
    back = units.factor(curve.q_unit, "q") / units.factor(source.q_unit, "q")
    if back == 1.0:
        return replace(merged, q_unit=source.q_unit)
    return replace(merged.scaled(back), q_unit=source.q_unit)


def _curve(data: Any) -> RawCurve | None:
    x = getattr(data, "x", None)
    if x is None or np.ndim(x) != 1 or not np.size(x) or getattr(data, "isSesans", False):
        return None
    size = int(np.size(x))
    q, intensity = column(x, size), column(data.y, size)
    if q is None or intensity is None:
        return None
    dy, dx, dxl, dxw = (column(values, size) for values in (data.dy, data.dx, data.dxl, data.dxw))
    unit = units.canonical(str(getattr(data, "_xunit", "") or ""), "q")
    return RawCurve(q, intensity, dy, dx, dxl, dxw, str(data.title or "").strip(), unit)
