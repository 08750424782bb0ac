"""What differential evolution would cost if it were not stopped, and what another machine costs."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.fitting.report import pace, sampled, uncut


def _row(seconds: float, steps: int, late: bool) -> dict[str, Any]:
    return {"seconds": seconds, "steps": steps, "late": late, "success": not late}


def test_what_was_cut_goes_on_at_its_pace_and_what_ended_does_not() -> None:
    rows = [_row(10.0, 500, False), _row(30.0, 20, True), _row(30.0, 400, True), _row(30.0, 0, True)]
    assert uncut(rows, 200) == pytest.approx((10.0 + 300.0 + 30.0 + 600.0) / 4)


def test_a_sample_that_went_on_stands_for_all_that_were_stopped() -> None:
    rows = [_row(10.0, 500, False), *(_row(30.0, 20, True) for _ in range(9))]
    longer = [_row(200.0, 90, False), _row(400.0, 80, True)]
    mean, error = sampled(rows, longer)
    assert mean == pytest.approx((10.0 + 9 * 300.0) / 10)
    # Of a sample without replacement: standard deviation 141.4, two of nine.
    assert error == pytest.approx(0.9 * 141.42 / 2**0.5 * (7 / 9) ** 0.5, rel=1e-3)
    assert sampled(rows, [_row(300.0, 1, True)] * 9)[1] == pytest.approx(0.0, abs=1e-9)


def test_another_machine_is_compared_by_fits_that_end_alike() -> None:
    rows = [{"index": i, "seconds": 2.0 + i, "reduced_chisq": 1.5} for i in range(4)]
    again = [r | {"seconds": 1.6 * r["seconds"]} for r in rows[:3]]
    elsewhere = [rows[3] | {"seconds": 90.0, "reduced_chisq": 1.2}]
    assert pace(rows, again + elsewhere) == (pytest.approx(1.6), 3)
    assert pace(rows, elsewhere) == (1.0, 0)
    assert pace([], again) == (1.0, 0)
