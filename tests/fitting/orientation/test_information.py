"""How many modes the counts determine, and the test of uniformity."""

from __future__ import annotations

import numpy as np

from orientation.orientedpatterns import FLAT, form_of
from sasnet_plugin.fitting.orientation.forward import State
from sasnet_plugin.fitting.orientation.information import resolved, uniform_p_value
from sasnet_plugin.fitting.orientation.linear import quadratic
from sasnet_plugin.simulate.gisas.geometry import N_XI
from sasnet_plugin.simulate.gisas.priors import deltas


def test_uniform_is_called_uniform_and_two_angles_are_not(now: State) -> None:
    rng = np.random.default_rng(6)
    flat = [uniform_p_value(form_of(now, FLAT, 1e5, rng)[2], rng) for _ in range(40)]
    # At the level of 0.05, 2 of 40 on average; 7 or more happen once in 300 times.
    assert sum(value < 0.05 for value in flat) <= 6
    assert 0.3 < np.mean(flat) < 0.7
    for _ in range(5):
        two = deltas(rng.uniform(0, 60, 2), np.array([0.5, 0.5]))
        expected = FLAT @ now.patterns
        y, _, _ = form_of(now, two, 1e5, rng)
        expected = expected * (y.sum() / expected.sum())
        form = quadratic(now.patterns, y, expected, now.backgrounds, np.full(2, 1e-12), np.zeros(2))
        assert uniform_p_value(form, rng) < 0.05


def test_more_counts_determine_more_modes(now: State) -> None:
    rng = np.random.default_rng(7)
    modes = [resolved(form_of(now, FLAT, counts, rng)[2]) for counts in (1e3, 1e5, 1e7)]
    assert modes[0] < modes[1] < modes[2] < N_XI
