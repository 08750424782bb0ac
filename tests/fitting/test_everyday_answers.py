"""Everyday samples from textbook formulas: what leads the answer, and that no size is beyond the data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sasnet_plugin.fitting.api import fit
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.types import Curve

Formula = Callable[[np.ndarray], np.ndarray]


def answer(clean: Formula, q: np.ndarray, error: float, seed: int = 1, smear: float = 0.0) -> FitResult:
    intensity = clean(q)
    if smear:
        steps = np.linspace(-3, 3, 61)
        weight = np.exp(-(steps**2) / 2)
        intensity = clean(q[:, None] * (1 + smear * steps)) @ weight / weight.sum()
    dintensity = error * intensity
    noisy = intensity + dintensity * np.random.default_rng(seed).standard_normal(q.size)
    curve = Curve(q, noisy, dintensity, dq=smear * q if smear else None)
    return fit(curve, workers=1, progress=False, time_limit=300.0)


def network(length: float, level: float) -> Formula:
    """Ornstein-Zernike with Porod's law of large interfaces and a background."""
    return lambda q: 3 / (1 + (q * length) ** 2) + level * q**-4 + 0.02


def sphere_amplitude(x: np.ndarray) -> np.ndarray:
    return np.asarray(3 * (np.sin(x) - x * np.cos(x)) / x**3)


