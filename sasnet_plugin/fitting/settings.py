"""Every number that decides something in a fit: its value, unit and why; docs' tables are made from it.

One frozen dataclass of constants for each room, with one instance in capitals. A number that two rooms need
stands here once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def setting(value: Any, why: str, unit: str = "") -> Any:
    """A field with its default, unit and reason, as `dataclasses.fields` gives them back in ``metadata``."""
    return field(default=value, metadata={"unit": unit, "why": why})


@dataclass(frozen=True)
class PoolSettings:
    """Of the processes that fit."""

    planned: float = setting(
        0.7, "Of the time left is planned for; the rest is for what takes longer than it should.", "share"
    )
    asks: float = setting(0.1, "Between two questions whether the answers are still wanted.", "s")


POOL = PoolSettings()
