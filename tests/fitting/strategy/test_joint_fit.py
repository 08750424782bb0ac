"""Joint fits of several curves: values, errors and kinds against simulated samples."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from sasnet_plugin.batch.worker import OneByOne
from sasnet_plugin.cli.main import app
from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.data.sample.sample import Sample
from sasnet_plugin.fitting.api import fit_sample, fit_together
from sasnet_plugin.fitting.asked import check_shared
from sasnet_plugin.fitting.ledger import Ledger
from sasnet_plugin.fitting.optimize.bumps_fit import ReportedJoint, refit_jointly_by_bumps
from sasnet_plugin.fitting.optimize.least_squares_problem import LeastSquaresProblem
from sasnet_plugin.fitting.problem.contrast_forms import ContrastForms
from sasnet_plugin.fitting.problem.experiment import starting_values
from sasnet_plugin.fitting.problem.model_curves import ModelCurves
from sasnet_plugin.fitting.problem.shared_parameters import plan_of
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.residuals import SharedError
from sasnet_plugin.fitting.result.sample_result import JointFit, SampleResult, select_alike
from sasnet_plugin.fitting.start_values.contrast_starts import density_starts
from sasnet_plugin.fitting.strategy.disagreement import odd_one
from sasnet_plugin.fitting.strategy.joint_fit import JointTask, fit_jointly
from sasnet_plugin.fitting.strategy.joint_search import (
    Alone,
    _Asked,
    _bodies,
    _fit_layered,
    other_lengths,
    plainer,
    rank_fits,
    spread_over_kinds,
)
from sasnet_plugin.fitting.task import Budget, FitOptions
from sasnet_plugin.fitting.verdict.sample import add_sample_verdict
from sasnet_plugin.report.exports.write_all import sample_script
from sasnet_plugin.report.notebook import rows_of
from sasnet_plugin.report.summaries import list_shared, own
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve, SasnetError, Suggestion

SHELL = {"radius": 50.0, "thickness": 15.0, "sld_core": 0.5, "sld_shell": 3.0}
SOLVENTS = (-0.56, 2.5, 6.36)
#: An error that no measurement has.
BAD = SharedError(relative=0.5)
Q = np.geomspace(0.005, 0.3, 80)


def measured(
    name: str, seed: int, q: np.ndarray = Q, *, error: float = 0.01, factor: float = 1.0, **values: Any
) -> Curve:
    """A curve of sasmodels with noise of a share of I."""
    from sasmodels.core import load_model
    from sasmodels.data import Data1D
    from sasmodels.direct_model import DirectModel

    data = Data1D(x=q, y=np.ones_like(q), dy=np.ones_like(q))
    clean = factor * DirectModel(data, load_model(name))(**({"scale": 0.01, "background": 0.05} | values))
    size = error * clean + 1e-3
    noise = np.random.default_rng(seed).standard_normal(q.size)
    return Curve(q, clean + size * noise, size, file=f"{name}_{seed}.dat")


def contrasts(factor: Sequence[float] = (1.0, 1.0, 1.0)) -> list[Curve]:
    return [
        measured("core_shell_sphere", i, sld_solvent=s, factor=f, **SHELL)
        for i, (s, f) in enumerate(zip(SOLVENTS, factor, strict=True))
    ]


def known(curves: Sequence[Curve]) -> Sample:
    return sample_of(curves, {"solvents": {str(i + 1): s for i, s in enumerate(SOLVENTS)}})


def task(sample: Sample, model: str, start: dict[str, Any], factor: str | None = None) -> JointTask:
    errors = tuple(np.asarray(curve.dintensity) for curve in sample.curves)
    starts = (start, *(None for _ in sample.curves[1:]))
    return JointTask(sample, errors, model, factor, starts, probability=1.0)


def fitted(sample: Sample, model: str, start: dict[str, Any], factor: str | None = None) -> JointFit:
    return fit_jointly(task(sample, model, start, factor), None, Budget())


@pytest.fixture(scope="module")
def shell() -> JointFit:
    """Of the contrasts, begun where they come from."""
    return fitted(known(contrasts()), "core_shell_sphere", SHELL)


@pytest.fixture(scope="module")
def plain_and_layered() -> tuple[JointFit, JointFit]:
    """Fits of homogeneous spheres: as such, and with a shell."""
    each = [measured("sphere", i, radius=60.0, sld=2.0, sld_solvent=s) for i, s in enumerate(SOLVENTS)]
    return (
        fitted(known(each), "sphere", {"radius": 58.0}),
        fitted(known(each), "core_shell_sphere", {"radius": 55.0, "thickness": 4.0}),
    )


@pytest.mark.parametrize("seed", range(4))
def test_of_two_densities_in_two_solvents_one_is_of_matter(seed: int) -> None:
    # (6.36 - 0.18) / (0.18 + 0.56) = 8.35 = (6.36 + 1.5) / (1.5 - 0.56): contrasts of one ratio.
    solvents = (6.36, -0.56)
    curves = [
        measured("sphere", 10 * seed + i, radius=60.0, sld=0.18, sld_solvent=s)
        for i, s in enumerate(solvents)
    ]
    sample = sample_of(curves, {"solvents": {str(i + 1): s for i, s in enumerate(solvents)}})
    fit = fitted(sample, "sphere", {"radius": 58.0, "sld": 4.0})
    assert fit.parameters["sld"].value == pytest.approx(0.18, abs=0.05)


@pytest.mark.parametrize(
    ("solvents", "true", "said"),
    [((6.36, 2.21), 0.56, True), ((6.36, -0.56), 0.18, False), (SOLVENTS, 0.56, False)],
)
def test_a_second_density_of_matter_is_named(solvents: Sequence[float], true: float, said: bool) -> None:
    curves = [measured("sphere", i, radius=60.0, sld=true, sld_solvent=s) for i, s in enumerate(solvents)]
    sample = sample_of(curves, {"solvents": {str(i + 1): s for i, s in enumerate(solvents)}})
    fit = fitted(sample, "sphere", {"radius": 58.0, "sld": 4.0})
    doubts = " ".join(result(sample, [fit]).verdict.doubts)
    assert ("give the same curves" in doubts) == said
    if said:
        assert "with a scale of 0.01 and 0.0323" in doubts  # contrasts of 5.8 and 3.23
        # (6.36 - 0.56) / (2.21 - 0.56) = 3.52 = (6.36 - 3.13) / (3.13 - 2.21).
        values = {fit.parameters["sld"].value, float(doubts.partition("and ")[2].partition("×")[0])}
        assert sorted(values) == pytest.approx([0.56, 3.13], abs=0.1)


NOTHING = Suggestion("", "", (), (), 1.0)


def result(sample: Sample, fits: list[JointFit]) -> SampleResult:
    errors = tuple(np.asarray(curve.dintensity) for curve in sample.curves)
    return add_sample_verdict(
        SampleResult(sample, errors, tuple(rank_fits(fits, NOTHING)), NOTHING), FitOptions()
    )


def near(fit: JointFit, true: dict[str, float]) -> None:
    for name, value in true.items():
        p = fit.parameters[name]
        assert p.error is not None
        assert abs(p.value - value) < 4 * p.error, name
        assert p.error < 0.1 * max(abs(value), 1.0), name


def test_absolute_densities_come_out_where_solvents_are_known() -> None:
    fit = fitted(known(contrasts()), "core_shell_sphere", {"radius": 44.0, "thickness": 19.0})
    near(fit, SHELL)
    assert not fit.lacking()


def test_without_solvents_sizes_come_out_and_densities_are_not_claimed() -> None:
    fit = fitted(
        sample_of(contrasts(), {"kind": "contrasts"}),
        "core_shell_sphere",
        {"radius": 44.0, "thickness": 19.0},
    )
    near(fit, {name: SHELL[name] for name in ("radius", "thickness")})
    as_json = json.loads(json.dumps(fit.as_dict(["a", "b", "c"])))
    for name, p in [*as_json["parameters"].items(), *as_json["own"]["b"].items()]:
        if "sld" in name or name == "scale":
            assert p["value"] is p["error"] is None, name
            assert "solvents" in p["reason"]
        else:
            assert p["value"] is not None, name
    rows = rows_of(result(sample_of(contrasts(), {"kind": "contrasts"}), [fit]))
    assert {row["parameter"] for row in rows if row["value"] is None} == {
        "sld_core", "sld_shell", "sld_solvent", "scale",
    }  # fmt: skip
    assert all(bool(row["reason"]) == (row["value"] is None) for row in rows)
    said = {name: rest for name, *rest in [*list_shared(fit), *own(fit)]}
    assert {text for name in ("sld_core", "sld_shell", "sld_solvent") for text in said[name]} == {
        "not determined", "fitted",
    }  # fmt: skip


def test_settings_in_one_solvent_tell_no_density() -> None:
    """A core's is relative to the shell's and the solvent's, which nobody has given."""
    far, near_ = np.geomspace(0.003, 0.05, 60), np.geomspace(0.03, 0.4, 60)
    curves = [
        measured("core_shell_sphere", i, q, sld_solvent=6.36, **SHELL) for i, q in enumerate((far, near_))
    ]
    sample = sample_of(curves, {"kind": "settings"})
    open_ = result(sample, [fitted(sample, "core_shell_sphere", SHELL)])
    assert open_.best is not None
    assert open_.best.parameters["sld_core"].undetermined
    assert "SLD" not in open_.verdict.headline
    given = replace(task(sample, "core_shell_sphere", SHELL), fixed={"sld_solvent": 6.36, "sld_shell": 3.0})
    core = fit_jointly(given, None, Budget()).parameters["sld_core"]
    assert core.error is not None
    assert abs(core.value - 0.5) < 4 * core.error


