"""The tags of an image are those of its own network, not of models that its average is compared with."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from sasnet_plugin.domains.sas1d import HEADS as CURVE_HEADS
from sasnet_plugin.images.sans.prediction import AVERAGE
from sasnet_plugin.images.sans.specification import HEADS, LABELS
from sasnet_plugin.images.tagging.worker import Predicted, _answers
from sasnet_plugin.predict.classes import ClassesFinding
from sasnet_plugin.predict.findings import Answer
from sasnet_plugin.web.content import Source


def test_a_sphere_stays_as_likely_as_its_image_says() -> None:
    own = np.where(np.array(LABELS) == "sphere", 0.79, 0.042)
    head = replace(CURVE_HEADS[0], labels=("sphere", "lorentz"))  # type: ignore[type-var]
    average = ClassesFinding(head, np.array([0.1, 0.9]), introduction=AVERAGE)  # type: ignore[arg-type]
    answer = Answer("a.npy", "", 0.99, (ClassesFinding(HEADS[0], own), average))  # type: ignore[arg-type]
    predictor = SimpleNamespace(manifest=SimpleNamespace(heads=HEADS), outcomes=lambda some: [answer])
    image = SimpleNamespace(file="a.npy", entry="")
    (found,) = _answers(predictor, "sans2d@0", Source("a.npy", (1, 1, 1), "0"), [image], 1)
    assert isinstance(found, Predicted)
    assert found.probability["sphere"] == 0.79
