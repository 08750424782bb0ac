"""Settings as one curve, slow errors under which a joint fit is weighed, and contrasts of exchanged parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.batch.worker import OneByOne
from sasnet_plugin.data.sample.combined_settings import as_one_curve
from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.data.sample.sample import Sample
from sasnet_plugin.fitting.api import fit_sample
from sasnet_plugin.fitting.evidence.discrepancy import Discrepancy
from sasnet_plugin.fitting.evidence.linear import Minimum, plain, solve_generalised
from sasnet_plugin.fitting.evidence.marginal import evidence
from sasnet_plugin.fitting.optimize.least_squares_problem import LeastSquaresProblem
from sasnet_plugin.fitting.problem.contrast import contrast_of
from sasnet_plugin.fitting.problem.shared_parameters import plan_of
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.result.residuals import SharedError
from sasnet_plugin.fitting.strategy.joint_fit import fit_jointly
from sasnet_plugin.fitting.task import Budget, FitOptions
from sasnet_plugin.fitting.verdict.sample import add_sample_verdict
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import SasnetError

from .test_joint_fit import SHELL, Q, contrasts, known, measured, result, searches, task

FAR, NEAR = np.geomspace(0.003, 0.05, 60), np.geomspace(0.03, 0.4, 60)
SPHERE = {"radius": 60.0, "sld": 3.0, "sld_solvent": 6.36}


def settings(factor: float = 1.0) -> Sample:
    curves = [
        measured("sphere", 2, NEAR, **SPHERE, factor=factor), measured("sphere", 1, FAR, **SPHERE),
    ]  # fmt: skip
    return sample_of(curves, {"kind": "settings"})


def errors(sample: Sample) -> list[np.ndarray]:
    return [np.asarray(curve.dintensity) for curve in sample.curves]


def test_settings_become_one_curve_of_one_calibration() -> None:
    for factor in (1.0, 1.2):
        sample = settings(factor)
        one = as_one_curve(sample, errors(sample))
        assert one is not None
        assert len(one) == 120
        assert np.all(np.diff(one.q) > 0)
        assert one.dintensity is not None
        exact = measured("sphere", 1, one.q, error=0.0, **SPHERE).intensity
        off = (one.intensity - exact) / one.dintensity
        assert np.mean(off[one.q < 0.4] ** 2) < 1.6


def test_same_points_in_two_settings_are_averaged() -> None:
    curves = [measured("sphere", seed, Q, **SPHERE) for seed in (1, 2)]
    sample = sample_of(curves, {"kind": "settings"})
    one = as_one_curve(sample, errors(sample))
    assert one is not None
    assert np.array_equal(one.q, Q)
    assert one.dintensity == pytest.approx(np.asarray(curves[0].dintensity) / np.sqrt(2), rel=0.05)


def test_curves_with_something_of_their_own_stay_several() -> None:
    sample = settings()
    slits = tuple(replace(c, dxl=np.full(60, 0.01)) for c in sample.curves)
    for other in (
        replace(sample, kind="contrasts"), replace(sample, own=frozenset({"radius"})),
        replace(sample, curves=slits), replace(sample, curves=sample.curves[:1]),
    ):  # fmt: skip
        assert as_one_curve(other, errors(other)) is None


def seen(joint: LeastSquaresProblem, found: Minimum) -> list[tuple[float, SharedError]]:
    """Of each curve -2 ln of the likelihood, and what neighbouring residuals share."""
    each = [
        evidence(
            Discrepancy(one.curve, one.dintensity),
            ModelFit("", None, {}, {}, 0.0, 0.0, 0.0, 0.0, 0.0, theory),
        )
        for one, theory in zip(joint.curves, found.theories, strict=True)
    ]
    return [(one.minus_two_log, one.shared) for one in each]


def lost(joint: LeastSquaresProblem, found: Minimum) -> float:
    return found.prior + sum(one for one, _ in seen(joint, found))


def test_slow_errors_pull_the_generalised_fit_less() -> None:
    """Samples whose curves are off by 3 % along q: the likelihood is greater and values are nearer."""
    gains: list[float] = []
    off: dict[str, list[float]] = {"plain": [], "generalised": []}
    knots = np.linspace(np.log(Q[0]), np.log(Q[-1]), 6)
    for seed in range(12):
        rng = np.random.default_rng(seed)
        curves = [
            replace(c, intensity=c.intensity * (1 + 0.03 * np.interp(np.log(Q), knots, rng.normal(size=6))))
            for c in contrasts()
        ]
        sample = known(curves)
        plan = plan_of(sample, "core_shell_sphere", None, {})
        joint = LeastSquaresProblem(searches(sample), [SHELL] * len(sample.curves), plan)
        joint.run(20)
        first = plain(joint, joint.best)
        second = solve_generalised(joint, first.x, [shared for _, shared in seen(joint, first)])
        gains.append(lost(joint, first) - lost(joint, second))
        for name, one in (("plain", first), ("generalised", second)):
            found = joint.decode(one.x)[0]
            off[name] += [(found[n] / true - 1) ** 2 for n, true in SHELL.items()]
    assert np.median(gains) > 2.0
    assert np.mean(off["generalised"]) < np.mean(off["plain"])


def test_background_of_a_bright_setting_is_no_larger_than_the_dim_one_allows() -> None:
    """In a window where I hardly falls a background could be anything."""
    flat = np.geomspace(0.002, 0.01, 40)
    curves = [measured("sphere", 1, flat, error=0.02, **SPHERE), measured("sphere", 2, NEAR, **SPHERE)]
    sample = sample_of(curves, {"kind": "settings"})
    fit = fit_jointly(task(sample, "sphere", {"radius": 58.0}), None, Budget())
    background = fit.own[0]["background"]
    assert background.error is not None
    assert background.error < 0.2
    assert abs(background.value) < 0.4


@pytest.mark.parametrize("model", ["guinier", "sphere"])
def test_settings_have_one_scale_whether_or_not_the_model_has_densities(model: str) -> None:
    assert plan_of(settings(), model, None, {}).factors == (1.0, 1.0)
    assert plan_of(known(contrasts()), "guinier", None, {}).factors is None  # contrasts scale it


def test_exchanged_parts_are_told_from_an_exchanged_solvent() -> None:
    """A droplet of heavy water in light and in heavy oil, and one of light water: three contrasts."""
    pairs = ((6.36, -0.5), (6.36, 6.6), (-0.56, 6.6))
    curves = [
        measured(
            "core_shell_sphere", i, radius=25.0, thickness=11.0, sld_core=core, sld_shell=0.6, sld_solvent=oil
        )
        for i, (core, oil) in enumerate(pairs)
    ]
    shared = sample_of(curves, {"kind": "contrasts"})
    own = replace(shared, own=frozenset({"sld_core", "sld_shell"}))
    start = {"radius": 22.0, "thickness": 13.0}
    fits = [fit_jointly(task(one, "core_shell_sphere", start), None, Budget()) for one in (shared, own)]
    assert fits[0].lacking()
    assert not fits[1].lacking()
    for name, true in (("radius", 25.0), ("thickness", 11.0)):
        p = fits[1].parameters[name]
        assert p.error is not None
        assert abs(p.value - true) < 4 * p.error
    assert all(one["sld_core"].undetermined for one in fits[1].own)
    said = add_sample_verdict(replace(result(own, [fits[1]]), own_densities=True), FitOptions()).verdict
    assert said.level == "explains with doubts"
    assert "its own scattering length densities" in said.doubt


@pytest.mark.parametrize(("radius", "apart"), [(27.0, False), (40.0, True)])
def test_curves_likelier_to_be_of_two_samples_are_said_to_be(radius: float, apart: bool, bank: Bank) -> None:
    """A core-shell sphere whose densities are each curve's own fits a sphere and another, but not as well."""
    shell = {"radius": 27.0, "thickness": 22.0, "sld_core": 0.0, "sld_shell": 1.8, "sld_solvent": 6.36}
    rough = {"scale": 0.02, "error": 0.1}
    curves = [
        measured("sphere", 0, radius=radius, sld=1.0, sld_solvent=6.0, **rough),
        measured("core_shell_sphere", 1, **shell, **rough),
    ]
    options = FitOptions(models=("core_shell_sphere", "sphere"), structure_factor="none")
    pool = OneByOne(bank, {}, lambda *said: None)
    found = fit_sample(pool, sample_of(curves, {"kind": "contrasts"}), options)
    assert found.explained
    assert found.apart == apart
    assert found.verdict.doubt.startswith("The data do not show that the curves are one sample") == apart
    assert not any("more than the solvent" in doubt for doubt in found.verdict.doubts) or not apart


def test_a_solvent_of_all_curves_is_held(bank: Bank) -> None:
    pool = OneByOne(bank, {}, lambda *said: None)
    options = FitOptions(models=("sphere",), structure_factor="none", contrast=contrast_of(None, "D2O"))
    found = fit_sample(pool, settings(), options)
    assert found.best is not None
    density = found.best.parameters["sld"]
    assert density.undetermined  # the scale is not known either
    assert found.best.parameters["sld_solvent"].fixed
    assert found.best.parameters["sld_solvent"].value == pytest.approx(6.36, abs=0.01)
    with pytest.raises(SasnetError, match="Give either --solvent for all curves"):
        fit_sample(pool, known(contrasts()), options)
