"""Curves of one sample add up like counts; an answer settles after some sure looks; a forecast is one."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.batch.live.settled import SETTLED, added, counts_of
from sasnet_plugin.batch.recognise import Sequential
from sasnet_plugin.fitting.api import bank_path
from sasnet_plugin.predict import open_predictor
from sasnet_plugin.predict.counting import outlook
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve, DataError

Q = np.geomspace(0.01, 0.3, 60)
SHAPE = np.exp(-((Q * 40) ** 2) / 3) + 0.01


def test_added_curves_have_the_counts_of_both() -> None:
    one = Curve(Q, SHAPE, 0.1 * SHAPE)
    both = added(one, one)
    np.testing.assert_allclose(both.dintensity, 0.1 * SHAPE / np.sqrt(2))
    assert counts_of(both) == pytest.approx(2 * counts_of(one))
    with pytest.raises(DataError, match="other q"):
        added(one, Curve(2 * Q, SHAPE, SHAPE))


def test_an_answer_settles_after_three_sure_looks_of_one_group() -> None:
    test = Sequential(SETTLED)
    looks = [("a", 0.99), ("a", 0.99), ("b", 0.99), ("b", 0.9), ("b", 0.99), ("b", 0.99), ("b", 0.99)]
    assert [test.look({name: p}, True) for name, p in looks] == [False] * 6 + [True]
    assert test.settled == "b"
    assert not Sequential(SETTLED).look({"a": 1.0}, False)


def test_more_counts_never_lower_the_chance() -> None:
    rng = np.random.default_rng(1)
    x = Q * 60
    true = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 + 1e-3
    sigma = 0.1 * true + 2e-3
    curve = Curve(Q, true + sigma * rng.standard_normal(Q.size), sigma)
    found = outlook(curve, open_predictor(), Bank(bank_path()), 0.98, rng)
    assert found is not None
    assert np.all(np.diff(found.settled) >= 0)
    assert 0 <= found.wrong <= 1
    assert found.in_words().endswith(".")
