"""The benchmark of orientations: every stratum is there, answers are measured, tables add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.images import gisas_contestants
from benchmarks.images.gisas_contestants import (
    COUNTS,
    FAMILIES,
    WIDTHS,
    problem,
    row,
    total_variation,
)
from sasnet_plugin.simulate.gisas.basis import basis
from sasnet_plugin.simulate.gisas.geometry import N_XI, WINDOW
from sasnet_plugin.simulate.gisas.priors import sample_geometry
from sasnet_plugin.simulate.images.detector import MARGIN


def test_thirty_problems_in_a_row_have_every_stratum_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing is asked of their patterns: those of one geometry do for all.
    made = basis(sample_geometry(np.random.default_rng(0)), WINDOW.with_margin(MARGIN))
    monkeypatch.setattr(gisas_contestants, "basis", lambda geometry, _: replace(made, geometry=geometry))
    found = set()
    for index in range(300, 330):
        one = problem(index, 3)
        assert one.family == FAMILIES[index % 5]
        low, high = WIDTHS[one.width]
        assert low <= one.example.geometry.width < high
        low, high = COUNTS[one.counts]
        assert low - 0.1 < np.log10(one.example.measurement.counts) < high + 0.1
        found.add((one.family, one.counts, one.width))
    assert len(found) == 30


def test_a_problem_is_the_same_whenever_it_is_asked_for() -> None:
    one, other = problem(5, 3), problem(5, 3)
    np.testing.assert_array_equal(one.example.image.counts, other.example.image.counts)
    assert not np.array_equal(one.example.image.counts, problem(6, 3).example.image.counts)


def test_the_truth_is_near_no_error_and_explains_its_counts() -> None:
    found = [problem(index, 3) for index in range(8)]
    shifts = [one.example.measurement.shift_alpha for one in found]
    assert min(shifts) < 0 < max(shifts)
    for one in found:
        p = one.example.p
        right = row(one, {"p": p, "low": p, "high": p}, 1.0)
        assert right["w1"] == pytest.approx(0, abs=1e-9)
        assert right["coverage"] == 1
        assert right["deviance"] == pytest.approx(1, abs=0.15)
    one = found[0]
    flat = row(one, {"p": np.full(N_XI, 1 / N_XI)}, 1.0)
    assert flat["w1"] > 1
    assert flat["deviance"] > 1.15


def test_total_variation_counts_what_is_misplaced_however_near() -> None:
    one, near = np.zeros((2, 120))
    one[[20, 40]] = near[[20, 41]] = 0.5
    assert total_variation(one, near) == pytest.approx(0.5)
    assert total_variation(np.full(120, 1 / 120), np.eye(120)[0]) == pytest.approx(1 - 1 / 120)
