"""Rg and I(0): the textbooks' values within their errors, refused where there is no Guinier region."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from bodies import coil, hard_spheres, measured, rod, sphere

from sasnet_plugin.model_free import Guinier, Refused, model_free
from sasnet_plugin.types import Curve

Q = np.geomspace(0.004, 0.4, 250)
SPHERE = np.sqrt(3 / 5) * 60.0


def pulls(clean: np.ndarray, q: np.ndarray, rg: float, i0: float, count: int = 40) -> np.ndarray:
    found = [measured(q, clean, seed=seed).guinier() for seed in range(count)]
    assert all(isinstance(one, Guinier) for one in found)
    return np.array([((g.rg - rg) / g.rg_error, (g.i0 - i0) / g.i0_error, g.rg / rg) for g in found])


@pytest.mark.parametrize("background", [0.0, 0.01])
def test_a_sphere_has_the_root_of_three_fifths_of_its_radius(background: float) -> None:
    off = pulls(5 * sphere(Q, 60.0) + background, Q, SPHERE, 5.0)
    assert np.abs(off[:, 2] - 1).max() < 0.03
    assert np.mean(np.abs(off[:, :2]) < 2) > 0.85


@pytest.mark.parametrize(("rg", "least"), [(30.0, 0.03), (60.0, 0.04)])
def test_a_coil_has_the_rg_of_debye(rg: float, least: float) -> None:
    off = pulls(coil(Q, rg), Q, rg, 1.0)
    assert np.abs(off[:, 2] - 1).max() < 1.6 * least
    assert np.mean(np.abs(off[:, 0]) < 2) > 0.85


def test_a_whole_rod_has_its_length_over_the_root_of_twelve() -> None:
    off = pulls(rod(Q, 300.0), Q, 300 / np.sqrt(12), 1.0, 20)
    assert np.mean(np.abs(off[:, 2] - 1) < 0.04) > 0.9


def test_the_error_grows_as_the_window_begins_later() -> None:
    errors = []
    for begin in (0.1, 0.4, 0.9):
        q = np.geomspace(begin / SPHERE, 0.4, 200)
        found = measured(q, sphere(q, 60.0)).guinier()
        assert isinstance(found, Guinier)
        assert abs(found.rg - SPHERE) < 3 * found.rg_error
        assert found.qrg_min == pytest.approx(begin, rel=0.05)
        errors.append(found.rg_error)
    assert errors[0] < errors[1] < errors[2]


def test_pinhole_smearing_is_taken_out() -> None:
    # A tenth and more of q blurs a sphere's lowest points; averaged here point by point.
    steps = np.linspace(-3, 3, 61)
    share = np.exp(-(steps**2) / 2)
    dq = 0.2 * Q
    clean = np.sum(share[:, None] * sphere(np.abs(Q + steps[:, None] * dq), 60.0), axis=0) / share.sum()
    curve = measured(Q, clean, 0.005)
    blurred, sharp = curve.guinier(), replace(curve, dq=dq).guinier()
    assert isinstance(blurred, Guinier)
    assert isinstance(sharp, Guinier)
    assert sharp.rg == pytest.approx(SPHERE, rel=0.015)
    assert abs(sharp.rg / SPHERE - 1) < abs(blurred.rg / SPHERE - 1)


def test_errors_that_are_too_small_do_not_make_a_better_rg() -> None:
    curve = measured(Q, sphere(Q, 60.0), 0.05)
    assert curve.dintensity is not None
    boasting = replace(curve, dintensity=curve.dintensity / 10).guinier()
    honest = curve.guinier()
    assert isinstance(boasting, Guinier)
    assert isinstance(honest, Guinier)
    assert boasting.rg_error > 0.4 * honest.rg_error


def test_one_point_said_to_be_perfect_decides_nothing() -> None:
    curve = measured(Q, sphere(Q, 60.0))
    assert curve.dintensity is not None
    intensity, dintensity = curve.intensity.copy(), curve.dintensity.copy()
    intensity[20] *= 1.05
    dintensity[20] = 1e-9 * intensity[20]
    found = replace(curve, intensity=intensity, dintensity=dintensity).guinier()
    assert not isinstance(found, Guinier) or found.rg == pytest.approx(SPHERE, rel=0.05)


def without(name: str) -> np.ndarray:
    return {
        "rod": rod(Q, 2e4),
        "sheet": Q**-2.0 * np.exp(-((Q * 20) ** 2) / 12),
        "surface": Q**-4.0,
        "hard spheres": sphere(Q, 60.0) * hard_spheres(Q, 60.0, 0.3),
        "upturn": sphere(Q, 60.0) + 3 * (Q / Q[0]) ** -3.0,
        "peak": np.exp(-(((Q - 0.05) / 0.01) ** 2)) + 0.1,
        "level": np.ones_like(Q),
        "late": coil(Q, 600.0),
    }[name]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("rod", r"q\^-(0\.9|1)"),
        ("sheet", r"q\^-(1\.9|2)"),
        ("surface", r"q\^-(3\.9|4)"),
        ("hard spheres", "repulsion|interact"),
        ("upturn", "falls as q|interact"),
        ("peak", "repulsion|interact"),
        ("level", "does not fall|determine"),
        ("late", "too late"),
    ],
)
def test_refused_with_the_reason_where_there_is_no_guinier_region(name: str, reason: str) -> None:
    import re

    for seed in range(5):
        found = measured(Q, without(name), seed=seed).guinier()
        assert isinstance(found, Refused)
        assert not found
        assert re.search(reason, found.reason), found.reason


def test_a_slit_is_refused() -> None:
    curve = measured(Q, sphere(Q, 60.0))
    assert "slit" in getattr(replace(curve, dxl=np.full_like(Q, 0.1)).guinier(), "reason", "")


def test_aggregates_that_raise_rg_are_refused_or_in_its_error() -> None:
    # Spheres, of which some stick together to much larger ones.
    for seed in range(10):
        mixture = sphere(Q, 60.0) + 0.5 * coil(Q, 200.0)
        found = measured(Q, mixture, seed=seed).guinier()
        # The curve's own Rg at q = 0 is known: the mean of Rg² weighted with I(0).
        true = np.sqrt((SPHERE**2 + 0.5 * 200**2) / 1.5)
        assert not isinstance(found, Guinier) or abs(found.rg - true) < 3 * found.rg_error


@pytest.mark.parametrize("q", [np.empty(0), np.array([0.01, 0.02, 0.03])])
def test_few_points_are_refused(q: np.ndarray) -> None:
    assert isinstance(Curve(q, np.ones_like(q)).guinier(), Refused)


def test_nothing_falls_where_the_first_points_are_at_or_below_zero() -> None:
    from sasnet_plugin.model_free.guinier import guinier

    intensity = np.exp(-(((Q - 0.06) / 0.01) ** 2))
    intensity[:40] = -1e-3
    found = guinier(Q, intensity, np.full_like(Q, 0.01))
    assert isinstance(found, Refused)
    assert "does not fall" in found.reason


def test_points_that_are_no_numbers_are_left_out() -> None:
    curve = measured(Q, sphere(Q, 60.0))
    intensity = curve.intensity.copy()
    intensity[[3, 50]] = np.nan
    given = {name: getattr(curve, name) for name in ("q", "dintensity", "dq", "dxl", "dxw")}
    found = model_free(SimpleNamespace(intensity=intensity, **given)).guinier
    assert isinstance(found, Guinier)
    assert found.rg == pytest.approx(SPHERE, rel=0.03)


def test_the_unit_of_the_intensity_does_not_matter() -> None:
    curve = measured(Q, sphere(Q, 60.0))
    assert curve.dintensity is not None
    for factor in (1e-12, 1e12):
        other = Curve(Q, factor * curve.intensity, factor * curve.dintensity).guinier()
        own = curve.guinier()
        assert isinstance(other, Guinier)
        assert isinstance(own, Guinier)
        assert (other.rg, other.i0 / factor) == pytest.approx((own.rg, own.i0), rel=1e-6)
