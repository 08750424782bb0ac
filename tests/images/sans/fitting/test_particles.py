"""Particles named to the fit of an image: what is fitted, and sizes of an image by other formulas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.fitting.oriented_images import draw, judge
from sasnet_plugin import fit_image
from sasnet_plugin.images.sans.particles import RADIUS, particle_of
from sasnet_plugin.images.sans.simulation import compute_legendre
from sasnet_plugin.types import DataError

NAMED = ("core_shell_bicelle", "hollow_rectangular_prism", "stacked_disks", "fcc_paracrystal", "barbell")


@pytest.mark.parametrize("model", NAMED)
def test_starts_have_one_size_and_stay_in_the_ranges_of_the_fit(model: str) -> None:
    particle = particle_of(model)
    shapes = particle.list_shapes({})
    assert len(shapes) >= 20
    for shape in (*shapes[:5], *particle.list_changed(shapes[0], np.random.default_rng(1))):
        ranges = particle.limits(shape)
        assert all(low <= shape[name] <= high for name, (low, high) in ranges.items())
        assert f"{particle.size}_pd" in ranges
        assert not any("solvent" in name for name in ranges)
        assert abs(np.log(shape[particle.size] / RADIUS)) < 0.06


def test_the_scale_takes_up_one_contrast_and_a_given_density_stays() -> None:
    particle = particle_of("core_shell_cylinder")
    given = {"sld_solvent": 6.4, "sld_shell": 3.0}
    for shape in particle.list_shapes(given)[:5]:
        assert given.items() <= shape.items()
        densities = {name for name in particle.limits(shape) if name.startswith("sld")}
        assert densities == {"sld_core"}


@pytest.mark.parametrize("model", ["core_shell_cylinder", "triaxial_ellipsoid"])
def test_a_larger_particle_scatters_the_same_at_smaller_q(model: str) -> None:
    particle, q = particle_of(model), np.geomspace(0.005, 0.05, 20)
    shape = particle.list_shapes({})[0]
    first, second = (
        compute_legendre(model, particle.parameters(values, "schulz", few=True), at)
        for values, at in ((shape, q), (particle.enlarge(shape, 2.0), q / 2))
    )
    np.testing.assert_allclose(second / second[0, 0], first / first[0, 0], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("sphere", "no orientation"),
        ("lamellar", "no orientation"),
        ("cylinder@hardsphere", "without structure factor"),
        ("cylinder+sphere", "one particle"),
        ("superball", "too long"),
    ],
)
def test_models_without_orientation_are_refused(model: str, why: str) -> None:
    with pytest.raises(DataError, match=why):
        particle_of(model)


# Of the second another axis along the direction across explains the image, too, but less well.
@pytest.mark.parametrize(
    ("index", "model", "size"),
    [(2, "elliptical_cylinder", "length"), (7, "triaxial_ellipsoid", "radius polar")],
)
def test_a_particle_by_other_formulas_is_found(tmp_path: Path, index: int, model: str, size: str) -> None:
    form, truth, path = draw(index, tmp_path, model)
    fit = fit_image(path, models=[form])
    row = judge(form, truth, fit.body, fit.values)
    assert fit.verified
    assert row["turn"] < 3
    assert row["p2"] < 0.05
    assert max(row["off"].values()) < 3
    assert fit.fixed == {"sld": 4.0, "sld_solvent": 1.0}
    assert size in fit.headline
