"""What differential evolution would cost if it were not stopped."""

from __future__ import annotations

from typing import Any

import pytest
from fitting_report import table, uncut


def _row(seconds: float, steps: int, late: bool) -> dict[str, Any]:
    return {"seconds": seconds, "steps": steps, "late": late, "success": not late}


def test_what_was_cut_goes_on_at_its_pace_and_what_ended_does_not() -> None:
    rows = [_row(10.0, 500, False), _row(30.0, 20, True), _row(30.0, 400, True), _row(30.0, 0, True)]
    assert uncut(rows, 200) == pytest.approx((10.0 + 300.0 + 30.0 + 600.0) / 4)


def test_the_table_says_who_was_stopped_and_who_was_not_run() -> None:
    rows = [_row(10.0, 500, False), _row(30.0, 10, True)]
    text = table({"amoeba": rows, "de": rows}, 0)
    assert "| 50.0 | 20.0 | 20.0 | 1.00 |" in text
    assert "stopped after 30 CPU-seconds in 1 of 2 problems, there after 10 generations" in text
    assert "the mean would be about 305 s (not measured)" in text
    assert "Not run yet: sasnet" in text