@pytest.mark.parametrize("kind", ["contrasts", "settings", "series"])
@pytest.mark.parametrize("given", [("scale",), ("background",), ("scale", "background")])
def test_a_scale_and_a_background_that_are_given_are_kept(kind: str, given: tuple[str, ...]) -> None:
    """As in a fit of one curve."""
    true = {"scale": 0.01, "background": 0.05}
    curves = contrasts() if kind != "settings" else [
        measured("core_shell_sphere", i, q, sld_solvent=6.36, **SHELL)
        for i, q in enumerate((np.geomspace(0.003, 0.05, 60), np.geomspace(0.03, 0.4, 60)))
    ]  # fmt: skip
    sample = known(curves) if kind == "contrasts" else sample_of(curves, {"kind": kind}, share=("radius",))
    values = {name: true[name] for name in given} | ({} if kind == "contrasts" else {"sld_shell": 3.0})
    fit = fit_jointly(replace(task(sample, "core_shell_sphere", SHELL), fixed=values), None, Budget())
    assert not fit.lacking()
    assert abs(fit.parameters["radius"].value - 50) < 4 * (fit.parameters["radius"].error or 0)
    errors = tuple(np.asarray(curve.dintensity) for curve in curves)
    refined = refit_jointly_by_bumps(ReportedJoint(sample, errors, fit))
    for one in (fit, refined):
        for parameters in one.own:
            for name, value in true.items():
                p = parameters[name]
                assert (p.value == value, p.fixed) == (name in given,) * 2, name
    assert refined.total == pytest.approx(fit.total, rel=0.05)


