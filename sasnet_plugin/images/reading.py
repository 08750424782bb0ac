"""Whether a detector's file is whole and of a size that images have, before a library is let near it.

fabio and libtiff fill what is missing with zeros, follow directories that point to themselves, and make room
for whatever a header claims. Tags by number are those of TIFF 6.0 (Adobe, 1992) and BigTIFF.

BornAgain 25 writes its ``.int`` for reference data alone; older versions and its GUI export ``.int`` and
tables with the axes in the header, and TIFF without. Scripts save the array by numpy.

fabio's own reader of CBF loops for ever on some damaged headers (a missing start of the data, an open quote),
so the few lines that a detector writes are read here: the header's text and the length that it promises.
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
import re
import struct
import tempfile
import warnings
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import units
from ..arrays import Floats
from ..data.advice import DO_NOT_GIVE_UNIT
from ..data.limits import HDF5, LIMITS, PICTURES, content, no_measurement, too_large
from ..data.toml_files import overlay_settings
from ..domains import ReadOptions
from ..types import DataError, GrazingIncidence, Image, describe_install
from . import nexus
from .nexus import (
    HEADER,
    ImageSettings,
    Pair,
    RawFrame,
    check_units,
    dectris,
    edf,
    from_options,
    make_truncation_error,
    marccd,
    not_an_image,
    read_toml,
    saxslab,
    smv,
)
from .recognition import CBF, NUMPY, START, beginning, has_known_suffix, is_detector_file, is_image, opener

if TYPE_CHECKING:
    BoolArray = NDArray[np.bool_]

__all__ = ["ImageSettings", "is_image", "iter_images", "load_images", "rebin", "to_window"]


# --- Whether a detector's file is whole and of a size that images have, before a library is let
# --- near it.

#: Type of a TIFF value -> struct's letter; others are no sizes or places.
_TYPES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_WIDTH, _LENGTH, _COMPRESSION, _SAMPLES = 256, 257, 259, 277
_BITS, _STRIPS, _STRIP_SIZES, _TILES, _TILE_SIZES = 258, 273, 279, 324, 325
_DEFLATE = (8, 32946)
_EDF_HEADER = 2**16


@contextmanager
def unpack(path: Path, file: str) -> Iterator[Path]:
    """Yield the file, or an unpacked copy if it begins as gzip or bzip2. Raises DataError if it is damaged or
    larger than images are.
    """
    with path.open("rb") as stream:
        opened = opener(stream.read(4))
    if opened is None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="sasnet-") as folder:
        packed_name = path.suffix.lower() in (".gz", ".bz2")
        copy = Path(folder) / (path.stem if packed_name else path.name)
        try:
            with opened(path, "rb") as packed, copy.open("wb") as plain:
                size = 0
                while block := packed.read(2**20):
                    size += plain.write(block)
                    if size > LIMITS.array_bytes:
                        raise too_large(
                            file, f"over {LIMITS.array_bytes / 2**20:.0f} MiB unpacked", "an image"
                        )
        except (OSError, EOFError, zlib.error) as error:
            raise make_truncation_error(file) from error
        yield copy


def check(path: Path, file: str) -> None:
    """Raise DataError if a TIFF or EDF file lacks what its header promises, or claims too many pixels."""
    with path.open("rb") as stream:
        start = stream.read(4)
        if start in (b"II*\0", b"II+\0", b"MM\0*", b"MM\0+"):
            try:
                _check_tiff(stream, path.stat().st_size, "<" if start[:1] == b"I" else ">", file)
            except (struct.error, KeyError, ValueError, OverflowError, zlib.error) as error:
                raise make_truncation_error(file) from error
        elif start[:1] == b"{" or path.suffix.lower() == ".edf":
            _check_edf(start + stream.read(_EDF_HEADER), file)


def _check_tiff(stream: BinaryIO, size: int, order: str, file: str) -> None:
    """Every directory, and every strip or tile of each."""
    stream.seek(2)
    big = struct.unpack(order + "H", stream.read(2))[0] == 43
    place, width = ("Q", 8) if big else ("I", 4)
    stream.seek(width)
    (offset,) = struct.unpack(order + place, stream.read(width))
    visited: set[int] = set()
    while offset:
        if offset in visited or len(visited) >= LIMITS.frames:
            raise make_truncation_error(file)
        visited.add(offset)
        tags, offset = _directory(stream, offset, order, big)
        if not _is_whole(stream, tags, size, file):
            raise make_truncation_error(file)


def _bytes_of(tags: dict[int, list[int]], file: str) -> int:
    rows, columns, samples = tags[_LENGTH][0], tags[_WIDTH][0], tags.get(_SAMPLES, [1])[0]
    if rows * columns * samples > LIMITS.pixels:
        raise too_large(file, f"{rows} x {columns} pixels", "the image of one detector")
    bits = tags.get(_BITS, [1])
    return rows * columns * sum(bits * samples if len(bits) == 1 else bits) // 8


def _lie_within(places: list[int], sizes: list[int], size: int) -> bool:
    return len(places) == len(sizes) and all(p + s <= size for p, s in zip(places, sizes, strict=True))


def _is_whole(stream: BinaryIO, tags: dict[int, list[int]], size: int, file: str) -> bool:
    """Whether all strips or tiles of an image lie in the file, and hold as much as its pixels need."""
    needed = _bytes_of(tags, file)
    tiled, packing = _TILES in tags, tags.get(_COMPRESSION, [1])[0]
    places, sizes = (tags[_TILES], tags[_TILE_SIZES]) if tiled else (tags[_STRIPS], tags[_STRIP_SIZES])
    if not _lie_within(places, sizes, size):
        return False
    if packing == 1:
        return sum(sizes) >= needed
    return tiled or packing not in _DEFLATE or _unpacks_to(stream, places, sizes, needed)


def _unpacks_to(stream: BinaryIO, places: list[int], sizes: list[int], needed: int) -> bool:
    for place, size in zip(places, sizes, strict=True):
        stream.seek(place)
        needed -= _inflate(stream.read(size), needed)
    return needed <= 0


def _inflate(packed: bytes, most: int) -> int:
    """Bytes that a strip holds; it ends with a checksum, which is verified."""
    unpacker = zlib.decompressobj()
    plain = len(unpacker.decompress(packed, most + 1))
    if not unpacker.eof and plain <= most:
        raise ValueError("a strip of the TIFF is incomplete")
    return plain


def _directory(stream: BinaryIO, offset: int, order: str, big: bool) -> tuple[dict[int, list[int]], int]:
    """Whole numbers by tag, and the place of the next directory."""
    count, entry, place, inline = ("Q", "HHQ8s", "Q", 8) if big else ("H", "HHI4s", "I", 4)
    stream.seek(offset)
    (number,) = struct.unpack(order + count, stream.read(struct.calcsize(count)))
    block = stream.read(min(number, 4096) * struct.calcsize("=" + entry))
    (following,) = struct.unpack(order + place, stream.read(inline))
    entries = {}
    for tag, kind, values, data in struct.iter_unpack(order + entry, block):
        if kind not in _TYPES:
            continue
        form = f"{order}{values}{_TYPES[kind]}"
        if values > LIMITS.pixels:
            raise ValueError("a TIFF tag has more values than an image has pixels")
        room = struct.calcsize(form)
        if room > inline:
            stream.seek(struct.unpack(order + place, data)[0])
            data = stream.read(room)
        entries[tag] = list(struct.unpack(form, data[:room]))
    return entries, following


def _check_edf(head: bytes, file: str) -> None:
    """The size that the first header claims; fabio says itself where data are missing."""
    if b"}" not in head or re.search(rb"Size\s{0,9}=\s{0,9}-", head):
        raise make_truncation_error(file)
    if re.search(rb"(?i)compression\s{0,9}=\s{0,9}(?!none)\w", head[: head.index(b"}")]):
        raise DataError(
            f"{file}: its frames are compressed; save them uncompressed, or compress the whole file as .gz."
        )
    pixels = 1
    for digits in re.findall(rb"Dim_\d\s{0,9}=\s{0,9}(\d+)", head[: head.index(b"}")]):
        pixels *= int(digits[:9]) if len(digits) <= 9 else LIMITS.pixels + 1
    if pixels > LIMITS.pixels:
        raise too_large(file, f"{pixels:,} pixels by its header", "the image of one detector")


# --- Turning the picture upright, and telling from the data when it is not.

# Quarter turns, counter-clockwise, that bring the named side of the picture to its top.
TURNS = {"top": 0, "right": 1, "bottom": 2, "left": 3}
_DARK, _ALIKE, _LEAST_PART = 0.1, 0.5, 0.05
_SYMMETRIC, _LOPSIDED = 0.95, 0.5
_UPSIDE_DOWN, _DOUBTFUL = 0.2, 0.8
_ENOUGH = 2000.0


@dataclass(frozen=True)
class Verdict:
    """Whether a picture stands upright."""

    turned: str = ""  #: In what way it is turned, as the end of a sentence; empty where it is not.
    note: str = ""  #: A sentence on what could not be told; empty where all could.


def arrange(values: NDArray[Any], turns: int, *, flip_rows: bool, flip_columns: bool) -> NDArray[Any]:
    """Rotate a picture by `turns` quarter turns counter-clockwise, then reverse its rows and columns."""
    turned = np.rot90(values, turns)
    return turned[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]


def arrange_point(
    point: tuple[float, float], shape: tuple[int, int], turns: int, *, flip_rows: bool, flip_columns: bool
) -> tuple[float, float]:
    """Return where `arrange` takes a (column, row) of the file's picture of `shape`."""
    column, row = point
    rows, columns = shape
    for _ in range(turns):
        column, row = row, columns - 1 - column
        rows, columns = columns, rows
    return (columns - 1 - column if flip_columns else column), (rows - 1 - row if flip_rows else row)


