"""The benchmark of first choices: kinds of measurement, and what counts as calibrated."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.first_choice import calibration_error, draw_problem, draw_setting, figures
from sasnet_plugin.data.preprocess import N_GRID, Q_MAX, Q_MIN


@pytest.mark.parametrize("kind", ["sans", "saxs"])
def test_settings_are_the_instruments_of_their_kind(kind: str) -> None:
    rng = np.random.default_rng(3)
    names = {draw_setting(kind, rng).instrument for _ in range(60)}
    assert all(kind in name or name == "usaxs_joined" for name in names)
    assert len(names) == 3


def test_the_grid_is_the_networks_own_without_resolution() -> None:
    setting = draw_setting("grid", np.random.default_rng(3))
    assert setting.dq is None
    assert setting.sigma is None
    assert np.allclose(np.diff(np.log(setting.q)), np.log(Q_MAX / Q_MIN) / N_GRID)


def test_a_curve_depends_on_its_number_and_seed_alone() -> None:
    first, again = (draw_problem("sans", 5, 11) for _ in range(2))
    assert first.form == "broad_peak"
    np.testing.assert_array_equal(first.curve.intensity, again.curve.intensity)
    assert draw_problem("sans", 5, 12).curve.q.tolist() != first.curve.q.tolist()


def test_overconfidence_is_an_error_of_its_size() -> None:
    probability = np.full(1000, 0.9)
    assert calibration_error(probability, np.arange(1000) % 10 > 0) == pytest.approx(0.0, abs=1e-9)
    assert calibration_error(probability, np.arange(1000) % 10 > 2) == pytest.approx(0.2, abs=1e-9)


def test_places_are_those_of_the_true_form() -> None:
    ranking = [["sphere", 0.6], ["ellipsoid", 0.3], ["cylinder", 0.1]]
    rows = [{"form": form, "uniform": ranking} for form in ("sphere", "cylinder", "lamellar", "dab")]
    assert figures(rows, "uniform")[:2] == ["25.0", "50.0"]
