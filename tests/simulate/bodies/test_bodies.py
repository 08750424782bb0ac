"""Bodies that no model is: their curves hold to what is known in closed form, their labels to the window."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.simulate import bodies
from sasnet_plugin.simulate.bodies import (
    BODIES,
    BOND,
    Q_TOP,
    Body,
    Drawn,
    Profile,
    average_sizes,
    caille,
    cluster,
    coil,
    cut,
    distances,
    domain,
    interpolate_on_wide_grid,
    particle,
    polyhedron,
    profile,
    rotation,
    shell,
    sphere,
    spheroid,
    sum_debye,
    transform,
    two_phase_stack,
)
from sasnet_plugin.simulate.grid import WIDE_Q
from sasnet_plugin.simulate.priors import form_models


def test_a_dense_ball_of_points_scatters_as_a_sphere() -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform(-1, 1, (9000, 3))
    points = 50.0 * points[np.linalg.norm(points, axis=1) < 1][:2500]
    weights = np.ones(len(points))
    q, found, rg = sum_debye([distances(points, weights)], [weights])
    assert rg == pytest.approx(50 * np.sqrt(3 / 5), rel=0.02)
    seen = q < 0.08
    # What single points scatter is known: 1/n.
    coherent = (found - 1 / len(points)) / (1 - 1 / len(points))
    assert coherent[seen] == pytest.approx(sphere(50 * q[seen]), abs=4e-3)


def test_the_radius_of_gyration_is_guiniers() -> None:
    rng = np.random.default_rng(2)
    points = domain(150, np.array([1.0, 1.2, 2.0]), rng)
    weights = 1 + 0.2 * rng.standard_normal(len(points))
    q, found, rg = sum_debye([distances(points, weights)], [weights])
    low = q * rg < 0.4
    slope = np.polyfit(q[low] ** 2, np.log(found[low]), 1)[0]
    assert np.sqrt(-3 * slope) == pytest.approx(rg, rel=0.02)


def test_a_folded_domain_is_as_dense_as_proteins_are() -> None:
    rng = np.random.default_rng(3)
    for n in (100, 400):
        rg = np.mean([np.sqrt(np.var(domain(n, np.ones(3), rng), axis=0).sum()) for _ in range(20)])
        # Rg = 2.2 N^0.38 Å of proteins in crystals (Skolnick et al. 1997), which have loops that stand out.
        assert 0.8 < rg / (2.2 * n**0.38) < 1.1


def test_a_worm_has_kratky_and_porods_size_and_its_bonds() -> None:
    rng = np.random.default_rng(4)
    chains = coil(300, 20.0, 400, rng)
    bonds = np.linalg.norm(np.diff(chains, axis=1), axis=-1)
    assert bonds == pytest.approx(BOND, rel=1e-6)
    ends = np.mean(np.sum((chains[:, -1] - chains[:, 0]) ** 2, axis=-1))
    cosine, n = np.exp(-BOND / 20.0), 299
    freely_rotating = (
        n * BOND**2 * ((1 + cosine) / (1 - cosine) - 2 * cosine * (1 - cosine**n) / n / (1 - cosine) ** 2)
    )
    assert ends == pytest.approx(freely_rotating, rel=0.12)


def test_water_lies_around_and_nowhere_else() -> None:
    rng = np.random.default_rng(5)
    points = domain(80, np.ones(3), rng)
    water = shell(points, rng)
    nearest = np.linalg.norm(water[:, None] - points, axis=-1).min(axis=1)
    assert len(water) > 50
    assert np.all((nearest > 4.0) & (nearest < 7.0))
    assert np.linalg.det(rotation(rng)) == pytest.approx(1.0)


def test_the_amplitude_of_a_profile_is_its_fourier_transform() -> None:
    one = profile(np.random.default_rng(6))
    q, z = np.linspace(0.02, 0.6, 30), np.arange(-80, 80, 0.05)
    density = np.sum(
        one.area[:, None]
        / np.sqrt(2 * np.pi)
        / one.width[:, None]
        * np.exp(-0.5 * ((z - one.centre[:, None]) / one.width[:, None]) ** 2),
        axis=0,
    )
    expected = np.exp(1j * np.outer(q, z)) @ density * 0.05
    assert np.abs(one.amplitude(q) - expected).max() < 1e-6 * np.abs(expected).max()


def test_a_gaussian_shell_scatters_as_its_hankel_transform() -> None:
    one = Profile(np.array([1.0, -0.7]), np.array([18.0, 0.0]), np.array([3.0, 6.0]))
    q, r = np.linspace(0.005, 0.3, 40), np.arange(0.05, 400, 0.05)
    density = np.sum(
        one.area[:, None]
        / np.sqrt(2 * np.pi)
        / one.width[:, None]
        * np.exp(-0.5 * ((r - 200 - one.centre[:, None]) / one.width[:, None]) ** 2),
        axis=0,
    )
    expected = 4 * np.pi * np.sin(np.outer(q, r)) @ (density * r) * 0.05 / q
    assert one.wrap_on_sphere(q, np.array([200.0]))[0] == pytest.approx(
        expected, abs=1e-5 * np.abs(expected).max()
    )


def test_a_stack_without_fluctuations_is_laues_and_one_with_them_has_lower_orders() -> None:
    q = np.linspace(0.01, 0.4, 400)
    laue = np.sin(8 * q * 60 / 2) ** 2 / np.sin(q * 60 / 2) ** 2 / 8
    assert caille(q, 60.0, 8, 0.0) == pytest.approx(laue, abs=1e-8)
    third = np.array([3 * 2 * np.pi / 60])
    assert caille(third, 60.0, 8, 0.1) < 0.5 * caille(third, 60.0, 8, 0.0)


def test_layers_of_equal_thickness_without_edges_end_in_porods_law() -> None:
    q = np.array([0.5, 1.0])
    found = two_phase_stack(q, 200.0, 0.4, 0.3, 0.0)
    assert found[0] / found[1] == pytest.approx(16.0, rel=1e-3)
    at = np.linspace(0.015, 0.06, 400)
    peak = at[np.argmax(at**2 * two_phase_stack(at, 200.0, 0.4, 0.1, 0.0))]
    assert peak == pytest.approx(2 * np.pi / 200, rel=0.1)


def test_a_spheroid_of_equal_axes_is_a_sphere_and_a_narrow_distribution_changes_nothing() -> None:
    x = np.exp(np.arange(np.log(1e-3), np.log(100), 1 / 150))
    assert spheroid(x, 1.0) == pytest.approx(sphere(x), abs=1e-9)
    q = np.linspace(0.005, 0.05, 50)
    assert average_sizes(x, sphere(x), q, 40.0, 1e-3) == pytest.approx(sphere(40 * q), rel=0.01, abs=1e-4)


def test_a_clusters_spheres_touch_and_none_overlap() -> None:
    rng = np.random.default_rng(7)
    points = cluster(60, 1.8, 1.2, rng)
    apart = np.linalg.norm(points[:, None] - points, axis=-1) + 10 * np.eye(60)
    assert apart.min() > 2 - 1e-6
    assert np.all(apart.min(axis=1) < 2 + 1e-6)
    radius = np.sqrt(np.mean(np.sum(points**2, axis=1)))
    assert radius == pytest.approx((60 / 1.2) ** (1 / 1.8), rel=0.15)


def test_a_field_cut_in_half_has_the_arcsine_law_and_exponential_phases_are_debyes() -> None:
    g = np.linspace(-0.9, 1.0, 20)
    assert cut(g, 0.0) == pytest.approx(np.arcsin(g) / (2 * np.pi), abs=1e-9)
    # The share of a phase, less its square, where the field is itself.
    from scipy.stats import norm

    share = norm.sf(0.7)
    assert cut(np.array([1.0]), 0.7)[0] == pytest.approx(share * (1 - share), rel=1e-3)
    r, q = np.linspace(0, 1000, 8000), np.array([0.002, 0.01, 0.03])
    debye = 8 * np.pi * 50**3 / (1 + (50 * q) ** 2) ** 2
    assert transform(q, r, np.exp(-r / 50)) == pytest.approx(debye, rel=0.01)


def test_a_cube_from_its_corners_is_the_cube_of_the_textbook() -> None:
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
    x = np.geomspace(0.3, 12, 40)
    found, rg = polyhedron(corners, x)
    assert rg == pytest.approx(1.0, rel=1e-3)
    # Mittelbach & Porod 1961, over Gauss' points of an octant.
    u, w = np.polynomial.legendre.leggauss(80)
    z, phi = (u + 1) / 2, (u + 1) * np.pi / 4
    flat = np.sqrt(1 - z**2)[:, None]
    parts = (flat * np.cos(phi), flat * np.sin(phi), z[:, None] + 0 * phi)
    expected = [w @ np.prod([np.sinc(q * p / np.pi) for p in parts], axis=0) ** 2 @ w / 4 for q in x]
    assert found == pytest.approx(expected, rel=0.05, abs=2e-4)


def test_the_guinier_radius_of_a_faceted_particle_is_the_one_that_is_said() -> None:
    rng = np.random.default_rng(11)
    for _ in range(5):
        one = particle(rng)
        inside = (WIDE_Q * one.rg > 0.05) & (WIDE_Q * one.rg < 0.3)
        slope = np.polyfit(WIDE_Q[inside] ** 2, one.log_intensity[inside], 1)[0]
        assert np.sqrt(-3 * slope) == pytest.approx(one.rg, rel=0.1)


@pytest.mark.parametrize("kind", BODIES)
def test_every_kind_gives_finite_curves_with_names_that_sasmodels_has(kind: str) -> None:
    rng = np.random.default_rng(8)
    known, inside = set(form_models()), WIDE_Q < Q_TOP
    for _ in range(12):
        one = BODIES[kind][0](rng)
        assert one.kind == kind
        assert np.all(np.isfinite(one.log_intensity))
        assert np.ptp(one.log_intensity[inside]) > 0.5
        assert one.accepted
        assert set(one.accepted) <= known
        # What is accepted says no more than is true.
        assert not {"stacked_disks", "truncated_octahedron", "pringle"} & set(one.accepted)


def test_what_a_window_does_not_show_is_not_labelled() -> None:
    one = Body("upturn", np.zeros(WIDE_Q.size), np.nan, bodies.STACK, 0.13, 1.0, 0.05, 0.13)
    assert one.labels(0.01, 0.3) == (0.0, 1.0)
    in_scope, second = one.labels(0.08, 0.3)  # above the upturn
    assert np.isnan(in_scope)
    assert np.isnan(second)
    assert one.names(0.1) == ()
    assert one.names(0.3) == bodies.STACK
    protein = Body("protein", np.zeros(WIDE_Q.size), 20.0, bodies.COMPACT, 8.0)
    assert np.isnan(protein.labels(0.01, 0.2)[0])
    assert protein.labels(0.01, 0.5) == (0.0, 0.0)


def test_a_curve_is_kept_between_its_points_and_continued_as_a_power_law() -> None:
    q = np.geomspace(1e-3, Q_TOP, 300)
    found = interpolate_on_wide_grid(q, q**-2.5)
    inside = (WIDE_Q > 1e-4) & (WIDE_Q < Q_TOP)
    assert found[inside] == pytest.approx(-2.5 * np.log(WIDE_Q[inside]), abs=1e-6)


def test_bodies_are_drawn_anew_and_the_same_for_the_same_seed() -> None:
    first = Drawn(np.random.default_rng(9), kept=6, uses=2)
    one = [body.log_intensity[2000] for _ in range(4) for body in first.draw(4)]
    again = Drawn(np.random.default_rng(9), kept=6, uses=2)
    assert one == [body.log_intensity[2000] for _ in range(4) for body in again.draw(4)]
    assert len(set(one)) > 8
