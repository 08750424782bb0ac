"""Size distributions averaged before orientations: sasmodels' curves, and those of a limit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.quick_models.quick import quick_model
from sasnet_plugin.simulate.quick_models.size_averages import PARTICLES, average

Q = np.geomspace(0.004, 0.3, 24)
SLDS = {"sld": 4.0, "sld_solvent": 1.0, "sld_core": 3.0, "sld_shell": 5.0, "sld_face": 2.0, "sld_rim": 6.0}
SIZES: dict[str, dict[str, float]] = {
    "barbell": {"radius_bell": 40.0, "radius": 20.0, "length": 200.0},
    "capped_cylinder": {"radius": 20.0, "radius_cap": 50.0, "length": 200.0},
    "core_shell_bicelle": {"radius": 60.0, "thick_rim": 9.0, "thick_face": 14.0, "length": 50.0},
    "core_shell_bicelle_elliptical": {
        "radius": 30.0, "x_core": 1.8, "thick_rim": 9.0, "thick_face": 14.0, "length": 50.0,
    },
    "core_shell_cylinder": {"radius": 40.0, "thickness": 12.0, "length": 300.0},
    "core_shell_ellipsoid": {"radius_equat_core": 25.0, "x_core": 2.5, "thick_shell": 12.0},
    "core_shell_parallelepiped": {
        "length_a": 30.0, "length_b": 50.0, "length_c": 120.0,
        "thick_rim_a": 6.0, "thick_rim_b": 9.0, "thick_rim_c": 12.0,
    },
    "cylinder": {"radius": 40.0, "length": 300.0},
    "ellipsoid": {"radius_polar": 30.0, "radius_equatorial": 90.0},
    "elliptical_cylinder": {"radius_minor": 30.0, "axis_ratio": 1.8, "length": 150.0},
    "hollow_cylinder": {"radius": 40.0, "thickness": 12.0, "length": 200.0},
    "parallelepiped": {"length_a": 30.0, "length_b": 60.0, "length_c": 150.0},
    "triaxial_ellipsoid": {
        "radius_equat_minor": 25.0, "radius_equat_major": 45.0, "radius_polar": 80.0,
    },
}  # fmt: skip


def parameters(name: str, *distributed: str, kind: str = "gaussian") -> dict[str, Any]:
    chosen = {p.name for p in load_model(name).info.parameters.call_parameters}
    widths = {f"{size}_pd": 0.12 for size in distributed}
    points = {f"{size}_pd_n": 15 for size in distributed}
    kinds = {f"{size}_pd_type": kind for size in distributed}
    slds = {key: value for key, value in SLDS.items() if key in chosen}
    return {**slds, **SIZES[name], **widths, **points, **kinds, "background": 0.0}


def curve(model: Any, values: dict[str, Any], q: np.ndarray = Q) -> np.ndarray:
    from sasmodels.direct_model import call_kernel

    return np.asarray(call_kernel(model.make_kernel([q]), values))


@pytest.mark.parametrize(("name", "size"), [(name, size) for name in PARTICLES for size in SIZES[name]])
def test_a_size_distribution_has_sasmodels_curve(name: str, size: str) -> None:
    values = parameters(name, size)
    assert curve(quick_model(name), values) == pytest.approx(curve(load_model(name), values), rel=1e-3)


@pytest.mark.parametrize("name", sorted(PARTICLES))
def test_one_size_has_sasmodels_curve(name: str) -> None:
    values = parameters(name)
    assert curve(quick_model(name), values) == pytest.approx(curve(load_model(name), values), rel=1e-3)


@pytest.mark.parametrize("kind", ["schulz", "lognormal"])
def test_two_distributions_at_once_have_sasmodels_curve(kind: str) -> None:
    values = parameters("cylinder", "radius", "length", kind=kind)
    assert curve(quick_model("cylinder"), values) == pytest.approx(
        curve(load_model("cylinder"), values), rel=1e-3
    )


@pytest.mark.parametrize("name", ["cylinder", "ellipsoid", "parallelepiped", "core_shell_cylinder"])
def test_amplitude_volumes_and_effective_radius_are_sasmodels_own(name: str) -> None:
    from sasmodels.direct_model import call_Fq

    values = {**parameters(name, next(iter(SIZES[name]))), "radius_effective_mode": 1}
    own = call_Fq(load_model(name).make_kernel([Q]), values)
    here = call_Fq(quick_model(name).make_kernel([Q]), values)
    # Relative to the root of F²: the mean amplitude crosses zero.
    assert here[0] / np.sqrt(own[1]) == pytest.approx(own[0] / np.sqrt(own[1]), abs=1e-3)
    assert here[2:] == pytest.approx(own[2:], rel=1e-9)


def test_the_decoupling_approximation_is_sasmodels_own() -> None:
    values = {
        **parameters("ellipsoid", "radius_polar"), "volfraction": 0.2, "structure_factor_mode": 1.0,
        "radius_effective_mode": 1.0,
    }  # fmt: skip
    name = "ellipsoid@hardsphere"
    assert curve(quick_model(name), values) == pytest.approx(curve(load_model(name), values), rel=1e-3)


def test_an_ellipsoid_of_equal_axes_is_a_sphere_of_many_sizes() -> None:
    radii, weights = np.linspace(30.0, 60.0, 61), np.hanning(63)[1:-1]
    values = {"radius_polar": 1.0, "radius_equatorial": 1.0, "sld": 4.0, "sld_solvent": 1.0}
    squared = np.zeros_like(Q)
    for radius, weight in zip(radii, weights, strict=True):
        one = average(
            PARTICLES["ellipsoid"], Q, {**values, "radius_polar": radius, "radius_equatorial": radius}, {},
            amplitude=False,
        )  # fmt: skip
        assert one is not None
        squared += weight * one[0]
    x = Q[:, None] * radii
    amplitude = 4 * np.pi * radii**3 * 3.0 * (np.sin(x) - x * np.cos(x)) / x**3
    assert squared == pytest.approx(amplitude**2 @ weights, rel=1e-3)


def test_a_box_does_not_know_the_names_of_its_sides() -> None:
    values = parameters("parallelepiped", "length_a")
    turned = {**values, "length_c": values["length_a"], "length_a": values["length_c"]}
    turned |= {f"length_c{end}": turned.pop(f"length_a{end}") for end in ("_pd", "_pd_n", "_pd_type")}
    model = quick_model("parallelepiped")
    assert curve(model, turned) == pytest.approx(curve(model, values), rel=5e-4)


def test_a_wide_disk_falls_as_porod_says_between_its_thickness_and_its_radius() -> None:
    """I = 2π (Δρ)² L / q² a volume for 1/R << q << 1/L (G. Porod in Glatter & Kratky, 1982)."""
    q, radius, length = np.array([0.02, 0.03]), 2000.0, 2.0
    values = {
        "radius": radius,
        "length": length,
        "radius_pd": 0.15,
        "radius_pd_n": 35,
        "sld": 4.0,
        "sld_solvent": 1.0,
    }
    expected = 1e-4 * 9.0 * 2 * np.pi * length / q**2
    assert curve(quick_model("cylinder"), {**values, "background": 0.0}, q) == pytest.approx(
        expected, rel=0.01
    )


def test_values_of_q_may_come_in_any_order_and_twice() -> None:
    q = np.array([0.2, 0.01, 0.05, 0.01])
    values = parameters("cylinder", "radius")
    model = quick_model("cylinder")
    single = [curve(model, values, np.array([each]))[0] for each in q]
    assert curve(model, values, q) == pytest.approx(single, rel=1e-3)


def test_a_table_that_is_kept_for_one_axis_gives_the_same_curve() -> None:
    values = parameters("core_shell_bicelle", "radius")
    longer, other = {**values, "length": 70.0}, {**values, "sld_face": 4.0}
    model = quick_model("core_shell_bicelle")
    first, *_, again = (curve(model, each) for each in (values, longer, other, longer, values))
    assert np.array_equal(first, again)
    assert curve(model, longer) == pytest.approx(curve(load_model("core_shell_bicelle"), longer), rel=1e-3)
