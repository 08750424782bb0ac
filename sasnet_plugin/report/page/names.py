"""Names of pages and exports: those of file and entry, and a number where other data have them already."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from ...files import MARK

#: Letters of the file's name and of the entry's title that a page's name takes over.
_NAME_LENGTH = 60
#: Whose a page is, in its head.
OWN = '<meta name="sasnet-data" content="{}">'
#: The overview's name, and those that Windows has for devices.
_TAKEN = re.compile(r"index|con|prn|aux|nul|(?:com|lpt)\d", re.IGNORECASE)


def identity(file: str, entry: str, *columns: ArrayLike) -> str:
    """Sixteen digits by which a page knows whose it is: of the names and of what was measured."""
    # Not of the folder that the file was named with: the same data are the same from wherever they are named.
    digest = hashlib.sha256(f"{Path(file).name}\0{entry}\0".encode("utf-8", "surrogatepass"))
    for column in columns:
        digest.update(np.ascontiguousarray(column, dtype="<f8").tobytes())
    return digest.hexdigest()[:16]


def stem(file: str, entry: str, default: str) -> str:
    """The file's and the entry's name in plain letters, `default` where they have none."""
    words = [plain(Path(file).stem), plain(entry)]
    return "-".join([word for word in dict.fromkeys(words) if word] or [default])


def free_name(folder: Path, start: str, ending: str, mark: str, own_identity: str) -> str:
    """Return a name in a folder without a file of other data, numbered only if needed."""
    # `mark` is in every such file of sasnet; a file without it keeps its name, so that `files.check_output`
    # refuses. `own` is in files of these data.
    for number in count(1):
        if number == 1 and _TAKEN.fullmatch(start):
            continue
        name = f"{start}{'' if number == 1 else f'-{number}'}{ending}"
        try:
            text = (Path(folder) / name).read_text(encoding="utf-8", errors="replace")
        except OSError:  # none, or one that whoever writes it will name
            return name
        if mark not in text or own_identity in text:
            return name
    raise AssertionError


def page_name(folder: Path, file: str, entry: str, own_identity: str, *, default: str) -> str:
    """Name a measurement's page: the same data get the same name, others never; `own_identity` of `identity`,
    `default` for names without plain letters.
    """
    return free_name(folder, stem(file, entry, default), ".html", MARK, OWN.format(own_identity))


def plain(text: str) -> str:
    """Letters, digits and underscores of ASCII; what lies between them becomes one hyphen."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", "-", ascii_only).strip("-")[:_NAME_LENGTH].strip("-")
