"""The figures of the package's size are counted as they are described."""

from __future__ import annotations

from pathlib import Path

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


def test_private_functions_that_are_named_once_count(tmp_path: Path) -> None:
    text = "def f():\n    _g(); _h(); _h(); C()._m()\ndef _g(): pass\ndef _h(): pass\n"
    text += "class C:\n    def _m(self): pass\n"
    (tmp_path / "module.py").write_text(text)
    assert house.count_private_named_once([tmp_path / "module.py"]) == (2, 4)


def test_a_trace_counts_functions_of_the_package_alone() -> None:
    from sasnet_plugin.digits import join_names

    noted = house.trace(lambda: (join_names(["a", "b"]), sorted([2, 1])))
    assert [Path(file).name for file in noted.files] == ["digits.py"]
    assert noted.deepest >= 1
    assert "join_names" in {code.co_name for code in noted.functions}


def test_numbers_beside_the_settings_are_counted_by_their_names(tmp_path: Path) -> None:
    text = 'A, B = 1.0, -2\nC: tuple[int, ...] = (1, 2, 3)\nD = setting(3.0, "why")\nE = "1"\nF = True\n'
    (tmp_path / "module.py").write_text(text)
    assert house.count_named_numbers(tmp_path) == 3
