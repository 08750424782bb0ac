"""How many modes the counts determine, the test of uniformity, and a distribution and its mirror image."""

from __future__ import annotations

import numpy as np
import pytest

from inversion.orientedpatterns import FLAT, form_of
from sasnet_plugin.images.gisas.inversion import (
    State,
    count_resolved_modes,
    mirror_ambiguity,
    quadratic,
    uniform_p_value,
)
from sasnet_plugin.images.gisas.simulation import deltas, peak
from sasnet_plugin.images.simulation import N_XI, PERIOD
from sasnet_plugin.predict.arithmetic import circular_w1, mirror_distribution


def test_uniform_is_called_uniform_and_two_angles_are_not(now: State) -> None:
    rng = np.random.default_rng(6)
    flat = [uniform_p_value(form_of(now, FLAT, 1e5, rng)[2], rng) for _ in range(20)]
    # At the level of 0.05, 1 of 20 on average; 5 or more happen once in 400 times.
    assert sum(value < 0.05 for value in flat) <= 4
    assert 0.3 < np.mean(flat) < 0.7
    for _ in range(3):
        two = deltas(rng.uniform(0, 60, 2), np.array([0.5, 0.5]))
        expected = FLAT @ now.patterns
        y, _, _ = form_of(now, two, 1e5, rng)
        expected = expected * (y.sum() / expected.sum())
        form = quadratic(now.patterns, y, expected, now.backgrounds, np.full(2, 1e-12), np.zeros(2))
        assert uniform_p_value(form, rng) < 0.05


def test_more_counts_determine_more_modes(now: State) -> None:
    rng = np.random.default_rng(7)
    modes = [count_resolved_modes(form_of(now, FLAT, counts, rng)[2]) for counts in (1e3, 1e5, 1e7)]
    assert modes[0] < modes[1] < modes[2] < N_XI


def test_the_mirror_image_is_ruled_out_where_all_samples_are_of_one_kind() -> None:
    one = np.stack([peak(centre, 3.0) for centre in np.linspace(9, 11, 60)])
    sure = mirror_ambiguity(one)
    assert sure.resolved
    assert circular_w1(sure.one, one.mean(axis=0), PERIOD) < 0.1
    assert circular_w1(sure.other, mirror_distribution(one.mean(axis=0)), PERIOD) < 0.1
    both = mirror_ambiguity(np.concatenate((one, mirror_distribution(one[:30]))))
    assert not both.resolved
    assert both.share == pytest.approx(2 / 3, abs=0.02)
    assert circular_w1(both.other, mirror_distribution(one.mean(axis=0)), PERIOD) < 1.0
    assert mirror_ambiguity(np.stack([peak(30.0, 5.0)] * 4)).resolved
