"""The fast sum over a square lattice is that over its reciprocal points."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.images.elsewhere_gisas import lattice
from sasnet_plugin.images.gisas.simulation import HEXAGONAL, SQUARE, LatticeSum


@pytest.mark.parametrize("gamma", [SQUARE, HEXAGONAL])
def test_a_sum_over_reciprocal_points(gamma: float) -> None:
    a, width, turn = 330.0, 900.0, 17.0
    angle = np.radians(gamma)
    cell = a * np.array([[1, 0], [np.cos(angle), np.sin(angle)]])
    qx, qy = np.full(300, -1e-3), np.linspace(-0.05, 0.05, 300)
    fast = LatticeSum.tabulate(a, width, gamma)(qx.astype(np.float32), qy.astype(np.float32), turn)
    np.testing.assert_allclose(fast, lattice(qx, qy, cell, width, turn), rtol=0.02)