def test_a_scale_that_is_given_wrong_does_not_fit() -> None:
    curves = [measured("sphere", i, radius=60.0, sld=2.0, sld_solvent=s) for i, s in enumerate(SOLVENTS)]
    wrong = replace(task(known(curves), "sphere", {"radius": 58.0}), fixed={"scale": 0.05})
    fit = fit_jointly(wrong, None, Budget())
    assert fit.lacking()
    assert [own_parameters["scale"].value for own_parameters in fit.own] == [0.05] * 3


def test_each_curve_alone_has_its_solvent_where_the_scale_is_given() -> None:
    """A given scale makes densities absolute, so that one of sasmodels' default solvent would be wrong."""
    curves = [measured("sphere", i, radius=60.0, sld=2.0, sld_solvent=s) for i, s in enumerate(SOLVENTS[::2])]
    sample = fit_together(
        curves, solvents=list(SOLVENTS[::2]), models="sphere", structure_factor="none",
        fixed={"scale": 0.01}, progress=False,
    )  # fmt: skip
    for single, solvent in zip(sample.singles, SOLVENTS[::2], strict=True):
        assert single.best is not None
        contrast = single.best.parameters["sld"].value - solvent
        assert abs(contrast) == pytest.approx(abs(2.0 - solvent), rel=0.05)


def test_a_given_scale_tells_differences_of_densities_without_a_solvent() -> None:
    sample = sample_of(contrasts(), {"kind": "contrasts"})
    given = replace(task(sample, "core_shell_sphere", SHELL), fixed={"scale": 0.01})
    fit = fit_jointly(given, None, Budget())
    assert "differences" in fit.parameters["sld_core"].undetermined
    assert not fit.own[0]["scale"].undetermined
    core, shell = (fit.parameters[name].value for name in ("sld_core", "sld_shell"))
    assert abs(core - shell) == pytest.approx(2.5, rel=0.05)


@pytest.mark.parametrize(
    ("described", "options", "sentence"),
    [
        ({"kind": "concentrations"}, FitOptions(fixed={"scale": 0.01}), "follows the concentration"),
        ({"scale": {"1": 1.0, "2": 1.1, "3": 1.0}}, FitOptions(fixed={"scale": 0.01}), "not both"),
        ({"kind": "series"}, FitOptions(ranges={"background": (0.0, 1.0)}), "keeps no range"),
    ],
)
def test_a_scale_that_cannot_be_meant_is_refused(
    described: dict[str, Any], options: FitOptions, sentence: str
) -> None:
    sample = sample_of(contrasts(), described)
    with pytest.raises(SasnetError, match=sentence):
        check_shared(sample, options)


