"""The whole answer: the best fit, and what it says as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from made_results import weighing

from sasnet_plugin.fitting.optimize.refine_best import posterior_of
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.result.reported_values import describe_value
from sasnet_plugin.types import Curve, SasnetError

N = 90
CURVE = Curve(np.geomspace(0.01, 0.3, N), np.full(N, 2.2), np.full(N, 0.1), file="a.dat")


def _result(*fits: ModelFit) -> FitResult:
    assert CURVE.dintensity is not None
    return FitResult(CURVE, CURVE.dintensity, fits, notes=("One note.",))


def test_json_has_every_fit_with_values_errors_and_units() -> None:
    said = json.loads(json.dumps(_result(weighing("sphere", 0.7), weighing("vesicle", 0.3)).as_dict()))
    assert (said["file"], said["best"], said["notes"]) == ("a.dat", "sphere", ["One note."])
    assert [fit["model"] for fit in said["fits"]] == ["sphere", "vesicle"]
    assert said["fits"][0]["parameters"]["radius"] == {
        "value": 56.61, "error": 1.24, "unit": "Ang", "fixed": False
    }  # fmt: skip


def test_json_says_that_a_value_is_not_determined_as_the_terminal_does() -> None:
    fit = weighing("sphere", 1.0)
    radius = replace(fit.parameters["radius"], error=1.1 * fit.parameters["radius"].value)
    unknown = replace(fit, parameters={**fit.parameters, "radius": radius})
    assert _result(unknown).as_dict()["fits"][0]["parameters"]["radius"]["determined"] is False
    assert describe_value("radius", radius).startswith("radius not determined (")


def test_the_table_has_a_row_for_each_fit_and_the_terminal_shows_the_same() -> None:
    result = _result(weighing("sphere", 0.7, "hardsphere"), weighing("cylinder", 0.3))
    assert [row["weight"] for row in result.table()] == [0.7, 0.3]
    assert result.__rich__().row_count == 2


def test_intervals_are_said_where_there_are_samples() -> None:
    chains = np.random.default_rng(1).normal(56.6, 1.2, (400, 10, 1))
    posterior = posterior_of(("radius",), chains, np.random.default_rng(2))
    fit = weighing("sphere", 1.0)
    sampled = ModelFit(**{**vars(fit), "posterior": posterior})
    low, high = _result(sampled).as_dict()["fits"][0]["parameters"]["radius"]["interval68"]
    assert high - low == pytest.approx(2 * 1.2, rel=0.05)
    assert "interval68" not in _result(fit).as_dict()["fits"][0]["parameters"]["radius"]


def test_without_fits_or_samples_there_is_nothing_to_draw() -> None:
    assert _result().best is None
    assert _result().as_dict()["best"] is None
    with pytest.raises(SasnetError, match="dream"):
        _result(weighing("sphere", 1.0)).corner()
