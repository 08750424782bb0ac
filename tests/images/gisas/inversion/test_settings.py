"""The inversion's numbers: each with its reason, and consistent with one another."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from sasnet_plugin.images.gisas.inversion import INDEX, INVERSION, PARAMETERS, list_search_values


def test_each_number_says_why() -> None:
    for field in fields(INVERSION):
        assert field.metadata["why"].endswith((".", ")"))


def test_what_is_searched_lies_within_what_a_fit_may_reach() -> None:
    for name in INVERSION.search_steps:
        tried, (low, high) = list_search_values(name), PARAMETERS[INDEX[name]].limits()
        assert low <= min(tried) < max(tried) <= high


def test_shares_of_moves_leave_one_for_the_last_kind() -> None:
    assert 0 < np.sum(INVERSION.moves) < 1
    assert 0 < INVERSION.well_explained < INVERSION.significant
