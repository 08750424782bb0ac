"""Real data sets with expert answers: never in training or tuning, looked at here alone.

The marks to reach are in benchmarks/curves/real_answers.py, whose table says which are missed; here a change
that answers worse than that table fails.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.curves.real_answers import Score, accepts, counts, recorded, score, table


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


def test_every_data_set_is_answered(rows: list[Score]) -> None:
    assert [sum(row.kind == kind for row in rows) for kind in ("measured", "calculated")] == [12, 9]


def test_sets_are_answered_no_worse_than_on_record(rows: list[Score], repository: Path) -> None:
    before = recorded(repository / "benchmarks" / "curves" / "real_answers.md")
    now = counts(rows)
    for key, value in before.items():
        assert now[key] >= value, key
