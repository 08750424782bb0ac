"""Series along which a body changes: what the curves do not share is said, with its value in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.batch.worker import OneByOne
from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.data.sample.sample import Sample
from sasnet_plugin.fitting.api import fit_sample
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.sample_result import JointFit, SampleResult
from sasnet_plugin.fitting.result.verdict import DOES_NOT, EXPLAINS, Verdict
from sasnet_plugin.fitting.strategy.disagreement import other_shape_that_explains, own_that_explains
from sasnet_plugin.fitting.strategy.joint_fit import JointTask, fit_jointly
from sasnet_plugin.fitting.strategy.joint_search import kin
from sasnet_plugin.fitting.task import Budget, FitOptions
from sasnet_plugin.fitting.verdict.sample import add_sample_verdict
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve, Suggestion

from .test_joint_fit import Here

RADII, EVEN, FRACTIONS = (24.0, 28.0, 33.0), (28.0, 28.0, 28.0), (0.02, 0.08, 0.2)


def measured(file: str, seed: int, body: str = "sphere@hardsphere", **values: float) -> Curve:
    """Bodies in D2O with 1 % of noise."""
    from sasmodels.core import load_model
    from sasmodels.data import Data1D
    from sasmodels.direct_model import DirectModel

    q = np.geomspace(0.008, 0.3, 90)
    data = Data1D(x=q, y=np.ones_like(q), dy=np.ones_like(q))
    clean = DirectModel(data, load_model(body))(**values, sld=0.3, sld_solvent=6.36, background=0.05)
    size = 0.01 * clean + 1e-3
    noise = np.random.default_rng(seed).standard_normal(q.size)
    return Curve(q, clean + size * noise, size, file=file)


def sample(radii: Sequence[float], given: Sequence[float] = ()) -> Sample:
    curves = [
        measured(f"phi_{100 * phi:.0f}.dat", i, radius=r, volfraction=phi)
        for i, (r, phi) in enumerate(zip(radii, FRACTIONS, strict=True))
    ]
    said = {"concentrations": {str(i + 1): c for i, c in enumerate(given)}} if given else {}
    return sample_of(curves, {"kind": "concentrations", **said})


def task(of: Sample) -> JointTask:
    errors = tuple(np.asarray(curve.dintensity) for curve in of.curves)
    start: dict[str, Any] = {"radius": 27.0, "volfraction": 0.1, "sld": 0.3, "sld_solvent": 6.36}
    return JointTask(of, errors, "sphere", "hardsphere", (start,) * len(errors))


@pytest.fixture(scope="module")
def growing() -> tuple[JointTask, JointFit]:
    """Of radii that grow, taken for one."""
    joint = task(sample(RADII))
    return joint, fit_jointly(joint, None, Budget())


@pytest.fixture(scope="module")
def even() -> tuple[JointTask, JointFit]:
    """Of one radius at stated concentrations."""
    joint = task(sample(EVEN, (2.0, 8.0, 20.0)))
    return joint, fit_jointly(joint, None, Budget())


def test_the_parameter_that_grows_along_a_series_is_found(growing: tuple[JointTask, JointFit]) -> None:
    joint, fit = growing
    assert fit.lacking()
    found = own_that_explains(Here(), joint, fit)
    assert found is not None
    name, own = found
    assert name == "radius"
    values = [one["radius"].value for one in own.own]
    assert values == pytest.approx(RADII, rel=0.01)


def longer(lengths: Sequence[float]) -> Sample:
    """Long bodies among hard neighbours."""
    curves = [
        measured(f"phi_{100 * phi:.0f}.dat", i, "ellipsoid@hardsphere", radius_polar=length,
                 radius_equatorial=18.0, volfraction=phi)
        for i, (length, phi) in enumerate(zip(lengths, FRACTIONS, strict=True))
    ]  # fmt: skip
    return sample_of(curves, {"kind": "concentrations"})


def test_bodies_that_grow_long_are_reached_from_spheres_of_many_sizes() -> None:
    joint = task(longer((26.0, 32.0, 44.0)))
    wide = {"radius_pd": 0.2, "radius_pd_type": "gaussian"}
    joint = replace(joint, starts=tuple({**(start or {}), **wide} for start in joint.starts))
    fit = fit_jointly(joint, None, Budget())
    found = other_shape_that_explains(Here(), joint, fit, kin(fit, FitOptions()))
    assert found is not None
    name, own = found
    assert (name, own.name) == ("radius_polar", "ellipsoid@hardsphere")
    assert [one[name].value for one in own.own] == pytest.approx((26.0, 32.0, 44.0), rel=0.1)


def test_salt_that_a_fit_has_lost_does_not_hold_up_another() -> None:
    """Where it began at 1e-9 mol/L nothing moved."""
    salts = (0.005, 0.0, 0.05)
    curves = [
        measured(f"{i}.dat", i, "sphere@hayter_msa", radius=24.0, charge=15.0, volfraction=phi,
                 concentration_salt=salt)
        for i, (phi, salt) in enumerate(zip((0.01, 0.03, 0.06), salts, strict=True))
    ]  # fmt: skip
    joint = task(sample_of(curves, {"kind": "concentrations"}))
    begun = {"radius": 22.0, "charge": 20.0, "sld": 0.3, "sld_solvent": 6.36}
    starts = tuple(
        {**begun, "volfraction": phi, "concentration_salt": salt}
        for phi, salt in ((0.012, 0.01), (0.035, 1e-9), (0.05, 0.03))
    )
    fit = fit_jointly(replace(joint, structure_factor="hayter_msa", starts=starts), None, Budget())
    assert not fit.lacking()
    assert fit.parameters["radius"].value == pytest.approx(24.0, rel=0.02)
    assert fit.parameters["charge"].value == pytest.approx(15.0, rel=0.1)


def test_what_is_not_seen_to_change_is_not_said_to(even: tuple[JointTask, JointFit]) -> None:
    """All of it may be one value: a share of the curves' own is no change."""
    joint, fit = even
    assert own_that_explains(Here(), joint, fit) is None


