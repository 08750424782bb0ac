"""The inversion behind an answer: what it puts in the network's place, and whom it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.images.gisas import inversion as orientation_answer
from sasnet_plugin.images.gisas.inversion import (
    NOT_FITTED,
    OrientationGuess,
    OrientationResult,
    guess_of,
    refine_answer,
)
from sasnet_plugin.images.gisas.specification import GISAS_HEX, HEADS
from sasnet_plugin.predict import Answer
from sasnet_plugin.predict.findings import DistributionFinding, QuantitiesFinding, Value
from sasnet_plugin.types import Image

P = np.full(120, 1 / 120)


@pytest.fixture
def answer() -> Answer:
    distribution = DistributionFinding(HEADS[0], P, 0.5 * P, 2 * P, 0.4)
    quantities = QuantitiesFinding(HEADS[1], {"lattice": Value(350.0, 2.0, 346.7, 353.3, "Å")})
    return Answer("film.tif", "", 0.9, (distribution, quantities), keys=GISAS_HEX.keys)


def test_a_pattern_of_another_kind_is_not_fitted(measured: Callable[..., Image], answer: Answer) -> None:
    outside = replace(answer, in_scope=0.3, known=False, notes=("outside",))
    assert refine_answer(measured(P), outside).notes == ("outside", NOT_FITTED)


@pytest.mark.parametrize("found", [0.9, 0.2])
def test_what_a_network_doubts_is_decided_by_the_fit(
    answer: Answer, monkeypatch: pytest.MonkeyPatch, measured: Callable[..., Image], found: float
) -> None:
    began: list[OrientationGuess] = []

    def inverted(image: Image, guess: OrientationGuess, **_: object) -> OrientationResult:
        began.append(guess)
        alike = np.full(120, 1 / 120)
        return OrientationResult(
            guess.xi, P, P, P, {"lattice": (351.0, 1.0, "Å")}, 0.5, 9.0, 9.0, 1.0, 9, image,
            image.counts, image.counts, alike, True, in_scope=found, notes=(*guess.notes, "fitted"),
        )  # fmt: skip

    monkeypatch.setattr(orientation_answer, "invert", inverted)
    silent = tuple(one.silence() for one in answer.findings)
    notes = ("cut", answer.scope.outside)
    doubted = replace(answer, known=False, findings=silent, unsaid=answer.findings, notes=notes)
    said = refine_answer(measured(P), doubted)
    assert began[0].geometry == {"lattice": (350.0, 2.0)}
    assert (said.known, said.in_scope) == (found > 0.5, found)
    # Only one of the two says that it is no pattern of the kind.
    assert (answer.scope.outside in said.notes) == (found < 0.5)
    assert "fitted" in said.notes


def test_a_fit_starts_from_what_the_network_said(answer: Answer) -> None:
    guess = guess_of(answer)
    assert guess.geometry == {"lattice": (350.0, 2.0)}
    np.testing.assert_array_equal(guess.p, P)
    assert (guess.file, guess.in_scope, guess.uniform_p_value) == ("film.tif", 0.9, 0.4)
    assert answer.as_dict()["deviance"] is None
