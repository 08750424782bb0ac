"""Files that are dropped on the page: kept whole under their own names, in a folder that the page names."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

from ...files import put_whole
from ...types import SasnetError, printable
from ..images import OTHERS
from ..settings import CURVES

#: Between looking for a free name and taking it nobody else may look: files of one name come at once.
_ONE_AT_A_TIME = threading.Lock()
#: Of what lies beside an image and says how it was measured.
_GEOMETRY = ".toml"
#: Device names and signs that some system does not take in a name.
_FORBIDDEN = frozenset('<>:"/\\|?*')


def drop(folder: Path, name: str, content: bytes, within: str = "") -> str:
    """Keep a file once and return its name in the folder. Raises SasnetError if it is too large, nameless,
    cannot be kept, or is a second geometry of one folder.

    `within` is the folder in which it was dropped: a geometry there holds for its images alone.
    """
    parts = [_name(part) for part in within.split("/") if part][: CURVES.deepest]
    place = folder.joinpath(*parts)
    return "/".join([*parts, _put(place, _name(name), content)])


def _put(folder: Path, own: str, content: bytes) -> str:
    """Keep a file of this name, or of one with a number; its name."""
    _check(own, content)
    digest = hashlib.sha256(content).digest()
    stem, ending = Path(own).stem, Path(own).suffix
    with _ONE_AT_A_TIME:
        for number in range(1, CURVES.most_dropped + 1):
            found = own if number == 1 else f"{stem} ({number}){ending}"
            path = folder / found
            if not path.exists():
                put_whole(path, content, "dropped file", make_folder=True)
                return found
            if path.is_file() and hashlib.sha256(path.read_bytes()).digest() == digest:
                return found
            _check_replaced(path)
    raise SasnetError(f"{own}: there are too many files of this name in {folder}.")


def _check_replaced(path: Path) -> None:
    """Raise SasnetError for a second geometry of the same name: under another name it would be nobody's."""
    if path.suffix.lower() == _GEOMETRY:
        raise SasnetError(
            f"{path.name}: a geometry file of this name was dropped before; change or remove {path}, or give"
            " the geometry in the tab Images."
        )


def _check(name: str, content: bytes) -> None:
    if Path(name).suffix.lower() in OTHERS - {_GEOMETRY}:
        raise SasnetError(
            f"{name}: this kind of file contains no curves or images; drop the measurement itself."
        )
    if len(content) > CURVES.largest_file:
        most = CURVES.largest_file // 2**20
        raise SasnetError(
            f"{name}: has more than {most} MiB; start sasnet web with its folder instead of dropping it."
        )


def _name(name: str) -> str:
    """Return a name's last part in letters that file systems take. Raises SasnetError if empty."""
    last = name.replace("\\", "/").rpartition("/")[2]
    clean = "".join("_" if c in _FORBIDDEN or not c.isprintable() else c for c in last).strip().lstrip(".")
    while len(clean.encode()) > CURVES.longest_name:
        clean = clean[1:]  # the ending tells the format
    if not clean:
        raise SasnetError(f"{printable(name)[:80]!r}: is not a valid file name.")
    return clean