def test_settings_do_not_change_their_body(growing: tuple[JointTask, JointFit]) -> None:
    joint, fit = growing
    settings = replace(joint, sample=replace(joint.sample, kind="settings"))
    assert own_that_explains(Here(), settings, fit) is None


def test_answer_says_what_is_not_shared_and_how_large_it_is_in_each_curve(bank: Bank) -> None:
    pool = OneByOne(bank, {}, lambda *said: None)
    said = fit_sample(pool, sample(RADII), FitOptions(models=("sphere",), structure_factor="hardsphere"))
    assert said.explained
    assert said.changing == "radius"
    doubt = said.verdict.doubt
    assert doubt.startswith("The curves do not share one radius: it is 24")
    assert "in phi_20.dat" in doubt
    assert said.as_dict()["changing"] == "radius"


def test_curves_that_nothing_explains_even_alone_are_named(growing: tuple[JointTask, JointFit]) -> None:
    joint, fit = growing
    levels = (EXPLAINS, DOES_NOT, DOES_NOT)
    alone = [
        FitResult(curve, error, (), verdict=Verdict(level))
        for curve, error, level in zip(joint.sample.curves, joint.dintensities, levels, strict=True)
    ]
    found = SampleResult(
        joint.sample, joint.dintensities, (fit,), Suggestion("", "", (), (), 1.0), tuple(alone)
    )
    said = add_sample_verdict(found, FitOptions()).verdict.headline
    assert "3 concentrations of one sample, nor phi_8.dat and phi_20.dat alone" in said


@pytest.mark.parametrize(("given", "far"), [((2.0, 8.0, 20.0), ""), ((2.0, 8.0, 10.0), "phi_20.dat has")])
def test_volume_fractions_are_held_against_the_concentrations(
    even: tuple[JointTask, JointFit], given: Sequence[float], far: str
) -> None:
    joint, fit = even
    assert not fit.lacking()
    result = SampleResult(sample(EVEN, given), joint.dintensities, (fit,), Suggestion("", "", (), (), 1.0))
    doubt = add_sample_verdict(result, FitOptions()).verdict.doubt
    assert far in doubt
    assert bool(doubt) == bool(far)
