"""Which data set of which file is meant, and the curves of the last files, read once."""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass, field

from ..types import Curve, SasnetError

#: Files whose curves are kept: those between which a user goes to and fro.
_KEPT = 16


@dataclass(frozen=True)
class Place:
    """A data set of a file."""

    path: str
    entry: int = 1  #: Its number in it, from 1.
    q_unit: str | None = None  #: As of `data.load`.
    window: tuple[float, float] | None = None  #: Lowest and highest q that count, Å⁻¹; None: all.
    wavelength: float | None = None  #: Å, where the first column is an angle.


@dataclass
class Reader:
    """Reads files, each once as long as it does not change."""

    _curves: OrderedDict[tuple[object, ...], tuple[Curve, ...]] = field(default_factory=OrderedDict)

    def curves(self, place: Place) -> tuple[Curve, ...]:
        """Read all curves of a place's file. Raises SasnetError if it cannot."""
        from ..data import load

        path = place.path
        try:
            status = os.stat(path)
        except OSError:
            raise SasnetError(
                f"{os.path.basename(path)}: no longer exists; see the list of data sets."
            ) from None
        key = path, place.q_unit, place.wavelength, status.st_size, status.st_mtime_ns
        if key not in self._curves:
            self._curves[key] = load(path, q_unit=place.q_unit, wavelength=place.wavelength)
            while len(self._curves) > _KEPT:
                self._curves.popitem(last=False)
        self._curves.move_to_end(key)
        return self._curves[key]

    def curve(self, place: Place) -> Curve:
        """Read a place's curve within its q range. Raises SasnetError if there is none, or no point in it."""
        from ..data.clean import cut_to_q_range

        curves = self.curves(place)
        if not 1 <= place.entry <= len(curves):
            raise SasnetError(f"{os.path.basename(place.path)}: holds only {len(curves)} data sets.")
        curve = curves[place.entry - 1]
        return curve if place.window is None else cut_to_q_range(curve, *place.window)
