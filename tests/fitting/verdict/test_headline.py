"""The first line: plain English, values that the errors support, and nothing that contradicts itself."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from made_results import CURVE, GOOD, SPHERE, WRONG, answer, fitted, p

from sasnet_plugin.fitting.problem.contrast import contrast_of, given_parameters
from sasnet_plugin.fitting.result.fit_warning import About, FitWarning
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.fitting.verdict.doubts import doubts
from sasnet_plugin.fitting.verdict.headline import (
    describe_size,
    explanation,
    headline,
    includes_other_models,
)
from sasnet_plugin.fitting.verdict.sizes import Size
from sasnet_plugin.fitting.verdict.tell import verdict
from sasnet_plugin.types import Curve

# --- The first line: plain English, values that the errors support, and nothing that contradicts
# --- itself.

SHELL = fitted("core_shell_sphere", radius=p(60, 1), thickness=p(13, 1), weight=0.1)
FUZZY = fitted("fuzzy_sphere", radius=p(72.3, 0.2), fuzziness=p(3, 1))


def test_spheres_in_one_sentence() -> None:
    assert headline(answer()) == (
        "Best fit: spheres, number-mean radius 72.0 ± 0.1 Å, polydispersity 10.0 ± 0.4 % (Schulz)."
        " Fits the data (reduced χ² 1.02)."
    )


def test_a_tie_of_one_shape_is_part_of_it_with_what_both_say_in_the_error() -> None:
    found = headline(answer(SPHERE, SHELL, FUZZY, alike=("core_shell_sphere", "fuzzy_sphere")))
    assert found.startswith("Best fit: sphere-like particles, number-mean radius 72.0 ± 0.3 Å, ")
    assert "). Indistinguishable from sphere here: core_shell_sphere and fuzzy_sphere." in found
    charged = [replace(fit, structure_factor="hayter_msa") for fit in (SPHERE, SHELL)]
    said = headline(answer(*charged, alike=("core_shell_sphere@hayter_msa",)))
    assert said.startswith("Best fit: charged sphere-like particles, number-mean radius ")


def test_the_simplest_leads_and_what_has_more_weight_is_said() -> None:
    simple = replace(SPHERE, weight=0.32)
    shell = replace(SHELL, weight=0.68, parameters={**SHELL.parameters, "sld_shell": p(3, 0.1, "")})
    found = headline(answer(simple, shell, alike=("core_shell_sphere",)))
    assert found.endswith("The model core_shell_sphere has more weight (68 %) but also more parameters.")
    lighter = replace(shell, weight=0.2)
    assert "more weight" not in headline(answer(simple, lighter, alike=("core_shell_sphere",)))


def test_the_kind_of_distribution_is_named() -> None:
    best = replace(SPHERE, parameters={**SPHERE.parameters, "radius": p(62.5, 0.2)})
    assert headline(answer(best)).startswith(
        "Best fit: spheres, number-mean radius 62.5 ± 0.2 Å, polydispersity 10.0 ± 0.4 % (Schulz)."
    )


def test_of_every_kind_of_distribution_the_number_mean_and_relative_deviation_are_reported() -> None:
    """Of ln R about ln 60 with 0.3: 62.8 and 30.7 %."""
    best = fitted(
        "sphere", radius=p(60.0, 0.5), radius_pd=p(0.3, 0.01, ""), distributions={"radius": "lognormal"}
    )  # fmt: skip
    assert headline(answer(best)).startswith(
        "Best fit: spheres, number-mean radius 62.8 ± 0.6 Å, polydispersity 31 ± 1 %"
    )


def test_of_a_core_and_its_shell_the_whole_is_told_where_the_parts_are_open() -> None:
    open_ = fitted("core_shell_sphere", radius=p(9, 18), thickness=p(491, 18))
    said = headline(answer(open_))
    assert said.startswith("Best fit: core-shell spheres (core_shell_sphere), outer radius 500 ± ")
    assert "not determined" not in said
    known = headline(answer(SHELL))
    assert known.startswith(
        "Best fit: core-shell spheres (core_shell_sphere), core radius 60 ± 1 Å, shell thickness 13 ± 1 Å. "
    )
    # A part that nobody measured, as a search left it where it was, is no value.
    left = fitted("vesicle", radius=p(2.37, 0.001), thickness=p(202.585, None, fixed=True))
    assert "outer radius 204.955 ± 0.001 Å" in headline(answer(left))


def test_what_the_data_leave_open_is_said_and_has_no_value() -> None:
    cylinder = fitted("cylinder", radius=p(20, 0.2), length=p(150, 350))
    assert headline(answer(cylinder)).startswith(
        "Best fit: cylinders, radius 20.0 ± 0.2 Å, length not determined by these data. Fits"
    )
    long = fitted("cylinder", radius=p(20, 0.2), length=p(1090, 160))
    assert "length over 310 Å, the largest that these data show" in headline(answer(long))
    assert "1090" not in headline(answer(long))


def test_volume_fractions_are_in_per_cent_and_numbers_are_indices() -> None:
    crowded = fitted("sphere", 1.0, "hardsphere", radius=p(50, 1), volfraction=p(0.12, 0.011, ""))
    assert (
        "spheres with hard-sphere repulsion (sphere@hardsphere), radius 50 ± 1 Å, volume fraction 12 ± 1 %"
        in (headline(answer(crowded)))
    )
    levels = fitted("unified_power_Rg", rg2=p(30.5, 0.3), power1=p(1.6, 0.6, ""))
    assert "Rg₂ 30.5 ± 0.3 Å, exponent₁ 1.6 ± 0.6" in headline(answer(levels))


def test_nothing_explains_but_the_nearest_is_named_and_what_is_sure_is_said() -> None:
    first = replace(SPHERE, reduced_chisq=9.1)
    second = replace(SHELL, reduced_chisq=8.4)
    said = headline(answer(first, second, verification=WRONG, verified=False))
    assert said == (
        "Without a model: slope −1.000 ± 0.013 from q = 0.01 to 0.02 Å⁻¹. None of the fitted models fits the"
        " data. Nearest: core-shell spheres (core_shell_sphere), reduced χ²"
        " 8.4. The nearest fits agree on a number-mean outer radius of 72.5 ± 1.6 Å."
    )
    assert "Fits the data" not in said
    alone = headline(answer(first, verification=WRONG, verified=False))
    assert "agree" not in alone


def test_a_value_known_to_half_of_itself_is_told_where_none_is_known_better() -> None:
    upturn = fitted("power_law", power=p(3.4, 1.8, ""))
    assert "a power law (power_law), exponent 3 ± 2" in headline(answer(upturn))
    chain = fitted("be_polyelectrolyte", monomer_length=p(7.9, 4.0), bjerrum_length=p(0.9, 1.5))
    said = headline(answer(chain))
    assert "monomer length 8 ± 4 Å" in said
    assert "Bjerrum length not determined by these data" in said


def test_what_no_model_explains_still_has_its_radius_of_gyration() -> None:
    """Proteins are no sasmodels form; Guinier's law asks for none."""
    q = np.geomspace(0.008, 0.3, 150)
    coil = 2 * (np.exp(-((30 * q) ** 2)) - 1 + (30 * q) ** 2) / (30 * q) ** 4
    curve = Curve(q, coil * (1 + 0.004 * np.random.default_rng(1).standard_normal(q.size)), 0.004 * coil)
    wrong = {"verification": WRONG, "verified": False}
    result = replace(
        answer(replace(SPHERE, reduced_chisq=9.1), curve=curve, **wrong), dintensity=0.004 * coil
    )
    said = re.search(r"^Without a model: Rg ([\d.]+) ± ([\d.]+) Å \(Guinier\)\. None of", headline(result))
    assert said is not None
    rg, error = map(float, said.groups())
    assert abs(rg - 30) < 2 * error < 6


