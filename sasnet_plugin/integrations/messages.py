"""What other programs and `sasnet serve` say to each other: one JSON object a line, checked on the way in."""

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

#: Of what is said here; a caller compares it with its own.
PROTOCOL = 1
#: What can be asked for; the second are answered at once, whatever is under way.
IN_TURN = ("hello", "suggest", "fit", "report")
AT_ONCE = ("cancel", "ping", "quit")


class RequestError(SasnetError):
    """A request that makes no sense; `id` is None where not even that could be read."""

    def __init__(self, text: str, id: int | None = None) -> None:
        super().__init__(text)
        self.id = id


@dataclass(frozen=True, eq=False)
class Request:
    """One line of the caller.

    Parameters
    ----------
    id : int
        The caller's choice; what is said about the request carries it.
    do : str
        One of `IN_TURN` and `AT_ONCE`.
    body : mapping
        The whole object.
    """

    id: int
    do: str
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def of(self) -> int:
        """The request that this one is about."""
        return whole(self.body, "of", None, least=None)

    @property
    def curve(self) -> Curve:
        """The data, tidied as those of a file are.

        Raises
        ------
        SasnetError
            There are none, or no curve is left of them.
        """
        return curve_of(self.body.get("curve"))


def request_of(line: bytes) -> Request:
    """Read one line.

    Raises
    ------
    RequestError
        It is no request; with its id as far as there is one.
    """
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


def curve_of(given: Any) -> Curve:
    """A curve from the caller's columns.

    Parameters
    ----------
    given : mapping
        ``name``, ``q`` (Å⁻¹), ``intensity`` (cm⁻¹) and, where there are any, ``dintensity``, ``dq``, ``dxl``,
        ``dxw``: lists of numbers, null for one that is missing.

    Raises
    ------
    SasnetError
        It is none, or no curve is left when unusable points are dropped.
    """
    if not isinstance(given, dict):
        raise SasnetError('The request has no data; give "curve" with name, q and intensity.')
    name = str(given.get("name") or "") or "the data"
    q, intensity = _column(given, "q", name), _column(given, "intensity", name)
    if q is None or intensity is None:
        raise SasnetError(f"{name}: q or intensity is missing; give both.")
    others = {key: _column(given, key, name) for key in ("dintensity", "dq", "dxl", "dxw")}
    for key, column in {"intensity": intensity, **others}.items():
        if column is not None and column.size != q.size:
            raise SasnetError(
                f"{name}: {key} has {column.size} values but q has {q.size}; give one value per q."
            )
    with np.errstate(all="ignore"):
        return clean(RawCurve(q, intensity, **others, q_unit="Å⁻¹"), file=name, entry="")


def _column(given: Mapping[str, Any], key: str, name: str) -> Any:
    values = given.get(key)
    if values is None:
        return None
    try:
        if not isinstance(values, list) or any(isinstance(v, str) for v in values):
            raise TypeError
        column = np.array([math.nan if v is None else float(v) for v in values], dtype=np.float64)
    except (TypeError, OverflowError):
        raise SasnetError(f"{name}: {key} is no list of numbers; give one number per point.") from None
    return column


def whole(body: Mapping[str, Any], key: str, default: int | None, *, least: int | None = 1) -> int:
    """A whole number of a request.

    Raises
    ------
    SasnetError
        It is none, or below the least.
    """
    value = body.get(key)
    value = default if value is None else value
    if not isinstance(value, int) or isinstance(value, bool) or (least is not None and value < least):
        raise SasnetError(
            f'"{key}" is a whole number{"" if least is None else f", at least {least}"}, not {value!r}.'
        )
    return value


def seconds(body: Mapping[str, Any], key: str, default: float) -> float:
    """A time of a request, at least one second.

    Raises
    ------
    SasnetError
        It is no number, or less.
    """
    value = body.get(key)
    value = default if value is None else value
    if not isinstance(value, int | float) or isinstance(value, bool) or not 1 <= value < math.inf:
        raise SasnetError(f'"{key}" is a number of seconds, at least 1, not {value!r}.')
    return float(value)


def words(body: Mapping[str, Any], key: str) -> list[str] | None:
    """A list of names of a request; None where there is none.

    Raises
    ------
    SasnetError
        It is something else.
    """
    value = body.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
        raise SasnetError(f'"{key}" is a list of names, not {value!r}.')
    return value


def word(body: Mapping[str, Any], key: str) -> str | None:
    """A name of a request; None where there is none.

    Raises
    ------
    SasnetError
        It is something else.
    """
    value = body.get(key)
    if value is not None and not isinstance(value, str):
        raise SasnetError(f'"{key}" is a name, not {value!r}.')
    return value


def plain(value: Any) -> Any:
    """The same in what JSON has; None for a number that is none."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


class Mouth:
    """Says events, whole lines one after another, whoever has something to say.

    Parameters
    ----------
    stream : binary file
    broken : callable
        Called where nobody listens any more.
    """

    def __init__(self, stream: BinaryIO, broken: Callable[[], object]) -> None:
        self._stream, self._broken, self._lock = stream, broken, Lock()

    def say(self, id: int | None, event: str, **more: Any) -> None:
        """One event about the request `id`."""
        line = json.dumps(plain({"id": id, "event": event, **more}), ensure_ascii=False, allow_nan=False)
        try:
            with self._lock:
                self._stream.write(line.encode("utf-8", "replace") + b"\n")
                self._stream.flush()
        except OSError:
            self._broken()
