"""A number that a data file says about its sample or its measurement: temperature, time, concentration…"""

from __future__ import annotations

import math
import re
from pathlib import Path

_HDF5 = b"\x89HDF\r\n\x1a\n"
#: Bytes of a text file in which its header is looked for.
_HEADER = 65536
_NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"


def field_of(path: str | Path, name: str) -> float:
    """The number that a file gives under a name; nan where it gives none.

    In text, ``name: 25.3``, ``name = 25.3`` or ``name 25.3``, behind a comment sign or not; in XML the
    content of an element or an attribute of that name; in HDF5 (NXcanSAS) a scalar dataset or an attribute.
    Upper and lower case are the same.

    Parameters
    ----------
    path : str or Path
    name : str
    """
    try:
        with open(path, "rb") as file:
            head = file.read(_HEADER)
    except OSError:
        return math.nan
    if head.startswith(_HDF5):
        return _hdf5(path, name)
    words = re.escape(name)
    pattern = (
        rf"(?<![\w]){words}(?![\w])[\"']?(?:\s*[([][^)\]\n]*[)\]])?(?:[^<>\n]*>)?\s*[:=]?\s*[\"']?{_NUMBER}"
    )
    found = re.search(pattern, head.decode("utf-8", "replace"), re.IGNORECASE)
    return float(found.group(1)) if found else math.nan


def _hdf5(path: str | Path, name: str) -> float:
    import h5py

    wanted = name.lower()
    values: list[float] = []

    def look(where: str, node: object) -> None:
        candidates = [v for k, v in node.attrs.items() if k.lower() == wanted]  # type: ignore[attr-defined]
        if isinstance(node, h5py.Dataset) and where.rpartition("/")[2].lower() == wanted and node.size == 1:
            candidates.insert(0, node[()])
        for value in candidates:
            try:
                values.append(float(value.item() if hasattr(value, "item") else value))
            except (TypeError, ValueError):
                continue

    try:
        with h5py.File(path, "r") as file:
            look("", file)
            file.visititems(look)
    except (OSError, RuntimeError):
        return math.nan
    return values[0] if values else math.nan
