"""p(r): that of a sphere is known, and so are the largest distances of bodies."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.types import Curve


def sphere(q: np.ndarray, radius: float) -> np.ndarray:
    """I(q) over I(0)."""
    x = q * radius
    return np.asarray((3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2)


def ellipsoid(q: np.ndarray, equatorial: float, polar: float) -> np.ndarray:
    """The same, averaged over orientations."""
    u, weight = np.polynomial.legendre.leggauss(60)
    radius = np.sqrt(equatorial**2 + (polar**2 - equatorial**2) * u**2)
    return np.asarray(0.5 * np.sum(weight * sphere(q[:, None], radius), axis=1))


def measured(q: np.ndarray, clean: np.ndarray, seed: int = 1, error: float = 0.02) -> Curve:
    sigma = error * clean
    return Curve(q, clean + sigma * np.random.default_rng(seed).standard_normal(q.size), sigma)


Q = np.geomspace(0.003, 0.25, 180)
RADIUS = 40.0


def test_the_distances_of_a_sphere_are_those_of_geometry() -> None:
    found = measured(Q, 3.0 * sphere(Q, RADIUS) + 1e-3).pair_distances()
    assert found
    x = np.clip(found.r / (2 * RADIUS), 0, 1)
    true = 3.0 * 12 * x**2 * (2 - 3 * x + x**3) / (2 * RADIUS)
    assert np.max(np.abs(found.p - true)) < 0.04 * true.max()
    assert found.d_max == pytest.approx(2 * RADIUS, rel=0.05)
    assert abs(found.d_max - 2 * RADIUS) < 2 * found.d_max_error
    assert found.rg == pytest.approx(np.sqrt(0.6) * RADIUS, rel=0.01)
    assert found.i0 == pytest.approx(3.0, rel=0.02)
    assert np.trapezoid(found.p, found.r) == pytest.approx(found.i0, rel=0.01)
    assert found.reduced_chisq == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize(("equatorial", "polar"), [(40.0, 20.0), (25.0, 60.0)])
def test_the_largest_distance_of_an_ellipsoid_is_its_longest_axis(equatorial: float, polar: float) -> None:
    found = measured(Q, ellipsoid(Q, equatorial, polar)).pair_distances()
    assert found
    longest = 2 * max(equatorial, polar)
    assert found.d_max == pytest.approx(longest, rel=0.1)
    assert abs(found.d_max - longest) < 2.5 * found.d_max_error
    assert found.rg == pytest.approx(np.sqrt((2 * equatorial**2 + polar**2) / 5), rel=0.02)


def test_units_do_not_matter() -> None:
    found = measured(Q, sphere(Q, RADIUS)).pair_distances()
    larger = measured(Q / 10, 1e4 * sphere(Q, RADIUS)).pair_distances()
    assert found
    assert larger
    assert larger.d_max == pytest.approx(10 * found.d_max, rel=1e-3)
    assert larger.d_max_error == pytest.approx(10 * found.d_max_error, rel=1e-2)
    assert larger.i0 == pytest.approx(1e4 * found.i0, rel=1e-3)


def test_a_flat_background_does_not_matter() -> None:
    found = measured(Q, sphere(Q, RADIUS) + 0.02).pair_distances()
    assert found
    assert found.d_max == pytest.approx(2 * RADIUS, rel=0.06)
    assert found.i0 == pytest.approx(1.0, rel=0.02)


def test_errors_that_are_too_small_are_seen() -> None:
    honest = measured(Q, sphere(Q, RADIUS))
    assert honest.dintensity is not None
    small = Curve(honest.q, honest.intensity, honest.dintensity / 3).pair_distances()
    assert small
    assert small.d_max == pytest.approx(2 * RADIUS, rel=0.06)
    assert small.reduced_chisq < 2


def test_a_pinhole_is_corrected_for() -> None:
    dq = 0.12 * Q
    t, weight = np.polynomial.hermite_e.hermegauss(15)
    smeared = sphere(np.abs(Q[:, None] + dq[:, None] * t), RADIUS) @ weight / weight.sum()
    clean = measured(Q, smeared)
    found = Curve(clean.q, clean.intensity, clean.dintensity, dq=dq).pair_distances()
    ignored = clean.pair_distances()
    assert found
    assert abs(found.d_max / (2 * RADIUS) - 1) < 0.07
    # What is not corrected for either misfits or is larger.
    assert not ignored or ignored.rg > found.rg


@pytest.mark.parametrize("count", [1500, 9000])
def test_many_points_are_averaged_to_the_same(count: int) -> None:
    q = np.linspace(0.003, 0.25, count)
    found = measured(q, sphere(q, RADIUS)).pair_distances()
    assert found
    assert found.points <= 151
    assert found.d_max == pytest.approx(2 * RADIUS, rel=0.03)


def test_no_guinier_region_no_distances() -> None:
    rod = measured(Q, 1 / Q).pair_distances()
    assert not rod
    assert "Guinier" in rod.reason


def test_what_begins_too_late_is_refused() -> None:
    q = np.geomspace(0.95 / (np.sqrt(0.6) * RADIUS), 0.3, 150)
    found = measured(q, ellipsoid(q, 15.0, 2.2 * RADIUS)).pair_distances()
    assert not found


def test_a_slit_is_refused() -> None:
    curve = measured(Q, sphere(Q, RADIUS))
    found = Curve(curve.q, curve.intensity, curve.dintensity, dxl=np.full(Q.size, 1e-3)).pair_distances()
    assert not found
    assert "slit" in found.reason


def test_a_peak_further_out_is_no_body() -> None:
    lattice = sphere(Q, RADIUS) + 0.3 * np.exp(-0.5 * ((Q - 0.15) / 0.003) ** 2)
    found = measured(Q, lattice, error=0.01).pair_distances()
    assert not found
    assert "no p(r)" in found.reason
