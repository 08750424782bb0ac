"""What a contrast settles in a fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sasmodels.core import list_models

import sasnet_plugin
from sasnet_plugin.fitting.problem.contrast import (
    compute_contrast_values,
    contrast_of,
    fix_contrast,
    names_settled_by,
)
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Contrast, Task
from sasnet_plugin.materials import scattering_length_density
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve, SasnetError

Simulated = Callable[..., Curve]


def test_x_rays_need_a_wavelength_that_the_tables_with_contrast() -> None:
    with pytest.raises(SasnetError, match="--wavelength 1.54"):
        scattering_length_density("H2O", "xray")
    with pytest.raises(SasnetError, match="positive"):
        scattering_length_density("H2O", "xray", -1.0)
    with pytest.raises(SasnetError, match="no scattering lengths"):
        scattering_length_density("H2O", "xray", 1e-6)
    with pytest.raises(SasnetError, match="neutron or xray"):
        scattering_length_density("H2O", "muon")


def test_no_contrast_is_refused() -> None:
    with pytest.raises(SasnetError, match="nothing would scatter"):
        contrast_of("H2O", "0%D2O")
    assert contrast_of(None, None) is None


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("sphere", {"sld": 3.5, "sld_solvent": 6.4}),
        ("fractal", {"sld_block": 3.5, "sld_solvent": 6.4}),
        ("teubner_strey", {"sld_a": 3.5, "sld_b": 6.4}),
        ("core_shell_sphere", {"sld_solvent": 6.4}),
        ("lamellar_hg", {"sld_solvent": 6.4}),
        ("adsorbed_layer", {"sld_solvent": 6.4}),
        ("mono_gauss_coil", {}),
    ],
)
def test_the_sample_is_fixed_only_where_it_is_the_one_material(model: str, names: dict[str, float]) -> None:
    assert compute_contrast_values(Contrast(3.5, 6.4), model) == names
    assert compute_contrast_values(Contrast(3.5, None), "core_shell_sphere") == {}
    assert compute_contrast_values(Contrast(3.5, None), "teubner_strey") == {}


def test_a_model_of_two_phases_gives_the_same_curve_with_phases_exchanged() -> None:
    q = np.geomspace(0.005, 0.2, 20)
    one = call("teubner_strey", q, {"sld_a": 3.5, "sld_b": 6.4}).intensity
    assert call("teubner_strey", q, {"sld_a": 6.4, "sld_b": 3.5}).intensity == pytest.approx(one)


def test_the_users_own_value_or_range_goes_before(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 50.0})
    assert curve.dintensity is not None
    task = Task(
        curve, curve.dintensity, "sphere", None, fixed={"sld": 4.0}, ranges={"sld_solvent": (1.0, 2.0)}
    )
    (found,), notes = fix_contrast(Contrast(3.5, 6.4, "SiO2@2.2", "D2O"), [task])
    assert found.fixed == {"sld": 4.0}
    assert "nothing was fixed" in " ".join(notes)
    (same,), silent = fix_contrast(None, [task])
    assert same is task
    assert silent == []


def test_scale_is_the_volume_fraction_once_the_contrast_is_known(simulated: Simulated, bank: Bank) -> None:
    contrast = contrast_of("SiO2@2.2", "D2O")
    assert contrast is not None
    truth = {
        "radius": 60.0,
        "scale": 0.012,
        "background": 0.01,
        **compute_contrast_values(contrast, "sphere"),
    }
    curve = simulated("sphere", truth)
    assert curve.dintensity is not None
    (task,), notes = fix_contrast(contrast, [Task(curve, curve.dintensity, "sphere", None)])
    found = fit_candidate(task, bank)
    scale = found.parameters["scale"]
    assert scale.error is not None
    assert abs(scale.value - 0.012) < 4 * scale.error
    assert found.parameters["sld"].fixed
    assert found.parameters["sld"].value == contrast.sample
    assert notes == [
        "Scattering length densities for neutrons, 10⁻⁶ Å⁻²: SiO2@2.2 3.47, D2O 6.36.",
        "Fixed in sphere: sld, sld_solvent.",
    ]


def test_core_and_shell_are_fitted_in_the_given_solvent(simulated: Simulated) -> None:
    truth = {"radius": 60.0, "thickness": 20.0, "sld_core": 1.0, "sld_shell": 4.0, "background": 0.01}
    curve = simulated("core_shell_sphere", {**truth, "sld_solvent": scattering_length_density("D2O")})
    result = sasnet_plugin.fit(
        curve, models=["core_shell_sphere", "mono_gauss_coil"], structure_factor="none", sample="C8H8@1.05",
        solvent="D2O", time_limit=60,
    )  # fmt: skip
    best = result.best
    assert best is not None
    assert best.model == "core_shell_sphere"
    assert best.reduced_chisq < 1.5
    assert best.parameters["sld_solvent"].fixed
    assert best.parameters["sld_solvent"].value == scattering_length_density("D2O")
    assert best.parameters["radius"].value == pytest.approx(60.0, rel=0.05)
    assert any("C8H8@1.05 may be any" in note for note in result.notes)
    assert any("mono_gauss_coil: the materials determine no parameter" in note for note in result.notes)


def test_a_curve_that_simple_models_start_keeps_what_the_user_gives(simulated: Simulated) -> None:
    # Simple models begin at starts of their own, which have the solvent and the sizes of a library's curve.
    d2o = scattering_length_density("D2O")
    truth = {"scale": 0.03, "radius": 43.0, "radius_pd": 0.08, "sld": scattering_length_density("SiO2@2.2")}
    curve = simulated("sphere", {**truth, "sld_solvent": d2o, "background": 0.01})
    of_materials = sasnet_plugin.fit(curve, sample="SiO2@2.2", solvent="D2O", time_limit=60, progress=False)
    sphere = next(fit for fit in of_materials.fits if fit.name == "sphere")
    assert sphere["sld_solvent"].value == d2o
    assert sphere["scale"].value == pytest.approx(0.03, rel=0.03)
    fixed = sasnet_plugin.fit(curve, fixed={"radius": 40.0}, time_limit=60, progress=False)
    assert {fit["radius"].value for fit in fixed.fits if "radius" in fit.parameters} == {40.0}
    assert {fit["A_radius"].value for fit in fixed.fits if "A_radius" in fit.parameters} <= {40.0}


@pytest.mark.parametrize("named", [False, True])
def test_contrasts_are_those_of_matter_where_only_the_solvent_is_known(
    simulated: Simulated, named: bool
) -> None:
    truth = {"radius": 33.0, "thickness": 15.0, "sld_core": 0.5, "sld_shell": 2.0, "background": 0.02}
    d2o = scattering_length_density("D2O")
    curve = simulated("core_shell_sphere", {**truth, "scale": 0.01, "sld_solvent": d2o})
    sample = "C8H8@1.05" if named else None  # may be the core or the shell, so that it settles neither
    result = sasnet_plugin.fit(
        curve, models="core_shell_sphere", sample=sample, solvent="D2O", time_limit=60, progress=False
    )
    best = result.fits[0]
    assert best["sld_solvent"].value == d2o
    low, high = PROBLEM.matter["neutron"]
    assert all(low <= best[name].value <= high for name in ("sld_core", "sld_shell"))
    # Only ratios of contrasts are determined.
    ratio = (best["sld_core"].value - d2o) / (best["sld_shell"].value - d2o)
    assert ratio == pytest.approx((0.5 - d2o) / (2.0 - d2o), rel=0.1)


def test_the_one_material_of_a_model_has_a_known_name() -> None:
    contrast = Contrast(1.0, 6.0, "oil", "D2O", "neutron")
    for model in list_models():
        assert compute_contrast_values(contrast, model).keys() <= names_settled_by(contrast)
