"""Whether an earlier plan held: which curve is the new one, and when nothing can be said."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.sample_result import SampleResult
from sasnet_plugin.planning.prediction import prediction_held
from sasnet_plugin.types import Curve

_Q = np.geomspace(0.01, 0.1, 40)


def _intensity(q: np.ndarray, scale: float = 1.0) -> np.ndarray:
    return np.asarray(scale * np.exp(-((40 * q) ** 2) / 5) + 0.01)


def _curve(name: str, q: np.ndarray = _Q, seed: int = 0) -> Curve:
    clean = _intensity(q)
    error = 0.01 * clean
    return Curve(q, clean + error * np.random.default_rng(seed).standard_normal(q.size), error, file=name)


def _result(*curves: Curve, solvents: list[float] | None = None) -> Any:
    known = {} if solvents is None else {"solvents": {str(i + 1): s for i, s in enumerate(solvents)}}
    sample = sample_of(curves, known or {"kind": "settings"})
    best = Mock(weight=0.97)
    best.name = "sphere"
    dintensities = tuple(curve.dintensity for curve in curves)
    return Mock(spec=SampleResult, sample=sample, dintensities=dintensities, best=best)


def _plan(**more: Any) -> dict[str, Any]:
    predicted = {
        "q": _Q.tolist(), "error": (0.01 * _intensity(_Q)).tolist(), "chance": 0.95,
        "intensity": {"sphere": _intensity(_Q).tolist(), "larger sphere": _intensity(2 * _Q).tolist()},
    }  # fmt: skip
    return {"files": ["a.dat"], "predictions": {**predicted, **more}}


@pytest.mark.parametrize("names", [("a.dat", "new.dat"), ("new.dat", "a.dat")])
def test_the_new_curve_is_the_one_that_the_plan_did_not_follow(names: tuple[str, str]) -> None:
    curves = [_curve(name, seed=i) for i, name in enumerate(names)]
    said = prediction_held(_plan(), _result(*curves))
    assert "as predicted for sphere (reduced χ² " in said
    assert "Now sphere leads with a probability of 97 %" in said
    wrong = _plan(intensity={"larger sphere": _intensity(2 * _Q).tolist()})
    assert "The plan did not hold" in prediction_held(wrong, _result(*curves))


def test_a_lead_below_the_expected_one_and_another_leader_are_named() -> None:
    result = _result(_curve("a.dat"), _curve("new.dat", seed=1))
    result.best.weight = 0.65
    said = prediction_held(_plan(), result)
    assert "it decides less than planned" in said
    assert "a chance of 95 % to lead" in said
    assert "only 65 %" in said
    result.best.name = "larger sphere"
    assert "predicted this curve for sphere, not for larger sphere" in prediction_held(_plan(), result)


def test_what_cannot_be_compared_is_not_said_to_agree() -> None:
    old = _curve("a.dat")
    elsewhere = _curve("new.dat", np.geomspace(0.2, 0.4, 30))
    assert "too few points at the q of the plan" in prediction_held(_plan(), _result(old, elsewhere))
    other = _result(old, _curve("new.dat", seed=1), solvents=[6.36, -0.56])
    assert "another solvent than planned" in prediction_held(_plan(solvent=4.0), other)
    assert "as predicted for" in prediction_held(_plan(solvent=-0.5), other)
    alone = Mock(spec=FitResult)
    assert "together with the earlier ones" in prediction_held(_plan(), alone)
    assert prediction_held(None, alone) == ""
