"""Evidence of whole sets of fits: comparable between sets, as χ² over the least of a set is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.fitting.assessment.evidence import log_evidence
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.types import Curve

Q = np.geomspace(0.01, 0.5, 200)
CLEAN = 1.0 / (1 + (Q / 0.05) ** 2) ** 2 + 1e-3
STATED = 0.01 * CLEAN


def of(curve: Curve, theory: np.ndarray, free: int, probability: float = 0.5) -> ModelFit:
    chisq = float(np.sum(((curve.intensity - theory) / STATED) ** 2))
    bic = chisq + free * np.log(Q.size)
    return ModelFit("sphere", None, {}, {}, chisq, chisq / (Q.size - free), bic, probability, 0.1, theory)


@pytest.fixture
def curve() -> Curve:
    noise = np.random.default_rng(3).standard_normal(Q.size)
    return Curve(Q, CLEAN + STATED * noise, STATED)


def test_a_worse_fit_beside_it_changes_nothing(curve: Curve) -> None:
    right, wrong = of(curve, CLEAN, 4), of(curve, CLEAN * (Q / 0.05) ** 0.1, 4)
    assert log_evidence(curve, STATED, [right, wrong]) == log_evidence(curve, STATED, [right])
    assert log_evidence(curve, STATED, [wrong]) < log_evidence(curve, STATED, [right]) - 20
    assert log_evidence(curve, STATED, []) == -np.inf


def test_a_parameter_costs_what_bic_asks_and_the_prior_counts(curve: Curve) -> None:
    few, more = of(curve, CLEAN, 4), of(curve, CLEAN, 6)
    less = log_evidence(curve, STATED, [few]) - log_evidence(curve, STATED, [more])
    assert less == pytest.approx(np.log(Q.size))
    rare = replace(few, probability=0.05)
    assert log_evidence(curve, STATED, [few]) - log_evidence(curve, STATED, [rare]) == pytest.approx(
        np.log(10)
    )


def test_a_smooth_error_of_some_per_cent_costs_far_less_than_its_chi_squared(curve: Curve) -> None:
    """A model with parameters to spare takes it up: to χ² alone it would be certain."""
    off = Curve(Q, curve.intensity * (1 + 0.03 * np.sin(2 * np.log(Q))), STATED)
    simple, bent = of(off, CLEAN, 4), of(off, CLEAN * (1 + 0.03 * np.sin(2 * np.log(Q))), 9)
    lost = log_evidence(off, STATED, [bent]) - log_evidence(off, STATED, [simple])
    assert simple.chisq - bent.chisq > 700
    assert abs(lost) < 20