def test_what_was_fitted_and_no_curve_shows_is_not_called_fixed() -> None:
    """A shell that matches both solvents' particles in nothing but name: one of the solvent's density."""
    curves = [measured("sphere", i, radius=60.0, sld=2.0, sld_solvent=s) for i, s in enumerate(SOLVENTS)]
    thin = {"radius": 60.0, "thickness": 0.0, "sld_core": 2.0, "sld_shell": 3.0}
    given = replace(task(known(curves), "core_shell_sphere", thin), fixed={"thickness": 0.0})
    fit = fit_jointly(given, None, Budget())
    shell, thickness = fit.parameters["sld_shell"], fit.parameters["thickness"]
    assert (str(shell), "(fixed)" in str(thickness)) == ("not determined 10⁻⁶ Å⁻²", True)
    states = {name: state for name, _, state in list_shared(fit)}
    assert (states["sld_shell"], states["thickness"]) == ("fitted", "fixed")
    as_json = fit.as_dict(["a", "b", "c"])["parameters"]["sld_shell"]
    assert (as_json["fixed"], as_json["value"], as_json["one_of_many"]) == (False, None, shell.value)


def test_true_model_has_the_evidence_over_one_that_each_curve_alone_allows(shell: JointFit) -> None:
    start = {"radius": 60.0, "radius_pd": 0.15, "radius_pd_type": "schulz"}
    other = fitted(known(contrasts()), "sphere", start)
    first = rank_fits([other, shell], NOTHING)[0]
    assert first.model == "core_shell_sphere"
    assert first.weight > 0.999


def test_fit_that_explains_is_before_a_slightly_likelier_one_that_does_not(shell: JointFit) -> None:
    wrong = replace(
        shell, model="sphere", minus_two_log=shell.minus_two_log - 6,
        chisq=tuple(9 * c for c in shell.chisq),
        shared_errors=tuple(SharedError(relative=0.1) for _ in shell.chisq),
    )  # fmt: skip
    assert [one.model for one in rank_fits([wrong, shell], NOTHING)] == ["core_shell_sphere", "sphere"]
    likelier = replace(wrong, minus_two_log=shell.minus_two_log - 30)
    assert rank_fits([likelier, shell], NOTHING)[0].model == "sphere"


def test_what_the_network_has_seen_in_the_curves_is_not_counted_twice(shell: JointFit) -> None:
    """Of two fits that explain the curves the likelier leads, whatever the network thought of each."""
    fit = replace(shell, probability=0.002)
    other = replace(fit, model="ellipsoid", minus_two_log=fit.minus_two_log + 5, probability=0.9)
    order = rank_fits([other, fit], NOTHING)
    assert [one.model for one in order] == ["core_shell_sphere", "ellipsoid"]
    assert [one.model for one in select_alike(order)] == ["ellipsoid"]
    far = replace(other, minus_two_log=fit.minus_two_log + 7)
    assert select_alike(rank_fits([far, fit], NOTHING)) == []


def test_of_what_explains_nothing_the_likeliest_leads_not_its_simple_limit(
    plain_and_layered: tuple[JointFit, JointFit],
) -> None:
    plain, layered = plain_and_layered
    likelier = replace(layered, minus_two_log=plain.minus_two_log - 4)
    assert [one.model for one in rank_fits([plain, likelier], NOTHING)] == ["sphere", "core_shell_sphere"]
    bad = [
        replace(fit, chisq=tuple(90 * c for c in fit.chisq), shared_errors=tuple(BAD for _ in fit.chisq))
        for fit in (plain, likelier)
    ]
    assert [one.model for one in rank_fits(bad, NOTHING)] == ["core_shell_sphere", "sphere"]


def test_fit_that_has_become_a_simpler_one_counts_as_that(
    plain_and_layered: tuple[JointFit, JointFit],
) -> None:
    """A shell that cannot be told from none speaks for the sphere."""
    plain, layered = plain_and_layered
    thin = replace(layered.parameters["thickness"], value=2.0, error=5.0, fixed=False)
    layered = replace(
        layered, minus_two_log=plain.minus_two_log - 3, parameters={**layered.parameters, "thickness": thin}
    )
    order = rank_fits([layered, plain], NOTHING)
    assert [one.model for one in order] == ["sphere", "core_shell_sphere"]
    assert [one.weight for one in order] == pytest.approx([1.0, 0.0])


def test_number_of_larger_fits_that_have_become_a_simpler_one_says_nothing_for_it(
    plain_and_layered: tuple[JointFit, JointFit],
) -> None:
    plain, layered = plain_and_layered
    other = replace(plain, model="cylinder", minus_two_log=plain.minus_two_log - 1)
    thin = replace(layered.parameters["thickness"], value=2.0, error=5.0, fixed=False)
    parameters = {**layered.parameters, "thickness": thin}
    layered = replace(layered, minus_two_log=plain.minus_two_log, parameters=parameters)
    order = rank_fits([plain, other, layered], NOTHING)
    assert [one.model for one in order[:2]] == ["cylinder", "sphere"]
    assert sum(one.weight for one in order) == pytest.approx(1.0)


