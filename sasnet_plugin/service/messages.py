"""Requests to `sasnet serve` from other programs, and its events: one JSON object a line, checked."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, BinaryIO

import numpy as np

from ..data.clean import clean
from ..data.raw import RawCurve
from ..types import Curve, SasnetError

#: Version of the protocol; a caller compares it with its own.
PROTOCOL = 1
#: Requests that are answered in turn, and those that are answered at once, whatever is running.
IN_TURN = ("hello", "suggest", "page", "fit", "report")
AT_ONCE = ("cancel", "ping", "quit")


class RequestError(SasnetError):
    """A request that cannot be read; `id` is None where not even that could be."""

    def __init__(self, text: str, id: int | None = None) -> None:
        super().__init__(text)
        self.id = id


@dataclass(frozen=True, eq=False)
class Request:
    """One line of the caller."""

    id: int  #: The caller's choice; every event about the request carries it.
    do: str  #: One of `IN_TURN` and `AT_ONCE`.
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> int:
        """The request that this one is about."""
        return whole(self.body, "of", None, least=None)

    @property
    def curve(self) -> Curve:
        """The data, tidied as a file's are. Raises SasnetError if no usable points are left."""
        return curve_of(self.body.get("curve"))


def request_of(line: bytes) -> Request:
    """Parse one line. Raises RequestError, with the id if readable."""
    try:
        body = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        raise RequestError("This line is no JSON; send one JSON object a line, in UTF-8.") from None
    if not isinstance(body, dict):
        raise RequestError("This line is no JSON object; send one such as {"
                           '"id": 1, "do": "hello"}.')  # fmt: skip
    number = body.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise RequestError('A request needs an "id", a whole number of your choice.')
    do = body.get("do")
    if do not in (*IN_TURN, *AT_ONCE):
        raise RequestError(f'{do!r}: no such request; "do" one of {", ".join((*IN_TURN, *AT_ONCE))}.', number)
    return Request(number, do, body)


_COLUMNS = ("q", "intensity", "dintensity", "dq", "dxl", "dxw")


def curve_of(message: Any) -> Curve:
    """Build a curve from the caller's columns, null for missing numbers. Raises SasnetError if it is none or
    too few points are usable.
    """
    # ``name``, ``q`` (Å⁻¹), ``intensity``, maybe ``dintensity``, ``dq``, ``dxl``, ``dxw``; ``q_assumed``:
    # true if Å⁻¹ is not stated; ``intensity_unit``: such as ``1/cm`` or ``counts``.
    if not isinstance(message, dict):
        raise SasnetError('The request has no data; give "curve" with name, q and intensity.')
    file = str(message.get("name") or "") or "the data"
    columns = {key: _column(message, key, file) for key in _COLUMNS}
    sizes = {key: column.size for key, column in columns.items() if column is not None}
    if not {"q", "intensity"} <= sizes.keys():
        raise SasnetError(f"{file}: q or intensity is missing; give both.")
    for key, size in sizes.items():
        if size != sizes["q"]:
            raise SasnetError(
                f"{file}: {key} has {size} values but q has {sizes['q']}; give one value per q."
            )
    with np.errstate(all="ignore"):
        unit = None if message.get("q_assumed") is True else "Å⁻¹"
        raw = RawCurve(**columns, q_unit=unit, intensity_unit=str(message.get("intensity_unit") or ""))
        return clean(raw, file=file, entry="")


def _column(columns: Mapping[str, Any], key: str, file: str) -> Any:
    values = columns.get(key)
    if values is None:
        return None
    try:
        if not isinstance(values, list) or any(isinstance(v, str) for v in values):
            raise TypeError
        column = np.array([math.nan if v is None else float(v) for v in values], dtype=np.float64)
    except (TypeError, OverflowError):
        raise SasnetError(f"{file}: {key} is no list of numbers; give one number per point.") from None
    return column


def whole(body: Mapping[str, Any], key: str, default: int | None, *, least: int | None = 1) -> int:
    """A whole number of a request, see `_entry`."""
    description = "a whole number" if least is None else f"a whole number, at least {least}"
    found_number: int = _entry(
        body, key, default, description, lambda v: type(v) is int and (least is None or v >= least)
    )
    return found_number


def seconds(body: Mapping[str, Any], key: str, default: float) -> float:
    """A time of a request, see `_entry`."""
    description = "a number of seconds, at least 1"
    return float(
        _entry(body, key, default, description, lambda v: type(v) in (int, float) and 1 <= v < math.inf)
    )


def number(body: Mapping[str, Any], key: str) -> float:
    """A positive number of a request, see `_entry`."""
    return float(_entry(body, key, None, "a number above 0", lambda v: type(v) in (int, float) and v > 0))


def names(body: Mapping[str, Any], key: str) -> list[str] | None:
    """A list of names of a request, see `_entry`; None where there is none."""

    def good(value: Any) -> bool:
        return value is None or (
            isinstance(value, list) and bool(value) and all(isinstance(v, str) for v in value)
        )

    found_names: list[str] | None = _entry(body, key, None, "a list of names", good)
    return found_names


def name(body: Mapping[str, Any], key: str) -> str | None:
    """A name of a request, see `_entry`; None where there is none."""
    found_name: str | None = _entry(body, key, None, "a name", lambda v: v is None or isinstance(v, str))
    return found_name


def numbers(body: Mapping[str, Any], key: str) -> dict[str, float]:
    """Numbers by name, of a request, see `_entry`; empty where there are none."""
    found_numbers = _entry(body, key, {}, "an object of numbers", lambda v: _is_table_of(v, _finite))
    return {name: float(value) for name, value in found_numbers.items()}


def ranges(body: Mapping[str, Any], key: str) -> dict[str, tuple[float, float]]:
    """Ranges by name, of a request, see `_entry`; empty where there are none."""

    def good(value: Any) -> bool:
        pair = isinstance(value, list) and len(value) == 2 and all(map(_finite, value))
        return pair and bool(value[0] < value[1])

    description = "an object of ranges [low, high], the smaller first"
    found_ranges = _entry(body, key, {}, description, lambda v: _is_table_of(v, good))
    return {name: (float(low), float(high)) for name, (low, high) in found_ranges.items()}


def _is_table_of(value: Any, good: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and all(map(good, value.values()))


def _finite(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _entry(
    body: Mapping[str, Any], key: str, default: Any, description: str, good: Callable[[Any], bool]
) -> Any:
    """Return a request's entry, or the default if missing or null. Raises SasnetError if it is not `good`."""
    value = body.get(key)
    value = default if value is None else value
    if not good(value):
        raise SasnetError(f'"{key}" is {description}, not {value!r}.')
    return value


def plain(value: Any) -> Any:
    """Convert a value to JSON's types; None for infinities and NaN."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


class EventWriter:
    """Writes events as whole lines from any thread; `broken` is called once the reader is gone."""

    def __init__(self, stream: BinaryIO, broken: Callable[[], object]) -> None:
        self._stream, self._broken, self._lock = stream, broken, Lock()

    def write(self, id: int | None, event: str, **fields: Any) -> None:
        """Write one event about the request `id`."""
        line = json.dumps(plain({"id": id, "event": event, **fields}), ensure_ascii=False, allow_nan=False)
        try:
            with self._lock:
                self._stream.write(line.encode("utf-8", "replace") + b"\n")
                self._stream.flush()
        except OSError:
            self._broken()
