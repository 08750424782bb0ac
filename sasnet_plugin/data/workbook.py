"""Spreadsheets and documents, which are zip archives of XML: told by the names in them."""

from __future__ import annotations

import zipfile

#: How a zip archive begins.
ZIP = b"PK\x03\x04"

_OPEN_DOCUMENT = b"application/vnd.oasis.opendocument."
_KINDS = {b"spreadsheet": "an OpenDocument spreadsheet"}
_FOLDERS = {"xl": "an Excel workbook"}


def kind(path: str) -> str:
    """What a zip archive is, where it is a workbook; empty for any other, and for a damaged one.

    Parameters
    ----------
    path : str
        Its names are looked at; of its content, only the first bytes of one small member are unpacked.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if "mimetype" in names:
                with archive.open("mimetype") as member:
                    said = member.read(100)
                return _KINDS.get(said.removeprefix(_OPEN_DOCUMENT).strip().split(b"-")[0], "")
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        return ""
    if "[Content_Types].xml" not in names:
        return ""
    return next((_FOLDERS[top] for name in names if (top := name.partition("/")[0]) in _FOLDERS), "")
