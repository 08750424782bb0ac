"""The scale is reported as a volume fraction where a user has given all scattering length densities."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_results import answer, fitted, p

from sasnet_plugin.fitting.problem.contrast import contrast_of, given_parameters
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.fitting.verdict.tell import verdict

BOTH = FitOptions(fixed={"sld": 4.0, "sld_solvent": 6.36})
MATERIALS = FitOptions(contrast=contrast_of("SiO2@2.2", "D2O"))


def fit_of(model: str = "sphere", scale: float = 0.012, **more: object) -> ModelFit:
    """A fit with a scale and two densities."""
    densities = {name: p(1.0, unit="1e-6/Ang^2", fixed=True) for name in ("sld", "sld_solvent")}
    return fitted(model, scale=p(scale, 0.0002, ""), **densities, **{"radius": p(60, 1), **more})


def said(fit: ModelFit, options: FitOptions, unit: str = "cm⁻¹") -> str:
    """The headline of the fit."""
    given = given_parameters(options.fixed, options.contrast, fit.model)
    found = answer(fit, given=given)
    return verdict(replace(found, curve=replace(found.curve, intensity_unit=unit)), options).headline


@pytest.mark.parametrize("options", [BOTH, MATERIALS])
def test_a_scale_with_known_densities_is_a_volume_fraction(options: FitOptions) -> None:
    assert ", volume fraction 1.20 ± 0.02 %. Fits the data" in said(fit_of(), options)
    assert "volume fraction 1.20 ± 0.02 % (if I is in cm⁻¹)" in said(fit_of(), options, unit="")


@pytest.mark.parametrize(
    ("fit", "options", "unit"),
    [
        (fit_of(), FitOptions(), "cm⁻¹"),  # densities of the model's defaults
        (fit_of(), FitOptions(fixed={"sld": 4.0}), "cm⁻¹"),
        (fit_of(), BOTH, "counts"),
        (fit_of(scale=12.0), BOTH, "cm⁻¹"),
        (fit_of("bcc_paracrystal"), BOTH, "cm⁻¹"),
        (fit_of("lamellar", thickness=p(30, 1)), BOTH, "cm⁻¹"),
    ],
)
def test_another_scale_is_none(fit: ModelFit, options: FitOptions, unit: str) -> None:
    assert "volume fraction" not in said(fit, options, unit)


def test_a_structure_factor_has_its_own() -> None:
    fit = replace(fit_of(volfraction=p(0.2, 0.01, "")), structure_factor="hardsphere")
    assert said(fit, BOTH).count("volume fraction") == 1


def test_of_hollow_particles_it_is_that_of_the_walls() -> None:
    fit = fit_of("hollow_cylinder", thickness=p(10, 1), length=p(400, 9))
    assert "volume fraction of the walls 1.20 ± 0.02 %" in said(fit, BOTH)
