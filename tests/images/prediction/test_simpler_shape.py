"""A simpler shape that an image does not exclude is named."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.images.sans.prediction import _find_simpler
from sasnet_plugin.images.sans.specification import HEADS, LABELS
from sasnet_plugin.predict.classes import ClassesFinding
from sasnet_plugin.predict.findings import Answer


def caution_of(known: bool = True, **shares: float) -> str:
    finding = ClassesFinding(HEADS[0], np.array([shares.get(name, 0.0) for name in LABELS]))
    return _find_simpler(Answer("a.tif", "", 1.0, (finding,), known=known), finding)


def test_a_sphere_that_is_not_excluded_is_a_caution_of_core_and_shell() -> None:
    assert caution_of(core_shell_sphere=0.67, sphere=0.33).startswith(
        "The simpler sphere is not excluded (33 %). Prefer it"
    )


@pytest.mark.parametrize(
    ("known", "shares"),
    [
        (True, {"sphere": 0.6, "core_shell_sphere": 0.4}),
        (True, {"core_shell_sphere": 0.99, "sphere": 0.01}),
        (False, {"core_shell_sphere": 0.6, "sphere": 0.4}),
    ],
)
def test_else_nothing_is_said(known: bool, shares: dict[str, float]) -> None:
    assert caution_of(known, **shares) == ""


def test_a_caution_comes_once_and_before_the_notes() -> None:
    said = Answer("a.tif", "", 1.0, (), notes=("Think again.", "Noted."), caution="Think again.").sentences()
    assert [text for text in said if "Think" in text] == ["Caution: Think again."]
    assert said[-1] == "Note: Noted."