def side_of(direct: tuple[float, float], specular: tuple[float, float]) -> str:
    """The side that the surface normal points to: from the direct to the specular beam."""
    across, down = specular[0] - direct[0], specular[1] - direct[1]
    if abs(across) > abs(down):
        return "right" if across > 0 else "left"
    return "bottom" if down > 0 else "top"


def picture_sides(counts: Floats, mask: BoolArray, phi: Floats, alpha_f: Floats) -> Verdict:
    """Find a picture's orientation from horizon, symmetry in phi, and fall of intensity."""
    # The substrate absorbs below the horizon, patterns are symmetric in phi but not in alpha_f, and intensity
    # falls along alpha_f. Otherwise the picture is on its side or upside down.
    # On 150 simulated patterns of ordered spheres (10⁴ to 10⁸ counts, up to 90 % background) the root of the
    # phi profile correlates with its mirror image by 0.83 or more, that of alpha_f about the direct beam by
    # 0.1 or less; with up to 30 % background the lower half of the rows is at least 1.4 times as bright.
    clipped = np.where(mask, np.minimum(counts, _glare(counts, mask)), 0.0)
    if _too_few(clipped, counts[mask]):
        return Verdict(note="Too few counts to check whether the image is upright.")
    above, right = _ratio(clipped, mask, alpha_f, axis=1), _ratio(clipped, mask, phi, axis=0)
    if _is_upright_horizon(above, right):
        return Verdict(turned="turned by 90 degrees, its horizon is upright")
    across = _symmetry(_profile(clipped, mask, axis=0), phi, 0.0)
    profile = _profile(clipped, mask, axis=1)
    if _is_lopsided(across) and _best_symmetry(profile, alpha_f) > _SYMMETRIC:
        return Verdict(turned="turned by 90 degrees, alike up and down but not left and right")
    falls = _fall(profile, alpha_f)
    if falls < _DOUBTFUL:
        return _upside_down(falls)
    if across is None and not _shows_horizon(above):
        return Verdict(note="The image shows no horizon, so a rotation by 90 degrees cannot be detected.")
    return Verdict()


def _upside_down(falls: float) -> Verdict:
    if falls < _UPSIDE_DOWN:
        return Verdict(turned="upside down, brighter far from the horizon than close to it")
    return Verdict(note="The image is brighter at large alpha_f than at small; is it upside down?")


def _glare(counts: Floats, mask: BoolArray) -> float:
    """A level that a direct or specular beam does not raise: the 99th percentile of what is not empty."""
    lit = counts[mask & (counts > 0)]
    return float(np.percentile(lit, 99.0)) if lit.size else 0.0


def _ratio(clipped: Floats, mask: BoolArray, angle: Floats, *, axis: int) -> float | None:
    """Mean where an angle is positive over the mean where it is negative; None with too little of either."""
    if min(np.count_nonzero(angle > 0), np.count_nonzero(angle < 0)) < max(3, _LEAST_PART * angle.size):
        return None
    means = []
    for side in (angle > 0, angle < 0):
        part = mask & (side[:, None] if axis == 1 else side[None, :])
        if not np.any(part):
            return None
        means.append(float(clipped[part].mean()))
    return means[0] / means[1] if means[1] > 0 else float("inf")


