"""Find in a file which sector of the detector a curve was averaged over: azimuth and half-width, degrees.

Two ways of writing it are read: words such as "sector", "azimuth = 90" and "half-width = 15" in a header, in
terms of CanSAS XML or in fields of HDF5, and Mantid's names of ISIS curves, ``…Phi75.0_105.0``. Nika's names
``sample_90_15`` say the same, but other names look like them: they count only where a user says "sectors".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..types import Sector

_NUMBER = r"([-+]?\d+(?:\.\d+)?)(?![\d.]*[eE])"
_BETWEEN = r"[\s_]*(?:angle)?\s*(?:\((?:deg|degrees|°)\))?\s*[=:]?\s*"
_AZIMUTH = re.compile(
    rf"(?<![a-z])(?:azimuth|phi|psi|chi|sector[\s_]?(?:angle|direction)){_BETWEEN}{_NUMBER}", re.I
)
_HALF = re.compile(rf"(?:half[\s_-]?width|d_?phi|delta[\s_]?phi|±|\+/-){_BETWEEN}{_NUMBER}", re.I)
_WHOLE = re.compile(rf"(?<!half)(?<!half[\s_-])(?:width|opening){_BETWEEN}{_NUMBER}", re.I)
_MANTID = re.compile(rf"Phi{_NUMBER}_{_NUMBER}")
_NIKA = re.compile(r"_(-?\d+(?:\.\d+)?)_(\d+(?:\.\d+)?)$")
#: Characters of a header that are searched.
_MOST = 20_000


def find_sector(lines: Iterable[str], name: str = "") -> Sector | None:
    """Return the sector that metadata or the name of a curve give; None where there is none."""
    if limits := _MANTID.search(name):
        low, high = float(limits[1]), float(limits[2])
        return _make_sector((low + high) / 2, (high - low) / 2)
    text = "\n".join(lines)[:_MOST]
    if "sector" not in text.lower():
        return None
    azimuth, half, whole = _AZIMUTH.search(text), _HALF.search(text), _WHOLE.search(text)
    if not azimuth or not (half or whole):
        return None
    width = float(half[1]) if half else float(whole[1]) / 2 if whole else 0.0
    return _make_sector(float(azimuth[1]), width)


def sector_of_name(file: str) -> Sector | None:
    """The sector in a name that ends with azimuth and half-width, as Nika writes it."""
    ends = _NIKA.search(Path(file).stem)
    return _make_sector(float(ends[1]), float(ends[2])) if ends else None


def _make_sector(azimuth: float, half_width: float) -> Sector | None:
    return Sector(azimuth, half_width) if 0 < half_width < 90 and abs(azimuth) <= 360 else None


def list_xml_terms(entry: Any) -> Iterator[str]:
    """Names and texts of an entry's elements, but for its data."""
    for item in entry.iter():
        tag = str(item.tag).rpartition("}")[2]
        if tag not in ("Q", "I", "Idev", "Qdev", "dQw", "dQl") and (item.text or "").strip():
            yield f"{item.get('name') or tag} = {item.text.strip()}"


def list_hdf5_terms(entry: Any) -> Iterator[str]:
    """Names and values of an entry's single values."""
    from . import hdf5

    for name, item in hdf5.walk_members(entry, 3):
        if getattr(item, "size", 0) == 1:
            yield f"{name} = {hdf5.text(item[()])}"
