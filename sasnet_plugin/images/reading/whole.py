"""Whether a detector's file is whole and of a size that images have, before a library is let near it.

fabio and libtiff fill what is missing with zeros, follow directories that point to themselves, and make room
for whatever a header claims. Tags by number are those of TIFF 6.0 (Adobe, 1992) and BigTIFF.
"""

from __future__ import annotations

import re
import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ...data.failure import too_large
from ...data.limits import LIMITS
from ...types import DataError
from ..recognition import opener
from .raw import make_truncation_error

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
    """Raise DataError if a TIFF or EDF file does not hold what its header promises, or claims more pixels
    than a detector has.
    """
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
    stream.seek(8 if big else 4)
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
    """How many bytes the pixels of an image need, unpacked."""
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
    """Whether strips unpack to as many bytes."""
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
