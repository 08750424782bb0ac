"""The documentation says what the program does: commands, options, imports, files and tables are real."""

from __future__ import annotations

import ast
import re
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer

from sasnet_plugin.cli.main import app

REPOSITORY = Path(__file__).parent.parent
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


@pytest.fixture(scope="module")
def tables(repository: Path) -> Any:
    """docs/tables.py, which is no package."""
    sys.path.insert(0, str(repository / "docs"))
    try:
        yield import_module("tables")
    finally:
        sys.path.pop(0)


def blocks(page: Path, language: str) -> list[str]:
    """What stands in a page in code of one language."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def commands(page: Path) -> list[tuple[str, set[str]]]:
    """Each call of sasnet in a page: the command and its options."""
    found: list[tuple[str, set[str]]] = []
    inline = re.findall(r"`(sasnet [^`\n]+)`", page.read_text(encoding="utf-8"))
    for block in [*blocks(page, "bash"), *inline]:
        for line in block.splitlines():
            for command, rest in re.findall(
                r"(?:^|[\s/])sasnet ([a-z]+)\b([^&;#]*)", line.partition(" #")[0]
            ):
                found.append((command, set(re.findall(r"(?<=\s)--[a-z][\w-]*", rest))))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_and_their_options_exist(page: Path) -> None:
    group: Any = typer.main.get_command(app)
    for name, used in commands(page):
        command = group.get_command(None, name)
        assert command is not None, name
        known = {option for p in command.params for option in (*p.opts, *p.secondary_opts)} | {"--help"}
        assert used <= known, (name, used - known)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_in_python_import_what_exists(page: Path) -> None:
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("sasnet_plugin"):
                module = import_module(str(node.module))
                for alias in node.names:
                    if not hasattr(module, alias.name):
                        import_module(f"{node.module}.{alias.name}")
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "sasnet_plugin":
                assert hasattr(import_module("sasnet_plugin"), node.attr), node.attr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_modules_and_names_in_the_text_exist(page: Path) -> None:
    """``sasnet_plugin.room.module.name`` in code, and modules that are run by ``python -m``."""
    text = page.read_text(encoding="utf-8")
    for name in set(re.findall(r"`(sasnet_plugin(?:\.\w+)+)`", text)):
        module, _, last = name.rpartition(".")
        if not hasattr(import_module(module), last):
            import_module(name)
    for name in set(re.findall(r"python -m (sasnet_plugin[\w.]*)", text)):
        assert find_spec(name) is not None, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_of_the_project_that_are_named_exist(page: Path) -> None:
    """Named from the root of the checkout, from the package, or as ``room/file.py`` within it."""
    named = set(
        re.findall(r"`([\w./]+/[\w.]*\w\.(?:py|md|toml|npz|onnx|json|sh))`", page.read_text(encoding="utf-8"))
    )
    package = REPOSITORY / "sasnet_plugin"
    for name in named:
        places = [REPOSITORY / name, package / name]
        assert any(p.exists() for p in places) or list(package.rglob(name)), name


def test_every_file_of_the_package_is_on_the_code_map(repository: Path, tables: Any) -> None:
    code_map = tables.filled((repository / "docs" / "code_map.md").read_text(encoding="utf-8"))
    rooms = list(tables.rooms_and_files("sasnet_plugin"))
    found = {f"{room}/{name}": what for room, _, files in rooms for name, what in files}
    here = {path.relative_to(repository).as_posix() for path in (repository / "sasnet_plugin").rglob("*.py")}
    assert set(found) == {path for path in here if "/__" not in path}
    assert [path for path, what in found.items() if not what] == []
    assert all(f"### `{room}/`" in code_map for room, purpose, _ in rooms if purpose)
    assert [room for room, purpose, _ in rooms if not purpose] == []


def test_every_setting_of_fits_has_a_reason_and_is_used(repository: Path, tables: Any) -> None:
    rows = [row for _, table in tables.settings_rows("fitting") for row in table]
    assert [name for name, _, _, why in rows if not why] == []
    package = repository / "sasnet_plugin" / "fitting"
    code = "".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
    assert [name for name, *_ in rows if not re.search(rf"\.{name.strip('`')}\b", code)] == []


def test_marks_become_tables(tables: Any) -> None:
    text = tables.filled("before\n\n<!-- options: fit -->\n\nafter")
    assert "| `--time-limit` | Time limit per data set in seconds; extended by 60 s until the first" in text
    assert "<!--" not in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_mark_of_a_table_is_misspelt(page: Path, tables: Any) -> None:
    text = tables.filled(page.read_text(encoding="utf-8"))
    left = re.findall(r"<!-- (?:options|settings)[^>]*>", text)
    assert left == []


def test_screenshots_are_shown_and_small() -> None:
    pictures = sorted((REPOSITORY / "docs" / "screenshots").glob("*.png"))
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [one.name for one in pictures if f"screenshots/{one.name})" not in text] == []
    assert [one.name for one in pictures if one.stat().st_size > 150_000] == []
    shown = set(re.findall(r"\(screenshots/([\w.]+)\)", text))
    assert shown == {one.name for one in pictures}


def test_samples_of_readme_are_what_the_commands_printed(repository: Path, tables: Any) -> None:
    """docs/pictures.py prints the answers, docs/samples.py copies them; a copy by hand is found here."""
    samples = import_module("samples")
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert samples.fill(text) == text, f"{page.name}: run python docs/samples.py"
    assert "<!-- sample: " in (repository / "README.md").read_text(encoding="utf-8")
