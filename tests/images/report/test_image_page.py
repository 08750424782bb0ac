"""The page of an image is one file that loads nothing and escapes every word."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sasnet_plugin.images import report
from sasnet_plugin.images.report import Section, Verdict, page
from sasnet_plugin.report.page.document import write_page
from sasnet_plugin.types import Image, SasnetError

EVIL = '<script>alert("1")</script>'


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def made(image: Image) -> str:
    sections = [
        Section("Pattern", report.pattern(image), report.PATTERN_SIZE, EVIL),
        Section("Again", report.pattern(image), report.PATTERN_SIZE),
        Section("Found", table=[("quantity", "value"), (EVIL, "3 & 4")]),
    ]
    return page(EVIL, Verdict(EVIL, EVIL, good=False), sections, facts={EVIL: EVIL}, notes=[EVIL, EVIL])


def test_every_word_is_escaped_and_nothing_is_loaded(image: Image) -> None:
    text = made(image)
    tags = Tags()
    tags.feed(text)
    names = [tag for tag, _ in tags.seen]
    assert "script" not in names
    assert names.count("svg") == 2
    assert text.count("<li>") == 1
    sources = [value for _, attrs in tags.seen for key, value in attrs.items() if key in ("href", "src")]
    assert sources
    assert all(value and value.startswith(("#", "data:image/png")) for value in sources)
    assert "img-src data:" in text
    assert "3 &amp; 4" in text


def test_figures_keep_their_ids_apart(image: Image) -> None:
    ids = re.findall(r'\bid="([^"]+)"', made(image))
    assert len(ids) == len(set(ids))


def test_a_page_that_cannot_be_written_is_one_sentence(image: Image, tmp_path: Path) -> None:
    path = write_page(tmp_path / "new" / "film.html", made(image))
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    (tmp_path / "file").write_text("")
    with pytest.raises(SasnetError, match="cannot be written"):
        write_page(tmp_path / "file" / "film.html", "")
