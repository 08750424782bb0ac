"""Averages of images whose detector counts unevenly: values without its rim, errors that hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.domains import ReadOptions
from sasnet_plugin.images.sans.nexus import Setting
from sasnet_plugin.images.sans.reading import SmallAngle, make_detector_geometry, read
from sasnet_plugin.images.sans.rings import RIM, average_around_beam, border, rim_efficiency, scatter
from sasnet_plugin.types import Image

SETTING = Setting(6.0, 0.1, 4000.0, 4000.0, 15.0, 5.0, (5.0, 5.0))
SHAPE = 96, 96


def seen() -> SmallAngle:
    """A square detector, the beam in its middle."""
    return make_detector_geometry(SHAPE, (47.5, 47.5), SETTING)


def image(efficiency: np.ndarray | float = 1.0, counts: float = 2e5, seed: int = 1) -> Image:
    """A sample that falls by a factor of ten, and what a detector of an efficiency counts of it."""
    geometry = seen()
    expected = geometry.weight * np.exp(-geometry.q / 0.03)
    values = np.random.default_rng(seed).poisson(expected * efficiency * counts / expected.sum())
    return Image(values.astype(float), geometry.q > 0.004, geometry)


def truth(found: Image) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Averaged intensity over the true one, its error, and q."""
    geometry = found.geometry
    expected = replace(found, counts=geometry.weight * np.exp(-geometry.q / 0.03))
    curve, right = average_around_beam(found), average_around_beam(expected)
    assert curve.dintensity is not None
    np.testing.assert_allclose(curve.q, right.q)
    middle = curve.q < 0.03
    level = np.sum(curve.intensity[middle]) / np.sum(right.intensity[middle])
    return curve.intensity / right.intensity / level, curve.dintensity / right.intensity / level, curve.q


def test_a_rim_that_counts_less_does_not_bend_the_curve() -> None:
    rim = 1 - np.exp(-(border(SHAPE) + 0.5) / 4.0)
    ratio, error, q = truth(image(rim, counts=1e6))
    outer = q > 0.7 * q.max()
    # Without knowing of it the outer rings are down by up to a half.
    assert np.sqrt(np.mean((ratio[outer] - 1) ** 2)) < 0.1
    assert np.abs(np.mean((ratio[outer] - 1) / error[outer])) < 1.5


def test_the_efficiency_of_the_rim_is_found_and_none_where_there_is_none() -> None:
    rng, row = np.random.default_rng(3), border(SHAPE).ravel()
    q = seen().q.ravel()
    ring = (q / q.max() * 59).astype(np.intp)
    rim = 1 - np.exp(-(row + 0.5) / 3.0)
    expected = 400 * np.exp(-2 * q / q.max())
    for efficiency in (rim, np.ones(row.size)):
        counts = rng.poisson(expected * efficiency).astype(float)
        found = rim_efficiency(ring, row, np.ones(row.size), counts, expected)
        assert found.shape == (RIM,)
        if efficiency is rim:
            assert found[:6] == pytest.approx(1 - np.exp(-(np.arange(6) + 0.5) / 3.0), rel=0.05)
        else:
            np.testing.assert_array_equal(found, 1.0)


def test_an_even_detector_leaves_errors_by_counting() -> None:
    ratio, error, _ = truth(image())
    pull = (ratio - 1) / error
    assert 0.8 < pull.std() < 1.2
    curve, counts = average_around_beam(image()), image()
    assert curve.dintensity is not None
    relative = curve.dintensity / curve.intensity
    total = 1 / np.sqrt(np.sum(1 / relative**2))
    assert total == pytest.approx(1 / np.sqrt(counts.counts[counts.mask].sum()), rel=0.1)


def test_areas_that_count_unevenly_are_in_the_errors() -> None:
    from scipy.ndimage import gaussian_filter

    pulls = []
    even = truth(image(counts=3e6))[1]
    for seed in range(4):
        clouds = gaussian_filter(np.random.default_rng(seed).standard_normal(SHAPE), 2.0)
        ratio, error, q = truth(image(1 + 0.1 * clouds / clouds.std(), counts=3e6, seed=seed))
        # Rings that are whole, and longer than areas are wide.
        whole = (q > 0.25 * q.max()) & (q < 0.7 * q.max())
        level = np.mean(ratio[whole])
        pulls.append((ratio[whole] / level - 1) / error[whole])
        assert np.median(error) > 1.3 * np.median(even)
    assert np.sqrt(np.mean(np.square(pulls))) < 1.5


def test_scatter_is_that_of_sectors_over_their_number() -> None:
    rng = np.random.default_rng(4)
    ring, sector = (one.ravel() for one in np.meshgrid(np.arange(40), np.arange(12), indexing="ij"))
    angle = (sector + 0.5) * 2 * np.pi / 12
    mean = np.full(ring.size, 1e5)
    values = rng.poisson(mean * (1 + 0.06 * rng.standard_normal(ring.size))).astype(float)
    found = scatter(ring, angle, np.ones(ring.size), values, mean)
    assert np.sqrt(found.mean() * 12) == pytest.approx(0.06, rel=0.1)
    even = scatter(ring, angle, np.ones(ring.size), rng.poisson(mean).astype(float), mean)
    assert np.sqrt(even.mean() * 12) < 0.003


def spheres(q: np.ndarray) -> np.ndarray:
    """I(q) of spheres of 60 Å with a spread of 10 % above a flat background, 1/cm."""
    radii = 60 * np.linspace(0.7, 1.3, 41)
    weight = np.exp(-0.5 * ((radii / 60 - 1) / 0.1) ** 2) * radii**6
    x = q[..., None] * radii
    return 16 * (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 @ weight / weight.sum() + 0.02


@pytest.mark.parametrize("seed", range(3))
def test_a_steep_curve_on_few_pixels_has_no_dim_rim(tmp_path: Path, seed: int) -> None:
    """Rows near the border have other q in a ring than inner ones; their mean is that of the curve."""
    side, rng = np.linspace(-0.1, 0.1, 48), np.random.default_rng(seed)
    qx, qy = np.meshgrid(side, side)
    clean = spheres(np.hypot(qx, qy))
    error = 0.03 * clean + 0.003
    noisy = clean + error * rng.standard_normal(clean.shape)
    table = np.stack([part.ravel() for part in (qx, qy, noisy, error)], axis=1)
    np.savetxt(tmp_path / "a.dat", table, header="Data columns Qx - Qy - I(Qx,Qy) - err(I)\nASCII data")
    (image,) = read(tmp_path / "a.dat", ReadOptions())
    curve = average_around_beam(image)
    assert np.mean(curve.intensity / spheres(curve.q)) == pytest.approx(1, abs=0.015)