@pytest.mark.parametrize(("gain", "first"), [(5.0, "sphere"), (7.0, "core_shell_sphere")])
def test_of_fits_that_curves_do_not_tell_apart_the_plainer_leads(
    shell: JointFit, gain: float, first: str
) -> None:
    """A body of one material more has to be strongly likelier; another kind of body is not its limit."""
    plain, other = (
        replace(shell, model=n, minus_two_log=shell.minus_two_log + gain) for n in ("sphere", "cylinder")
    )
    order = rank_fits([shell, other, plain], NOTHING)
    assert order[0].model == first


def test_contrasts_within_a_slow_error_are_held_against_layered_bodies(bank: Bank) -> None:
    """A disc with a thin coat is nearly one of one density; what is off in one contrast is the coat."""
    true = {"radius": 40.0, "thickness": 12.0, "length": 60.0, "sld_core": 0.5, "sld_shell": 2.5}
    curves = [measured("core_shell_cylinder", i, sld_solvent=s, **true) for i, s in enumerate(SOLVENTS)]
    sample = known(curves)
    plain = fitted(sample, "cylinder", {"radius": 50.0, "length": 80.0})
    within = replace(
        plain, chisq=tuple(3.0 * len(c) for c in curves),
        shared_errors=tuple(SharedError(relative=0.02) for _ in curves),
    )  # fmt: skip
    errors = tuple(np.asarray(curve.dintensity) for curve in curves)
    nothing = tuple(FitResult(c, d, (), False) for c, d in zip(curves, errors, strict=True))
    ledger = Ledger(OneByOne(bank, {}, lambda *said: None), np.inf)
    asked = _Asked(ledger, sample, errors, FitOptions(), NOTHING, Alone(tuple(curves), errors, nothing))
    found = _fit_layered(asked, [within])
    assert "core_shell_cylinder" in {fit.model for fit in found}
    assert min(found, key=lambda fit: fit.minus_two_log).minus_two_log < plain.minus_two_log - 20
    # Nothing is left to explain where noise alone is.
    assert _fit_layered(asked, [replace(within, chisq=tuple(float(len(c)) for c in curves))]) == []


def test_curves_that_look_like_concentrations_may_be_contrasts(bank: Bank) -> None:
    """What one shape explains within 4 %, another solvent does without an error: the likelier kind leads."""
    true = {"radius": 27.0, "thickness": 22.0, "sld_core": 0.0, "sld_shell": 1.8, "scale": 0.02}
    dim = measured("core_shell_sphere", 0, sld_solvent=2.48, error=0.05, background=0.55, **true)
    bright = measured("core_shell_sphere", 1, sld_solvent=6.36, **true)
    sample = sample_of([dim, bright])
    assert (sample.kind, sample.told) == ("concentrations", False)
    options = FitOptions(models=("core_shell_sphere",), structure_factor="none")

    def found(of: Sample) -> SampleResult:
        return fit_sample(OneByOne(bank, {}, lambda *said: None), of, options)

    said = found(sample)
    assert said.sample.kind == "contrasts"
    assert said.best is not None
    assert not said.best.excusing_error
    assert found(replace(sample, told=True)).sample.kind == "concentrations"


def test_calibration_is_told_and_doubted() -> None:
    sample = known(contrasts((1.0, 1.03, 1.0)))
    fit = fitted(sample, "core_shell_sphere", {"radius": 50.0, "thickness": 15.0})
    scales = [own["scale"].value for own in fit.own]
    assert scales[1] / scales[0] == pytest.approx(1.03, abs=0.02)
    assert result(sample, [fit]).verdict.doubt == ""
    far = known(contrasts((1.0, 1.0, 0.6)))
    said = result(far, [fitted(far, "core_shell_sphere", {"radius": 50.0, "thickness": 15.0})]).verdict
    assert said.level != "explains"


def test_curve_of_another_sample_is_named() -> None:
    curves = contrasts()
    curves[1] = measured("core_shell_sphere", 7, sld_solvent=2.5, **(SHELL | {"radius": 70.0}))
    sample = known(curves)
    joint = task(sample, "core_shell_sphere", {"radius": 50.0, "thickness": 15.0})
    said = result(sample, [fit_jointly(joint, None, Budget())])
    assert not said.explained
    odd = odd_one(Here(), joint)
    assert odd == 1
    named = add_sample_verdict(replace(said, odd=odd), FitOptions())
    assert "core_shell_sphere_7.dat disagrees with the others" in named.verdict.headline


