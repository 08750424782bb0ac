"""Right intervals cover what they say, and wrong ones are seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.fitting.sbc import MODELS, covered, picture, ranks, solve, table, uncertainty


def _rows(count: int, stated: float, rng: np.random.Generator, shift: float = 0.0) -> list[dict[str, Any]]:
    """Answers whose errors are `stated` times the right ones, and whose values are off by `shift` errors."""
    rows = []
    for index in range(count):
        values = {
            name: [float(truth + (rng.standard_normal() + shift) * error), stated * error, truth]
            for name, truth, error in (("radius", 50.0, 0.5), ("length", 400.0, 10.0))
        }
        form = MODELS[index % 12]
        rows.append({"index": index, "form": form, "model": form, "success": True, "explains": True})
        rows[-1]["values"] = values
    return rows


def test_right_errors_cover() -> None:
    rows = _rows(1000, 1.0, np.random.default_rng(1))
    places = ranks(rows)
    assert places.size == 2000
    for share in (0.5, 0.9):
        spread = np.sqrt(share * (1 - share) / 2000)
        assert covered(places, share) == pytest.approx(share, abs=4 * spread)
        assert uncertainty(rows, share) == pytest.approx(spread, rel=0.3)


def test_errors_half_as_large_as_they_should_be_cover_less() -> None:
    places = ranks(_rows(1000, 0.5, np.random.default_rng(1)))
    assert covered(places, 0.9) == pytest.approx(0.589, abs=0.05)


def test_values_without_an_error_are_counted_apart(tmp_path: Path) -> None:
    rows = _rows(24, 1.0, np.random.default_rng(1), shift=2.0)
    rows[0]["values"]["radius"][1] = None
    rows[1]["values"] = {}
    rows[2]["values"]["length"][1] = 1e8
    rows[3]["explains"] = False  # it claims nothing
    assert ranks(rows).size == 42
    page = table({"all": rows})
    assert "| all | 24 | 24 | 23 | 44 | 2 |" in page
    assert np.mean(ranks(rows)) < 0.2
    picture({"all": rows}, tmp_path / "sbc.svg")
    assert (tmp_path / "sbc.svg").stat().st_size < 100_000


@pytest.mark.slow
def test_the_truth_of_a_curve_is_put_beside_the_fit() -> None:
    row = solve("sbc-exact-named", 9, 2026)
    assert row["success"]
    assert row["form"] == "guinier_porod"
    for value, error, truth in row["values"].values():
        assert abs(value - truth) < 6 * error
    assert "scale" not in row["values"]
