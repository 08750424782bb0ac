"""What a file is by its first bytes: what can only be an image, and of which kind.

Every file of a command is asked how sure each kind of image is that it holds one; what reads HDF5, images and
settings is imported for those that need it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..data.limits import HDF5, content
from ..data.scope import ISIS_IMAGE
from ..types import DataError

#: Endings of TIFF, CBF and EDF files.
SUFFIXES = (".cbf", ".edf", ".tif", ".tiff")
TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
NUMPY = (b"\x93NUMPY", b"PK\x03\x04")
CBF = b"###CBF"
#: How EDF and SMV begin, and what gzip and bzip2 have packed.
_BRACE = re.compile(rb"\{\s*(?:HEADER_BYTES|EDF_|HeaderID|ByteOrder|[A-Za-z_]+\s*=)")
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bz2"}
_BORNAGAIN = b"# BornAgain Intensity Data"
#: Bytes that are looked at.
START = 64
#: Of text with an image in q: lines that may stand before the numbers; the first word of SINQ's.
HEAD, SINQ = 60, "FORMATVERSION"
#: FEWEST_ROWS, MOST_ROWS: rows of numbers by which pixels are told from the points of a curve.
FEWEST_ROWS, MOST_ROWS = 12, 400
UNEVEN = 0.05
"""Part of a pixel by which steps in q differ, as q is not quite proportional to the pixel's place."""


def is_image(path: Path) -> bool:
    """Whether a file can only be an image: its first bytes are TIFF's, CBF's, EDF's, numpy's, BornAgain's."""
    # HDF5 and plain tables are not assessed here; they may hold curves.
    try:
        start = beginning(path, str(path), START)
    except DataError:
        return False
    return start.startswith((*NUMPY, _BORNAGAIN)) or is_detector_file(path, start)


def is_text_image(start: bytes) -> bool:
    """Whether a file that begins so is text with an image in q: with a column of q for each direction."""
    if b"\0" in start:
        return False
    lines = start.decode("utf-8", "replace").splitlines()[:HEAD]
    if next(iter(lines), "").startswith(SINQ):
        return any(line.startswith("SIZE_X") for line in lines)
    if ISIS_IMAGE.match("\n".join(lines)):
        return True
    # Named columns, or the bare "ASCII data" that NIST's software writes.
    names_axes = re.search(r"\bqx\b.*\bqy\b", "\n".join(lines), re.IGNORECASE) is not None
    return names_axes or _is_nist(lines) or are_pixels(start)


def _is_nist(lines: Sequence[str]) -> bool:
    return bool(lines) and lines[0].strip().lower().startswith("ascii data")


def are_pixels(start: bytes) -> bool:
    """Whether a text begins with rows of pixels, qx qy I, without a word: see `is_grid`."""
    # q is zero at the beam, so that one direction begins below zero.
    lines = start.decode("utf-8", "replace").splitlines()[:-1]  # the last line may be cut short
    first = next((row for line in lines if (row := _row(line)) is not None), [])
    if len(first) < 3 or min(first[:2]) >= 0:
        return False
    rows = _rows(lines)
    if len(rows) < FEWEST_ROWS:
        return False
    x, y = list(zip(*rows, strict=True))[:2]
    return min(x[0], y[0]) < 0 and (is_scan(x, y) or is_scan(y, x))


def _rows(lines: Sequence[str]) -> list[list[float]]:
    rows = [row for line in lines if (row := _row(line)) is not None][:MOST_ROWS]
    return rows if len(set(map(len, rows))) == 1 else []


def _row(line: str) -> list[float] | None:
    try:
        return [float(word) for word in re.split(r"[,;\s]+", line.strip().rstrip(",;"))]
    except ValueError:
        return None


def is_scan(fast: Sequence[float], slow: Sequence[float]) -> bool:
    """Whether one column ascends in even steps, again and again, and the other is constant meanwhile."""
    first = fast[1] - fast[0]
    steps = [(b - a, c == d) for a, b, c, d in zip(fast, fast[1:], slow, slow[1:], strict=False)]
    return first > 0 and all(
        alike and abs(step - first) <= UNEVEN * first if step > 0 else not alike for step, alike in steps
    )


def opener(start: bytes) -> Any:
    """What opens a packed file that begins so: gzip's or bz2's ``open``; None for others."""
    from importlib import import_module

    name = next((name for mark, name in _PACKED.items() if start.startswith(mark)), None)
    return None if name is None else import_module(name).open


def beginning(path: Path, file: str, size: int = 6000) -> bytes:
    """Read a file's first bytes, unpacked. Raises DataError if it is missing or damaged."""
    start = content(path, file, expectation="an image", size=size)
    opened = opener(start)
    if opened is None:
        return start
    try:
        with opened(path, "rb") as packed:
            found_start: bytes = packed.read(size)
    except (OSError, EOFError, ValueError) as error:
        raise DataError(
            f"{file}: the file is damaged or cut short; copy it again from its source."
        ) from error
    return found_start


def is_detector_file(path: Path, start: bytes) -> bool:
    """Whether a file that begins so is a detector's own, by that or by its name."""
    return start.startswith((*TIFF, CBF)) or bool(_BRACE.match(start)) or has_known_suffix(path)


def has_known_suffix(path: Path) -> bool:
    """Whether the name ends like that of a TIFF, CBF or EDF file, packed or not."""
    return any(suffix.lower() in SUFFIXES for suffix in path.suffixes[-2:])


def rate_grazing(path: Path) -> float:
    """1 for what can only be an image, else 0."""
    return float(is_image(path))


def rate_sans(path: Path) -> float:
    """1 for a file that can only be a small-angle-scattering image, else 0."""
    try:
        with path.open("rb") as stream:
            start = stream.read(6000)
    except OSError:
        return 0.0
    if start.startswith(HDF5):
        from .sans import nexus

        return float(nexus.recognise(path))
    return float(is_text_image(start))


def is_image_file(path: Path) -> bool:
    """Whether a file is a small-angle-scattering image or can only be an image."""
    return bool(rate_sans(path)) or is_image(path)


def rate_particles(path: Path) -> float:
    """1 for HDF5 with CXI's version at its root, which only a stack of diffraction images has; else 0."""
    try:
        with path.open("rb") as stream:
            if not stream.read(8).startswith(HDF5):
                return 0.0
        import h5py

        with h5py.File(path, "r") as opened:
            return float("cxi_version" in opened)
    except (OSError, RuntimeError):
        return 0.0


def rate_materials(path: Path) -> float:
    """0.5 for an image, which others may be surer of; 0 for a pattern of grazing incidence."""
    # That is one of BornAgain's, or with an angle of incidence in the TOML file beside it.
    if not is_image(path) or beginning(path, str(path), START).startswith(_BORNAGAIN):
        return 0.0
    from .nexus import read_toml

    try:
        return 0.5 if read_toml(path).alpha_i is None else 0.0
    except DataError:  # it says other things, of another kind of measurement
        return 0.5
