"""The factorised basis is BornAgain's, in the middle of a pixel and averaged over it."""

from __future__ import annotations

import numpy as np
import pytest
from hexpatterns import (
    BROAD,
    ONE_SIZE,
    SHARP,
    SMALL,
    bin_pattern,
    lattice_sum,
    pattern,
    plain_basis,
    point_basis,
)

from sasnet_plugin.images.gisas.simulation import (
    Basis,
    LatticeSum,
    basis,
    deltas,
    mix,
    peak,
)
from sasnet_plugin.images.simulation import N_XI, XI, Window

GEOMETRIES = {"one size": ONE_SIZE, "sharp": SHARP, "broad": BROAD}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_amplitude_times_lattice_sum_is_bornagain(name: str) -> None:
    factorised = point_basis(GEOMETRIES[name], SMALL)
    plain = plain_basis(GEOMETRIES[name], SMALL)
    worst = np.max(np.abs(factorised / plain - 1))
    print(f"{name}: factorised against BornAgain, at worst {worst:.1e}")
    assert worst < 1e-6


@pytest.mark.parametrize("name", GEOMETRIES)
def test_the_mean_over_a_pixel_is_bornagain_s_on_many_parts_of_it(name: str) -> None:
    geometry = GEOMETRIES[name]
    window = Window(24, 20, phi=(-0.334375, 0.334375), alpha_f=(0.0, 0.825))  # pixels as the network's
    beside = np.abs(window.centres()[1]) > 0.1  # of the specular rod, whose counts would hide all else
    ours = basis(geometry, window).half()
    parts = (12, 16)
    for row in (0, 25):
        true = bin_pattern(pattern(geometry, window.finer(*parts), [XI[row]]), parts)
        middle = pattern(geometry, window, [XI[row]])
        for where, chosen in (("window", slice(None)), ("beside the rod", beside)):
            total = true[:, chosen].sum()
            off = np.abs(ours[row] - true)[:, chosen].sum() / total
            coarse = np.abs(middle - true)[:, chosen].sum() / total
            print(f"{name}, {XI[row]:g} degrees, {where}: {off:.2%} off; middles of pixels {coarse:.0%}")
            assert off < 0.015
            assert off < coarse / 3


def test_the_fast_sum_is_the_slow_one(rng: np.random.Generator) -> None:
    qx, qy = rng.uniform(-0.02, 0.02, 5000), rng.uniform(-0.09, 0.09, 5000)
    for lattice, width, xi in ((350.0, 1500.0, 0.0), (280.0, 3000.0, 17.5), (420.0, 700.0, 43.0)):
        slow = lattice_sum(qx, qy, lattice, width, xi)
        fast = LatticeSum.tabulate(lattice, width)(qx.astype(np.float32), qy.astype(np.float32), xi)
        off = np.abs(fast / slow - 1)
        # Single precision moves a q on the border of two cells to the other, whose sum differs by 1 %.
        assert np.quantile(off, 0.99) < 1e-3
        assert off.max() < 0.02


def test_every_cell_holds_one_lattice_point() -> None:
    """The mean of the sum over a cell is 1: a peak takes from between the peaks what it has."""
    at = (np.arange(300) + 0.5) / 300 - 0.5
    u, v = np.meshgrid(at, at)
    scale = 2 * np.pi / 350
    qx, qy = scale * u, scale * (v + 0.5 * u) / np.sqrt(0.75)
    mean = lattice_sum(qx, qy, 350.0, 1500.0, 0.0).mean()
    # BornAgain leaves out what lies beyond 5 peaks to each side.
    assert 0.985 < mean < 1.0


def test_patterns_are_the_half_and_its_mirror(wide_basis: Basis) -> None:
    every = wide_basis.patterns()
    assert every.shape == (N_XI, *wide_basis.window.shape)
    for i in (1, 30, 59):
        assert np.array_equal(every[N_XI - i], every[i][:, ::-1])


def test_the_middle_and_the_start_are_their_own_mirror(wide_basis: Basis) -> None:
    half = wide_basis.half()
    for row in (0, 60):
        np.testing.assert_allclose(half[row], half[row][:, ::-1], rtol=2e-3)


def test_mixing_is_the_sum_over_all_angles(wide_basis: Basis, rng: np.random.Generator) -> None:
    half = wide_basis.half().astype(np.float64)
    every = np.concatenate((half, half[-2:0:-1, :, ::-1]))
    p = rng.dirichlet(np.ones(N_XI), size=3)
    found = mix(half, p)
    true = np.tensordot(p, every, 1)
    assert np.max(np.abs(found - true)) < 1e-12 * true.max()
    assert np.array_equal(mix(half, p[0]), found[0]) or np.allclose(mix(half, p[0]), found[0], rtol=1e-12)


def test_distributions_that_are_their_own_mirror_give_patterns_that_are(wide_basis: Basis) -> None:
    half = wide_basis.half()
    for p in (np.full(N_XI, 1 / N_XI), peak(0.0, 5.0), peak(30.0, 5.0)):
        pattern = mix(half, p)
        off = np.abs(pattern - pattern[:, ::-1]).sum() / pattern.sum()
        assert off < 1e-3
    aside = mix(half, deltas(np.array([1.0]), np.ones(1)))
    assert np.abs(aside - aside[:, ::-1]).sum() / aside.sum() > 0.01


def test_half_precision_keeps_the_basis() -> None:
    exact = basis(SHARP, SMALL).half()
    stored = basis(SHARP, SMALL, dtype=np.float16).half()
    assert np.max(np.abs(stored / exact - 1)) < 6e-4


def test_a_window_without_mirror_is_refused() -> None:
    for window in (Window(8, 8, phi=(-1.0, 0.5)), Window(8, 9)):
        with pytest.raises(ValueError, match="symmetric"):
            basis(ONE_SIZE, window)
