"""The nouns of a fit: they go to other processes as they are, and refuse what makes no sense."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.request import FitRequest
from sasnet_plugin.fitting.task import Budget, Contrast, FitOptions, LateError, Start, Task
from sasnet_plugin.types import Curve, SasnetError

CURVE = Curve(np.geomspace(0.01, 0.1, 20), np.ones(20), np.full(20, 0.1))


def test_a_budget_within_another_has_no_more_time_and_the_better_fit_to_beat() -> None:
    assert Budget(8.0, 2.0).limit_by(Budget(3.0, 5.0)) == Budget(3.0, 2.0)
    assert Budget(8.0).limit_by(Budget()) == Budget(8.0)


def test_all_that_is_sent_to_another_process_comes_back_the_same() -> None:
    assert CURVE.dintensity is not None
    task = Task(CURVE, CURVE.dintensity, "sphere", "hardsphere", fixed={"sld": 4.0})
    sent = pickle.loads(pickle.dumps(task))
    assert (sent.name, sent.fixed) == ("sphere@hardsphere", task.fixed)
    options = FitOptions(models=("sphere",), contrast=Contrast(3.5, None), start=Start("sphere", None, {}))
    assert pickle.loads(pickle.dumps(options)) == options
    late = pickle.loads(pickle.dumps(LateError("sphere")))
    assert (late.name, str(late)) == ("sphere", str(LateError("sphere")))


def test_materials_settle_what_a_start_would_fix() -> None:
    start = Start("sphere", "hardsphere", {"radius": 40.0, "sld": 3.0}, {"sld": 3.0})
    assert start.drop_fixed(["sld", "sld_solvent"]).fixed == {}
    assert start.drop_fixed([]).fixed == {"sld": 3.0}


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ({"method": "simplex"}, "simplex: no such method"),
        ({"method": "dream", "samples": 0}, "samples must be a whole number between 1 and 10000000, not 0"),
        ({"method": "dream", "samples": 20_000_000}, "samples must be"),
        ({"method": "dream", "burn": -1}, "burn must be a whole number of at least 0, not -1"),
        ({"method": "de", "samples": 100}, "these options need"),
    ],
)
def test_a_method_that_makes_no_sense_is_refused(method: dict[str, Any], said: str) -> None:
    with pytest.raises(SasnetError, match=said):
        FitRequest(**method)
