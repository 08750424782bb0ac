"""Dectris' CBF: the header's text, the length that it promises, and fabio's decompression.

fabio's own reader loops for ever on some damaged headers (a missing start of the data, an open quote), so
the few lines that a detector writes are read here.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.data.images import header
from sasnet_plugin.data.images.raw import RawFrame, truncated
from sasnet_plugin.types import DataError

_SECTION, _START = b"--CIF-BINARY-FORMAT-SECTION--", b"\x0c\x1a\x04\xd5"
_TYPES = {
    "signed 8-bit integer": "int8",
    "unsigned 8-bit integer": "uint8",
    "signed 16-bit integer": "int16",
    "unsigned 16-bit integer": "uint16",
    "signed 32-bit integer": "int32",
    "unsigned 32-bit integer": "uint32",
}
_LARGEST = 2**28
"""Pixels beyond which a size is a damaged one."""


def read(path: Path, file: str) -> RawFrame:
    """The frame of a CBF file (imgCIF, byte-offset compression; H. J. Bernstein, A. P. Hammersley, 2005).

    Parameters
    ----------
    path : Path
    file : str
        Its name in messages.

    Returns
    -------
    RawFrame

    Raises
    ------
    DataError
        fabio is not installed, the compression is another, or the file is damaged or cut short.
    """
    try:
        from fabio.compression import decByteOffset
    except ImportError as error:
        raise DataError(
            f"{file}: CBF images are unpacked by fabio; install it with: pip install 'sasnet_plugin[gisas]'."
        ) from error
    data = path.read_bytes()
    begin = data.find(_SECTION)
    start = data.find(_START, begin)
    if begin < 0 or start < 0:
        raise truncated(file)
    said = _section(data[begin:start].decode("latin-1"))
    if "byte_offset" not in said.get("conversions", "").lower():
        raise DataError(f"{file}: its compression is not CBF_BYTE_OFFSET; save it as the detector writes it.")
    packed = data[start + len(_START) :]
    try:
        size, rows, columns = (
            int(said[key])
            for key in ("x-binary-size", "x-binary-size-second-dimension", "x-binary-size-fastest-dimension")
        )
        packed = packed[:size]
        whole = len(packed) == size and 0 < rows * columns <= _LARGEST and _intact(packed, said)
        values: Any = decByteOffset(packed, size=rows * columns, dtype="int64") if whole else None
    except Exception as error:  # fabio's C code raises what it likes
        raise truncated(file) from error
    if values is None or len(values) != rows * columns:
        raise truncated(file)
    kind = _TYPES.get(said.get("x-binary-element-type", ""), "int32")
    text = data[:begin].decode("latin-1")
    return RawFrame(np.asarray(values).reshape(rows, columns).astype(kind), geometry=header.dectris(text))


def _section(text: str) -> dict[str, str]:
    """Names (lower case) and values of the lines above the binary data."""
    pairs = re.findall(r"^\s*([\w-]+)\s*[:=]\s*\"?([^\";\r\n]*)", text, flags=re.MULTILINE)
    return {name.lower(): value.strip() for name, value in pairs}


def _intact(packed: bytes, said: dict[str, str]) -> bool:
    digest = said.get("content-md5")
    if not digest:
        return True
    return b64encode(hashlib.md5(packed, usedforsecurity=False).digest()).decode() == digest
