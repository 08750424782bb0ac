"""Changes of file are counted at calls and returns, through other libraries; complexity is McCabe's."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

import pytest

from benchmarks.fitting.walk import complexities, complexity, lines_of, settings_of, walked


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "tinywalk"
    (root / "inner").mkdir(parents=True)
    (root / "__init__.py").write_text("")
    (root / "inner" / "__init__.py").write_text("")
    (root / "a.py").write_text(
        "from tinywalk.inner.b import twice\n\ndef start():\n    return sorted([3, 1], key=twice)\n"
    )
    (root / "inner" / "b.py").write_text(
        "def setting(v, why): return v\n\nx = setting(3, 'why')\n\n"
        "def twice(x):\n    return own(x)\n\ndef own(x):\n    return 2 * x\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return root


def test_a_walk_goes_there_and_back_each_time(package: Path) -> None:
    start = importlib.import_module("tinywalk.a").start
    walk = walked(start, package)
    assert walk.entered == {str(package / "a.py"): 1, str(package / "inner" / "b.py"): 4}
    there = (str(package / "a.py"), str(package / "inner" / "b.py"))
    assert walk.changes == {there: 2, there[::-1]: 2}
    assert sys.getprofile() is None


def test_an_import_enters_nothing(package: Path) -> None:
    walk = walked(lambda: importlib.reload(importlib.import_module("tinywalk")), package)
    assert not walk.entered
    assert not walk.changes


def test_lines_and_settings(package: Path) -> None:
    assert lines_of(package) == {"tinywalk": 4, "inner": 9}
    assert settings_of(package) == 1


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("return 1", 1),
        ("return 1 if x else 2", 2),
        ("return x and y and z", 3),
        ("return [i for i in x if i]", 3),
        ("for i in x:\n        while y:\n            if z: pass\n            elif x: pass", 5),
        ("try: pass\n    except ValueError: pass\n    except TypeError: pass", 3),
        ("def inner():\n        if y: pass\n    return inner", 1),
    ],
)
def test_complexity(body: str, count: int, tmp_path: Path) -> None:
    text = f"def outer(x, y, z):\n    {body}\n"
    assert complexity(ast.parse(text).body[0]) == count
    (tmp_path / "one.py").write_text(text)
    assert complexities(tmp_path)["one.py:1 outer"] == count