def test_next_command_has_all_that_was_given(shell: JointFit) -> None:
    sample = known(contrasts())
    given = FitOptions(models=("core_shell_sphere",), also={"--share": "radius\nthickness"})
    said = shlex.split(add_sample_verdict(result(sample, [shell]), given).verdict.next)
    assert said[:2] == ["sasnet", "fit"]
    assert said[2:5] == sample.files
    assert [said[i + 1] for i, word in enumerate(said) if word == "--share"] == ["radius", "thickness"]
    assert said[said.index("--models") + 1] == "core_shell_sphere"
    assert "--together" in said


class Here:
    """A pool of this process, whose clock stands."""

    count = 1

    def clock(self) -> float:
        return 0.0

    def run(self, work: Any, asked: Sequence[Any], seconds: float, plan: Any = None) -> Any:
        del seconds, plan
        for index, one in enumerate(asked):
            yield index, work(one, None, Budget())


def test_settings_share_all_but_background_and_calibration() -> None:
    near_, far = np.geomspace(0.03, 0.4, 60), np.geomspace(0.003, 0.05, 60)
    values = {"radius": 60.0, "sld": 3.0, "sld_solvent": 6.36}
    curves = [
        measured("sphere", 1, far, **values), measured("sphere", 2, near_, **values | {"background": 0.02}),
    ]  # fmt: skip
    fit = fitted(sample_of(curves), "sphere", {"radius": 55.0})
    near(fit, {"radius": 60.0})
    assert set(fit.own[0]) == {"scale", "background"}
    assert fit.own[1]["background"].value == pytest.approx(0.02, abs=3e-3)


def test_each_concentration_has_its_volume_fraction() -> None:
    values = {"radius": 40.0, "sld": 1.0, "sld_solvent": 6.36, "scale": 1.0}
    fractions = (0.05, 0.15, 0.3)
    curves = [measured("sphere@hardsphere", i, volfraction=v, **values) for i, v in enumerate(fractions)]
    sample = sample_of(curves, {"kind": "concentrations"})
    fit = fitted(
        sample, "sphere", {"radius": 36.0, "volfraction": 0.1, "sld": 1.0, "sld_solvent": 6.36}, "hardsphere"
    )
    near(fit, {"radius": 40.0})
    for each, true in zip(fit.own, fractions, strict=True):
        p = each["volfraction"]
        assert p.error is not None
        assert abs(p.value - true) < max(4 * p.error, 0.01)


def test_ties_are_kept() -> None:
    given = {
        "kind": "contrasts", "tie": {"sld_solvent": "-0.56 + 6.92*x"},
        "values": {"x": {"1": 0.0, "2": 0.442, "3": 1.0}},
    }  # fmt: skip
    fit = fitted(sample_of(contrasts(), given), "core_shell_sphere", SHELL)
    near(fit, SHELL)
    assert [own["sld_solvent"].value for own in fit.own] == pytest.approx([-0.56, 2.499, 6.36], abs=1e-2)


def test_tie_to_what_nothing_has_is_refused() -> None:
    sample = sample_of(contrasts(), {"kind": "contrasts", "tie": {"sld_solvent": "2*x"}})
    with pytest.raises(SasnetError, match=r"give it in \[values.x\]"):
        plan_of(sample, "core_shell_sphere", None, {})


def searches(sample: Sample) -> list[ModelCurves]:
    return [ModelCurves(c, np.asarray(c.dintensity), "core_shell_sphere") for c in sample.curves]


def test_slopes_are_those_of_residuals_where_scales_follow() -> None:
    """Kaufman's Jacobian: the same gradient of χ² as by differences."""
    sample = known(contrasts())
    plan = plan_of(sample, "core_shell_sphere", None, {})
    joint = LeastSquaresProblem(searches(sample), [SHELL | {"radius": 52.0}] * 3, plan)
    x = joint.each("first")
    gradient = joint.jacobian(x).T @ joint.residuals(x)
    for j, expected in enumerate(gradient):
        ends = []
        for step in (1e-5, -1e-5):
            moved = x.copy()
            moved[j] += step
            ends.append(0.5 * float(joint.residuals(moved) @ joint.residuals(moved)))
        assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(
            expected, rel=0.02, abs=0.02 * np.abs(gradient).max()
        )


def test_densities_of_a_known_shape_are_found_among_thousands() -> None:
    sample = known(contrasts())
    plan = plan_of(sample, "core_shell_sphere", None, {})
    shape = {name: SHELL[name] for name in ("radius", "thickness")}
    forms = ContrastForms(searches(sample))
    matter, around = density_starts(forms, plan, shape, np.random.default_rng(0))[0]
    assert matter["sld_core"] == pytest.approx(0.5, abs=0.1)
    assert matter["sld_shell"] == pytest.approx(3.0, abs=0.1)
    assert [own["sld_solvent"] for own in around] == list(SOLVENTS)


