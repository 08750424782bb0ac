"""Text files of images in q: NIST's ASCII, sasdata's columns Qx Qy I dI, and SINQ's ``.sans``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ....data.signature import content
from ....types import DataError
from ...recognition import HEAD, SINQ
from .raw import RawSans
from .settings import SansSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....arrays import Floats

_NAMES = {
    "qx": r"^qx", "qy": r"^qy", "error": r"^(err|di|sigma_?i|std)", "qz": r"^qz",
    "along": r"^(sigmaq_?par|dq_?par|sqpar)", "across": r"^(sigmaq_?perp|dq_?perp)",
    "sigma_x": r"^(sigmaqx|dqx)", "sigma_y": r"^(sigmaqy|dqy)", "shadow": r"^(fsubs|shadow)",
    "value": r"^i\b|^i\(",
}  # fmt: skip


def read(path: Path, file: str) -> RawSans:
    """Read a text file. Raises DataError if unreadable, cut short or no image."""
    text = content(path, file, expectation="a 2D image in q").decode("utf-8", "replace")
    if text.startswith(SINQ):
        return _sans(text, file)
    # What went through Windows twice ends its lines in two carriage returns.
    lines = text.replace("\r\r\n", "\n").splitlines()
    first = _first(lines, file)
    table = _table(lines[first:], file)
    names = _columns(lines[:first], len(table))
    columns = {name: table[k] for k, name in enumerate(names) if name}
    shape = _shape(columns["qx"], columns["qy"])
    arrays = {name: column.reshape(shape) for name, column in columns.items()}
    settings = _derive_pixel_size(_header(lines[:first]), arrays)
    notes: list[str] = []
    along, across = _spreads(arrays, notes)
    error = arrays["error"] if _says(arrays, "error") else None
    return RawSans(
        arrays["value"], arrays["qx"], arrays["qy"], error, along, across, _bad(arrays, error), settings,
        notes=tuple(notes),
    )  # fmt: skip


def _says(arrays: Mapping[str, Floats], name: str, least: float = 0.0) -> bool:
    """Whether there is such a column; some write 0 everywhere, and then it says nothing."""
    return name in arrays and bool(np.any(arrays[name] > least))


def _spreads(arrays: dict[str, Floats], notes: list[str]) -> tuple[Floats | None, Floats | None]:
    """Return spreads of q along it and across it, if given."""
    along, across = arrays.get("along"), arrays.get("across")
    if along is None and _says(arrays, "sigma_x"):
        along, across = _rotate_spreads(arrays)
        notes.append("The resolution along Qx and Qy was converted to that along and across q.")
    if along is not None and across is not None and not np.any(along > 0):
        return None, None
    return along, across


def _table(lines: list[str], file: str) -> Floats:
    """(columns, points) of lines of numbers, without a last one that is cut short."""
    rows = [numbers for line in filter(str.strip, lines) if (numbers := _numbers(line)) is not None]
    width = len(rows[0])
    if any(len(row) != width for row in rows[:-1]) or width < 3:
        raise DataError(f"{file}: its lines have different numbers of values; copy the file again.")
    rows = rows if len(rows[-1]) == width else rows[:-1]
    return np.array(rows, dtype=np.float64).T


def _derive_pixel_size(settings: SansSettings, arrays: Mapping[str, Floats]) -> SansSettings:
    """The header has no pixels; q goes in their steps, k times pixel over distance near the beam."""
    if len(arrays["qx"]) < 2 or not settings.wavelength or not settings.distance:
        return settings
    scale = settings.distance * settings.wavelength / (2 * np.pi)
    steps = [np.median(np.diff(arrays[key], axis=axis)) for key, axis in (("qx", 1), ("qy", 0))]
    if not min(steps) > 0:
        return settings
    return replace(settings, pixel_size=(float(steps[0] * scale), float(steps[1] * scale)))


def _bad(arrays: Mapping[str, Floats], error: Floats | None) -> NDArray[np.bool_] | None:
    """Points in the beamstop's shadow, or without an error; None where the file marks none."""
    marks = [arrays["shadow"] < 0.5] if _says(arrays, "shadow", 0.5) else []
    marks += [] if error is None else [~(error > 0)]
    return np.logical_or.reduce(marks) if marks else None


def _numbers(line: str) -> list[float] | None:
    parts = re.split(r"[,\s;]+", line.strip())
    try:
        return [float(part) for part in parts] if len(parts) >= 2 else None
    except ValueError:
        return None


def _first(lines: list[str], file: str) -> int:
    """The first of three lines that hold as many numbers; headers have lines of numbers, too."""
    for k in range(min(len(lines) - 2, 4 * HEAD)):
        widths = {len(_numbers(line) or ()) for line in lines[k : k + 3]}
        if len(widths) == 1 and widths.pop() >= 3:
            return k
    raise DataError(f"{file}: no line of numbers follows its header; give columns Qx, Qy, I and dI.")


