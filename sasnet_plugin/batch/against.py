"""What data sets of a series differ in besides their curves: numbers of their headers, names and dates."""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..data.signature import HDF5

#: Bytes of a text file in which its header is looked for.
_HEADER = 65536
#: Numbers of one file that are offered; instruments write hundreds into HDF5, of which few are wanted.
_MOST = 60
_NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
_LINE = re.compile(
    rf"^[\s#;%!/*\"']*([^\W\d_][\w .-]{{0,40}}?)[\"']?\s*(?:[(\[][^)\]\n]*[)\]])?\s*[:=]\s*[\"']?{_NUMBER}"
    r"(?=[\s\"',;°%]|[^\W\d]|$)",
    re.MULTILINE,
)
_ELEMENT = re.compile(rf"<(?:\w+:)?([A-Za-z_][\w.-]*)(?:\s[^<>]*)?>\s*{_NUMBER}\s*</")
#: When a file was written, min.
CHANGED = "modification time / min"


def numbers_of(path: str | Path) -> dict[str, float]:
    """Numbers that a file gives by name, those that it gives once: ``temperature: 25.3``."""
    # Of text its header, of XML elements, of HDF5 scalars.
    try:
        with open(path, "rb") as file:
            head = file.read(_HEADER)
    except OSError:
        return {}
    if head.startswith(HDF5):
        return _first(_scalars(path))
    text = head.decode("utf-8", "replace")
    pattern = _ELEMENT if text.lstrip("\ufeff \t\r\n").startswith("<") else _LINE
    return _first((match[1].strip(), float(match[2])) for match in pattern.finditer(text))


def _first(found_pairs: Iterator[tuple[str, float]]) -> dict[str, float]:
    pairs = [(name, value) for name, value in found_pairs if math.isfinite(value)]
    often = Counter(name for name, _ in pairs)
    return dict([(name, value) for name, value in pairs if often[name] == 1][:_MOST])


def _scalars(path: str | Path) -> Iterator[tuple[str, float]]:
    import h5py

    from ..data.hdf5 import own_items

    scalars: list[tuple[str, float]] = []

    def look(place: str, node: object) -> None:
        if isinstance(node, h5py.Dataset) and node.size == 1 and node.dtype.kind in "fiu":
            scalars.append((place.rpartition("/")[2], float(node[()].item())))

    try:
        with h5py.File(path, "r") as file:
            for place, node in own_items(file):
                look(place, node)
    except (OSError, RuntimeError):
        return iter(())
    return iter(scalars)


def collect_abscissa_values(path: str | Path) -> dict[str, float]:
    """List all numbers that a data set can be drawn against: of its file, its name, and its time of writing
    (`CHANGED`, minutes since 1970).
    """
    in_name = re.findall(r"\d+(?:\.\d+)?", Path(path).stem)
    numbers = {f"number {place} in the name": float(text) for place, text in enumerate(in_name, start=1)}
    with contextlib.suppress(OSError):
        numbers[CHANGED] = os.stat(path).st_mtime / 60
    return numbers | numbers_of(path)
