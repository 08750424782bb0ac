"""Every number that decides has a reason, and one that two rooms share stands once."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import pytest

from sasnet_plugin.fitting import settings
from sasnet_plugin.fitting.strategy import settings as strategy

GROUPS = [
    each
    for module in (settings, strategy)
    for each in vars(module).values()
    if is_dataclass(each) and not isinstance(each, type)
]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: type(group).__name__)
def test_each_setting_says_why(group: object) -> None:
    for field in fields(group):  # type: ignore[arg-type]
        assert field.metadata["why"].endswith("."), field.name
        assert "unit" in field.metadata


def test_settings_cannot_be_changed_by_one_who_reads_them() -> None:
    with pytest.raises(AttributeError):
        settings.ASSESSMENT.significant = 2.0  # type: ignore[misc]


def test_values_by_cost_class_and_shares_are_what_they_say() -> None:
    found = strategy.STRATEGY
    assert (
        found.sampling["fast"] == settings.PROBLEM.fine >= found.sampling["medium"] >= found.sampling["slow"]
    )
    for name in (f.name for f in fields(found) if f.metadata["unit"] == "share"):
        value = getattr(found, name)
        assert all(0 < part < 1 for part in (value if isinstance(value, tuple) else (value,))), name
    assert 0 < settings.POOL.planned < 1
