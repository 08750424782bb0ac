"""What is called slow exists; a test that was renamed would otherwise come back to the quick ones."""

from __future__ import annotations

import re
from pathlib import Path

from slow import SLOW_FILES, SLOW_TESTS


def test_every_name_of_a_slow_test_is_one(repository: Path) -> None:
    files = list((repository / "tests").rglob("test_*.py"))
    defined = {
        name for file in files for name in re.findall(r"def (test_\w+)\(", file.read_text(encoding="utf-8"))
    }
    assert sorted(SLOW_FILES - {file.stem for file in files}) == []
    assert sorted(SLOW_TESTS - defined) == []