def test_curves_of_all_contrasts_come_from_those_of_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    curves = searches(known(contrasts()))
    exact = [ModelCurves(one.curve, one.dintensity, one.name) for one in curves]
    asked: list[int] = []
    real = ModelCurves.intensity

    def counted(self: ModelCurves, values: dict[str, Any]) -> Any:
        asked.append(1)
        return real(self, values)

    monkeypatch.setattr(ModelCurves, "intensity", counted)
    forms = ContrastForms(curves)
    for core in (0.5, 1.5, 2.5):
        for i, solvent in enumerate(SOLVENTS):
            values = SHELL | {"sld_core": core, "sld_solvent": solvent}
            assert forms.intensity(i, values) == pytest.approx(real(exact[i], values)[0], rel=1e-6)
    assert len(asked) == 4  # three forms, and one look whether they are exact


def test_width_of_the_wrong_length_is_moved_to_the_right_one() -> None:
    """Thin rods whose thickness is spread, begun with a spread of lengths."""
    true = {"radius": 30.0, "radius_pd": 0.2, "radius_pd_n": 40, "length": 300.0, "sld": 2.3}
    sample = known(
        [
            measured("cylinder", i, sld_solvent=s, radius_pd_type="schulz", **true)
            for i, s in enumerate(SOLVENTS)
        ]
    )
    begin = {"radius": 32.0, "length": 280.0, "sld": 2.2, "length_pd": 0.3, "length_pd_type": "gaussian"}
    first = fitted(sample, "cylinder", begin)
    starts = tuple(starting_values(first.make_curve_fit(i)) for i in range(3))
    again = replace(task(sample, "cylinder", begin), starts=starts)
    found = spread_over_kinds(
        [first, *(fit_jointly(t, None, Budget(20.0)) for t in other_lengths(again, first))]
    )
    assert found.minus_two_log < first.minus_two_log - 10
    near(found, {"radius": 30.0, "length": 300.0, "sld": 2.3})
    assert found.parameters["radius_pd"].value == pytest.approx(0.2, abs=0.03)
    assert "length_pd" not in found.parameters


def test_what_has_no_density_is_held_against_bodies(bank: Bank) -> None:
    """Short rods in three solvents look like coils one by one; all three have one density."""
    true = {"radius": 21.0, "length": 160.0, "sld": 2.8}
    curves = [measured("cylinder", i, sld_solvent=s, **true) for i, s in enumerate(SOLVENTS)]
    sample = known(curves)
    coil = fitted(sample, "mono_gauss_coil", {"rg": 50.0})
    explaining = replace(coil, chisq=tuple(float(len(curve)) for curve in curves))
    errors = tuple(np.asarray(curve.dintensity) for curve in curves)
    nothing = tuple(FitResult(c, d, (), False) for c, d in zip(curves, errors, strict=True))
    ledger = Ledger(OneByOne(bank, {}, lambda *said: None), np.inf)
    alone, network = Alone(tuple(curves), errors, nothing), Suggestion("", "", (), (), 1.0)
    asked = _Asked(ledger, sample, errors, FitOptions(), network, alone)
    found = {fit.name: fit for fit in _bodies(asked, [explaining])}
    assert set(found) == {"sphere", "ellipsoid", "cylinder"}
    near(found["cylinder"], true)
    # What is fitted already is no question, nor is another kind of sample with a density, nor what is named.
    other = {fit.name for fit in _bodies(asked, [replace(found["cylinder"], chisq=explaining.chisq)])}
    assert other == {"sphere", "ellipsoid"}
    series = replace(asked, sample=replace(sample, kind="probes"))
    assert _bodies(series, [replace(found["cylinder"], chisq=explaining.chisq)]) == []
    named = replace(asked, options=FitOptions(models=("mono_gauss_coil",)))
    assert _bodies(named, [explaining]) == []


def test_slow_error_widens_the_errors(shell: JointFit) -> None:
    slow = [
        replace(c, intensity=c.intensity * (1 + 0.03 * np.sin(3 * np.log(c.q) + i)))
        for i, c in enumerate(contrasts())
    ]
    fits = (shell, fitted(known(slow), "core_shell_sphere", SHELL))
    plain, off = (fit.parameters["radius"] for fit in fits)
    assert plain.error is not None
    assert off.error is not None
    assert off.error > 2 * plain.error
    assert abs(off.value - 50.0) < 3 * off.error


