"""The whole answer where nothing explains the data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sasnet_plugin.fitting.assessment.assess import assess
from sasnet_plugin.fitting.assessment.excused import NONE_EXPLAINS
from sasnet_plugin.fitting.result.verdict import DOES_NOT
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.fitting.verdict.tell import told
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve

Simulated = Callable[..., Curve]


def test_none_explains_two_models_and_bragg_peaks_together(simulated: Simulated, bank: Bank) -> None:
    coil = simulated("mono_gauss_coil", {"i_zero": 10.0, "rg": 150.0})
    q = coil.q
    stack = np.exp(-0.5 * ((q - 0.11) / 0.004) ** 2) + 0.5 * np.exp(-0.5 * ((q - 0.22) / 0.006) ** 2)
    balls = simulated("sphere", {"radius": 25.0}).intensity
    exact = coil.intensity + 3 * balls / balls.max() + stack
    sigma = 0.02 * exact
    curve = Curve(q, exact + sigma * np.random.default_rng(4).standard_normal(q.size), sigma, dq=coil.dq)
    models = ("sphere", "mono_gauss_coil", "teubner_strey", "lamellar")
    fits = [fit_candidate(Task(curve, sigma, model, None, 0.5), bank) for model in models]
    result = assess(curve, sigma, fits)
    assert not result.verified
    assert NONE_EXPLAINS in result.notes
    assert result.verification is not None
    assert result.verification.chisq_quantile > 0.999
    assert result.best is not None
    assert any("not random" in w for w in result.best.warnings)
    assert told(result).verdict.level == DOES_NOT
    assert result.as_dict()["verification"]["worst_q"] == list(result.verification.worst)
