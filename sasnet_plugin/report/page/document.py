"""The frame of every page of a report: one file that loads nothing, in light and dark."""

from __future__ import annotations

import os
import re
from html import escape
from pathlib import Path

from ...types import SasnetError
from .style import CSS

#: Nothing is loaded and nothing runs, even if some text escaped its escaping; pictures are in the page.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_WITH_PICTURES = f"{_POLICY}; img-src data:"


def document(title: str, body: str, *, pictures: bool = False) -> str:
    """A whole page as text.

    Parameters
    ----------
    title : str
        Of the window; escaped here.
    body : str
        HTML.
    pictures : bool
        It holds pictures in pixels.
    """
    text = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_WITH_PICTURES if pictures else _POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>{CSS}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
    # A title may hold what no HTML in UTF-8 can: control characters and halves of surrogate pairs.
    text = re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f]", "\ufffd", text)
    return text.encode("utf-8", "replace").decode("utf-8")


def put(text: str, path: Path) -> None:
    """Write a page in one step; its folder is made where it does not exist.

    Raises
    ------
    SasnetError
        The folder or the page cannot be written.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(text, encoding="utf-8", newline="\n")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise SasnetError(
            f"{path}: the report cannot be written ({error.strerror}); name another folder."
        ) from None
