"""Calibration recovers temperatures and odds that are put in."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.domains.heads import Scope
from sasnet_plugin.predict.decoding import calibrate, fit_platt, fit_temperature, scope_threshold
from sasnet_plugin.train.metrics import compute_calibration_error


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_temperature_of_overconfident_logits_is_found(temperature: float) -> None:
    rng = np.random.default_rng(3)
    honest = rng.normal(0, 2, (8000, 6))
    truth = (_softmax(honest).cumsum(axis=1) > rng.random((8000, 1))).argmax(axis=1)
    stated = honest * temperature
    found = fit_temperature(stated, truth)
    assert found == pytest.approx(temperature, rel=0.06)
    p = _softmax(stated / found)
    assert compute_calibration_error(p.max(axis=1), p.argmax(axis=1) == truth) < 0.02


def test_platt_gives_even_odds_where_both_are_alike() -> None:
    rng = np.random.default_rng(4)
    logit = np.concatenate([rng.normal(1, 1, 6000), rng.normal(-1, 1, 2000)])
    truth = np.concatenate([np.ones(6000), np.zeros(2000)])
    slope, offset = fit_platt(logit, truth)
    # Two unit normals at ±1, equally weighted: the log odds are exactly 2 x.
    assert slope == pytest.approx(2, rel=0.1)
    assert offset == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("refused", [0.02, 0.05])
def test_threshold_refuses_as_many_known_curves_as_the_head_says(refused: float) -> None:
    scores = np.random.default_rng(5).random(10_000)
    assert np.mean(scores < scope_threshold(scores, refused)) == pytest.approx(refused, abs=1e-3)
    # Where nearly all are surely known, what is likelier known than not is not refused.
    assert scope_threshold(1 - 0.2 * scores, refused) == 0.5


def test_examples_of_which_the_scope_is_not_known_do_not_count() -> None:
    rng = np.random.default_rng(5)
    truth = np.repeat([1.0, 0.0, np.nan], 60)
    logit = np.nan_to_num(truth, nan=-3.0)[:, None] + rng.normal(0, 0.5, (180, 1))
    head = Scope()
    all_of_them = calibrate(head, {"scope": logit}, {"scope": truth}, {"scope": head})
    known = calibrate(head, {"scope": logit[:120]}, {"scope": truth[:120]}, {"scope": head})
    assert all_of_them == known
    assert np.isfinite(known["slope"])
