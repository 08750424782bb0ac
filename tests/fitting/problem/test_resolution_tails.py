"""Points whose smeared intensity rests on a resolution's far tail are known less well than stated."""

from __future__ import annotations

import numpy as np

from sasnet_plugin.fitting.problem.resolution import add_resolution_tails
from sasnet_plugin.types import Curve

Q = np.geomspace(0.0035, 0.4, 130)


def smeared(clean: np.ndarray, width: np.ndarray) -> Curve:
    return Curve(Q, clean, 0.01 * clean, dq=width)


def test_a_steep_curve_is_uncertain_where_the_resolution_is_wide() -> None:
    """A constant dq of 9·10⁻⁴ Å⁻¹ is 26 % of the least q, and nothing at ten times that."""
    curve = smeared(1e-6 * Q**-4, np.full(Q.size, 9e-4))
    wider, said = add_resolution_tails(curve, 0.01 * curve.intensity)
    grown = wider / (0.01 * curve.intensity)
    assert grown[0] > 10
    assert np.all(np.diff(grown[:8]) < 0)
    assert np.all(grown[Q > 0.03] == 1)
    assert "Points up to" in said


def test_a_plateau_and_a_narrow_resolution_are_as_stated() -> None:
    for curve in (smeared(np.ones(Q.size), 0.2 * Q), smeared(1e-6 * Q**-4, 0.03 * Q)):
        wider, said = add_resolution_tails(curve, 0.01 * curve.intensity)
        assert np.array_equal(wider, 0.01 * curve.intensity)
        assert said == ""
