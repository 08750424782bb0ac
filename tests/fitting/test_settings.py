"""The numbers that decide something in a fit: each with its reason, and consistent with one another."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import pytest

from sasnet_plugin.fitting import settings
from sasnet_plugin.fitting.settings import EVIDENCE, PROBLEM
from sasnet_plugin.fitting.strategy.settings import STRATEGY

ROOMS = [
    *(value for name, value in vars(settings).items() if name.isupper() and is_dataclass(value)),
    EVIDENCE,
    STRATEGY,
]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: type(room).__name__)
def test_each_number_says_why(room: object) -> None:
    for field in fields(room):  # type: ignore[arg-type]
        assert field.metadata["why"].endswith((".", ")", "…"))


def test_expensive_models_get_less() -> None:
    for room in ROOMS:
        for field in fields(room):
            value = getattr(room, field.name)
            if isinstance(value, dict) and "points" in field.name:
                assert value["fast"] >= value["medium"] >= value["slow"]


def test_finer_is_more_points() -> None:
    assert PROBLEM.sparse < PROBLEM.fine < PROBLEM.finest < PROBLEM.finest_by_cost["fast"]