def test_one_that_is_within_the_errors_is_not_denied() -> None:
    first, second = replace(SPHERE, reduced_chisq=3.1), replace(SHELL, reduced_chisq=1.1)
    said = headline(answer(first, second, verification=WRONG, verified=False))
    assert said.startswith(
        "Core-shell spheres (core_shell_sphere) fit the data (reduced χ² 1.1). The model sphere does not"
        " (reduced χ² 3.1)"
    )
    assert "None of" not in said
    # Where its residuals are not random, either, nothing does.
    structured = replace(second, warnings=(FitWarning("Runs test -9 σ.", About.NOT_RANDOM),))
    assert "None of the fitted models" in headline(answer(first, structured, verification=WRONG))


def test_what_is_described_within_a_share_of_the_intensity_says_so() -> None:
    result = replace(answer(SPHERE, verified=False), described_within=0.052)
    said = headline(result)
    assert said.startswith("Best fit: spheres, ")
    assert said.endswith("Describes the curve within 5.2 % of I, not within the stated uncertainties.")
    assert "Fits" not in said


def test_within_a_systematic_error_values_stand_and_the_error_is_named() -> None:
    error = {"relative": 0.021, "length_ln_q": 0.1, "noise": 1.0, "background": 0.0, "excuses": True}
    shared = replace(WRONG, systematic=error)
    said = headline(answer(verification=shared))
    assert (
        "Fits the data within a systematic error of 2.1 % of I, but not within the stated uncertainties ("
        in said
    )
    assert "radius 72.0" in said
    bare = answer(verification=shared, curve=replace(CURVE, dintensity=None))
    assert "not within the estimated uncertainties" in headline(bare)


