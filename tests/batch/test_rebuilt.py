"""A journal's fit with its curves again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from sasnet_plugin import fit, load
from sasnet_plugin.batch.rebuilt import _as_fitted, result_of
from sasnet_plugin.batch.rows import assumed, fitted
from sasnet_plugin.simulate.kernel import call


def test_first_points_that_a_fit_left_out_are_left_out_again(tmp_path: Path) -> None:
    q = np.geomspace(0.005, 0.4, 150)
    clean = call("sphere", q, {"radius": 60.0, "radius_pd": 0.1, "radius_pd_n": 35}).intensity
    clean = 1e3 * clean / clean[0] + 0.1
    measured = clean * (1 + 0.01 * np.random.default_rng(1).standard_normal(q.size))
    measured[:2] *= 0.5
    np.savetxt(tmp_path / "dimmed.dat", np.column_stack([q, measured, 0.01 * clean]))
    (curve,) = load(tmp_path / "dimmed.dat")
    result = fit(curve, workers=1)
    assert len(result.curve) == len(curve) - 2
    row = json.loads(json.dumps(fitted(result, None, 0.0) | assumed(curve, result.curve)))
    again = result_of(row, _as_fitted(row, curve, None))
    np.testing.assert_array_equal(again.curve.q, result.curve.q)
    np.testing.assert_allclose(again.fits[0].theory, result.fits[0].theory, rtol=1e-6)
