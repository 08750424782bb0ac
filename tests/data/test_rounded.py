"""No point decides a fit because its uncertainty was rounded away or slipped."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.data.clean import last_digit, repair_uncertainties

Q = np.geomspace(0.005, 0.4, 200)


def sphere(radius: float, background: float) -> np.ndarray:
    """Form factor of a sphere (Rayleigh, Proc. R. Soc. A 84 (1911) 25), deep minima, with a background."""
    x = Q * radius
    return 300 * (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 + background


def test_what_is_rounded_to_five_places_weighs_as_what_was_not() -> None:
    rng = np.random.default_rng(1)
    exact = sphere(70, 1e-3)
    sigma = 0.0045 * exact
    intensity = np.round(exact + sigma * rng.normal(size=Q.size), 5)
    rounded = np.round(sigma, 5)
    assert np.any(rounded == 0)
    found, notes = repair_uncertainties(Q, intensity, rounded)
    z = (intensity - exact) / found
    assert 0.7 < np.mean(z**2) < 1.15
    assert np.max(np.abs(z)) < 4.5
    assert any("rounded to 1e-05" in note for note in notes)
    # Where digits are enough, the file's value stands.
    many = rounded >= 3e-5
    np.testing.assert_array_equal(found[many], rounded[many])


def test_a_zero_among_full_precision_is_no_better_known_than_its_neighbours() -> None:
    sigma = 0.02 * sphere(60, 0.01)
    intensity, spoiled = sphere(60, 0.01), sigma.copy()
    spoiled[[20, 100, 180]] = 0.0
    found, notes = repair_uncertainties(Q, intensity, spoiled)
    assert np.all(found >= 0.9 * sigma)
    assert notes == ["3 uncertainties not above zero were replaced by those of neighbouring points."]


def test_an_uncertainty_far_below_all_others_is_a_slip() -> None:
    sigma = 0.02 * sphere(60, 0.01)
    spoiled = sigma.copy()
    spoiled[77] = 1e-4 * sigma[77]
    found, notes = repair_uncertainties(Q, sphere(60, 0.01), spoiled)
    assert found[77] >= 0.9 * sigma[77]
    np.testing.assert_array_equal(np.delete(found, 77), np.delete(sigma, 77))
    assert len(notes) == 1


def test_two_settings_in_turn_keep_their_own_precision() -> None:
    sigma = 0.02 * sphere(60, 0.01)
    sigma[80:120:2] *= 20
    found, notes = repair_uncertainties(Q, sphere(60, 0.01), sigma)
    np.testing.assert_array_equal(found, sigma)
    assert notes == []


@pytest.mark.parametrize("values", [np.ones(200), np.full(200, 0.1)])
def test_a_constant_of_one_digit_is_no_rounded_column(values: np.ndarray) -> None:
    found, notes = repair_uncertainties(Q, sphere(60, 0.01), values)
    np.testing.assert_array_equal(found, values)
    assert notes == []


@pytest.mark.parametrize(("text", "unit"), [("0.00110 0.2 17", 1e-4), ("3 4 5", 1.0), ("0.12345 1e-5", 1e-5)])
def test_last_digit(text: str, unit: float) -> None:
    assert last_digit(np.array(text.split(), dtype=float)) == pytest.approx(unit)
    assert last_digit(np.random.default_rng(1).normal(size=9)) is None
