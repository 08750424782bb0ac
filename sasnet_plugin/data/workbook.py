"""Workbooks and documents of offices, which are zip archives of XML: told by the names in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

#: How a zip archive begins.
ZIP = b"PK\x03\x04"

#: What is to be done with each, after its name.
_SHEET = "export its sheet as CSV, with columns q, I, dI."
_TEXT = "export its table as text, with columns q, I, dI."
_OPEN_DOCUMENT = {
    "spreadsheet": f"an OpenDocument spreadsheet; {_SHEET}",
    "text": f"an OpenDocument text; {_TEXT}",
    "presentation": f"an OpenDocument presentation; {_TEXT}",
}
#: Folder that Microsoft's formats keep their content in.
_MICROSOFT = {
    "xl": f"an Excel workbook; {_SHEET}",
    "word": f"a Word document; {_TEXT}",
    "ppt": f"a PowerPoint presentation; {_TEXT}",
}


if TYPE_CHECKING:
    from zipfile import ZipFile


def kind(path: str) -> str:
    """Say what a zip archive is and how to get a curve out; empty for others and damaged ones."""
    # Unpacks only the first bytes of one small member.
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            mimetype = _mimetype(archive) if "mimetype" in names else b""
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        return ""
    if mimetype:
        form = mimetype.decode("ascii", "replace").rpartition("opendocument.")[2].strip()
        return _OPEN_DOCUMENT.get(form.partition("-")[0], "")
    if "[Content_Types].xml" not in names:
        return ""
    return next((_MICROSOFT[top] for name in names if (top := name.partition("/")[0]) in _MICROSOFT), "")


def _mimetype(archive: ZipFile) -> bytes:
    with archive.open("mimetype") as member:
        return member.read(100)
