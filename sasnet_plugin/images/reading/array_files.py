"""What BornAgain and scripts around it write: ``.int``, tables of numbers, numpy's ``.npy`` and ``.npz``.

BornAgain 25 writes its ``.int`` for reference data alone; older versions and its GUI export ``.int`` and
tables with the axes in the header, and TIFF without. Scripts save the array by numpy.
"""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import units
from ...data.failure import too_large
from ...data.limits import LIMITS
from ...types import DataError
from .raw import RawFrame, make_truncation_error, not_an_image
from .settings import ImageSettings, Pair
from .whole import unpack

_EQUIDISTANT = 0.01
"""Largest deviation of an axis from equal steps, in steps."""
_LONGEST = 100_000
"""Rows or columns beyond which an axis is a damaged one."""
_LINE = 2**21
"""Characters of a line: `_LONGEST` numbers of counts."""
_NAMES = ("counts", "intensity", "image", "data", "arr_0")


def read_text(path: Path, file: str) -> RawFrame:
    """Read a table of numbers, plain, ``.gz`` or ``.bz2``, with the angles of BornAgain's header if given.
    Raises DataError if it is cut short, not rectangular, or its axes are no exit angles.
    """
    # BornAgain's ``.int`` has a column per line, its tables a row; in both rows follow the header's alpha_f
    # axis.
    axes: list[tuple[str, list[float]]] = []
    rows: list[Any] = []
    pixels = 0
    section = "data"
    for line in _lines(path, file):
        stripped = line.strip()
        if stripped.startswith("#"):
            section = _section(stripped.lstrip("# ").strip(), axes, file)
        elif section == "axis" and (axis := _axis(stripped, file)):
            axes.append(axis)
        elif stripped and section != "errorbars":
            rows.append(_numbers(stripped, file))
            pixels += rows[-1].size
            _check_length(pixels, len(rows), file)
    return _frame(axes, rows, by_columns=_is_int(path), file=file)


def _is_int(path: Path) -> bool:
    return ".int" in (suffix.lower() for suffix in path.suffixes[-2:])


def _lines(path: Path, file: str) -> Iterator[str]:
    try:
        with unpack(path, file) as plain, plain.open(encoding="utf-8") as stream:
            while line := stream.readline(_LINE):
                if len(line) == _LINE:
                    raise too_large(file, f"a line of over {_LINE:,} characters", "an image")
                yield line
    except (OSError, UnicodeDecodeError) as error:
        raise make_truncation_error(file) from error


def _numbers(line: str, file: str) -> Any:
    try:
        return np.array(line.replace(",", " ").replace(";", " ").split(), dtype=np.float64)
    except ValueError as error:
        raise DataError(
            f"{file}: a line of its table is not numeric ({line[:40]!r}); give a 2D image."
        ) from error


def _section(words: str, axes: list[tuple[str, list[float]]], file: str) -> str:
    """What the lines behind a line of the header hold; an axis in the line itself is taken."""
    if not words.startswith("axis"):
        return words.split(" ")[0].lower()
    axis = _axis(words, file)
    if axis is None:
        return "axis"
    axes.append(axis)
    return words.split(" ")[0].lower()


def _check_length(pixels: int, lines: int, file: str) -> None:
    if pixels > LIMITS.pixels or lines > _LONGEST:
        raise too_large(file, f"over {pixels - 1:,} numbers in {lines - 1:,} lines", "an image")


def _axis(line: str, file: str) -> tuple[str, list[float]] | None:
    """Label and values of ``Kind("label", numbers)``, in whatever stands before; None where it is none."""
    head, opened, rest = line.partition('("')
    label, quoted, text = rest.partition('"')
    kind, text = re.split(r"\W", head)[-1], text.strip()
    if not (opened and quoted and kind.isidentifier() and text.startswith(",") and text.endswith(")")):
        return None
    numbers = list(map(float, re.findall(r"[-+]?(?:\d{1,400}\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", text)))
    return label, _expand_axis(kind, label, numbers, file)


def _expand_axis(kind: str, label: str, numbers: list[float], file: str) -> list[float]:
    if kind in ("EquiDivision", "FixedBinAxis", "ConstKBinAxis") and len(numbers) == 3:
        count, low, high = numbers
        if not 0 < count <= _LONGEST:
            raise DataError(
                f"{file}: its axis {label!r} has {count:.6g} values, so the file is damaged; copy it again."
            )
        step = (high - low) / count
        return [low + (index + 0.5) * step for index in range(int(count))]
    if kind in ("ListScan", "DiscreteAxis") and len(numbers) > 1:
        return numbers
    raise DataError(f"{file}: its axis {kind}({label!r}) is not known; give phi and alpha_f in a TOML file.")


def _frame(axes: list[tuple[str, list[float]]], rows: list[Any], *, by_columns: bool, file: str) -> RawFrame:
    lengths = {len(row) for row in rows}
    if not rows:
        raise make_truncation_error(file)
    if len(axes) == 2:
        return _make_frame(axes, np.concatenate(rows), by_columns=by_columns, file=file)
    if len(lengths) > 1:
        raise DataError(
            f"{file}: its lines have unequal lengths, so it is truncated or not an image; export it again."
        )
    values = np.array(rows)
    if min(values.shape) < 2:
        raise not_an_image(file, values.shape)
    return RawFrame(values=values)


