"""Contrasts as people expect them: the same curve, within what matter has; what a user gave stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.fitting.assessment.diagnostics import remarks_of, warnings_of
from sasnet_plugin.fitting.problem.conventions import (
    conventional,
    fix_default_solvent,
    scale_in_words,
)
from sasnet_plugin.fitting.result.contrasts import invariant
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter, Posterior
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve

Q = np.geomspace(0.01, 0.3, 40)
CURVE = Curve(Q, 1 / Q, 0.01 / Q)


def _sld(value: float, error: float | None = None) -> Parameter:
    return Parameter(value, error, "1e-6/Ang^2", error is None, value - 9.0, value + 9.0)


def _fit(model: str, scale: float, **slds: Parameter) -> ModelFit:
    parameters = {
        "scale": Parameter(scale, 0.05 * scale, "", False, 0.0, np.inf),
        "background": Parameter(0.01, 0.001, "1/cm", False, -np.inf, np.inf),
        "radius": Parameter(60.0, 0.5, "Ang", False, 1.0, 1e3),
        **slds,
    }
    derivatives = {"scale": np.ones(40) / scale, "sld_core": Q}
    return ModelFit(model, None, parameters, {}, 40.0, 1.0, 50.0, 0.5, 0.1, 1 / Q, derivatives=derivatives)


def _curve(fit: ModelFit) -> np.ndarray:
    values = {name: p.value for name, p in fit.parameters.items() if name not in ("scale", "background")}
    return fit.parameters["scale"].value * call(fit.model, Q, values).intensity


def test_the_curve_stays_and_every_density_is_one_that_matter_has() -> None:
    """As P123 in D2O was sent to SasView, with a core of 117·10⁻⁶ Å⁻²."""
    slds = {"sld_core": _sld(117.64, 3.0), "sld_shell": _sld(7.4), "sld_solvent": _sld(4.0)}
    fit = _fit("core_shell_sphere", 7.5e-6, **slds)
    found = conventional(fit)
    np.testing.assert_allclose(_curve(found), _curve(fit), rtol=1e-9)
    values = {name: p.value for name, p in found.parameters.items() if "sld" in name}
    assert values["sld_solvent"] == 3.0  # sasmodels' own
    assert all(-1 <= value <= 10 for value in values.values())
    core = found.parameters["sld_core"]
    assert core.error is not None
    # Contrast and error shrink together, and what a unit of it changes grows.
    factor = (values["sld_core"] - 3.0) / (117.64 - 4.0)
    assert core.error == pytest.approx(3.0 * factor)
    np.testing.assert_allclose(found.derivatives["sld_core"], Q / factor)
    np.testing.assert_allclose(found.derivatives["scale"] * found.parameters["scale"].value, 1.0)
    assert not any("matter" in said for said in warnings_of(CURVE, found))
    assert any("sld_core" in said and "X-rays" in said for said in warnings_of(CURVE, fit))


def test_samples_of_the_posterior_move_with_the_values() -> None:
    names, centre = ("scale", "radius", "sld_core"), np.array([7.5e-6, 60.0, 117.64])
    interval = {name: (0.9 * x, 1.2 * x) for name, x in zip(names, centre, strict=True)}
    slds = {"sld_core": _sld(117.64, 3.0), "sld_shell": _sld(7.4), "sld_solvent": _sld(4.0)}
    fit = _fit("core_shell_sphere", 7.5e-6, **slds)
    found = conventional(replace(fit, posterior=Posterior(names, centre[None], interval, interval, 1.0, 1)))
    assert found.posterior is not None
    values = [found.parameters[name].value for name in names]
    np.testing.assert_allclose(found.posterior.samples[0], values, rtol=1e-6)
    for name, value in zip(names, values, strict=True):
        low, high = found.posterior.interval95[name]
        assert low < value < high


def test_one_material_has_the_contrast_of_sasmodels_page() -> None:
    fit = _fit("sphere", 16.1, sld=_sld(2.0), sld_solvent=_sld(4.0076))
    found = conventional(fit)
    assert (found.parameters["sld"].value, found.parameters["sld_solvent"].value) == pytest.approx((1.0, 6.0))
    np.testing.assert_allclose(_curve(found), _curve(fit), rtol=1e-9)
    assert any("is not a volume fraction" in said for said in remarks_of(found))
    beside = replace(found, parameters={**found.parameters, "volfraction": _sld(0.2, 0.1)})
    assert any(
        "is above 1, and the model has a volume fraction as well" in said for said in remarks_of(beside)
    )
    assert not list(scale_in_words(_fit("sphere", 0.3, sld=_sld(2.0), sld_solvent=_sld(4.0))))
    of_a_sum = replace(fit, parameters={f"A_{k}": p for k, p in fit.parameters.items()})
    (said,) = scale_in_words(of_a_sum)
    assert said.startswith("A_scale, 16.10")


def test_a_coil_has_the_intensity_at_zero_and_no_scale() -> None:
    """As a polymer blend was sent to SasView, with i_zero 10⁷ and scale 5·10⁻⁶."""
    at = Parameter(1e7, None, "1/cm", True, 1e7, 1e7)
    fit = replace(_fit("mono_gauss_coil", 5e-6, i_zero=at), correlations={("scale", "radius"): 0.96})
    found = conventional(fit)
    assert (found.parameters["scale"].value, found.parameters["scale"].fixed) == (1.0, True)
    own = found.parameters["i_zero"]
    assert (own.value, own.error, own.unit, own.fixed) == pytest.approx((50.0, 2.5, "1/cm", False))
    assert len(found.free) == len(fit.free)
    assert found.correlations == {("i_zero", "radius"): 0.96}
    np.testing.assert_allclose(found.derivatives["i_zero"] * own.value, fit.derivatives["scale"] * 5e-6)
    assert conventional(fit, ["i_zero"]) is fit


def test_what_the_user_gave_stays_and_a_hidden_solvent_is_named() -> None:
    fit = _fit("sphere", 16.1, sld=_sld(2.0), sld_solvent=_sld(4.0076))
    assert conventional(fit, ["sld"]) is fit
    assert conventional(fit, ["scale"]) is fit
    task = Task(CURVE, 0.01 / Q, "cylinder", None, fixed={"sld": 4.0})
    (with_solvent,), (said,) = fix_default_solvent([task], ["sld"])
    assert with_solvent.fixed == {"sld": 4.0, "sld_solvent": 1.0}
    assert "sld_solvent was taken as 1" in said
    assert fix_default_solvent([task], ["radius"]) == ([task], [])
    known = replace(task, fixed={"sld": 4.0, "sld_solvent": 6.4})
    assert fix_default_solvent([known], ["sld", "sld_solvent"]) == ([known], [])


def test_what_is_beyond_all_matter_is_said_by_probe() -> None:
    fit = _fit("core_shell_sphere", 0.1, sld_core=_sld(37.9), sld_shell=_sld(2.0), sld_solvent=_sld(6.0))
    assert any("for neutrons (-1 to 10); the contrast" in s for s in warnings_of(CURVE, fit, probe="neutron"))
    assert not any("beyond" in s for s in warnings_of(CURVE, fit, probe="xray"))
    below = replace(fit, parameters={**fit.parameters, "sld_core": _sld(-8.0)})
    assert any("beyond that of any material (-1 to 130)" in s for s in warnings_of(CURVE, below))
    # By rounding alone nothing is beyond an end.
    at_end = replace(fit, parameters={**fit.parameters, "sld_core": _sld(-1.0000000000000009)})
    assert not any("beyond" in s for s in warnings_of(CURVE, at_end))


def test_a_model_whose_curve_is_not_the_same_is_left_alone() -> None:
    assert invariant("core_shell_sphere", "sld_solvent", ("sld_core", "sld_shell"))
    assert not invariant("core_shell_sphere", "sld_core", ("sld_shell",))