def test_script_for_bumps_begins_where_the_fit_has_ended(tmp_path: Path, shell: JointFit) -> None:
    sample = known(contrasts())
    made = result(sample, [shell])
    assert made.best is not None
    path = tmp_path / "sample.bumps.py"
    path.write_text(sample_script(made, path.name), encoding="utf-8")
    told_ = subprocess.run(
        [sys.executable, "-c", _CHISQ, str(path)], capture_output=True, text=True, check=True
    )
    found = json.loads(told_.stdout)
    assert found["chisq"] == pytest.approx(sum(made.best.chisq), rel=0.01)
    shared = sum(not p.fixed for p in made.best.parameters.values())
    assert (
        found["free"] == shared + 2 * len(sample.curves) + 1
    )  # scales and backgrounds, and the common scale


_CHISQ = """
import json, runpy, sys
import numpy as np
problem = runpy.run_path(sys.argv[1])["problem"]
total = sum(float(np.sum(one.residuals() ** 2)) for one in problem.models)
print(json.dumps({"chisq": total, "free": len(problem.getp())}))
"""


@pytest.mark.slow
def test_from_files_to_one_answer() -> None:
    found = fit_together(contrasts(), solvents=SOLVENTS, workers=1)
    assert found.best is not None
    assert found.best.model == "core_shell_sphere"
    near(found.best, SHELL)
    as_json = json.loads(json.dumps(found.as_dict()))
    assert as_json["kind"] == "contrasts"
    assert set(as_json["fits"][0]["own"]) == set(found.sample.files)


@pytest.mark.slow
def test_sample_of_one_curve_has_the_answer_of_its_fit() -> None:
    from sasnet_plugin.fitting.api import fit

    curve, models = contrasts()[2], ["sphere", "core_shell_sphere", "core_shell_ellipsoid", "lamellar"]
    together = fit_together([curve], models=models, workers=1)
    alone = fit(curve, models=models, workers=1)
    (single,) = together.singles
    assert single.headline == alone.headline
    assert [f.name for f in single.fits] == [f.name for f in alone.fits]
    for one, other in zip(single.fits, alone.fits, strict=True):
        assert one.parameters == other.parameters
        assert (one.reduced_chisq, one.weight) == (other.reduced_chisq, other.weight)
    assert single.verified == alone.verified
    assert together.verdict == alone.verdict


@pytest.mark.parametrize(
    ("curves", "said", "sentence"),
    [
        (["d2o.dat"], {}, r"d2o.dat: there is no such file"),
        (contrasts(), {"solvents": "D2O"}, "solvents must be a list with one entry for each curve"),
        (contrasts(), {"own": "thicknes"}, "own thicknes: none"),
    ],
)
def test_what_is_given_in_python_is_checked(curves: list[Any], said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SasnetError, match=sentence):
        fit_together(curves, **said)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"share": ["thicknes"]}, "share thicknes: none .* did you mean thickness"),
        ({"own": ["radus"], "models": ["sphere"]}, "own radus: none .* they have .*radius, radius_pd"),
        ({"tie": ["sld_solvnt = 3"]}, "tie sld_solvnt: none .* did you mean sld_solvent"),
        ({"share": ["scale"]}, "share scale: each curve has its own"),
        ({"tie": ["sld_solvent = 2*x"]}, r"x is not a parameter of these models.* give it in \[values.x\]"),
    ],
)
def test_a_name_that_no_model_has_is_no_sample_s(said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SasnetError, match=sentence):
        fit_together(contrasts(), progress=False, **said)


def test_the_command_refuses_such_a_name_of_a_sample_file(tmp_path: Path) -> None:
    for curve in contrasts():
        np.savetxt(tmp_path / curve.file, np.c_[curve.q, curve.intensity, curve.dintensity])
    (tmp_path / "sample.toml").write_text('share = ["thicknes"]\n')
    files = sorted(str(path) for path in tmp_path.glob("*.dat"))
    arguments = ["fit", "--together", *files, "--sample-file", str(tmp_path / "sample.toml")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code != 0
    assert done.stderr.strip().endswith("did you mean thickness?")
    assert len(done.stderr.strip().splitlines()) == 1


def test_plainer_bodies_are_held_against_an_intricate_one_among_hard_neighbours(shell: JointFit) -> None:
    bicelle = replace(shell, model="core_shell_bicelle", structure_factor="squarewell")
    pairs = plainer(bicelle, FitOptions(exclude=("core_shell_cylinder",)))
    assert set(pairs) == {(name, "hardsphere") for name in ("core_shell_sphere", "core_shell_ellipsoid")}
    assert plainer(shell, FitOptions()) == [("core_shell_sphere", None)]
    one = replace(shell.parameters["sld_core"], error=5.0)
    open_ = replace(shell, parameters={**shell.parameters, "sld_core": one})
    assert plainer(open_, FitOptions()) == [
        (n, None) for n in ("sphere", "ellipsoid", "cylinder", "core_shell_sphere")
    ]
    sphere = replace(shell, model="sphere")
    assert ("ellipsoid", None) in plainer(sphere, FitOptions(structure_factor="none"))
