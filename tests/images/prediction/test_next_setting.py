"""Which setting tells most: settings as the user writes them, weights of samples, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.images.sans import prediction
from sasnet_plugin.images.sans.prediction import AdviceSettings, advice, advise, entropy, weights
from sasnet_plugin.images.sans.rings import RINGS, Settings
from sasnet_plugin.images.sans.specification import LABELS
from sasnet_plugin.types import DataError
from tests.images.sans.fitting import rods


class Counter:
    """A network that is as sure as there are counts near the first minimum, and knows balls alone."""

    manifest = SimpleNamespace(calibration={"class": {"temperature": 1.0}})

    def features(self, measurements: Any) -> Any:
        return measurements

    def outputs(self, measurements: Any) -> dict[str, np.ndarray]:
        near = np.abs(np.log(RINGS / 0.1)) < 0.3
        seen = [sum(float(image.counts[near].sum()) for image in one.images) for one in measurements]
        logits = np.zeros((len(seen), len(LABELS)))
        logits[:, 0] = np.log1p(seen)
        return {"class": logits}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction, "ADVICE", AdviceSettings(samples=4, uses=3, kept=8, effective=4.0))


def test_the_setting_that_shows_more_is_expected_to_tell_more() -> None:
    # A detector at 18 m does not see q = 0.1 Å⁻¹; one at 2 m sees it whole.
    found = {
        one.name: one
        for one in advice(
            [rods.rods()], ["distance=2000", "distance=18000"], Counter(), np.random.default_rng(1)
        )
    }
    assert found["distance=2000"].bits > found["distance=18000"].bits
    # A detector nearer by two sees four times the solid angle, of an intensity that falls with q.
    assert found["distance=18000"].counts > 0
    sentences = advise([rods.rods()], ["distance=2000"], Counter())
    assert {text.partition(":")[0] for text in sentences} == {"distance=2000", "counting on"}


def test_what_was_seen_in_another_setting_need_not_be_seen_again() -> None:
    # Balls whose first minimum was counted well already are known: little is left for any setting to tell.
    once = advice([rods.rods()], ["distance=2000"], Counter(), np.random.default_rng(1))
    twice = advice([rods.rods(), rods.rods()], ["distance=2000"], Counter(), np.random.default_rng(1))
    assert max(one.bits for one in twice) < max(one.bits for one in once)
    with pytest.raises(DataError, match="give at most 2 of them"):
        advise([Settings((rods.rods(),) * 3)], ["distance=2000"], Counter())


def test_what_cannot_be_simulated_is_said() -> None:
    image = rods.rods()
    for wanted, said in (("distnce=2", "did you mean distance"), ("mask_file=a", "not a setting")):
        with pytest.raises(DataError, match=said):
            advise([image], [wanted], Counter())
    silent = replace(image, geometry=replace(image.geometry, setting=None))
    with pytest.raises(DataError, match="collimation"):
        advise([silent], ["distance=2000"], Counter())


def test_weights_prefer_what_is_alike_and_leave_enough() -> None:
    simulated = np.random.default_rng(0).normal(size=(400, 3))
    found = weights(np.zeros((1, 3)), simulated)
    assert found.sum() == pytest.approx(1)
    assert 1 / np.sum(found**2) >= 4
    near = np.linalg.norm(simulated, axis=1) < 0.5
    assert found[near].mean() > 3 * found[~near].mean()


def test_entropy_of_even_odds_is_in_bits() -> None:
    assert entropy(np.array([[0.25] * 4, [1.0, 0, 0, 0]])) == pytest.approx([2.0, 0.0], abs=1e-9)
