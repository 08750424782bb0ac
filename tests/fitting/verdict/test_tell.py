"""Three levels and three lines, from results made by hand and from real fits."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from made_results import CURVE, GOOD, SPHERE, WRONG, answer, fitted, p

from sasnet_plugin.fitting.result.verdict import DOES_NOT, DOUBTS, EXPLAINS
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.fitting.verdict.tell import add_verdict, level, verdict

ROD = fitted("cylinder", radius=p(30, 1), length=p(90, 4))
ERROR = {"relative": 0.02, "length_ln_q": 0.1, "noise": 1.0, "background": 0.0, "excuses": True}


def test_green_is_reached_by_good_data_and_yellow_has_a_doubt() -> None:
    good = add_verdict(answer()).verdict
    assert (good.level, good.doubt) == (EXPLAINS, "")
    assert len(good.lines()) == 2
    doubted = add_verdict(answer(SPHERE, ROD, alike=("cylinder",))).verdict
    assert doubted.level == DOUBTS
    assert doubted.lines()[1].startswith("Caution: Another shape")
    assert len(doubted.lines()) == 3
    assert add_verdict(answer(verification=WRONG)).verdict.level == DOES_NOT
    assert add_verdict(answer(verification=replace(WRONG, systematic=ERROR))).verdict.level == DOUBTS
    assert level(answer(fits=()), ()) == DOES_NOT


def test_no_answer_says_two_things_at_once() -> None:
    verifications = (GOOD, WRONG, replace(WRONG, systematic=ERROR), replace(GOOD, runs=-9.0))
    curves = (CURVE, replace(CURVE, dintensity=None), replace(CURVE, file=""))
    for verification, curve, alike in itertools.product(verifications, curves, ((), ("cylinder",))):
        found = verdict(
            answer(SPHERE, ROD, verification=verification, curve=curve, alike=alike), FitOptions()
        )
        assert (found.level == EXPLAINS) == (found.doubts == ())
        assert (found.level == DOES_NOT) == ("Fits the data" not in found.headline)
        assert found.headline.count("its the data") + found.headline.count(" fit the data") == 1
        assert len(found.lines()) <= 3
        assert bool(found.next) == bool(curve.file) == bool(found.purpose)


def _measured(model: str, seed: int, relative: float = 0.02, **parameters: object) -> object:
    from sasmodels.core import load_model
    from sasmodels.direct_model import call_kernel

    from sasnet_plugin.types import Curve

    q = np.geomspace(0.005, 0.3, 100)
    exact = call_kernel(load_model(model).make_kernel([q]), parameters)
    sigma = relative * exact + 1e-4
    return Curve(
        q, exact + sigma * np.random.default_rng(seed).standard_normal(q.size), sigma, file="made.dat"
    )


@pytest.mark.parametrize(
    ("model", "candidates", "parameters", "words"),
    [
        ("sphere", ("sphere", "lamellar"), {"radius": 72.0, "background": 0.01}, "fit: spheres, radius 7"),
        (
            "sphere",
            ("sphere", "lamellar"),
            {
                "radius": 72.0, "scale": 0.01, "background": 0.01, "radius_pd": 0.2, "radius_pd_n": 40,
                "radius_pd_type": "schulz",
            },
            "polydispersity ",
        ),
        ("power_law", ("power_law", "guinier"), {"power": 3.2, "scale": 1e-4}, "exponent 3.2"),
    ],
)  # fmt: skip
def test_everyday_curves_are_green_and_their_values_are_the_truth_s(
    model: str, candidates: tuple[str, ...], parameters: dict[str, object], words: str
) -> None:
    from sasnet_plugin import fit

    found = fit(_measured(model, 3, **parameters), models=candidates, structure_factor="none", workers=1)  # type: ignore[arg-type]
    assert found.verdict.level == EXPLAINS, found.verdict.lines()
    assert words in found.headline
    assert found.verdict.next == "result.plot()"


def test_a_wrong_model_is_red_and_every_model_is_tried_next() -> None:
    from sasnet_plugin import fit

    coil = _measured("mono_gauss_coil", 5, rg=60.0, i_zero=10.0, background=0.01)
    found = fit(coil, models=["lamellar"], structure_factor="none", workers=1)  # type: ignore[arg-type]
    assert found.verdict.level == DOES_NOT
    assert " None of the fitted models fits the data. Nearest: lamellae (lamellar), " in found.headline
    assert found.headline.startswith("Without a model: Rg ")
    assert found.verdict.next == "fit(curve, workers=1)"
    said = found.as_dict()
    assert (said["headline"], said["next"]) == (found.headline, found.verdict.next)
    assert said["doubt"] == found.verdict.doubt != ""
