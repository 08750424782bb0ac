"""List every sentence that users can meet, for proof-reading: ``python docs/messages.py``.

First the templates of each topic (in ``*sentences.py``) with an example, then all other sentences in the code
with file and line, errors and texts of the pages in the browser among them; ``value`` stands for what is
filled in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import sasnet_plugin
from sasnet_plugin.wording import Template

PACKAGE = Path(sasnet_plugin.__file__).parent
#: Attributes of HTML that a person reads or hears.
_READ = ("title", "placeholder", "aria-label", "alt")
#: Words from which on a text of a page counts as more than a label.
_WORDS = 3


def list_templates() -> Iterator[tuple[str, str, Template]]:
    """Module, name and template of each sentence that is kept apart from the logic."""
    for path in sorted(PACKAGE.rglob("*sentences.py")):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for name, template in vars(import_module(module)).items():
            if isinstance(template, Template):
                yield module, name, template


def list_others() -> Iterator[tuple[str, int, str]]:
    """File, line and text of each other sentence in the code."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if not path.name.endswith(("sentences.py", "settings.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            reasons = set(find_reasons(tree))
            for line, text in (found for found in find_texts(tree) if found not in reasons):
                yield path.relative_to(PACKAGE).as_posix(), line, text


def find_texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of what a person may read in a module: with a blank, and ending in a full stop."""
    # Values in an f-string count as one word. Docstrings, reasons of settings (``why=``) and help texts of
    # options are none of these.
    skipped = _find_skipped(tree)
    raised = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Raise) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        text = _text(node)
        if " " in text.strip() and (_is_prose(text) or (id(node) in raised and _is_long(text))):
            yield getattr(node, "lineno", 0), text


def find_reasons(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of the reasons of settings, which only the documentation and readers of the code meet."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setting":
            yield from find_texts(ast.Module([ast.Expr(node)], []))


def _is_long(text: str) -> bool:
    return len(re.findall(r"[A-Za-zäöü]{2,}", text)) >= _WORDS


def list_page_texts() -> Iterator[tuple[str, int, str]]:
    """File, line and text of what the pages in the browser say: of scripts and of templates."""
    for path in sorted(PACKAGE.rglob("*.js")):
        if not path.name.endswith(".min.js"):
            for line, text in find_script_texts(path.read_text(encoding="utf-8")):
                yield path.relative_to(PACKAGE).as_posix(), line, text
    for path in sorted(PACKAGE.rglob("*.html")):
        for line, text in find_markup_texts(path.read_text(encoding="utf-8")):
            yield path.relative_to(PACKAGE).as_posix(), line, text


def find_script_texts(script: str) -> Iterator[tuple[int, str]]:
    """Line and text of the strings of a script that a person may read; what is filled in is ``value``."""
    pattern = r'//[^\n]*|/\*.*?\*/|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`'
    for found in re.finditer(pattern, script, re.DOTALL):
        text = _filled(found[1] or found[2] or "")
        if _is_read(text):
            yield script.count("\n", 0, found.start()) + 1, " ".join(text.split())


def _filled(text: str) -> str:
    """A template of a script with ``value`` in its gaps, also in those with gaps of their own."""
    before = ""
    while before != text:
        before, text = text, re.sub(r"\$\{[^${}]*\}", "value", text)
    return text


def _is_read(text: str) -> bool:
    """Whether a text of a page is for people: words with blanks, no selector, style, path or markup."""
    return _is_long(text) and " " in text.strip() and not re.search(r"[{}<>#=\[\]]|^\.|: \w+;|px\b|//", text)


def find_markup_texts(markup: str) -> Iterator[tuple[int, str]]:
    """Line and text of what a person reads in a template of HTML."""
    reader = _Reader()
    reader.feed(re.sub(r"\{%.*?%\}", "", re.sub(r"\{\{.*?\}\}", "value", markup), flags=re.DOTALL))
    yield from reader.texts


class _Reader(HTMLParser):
    """Collects texts, and attributes that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[tuple[int, str]] = []
        self._code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the attributes that are read."""
        self._code += tag in ("script", "style")
        for name, value in attrs:
            if name in _READ:
                self._keep(value or "")

    def handle_endtag(self, tag: str) -> None:
        """Leave a script or a style."""
        self._code -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        if not self._code:
            self._keep(data)

    def _keep(self, text: str) -> None:
        if _is_long(text):
            self.texts.append((self.getpos()[0], " ".join(text.split())))


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "value" for part in node.values)
    return ""


def _is_prose(text: str) -> bool:
    """Sentences end in a full stop; code, markup and patterns do not read like one."""
    first = text.strip()
    ends = re.search(r"[\w)%”’Å⁻¹²]{2}[.?!]\s*$|[a-z)]\.\s", first)
    return bool(ends) and not re.search(r"[{}<>\\]|::|==", first)


def _find_skipped(tree: ast.Module) -> set[int]:
    """Nodes that are docstrings, parts of f-strings, reasons of settings, or help of options."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):  # docstrings, of constants as well
            skipped.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            skipped.update(map(id, node.values))
        elif isinstance(node, ast.keyword) and node.arg in ("help", "why", "description", "epilog"):
            skipped.update(map(id, ast.walk(node.value)))
    return skipped


def main() -> None:
    topic = ""
    for module, name, template in list_templates():
        if module != topic:
            print(f"\n# {module}\n")
            topic = module
        print(f"{name}\n    {str(template).strip()}")
    for title, texts in (("the code", list_others()), ("the pages in the browser", list_page_texts())):
        print(f"\n# Sentences in {title}\n")
        for file, line, text in texts:
            print(f"{file}:{line}\n    {' '.join(text.split())}")


if __name__ == "__main__":
    main()
