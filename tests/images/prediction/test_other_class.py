"""What is said of an image of a shape that the network does not know, and of models of its average."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.domains.heads import Group, Scope
from sasnet_plugin.domains.sas1d import HEADS as CURVE_HEADS
from sasnet_plugin.images.sans.prediction import AVERAGE
from sasnet_plugin.images.sans.specification import HEADS, LABELS
from sasnet_plugin.predict.classes import ClassesFinding
from sasnet_plugin.predict.findings import Answer
from sasnet_plugin.report.summaries import summarise_in_one_line

SCOPE = next(head for head in HEADS if isinstance(head, Scope))


def answer(likeliest: str, *more: ClassesFinding, known: bool = True) -> Answer:
    """An answer that is as sure as can be of a class."""
    probability = np.where(np.array(LABELS) == likeliest, 0.995, 0.001)
    finding = ClassesFinding(HEADS[0], probability)  # type: ignore[arg-type]
    return Answer("image.npy", "", 0.995, (finding, *more), scope=SCOPE, known=known)


@pytest.fixture
def undecided() -> ClassesFinding:
    """Two groups of models of a curve, as likely as each other."""
    from dataclasses import replace

    groups = (Group("spheres", ("sphere",)), Group("networks", ("lorentz",)))
    head = replace(CURVE_HEADS[0], labels=("sphere", "lorentz"), groups=groups)  # type: ignore[type-var]
    return ClassesFinding(head, np.array([0.52, 0.48]), introduction=AVERAGE)  # type: ignore[arg-type]


def test_no_sentence_says_that_an_unknown_shape_is_known() -> None:
    said = answer("unknown").sentences()
    assert "another shape" in said[0].lower()
    assert not any("kind that this model knows" in one or "unknown" in one for one in said)
    assert "another shape" in summarise_in_one_line(answer("unknown"))


def test_what_is_outside_is_given_no_name() -> None:
    outside = answer("unknown", known=False)
    assert outside.sentences()[0] == SCOPE.outside
    assert not any("If it is one of the known kinds" in one for one in outside.sentences())
    assert summarise_in_one_line(outside) == "no known model"
    assert "sphere" in summarise_in_one_line(answer("sphere", known=False)), "as before"


def test_models_of_the_average_are_said_to_be_that(undecided: ClassesFinding) -> None:
    said = answer("sphere", undecided).sentences()
    (shapes,) = (one for one in said if one.startswith("sphere"))
    assert f"of {len(LABELS) - 1} shapes" in shapes, "of so few it is sure"
    (average,) = (one for one in said if "clearly preferred" in one)
    assert average.startswith(AVERAGE)