def test_residuals_twice_as_large_as_stated_are_no_plain_explanation() -> None:
    """Though their signs are random: only the error that neighbours share excuses χ² = 2."""
    error = {"relative": 0.034, "length_ln_q": 0.1, "noise": 1.0, "background": 0.0, "excuses": True}
    large = answer(replace(SPHERE, reduced_chisq=2.0), verification=replace(GOOD, systematic=error))
    said = "Fits the data within a systematic error of 3.4 % of I, but not within the stated uncertainties ("
    assert said in headline(large)
    assert any("misfit is larger than the errors" in doubt for doubt in doubts(large))
    small = answer(SPHERE, verification=replace(GOOD, systematic=error))
    assert "Fits the data (reduced χ² 1.02)." in headline(small)
    assert not any("misfit is larger" in doubt for doubt in doubts(small))


def test_many_shapes_are_no_shape_and_no_value_is_told_but_what_they_agree_on() -> None:
    others = [fitted(name) for name in ("cylinder", "dab", "guinier", "power_law")]
    said = headline(answer(SPHERE, *others, alike=tuple(fit.model for fit in others)))
    assert said == (
        "These data show no shape: sphere, cylinder and 3 more models fit them (reduced χ² 1.02)."
    )


def test_without_a_fit_and_without_an_error_there_is_a_sentence() -> None:
    assert headline(answer(fits=())) == "No model could be fitted."
    unknown = fitted("sphere", radius=p(41.3456, None))
    assert explanation(answer(unknown), unknown) == "spheres, radius 41.35 Å"
    assert describe_size("radius", Size("radius", 1234.5, np.nan, "Ang", ())) == "radius 1234 Å"
    assert headline(answer(verification=GOOD)).count("Fits the data") == 1


def test_a_whole_that_no_part_determines_has_no_value() -> None:
    parts = {"radius": p(20.0, 45.0), "thickness": p(10.0, 40.0)}
    said = headline(answer(fitted("core_shell_sphere", weight=0.9, **parts)))
    assert "outer radius not determined by these data" in said
    assert "±" not in said.partition("Fits")[0]


