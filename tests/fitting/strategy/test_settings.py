"""Settings of the strategy agree with one another: shares of one time, one value for one idea."""

from __future__ import annotations

from dataclasses import fields

import pytest

from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.fitting.strategy.settings import STRATEGY, Pass


def test_shares_are_parts_of_a_whole() -> None:
    for name in (f.name for f in fields(STRATEGY) if f.metadata["unit"] == "share"):
        value = getattr(STRATEGY, name)
        assert all(0 < part < 1 for part in (value if isinstance(value, tuple) else (value,))), name


def test_what_follows_in_a_search_has_no_less_of_the_time() -> None:
    steps = (STRATEGY.first, STRATEGY.first_widths, STRATEGY.second, STRATEGY.widths, STRATEGY.late_widths)
    assert [step.share for step in steps] == sorted(step.share for step in steps)
    assert all(isinstance(step, Pass) and 0 < step.share < 1 for step in steps)
    assert STRATEGY.all_points.share + STRATEGY.more_points.share < 1


@pytest.mark.parametrize("cost", ["fast", "medium", "slow"])
def test_first_steps_are_calculated_at_no_more_points_than_the_last(cost: str) -> None:
    assert STRATEGY.first_sampling[cost] <= STRATEGY.sampling[cost] <= STRATEGY.finest[cost]
    assert STRATEGY.finest[cost] <= PROBLEM.sharpest
    assert STRATEGY.finalists[cost] <= STRATEGY.followed[cost]


def test_a_candidate_is_left_the_sooner_the_better_another_explains_the_curve() -> None:
    limits = (STRATEGY.limits_explained, STRATEGY.limits_nearly, STRATEGY.limits_unexplained, STRATEGY.limits)
    for first, second in zip(limits[:-1], limits[1:], strict=True):
        assert first[0] <= second[0]
        assert first[1] < second[1]
