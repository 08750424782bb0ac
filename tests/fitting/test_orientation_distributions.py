"""Distributions of particle axes in fits of sectors, against sums over polar angles and samples by numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.polynomial import legendre

from benchmarks.common import this_process
from benchmarks.fitting.orientations import MODELS, draw_sample
from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.fitting.api import fit_sample
from sasnet_plugin.fitting.problem.free_parameters import complete_distributions
from sasnet_plugin.fitting.problem.oriented_particles import LENGTHS, Particle
from sasnet_plugin.fitting.strategy.oriented import find_direction
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.orientations import average_polynomials, isotropic_part
from sasnet_plugin.types import Sector

#: Polar angles from the director, and degrees of Legendre polynomials.
POLAR = (np.arange(200_000) + 0.5) * np.pi / 400_000
DEGREES = np.arange(0, 61, 2)


def sum_polynomials(density: np.ndarray) -> np.ndarray:
    weight = density * np.sin(POLAR)
    polynomials = legendre.legvander(np.cos(POLAR), 60)[:, ::2]
    return np.asarray(weight @ polynomials / weight.sum())


@pytest.mark.parametrize("degrees", [4.0, 10.0, 20.0])
def test_tails_of_one_are_a_wrapped_lorentzian(degrees: float) -> None:
    width = np.radians(degrees)
    expected = sum_polynomials(1 / (np.cosh(2 * width) - np.cos(2 * POLAR)))
    assert average_polynomials(float(expected[1]), 0.0, 1.0) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("degrees", [8.0, 15.0, 20.0])
@pytest.mark.parametrize("middle", [0.0, np.pi / 2])
def test_a_gaussian_along_the_director_or_across_it_has_short_tails(degrees: float, middle: float) -> None:
    expected = sum_polynomials(np.exp(-0.5 * ((POLAR - middle) / np.radians(degrees)) ** 2))
    p2 = float(expected[1])
    off = [np.abs(average_polynomials(p2, 0.0, tails) - expected).max() for tails in (-0.8, 0.0)]
    assert off[0] < 0.003
    assert off[0] < 0.5 * off[1], "Maier and Saupe's distribution is another one"


def test_sharpness_is_an_isotropic_part_with_the_same_order_parameter() -> None:
    aligned = sum_polynomials(np.exp(-0.5 * (POLAR / np.radians(3.0)) ** 2))
    mixed = 0.6 * aligned + 0.4 * (DEGREES == 0)
    p2 = float(mixed[1])
    sharpness = 0.4 / isotropic_part(p2, 1.0)
    assert isotropic_part(p2, sharpness) == pytest.approx(0.4)
    assert average_polynomials(p2, sharpness) == pytest.approx(mixed, abs=0.005)


@pytest.mark.parametrize("p2", [-0.49, -0.2, 1e-9, 0.3, 0.8, 0.99])
@pytest.mark.parametrize("sharpness", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("tails", [-1.0, 0.0, 0.6, 1.0])
def test_the_order_parameter_is_kept_and_no_density_is_negative(
    p2: float, sharpness: float, tails: float
) -> None:
    averages = average_polynomials(p2, sharpness, tails)
    assert averages[0] == 1.0
    assert averages[1] == pytest.approx(p2, abs=1e-6)
    # ⟨cos⁴β⟩ of any density lies between ⟨cos²β⟩² and ⟨cos²β⟩.
    square = (2 * averages[1] + 1) / 3
    fourth = (8 * averages[2] + 20 * averages[1] + 7) / 35
    assert square**2 - 1e-6 < fourth < square + 1e-6


SIZES = {
    "cylinder": {"radius": 20.0, "length": 300.0},
    "core_shell_cylinder": {"radius": 15.0, "thickness": 10.0, "length": 200.0, "sld_core": 1.0,
                            "sld_shell": 4.0, "sld_solvent": 6.0},
    "ellipsoid": {"radius_equatorial": 30.0, "radius_polar": 100.0},
    "parallelepiped": {"length_a": 30.0, "length_b": 60.0, "length_c": 150.0},
}  # fmt: skip


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_averaged_as_sasmodels_does_in_all_of_them(name: str) -> None:
    from sasmodels.direct_model import call_kernel

    q = np.geomspace(0.005, 0.3, 12)
    widths = {f"{size}_pd": 0.1 for sizes in LENGTHS[name] for size in sizes}
    values: dict[str, Any] = complete_distributions(SIZES[name] | widths, 7)
    powder = call_kernel(load_model(name).make_kernel([q]), values | {"background": 0.0}, cutoff=0.0)
    isotropic = values | {"p2": 0.0, "director": 0.0}
    averaged = Particle(name, q).average(isotropic, Sector(0.0, 10.0))
    assert averaged == pytest.approx(np.asarray(powder), rel=1e-4)


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("p2", [0.85, -0.3])
def test_a_search_has_the_curve_of_distributed_sizes(name: str, p2: float) -> None:
    q = np.geomspace(0.005, 0.3, 60)
    widths = {f"{size}_pd": 0.08 for sizes in LENGTHS[name] for size in sizes if size != "thickness"}
    values = complete_distributions(SIZES[name] | widths, 15) | {"p2": p2, "director": 0.0, "sharpness": 0.5}
    exact, quick = (Particle(name, q, quick=quick).average(values, Sector(30, 12)) for quick in (False, True))
    assert quick / exact == pytest.approx(np.full(q.size, quick[0] / exact[0]), rel=1e-3)


@pytest.mark.parametrize(("equatorial", "polar"), [(30.0, 300.0), (150.0, 20.0)])
def test_a_search_has_the_curve_of_long_and_flat_ellipsoids(equatorial: float, polar: float) -> None:
    q = np.geomspace(0.004, 0.3, 60)
    sizes = {"radius_equatorial": equatorial, "radius_polar": polar}
    values = complete_distributions(sizes | {f"{name}_pd": 0.1 for name in sizes}, 31)
    axes = {"p2": 0.6, "director": 0.0}
    exact, quick = (
        Particle("ellipsoid", q, quick=quick).average(values | axes, Sector(30, 12))
        for quick in (False, True)
    )
    assert quick / exact == pytest.approx(np.full(q.size, quick[0] / exact[0]), rel=2e-3)


def test_sectors_show_the_director_or_a_quarter_turn_from_it() -> None:
    for index in (0, 11, 22):
        _, _, truth, curves = draw_sample(index)
        off = (find_direction(curves) - truth["director"] + 45) % 90 - 45
        assert abs(off) < 3


def find_pull(value: float, p: Any) -> float:
    return abs(p.value - value) / p.error


@pytest.mark.parametrize(("index", "relative_dq"), [(1, 0.1), (20, 0.1), (15, 0.05)])
def test_a_resolution_that_no_file_gives_is_in_the_errors_of_sizes(index: int, relative_dq: float) -> None:
    """Sizes and P₂ of smeared curves hold."""
    shape, _, truth, curves = draw_sample(index, relative_dq=relative_dq)
    result = fit_sample(this_process(), sample_of(curves), FitOptions(models=(MODELS[shape],)))
    best = result.best
    assert best is not None
    assert result.explained
    assert best.parameters["p2"].value == pytest.approx(truth["p2"], abs=0.02)
    for name in truth.keys() & {"radius", "length", "radius_polar", "radius_equatorial"}:
        assert find_pull(truth[name], best.parameters[name]) < 3.5


@pytest.mark.parametrize("index", [15, 5, 20, 16])
def test_order_direction_and_sizes_of_any_distribution(index: int) -> None:
    """Partly isotropic, Gaussian and in a girdle, cylinders and prolate ellipsoids, all sizes distributed."""
    shape, _, truth, curves = draw_sample(index)
    result = fit_sample(this_process(), sample_of(curves), FitOptions(models=(MODELS[shape],)))
    best = result.best
    assert best is not None
    assert result.explained
    assert best.parameters["p2"].value == pytest.approx(truth["p2"], abs=0.02)
    turned = (best.parameters["director"].value - truth["director"] + 90) % 180 - 90
    assert abs(turned) < 3.5 * (best.parameters["director"].error or 0.0)
    for name in truth.keys() & {"radius", "length", "radius_polar", "radius_equatorial"}:
        assert find_pull(truth[name], best.parameters[name]) < 3.5
