"""Mixtures of hard spheres: one size, few spheres, and the compressibility of a mixture."""

import numpy as np

from sasnet_plugin.simulate.hard_sphere_mixtures import SphereMixture, mixture_intensity
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.size_distributions import distribution_keywords

Q = np.geomspace(0.003, 0.3, 80)
SPHERES = {"radius": 60.0, "sld": 4.0, "sld_solvent": 1.0, "volfraction": 0.3}
WIDTH = {"radius_pd": 0.1, **distribution_keywords("radius", "gaussian", 0.1, 15)}


def product(**changes: float) -> np.ndarray:
    """What sasmodels gives: one structure factor for all sizes."""
    from sasmodels.direct_model import call_kernel

    kernel = load_model("sphere@hardsphere").make_kernel([Q])
    return call_kernel(kernel, {**SPHERES, "radius_effective_mode": 1, "background": 0.0, **changes})


def test_spheres_of_one_size_are_those_of_sasmodels():
    mixture = SphereMixture("sphere", Q).intensity(SPHERES, "radius")
    np.testing.assert_allclose(mixture, product(), rtol=1e-9)


def test_few_spheres_of_several_sizes_do_not_interact():
    width = {**WIDTH, "volfraction": 1e-7}
    mixture = SphereMixture("sphere", Q).intensity({**SPHERES, **width}, "radius")
    np.testing.assert_allclose(mixture, product(**width), rtol=1e-6)


def test_dense_spheres_of_several_sizes_oscillate_less_than_the_product():
    ratio = SphereMixture("sphere", Q).intensity({**SPHERES, **WIDTH}, "radius") / product(**WIDTH)
    assert ratio[0] > 1.02  # what the sizes differ by scatters at q = 0
    assert ratio[np.argmin(np.abs(Q - 0.06))] < 1  # the first maximum of S(q)
    np.testing.assert_allclose(ratio[Q > 0.25].mean(), 1, atol=0.01)


def pressure(densities: np.ndarray, diameters: np.ndarray) -> float:
    """Pressure over kT by compressibility (J. L. Lebowitz, Phys. Rev. 133 (1964) A895)."""
    xi = [np.pi / 6 * float(densities @ diameters**k) for k in range(4)]
    full = 1 - xi[3]
    return 6 / np.pi * (xi[0] / full + 3 * xi[1] * xi[2] / full**2 + 3 * xi[2] ** 3 / full**3)


def test_fluctuations_at_small_q_are_those_of_the_pressure():
    # Amplitudes that are the slopes of the pressure scatter as much as these times the densities.
    radii = np.array([20.0, 33.0, 50.0])
    densities = 0.28 * np.array([0.5, 0.3, 0.2]) / (4 / 3 * np.pi * radii**3)
    steps = np.diag(1e-4 * densities)
    slopes = np.array([
        (pressure(densities + step, 2 * radii) - pressure(densities - step, 2 * radii)) / (2 * step.sum())
        for step in steps
    ])  # fmt: skip
    found = mixture_intensity(np.array([1e-4]), radii, densities, slopes[None, :])
    np.testing.assert_allclose(found, densities @ slopes, rtol=1e-4)
