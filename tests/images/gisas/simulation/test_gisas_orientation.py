"""Distributions of the rotation angle: normalised, of the kind they are called, periodic."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.images.gisas.simulation import DELTAS, FAMILIES, FWHM, deltas, peak, sample_orientation
from sasnet_plugin.images.simulation import N_XI, XI


@pytest.mark.parametrize("family", FAMILIES)
def test_shares_sum_to_one(family: str, rng: np.random.Generator) -> None:
    for _ in range(200):
        kind, p = sample_orientation(rng, family=family)
        assert kind == family
        assert p.shape == (N_XI,)
        assert p.min() >= 0
        assert abs(p.sum() - 1) < 1e-12


def test_kinds_come_as_often_as_the_table_says(rng: np.random.Generator) -> None:
    n = 3000
    kinds = [sample_orientation(rng)[0] for _ in range(n)]
    for family, share in FAMILIES.items():
        assert abs(kinds.count(family) - n * share) < 5 * np.sqrt(n * share * (1 - share))


def test_deltas_are_one_to_five_angles_and_each_number_occurs(rng: np.random.Generator) -> None:
    numbers = [np.count_nonzero(sample_orientation(rng, family="deltas")[1]) for _ in range(300)]
    assert set(numbers) == set(range(DELTAS[0], DELTAS[1] + 1))


def test_uniform_prefers_no_angle(rng: np.random.Generator) -> None:
    assert np.ptp(sample_orientation(rng, family="uniform")[1]) == 0


def test_peaks_are_smooth(rng: np.random.Generator) -> None:
    """Neighbours differ by no more than the steepest flank of the narrowest peak allows."""
    sigma = FWHM[0] / np.sqrt(8 * np.log(2))
    steepest = np.exp(-0.5) / sigma * (XI[1] - XI[0])
    for _ in range(200):
        _, p = sample_orientation(rng, family="peaks")
        assert np.max(np.abs(np.diff(p, append=p[0]))) <= steepest * 0.5 / (sigma * np.sqrt(2 * np.pi)) * 1.1


def test_a_peak_has_its_centre_and_width_and_wraps() -> None:
    p = peak(20.0, 8.0)
    assert XI[np.argmax(p)] == 20.0
    np.testing.assert_allclose(p[[32, 48]], p.max() / 2, rtol=1e-9)  # 16 and 24 degrees
    np.testing.assert_allclose(np.roll(peak(5.0, 8.0), -20), peak(55.0, 8.0), rtol=1e-9)


def test_an_angle_between_two_bins_is_divided_and_wraps() -> None:
    p = deltas(np.array([59.875]), np.ones(1))
    assert p[119] == pytest.approx(0.25)
    assert p[0] == pytest.approx(0.75)
