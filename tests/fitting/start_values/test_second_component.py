"""Starts of sums: both components found from the bank, whatever their scales."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sasnet_plugin.fitting.start_values.curve_bank import binned
from sasnet_plugin.fitting.start_values.second_component import (
    fixed_of,
    has_one_contrast,
    nearest_sums,
    two_scales,
)
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve

TWO = {"A_radius": 30.0, "B_radius": 110.0, "A_scale": 1.0, "B_scale": 0.03, "background": 0.01}
LINE = {"A_radius": 40.0, "A_radius_pd": 0.1, "A_radius_pd_n": 25, "B_power": 3.0, "A_scale": 1.0}


@pytest.mark.parametrize(
    ("name", "truth", "near"),
    [
        ("sphere+sphere", TWO, {"A_radius": 30.0, "B_radius": 110.0}),
        ("sphere+power_law", LINE | {"B_scale": 2e-6, "background": 0.01}, {"A_radius": 40.0}),
    ],
)
def test_both_components_are_near_the_truth(
    simulated: Callable[..., Curve], bank: Bank, name: str, truth: dict[str, float], near: dict[str, float]
) -> None:
    curve = simulated(name, truth)
    assert curve.dintensity is not None
    starts = nearest_sums(bank, name, binned(curve, curve.dintensity), count=4)
    assert starts[0].weighted_residual < 1
    found = starts[0].parameters
    sizes = sorted(v for k, v in found.items() if k in ("A_radius", "B_radius"))
    assert sizes == pytest.approx(sorted(near.values()), rel=0.15)


def test_two_scales_is_least_squares_with_positive_scales(simulated: Callable[..., Curve]) -> None:
    curve = simulated("sphere", {"radius": 40.0})
    assert curve.dintensity is not None
    data = binned(curve, curve.dintensity)
    x = np.linspace(0, 1, data.intensity.size)
    first, second = np.stack([np.exp(-3 * x), np.exp(-x)]), np.stack([1 / (0.1 + x), -1 / (0.1 + x)])
    found = two_scales(first, second, data)
    root = np.sqrt(data.weight)
    for i, j in ((0, 0), (1, 0)):
        matrix = np.stack([first[i], second[j], np.ones(x.size)]) * root
        scales, left = np.linalg.lstsq(matrix.T, data.intensity * root, rcond=None)[:2]
        if np.all(scales > 0):
            assert found[i, j] == pytest.approx(left[0], rel=1e-6)
    # A negative curve has no positive scale beside a positive one that decays as these data do.
    assert np.all(found[:, 1] >= found[:, 0])


def test_only_bodies_of_one_material_have_populations_that_size_alone_distinguishes() -> None:
    assert has_one_contrast("sphere")
    assert not has_one_contrast("core_shell_sphere")
    assert fixed_of("sphere+mono_gauss_coil") == {"B_i_zero": 1.0}
    assert fixed_of("mono_gauss_coil") == {}
