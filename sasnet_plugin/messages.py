"""List every sentence that users can meet, for proof-reading: ``python -m sasnet_plugin.messages``.

First the templates of each topic (modules called ``sentences.py``) with an example, then all other sentences
in the code with file and line; ``value`` stands for what is filled in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from .wording import Template

PACKAGE = Path(__file__).parent


def list_templates() -> Iterator[tuple[str, str, Template]]:
    """Module, name and template of each sentence that is kept apart from the logic."""
    for path in sorted(PACKAGE.rglob("sentences.py")):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for name, found in vars(import_module(module)).items():
            if isinstance(found, Template):
                yield module, name, found


def list_others() -> Iterator[tuple[str, int, str]]:
    """File, line and text of each other sentence in the code."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if not path.name.endswith(("sentences.py", "settings.py", "messages.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for line, text in find_texts(tree):
                yield path.relative_to(PACKAGE).as_posix(), line, text


def find_texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of what a person may read in a module: with a blank, and ending in a full stop."""
    # Values in an f-string count as one word. Docstrings, reasons of settings (``why=``) and help texts of
    # options are none of these.
    skipped = _skipped(tree)
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        text = _text(node)
        if text and " " in text.strip() and _is_prose(text):
            yield getattr(node, "lineno", 0), text


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


def _skipped(tree: ast.Module) -> set[int]:
    """Nodes that are docstrings, parts of f-strings, reasons of settings, or help of options."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):  # docstrings, of constants as well
            skipped.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            skipped.update(id(part) for part in node.values)
        elif isinstance(node, ast.keyword) and node.arg in ("help", "why", "description", "epilog"):
            skipped.update(id(part) for part in ast.walk(node.value))
    return skipped


def main() -> None:
    topic = ""
    for module, name, found in list_templates():
        if module != topic:
            print(f"\n# {module}\n")
            topic = module
        print(f"{name}\n    {str(found).strip()}")
    print("\n# Sentences in the code\n")
    for file, line, text in list_others():
        print(f"{file}:{line}\n    {' '.join(text.split())}")


if __name__ == "__main__":
    main()