def _range(label: str, centres: list[float], file: str) -> Pair:
    """First and last value of an axis, degrees."""
    unit = re.search(r"\(([^()]*)\)\s*$", label)
    known_unit = units.canonical(unit[1], "angle") if unit else "degrees"
    if known_unit is None:
        raise DataError(
            f"{file}: its axis {label!r} is not an angle; export the image against phi_f and alpha_f."
        )
    factor = units.FACTORS["angle"][known_unit]
    values = np.array(centres) * factor
    even = np.linspace(values[0], values[-1], values.size)
    if np.max(np.abs(values - even)) > _EQUIDISTANT * abs(even[1] - even[0]):
        raise DataError(f"{file}: its axis {label!r} has unequal steps; export it with equal ones.")
    return float(values[0]), float(values[-1])


def _make_frame(
    axes: list[tuple[str, list[float]]], flat: NDArray[Any], *, by_columns: bool, file: str
) -> RawFrame:
    columns, lines = len(axes[0][1]), len(axes[1][1])
    if flat.size != columns * lines:
        raise DataError(
            f"{file}: it holds {flat.size} values, but its axes need {columns} x {lines};"
            " the file is truncated or was changed; export it again."
        )
    values = flat.reshape(columns, lines).T if by_columns else flat.reshape(lines, columns)
    return RawFrame(
        values=values, geometry=ImageSettings(phi=_range(*axes[0], file), alpha_f=_range(*axes[1], file))
    )


def read_numpy(path: Path, file: str) -> list[RawFrame]:
    """Read frames of a 2D or 3D array in ``.npy`` or ``.npz``. Raises DataError if damaged, of Python
    objects, or without such an array.
    """
    # A ``.npz`` may name its array counts, intensity, image or data, and hold ``phi``, ``alpha_f`` and
    # ``alpha_i`` (degrees), ``wavelength`` (Å) and ``mask`` (True where a pixel counts).
    arrays = _arrays(path, file)
    values = arrays[_image_in(arrays, file)]
    mask = arrays.get("mask")
    _check_arrays(values, mask, file)
    geometry = ImageSettings(
        wavelength=_scalar(arrays.get("wavelength")),
        alpha_i=_scalar(arrays.get("alpha_i")),
        phi=_ends("phi", arrays, values.shape[-1], file),
        alpha_f=_ends("alpha_f", arrays, values.shape[-2], file),
    )
    bad = None if mask is None else ~mask.astype(bool)
    if values.ndim == 2:
        return [RawFrame(values=values, geometry=geometry, bad=bad)]
    titles = (f"frame {number + 1}" for number in range(len(values)))
    return [
        RawFrame(v, entry=title, geometry=geometry, bad=bad) for v, title in zip(values, titles, strict=True)
    ]


def _arrays(path: Path, file: str) -> dict[str, Any]:
    """Arrays by name; a single one is called counts."""
    _check_sizes(path, file)
    try:
        with path.open("rb") as stream:
            loaded = np.load(stream, allow_pickle=False)
            is_single = isinstance(loaded, np.ndarray)
            return {"counts": loaded} if is_single else {key: loaded[key] for key in loaded}
    except Exception as error:  # zipfile, zlib, pickle and numpy each raise their own
        raise make_truncation_error(file) from error


def _check_arrays(values: NDArray[Any], mask: NDArray[Any] | None, file: str) -> None:
    if values.ndim not in (2, 3) or values.dtype.kind not in "iufb":
        raise not_an_image(file, values.shape)
    if mask is not None and mask.shape != values.shape[-2:]:
        raise DataError(f"{file}: its mask has another shape than its image; save one value a pixel.")


def _image_in(arrays: dict[str, Any], file: str) -> str:
    """The name of the image: a usual one, or that of the only array of rows and columns."""
    usual = list(filter(arrays.__contains__, _NAMES))
    if usual:
        return usual[0]
    image_keys = [key for key, value in arrays.items() if value.ndim >= 2 and key not in ("mask", "bad")]
    if len(image_keys) != 1:
        raise DataError(f"{file}: it holds no array named 'counts'; name the image so.")
    return image_keys[0]


def _check_sizes(path: Path, file: str) -> None:
    """See what the headers of a numpy file claim, before it is given room."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                claimed = 0
                for name in archive.namelist():
                    with archive.open(name) as stream:
                        claimed += _read_claimed_size(stream)
        else:
            with path.open("rb") as stream:
                claimed = _read_claimed_size(stream)
    except Exception as error:  # zipfile, zlib and numpy each raise their own
        raise make_truncation_error(file) from error
    if claimed > LIMITS.array_bytes:
        expectation = f"images of at most {LIMITS.array_bytes / 2**20:.0f} MiB together"
        raise too_large(file, f"{claimed / 2**20:,.0f} MiB by its header", expectation)


def _read_claimed_size(stream: Any) -> int:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    return math.prod(shape) * max(dtype.itemsize, 1)


def _scalar(value: Any) -> float | None:
    return None if value is None or value.size != 1 else float(value.ravel()[0])


def _ends(name: str, arrays: dict[str, Any], size: int, file: str) -> Pair | None:
    values = arrays.get(name)
    if values is None:
        return None
    if values.ndim == 1 and values.size not in (2, size):
        raise DataError(f"{file}: {name} has {values.size} values for {size} pixels; save one a pixel.")
    return _range(name, [float(value) for value in values.ravel()], file)
