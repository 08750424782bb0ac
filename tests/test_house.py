"""How the package is built: no import cycles."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def files(repository: Path) -> dict[str, Path]:
    """Name of each module -> its file."""
    found = {}
    for path in sorted((repository / "sasnet_plugin").rglob("*.py")):
        parts = path.relative_to(repository).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imported(name: str, path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """Modules of the package that a file names in any import: inside functions and for type checkers, too."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{module}.{alias.name}"
                yield whole if whole in known else module


def circles(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """Sets of names that reach each other, by Tarjan's algorithm (SIAM J. Comput. 1 (1972) 146)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(arrows[name]):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            part = [stack.pop()]
            while part[-1] != name:
                part.append(stack.pop())
            if len(part) > 1:
                found.append(sorted(part))

    for name in arrows:
        if name not in index:
            visit(name)
    return found


def test_circles_are_found() -> None:
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": set(), "f": {"g"}, "g": {"f"}}
    assert circles(arrows) == [["a", "b", "c"], ["f", "g"]]


def test_no_files_import_each_other_in_a_circle(files: dict[str, Path]) -> None:
    modules = {name: path for name, path in files.items() if path.name != "__init__.py"}
    arrows = {
        name: {other for other in imported(name, path, files) if other in modules} - {name}
        for name, path in modules.items()
    }
    assert sum(map(len, arrows.values())) > len(modules)  # imports are seen at all
    assert circles(arrows) == []
