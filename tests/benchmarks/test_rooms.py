"""The list of benchmarks is read from their files, and a table says what its run took."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks import rooms

TABLE = "# Drops\n\n| drop | size |\n| --- | ---: |\n| a | 1 |\n"
BENCHMARK = '''"""How many drops
fall? More of it.

Usage.
"""

from pathlib import Path


def main():
    Path(__file__).with_suffix(".md").write_text({table!r})
    return 3
'''


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> rooms.Benchmark:
    """The only benchmark of a room of its own."""
    folder = tmp_path / "rain"
    folder.mkdir()
    (folder / "drops.py").write_text(BENCHMARK.format(table=TABLE))
    (folder / "helper.py").write_text('"""No benchmark."""\n')
    monkeypatch.setattr(rooms, "HERE", tmp_path)
    monkeypatch.setattr(rooms, "__package__", "")
    monkeypatch.syspath_prepend(str(tmp_path))
    (found,) = rooms.found(tmp_path)
    return found


def test_a_benchmark_is_a_file_with_main_and_asks_what_its_docstring_says(one: rooms.Benchmark) -> None:
    assert (one.name, one.asks) == ("rain/drops", "How many drops fall? More of it.")
    assert rooms.last_run(one) == ("no table", "")


def test_a_table_that_is_written_says_what_that_took(
    one: rooms.Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([5.0, 7505.0])
    monkeypatch.setattr(rooms, "_used", lambda: next(clock))
    monkeypatch.setattr(rooms, "import_module", lambda name: import_module(name.lstrip(".")))
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    assert rooms.run(one, ["--work", "W"]) == 3
    text = one.table.read_text()
    assert text.startswith(TABLE)
    assert "-->" in text
    assert text.count("--") == 2 + TABLE.count("--")  # none inside the comment
    day, cost = rooms.last_run(one)
    assert cost == "2 h"
    assert len(day) == len("2026-11-26")
    rooms.note(one.table, 90.0, [])
    assert rooms.last_run(one) == (day, "90 s")
    assert one.table.read_text().count("<!--") == 1


def test_every_file_of_the_benchmarks_imports_and_every_one_says_what_it_asks(repository: Path) -> None:
    for path in sorted((repository / "benchmarks").rglob("*.py")):
        if path.stem != "__main__":
            import_module(".".join(path.relative_to(repository).with_suffix("").parts))
    every = rooms.found()
    assert {one.name for one in every} > {"fitting/sbc", "curves/real_answers", "reading/reading"}
    assert all(len(one.asks) > 20 for one in every)


def test_no_table_is_left_without_what_writes_it(repository: Path) -> None:
    names = {one.name for one in rooms.found()}
    tables = (repository / "benchmarks").rglob("*.md")
    left = {t.relative_to(repository / "benchmarks").with_suffix("").as_posix() for t in tables} - names
    assert left == set()


def test_no_files_of_the_benchmarks_import_each_other_in_a_circle(repository: Path) -> None:
    sys.path.insert(0, str(repository / "tests"))
    from test_house import circles, imported

    folder = repository / "benchmarks"
    files = {
        ".".join(path.relative_to(repository).with_suffix("").parts): path
        for path in folder.rglob("*.py")
        if path.name != "__init__.py"
    }
    arrows = {name: {o for o in imported(name, path, files) if o in files} for name, path in files.items()}
    assert sum(map(len, arrows.values())) > len(files)
    assert circles(arrows) == []


def test_an_unknown_name_is_said(repository: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "fitting/nothing"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=repository, check=False)
    assert done.returncode == 2
    assert done.stderr == "fitting/nothing: there is no such benchmark; `python -m benchmarks` lists them.\n"
