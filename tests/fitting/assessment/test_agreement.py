"""A fit that is not what the network expected says so, and why; one that is says nothing."""

from __future__ import annotations

import numpy as np

from sasnet_plugin.fitting.assessment.agreement import disagreement
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.types import GroupGuess, Suggestion

ROUND, LONG = GroupGuess("spheres", ("sphere", "vesicle"), 0.2), GroupGuess("rods", ("cylinder",), 0.71)
CLASSIFIED = Suggestion("a.dat", "", (), (LONG, ROUND), 0.9)


def _fit(model: str, chisq: float) -> ModelFit:
    return ModelFit(model, None, {}, {}, 60 * chisq, chisq, 60 * chisq, 0.5, 0.1, np.ones(60))


def test_what_the_network_expected_is_named_with_its_chisq() -> None:
    (said,) = disagreement(CLASSIFIED, [_fit("sphere", 1.1), _fit("cylinder", 4.25)], True, 0.5)
    assert said == (
        "The network expects “rods” (71 %), the fits say sphere: of these cylinder comes nearest, with"
        " reduced χ² 4.25 against 1.1."
    )
    (alone,) = disagreement(CLASSIFIED, [_fit("sphere", 1.1)], True, 0.5)
    assert "none of these was fitted" in alone


def test_what_no_model_was_likely_for_and_was_explained_is_said() -> None:
    (said,) = disagreement(CLASSIFIED, [_fit("cylinder", 1.1)], True, 0.95)
    assert "no known model is likely (90 %)" in said


def test_agreement_and_a_failure_say_nothing() -> None:
    assert disagreement(CLASSIFIED, [_fit("cylinder", 1.1)], True, 0.5) == ()
    assert disagreement(CLASSIFIED, [_fit("sphere", 40.0)], False, 0.95) == ()
    assert disagreement(CLASSIFIED, [_fit("mine.py", 1.0)], True, 0.5) == ()
    assert disagreement(CLASSIFIED, [], False, 0.5) == ()
