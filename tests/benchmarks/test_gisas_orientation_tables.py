"""The benchmark of orientations: every stratum is there, answers are measured, tables add up."""

from __future__ import annotations

import numpy as np
import pytest
from gisas_contestants import COUNTS, FAMILIES, WIDTHS, network_like, problem, row, solve, truth
from gisas_orientation import case_table, covered, strata, table, uniform_table, weights

from sasnet_plugin.fitting.orientation.parameters import INDEX, NAMES
from sasnet_plugin.simulate.gisas.geometry import N_XI
from sasnet_plugin.simulate.gisas.orientation import deltas


def test_thirty_problems_in_a_row_have_every_stratum_once() -> None:
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
    np.testing.assert_array_equal(one.example.counts, other.example.counts)
    assert not np.array_equal(one.example.counts, problem(6, 3).example.counts)


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


def test_a_network_like_guess_is_off_by_what_it_says() -> None:
    one = problem(1, 3).example
    true = truth(one)[INDEX["lattice"]]
    off = [
        (guess.geometry["lattice"][0] - true) / guess.geometry["lattice"][1]
        for guess in (network_like(one, np.random.default_rng(seed)) for seed in range(200))
    ]
    assert np.std(off) == pytest.approx(1, abs=0.15)
    assert set(NAMES) <= set(network_like(one, np.random.default_rng(0)).geometry)


def test_weights_near_both_angles() -> None:
    p = deltas(np.array([58.0, 2.0, 29.0, 15.0]), np.array([0.4, 0.2, 0.3, 0.1]))
    assert weights(p) == pytest.approx([0.6, 0.3])


def test_tables_are_means_over_what_is_there() -> None:
    rows = [solve("uniform", index, 3) for index in range(2)]
    for found, p_value in zip(rows, (0.5, 0.01), strict=True):
        found.update(uniform=p_value, coverage=0.9)
    mean = np.mean([found["w1"] for found in rows])
    text = table({"uniform": rows, "nobody": []})
    assert f"| uniform | 2 | {mean:.2f} |" in text
    assert "| nobody | not run |" in text
    assert f"| two angles | {rows[0]['w1']:.2f} |" in strata({"uniform": rows})
    assert "| deltas | 90.0% |" in covered({"uniform": rows})
    called = uniform_table({"uniform": rows})
    assert "| two angles | 1 of 1 (100%) |" in called
    assert "| deltas | 0 of 1 (0%) |" in called
    cases = [{"weights": [0.65, 0.3], "seconds": 2.0, "beside": 1e5}]
    assert "| a | 1 | 1 | 0.050 | 2 |" in case_table({"a": cases})
