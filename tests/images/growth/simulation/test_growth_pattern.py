"""The pattern of a growing film: BornAgain's, pixel by pixel, and what physics says of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from growthfilms import (
    COUPLED,
    LAYERED,
    ONE_SIZE,
    SEVERAL,
    SMALL,
    bin_pattern,
    bornagain_pattern,
    point_pattern,
)

from sasnet_plugin.images.growth.simulation import (
    form_factor,
    odd_part,
    pattern,
    reflection,
    sample_film,
    transform,
)
from sasnet_plugin.images.simulation import FILM_WINDOW, Film, Window

FILMS = {"one size": ONE_SIZE, "several": SEVERAL, "coupled": COUPLED, "layered": LAYERED}


@pytest.mark.parametrize("name", FILMS)
def test_the_pattern_is_bornagain_s(name: str) -> None:
    ours, theirs = point_pattern(FILMS[name], SMALL), bornagain_pattern(FILMS[name], SMALL)
    ratio = ours / theirs
    worst = np.max(np.abs(ratio / np.median(ratio) - 1))
    print(f"{name}: against BornAgain, at worst {worst:.1e}")
    assert worst < 5e-4


def test_films_of_the_prior_are_bornagain_s(rng: np.random.Generator) -> None:
    window = Window(12, 8, phi=(-2.0, 2.0), alpha_f=(0.0, 2.5))
    for _ in range(12):
        film = sample_film(rng)
        ratio = point_pattern(film, window) / bornagain_pattern(film, window)
        assert np.max(np.abs(ratio / np.median(ratio) - 1)) < 2e-3, film


def test_the_form_factor_is_the_volume_s_integral(rng: np.random.Generator) -> None:
    radius, height = 37.0, 52.0
    zero = np.zeros(1)
    assert form_factor(zero, zero, radius, height)[0] == pytest.approx(2 / 3 * np.pi * radius**2 * height)
    # By Monte Carlo over the box around it.
    n = 400_000
    x, y = rng.uniform(-radius, radius, (2, n))
    z = rng.uniform(0, height, n)
    inside = (x**2 + y**2) / radius**2 + z**2 / height**2 < 1
    for q_r, q_z in ((0.03, 0.05), (0.06, -0.04)):
        values = np.where(inside, np.exp(1j * (q_r * x + q_z * z)), 0)
        box = 4 * radius**2 * height
        expected, error = box * values.mean(), box * values.std() / np.sqrt(n)
        found = form_factor(np.array([q_r]), np.array([q_z]), radius, height)[0]
        assert abs(found - expected) < 5 * error
        assert error < 0.05 * abs(found)


def test_the_table_is_the_integral(rng: np.random.Generator) -> None:
    u, v = rng.uniform(0, 50, 40), rng.uniform(-100, 100, 40)
    exact = np.array([odd_part(np.array([a]), np.array([b]))[0, 0] for a, b in zip(u, v, strict=True)])
    assert np.max(np.abs(form_factor(u, v, 1.0, 1.0).imag - exact)) < 2e-6


def test_beyond_the_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="table"):
        form_factor(np.array([1.0]), np.array([0.1]), 100.0, 100.0)


def structure_factor(q: np.ndarray, distance: float, spread: float) -> np.ndarray:
    """Of a chain without end (R. Lazzari, J. Appl. Cryst. 35, 406, 2002)."""
    omega = transform(q, distance, spread)
    return np.asarray(((1 + omega) / (1 - omega)).real)


@pytest.mark.parametrize(("spread", "within"), [(0.08, 0.03), (0.1, 0.03), (0.15, 0.05), (0.2, 0.12)])
def test_the_first_order_lies_below_two_pi_over_d_as_theory_says(spread: float, within: float) -> None:
    distance = 100.0
    q = np.linspace(0.9, 1.02, 200_001) * 2 * np.pi / distance
    s = structure_factor(q, distance, spread * distance)
    shift = 1 - q[np.argmax(s)] * distance / (2 * np.pi)
    # Near it 1/S goes with (x² + a⁴/4)/a², x = qD − 2π and a = σq: least at x = −(2π)³(σ/D)⁴/4.
    assert shift == pytest.approx(np.pi**2 * spread**4, rel=within)
    # And S there is (1 + |Ω|)/(1 − |Ω|), as at any q = 2πn/D.
    damping = np.exp(-0.5 * (2 * np.pi * spread) ** 2)
    at_order = structure_factor(np.array([2 * np.pi / distance]), distance, spread * distance)[0]
    assert at_order == pytest.approx((1 + damping) / (1 - damping), rel=1e-9)


def test_order_is_lost_far_out() -> None:
    assert structure_factor(np.array([5.0]), 100.0, 20.0)[0] == pytest.approx(1.0, abs=1e-12)


def test_sidemaxima_lie_where_distance_says() -> None:
    for distance in (60.0, 90.0, 130.0):
        film = replace(SEVERAL, distance=distance, radius=0.35 * distance, distance_spread=0.1 * distance)
        seen = pattern(film, replace(FILM_WINDOW, columns=256))
        alpha, phi = replace(FILM_WINDOW, columns=256).centres()
        profile = np.where(phi > 0.15, seen[(alpha > 0.3) & (alpha < 1.0)].sum(axis=0), 0)
        expected = np.degrees(np.arcsin(film.wavelength / distance))
        # The clusters' own fall-off pulls the maximum in, the more the broader it is.
        assert 0.85 * expected < phi[np.argmax(profile)] < 1.02 * expected


def test_left_and_right_are_alike() -> None:
    for film in FILMS.values():
        seen = pattern(film, FILM_WINDOW)
        np.testing.assert_array_equal(seen, seen[:, ::-1])
        assert seen.min() >= 0


def test_lengths_and_wavelength_scale_together() -> None:
    """Angles depend on ratios of lengths alone, where materials reflect alike."""
    bare = replace(SEVERAL, polymer=1e-6)
    q = np.array([[0.02, 0.05]])
    one = form_factor(q, 2 * q, bare.radius, bare.height)
    other = form_factor(q / 3, 2 * q / 3, 3 * bare.radius, 3 * bare.height)
    np.testing.assert_allclose(other, 27 * one, rtol=1e-12)


def test_reflection_is_total_below_the_critical_angle_and_fresnel_s_above() -> None:
    film = replace(ONE_SIZE, polymer=1e-9)
    below, above = reflection(film, np.radians([0.02, 1.5]))
    assert 0.95 < abs(below) <= 1
    # Far above, r = (θ_c / 2θ)² with θ_c² = 2δ.
    from sasnet_plugin.images import bornagain

    delta, _ = bornagain.refraction("Si", 2.33, film.wavelength)
    assert abs(above) == pytest.approx(2 * delta / (4 * np.radians(1.5) ** 2), rel=0.01)


def test_the_mean_over_a_pixel_is_that_of_many_parts_of_it() -> None:
    for name, film in FILMS.items():
        true = bin_pattern(point_pattern(film, FILM_WINDOW.finer(8, 8)), 8)
        middle = point_pattern(film, FILM_WINDOW)
        ours = pattern(film, FILM_WINDOW).astype(float)
        off = np.abs(ours / ours.sum() - true / true.sum()).sum()
        coarse = np.abs(middle / middle.sum() - true / true.sum()).sum()
        print(f"{name}: {off:.2%} off; middles of pixels {coarse:.1%}")
        assert off < 0.01
        assert off < coarse


def test_a_window_without_mirror_is_refused() -> None:
    with pytest.raises(ValueError, match="symmetric"):
        pattern(ONE_SIZE, Window(8, 8, phi=(-1.0, 0.5)))


def test_no_metal_layer_is_the_limit_of_a_thin_one() -> None:
    none: Film = ONE_SIZE
    thin = replace(none, layer=1e-6)
    np.testing.assert_allclose(point_pattern(thin, SMALL), point_pattern(none, SMALL), rtol=1e-5)
