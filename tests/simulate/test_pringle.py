"""A pringle from tables of Bessel functions: sasmodels' own, and what is known of flat and thin ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import j1, jv

from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.simulate.quick_models import pringle, separable

BENT = {"radius": 60.0, "thickness": 10.0, "alpha": 0.001, "beta": 0.02, "sld": 1.0, "sld_solvent": 6.3}


def test_a_distribution_of_thicknesses_is_sasmodels() -> None:
    pars = BENT | {
        "thickness_pd": 0.3,
        "thickness_pd_type": "schulz",
        "thickness_pd_n": 15,
        "thickness_pd_nsigma": 3.0,
    }
    q = np.geomspace(1e-3, 0.4, 60)
    ours, theirs = separable.intensity("pringle", q, pars), call("pringle", q, pars).intensity
    np.testing.assert_allclose(ours / ours[0], theirs / theirs[0], rtol=1e-3)


def test_a_flat_one_is_a_disk() -> None:
    # Guinier & Fournet (1955): the mean of (sin(x)/x · 2 J₁(y)/y)² over directions.
    radius, thickness = 80.0, 12.0
    q = np.geomspace(1e-3, 0.3, 40)
    found = pringle.intensity(q, radius, 0.0, 0.0, [(1.0, thickness)])
    x, weight = np.polynomial.legendre.leggauss(400)
    u = (x + 1) / 2
    along = np.sinc(q[:, None] * u * thickness / 2 / np.pi)
    across = q[:, None] * np.sqrt(1 - u**2) * radius
    disk = ((along * 2 * j1(across) / across) ** 2) @ weight / 2
    np.testing.assert_allclose(found / found[0], disk / disk[0], rtol=1e-3)


@pytest.mark.parametrize("at", [0.0, 3.3, 700.0, 2500.0, 40_000.0])
def test_tables_hold_bessel_functions(at: float) -> None:
    # To 3 in a thousand of their own envelope; order 6 is the farthest from its asymptotic series.
    envelope = min(1.0, np.sqrt(2 / (np.pi * max(at, 1e-9))))
    for times in (1, 2):
        wanted = [jv(times * order, at) for order in pringle.ORDERS]
        found = pringle._bessel(np.array([at]), times)[0]
        np.testing.assert_allclose(found, wanted, atol=1e-2 * envelope)
