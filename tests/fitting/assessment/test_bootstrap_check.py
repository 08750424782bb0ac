"""Parametric bootstrap: replicates of a right fit are like the measurement, those of a wrong one are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sasnet_plugin.fitting.assessment.assess import assess
from sasnet_plugin.fitting.assessment.bootstrap_check import compare
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import ASSESSMENT
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve

Simulated = Callable[..., Curve]


def _fitted(curve: Curve, bank: Bank, *models: str, **fixed: float) -> list[ModelFit]:
    assert curve.dintensity is not None
    fits = [fit_candidate(Task(curve, curve.dintensity, model, None, 0.5, fixed), bank) for model in models]
    return fits


def test_the_truth_is_like_its_replicates_and_the_same_data_get_the_same_answer(
    simulated: Simulated, bank: Bank
) -> None:
    curve = simulated("core_shell_sphere", {"radius": 60.0, "thickness": 20.0, "background": 0.01})
    assert curve.dintensity is not None
    fits = _fitted(curve, bank, "core_shell_sphere")
    found = assess(curve, curve.dintensity, fits)
    assert found.verification is not None
    replicates = found.verification.replicates
    assert replicates is not None
    assert replicates.count == ASSESSMENT.replicates
    assert replicates.taken >= 0.9 * ASSESSMENT.replicates
    assert replicates.measured_taken
    assert replicates.sentences == ()
    assert found.fits[0].warnings == ()
    assert [note for note in found.notes if "points of q a decade" not in note] == []
    again = assess(curve, curve.dintensity, fits).verification
    assert again is not None
    assert again.as_dict() == found.verification.as_dict()


def test_a_measurement_stands_out_among_replicates_of_a_wrong_fit(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("cylinder", {"radius": 20.0, "length": 300.0, "background": 0.01})
    order = _fitted(curve, bank, "mono_gauss_coil")
    replicates = compare(open_classifier(), curve, curve.dintensity, order[0], np.random.default_rng(2))
    assert replicates is not None
    assert replicates.taken > ASSESSMENT.replicates / 3
    assert not replicates.measured_taken
    assert replicates.probability_quantile < 0.05
    assert any(
        f"{replicates.taken} of {replicates.count} simulated measurements" in s for s in replicates.sentences
    )


def test_a_model_that_the_network_does_not_know_has_no_group(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    own = replace(_fitted(curve, bank, "sphere")[0], model="/models/mine.py")
    replicates = compare(open_classifier(), curve, curve.dintensity, own, np.random.default_rng(3))
    assert replicates is not None
    assert replicates.group == ""
    assert replicates.sentences == ()
