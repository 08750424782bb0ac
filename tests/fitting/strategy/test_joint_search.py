"""Which bodies several contrasts are held against."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.data.sample.sample import Sample
from sasnet_plugin.fitting.result.reported_values import mean_over_parameter
from sasnet_plugin.fitting.result.sample_result import JointFit, SampleResult
from sasnet_plugin.fitting.strategy.joint_fit import JointTask, fit_jointly
from sasnet_plugin.fitting.strategy.joint_search import (
    is_worth_its_time,
    list_layered_bodies,
    materials,
    spread_over_kinds,
)
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.fitting.verdict.sample import add_sample_verdict
from sasnet_plugin.types import Curve, Suggestion

# --- Which bodies several contrasts are held against.


def test_a_layered_body_may_be_another_of_as_many_layers_that_the_network_offers():
    """Three contrasts of bicelles were core-shell ellipsoids within 2.6 % of I, and nobody tried bicelles."""
    known = {"gel_fit": 0.2, "cylinder": 0.1, "core_shell_cylinder": 0.07, "core_shell_bicelle": 0.03}
    offered = known | {"core_shell_parallelepiped": 0.001}
    assert list_layered_bodies("core_shell_ellipsoid", offered, ()) == [
        "core_shell_cylinder",
        "core_shell_bicelle",
    ]
    assert list_layered_bodies("core_shell_ellipsoid", offered, {"core_shell_cylinder"}) == [
        "core_shell_bicelle"
    ]


def test_a_plain_body_may_be_coated_whatever_the_network_says():
    found = list_layered_bodies("sphere", {"vesicle": 0.001}, ())
    assert "core_shell_sphere" in found
    assert all(materials(name) > 1 for name in found)


def test_an_improbable_model_that_takes_long_is_not_fitted_where_another_explains_the_curves():
    """Superballs of 3 % took 8.5 of the 10.5 CPU seconds of two curves of spheres, and changed nothing."""
    for slow in ("superball", "truncated_octahedron", "pringle"):
        assert not is_worth_its_time((slow, None), 0.03, 2, fitted=False)
        assert is_worth_its_time((slow, None), 0.3, 2, fitted=False)
    assert is_worth_its_time(("fuzzy_sphere", None), 0.03, 2, fitted=False)
    # One that was fitted alone has its starting values, which is most of the work.
    assert is_worth_its_time(("core_shell_cylinder", None), 0.03, 2, fitted=True)
    assert not is_worth_its_time(("core_shell_cylinder", None), 0.03, 2, fitted=False)


# --- Size distributions of joint fits: kinds that no curve tells apart say the same size.

RADIUS, WIDTH = 50.0, 0.12


def measured(solvent: float, seed: int) -> Curve:
    """Spheres of Schulz's distribution with 1 % of noise."""
    from sasmodels.core import load_model
    from sasmodels.data import Data1D
    from sasmodels.direct_model import DirectModel

    q = np.geomspace(0.006, 0.25, 90)
    data = Data1D(x=q, y=np.ones_like(q), dy=np.ones_like(q))
    spread = {"radius_pd": WIDTH, "radius_pd_type": "schulz", "radius_pd_n": 60, "radius_pd_nsigma": 6}
    values = {"radius": RADIUS, "sld": 3.0, "sld_solvent": solvent, "scale": 0.01, "background": 0.02}
    clean = DirectModel(data, load_model("sphere"))(**values, **spread)
    size = 0.01 * clean + 1e-3
    noise = np.random.default_rng(seed).standard_normal(q.size)
    return Curve(q, clean + size * noise, size, file=f"{seed}.dat")


@pytest.fixture(scope="module")
def sample() -> Sample:
    solvents = (-0.56, 6.36)
    curves = [measured(s, i) for i, s in enumerate(solvents)]
    return sample_of(curves, {"solvents": {str(i + 1): s for i, s in enumerate(solvents)}})


@pytest.fixture(scope="module")
def kinds(sample: Sample) -> dict[str, JointFit]:
    return {kind: fitted(sample, kind) for kind in ("schulz", "lognormal")}


def fitted(sample: Sample, kind: str) -> JointFit:
    start: dict[str, Any] = {"radius": 48.0, "sld": 2.5, "radius_pd": 0.1, "radius_pd_type": kind}
    errors = tuple(np.asarray(curve.dintensity) for curve in sample.curves)
    return fit_jointly(JointTask(sample, errors, "sphere", None, (start, None)), None, JointTask.budget)


def test_means_of_kinds_agree_where_their_parameters_do_not(kinds: dict[str, JointFit]) -> None:
    schulz, lognormal = (kinds[k].parameters["radius"] for k in ("schulz", "lognormal"))
    assert schulz.error
    assert lognormal.error
    best = kinds["lognormal"]
    mean = mean_over_parameter(best.parameters, best.distributions, "radius") * lognormal.value
    assert lognormal.value < RADIUS - 3 * lognormal.error  # a median
    assert abs(mean - schulz.value) < 0.5 * abs(lognormal.value - schulz.value)
    assert abs(mean - RADIUS) < 3 * lognormal.error


def test_error_is_not_widened_by_what_a_kind_s_parameter_stands_for(kinds: dict[str, JointFit]) -> None:
    alone = kinds["lognormal"].parameters["radius"].error
    best = spread_over_kinds([kinds["lognormal"], kinds["schulz"]]).parameters["radius"].error
    assert alone
    assert best
    assert best < 1.3 * alone


def test_headline_says_the_mean_of_a_log_normal_distribution(
    sample: Sample, kinds: dict[str, JointFit]
) -> None:
    errors = tuple(np.asarray(curve.dintensity) for curve in sample.curves)
    found = SampleResult(sample, errors, (kinds["lognormal"],), Suggestion("", "", (), (), 1.0))
    said = re.search(r"mean radius ([0-9.]+)", add_sample_verdict(found, FitOptions()).verdict.headline)
    median = kinds["lognormal"].parameters["radius"].value
    assert said
    assert float(said[1]) == pytest.approx(median * np.exp(WIDTH**2 / 2), abs=0.1)


def test_headline_names_sizes_as_that_of_one_curve_does(sample: Sample, kinds: dict[str, JointFit]) -> None:
    errors = tuple(np.asarray(curve.dintensity) for curve in sample.curves)
    sphere = kinds["lognormal"]
    shell = {"thickness": replace(sphere.parameters["radius"], value=15.0, error=0.5)}
    best = replace(sphere, model="core_shell_sphere", parameters=sphere.parameters | shell)
    found = SampleResult(sample, errors, (best,), Suggestion("", "", (), (), 1.0))
    said = add_sample_verdict(found, FitOptions()).verdict.headline
    assert said.startswith("Best fit: core-shell spheres (core_shell_sphere), ")
    assert ", number-mean core radius " in said
    assert "shell thickness 15.0 ± 0.5 Å" in said
    assert re.search(r"polydispersity \d\S* ± \S+ % \(log-normal\)", said)