def _names_in(line: str) -> list[str]:
    """Our names of the columns that a line lists from qx on, empty for those that are of no use."""
    listed = re.sub(r"^.*?(?=qx\b)", "", line.strip().lstrip("#"), count=1, flags=re.IGNORECASE)
    parts = re.split(r"\s+-\s+|[,;\t]\s*(?![^(]*\))|\s{2,}|\s+(?![^(]*\))", listed)
    names_read = filter(None, (part.strip().lower() for part in parts))
    return [next((n for n, p in _NAMES.items() if re.match(p, part)), "") for part in names_read]


def _columns(head: list[str], width: int) -> list[str]:
    for line in reversed(head):
        if not re.search(r"qx\b.*qy", line, re.IGNORECASE):
            continue
        names_read = _names_in(line)
        if len(names_read) == width and {"qx", "qy", "value"} <= set(names_read):
            return names_read
    return (["qx", "qy", "value", "error"] + [""] * width)[:width]


def _shape(qx: Floats, qy: Floats) -> tuple[int, int]:
    """Rows and columns: q runs along one axis and then starts again; one row where it does not."""
    for axis in (qx, qy):
        turns = np.flatnonzero(np.diff(axis) < -0.5 * np.ptp(axis))
        if turns.size and qx.size % (turns[0] + 1) == 0 and np.all(np.diff(turns) == turns[0] + 1):
            return qx.size // int(turns[0] + 1), int(turns[0] + 1)
    return 1, int(qx.size)


def _rotate_spreads(arrays: dict[str, Floats]) -> tuple[Floats, Floats]:
    """Spreads along q and across it from those along the axes, σx² = g² + c qx² and σy² = g² + c qy²."""
    # Slits and pixels blur by g in any direction, wavelengths by √c q along q. Taking the components of the
    # vector (σx, σy) along q instead, as sasdata's reader does, is right on the axes alone.
    square = np.concatenate([arrays["qx"].ravel() ** 2, arrays["qy"].ravel() ** 2])
    variance = np.concatenate([arrays["sigma_x"].ravel() ** 2, arrays["sigma_y"].ravel() ** 2])
    slope, base = np.polyfit(square, variance, 1)
    base = max(float(base), 1e-3 * float(np.median(variance)))
    q = arrays["qx"] ** 2 + arrays["qy"] ** 2
    return np.sqrt(base + max(float(slope), 0.0) * q), np.full_like(q, np.sqrt(base))


def _interpret_numbers(names: str, numbers: Sequence[float]) -> dict[str, float]:
    if "LAMBDA" in names and len(numbers) >= 4:
        return {"wavelength": numbers[1], "distance": 1e3 * numbers[3]}
    if "BCENT" in names and len(numbers) >= 6:
        return {
            "source_radius": numbers[2] / 2, "sample_radius": numbers[3] / 2,
            "collimation": 1e3 * numbers[4], "spread": numbers[5],
        }  # fmt: skip
    return {}


def _header(head: list[str]) -> SansSettings:
    """What NIST's header says: wavelength, spread, distances, apertures."""
    header_values: dict[str, float] = {}
    for names, values in zip(head, head[1:], strict=False):
        header_values |= _interpret_numbers(
            names, _numbers(" ".join(re.findall(r"(?<!\S)[-+.\d]\S*", values))) or ()
        )
    return SansSettings(**{name: value for name, value in header_values.items() if value > 0})  # type: ignore[arg-type]


def _sans(text: str, file: str) -> RawSans:
    """SINQ's format: a header of names and values, then I and dI of each pixel."""
    # q comes from the header in Å⁻¹; sasdata's reader of this format gives it ten times too high.
    head, separator, body = text.partition("DATA:")
    header_values = dict(re.findall(r"^([A-Z_]+):\s*([-+.\deE]+)", head, re.MULTILINE))
    try:
        columns, rows = int(header_values["SIZE_X"]), int(header_values["SIZE_Y"])
        wavelength, distance, pixel = (
            float(header_values[key]) for key in ("WAVELENGTH", "DISTANCE", "PIXELSIZE")
        )
        # Pixels are counted from 1 there.
        centre = float(header_values["CENTER_X"]) - 1, float(header_values["CENTER_Y"]) - 1
        values = np.array(body.split(), dtype=np.float64)
    except (KeyError, ValueError) as error:
        raise DataError(
            f"{file}: {error} in its header is missing or cannot be read; copy the file again."
        ) from error
    if not separator or values.size != 2 * rows * columns:
        raise DataError(
            f"{file}: holds {values.size // 2} pixels instead of {rows * columns}; copy the file again."
        )
    table = values.reshape(rows, columns, 2)
    settings = SansSettings(
        wavelength=wavelength, distance=1e3 * distance, pixel_size=(pixel, pixel), direct_beam=centre
    )
    deviation = table[..., 1]
    return RawSans(table[..., 0], error=deviation, bad=deviation <= 0, settings=settings)