def test_a_more_general_model_does_not_hide_what_the_simple_one_determines() -> None:
    shell = fitted("core_shell_sphere", radius=p(40.1, 0.2), thickness=p(14.8, 0.4), weight=0.8)
    general = fitted(
        "core_multi_shell", n=p(2, None, "", fixed=True), radius=p(39, 3), thickness1=p(8, 5),
        thickness2=p(8, 5), radius_pd=p(0.1, 0.05, ""), weight=0.2,
    )  # fmt: skip
    said = headline(answer(shell, general, alike=("core_multi_shell",)))
    assert "core radius 40.1 ± 0.2 Å, shell thickness 14.8 ± 0.4 Å" in said
    assert "outer radius" not in said


def test_the_printed_errors_are_of_one_model_only_if_others_widen_the_headline() -> None:
    other = fitted("fuzzy_sphere", radius=p(74.0, 0.2), weight=0.4)
    assert includes_other_models(answer(SPHERE, other, alike=("fuzzy_sphere",)))
    assert not includes_other_models(answer(SPHERE))
    assert not includes_other_models(answer(SPHERE, other, verification=WRONG, verified=False))


def test_a_tie_that_takes_a_systematic_error_names_it() -> None:
    within = answer(SPHERE, FUZZY, excused=("a systematic error of 3 % of I", ("fuzzy_sphere",)))
    assert " Within a systematic error of 3 % of I, also indistinguishable from sphere: fuzzy_sphere." in (
        headline(within)
    )
    assert "from sphere here" not in headline(within)


def test_a_value_of_a_sum_names_its_component() -> None:
    best = fitted("sphere+mono_gauss_coil", A_radius=p(60, 1), B_rg=p(20, 1))
    assert "radius (component A) 60 ± 1 Å, Rg (component B) 20 ± 1 Å. Fits the data" in headline(answer(best))


# --- The scale is reported as a volume fraction where a user has given all scattering length
# --- densities.

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


def test_of_vesicles_it_is_the_scale_times_their_own_fraction() -> None:
    vesicle = fit_of(
        "vesicle", scale=3.6, thickness=p(35, 1), volfraction=replace(p(0.0014, 0, ""), fixed=True)
    )
    assert "volume fraction of the walls 0.504" in said(vesicle, BOTH)
    interacting = replace(vesicle, structure_factor="hardsphere")
    assert "volume fraction" not in said(interacting, BOTH)


def test_a_charge_stands_with_what_it_depends_on() -> None:
    around = {"temperature": p(298.15, None, "K", fixed=True), "dielectconst": p(78.3, None, "", fixed=True)}
    salt = {"concentration_salt": p(0.0, None, "M", fixed=True)}
    best = fitted("sphere", factor="hayter_msa", radius=p(30, 0.1), charge=p(20, 0.5, "e"), **around, **salt)
    assert "charge 20.0 ± 0.5 e (assumed: 298 K, dielectric constant 78.3, no salt)." in headline(
        answer(best)
    )
    known = answer(best, given=("temperature",))
    assert "charge 20.0 ± 0.5 e (at 298 K, dielectric constant 78.3, no salt)." in headline(known)
    salty = {"concentration_salt": p(0.02, 0.001, "M")}
    best = fitted("sphere", factor="hayter_msa", radius=p(30, 0.1), charge=p(20, 0.5, "e"), **around, **salty)
    assert "(assumed: 298 K, dielectric constant 78.3)" in headline(answer(best))


def test_where_no_value_is_determined_none_is_picked_out() -> None:
    blend = fitted(
        "rpa", b4=p(2.6, 4.3), N3=p(370, 5400, ""), N4=p(3.0, 5.3, ""), Phi3=p(0.12, 0.7, "")
    )  # fmt: skip
    said = headline(answer(blend))
    assert "none of its values is determined by these data" in said
    assert "b₄" not in said
    known = replace(blend, parameters={**blend.parameters, "N4": p(300.0, 10.0, "")})
    assert "300 ± 10" in headline(answer(known))
