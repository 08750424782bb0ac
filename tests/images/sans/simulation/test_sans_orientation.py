"""Distributions of axes: closed formulas, limits, and patterns against sums over directions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erfi

from sasnet_plugin.images.sans.simulation import (
    DEGREES,
    compute_legendre,
    expand_in_harmonics,
    gaussian,
    maier_saupe,
    order_parameter,
    project_in_plane,
    strength_of,
)
from sasnet_plugin.simulate.kernel import call, load_model


@pytest.mark.parametrize("strength", [0.3, 2.0, 9.0])
def test_the_order_parameter_is_that_of_the_closed_formula(strength: float) -> None:
    root = np.sqrt(strength)
    closed = 3 * np.exp(strength) / (2 * np.sqrt(np.pi) * root * erfi(root)) - 3 / (4 * strength) - 0.5
    assert order_parameter(strength) == pytest.approx(closed)
    assert maier_saupe(strength)[1] == pytest.approx(closed)
    assert strength_of(closed) == pytest.approx(strength, abs=1e-4)


def test_limits_of_distributions() -> None:
    assert maier_saupe(0.0)[1:] == pytest.approx(0, abs=1e-12)
    assert maier_saupe(-60.0)[1] == pytest.approx(-0.5, abs=0.02)
    # A narrow Gaussian about the director: <P2> = 1 - 3 <sin² β>/2, of two directions 3σ².
    assert gaussian(3.0)[1] == pytest.approx(1 - 3 * np.radians(3.0) ** 2, abs=1e-3)


def test_what_is_seen_of_axes_is_a_density() -> None:
    angles = np.linspace(0, np.pi, 180, endpoint=False)
    for averages in (maier_saupe(5.0), maier_saupe(-5.0), gaussian(25.0)):
        assert np.mean(project_in_plane(averages, angles)) * np.pi == pytest.approx(1, rel=1e-3)
    assert project_in_plane(maier_saupe(5.0), angles)[0] > 5 * project_in_plane(maier_saupe(5.0), angles)[90]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("cylinder", {"radius": 25.0, "length": 200.0}),
        ("ellipsoid", {"radius_equatorial": 60.0, "radius_polar": 25.0, "radius_equatorial_pd": 0.1}),
        ("parallelepiped", {"length_a": 30.0, "length_b": 50.0, "length_c": 150.0}),
    ],
)
def test_the_average_over_directions_is_sasmodels_curve(name: str, parameters: dict[str, float]) -> None:
    q = np.geomspace(0.003, 0.15, 12)
    found = compute_legendre(name, parameters, q)
    assert found[:, 0] == pytest.approx(call(name, q, parameters).intensity, rel=1e-4)


def test_an_oriented_pattern_is_the_sum_over_single_particles() -> None:
    """Axes drawn from the distribution one by one, each as sasmodels calculates it in two dimensions."""
    from sasmodels.direct_model import call_kernel

    parameters, strength = {"radius": 20.0, "length": 120.0}, 4.0
    q, psi = 0.06, np.radians([0.0, 35.0, 90.0])
    kernel = load_model("cylinder").make_kernel([q * np.cos(psi), q * np.sin(psi)])
    cosine, share = np.polynomial.legendre.leggauss(24)
    turns = (np.arange(48) + 0.5) * (2 * np.pi / 48)
    total, weights = np.zeros(3), 0.0
    for c, w in zip(cosine, share * np.exp(strength * cosine**2), strict=True):
        s = np.sqrt(1 - c * c)
        for turn in turns:  # the director is along x, the beam along z
            axis = c, s * np.cos(turn), s * np.sin(turn)
            angles = {
                "theta": np.degrees(np.arccos(axis[2])),
                "phi": np.degrees(np.arctan2(axis[1], axis[0])),
            }
            total += w * call_kernel(kernel, {**parameters, **angles, "background": 0.0})
            weights += w
    waves = (
        compute_legendre("cylinder", parameters, np.array([q])) * maier_saupe(strength)
    ) @ expand_in_harmonics()
    assert (waves @ np.cos(np.outer(DEGREES, psi)))[0] == pytest.approx(total / weights, rel=2e-3)
