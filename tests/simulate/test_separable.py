"""Averages of separable bodies against sasmodels' own, and what no average may depend on."""

import numpy as np
import pytest

from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.simulate.priors import max_length, model_info, sample_prior
from sasnet_plugin.simulate.quick_models.separable import SEPARABLE, intensity


def _draw(name: str, rng: np.random.Generator) -> dict[str, float]:
    defaults = {p.name: p.default for p in model_info(name).parameters.call_parameters}
    return defaults | sample_prior(name, rng)


@pytest.mark.parametrize("name", sorted(SEPARABLE))
@pytest.mark.parametrize("seed", range(3))
def test_it_is_sasmodels_curve_where_its_quadrature_is_fine(name: str, seed: int) -> None:
    pars = _draw(name, np.random.default_rng(seed))
    size = max_length(name, pars)
    assert size is not None
    q = np.geomspace(0.01, 50, 80) / size
    ours, theirs = intensity(name, q, pars), call(name, q, pars).intensity
    # Deep minima apart, where both are rounding beside the maximum.
    seen = theirs > 1e-9 * theirs.max()
    np.testing.assert_allclose((ours / ours[0])[seen], (theirs / theirs[0])[seen], rtol=2e-3)


@pytest.mark.parametrize("name", sorted(SEPARABLE))
def test_a_distribution_of_one_length_is_sasmodels(name: str) -> None:
    pars = _draw(name, np.random.default_rng(11))
    length = next(key for key in pars if key.startswith(("length", "radius")))
    pars |= {
        f"{length}_pd": 0.2,
        f"{length}_pd_type": "schulz",
        f"{length}_pd_n": 9,
        f"{length}_pd_nsigma": 3.0,
    }
    q = np.geomspace(0.01, 40, 60) / (max_length(name, pars) or 1.0)
    ours, theirs = intensity(name, q, pars), call(name, q, pars).intensity
    seen = theirs > 1e-9 * theirs.max()
    np.testing.assert_allclose((ours / ours[0])[seen], (theirs / theirs[0])[seen], rtol=3e-3)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_a_box_has_no_first_side(order: tuple[int, int, int]) -> None:
    sides, q = np.array([30.0, 80.0, 300.0]), np.geomspace(1e-3, 0.6, 100)
    a, b, c = sides[list(order)]
    got = intensity("parallelepiped", q, {"length_a": a, "length_b": b, "length_c": c})
    same = intensity("parallelepiped", q, dict(zip(("length_a", "length_b", "length_c"), sides, strict=True)))
    np.testing.assert_allclose(got, same, rtol=5e-3)


def test_a_large_cube_ends_with_porods_law() -> None:
    # I → 2π S/q⁴ with the surface S = 6 a² (Porod 1951), far beyond the phases that quadratures follow.
    side = 1000.0
    q = np.geomspace(0.5, 1.0, 400)
    pars = {"length_a": side, "length_b": side, "length_c": side}
    found = np.mean(intensity("parallelepiped", q, pars) * q**4) / (2 * np.pi * 6 * side**2)
    assert found == pytest.approx(1.0, abs=0.1)


def test_an_ellipsoid_of_one_radius_is_a_sphere() -> None:
    q = np.geomspace(1e-3, 0.3, 200)
    pars = {"radius_equat_minor": 50.0, "radius_equat_major": 50.0, "radius_polar": 50.0}
    x = 50 * q
    sphere = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    found = intensity("triaxial_ellipsoid", q, pars) / (4 / 3 * np.pi * 50.0**3) ** 2
    np.testing.assert_allclose(found, sphere, rtol=1e-6, atol=1e-12)
