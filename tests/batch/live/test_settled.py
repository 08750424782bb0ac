"""Curves of one sample add up like counts; an answer settles after some sure looks; a forecast is one."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.batch.live.states import SETTLED, counts_of, merge_curves
from sasnet_plugin.batch.series import Sequential
from sasnet_plugin.predict import open_predictor
from sasnet_plugin.predict.counting import outlook
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve, DataError
from sasnet_plugin.zoo import bank_path

Q = np.geomspace(0.01, 0.3, 60)
SHAPE = np.exp(-((Q * 40) ** 2) / 3) + 0.01


def test_added_curves_have_the_counts_of_both() -> None:
    one = Curve(Q, SHAPE, 0.1 * SHAPE)
    both = merge_curves(one, one)
    np.testing.assert_allclose(both.dintensity, 0.1 * SHAPE / np.sqrt(2))
    assert counts_of(both) == pytest.approx(2 * counts_of(one))
    with pytest.raises(DataError, match="its q values differ"):
        merge_curves(one, Curve(2 * Q, SHAPE, SHAPE))


def test_an_answer_settles_when_one_group_stays_sure_while_counts_grow() -> None:
    test = Sequential(SETTLED)
    looks = [("a", 0.99, 1), ("b", 0.99, 2), ("b", 0.9, 3), ("b", 0.99, 4), ("b", 0.99, 5), ("b", 0.99, 5.2)]
    assert [test.look({name: p}, True, counts) for name, p, counts in looks] == [False] * 5 + [True]
    assert test.settled == "b"
    assert not Sequential(SETTLED).look({"a": 1.0}, False)


def test_frames_ten_times_as_short_settle_no_answer_sooner() -> None:
    def counted(each: float) -> float:
        test, counts = Sequential(SETTLED), 10.0
        while not test.look({"a": 0.99}, True, counts):
            counts += each
        return counts

    assert counted(0.01) == pytest.approx(13.0, abs=0.011)
    assert counted(0.1) == pytest.approx(13.0, abs=0.11)
    assert counted(10.0) == 20.0  # two looks at least


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
    assert found.describe().endswith(".")
