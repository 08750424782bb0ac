"""The multi-slice transform against Mie's solution, against its own sum over slices, and against geometry."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.special import spherical_jn, spherical_yn

from sasnet_plugin.images.diffraction import simulation
from sasnet_plugin.images.diffraction.simulation import (
    SEED,
    SEED_MORE,
    SIMULATOR,
    contrasts,
    draw_sample,
    tags_of,
)

K = 2 * np.pi


def sphere(size: float, contrast: complex, cells: int = 64) -> simulation.Columns:
    """One of radius size over k."""
    step, x = simulation.grid(1.01 * size / K, cells)
    return simulation.solid(
        step, simulation.spheroid(x, size / K, size / K, simulation.direction(0, 0)), contrast
    )


def mie_s1(m: complex, x: float, cosine: np.ndarray) -> np.ndarray:
    """Amplitude across the plane of scattering (C. F. Bohren and D. R. Huffman, Absorption and Scattering of
    Light by Small Particles (1983), equations 4.53 and 4.74), refractive index m, x = 2πa/λ.
    """
    n = np.arange(1, int(x + 4 * x ** (1 / 3) + 3))

    def riccati(z: complex) -> tuple[np.ndarray, np.ndarray]:
        j, slope = spherical_jn(n, z), spherical_jn(n, z, derivative=True)
        return z * j, j + z * slope

    (psi, dpsi), (inner, dinner) = riccati(x), riccati(m * x)
    y, slope = spherical_yn(n, x), spherical_yn(n, x, derivative=True)
    xi, dxi = psi + 1j * x * y, dpsi + 1j * (y + x * slope)
    a = (m * inner * dpsi - psi * dinner) / (m * inner * dxi - xi * dinner)
    b = (inner * dpsi - m * psi * dinner) / (inner * dxi - m * xi * dinner)
    total, before, pi = np.zeros(cosine.shape, complex), np.zeros_like(cosine), np.ones_like(cosine)
    for k, an, bn in zip(n.tolist(), a, b, strict=True):
        tau = k * cosine * pi - (k + 1) * before
        total += (2 * k + 1) / (k * (k + 1)) * (an * pi + bn * tau)
        before, pi = pi, ((2 * k + 1) * cosine * pi - (k + 1) * before) / k
    return total


@pytest.mark.parametrize(("contrast", "most"), [(1e-3, 0.011), (0.05, 0.074)])
def test_a_sphere_scatters_as_by_mie(contrast: float, most: float) -> None:
    """δ = β, three sizes, to 20 degrees: rms of the logarithm, absolute scale left free."""
    edge = K * np.sin(np.radians(20))
    axis = simulation.detector_axis(edge, 96)
    q = np.hypot(axis[:, None], axis[None, :])
    inside = q < 0.999 * edge
    angles = np.linspace(0, np.radians(20.1), 160)
    for size in (10, 20, 40):
        field = simulation.far_field(sphere(size, complex(-contrast, contrast)), K, edge, 96)
        s1 = mie_s1(1 - contrast + 1j * contrast, size, np.cos(angles))
        mie = np.abs(CubicSpline(angles, s1)(np.arcsin(q[inside] / K))) ** 2
        ratio = np.log10(np.abs(field[inside]) ** 2 / mie)
        assert np.std(ratio) < most


def test_it_is_the_limit_of_the_sum_over_slices() -> None:
    contrast, size, slices = complex(-0.02, 0.01), 15.0, 400
    body = sphere(size, contrast, 32)
    edge = K * np.sin(np.radians(25))
    found = simulation.far_field(body, K, edge, 16)
    x = (np.arange(32) - 15.5) * body.step
    q = simulation.detector_axis(edge, 16)
    zeta = K - np.sqrt(np.maximum(K**2 - q[:, None] ** 2 - q[None, :] ** 2, 0))
    waves = np.exp(-1j * np.outer(q, x))
    z = np.linspace(-size / K, size / K, slices + 1)
    dz, sent, total = z[1] - z[0], np.ones((32, 32), complex), np.zeros((16, 16), complex)
    for at in z[:-1]:
        # The share of each cell of the slice that is inside.
        there = np.clip((np.minimum(at + dz, body.edges[1]) - np.maximum(at, body.edges[0])) / dz, 0, 1)
        passed = np.exp(1j * K * dz * contrast * there) - 1
        total += np.exp(1j * zeta * (at + dz / 2)) * (waves @ (passed * sent) @ waves.T)
        sent *= 1 + passed
    inside = np.hypot(q[:, None], q[None, :]) <= edge
    scale = np.abs(total[inside]).max() * body.step**2
    np.testing.assert_allclose(found[inside], total[inside] * body.step**2, atol=2e-3 * scale)


def test_a_thin_body_scatters_as_in_born_s_approximation_and_moves_by_a_phase() -> None:
    edge = K * np.sin(np.radians(5))
    field = simulation.far_field(sphere(60, 1e-6 + 0j, 96), K, edge, 32)
    axis = simulation.detector_axis(edge, 32)
    across = np.hypot(axis[:, None], axis[None, :])
    inside = across < edge
    turned = 2 * K * np.sin(np.arcsin(np.minimum(across, edge) / K) / 2) * 60 / K
    born = ((np.sin(turned) - turned * np.cos(turned)) / turned**3) ** 2
    ratio = np.log10(np.abs(field[inside]) ** 2 / born[inside])
    assert np.std(ratio) < 0.03
    np.testing.assert_allclose(
        np.abs(simulation.shift_field(field, K, edge, (3, 1, 70))), np.abs(field), rtol=1e-5
    )


def test_chords_add_up_to_volumes_however_a_body_is_tilted() -> None:
    for tilt, turn in ((0, 0), (0.5, 1.0), (1.2, 2.0)):
        axis = simulation.direction(tilt, turn)
        step, x = simulation.grid(3.2, 160)
        for chord, volume in (
            (simulation.spheroid(x, 1.0, 2.5, axis), 4 / 3 * np.pi * 2.5),
            (simulation.pill_chord(x, 1.0, 3.0, axis), np.pi * 3.0 + 4 / 3 * np.pi),
        ):
            assert np.sum(chord[1] - chord[0]) * step**2 == pytest.approx(volume, rel=0.01)
    one, two = (simulation.spheroid(x, 1, 1, axis, (0, 0, z)) for z in (-0.5, 1.5))
    parts = np.diff(simulation.fuse_bodies(step, one, two, 1e-3).edges, axis=0)
    assert parts.min() >= 0
    # The union of two unit spheres 2 apart along the beam is their sum, they only touch.
    assert (parts[0] + parts[2]).sum() * step**2 == pytest.approx(8 / 3 * np.pi, rel=0.01)


def test_every_kind_is_drawn_with_its_tags_and_found_in_its_pattern() -> None:
    rng = np.random.default_rng(1)
    from sasnet_plugin.images.diffraction.simulation import intensity

    for kind in SEED:
        for more in ("", *(SEED_MORE if kind == "round" else ())):
            p = draw_sample(rng, {kind: 1}, {more: 1} if more else {}, 0 if more else 1)
            tags = tags_of(p)
            assert tags["Prolate"] == max(tags["Streak"], tags["Bent"])
            assert tags["Spherical/Oblate"] == max(tags["Round"], tags["Elliptical"])
            picture = intensity(p, 32, 32)
            assert np.isfinite(picture).all()
            assert (picture.max() == 0) == bool(tags["Empty"])
            if tags["Round"] and not more:
                # By its definition: alike all around, to a few per cent of the brightest ring.
                assert np.abs(picture - picture.T).max() < 0.1 * picture.max()
    assert min(c.imag for _, _, c in contrasts()) >= 0  # absorbed, not amplified
    assert len(contrasts()) > 50


def test_a_measurement_turns_the_particle_and_keeps_the_counts() -> None:
    rng = np.random.default_rng(2)
    row = SIMULATOR.clean(draw_sample(rng, {"streak": 1}, {}, 1))
    images, targets = SIMULATOR.measure([row, row], rng, exposure=1e4)
    # Stray light is beside what was asked for.
    assert all(0.7e4 < image.counts.sum() < 2e4 for image in images)
    assert np.abs(images[0].counts - images[1].counts).sum() > 1e3
    assert targets["tags"].shape == (2, 11)
    assert np.isfinite(targets["quantities"]).all()
