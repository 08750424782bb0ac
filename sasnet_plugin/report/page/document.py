"""The frame of every page of a report: one file that loads nothing, in light and dark."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from sasnet_plugin.files import put_whole

from .style import CSS

#: Nothing is loaded and nothing runs, even if some text escaped its escaping; pictures are in the page.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_WITH_PICTURES = f"{_POLICY}; img-src data:"
#: Letters of the file's name and of the entry's title that a page's name takes over.
_NAME_LENGTH = 60


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


def verdict(first: str, second: str = "", *, good: bool) -> str:
    """The box with the answer in one sentence, and a smaller one below it; both are HTML.

    Parameters
    ----------
    first, second : str
    good : bool
        Whether the answer can be relied on.
    """
    more = f"<p>{second}</p>" if second else ""
    return f'<div class="verdict{"" if good else " doubt"}"><p>{first}</p>{more}</div>'


def facts(values: Mapping[str, str]) -> str:
    """A row of facts under their names, escaped here; empty where there are none."""
    cells = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in values.items())
    return f'<dl class="facts">{cells}</dl>' if cells else ""


def notes(sentences: Iterable[str]) -> str:
    """A section of sentences, escaped here, each said once; empty where there are none."""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in dict.fromkeys(sentences))
    return f'<section><h2>Notes</h2><ul class="notes">{items}</ul></section>' if items else ""


def page_name(file: str, entry: str, *columns: ArrayLike, default: str) -> str:
    """Name of a measurement's page: the file's and the entry's in plain letters, and eight digits of a hash.

    The hash is over the whole names and the data, for titles that differ in other signs only, and for entries
    of one title. No name depends on what else lies in the folder.

    Parameters
    ----------
    file, entry : str
    *columns : float arrays
        What was measured.
    default : str
        In place of names without any plain letter.
    """
    digest = hashlib.sha256(f"{file}\0{entry}\0".encode("utf-8", "surrogatepass"))
    for column in columns:
        digest.update(np.ascontiguousarray(column, dtype="<f8").tobytes())
    words = [plain(Path(file).stem), plain(entry)]
    parts = [word for word in dict.fromkeys(words) if word] or [default]
    return "-".join((*parts, digest.hexdigest()[:8])) + ".html"


def plain(text: str) -> str:
    """Letters, digits and underscores of ASCII; what lies between them becomes one hyphen."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", "-", ascii_only).strip("-")[:_NAME_LENGTH].strip("-")


def write_page(path: Path, text: str) -> Path:
    """Write a page in one step; its folder is made where it does not exist.

    Raises
    ------
    SasnetError
        The folder or the page cannot be written.
    """
    put_whole(path, text.encode("utf-8"), "report", make_folder=True)
    return path
