"""Resolution of pinhole instruments, against what NIST's reduction writes and against limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ng7 import NG7

from sasnet_plugin.images.sans.nexus import compute_pixel_resolution, compute_ring_resolution, drop, geometric
from sasnet_plugin.images.sans.reading import make_detector_geometry

#: Three of its pixels: Qx, Qy, SigmaQ_parall, SigmaQ_perp, Å⁻¹.
PUBLISHED = np.array(
    [
        [-3.3700924e-2, -2.2313826e-2, 2.224667e-3, 7.8542152e-4],
        [-3.0832224e-2, -8.2890838e-3, 1.8097432e-3, 7.8273122e-4],
        [8.2780811e-4, 1.1143002e-2, 9.2212355e-4, 7.8012142e-4],
    ]
)


def test_spreads_are_those_that_nist_writes() -> None:
    qx, qy, along, across = PUBLISHED.T
    found = compute_pixel_resolution(NG7, qx, qy)
    assert found[0] == pytest.approx(along, rel=0.022)
    assert found[1] == pytest.approx(across, rel=0.012)


def test_neutrons_fall_as_published() -> None:
    # YG_d of NIST's manual: -½ g SDD (SSD + SDD) (λ/3956)², lengths in metres.
    expected = 0.5 * 9.81 * 14.547 * (15.727 + 14.547) * (6 / 3956) ** 2 * 1e3
    assert drop(NG7) == pytest.approx(expected, rel=1e-3)
    assert drop(replace(NG7, gravity=False)) == 0


def test_without_gravity_wavelengths_blur_along_q_alone() -> None:
    rays = replace(NG7, gravity=False)
    q = np.array([0.005, 0.03])
    along, across = compute_pixel_resolution(rays, q, np.zeros(2))
    assert across == pytest.approx(geometric(rays))
    assert along**2 - across**2 == pytest.approx((q * 0.124) ** 2 / 6)


def test_a_ring_has_the_mean_of_its_pixels() -> None:
    cold = replace(NG7, wavelength=16.0)
    angle = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    pixels = compute_pixel_resolution(cold, 0.01 * np.cos(angle), 0.01 * np.sin(angle))
    for mean, each in zip(compute_ring_resolution(cold, np.array([0.01])), pixels, strict=True):
        assert mean[0] == pytest.approx(np.sqrt(np.mean(each**2)), rel=1e-6)


def test_pixels_lie_where_the_angle_says_and_see_less_aside() -> None:
    near = replace(NG7, distance=1000.0)
    found = make_detector_geometry((5, 201), (0.0, 2.0), near)
    angle = np.arctan(200 * 5.08 / 1000)
    assert found.qx[2, 200] == pytest.approx(4 * np.pi / 6 * np.sin(angle / 2))
    assert found.qy[2] == pytest.approx(0)
    assert found.weight[2, 200] == pytest.approx(np.cos(angle) ** 3)
    assert found.weight[2, 0] == 1
