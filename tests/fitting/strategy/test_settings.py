"""Settings of the strategy agree with one another: shares of one time, one value for one idea."""

from __future__ import annotations

from dataclasses import fields

import pytest

from sasnet_plugin.fitting.settings import PROBLEM, START_VALUES
from sasnet_plugin.fitting.strategy.settings import STRATEGY


def test_shares_are_parts_of_a_whole() -> None:
    for name in (f.name for f in fields(STRATEGY) if f.metadata["unit"] == "share"):
        value = getattr(STRATEGY, name)
        assert all(0 < part < 1 for part in (value if isinstance(value, tuple) else (value,))), name


def test_what_follows_in_a_search_has_more_of_the_time_and_fewer_starts() -> None:
    shares = [step.share for step in (STRATEGY.rough, STRATEGY.coarse, STRATEGY.fine)]
    assert shares == sorted(shares)
    assert all(0 < share < 1 for share in shares)
    assert 0 < START_VALUES.finalists < START_VALUES.semifinalists < START_VALUES.starts


@pytest.mark.parametrize("cost", ["fast", "medium", "slow"])
def test_first_steps_are_calculated_at_no_more_points_than_the_last(cost: str) -> None:
    assert PROBLEM.sparse <= PROBLEM.finest_by_cost[cost] <= 4 * PROBLEM.finest


def test_a_candidate_is_left_the_sooner_where_another_explains_the_curve() -> None:
    for explained, gain in zip(STRATEGY.gain_explained, STRATEGY.gain, strict=True):
        assert explained < gain
    assert STRATEGY.gain[1] < STRATEGY.gain[0]
