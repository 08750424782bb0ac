"""Dense spheres of several sizes are hard spheres, not sticky ones."""

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin import Curve, fit
from sasnet_plugin.fitting.assessment.size_mixtures import add_mixture, rank_by_mixture
from sasnet_plugin.fitting.result.fit_result import SizeMixture
from sasnet_plugin.simulate.hard_sphere_mixtures import SphereMixture

TRUE = {
    "radius": 60.0, "radius_pd": 0.09, "radius_pd_nsigma": 3.0, "sld": 4.0, "sld_solvent": 1.0,
    "volfraction": 0.25,
}  # fmt: skip


def measured() -> Curve:
    q = np.geomspace(0.006, 0.2, 140)
    clean = SphereMixture("sphere", q).intensity(TRUE, "radius") + 0.02
    error = 0.01 * clean
    noise = np.random.default_rng(3).standard_normal(q.size)
    return Curve(q, clean + error * noise, error, dq=0.02 * q, file="dense.dat")


@pytest.fixture(scope="module")
def result():
    return fit(measured(), models=["sphere"], workers=1, progress=False)


def test_dense_spheres_are_hard_spheres(result):
    assert result.best.name == "sphere@hardsphere"
    for name, value in TRUE.items():
        p = result.best.parameters.get(name)
        if p is not None and p.error:
            assert abs(p.value - value) <= 3 * p.error


def test_the_caution_gives_the_values_of_the_mixture(result):
    text = " ".join(result.verdict.doubts)
    assert "one structure factor for all sizes" in text
    assert "volume fraction 25 %" in text
    assert result.mixture.mean == pytest.approx(60, rel=0.005)
    assert result.mixture.deviation == pytest.approx(0.09, rel=0.1)


def test_a_mixture_gives_its_evidence_to_hard_spheres_alone(result):
    hard = result.best
    sticky = replace(hard, structure_factor="stickyhardsphere", weight=1.0)
    fits = [sticky, replace(hard, weight=0.0)]
    mixture = SizeMixture(hard.name, 60.0, 0.1, {}, 1.0, hard.bic - 100)
    assert [fit.name for fit in rank_by_mixture(fits, mixture)] == [hard.name, sticky.name]
    assert rank_by_mixture(fits, replace(mixture, bic=hard.bic)) == fits
    assert rank_by_mixture(fits, None) == fits


def test_a_mixture_that_explains_no_better_is_not_told_beside_dilute_spheres(result):
    hard = result.best
    alone = replace(result, fits=(replace(hard, structure_factor=None),), mixture=None)
    as_good = SizeMixture(hard.name, 60.0, 0.1, dict.fromkeys(hard.free, 1.0), 1.0, hard.bic)
    assert add_mixture(alone, as_good).mixture is None
    # A peak with more parameters is no simpler explanation than spheres that repel each other.
    more = {"width_exp": hard.parameters["radius"], "shape_exp": hard.parameters["radius"]}
    peak = replace(hard, model="broad_peak", structure_factor=None, parameters={**hard.parameters, **more})
    assert add_mixture(replace(result, fits=(peak,), mixture=None), as_good).mixture is as_good
    sticky = replace(result, fits=(replace(hard, structure_factor="stickyhardsphere"),), mixture=None)
    assert add_mixture(sticky, as_good).mixture is as_good
    assert add_mixture(sticky, replace(as_good, reduced_chisq=145.0)).mixture is None
