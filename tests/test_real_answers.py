"""Real data sets with expert answers: never in training or tuning, looked at here alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from real_answers import Score, accepts, score, table


@pytest.fixture(scope="module")
def rows(example_data: Path, repository: Path) -> list[Score]:
    found = score(example_data, repository / "tests" / "reference" / "real_answers.toml")
    print("\n" + table(found))
    return found


def test_rules_of_acceptance() -> None:
    assert accepts("sphere@hayter_msa", "sphere", "hayter_msa")
    assert not accepts("sphere@hayter_msa", "sphere", None)
    assert accepts("sphere?@hardsphere", "sphere", None)
    assert not accepts("sphere?@hardsphere", "sphere", "squarewell")
    assert accepts("sphere", "sphere", "squarewell")
    assert not accepts("sphere", "fuzzy_sphere", None)


def test_measured_top5(rows: list[Score]) -> None:
    assert sum(row.top5 for row in rows if row.kind == "measured") >= 11


def test_measured_group(rows: list[Score]) -> None:
    assert sum(row.group for row in rows if row.kind == "measured") >= 9


def test_calculated_top5(rows: list[Score]) -> None:
    assert all(row.top5 for row in rows if row.kind == "calculated")
