"""Workbooks are called so; other archives are archives."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from sasnet_plugin.data import load
from sasnet_plugin.types import DataError

OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
FILES = {
    "an Excel workbook; export its sheet as CSV": {"[Content_Types].xml": "", "xl/workbook.xml": ""},
    "a Word document; export its table as text": {"[Content_Types].xml": "", "word/document.xml": ""},
    "an OpenDocument spreadsheet; export its sheet as CSV": {
        "mimetype": f"{OPEN_DOCUMENT}spreadsheet",
        "content.xml": "",
    },
    "a zip archive; unpack": {"curve.dat": "1 2 3"},
}


@pytest.mark.parametrize("said", FILES)
def test_kinds_of_archives(tmp_path: Path, said: str) -> None:
    path = tmp_path / "data.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in FILES[said].items():
            archive.writestr(name, content)
    with pytest.raises(DataError, match=said):
        load(path)


def test_a_broken_archive_is_an_archive(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04" + bytes(200))
    with pytest.raises(DataError, match="a zip archive"):
        load(tmp_path / "a.xlsx")
