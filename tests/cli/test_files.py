"""Data sets as a command meets them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sasnet_plugin.cli import files
from sasnet_plugin.cli.files import time_outcomes


def test_only_the_time_that_a_data_set_took_to_come_is_charged_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(files.time, "monotonic", lambda: now[0])

    def found() -> Iterator[tuple[str, int]]:
        yield "first.dat", 1
        now[0] += 3.0
        yield "slow.dat", 2
        yield "last.dat", 3

    passed = {}
    for path, _, seconds in time_outcomes(found(), start_time=990.0):
        passed[path] = seconds
        now[0] += 50.0  # it is fitted and its report written: that is no reading of the next
    assert passed == {"first.dat": 10.0, "slow.dat": 3.0, "last.dat": 0.0}
