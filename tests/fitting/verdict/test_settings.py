"""Each number of the verdict stands in relation to what it decides."""

from __future__ import annotations

from dataclasses import fields

from sasnet_plugin.fitting.settings import ASSESSMENT
from sasnet_plugin.fitting.verdict.settings import VERDICT, VerdictSettings


def test_each_has_a_reason() -> None:
    assert [f.name for f in fields(VerdictSettings) if not f.metadata.get("why")] == []


def test_what_is_near_is_nearer_than_what_is_hidden() -> None:
    assert 1 < ASSESSMENT.worse < VERDICT.nearer < ASSESSMENT.hopeless
    assert 0 < VERDICT.comparable < ASSESSMENT.likely < 1
