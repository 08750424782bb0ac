"""The figures of the package's size and names are counted as they are described."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from benchmarks import house

SOURCE = '''"""A module.

Two lines more.
"""

import os  # a comment with code


# a comment alone
def fitted_model(found, curve):
    """Say what it is."""
    text = """not a
    docstring"""
    own = [one for one in found]
    return text, own, curve, os
'''


def test_code_is_what_is_neither_blank_nor_comment_nor_docstring(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(SOURCE)
    assert house.measure_size([tmp_path / "module.py"]) == house.Size(files=1, code=6, docstrings=5)


def test_each_place_that_binds_a_name_counts(tmp_path: Path) -> None:
    assert sorted(house.bound_names(ast.parse(SOURCE))) == ["curve", "found", "one", "own", "text"]
    (tmp_path / "module.py").write_text(SOURCE)
    names = house.count_names([tmp_path / "module.py"])
    assert names.pronouns == {"found": 1, "one": 1, "own": 1}
    assert names.participles == {"fitted_model": 1}


def test_verbs_conversions_and_special_methods_are_no_participles() -> None:
    for name in ("need_more", "seed", "from_dict", "to_json", "__len__", "is_found", "fit", "read_held"):
        assert not house.is_participle_or_preposition(name)
    for name in ("fitted", "_held_out", "with_noise", "of", "_beside_curve", "as_"):
        assert house.is_participle_or_preposition(name)


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
    assert house.complexity(ast.parse(text).body[0]) == count
    (tmp_path / "one.py").write_text(text)
    assert house.complexities(tmp_path)["one.py:1 outer"] == count


def test_numbers_beside_the_settings_are_counted_by_their_names(tmp_path: Path) -> None:
    text = 'A, B = 1.0, -2\nC: tuple[int, ...] = (1, 2, 3)\nD = setting(3.0, "why")\nE = "1"\nF = True\n'
    (tmp_path / "module.py").write_text(text)
    assert house.count_named_numbers(tmp_path) == 3