def cubes(side: float, width: float) -> Formula:
    """P. Mittelbach and G. Porod, Acta Phys. Austriaca 14 (1961) 185; a Gaussian distribution of sides."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    cosine, angle = 0.5 * (nodes + 1)[:, None], 0.25 * np.pi * (nodes + 1)
    sine = np.sqrt(1 - cosine**2)
    axes = (sine * np.cos(angle), sine * np.sin(angle), cosine + 0 * angle)
    steps = np.linspace(-3, 3, 15)
    share = np.exp(-(steps**2) / 2)

    def intensity(q: np.ndarray) -> np.ndarray:
        total = np.zeros(q.size)
        for step, weight in zip(steps, share, strict=True):
            own = side * (1 + width * step)
            for i, at in enumerate(q):
                each = np.prod([np.sinc(at * own * axis / (2 * np.pi)) for axis in axes], axis=0)
                total[i] += weight * own**6 * float(weights @ each**2 @ weights) / 4
        return np.asarray(800 * total / (share @ (side * (1 + width * steps)) ** 6) + 0.001)

    return intensity


@pytest.mark.parametrize(("length", "level"), [(60.0, 1e-6), (25.0, 3e-7), (120.0, 2e-7)])
def test_a_network_with_a_porod_upturn_is_named_and_sized(length: float, level: float) -> None:
    result = answer(network(length, level), np.geomspace(0.004, 0.35, 120), 0.02)
    best = result.fits[0]
    assert best.name in ("lorentz+power_law", "correlation_length")
    assert result.verified
    size = best.parameters["A_cor_length" if "+" in best.name else "cor_length"]
    assert size.error is not None
    assert size.value == pytest.approx(length, abs=3 * size.error)
    assert "Porod upturn" in result.verdict.headline or "etwork" in result.verdict.headline


def test_a_surface_gives_no_size_whatever_the_models_carry() -> None:
    """All that scatters is q⁻⁴ from the lowest q on: no length is seen."""
    result = answer(lambda q: 2e-6 * q**-4 + 0.02, np.geomspace(0.004, 0.3, 120), 0.02)
    assert result.fits[0].name in ("power_law", "porod")
    assert "Å" not in result.verdict.headline.replace("Å⁻¹", "")


def test_a_peak_on_an_upturn_is_a_broad_peak() -> None:
    def intensity(q: np.ndarray) -> np.ndarray:
        return np.asarray(10 / (1 + (np.abs(q - 0.032) * 75) ** 2) + 3e-6 * q**-2.6 + 0.15)

    best = answer(intensity, np.geomspace(0.002, 0.3, 130), 0.02).fits[0]
    assert best.name == "broad_peak"
    assert best.parameters["correlation_length"].value == pytest.approx(75, rel=0.06)
    assert best.parameters["porod_exp"].value == pytest.approx(2.6, abs=0.1)


def test_cubes_are_boxes_of_their_side() -> None:
    result = answer(cubes(50.0, 0.05), np.linspace(0.01, 0.45, 75), 0.02)
    best = result.fits[0]
    assert best.model in ("rectangular_prism", "parallelepiped")
    assert best.parameters["length_a"].value == pytest.approx(50, rel=0.03)
    assert "side a 5" in result.verdict.headline


def test_a_core_and_a_shell_of_opposite_contrast_are_no_spheres_of_several_shells() -> None:
    q, rng = np.linspace(0.01, 0.4, 150), np.linspace(-3, 3, 41)

    def intensity(q: np.ndarray) -> np.ndarray:
        total = np.zeros(q.size)
        for step in rng:
            core = 45.7 * (1 + 0.08 * step)
            outer = core + 13.0
            each = -2.16 * core**3 * sphere_amplitude(q * core) + outer**3 * sphere_amplitude(q * outer)
            total += np.exp(-(step**2) / 2) * each**2
        return np.asarray(total / total[0] + 1e-3)

    best = answer(intensity, q, 0.01).fits[0]
    assert best.name == "core_shell_sphere"
    assert best.parameters["radius"].value == pytest.approx(45.7, rel=0.02)
    assert best.parameters["thickness"].value == pytest.approx(13.0, rel=0.03)


def test_block_copolymer_micelles_are_named() -> None:
    """A core with Gaussian chains: J. S. Pedersen and M. C. Gerstenberg, Macromolecules 29 (1996) 1363."""
    core, rg, chains, share = 35.0, 22.0, 60, 1.0

    def intensity(q: np.ndarray) -> np.ndarray:
        x, total = (q * rg) ** 2, np.zeros(q.shape)
        debye = 2 * (np.exp(-x) + x - 1) / x**2
        coil = (1 - np.exp(-x)) / x
        for step in np.linspace(-3, 3, 25):
            radius = core * (1 + 0.06 * step)
            inside, at = sphere_amplitude(q * radius), np.sinc(q * (radius + rg) / np.pi)
            whole = (inside + share * coil * at) ** 2 - (share * coil * at) ** 2 / chains
            total += np.exp(-(step**2) / 2) * (whole + share**2 * debye / chains)
        return np.asarray(total + 0.08)

    result = answer(intensity, np.geomspace(0.004, 0.4, 130), 0.03, smear=0.05)
    best = result.fits[0]
    assert best.model == "polymer_micelle"
    assert best.parameters["radius_core"].value == pytest.approx(core, rel=0.08)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_network_without_an_upturn_is_led_by_no_sum(seed: int) -> None:
    # For half of the noise least squares gives the power law of the sum a scale of exactly 0.
    result = answer(network(90.0, 0.0), np.geomspace(0.004, 0.3, 120), 0.02, seed)
    best = result.best
    assert best is not None
    assert best.name == "lorentz"
    size = best.parameters["cor_length"]
    assert abs(size.value - 90.0) < 3 * (size.error or 0.0)
    assert "lorentz+power_law" not in result.alike


@pytest.mark.parametrize("seed", [1, 2])
def test_no_power_law_cancels_a_background_beside_swollen_coils(seed: int) -> None:
    """Chains in a good solvent: H. Benoit, C. R. Acad. Sci. 245 (1957) 2244."""
    nu, rg, x = 0.588, 80.0, np.linspace(0, 1, 2001)

    def coils(q: np.ndarray) -> np.ndarray:
        argument = (q[..., None] * rg) ** 2 * (2 * nu + 1) * (2 * nu + 2) / 6
        return np.asarray(5 * np.trapezoid(2 * (1 - x) * np.exp(-argument * x ** (2 * nu)), x) + 0.025)

    result = answer(coils, np.geomspace(0.005, 0.18, 80), 0.02, seed)
    best = result.fits[0]
    assert best.name == "polymer_excl_volume"
    assert best.parameters["rg"].value == pytest.approx(rg, rel=0.1)
    for one in result.fits:
        assert one.parameters["background"].value > -0.1 or one.reduced_chisq > 1.5


def test_dilute_hard_spheres_are_not_core_shell_spheres() -> None:
    """A volume fraction of 5 %: sasmodels' own curve, as its Percus-Yevick solution is the textbook's."""
    from sasmodels.direct_model import call_kernel

    from sasnet_plugin.simulate.kernel import load_model

    values = {
        "radius": 33.7,
        "radius_pd": 0.0,
        "volfraction": 0.052,
        "radius_effective_mode": 1,
        "scale": 1.0,
    }

    def intensity(q: np.ndarray) -> np.ndarray:
        return np.asarray(call_kernel(load_model("sphere@hardsphere").make_kernel([q]), values))

    best = answer(intensity, np.geomspace(0.008, 0.35, 135), 0.02).fits[0]
    assert best.name == "sphere@hardsphere"
    assert best.parameters["radius"].value == pytest.approx(33.7, rel=0.01)
    assert best.parameters["volfraction"].value == pytest.approx(0.052, rel=0.2)


def test_ellipsoids_that_repel_weakly_keep_their_shape() -> None:
    """Ellipsoids of 18 x 28 Å (Guinier 1939) with hard spheres of 26 Å, 3 % (Percus & Yevick 1958)."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    cosine = 0.5 * (nodes + 1)
    sizes = np.sqrt(28.0**2 * (1 - cosine**2) + 18.0**2 * cosine**2)

    def structure_factor(x: np.ndarray, fraction: float) -> np.ndarray:
        a = (1 + 2 * fraction) ** 2 / (1 - fraction) ** 4
        b = -6 * fraction * (1 + fraction / 2) ** 2 / (1 - fraction) ** 4
        g = (
            a * (np.sin(x) - x * np.cos(x)) / x**2
            + b * (2 * x * np.sin(x) + (2 - x**2) * np.cos(x) - 2) / x**3
            + fraction * a / 2
            * (-(x**4) * np.cos(x) + 4 * ((3 * x**2 - 6) * np.cos(x) + (x**3 - 6 * x) * np.sin(x) + 6)) / x**5
        )  # fmt: skip
        return np.asarray(1 / (1 + 24 * fraction * g / x))

    def intensity(q: np.ndarray) -> np.ndarray:
        form = sphere_amplitude(q[:, None] * sizes) ** 2 @ weights / 2
        return np.asarray(1.2 * form * structure_factor(52.0 * q, 0.03) + 1e-4)

    best = answer(intensity, np.geomspace(0.01, 0.4, 140), 0.01).fits[0]
    assert best.model == "ellipsoid"
    assert best.structure_factor in ("hardsphere", "stickyhardsphere")  # of so few, weak stickiness is none
    assert best.parameters["radius_polar"].value == pytest.approx(18.0, rel=0.03)
    assert best.parameters["radius_equatorial"].value == pytest.approx(28.0, rel=0.03)
    assert best.parameters["volfraction"].value == pytest.approx(0.03, rel=0.35)
