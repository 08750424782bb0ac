"""The rooms of `fitting`: one idea a file, no circle of imports, plain words."""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import sasnet_plugin.fitting

ROOT = Path(sasnet_plugin.fitting.__file__).parent
PACKAGE = "sasnet_plugin.fitting"
MODULES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("[!_]*.py"))
#: Figures of speech that the docs of the field do not have.
WORDS = (
    "dear", "dearer", "pace", "tier", "valleys?", "leap(?:s|ed|t|ing)?", "hopp?ed", "climb(?:s|ed|ing)?",
    "cross(?:ed|ing)", "polish\\w*", "badness", "line-?ups?", "first look", "twins?", "doubts?",
    "judged?", "strangers?", "featureless", "told apart", "hands?", "crowds?", "wish(?:es)?", "shelf",
    "attendant",
)  # fmt: skip
#: Keys of ``--json`` that programs read, which stay as they were, and the word of a verdict.
KEYS = {"result/model_fit.py": '"twins"'} | dict.fromkeys(
    (
        "result/verdict.py",
        "api.py",
        "result/sample_result.py",
        "verdict/sample.py",
        *(f"verdict/{name}.py" for name in ("doubts", "next_step", "settings", "tell")),
    ),
    "doubts?",
)
NOT_HERE = re.compile(rf"(?<![a-z])(?:{'|'.join(WORDS)})(?![a-z])", re.IGNORECASE)


def name_of(module: Path) -> str:
    return ".".join((PACKAGE, *module.with_suffix("").parts))


def imports_of(source: str, package: str = "") -> set[str]:
    """Modules that a file of a package names in its imports, those for type checkers alone included."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            name = ".".join([*above, *([node.module] if node.module else [])])
            found |= {name} | {f"{name}.{alias.name}" for alias in node.names}
    return found


def test_no_circle_of_imports_not_even_for_type_checkers() -> None:
    names = {name_of(module) for module in MODULES}
    graph = {}
    for module in MODULES:
        source, name = (ROOT / module).read_text(encoding="utf-8"), name_of(module)
        graph[name] = imports_of(source, name.rpartition(".")[0]) & names
    assert len(graph[f"{PACKAGE}.api"]) > 5  # relative imports are seen
    assert len(list(TopologicalSorter(graph).static_order())) == len(names)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_words_are_the_field_s(module: Path) -> None:
    text = (ROOT / module).read_text(encoding="utf-8")
    text = re.sub(KEYS.get(module.as_posix(), " "), " ", text, flags=re.IGNORECASE)
    assert not sorted({match[0] for match in NOT_HERE.finditer(text)})
