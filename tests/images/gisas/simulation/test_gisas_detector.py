"""What a detector does: conserves counts, blurs by its sigma, shifts, counts as Poisson's law says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.images.gisas.simulation import Basis, mix
from sasnet_plugin.images.simulation import (
    MARGIN,
    N_XI,
    WINDOW,
    Measurement,
    blur_matrix,
    compute_expected_counts,
    count,
    sample_mask,
    sample_measurement,
)

IDEAL = Measurement(0, 0, 0, 0, 0, 0, 1.0, 0.3, 1e6)
UNIFORM = np.full(N_XI, 1 / N_XI)


def inner(clean: np.ndarray) -> np.ndarray:
    return clean[:-MARGIN, MARGIN:-MARGIN]


def test_an_ideal_detector_changes_nothing(wide_basis: Basis) -> None:
    clean = mix(wide_basis.half(), UNIFORM)
    seen = compute_expected_counts(clean, WINDOW, IDEAL)
    np.testing.assert_allclose(seen, inner(clean) * (1e6 / inner(clean).sum()), rtol=1e-5)


def test_expected_counts_sum_to_what_was_asked_for(wide_basis: Basis, rng: np.random.Generator) -> None:
    clean = mix(wide_basis.half(), UNIFORM)
    for _ in range(20):
        measurement, mask = sample_measurement(rng), sample_mask(WINDOW, 0.16, rng)
        expected = compute_expected_counts(clean, WINDOW, measurement)
        assert expected.sum() == pytest.approx(measurement.counts, rel=1e-9)
        assert expected.min() >= 0
        seen = compute_expected_counts(clean, WINDOW, measurement, mask)
        assert seen[mask].sum() == pytest.approx(measurement.counts, rel=1e-9)


def test_blurring_keeps_every_count_and_widens_by_sigma() -> None:
    pixel, sigma = 0.03, 0.05
    matrix = blur_matrix(101, 101, 0, sigma, 0.0, pixel)
    spread = matrix[:, 50]
    x = (np.arange(101) - 50) * pixel
    assert spread.sum() == pytest.approx(1, abs=1e-9)
    assert spread @ x == pytest.approx(0, abs=1e-9)
    # A count lies anywhere in the pixel that it came from and in the one that it goes to.
    assert spread @ x**2 == pytest.approx(sigma**2 + pixel**2 / 6, rel=1e-6)


def test_a_shift_moves_the_pattern_towards_larger_angles() -> None:
    matrix = blur_matrix(9, 9, 0, 0.0, 0.015, 0.03)
    np.testing.assert_allclose(matrix[:, 4], [0, 0, 0, 0, 0.5, 0.5, 0, 0, 0], atol=1e-12)
    with_margin = blur_matrix(3, 7, 2, 0.0, 0.03, 0.03)
    assert np.array_equal(np.argmax(with_margin, axis=1), [1, 2, 3])


def test_a_tilt_raises_the_pattern(wide_basis: Basis) -> None:
    clean = mix(wide_basis.half(), UNIFORM)
    straight = compute_expected_counts(clean, WINDOW, IDEAL)
    tilted = compute_expected_counts(clean, WINDOW, replace(IDEAL, shift_alpha=WINDOW.pixel[0]))
    np.testing.assert_allclose(tilted[1:] / tilted[1:].sum(), straight[:-1] / straight[:-1].sum(), rtol=1e-6)


def test_backgrounds_have_their_share_and_shape(wide_basis: Basis) -> None:
    clean = mix(wide_basis.half(), UNIFORM)
    pattern = compute_expected_counts(clean, WINDOW, IDEAL)
    with_flat = compute_expected_counts(clean, WINDOW, replace(IDEAL, flat=0.25))
    np.testing.assert_allclose(with_flat, 0.8 * pattern + 0.2e6 / pattern.size, rtol=1e-9)
    diffuse = compute_expected_counts(clean, WINDOW, replace(IDEAL, diffuse=1.0)) - 0.5 * pattern
    assert diffuse.sum() == pytest.approx(0.5e6)
    alpha, phi = WINDOW.centres()
    falls = np.log(diffuse[0].sum() / diffuse[-1].sum()) / (alpha[-1] - alpha[0])
    assert falls == pytest.approx(1 / IDEAL.diffuse_alpha, rel=1e-6)
    across = diffuse.sum(axis=0)
    assert np.ptp(across * (1 + (phi / IDEAL.diffuse_phi) ** 2)) < 1e-6 * across.max()


def test_counts_follow_poisson_s_law(wide_basis: Basis, rng: np.random.Generator) -> None:
    expected = compute_expected_counts(mix(wide_basis.half(), UNIFORM), WINDOW, IDEAL)
    mask = np.ones(expected.shape, dtype=bool)
    drawn = np.stack([count(expected, mask, rng) for _ in range(200)])
    assert np.all(drawn == np.rint(drawn))
    mean, variance = drawn.mean(axis=0), drawn.var(axis=0, ddof=1)
    bright = expected > 5
    z = (mean - expected)[bright] / np.sqrt(expected[bright] / 200)
    assert abs(z.mean()) < 5 / np.sqrt(bright.sum())
    assert z.std() == pytest.approx(1, abs=0.15)
    assert np.mean(variance[bright] / expected[bright]) == pytest.approx(1, abs=0.03)
    totals = drawn.sum(axis=(1, 2), dtype=np.float64)
    assert abs(totals.mean() - 1e6) < 5 * np.sqrt(1e6 / 200)
