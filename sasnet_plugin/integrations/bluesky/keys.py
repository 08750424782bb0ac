"""Where the curve of an event lies: arrays by their names in the descriptor, or a file that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...types import Curve, DataError, SasnetError
from ...units import canonical

#: Usual names of the fields, in small letters; a detector's name may stand before them, ``saxs_q``.
USUAL = {
    "q": ("q", "qs", "q_values"),
    "intensity": ("i", "iq", "i_q", "intensity", "intensities"),
    "dintensity": ("di", "idev", "sigma", "sigmas", "error", "errors", "intensity_error", "i_error"),
    "dq": ("dq", "qdev", "q_error"),
    "file": ("file", "filename", "file_name", "filepath", "file_path", "path", "curve_file"),
}
#: Fields without which there is no curve.
NEEDED = ("q", "intensity")
ARRAYS = ("q", "intensity", "dintensity", "dq")


@dataclass(frozen=True)
class Keys:
    """Names of the fields of an event that hold a curve; None where it has none, or they are to be found."""

    q: str | None = None
    intensity: str | None = None
    dintensity: str | None = None
    dq: str | None = None
    file: str | None = None  #: A field that names a file; used where there are no arrays.
    #: Unit of q; default: what the descriptor says, else it is assumed from the values, as of a file.
    q_unit: str | None = None
    entry: str | None = None  #: Data set of a file that holds several.


def keys_of(data_keys: Mapping[str, Mapping[str, Any]], given_keys: Keys) -> Keys | None:
    """Find a descriptor's fields that hold a curve; None without one."""
    # A named field is never replaced by another.
    keys = {}
    for field in USUAL:
        name = getattr(given_keys, field)
        keys[field] = name if name in data_keys else None if name else _usual(data_keys, field)
    if any(keys[field] is None for field in NEEDED):
        if keys["file"] is None:
            return None
        keys |= dict.fromkeys(ARRAYS)
    unit = given_keys.q_unit
    if unit is None and keys["q"] is not None:
        unit = data_keys[keys["q"]].get("units") or None
    return replace(given_keys, **keys, q_unit=unit)


def _usual(data_keys: Mapping[str, Mapping[str, Any]], field: str) -> str | None:
    array = field != "file"
    for name, about in data_keys.items():
        if (about.get("dtype") == "array") != array:
            continue
        lowered_name = name.lower()
        if any(
            lowered_name == usual or lowered_name.endswith((f"_{usual}", f"-{usual}", f".{usual}"))
            for usual in USUAL[field]
        ):
            return name
    return None


def curve_of(event: Mapping[str, Any], keys: Keys, name: str) -> Curve:
    """Read the curve of an event. Raises SasnetError if it has none usable."""
    _check(event, keys, name)
    data = event["data"]
    if keys.q is None:
        return _read(str(data[keys.file]), keys)
    from ...data.clean import clean
    from ...data.raw import RawCurve

    columns: dict[str, Any] = {}
    for field in ARRAYS:
        own_key = getattr(keys, field)
        columns[field] = None if own_key is None else np.asarray(data[own_key], dtype=np.float64).ravel()
        if own_key is not None and columns[field].size != columns["q"].size:
            raise DataError(
                f"{name}: {own_key} has {columns[field].size} values but {keys.q} has {columns['q'].size};"
                " give"
                " one for each q."
            )
    return clean(RawCurve(**columns, **_unit(keys.q_unit)), file=name, entry="")


def _check(event: Mapping[str, Any], keys: Keys, name: str) -> None:
    """See that the event holds what its descriptor promises."""
    filled = event.get("filled", {})
    for key in filter(None, (getattr(keys, field) for field in USUAL)):
        if key not in event["data"] or filled.get(key) is False:
            state = "missing" if key not in event["data"] else "not filled"
            raise DataError(
                f"{name}: the event's field {key!r} is {state}; fill events with their data first."
            )


def _unit(given_unit: str | None) -> dict[str, Any]:
    unit = None if given_unit is None else canonical(given_unit, "q")
    return {"q_unit": unit, "q_unit_unknown": given_unit if given_unit is not None and unit is None else ""}


def _read(path: str, keys: Keys) -> Curve:
    from ...data import load

    curves = load(path, q_unit=keys.q_unit, entry=keys.entry)
    if len(curves) != 1:
        raise SasnetError(f"{path}: holds {len(curves)} data sets; name one as entry in the keys.")
    return curves[0]
