"""A journal's fit with its curves again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from sasnet_plugin import fit, load
from sasnet_plugin.batch.deposit import _as_fitted, result_of, rows_of
from sasnet_plugin.batch.journal import make_fit_row, record_assumed_resolution
from sasnet_plugin.simulate.kernel import call


def test_first_points_that_a_fit_left_out_are_left_out_again(tmp_path: Path) -> None:
    q = np.geomspace(0.005, 0.4, 150)
    clean = call("sphere", q, {"radius": 60.0, "radius_pd": 0.1, "radius_pd_n": 35}).intensity
    clean = 1e3 * clean / clean[0] + 0.1
    measured = clean * (1 + 0.01 * np.random.default_rng(1).standard_normal(q.size))
    measured[:2] *= 0.5
    np.savetxt(tmp_path / "dimmed.dat", np.column_stack([q, measured, 0.01 * clean]))
    (curve,) = load(tmp_path / "dimmed.dat")
    result = fit(curve, models=["sphere"], structure_factor="none", workers=1)
    assert len(result.curve) == len(curve) - 2
    row = json.loads(
        json.dumps(make_fit_row(result, None, 0.0) | record_assumed_resolution(curve, result.curve))
    )
    again = result_of(row, _as_fitted(row, curve, None))
    np.testing.assert_array_equal(again.curve.q, result.curve.q)
    np.testing.assert_allclose(again.fits[0].theory, result.fits[0].theory, rtol=1e-6)


def test_each_curve_of_a_sample_begins_where_it_was_fitted_from() -> None:
    parameter = {"value": 1.0, "fixed": False}
    row = {
        "q_min": 0.004,
        "sample": {"kind": "settings", "files": ["a", "b"], "points": [50, 40], "q_min": [0.004, 0.02]},
        "fits": [{"parameters": {"radius": parameter}, "chisq": [50.0, 40.0]}],
    }
    assert [one["q_min"] for one in rows_of(row)] == [0.004, 0.02]
    # A journal of before has only where the first of all begins.
    del row["sample"]["q_min"]  # type: ignore[attr-defined]
    assert [one["q_min"] for one in rows_of(row)] == [0.004, 0.004]