def _profile(clipped: Floats, mask: BoolArray, *, axis: int) -> Floats:
    """Mean over the pixels of each column (axis 0) or row (axis 1) that count; NaN where none does."""
    number = mask.sum(axis=axis)
    total = clipped.sum(axis=axis)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _fall(profile: Floats, alpha_f: Floats) -> float:
    """Mean of the lower half of the rows above the horizon over that of the upper half."""
    rows = profile[(alpha_f > 0) & np.isfinite(profile)]
    upper = float(rows[rows.size // 2 :].mean()) if rows.size > 1 else 0.0
    return float(rows[: rows.size // 2].mean()) / upper if upper > 0 else float("inf")


def _best_symmetry(profile: Floats, angle: Floats) -> float:
    """Largest `_symmetry` about any centre within the middle half, in steps of half a row."""
    quarter = angle.size // 4
    centres = np.linspace(angle[quarter], angle[-1 - quarter], 2 * (angle.size - 2 * quarter) - 1)
    return max((_symmetry(profile, angle, float(centre)) or -1.0 for centre in centres), default=-1.0)


def _symmetry(profile: Floats, angle: Floats, centre: float) -> float | None:
    """Correlation of a profile's square root with its mirror image about the centre."""
    # None where fewer than half of the angles have a mirror image, or nothing varies.
    inside = np.isfinite(profile)
    if np.count_nonzero(inside) < 8:
        return None
    mirrored = np.interp(2 * centre - angle, angle[inside], profile[inside], left=np.nan, right=np.nan)
    both_inside = inside & np.isfinite(mirrored)
    if np.count_nonzero(both_inside) < angle.size / 2:
        return None
    own_side, mirror_side = np.sqrt(profile[both_inside]), np.sqrt(mirrored[both_inside])
    own_side, mirror_side = own_side - own_side.mean(), mirror_side - mirror_side.mean()
    size = float(np.sqrt(own_side @ own_side) * np.sqrt(mirror_side @ mirror_side))
    return float(own_side @ mirror_side) / size if size > 0 else None


def _too_few(clipped: Floats, measured: Floats) -> bool:
    return bool(clipped.sum() < _ENOUGH and np.all(measured == np.round(measured)))


def _is_upright_horizon(above: float | None, right: float | None) -> bool:
    """Whether the halves above and below are alike, and one of left and right is dark."""
    level = above is not None and _ALIKE < above < 1 / _ALIKE
    return level and right is not None and not _DARK < right < 1 / _DARK


def _is_lopsided(across: float | None) -> bool:
    return across is not None and across < _LOPSIDED


def _shows_horizon(above: float | None) -> bool:
    return above is not None and above >= 1 / _DARK


# --- What BornAgain and scripts around it write: ``.int``, tables of numbers, numpy's ``.npy`` and
# --- ``.npz``.

_EQUIDISTANT = 0.01
"""Largest deviation of an axis from equal steps, in steps."""
_LONGEST = 100_000
"""Rows or columns beyond which an axis is a damaged one."""
_LINE = 2**21
"""Characters of a line: `_LONGEST` numbers of counts."""
_ARRAY_NAMES = ("counts", "intensity", "image", "data", "arr_0")


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
            section = _array_section(stripped.lstrip("# ").strip(), axes, file)
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


def _array_section(words: str, axes: list[tuple[str, list[float]]], file: str) -> str:
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
    usual = list(filter(arrays.__contains__, _ARRAY_NAMES))
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


# --- Detectors' own files: TIFF, EDF, SMV, MarCCD and others by fabio, CBF, and what headers say of
# --- geometry.

_DAMAGE = ("incomplete", "checksum")


def read_detector_file(path: Path, file: str) -> Iterator[RawFrame]:
    """Read frames of a TIFF, CBF or EDF file. Raises DataError without fabio, or for a damaged file."""
    try:
        import fabio
    except ImportError as error:
        raise DataError(
            f"{file}: detector images need fabio, which is not installed; run {describe_install('images')}"
        ) from error
    with unpack(path, file) as plain:
        check(plain, file)
        with plain.open("rb") as stream:
            start = stream.read(HEADER)
        image = _first(fabio, plain, file)
        try:
            yield from _frames_of(image, start, file)
        finally:
            image.close()


def _frames_of(image: Any, start: bytes, file: str) -> Iterator[RawFrame]:
    if image.nframes > LIMITS.frames:
        raise make_truncation_error(file)
    for number in range(image.nframes):
        frame = image if number == 0 else _next(image, number, file)
        values = np.asarray(frame.data)
        if values.ndim != 2:
            raise not_an_image(file, values.shape)
        entry = f"frame {number + 1}" if image.nframes > 1 else ""
        header = marccd(start, (values.shape[0], values.shape[1])) or saxslab(start)
        yield RawFrame(values=values, entry=entry, geometry=header or _geometry(image, frame))


def _first(fabio: Any, path: Path, file: str) -> Any:
    image, entire, problem = None, False, ""
    # fabio answers damage with an AssertionError here, an AttributeError there, or a line in its log, and
    # leaves the file open.
    with _capture_log() as log_lines:
        try:
            image = fabio.open(str(path))
            entire = image.data is not None  # an EDF is read only now
        except Exception as error:
            entire, problem = False, f"{type(error).__name__}: {error}"
    if entire and not _is_damaged(log_lines):
        return image
    if image is not None:
        image.close()
    if "identify" in problem or not has_known_suffix(path):
        raise DataError(f"{file}: this image format is unknown; give TIFF, CBF, EDF or HDF5.")
    raise make_truncation_error(file)


def _next(image: Any, number: int, file: str) -> Any:
    with _capture_log() as log_lines:
        try:
            frame = image.getframe(number)
        except Exception as error:
            raise make_truncation_error(file) from error
        if frame.data is None or _is_damaged(log_lines):
            raise make_truncation_error(file)
    return frame


def _is_damaged(log_lines: list[str]) -> bool:
    return any(word in line.lower() for line in log_lines for word in _DAMAGE)


@contextmanager
def _capture_log() -> Iterator[list[str]]:
    """What fabio logs meanwhile; it and the warnings of its libraries are kept off the user's screen."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger, handler = logging.getLogger("fabio"), Keep()
    propagate = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield lines
    finally:
        logger.propagate = propagate
        logger.removeHandler(handler)


def _geometry(image: Any, frame: Any) -> ImageSettings:
    keys = getattr(frame, "header", None) or image.header
    if type(image).__name__ == "EdfImage":
        return edf(keys)
    if "HEADER_BYTES" in keys:
        return smv(keys)
    text = keys.get("_array_data.header_contents") or keys.get("imageDescription")
    # fabio splits the lines of some TIFF headers into keys and values.
    return dectris(str(text) if text else "\n".join(f"{key} {value}" for key, value in keys.items()))


_SECTION, _START = b"--CIF-BINARY-FORMAT-SECTION--", b"\x0c\x1a\x04\xd5"
_CBF_TYPES = {
    "signed 8-bit integer": "int8",
    "unsigned 8-bit integer": "uint8",
    "signed 16-bit integer": "int16",
    "unsigned 16-bit integer": "uint16",
    "signed 32-bit integer": "int32",
    "unsigned 32-bit integer": "uint32",
}


def read_cbf(path: Path, file: str) -> RawFrame:
    """Read a CBF file (imgCIF, byte-offset compression; H. J. Bernstein, A. P. Hammersley, 2005). Raises
    DataError without fabio, for another compression, or a damaged file.
    """
    try:
        from fabio.compression import decByteOffset
    except ImportError as error:
        raise DataError(
            f"{file}: CBF images need fabio, which is not installed; run {describe_install('images')}"
        ) from error
    data = content(path, file, expectation="an image", most=LIMITS.array_bytes)
    begin = data.find(_SECTION)
    start = data.find(_START, begin)
    if begin < 0 or start < 0:
        raise make_truncation_error(file)
    section = _section(data[begin : min(start, begin + HEADER)].decode("latin-1"))
    if "byte_offset" not in section.get("conversions", "").lower():
        raise DataError(f"{file}: its compression is not CBF_BYTE_OFFSET; save it as the detector writes it.")
    try:
        size, rows, columns = (
            int(section[key])
            for key in ("x-binary-size", "x-binary-size-second-dimension", "x-binary-size-fastest-dimension")
        )
        packed = data[start + len(_START) :][:size]
        if len(packed) != size or not 0 < rows * columns <= LIMITS.pixels or not _intact(packed, section):
            raise make_truncation_error(file)
        values: Any = decByteOffset(packed, size=rows * columns, dtype="int64")
    except DataError:
        raise
    except Exception as error:  # fabio's C code raises what it likes
        raise make_truncation_error(file) from error
    if len(values) != rows * columns:
        raise make_truncation_error(file)
    kind = _CBF_TYPES.get(section.get("x-binary-element-type", ""), "int32")
    text = data[: min(begin, HEADER)].decode("latin-1")
    return RawFrame(np.asarray(values).reshape(rows, columns).astype(kind), geometry=dectris(text))


def _section(text: str) -> dict[str, str]:
    """Names (lower case) and values of the lines above the binary data."""
    pairs = re.findall(
        r"^[ \t]*([\w-]{1,99})[ \t]{0,99}[:=][ \t]{0,99}\"?([^\";\r\n]*)", text, flags=re.MULTILINE
    )
    return {name.lower(): value.strip() for name, value in pairs}


def _intact(packed: bytes, section: dict[str, str]) -> bool:
    digest = section.get("content-md5")
    if not digest:
        return True
    return b64encode(hashlib.md5(packed, usedforsecurity=False).digest()).decode() == digest


# --- Which reader a file needs, by its first bytes; its frames one after the other.


def frames(path: Path, file: str, dataset: str | None = None) -> Generator[RawFrame, None, None]:
    """Read frames of an image file; `dataset` is a path in HDF5. Raises DataError if unreadable."""
    start = content(path, file, expectation="a detector image", size=START)
    if opener(start) is not None:
        with unpack(path, file) as plain:
            yield from frames(plain, file, dataset)
    elif start.startswith(HDF5):
        yield from nexus.read(path, file, dataset)
    elif start.startswith(NUMPY):
        yield from read_numpy(path, file)
    elif start.startswith(CBF):
        yield read_cbf(path, file)
    elif is_detector_file(path, start):
        yield from read_detector_file(path, file)
    elif _is_text(start):
        yield read_text(path, file)
    elif picture := next((name for mark, name in PICTURES if start.startswith(mark)), None):
        raise no_measurement(file, picture)
    else:
        yield from read_detector_file(path, file)


def may_hold_images(path: Path) -> bool:
    """Whether a file is one of images' formats, or HDF5 with images in it or in files that it links to."""
    try:
        start = beginning(path, str(path), START)
    except DataError:
        return False
    if start.startswith(HDF5):
        return nexus.holds_images(path)
    return is_image(path)


def _is_text(start: bytes) -> bool:
    return all(byte >= 32 or byte in b"\t\r\n" for byte in start)


# --- Counts from one grid of angles to another: every pixel shared out by area, nothing gained or
# --- lost.


@dataclass(frozen=True)
class Rebinned:
    """An image on another grid."""

    #: Counts gathered from the pixels that count; its mask is True where any of a cell is covered.
    image: Image
    coverage: Floats  #: (rows, columns), share of each cell's area that pixels that count cover, 0..1.


def edges_of(centres: Floats) -> Floats:
    """Edges of cells from their (n,) ascending centres: half-way between, and as far beyond both ends."""
    if centres.size < 2:
        raise ValueError("a grid needs at least two cells")
    middle = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def overlap(old: Floats, new: Floats) -> Floats:
    """Return shares (m, n) of each old cell in each new one, from ascending edges (n + 1,) and (m + 1,);
    columns sum to 1 within the new range.
    """
    low = np.maximum(new[:-1, None], old[None, :-1])
    high = np.minimum(new[1:, None], old[None, 1:])
    return np.clip(high - low, 0.0, None) / np.diff(old)[None, :]


def rebin(image: Image, phi_edges: Floats, alpha_f_edges: Floats) -> Rebinned:
    """Counts of an image gathered into the cells of another grid, area by area.

    Parameters
    ----------
    phi_edges : (columns + 1,) float array
        Degrees, ascending.
    alpha_f_edges : (rows + 1,) float array
        Degrees, ascending.

    Returns
    -------
    Rebinned
        Its counts sum to the image's counts, as far as its pixels count and lie within the new range.
    """
    from scipy import sparse

    phi_old, alpha_old = edges_of(image.geometry.phi), edges_of(image.geometry.alpha_f)
    across = sparse.csr_array(overlap(phi_old, phi_edges))
    along = sparse.csr_array(overlap(alpha_old, alpha_f_edges))
    counts = np.where(image.mask, image.counts, 0.0)
    gathered = along @ (across @ counts.T).T
    area = np.outer(np.diff(alpha_old), np.diff(phi_old)) * image.mask
    covered = along @ (across @ area.T).T
    coverage = np.clip(covered / np.outer(np.diff(alpha_f_edges), np.diff(phi_edges)), 0.0, 1.0)
    return Rebinned(
        image=replace(
            image,
            counts=gathered,
            mask=coverage > 0,
            geometry=replace(
                image.geometry,
                phi=(phi_edges[1:] + phi_edges[:-1]) / 2,
                alpha_f=(alpha_f_edges[1:] + alpha_f_edges[:-1]) / 2,
            ),
        ),
        coverage=coverage,
    )


def to_window(
    image: Image,
    *,
    phi: tuple[float, float],
    alpha_f: tuple[float, float],
    shape: tuple[int, int],
    least_coverage: float = 0.5,
) -> Image:
    """An image on the window of a network, whatever its detector.

    A cell that masked pixels cover in part is scaled up to what it would have counted; one of which less
    than ``least_coverage`` was measured is masked and has no counts.

    Parameters
    ----------
    phi, alpha_f : (float, float)
        Edges of the window, degrees.
    least_coverage : float
        0..1.

    Raises
    ------
    DataError
        The image has nothing within the window, or its pixels are coarser than twice the window's.
    """
    name, old = image.file or "the image", image.geometry
    columns, rows = np.linspace(*phi, shape[1] + 1), np.linspace(*alpha_f, shape[0] + 1)
    rebinned = rebin(image, columns, rows)
    whole = rebinned.coverage >= least_coverage
    if not np.any(whole):
        raise DataError(
            f"{name}: it covers phi {_span(old.phi)} and alpha_f {_span(old.alpha_f)} degrees, which is"
            f" outside the analysed range phi {_span(columns)}, alpha_f {_span(rows)}; check the geometry."
        )
    for axis, angles, new in (("phi", old.phi, columns), ("alpha_f", old.alpha_f, rows)):
        pitch, target_step = float(np.median(np.diff(angles))), float(new[1] - new[0])
        if pitch > 2 * target_step:
            raise DataError(
                f"{name}: its pixels are {pitch:.3g} degrees apart in {axis}, but the network needs"
                f" {target_step:.3g}; measure or export the image with a finer grid."
            )
    counts = np.where(whole, rebinned.image.counts / np.where(whole, rebinned.coverage, 1.0), 0.0)
    share = float(np.mean(whole))
    notes = image.notes
    if share < 1.0:
        notes = (*notes, f"{100 * share:.0f} % of the angular range that the network needs was measured.")
    return replace(rebinned.image, counts=counts, mask=whole, notes=notes)


def _span(values: Floats) -> str:
    return f"{values[0]:.2f} to {values[-1]:.2f}"


def scatter(
    counts: Floats,
    good: NDArray[np.bool_],
    boxes: tuple[Floats, Floats, Floats, Floats],
    phi_edges: Floats,
    alpha_f_edges: Floats,
) -> tuple[Floats, Floats]:
    """Share counts of pixels anywhere out over an even grid (m, n) by area; `boxes` are lowest and highest
    phi, lowest and highest alpha_f, degrees. Also returns the share of each cell covered by usable pixels.
    """
    size = (alpha_f_edges.size - 1, phi_edges.size - 1)
    parts = [_steps(boxes[0], boxes[1], phi_edges), _steps(boxes[2], boxes[3], alpha_f_edges)]
    cell = (phi_edges[1] - phi_edges[0]) * (alpha_f_edges[1] - alpha_f_edges[0])
    area = (boxes[1] - boxes[0]) * (boxes[3] - boxes[2]) / cell
    total, coverage = np.zeros(size[0] * size[1]), np.zeros(size[0] * size[1])
    for column, across in parts[0]:
        for row, along in parts[1]:
            shared = across * along
            hit = good & (shared > 0) & (column >= 0) & (column < size[1]) & (row >= 0) & (row < size[0])
            index = row[hit] * size[1] + column[hit]
            total += np.bincount(index, weights=(counts * shared)[hit], minlength=total.size)
            coverage += np.bincount(index, weights=(area * shared)[hit], minlength=total.size)
    return total.reshape(size), coverage.reshape(size)


def _steps(low: Floats, high: Floats, edges: Floats) -> list[tuple[NDArray[np.intp], Floats]]:
    """List for each cell that a pixel may touch its index and the pixel's share."""
    step = edges[1] - edges[0]
    start = np.floor((low - edges[0]) / step).astype(np.intp)
    reach = int(np.max(np.floor((high - edges[0]) / step).astype(np.intp) - start)) + 1
    steps = []
    for k in range(reach):
        cell_low = edges[0] + (start + k) * step
        inside = np.minimum(high, cell_low + step) - np.maximum(low, cell_low)
        steps.append((start + k, np.clip(inside, 0.0, None) / (high - low)))
    return steps


# --- From a flat detector's pixels to exit angles: where the beams meet it, and which axes an image
# --- has.

T = TypeVar("T")


def exit_angles(
    y: ArrayLike, z: ArrayLike, *, distance: float, alpha_i: float, perpendicular_to: str = "beam"
) -> tuple[Floats, Floats]:
    """Return exit angles phi and alpha_f, degrees, at points (y, z) of a flat detector from the direct beam,
    mm, z along the surface normal; the direct beam is at phi 0, alpha_f = -alpha_i. `distance` L to the
    detector plane in mm, alpha_i in degrees; the detector is perpendicular to the ``beam`` or the ``sample``.
    """
    # k_f ∝ (cos α_f cos φ, cos α_f sin φ, sin α_f) with x along the surface in the plane of incidence and z
    # along its normal (G. Renaud, R. Lazzari, F. Leroy, Surf. Sci. Rep. 64 (2009) 255, eq. 1; BornAgain: G.
    # Pospelov et al., J. Appl. Cryst. 53 (2020) 262). Perpendicular to the beam, k = (L cos α_i + z sin α_i,
    # y, z cos α_i − L sin α_i); perpendicular to the sample, k = (L, y, z − L tan α_i). Then φ =
    # arctan(k_y/k_x), α_f = arctan(k_z/√(k_x² + k_y²)).
    y, z = np.broadcast_arrays(np.asarray(y, dtype=np.float64), np.asarray(z, dtype=np.float64))
    incidence = np.radians(alpha_i)
    if perpendicular_to == "sample":
        forward = np.full(y.shape, float(distance))
        upward = z - distance * np.tan(incidence)
    else:
        forward = distance * np.cos(incidence) + z * np.sin(incidence)
        upward = z * np.cos(incidence) - distance * np.sin(incidence)
    phi = np.degrees(np.arctan2(y, forward))
    alpha_f = np.degrees(np.arctan2(upward, np.hypot(forward, y)))
    return phi, alpha_f


def incidence_from_beams(height: float, *, distance: float, perpendicular_to: str = "beam") -> float:
    r"""Return the angle of incidence, degrees, from the height of the specular over the direct beam, mm: L
    tan 2α_i on a detector perpendicular to the ``beam``, 2L tan α_i to the ``sample``.
    """
    if perpendicular_to == "sample":
        return float(np.degrees(np.arctan2(height, 2.0 * distance)))
    return float(np.degrees(np.arctan2(height, distance))) / 2.0


def specular_height(alpha_i: float, *, distance: float, perpendicular_to: str = "beam") -> float:
    """Height of the specular over the direct beam, mm: the inverse of `incidence_from_beams`."""
    angle = np.radians(alpha_i)
    if perpendicular_to == "sample":
        return float(2.0 * distance * np.tan(angle))
    return float(distance * np.tan(2.0 * angle))


_STRAIGHT = 0.5, 0.01
"""Pixels, or degrees, by which exit angles may depart from rows and columns before pixels are resampled."""
_FULL = 0.95
"""Coverage from which on a resampled pixel counts; boxes stand for slightly turned pixels."""
_TILT_NOTED = 1.0
_NAMES = {
    "wavelength": "wavelength (Å)",
    "alpha_i": "alpha_i (degrees)",
    "distance": "distance (mm)",
    "pixel_size": "pixel_size (mm)",
    "direct_beam": "direct_beam [column, row]",
}


@dataclass(frozen=True)
class Placement:
    """How pictures of one shape and geometry become images over exit angles."""

    geometry: GrazingIncidence  #: Of the pixels of the image.
    turns: int  #: Quarter turns counter-clockwise that bring the surface normal up.
    #: flip_rows, flip_columns: what is reversed after turning.
    flip_rows: bool
    flip_columns: bool
    #: Lowest and highest phi and alpha_f of every turned pixel, where they are resampled.
    boxes: tuple[Floats, Floats, Floats, Floats] | None = None
    notes: tuple[str, ...] = ()

    def apply(self, counts: Floats, good: BoolArray) -> tuple[Floats, BoolArray]:
        """Counts and mask of a picture of the file, (rows, columns) as its geometry has them."""
        counts, good = self._arrange(counts), self._arrange(good)
        if self.boxes is None:
            return counts, good
        edges = [_even_edges(self.geometry.phi), _even_edges(self.geometry.alpha_f)]
        gathered, coverage = scatter(np.where(good, counts, 0.0), good, self.boxes, edges[0], edges[1])
        return gathered, coverage >= _FULL

    def _arrange(self, values: NDArray[Any]) -> NDArray[Any]:
        return arrange(values, self.turns, flip_rows=self.flip_rows, flip_columns=self.flip_columns)


def place(shape: tuple[int, int], settings: ImageSettings, file: str) -> Placement:
    """Return exit angles of the pixels. Raises DataError if a setting is missing, contradictory, in a wrong
    unit, or puts the picture below the horizon.
    """
    check_units(settings, file)
    placement = _place_by_angles(shape, settings, file) or _place_by_detector(shape, settings, file)
    if placement.geometry.alpha_f[-1] <= 0:
        raise DataError(
            f"{file}: the whole image lies below the sample's horizon (alpha_f up to"
            f" {placement.geometry.alpha_f[-1]:.3g} degrees); correct direct_beam, alpha_f or up."
        )
    return placement


def _place_by_angles(shape: tuple[int, int], settings: ImageSettings, file: str) -> Placement | None:
    if settings.phi is None or settings.alpha_f is None:
        return None
    if settings.wavelength is None or settings.alpha_i is None:
        raise _missing(_unknown(settings, "wavelength", "alpha_i"), file)
    turns = TURNS[settings.up or "top"]
    rows, columns = _turn_pair(shape, turns)
    phi, alpha_f = np.linspace(*settings.phi, columns), np.linspace(*settings.alpha_f, rows)
    return Placement(
        GrazingIncidence(np.sort(phi), np.sort(alpha_f), settings.wavelength, settings.alpha_i),
        turns=turns,
        flip_rows=bool(alpha_f[0] > alpha_f[-1]),
        flip_columns=bool(phi[0] > phi[-1]),
    )


def _place_by_detector(shape: tuple[int, int], settings: ImageSettings, file: str) -> Placement:
    if missing := _not_given(settings):
        raise _missing(missing, file)
    direct, specular = settings.direct_beam, settings.specular_beam
    wavelength, distance, pixel_size = settings.wavelength, settings.distance, settings.pixel_size
    assert wavelength is not None
    assert distance is not None
    assert pixel_size is not None
    up, notes = _find_up(settings, file)
    turns, mirror = TURNS[up], bool(settings.mirror)
    (width, height), (rows, columns) = _turn_pair(pixel_size, turns), _turn_pair(shape, turns)
    to = settings.perpendicular_to or "beam"

    def turn_point(point: tuple[float, float]) -> tuple[float, float]:
        return arrange_point(point, shape, turns, flip_rows=True, flip_columns=mirror)

    alpha_i = settings.alpha_i
    if direct is not None and specular is not None:
        apart = (turn_point(specular)[1] - turn_point(direct)[1]) * height
        measured_angle = incidence_from_beams(apart, distance=distance, perpendicular_to=to)
        alpha_i = _incidence(measured_angle, alpha_i, file, notes)
    assert alpha_i is not None
    below = specular_height(alpha_i, distance=distance, perpendicular_to=to) / height
    column, row = turn_point(direct or specular or (0.0, 0.0))
    row -= 0.0 if direct else below
    y, z = (np.arange(columns) - column) * width, (np.arange(rows) - row) * height
    phi, alpha_f = exit_angles(
        y[None, :], z[:, None], alpha_i=alpha_i, distance=distance, perpendicular_to=to
    )
    phi_axis, alpha_axis, boxes = _grid(phi, alpha_f, column)
    if boxes is not None:
        notes.append("The detector's pixels were resampled to exit angles; counts were divided by area.")
    return Placement(
        GrazingIncidence(phi_axis, alpha_axis, wavelength, alpha_i),
        turns,
        True,
        mirror,
        boxes=boxes,
        notes=tuple(notes),
    )


def _not_given(settings: ImageSettings) -> list[str]:
    missing = _unknown(settings, "wavelength", "distance", "pixel_size")
    unknown = _unknown(settings, "direct_beam", "specular_beam", "alpha_i")
    # Two of the three tell the third.
    if "direct_beam" in unknown and unknown[1:]:
        missing.append("direct_beam")
    if "alpha_i" in unknown and unknown[1:]:
        missing.insert(1, "alpha_i")
    return missing


def _unknown(settings: ImageSettings, *names: str) -> list[str]:
    return [name for name in names if getattr(settings, name) is None]


def _turn_pair(pair: tuple[T, T], turns: int) -> tuple[T, T]:
    """What belongs to a picture's two sides, after so many quarter turns."""
    return pair if turns % 2 == 0 else (pair[1], pair[0])


def _incidence(measured_angle: float, given_angle: float | None, file: str, notes: list[str]) -> float:
    """Find the angle of incidence, degrees: the given one, else from both beams, with a note."""
    if given_angle is None:
        check_units(ImageSettings(alpha_i=measured_angle), file)
        notes.append(f"alpha_i = {measured_angle:.4g} degrees follows from the two beams on the detector.")
        return measured_angle
    if abs(measured_angle - given_angle) > max(0.02, 0.1 * given_angle):
        notes.append(
            f"The two beams on the detector give alpha_i = {measured_angle:.3g} degrees; {given_angle:g} was"
            " used."
        )
    return given_angle


def _find_up(settings: ImageSettings, file: str) -> tuple[str, list[str]]:
    """The side that the surface normal points to, and what is to be said about it."""
    direct, specular = settings.direct_beam, settings.specular_beam
    if direct is None or specular is None:
        return settings.up or "top", []
    side = side_of(direct, specular)
    if settings.up not in (None, side):
        raise DataError(
            f"{file}: the specular beam is on the {side} side of the direct beam, but up is {settings.up!r};"
            " correct one of them."
        )
    across, down = abs(specular[0] - direct[0]), abs(specular[1] - direct[1])
    tilt = math.degrees(math.atan2(min(across, down), max(across, down)))
    if tilt < _TILT_NOTED:
        return side, []
    return side, [f"The sample is tilted by {tilt:.1f} degrees about the beam; this is not corrected."]


def _grid(
    phi: Floats, alpha_f: Floats, column: float
) -> tuple[Floats, Floats, tuple[Floats, Floats, Floats, Floats] | None]:
    """Axes of rows and columns: the exact angles along the horizon and above the direct beam."""
    # Where a pixel's own angles depart from them too far, even axes over all of the picture, and the pixels'
    # boxes.
    rows, columns = phi.shape
    across = phi[int(np.argmin(np.abs(alpha_f[:, columns // 2]))), :]
    along = alpha_f[:, int(np.clip(round(column), 0, columns - 1))]
    steps = float(np.median(np.diff(across))), float(np.median(np.diff(along)))
    off = np.abs(phi - across).max(), np.abs(alpha_f - along[:, None]).max()
    if all(o <= max(_STRAIGHT[0] * step, _STRAIGHT[1]) for o, step in zip(off, steps, strict=True)):
        return across, along, None
    wide: Floats = np.gradient(phi, axis=1) / 2
    high: Floats = np.gradient(alpha_f, axis=0) / 2
    boxes = phi - wide, phi + wide, alpha_f - high, alpha_f + high
    axes: list[Floats] = []
    for start, end, step in ((boxes[0], boxes[1], steps[0]), (boxes[2], boxes[3], steps[1])):
        first, number = float(start.min()), int(np.ceil((end.max() - start.min()) / step))
        axes.append(np.asarray(first + step * (np.arange(number) + 0.5), dtype=np.float64))
    return axes[0], axes[1], (boxes[0], boxes[1], boxes[2], boxes[3])


def _even_edges(centres: Floats) -> Floats:
    step = (centres[-1] - centres[0]) / (centres.size - 1)
    return centres[0] + step * (np.arange(centres.size + 1) - 0.5)


def _missing(names: list[str], file: str) -> DataError:
    toml = file.rpartition(".")[0] + ".toml"
    listed = ", ".join(_NAMES[name] for name in names)
    or_angles = ""
    if not {"distance", "pixel_size", "direct_beam"}.isdisjoint(names):
        or_angles = " (or phi and alpha_f, [first, last] in degrees, for the detector's part)"
    return DataError(f"{file}: its geometry lacks {listed}; give it in {toml} next to the image{or_angles}.")


# --- Which pixels count: gaps of the detector, saturation, hot pixels, shadows, what the user
# --- leaves out.

# Modules (columns, rows), gaps (columns, rows); DECTRIS' technical specifications of the detectors.
_FAMILIES = {
    "Pilatus": ((487, 195), (7, 17)),
    "Eiger": ((1030, 514), (10, 37)),
    "Eiger2": ((1028, 512), (12, 38)),
}
_HOT_FACTOR, _HOT_OFFSET = 10.0, 25.0
_SHADOW_RATE, _SHADOW_SIZE = 5.0, 9
_AROUND, _BESIDE = np.ones((3, 3), dtype=int), np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]])
_SATURATED_SHARE = 0.01
_PLATEAU_SHARE, _PLATEAU_LEVEL = 1e-3, 1000.0
_SIXTEEN_BITS = 65535.0
#: Share of a detector's gaps that holds counts from which on they are none: filled in, or of another
#: detector.
_COUNTING = 0.05
#: Share of values below zero, by all amounts, from which on an image holds no counts; a quarter of it of
#: either value of a mask.
_SIGNED = 0.2
#: Counts that a line without any must be expected to have; lines next to each other that a gap has at most.
_SURELY_LIT, _WIDEST_GAP = 20.0, 64
#: Share of lines that are dead at most: where more have no count, little was there to be counted.
_MOST_DEAD = 0.25


def find_marked_bad(values: NDArray[Any], *, subtracted: bool = False) -> BoolArray:
    """Find pixels marked in the file: negative, NaN, or the largest 32-bit number."""
    # In `subtracted` images only -1 and -2 count, and only if there are no other negatives.
    # Dectris writes -1 in gaps and -2 in bad pixels (Pilatus), or the largest number (Eiger), maybe
    # converted. The largest number of 8 or 16 bits may be a count: see `integer_limit`.
    if values.dtype.kind == "b":
        return np.zeros(values.shape, dtype=bool)
    is_bad = np.asarray(~np.isfinite(values))
    if values.dtype.itemsize >= 4:
        # Single precision has no nearer number than 2³².
        is_bad |= values >= 2.0**32 - 1
    negative = np.asarray(values < 0)
    if subtracted and np.any(negative) and not np.all(np.isin(values[negative & ~is_bad], (-1, -2))):
        return np.asarray(is_bad)
    return np.asarray(is_bad | negative)


def integer_limit(values: NDArray[Any]) -> float | None:
    """The largest number that 8 or 16 bits hold, where the file has no higher ones; else None."""
    # Gaps of detectors that count in 16 bits are marked by it; others have that many counts or more there.
    if values.dtype.kind in "iu" and values.dtype.itemsize < 4:
        return float(np.iinfo(values.dtype).max)
    if values.dtype.kind in "iuf" and values.size:
        marks = find_marked_bad(values)
        if float(values[~marks].max(initial=0)) == _SIXTEEN_BITS:
            return _SIXTEEN_BITS
    return None


def find_unmeasured(
    values: NDArray[Any], bad: BoolArray | None, *, subtracted: bool = False, horizon: bool = False
) -> tuple[BoolArray, list[str]]:
    """Find pixels that are no measurement (marked, gaps between modules, whole lines without a count), with
    remarks. With `horizon`, dark lines at the border are kept, as they may be the sample's shadow;
    `subtracted` as in `find_marked_bad`.
    """
    marked = find_marked_bad(values, subtracted=subtracted)
    if bad is not None:
        marked = marked | bad
    gaps, empty, notes = _gaps_left_out(values, marked)
    is_unmeasured, marked = marked | empty, marked & ~gaps
    if np.any(marked):
        notes.append(f"Marked as bad in the file: {share(marked)}.")
    dead = dead_lines(values, ~is_unmeasured, horizon=horizon)
    if np.any(dead):
        notes.append(f"Rows or columns without any count were excluded: {share(dead)}.")
    return is_unmeasured | dead, notes


def check_counts(values: NDArray[Any], name: str) -> None:
    """Raise DataError if values cannot be counts: many negatives, or two values alone, both often."""
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values.ravel()
    below = finite[finite < 0]
    if below.size > _SIGNED * values.size and np.unique(below[:: max(1, below.size // 1000)]).size > 20:
        raise DataError(
            f"{name}: {below.size / values.size:.0%} of its values are negative, so they are not"
            f" counts; give the raw counts of the detector, without subtraction."
        )
    if _two_values(finite):
        raise DataError(f"{name}: it contains only two values, like a mask; give the counts of the detector.")


def _two_values(values: NDArray[Any]) -> bool:
    if not values.size:
        return False
    low, high = (float(np.mean(values == end)) for end in (values.min(), values.max()))
    return low + high == 1.0 and min(low, high) > _SIGNED / 4


def dead_lines(values: NDArray[Any], good: BoolArray, *, horizon: bool = False) -> BoolArray:
    """Find rows and columns without a count between lines with many; `horizon` keeps the border."""
    # A line is dead if its neighbours predict λ >= 20 counts: zero has a chance of e⁻²⁰.
    counts = np.where(good, np.maximum(values, 0), 0)
    dead = np.zeros(good.shape, dtype=bool)
    if counts[good].min(initial=1) > 0:
        return dead
    for axis in (1, 0):
        number, total = good.sum(axis=axis), counts.sum(axis=axis, dtype=np.float64)
        lit = np.flatnonzero((number > 0) & (total > 0))
        dark = np.flatnonzero((number > 0) & (total == 0))
        if dark.size == 0 or dark.size > _MOST_DEAD * number.size:
            continue
        rate = total[lit] / number[lit]
        after = np.searchsorted(lit, dark)
        line_before, behind = after - 1, after
        enclosed = (line_before >= 0) & (behind < lit.size)
        near = np.minimum(rate[np.clip(line_before, 0, lit.size - 1)], rate[np.clip(behind, 0, lit.size - 1)])
        sure = near * number[dark] >= _SURELY_LIT
        apart = lit[np.clip(behind, 0, lit.size - 1)] - lit[np.clip(line_before, 0, lit.size - 1)]
        reach = np.where(
            enclosed, apart - 1, np.where(line_before < 0, lit[0], good.shape[1 - axis] - 1 - lit[-1])
        )
        is_gap = dark[sure & (reach <= _WIDEST_GAP) & (enclosed | (not horizon))]
        dead |= (np.isin(np.arange(good.shape[1 - axis]), is_gap)).reshape(
            (-1, 1) if axis else (1, -1)
        ) & good
    return dead


def _gaps_left_out(values: NDArray[Any], marked: BoolArray) -> tuple[BoolArray, BoolArray, list[str]]:
    """Gaps between modules that are left out, the pixels in them that hold nothing, and what is said."""
    no_pixels = np.zeros(values.shape, dtype=np.bool_)
    gaps, family = module_gaps((values.shape[0], values.shape[1]))
    if gaps is None or not np.any(gaps):
        return no_pixels, no_pixels, []
    limit = integer_limit(values)
    empty = gaps & (marked | (values <= 0) | (values == (np.inf if limit is None else limit)))
    if np.count_nonzero(gaps & ~empty) > _COUNTING * np.count_nonzero(gaps):
        # Zeros among counts are counts, too: without them the rest would be too bright.
        kept_text = f"The gaps between the modules of the {family} detector hold counts and are kept."
        return no_pixels, no_pixels, [kept_text]
    gap_text = f"Gaps between the modules of the {family} detector excluded: {share(empty)}."
    return gaps, empty, [gap_text]


def module_gaps(shape: tuple[int, int]) -> tuple[BoolArray | None, str]:
    """Return gaps between modules of a Dectris detector of this shape (None if there is none), upright or on
    its side, and its family.
    """
    for family, (module, gap) in _FAMILIES.items():
        if (gaps := _gaps_between(shape[::-1], module, gap)) is not None:
            return gaps, family
        if (gaps := _gaps_between(shape, module, gap)) is not None:
            return gaps.T, family
    return None, ""


def _gaps_between(sides: tuple[int, int], module: tuple[int, int], gap: tuple[int, int]) -> BoolArray | None:
    """Gaps of a detector with these columns and rows, (rows, columns); None where modules do not fill it."""
    columns, rows = (_gap_lines(length, module[i], gap[i]) for i, length in enumerate(sides))
    return None if columns is None or rows is None else rows[:, None] | columns[None, :]


def _gap_lines(length: int, module: int, gap: int) -> BoolArray | None:
    number, rest = divmod(length + gap, module + gap)
    if rest or number < 1:
        return None
    return np.asarray(np.arange(length) % (module + gap) >= module)


def check_saturation(counts: Floats, good: BoolArray, limit: float | None, file: str) -> BoolArray:
    """Find pixels at the detector's limit. Raises DataError if more than 1 in 100 are."""
    # Without a stated limit, it is the highest level, above 1000, shared by more than 1 in 1000 pixels (at
    # least 25).
    top = float(counts[good].max(initial=0.0))
    number = max(1, int(np.count_nonzero(good)))
    if limit is None:
        shared = int(np.count_nonzero(counts[good] == top))
        if top < _PLATEAU_LEVEL or shared < max(25, _PLATEAU_SHARE * number):
            return np.zeros_like(good)
        limit = top
    saturated = good & (counts >= limit)
    share = np.count_nonzero(saturated) / number
    if share > _SATURATED_SHARE:
        raise DataError(
            f"{file}: {100 * share:.0f} % of the pixels are saturated at {limit:g} counts;"
            " measure again with an attenuator or a shorter exposure."
        )
    return np.asarray(saturated)


#: Steps to the eight neighbours of a pixel.
_STEPS = [(i, j) for i, j in product((-1, 0, 1), repeat=2) if (i, j) != (0, 0)]


def hot_pixels(counts: Floats, good: BoolArray) -> BoolArray:
    """Find single or paired pixels far above all around, (rows, columns): 10 times the brightest of eight
    neighbours plus 25 counts; of a pair, the second brightest.
    """
    # True peaks are as wide as the beam: a Gaussian of standard deviation σ pixels falls by exp(1/2σ²) to the
    # next, less than 10 for σ > 0.47, and the narrowest rod has pixels above and below.
    padded = np.pad(np.where(good, counts, -np.inf), 1, constant_values=-np.inf)
    rows, columns = counts.shape
    first = np.full(counts.shape, -np.inf)
    second, neighbour_index = first.copy(), np.zeros(counts.shape, dtype=np.int8)
    for number, (i, j) in enumerate(_STEPS):
        neighbour = padded[1 + i : 1 + i + rows, 1 + j : 1 + j + columns]
        second = np.maximum(second, np.minimum(first, neighbour))
        neighbour_index[neighbour > first] = number
        first = np.maximum(first, neighbour)
    surrounded = good & np.isfinite(second)
    hot = surrounded & (counts > _HOT_FACTOR * np.maximum(first, 0.0) + _HOT_OFFSET)
    apart = surrounded & (counts > _HOT_FACTOR * np.maximum(second, 0.0) + _HOT_OFFSET)
    for row, column in zip(*np.nonzero(apart & ~hot), strict=True):
        i, j = _STEPS[neighbour_index[row, column]]
        partner = (row + i, column + j)
        back = _STEPS[neighbour_index[partner]]
        if apart[partner] and back == (-i, -j):
            hot[row, column] = True
    return np.asarray(hot)


def shadows(counts: Floats, good: BoolArray) -> BoolArray:
    """Find connected areas without counts in bright surroundings: a beamstop or a dead module."""
    # An area has at least 9 pixels and a median of at least 5 counts on its rim, on all of it and left and
    # right: at λ >= 5 all are empty with a chance of e⁻⁴⁵. What is dark from side to side is the sample's
    # horizon.
    from scipy import ndimage

    labels, number = ndimage.label(good & (counts == 0))
    dark_areas = np.zeros_like(good)
    if number == 0:
        return dark_areas
    sizes = np.bincount(labels.ravel(), minlength=number + 1)
    boxes = ndimage.find_objects(labels)
    for label in np.nonzero(sizes[1:] >= _SHADOW_SIZE)[0] + 1:
        box = tuple(slice(max(0, s.start - 1), s.stop + 1) for s in boxes[label - 1])
        inside = labels[box] == label
        if all(_bright(counts[box], inside, good[box], reach) for reach in (_AROUND, _BESIDE)):
            dark_areas[box] |= inside
    return dark_areas


def _bright(counts: Floats, inside: BoolArray, good: BoolArray, reach: NDArray[np.int_]) -> bool:
    """Whether the median count of the neighbours within reach is that of lit pixels."""
    from scipy import ndimage

    rim = ndimage.binary_dilation(inside, reach) & ~inside & good
    return bool(np.any(rim) and np.median(counts[rim]) >= _SHADOW_RATE)


def find_excluded(shape: tuple[int, int], settings: ImageSettings) -> BoolArray:
    """Mask the user's rectangles and circle, in the file's columns and rows."""
    row, column = np.ogrid[: shape[0], : shape[1]]
    covered = np.zeros(shape, dtype=bool)
    for c0, r0, c1, r1 in settings.mask:
        across = (column >= min(c0, c1)) & (column <= max(c0, c1))
        covered |= across & (row >= min(r0, r1)) & (row <= max(r0, r1))
    if settings.beamstop is not None:
        c, r, radius = settings.beamstop
        covered |= (column - c) ** 2 + (row - r) ** 2 <= radius**2
    return covered


def share(part: BoolArray) -> str:
    """A number of pixels in words."""
    number = int(np.count_nonzero(part))
    percent = 100.0 * number / math.prod(part.shape)
    plural = "pixel" if number == 1 else "pixels"
    return f"{number} {plural}" + (f" ({percent:.1f} %)" if percent >= 0.1 else "")


def check_mask(good: BoolArray, least: int, file: str) -> BoolArray:
    """Return usable pixels. Raises DataError if there are fewer than `least`."""
    if good.sum() < least:
        raise DataError(f"{file}: only {int(good.sum())} pixels hold values; check the file and its mask.")
    return good


# --- `iter_images`, `load_images`: an image file -> images over exit angles, or one sentence why
# --- not.

_SMALLEST = 8


def iter_images(
    path: str | os.PathLike[str],
    settings: ImageSettings | None = None,
    *,
    failed: Callable[[DataError], None] | None = None,
) -> Iterator[Image]:
    """Read the images of a file one by one; no more than one is held.

    Parameters
    ----------
    path : str or path
        TIFF, CBF, EDF; NeXus or other HDF5; BornAgain's ``.int``, a table of numbers, ``.npy``, ``.npz``.
    settings : ImageSettings or None
        Settings that go before those of the TOML file of the same name, which go before the header's.
    failed : callable or None
        Told of a frame that cannot be used, and the next is read; None raises at the first.

    Raises
    ------
    DataError
        One sentence: the file cannot be read, its geometry is not known or not plausible, or a frame is
        empty, saturated or turned.
    """
    path = Path(path)
    file = str(path)
    settings_read = overlay_settings(settings or ImageSettings(), read_toml(path))
    reader = _Reader(settings_read, file)
    with closing(frames(path, file, settings_read.dataset)) as raw_frames:
        for frame in raw_frames:
            try:
                image = reader.read(frame)
            except DataError as error:
                if failed is None:
                    raise
                failed(error)
                continue
            yield image


def load_images(
    path: str | os.PathLike[str], settings: ImageSettings | None = None, *, entry: int | None = None
) -> tuple[Image, ...]:
    """Read all images of a file, or frame number ``entry`` counted from 1; see `iter_images`.

    Raises
    ------
    DataError
        As `iter_images`, or there is no such frame.
    """
    if entry is None:
        images = tuple(iter_images(path, settings))
        if not images:
            raise DataError(f"{path}: the file holds no image; check how it was written.")
        return images
    path = Path(path)
    settings_read = overlay_settings(settings or ImageSettings(), read_toml(path))
    number = 0
    with closing(frames(path, str(path), settings_read.dataset)) as raw_frames:
        for number, frame in enumerate(raw_frames, start=1):
            if number == entry:
                return (_Reader(settings_read, str(path)).read(frame),)
    raise DataError(f"{path}: there is no frame {entry}; the file holds {number}.")


class _Reader:
    """Turns frames into images; what only depends on their geometry is worked out once."""

    def __init__(self, said: ImageSettings, file: str) -> None:
        self._said = said
        self._file = file
        self._placed: tuple[tuple[int, ...], ImageSettings, Placement] | None = None
        self._outside: BoolArray | None = None

    def read(self, frame: RawFrame) -> Image:
        name = f"{self._file} ({frame.entry})" if frame.entry else self._file
        values = frame.values
        if values.ndim != 2 or min(values.shape) < _SMALLEST:
            raise not_an_image(name, values.shape)
        settings = overlay_settings(self._said, frame.geometry)
        placement = self._placement(values.shape, settings)
        counts = np.asarray(values, dtype=np.float64)
        good, notes = self._good(frame, counts, settings, name)
        counts = np.where(good, counts, 0.0)
        turned, mask = placement.apply(counts, good)
        notes += _upright(turned, mask, placement, settings, name)
        # Below the horizon the sample's own shadow begins as sharply as a beamstop's.
        dark = shadows(turned, mask & (placement.geometry.alpha_f > 0)[:, None])
        if np.any(dark):
            mask = mask & ~dark
            notes.append(f"Excluded, because in the shadow of a beamstop or dead: {share(dark)}.")
        return Image(
            counts=turned,
            mask=mask,
            geometry=placement.geometry,
            file=self._file,
            entry=frame.entry,
            notes=(*frame.notes, *placement.notes, *notes),
        )

    def _placement(self, shape: tuple[int, ...], settings: ImageSettings) -> Placement:
        if self._placed is None or self._placed[:2] != (shape, settings):
            self._placed = (shape, settings, place((shape[0], shape[1]), settings, self._file))
            self._outside = None
        return self._placed[2]

    def _good(
        self, frame: RawFrame, counts: NDArray[np.float64], settings: ImageSettings, name: str
    ) -> tuple[BoolArray, list[str]]:
        """Which pixels count, and what was left out."""
        shape = (counts.shape[0], counts.shape[1])
        if self._outside is None:
            self._outside = find_excluded(shape, settings) | self._mask_file(settings, shape)
        limit = integer_limit(frame.values)
        bad, notes = find_unmeasured(frame.values, frame.bad, horizon=True)
        good = ~(bad | self._outside)
        _check_counts(counts, good, name)
        saturated = check_saturation(counts, good, settings.saturation or limit, name)
        good &= ~saturated
        hot = hot_pixels(counts, good)
        good &= ~hot
        for reason, part in (
            ("Left out by the settings", self._outside),
            ("Saturated and excluded", saturated),
            ("Hot and excluded", hot),
        ):
            if np.any(part):
                notes.append(f"{reason}: {share(part)}.")
        if np.any(counts[good] != np.round(counts[good])):
            notes.append(
                "The values are not whole numbers; their scatter may differ from counting statistics."
            )
        return good, notes

    def _mask_file(self, settings: ImageSettings, shape: tuple[int, int]) -> BoolArray:
        if settings.mask_file is None:
            return np.zeros(shape, dtype=bool)
        with closing(frames(Path(settings.mask_file), settings.mask_file)) as raw_frames:
            first = next(raw_frames, None)
        values = np.zeros(0) if first is None else first.values
        if values.ndim != 2:
            raise not_an_image(settings.mask_file, values.shape)
        if values.shape != shape:
            raise DataError(
                f"{settings.mask_file}: the mask has {values.shape[0]} rows and {values.shape[1]} columns,"
                f" the image {self._file} {shape[0]} and {shape[1]}; give a mask of the same detector."
            )
        return np.asarray(values != 0)


def _upright(
    counts: NDArray[np.float64], mask: BoolArray, placement: Placement, settings: ImageSettings, name: str
) -> list[str]:
    """What is to be said about how the picture stands; who says what is up is believed."""
    verdict = picture_sides(counts, mask, placement.geometry.phi, placement.geometry.alpha_f)
    if verdict.turned and settings.up is None:
        raise DataError(
            f"{name}: the image seems to be {verdict.turned}; set 'up' to the side that the surface normal"
            " points to (left, right or bottom; top if the image is upright)."
        )
    if verdict.turned:
        return [f"The image seems to be {verdict.turned}; it was read with up = {settings.up!r}, as given."]
    return [verdict.note] if verdict.note else []


def _check_counts(counts: NDArray[np.float64], good: BoolArray, name: str) -> None:
    if not np.any(good):
        raise DataError(f"{name}: every pixel is masked; check the mask and the file.")
    if not np.any(counts[good] > 0):
        raise DataError(
            f"{name}: every pixel is zero; check that the shutter was open and the right frame read."
        )


def read(path: str | os.PathLike[str], options: ReadOptions) -> Iterator[Image]:
    """Yield a file's images, or frame number ``entry`` from 1. Raises DataError as `iter_images`, for a unit
    of q, or a wrong entry.
    """
    if options.q_unit is not None:
        raise DataError(f"{path}: an image has no q; {DO_NOT_GIVE_UNIT}.")
    settings = from_options(options.geometry) if options.geometry else None
    entry = options.entry
    if entry is None:
        yield from iter_images(path, settings, failed=options.failed)
        return
    if not entry.isdigit() or int(entry) < 1:
        raise DataError(f"{path}: {entry} is not a frame of the image file; give its number, counted from 1.")
    yield from load_images(path, settings, entry=int(entry))
