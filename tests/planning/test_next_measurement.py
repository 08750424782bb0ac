"""Plans of the next measurement: physics of candidates, and what they are expected to say."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sasnet_plugin
from sasnet_plugin.fitting.assessment.error_estimates import calibration_error
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.fitting.task import Contrast
from sasnet_plugin.materials import incoherent_scattering, scattering_length_density
from sasnet_plugin.planning.match_points import (
    MatchPoint,
    match_point_of_model,
    match_point_of_models,
    match_point_of_series,
    match_points_of_parts,
)
from sasnet_plugin.planning.measurements import (
    Measurement,
    examples,
    exchanged_density,
    exposure_of,
    find_flat_level,
    list_solvents,
    move_detector,
    read_instrument,
    water_level,
    water_share,
)
from sasnet_plugin.planning.next_measurement import (
    Plan,
    Ranked,
    _unknown_densities,
    _weights,
    next_measurement,
    possible_fits,
)
from sasnet_plugin.planning.outlook import Outlook, foresee
from sasnet_plugin.planning.rivals import Rival
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve, SasnetError

_D2O = 6.356
_Q = np.geomspace(0.008, 0.15, 70)


def _sphere(q: np.ndarray, radius: float) -> np.ndarray:
    x = q * radius
    return (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 * 4 / 3 * np.pi * radius**3


def _curve(intensity: np.ndarray, exposure: float = 400.0, seed: int = 0) -> Curve:
    sigma = np.sqrt((intensity + 0.05) / exposure)
    noise = sigma * np.random.default_rng(seed).standard_normal(intensity.size)
    return Curve(_Q, intensity + noise, sigma, dq=0.04 * _Q, file="a.dat", intensity_unit="cm⁻¹")


#: Seconds in which what is under way may still end.
_GRACE = "sasnet_plugin.planning.next_measurement._GRACE"


@pytest.fixture(autouse=True)
def _busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is ended early has time for its first measurement, however busy this machine is."""
    monkeypatch.setattr(_GRACE, 600.0)


@pytest.fixture(scope="module")
def spheres() -> FitResult:
    """Spheres of 40 Å in D2O, contrast known."""
    contrast = scattering_length_density("SiO2@2.2") - scattering_length_density("D2O")
    curve = _curve(1e-4 * 0.005 * contrast**2 * _sphere(_Q, 40.0))
    return sasnet_plugin.fit(
        curve, models=["sphere", "ellipsoid"], structure_factor="none", sample="SiO2@2.2", solvent="D2O",
        time_limit=40, workers=1, progress=False,
    )  # fmt: skip


def _rival(result: FitResult, name: str = "sphere", weight: float = 1.0) -> Rival:
    fit = next(fit for fit in result.fits if fit.name == name)
    return Rival([fit], [result.curve], [result.dintensity], weight)


def _again(result: FitResult) -> Measurement:
    curve = result.curve
    offer = Curve(curve.q, np.ones(len(curve)), dq=curve.dq)
    return Measurement("again", "again", offer, exposure_of(curve, result.dintensity, 0.0))


def test_water_has_its_published_densities_and_incoherent_scattering() -> None:
    # Scattering lengths and cross-sections: V. F. Sears, Neutron News 3 (1992) 26; 80.26 barn for H.
    assert water_share(-0.56) == pytest.approx(0.0, abs=0.001)
    assert water_share(6.36) == pytest.approx(1.0, abs=0.001)
    molecules = 0.997 / 18.015 * 0.60221  # per Å³
    assert incoherent_scattering("H2O") == pytest.approx(2 * 80.26 * molecules / (4 * np.pi), rel=0.005)
    half = 0.5 * (incoherent_scattering("H2O") + incoherent_scattering("D2O"))
    assert incoherent_scattering("50%D2O") == pytest.approx(half)


def test_labile_hydrogen_follows_the_water() -> None:
    # Methanol has one labile hydrogen: in D2O it is CH3OD of the same molar volume.
    methanol = "CH3OH[1]@0.787"
    assert exchanged_density(methanol, -0.56) == pytest.approx(
        scattering_length_density("CH4O@0.787"), abs=1e-3
    )
    assert exchanged_density(methanol, 6.36) == pytest.approx(
        scattering_length_density("CH3OD@0.787n"), abs=1e-3
    )


def test_a_subtracted_level_is_found_in_the_uncertainties_of_a_radial_average() -> None:
    rng, q = np.random.default_rng(3), np.linspace(0.01, 0.2, 100)
    signal, level, seconds = 5 * np.exp(-((q * 30) ** 2) / 3), 0.4, 250.0
    counts = rng.poisson((signal + level) * q * seconds * 1000)
    sigma = (signal + level) / np.sqrt(counts)
    curve = Curve(q, signal + sigma * rng.standard_normal(q.size), sigma)
    assert find_flat_level(curve, sigma) == pytest.approx(level, rel=0.1)
    assert find_flat_level(curve, 0.03 * signal + 1e-3) == 0.0  # of no radial average: nothing is said


def test_exposure_and_error_are_each_others_inverse() -> None:
    curve = _curve(_sphere(_Q, 40.0) * 1e-5, exposure=900.0)
    assert curve.dintensity is not None
    exposure = exposure_of(curve, curve.dintensity, 0.05)
    assert np.median(exposure) == pytest.approx(900.0, rel=0.1)
    offer = Measurement("again", "again", curve, np.full(_Q.size, 900.0), level=0.05)
    np.testing.assert_allclose(offer.error(np.full(_Q.size, 1e-6), 1.0), np.sqrt(0.05 / 900), rtol=1e-3)
    np.testing.assert_allclose(offer.error(np.full(_Q.size, 1e-6), 4.0), 0.5 * np.sqrt(0.05 / 900), rtol=1e-3)


def test_a_background_is_noise_again() -> None:
    # Counted with the sample, it is most of the noise at high q; fitted or subtracted, it still is.
    clean = 1e-5 * _sphere(_Q, 40.0)
    curve = _curve(clean + 0.8)
    result = sasnet_plugin.fit(
        curve, models=["sphere", "fuzzy_sphere"], structure_factor="none", time_limit=30, workers=1,
        progress=False,
    )  # fmt: skip
    again = next(each for each in next_measurement(result).ranked if each.name == "the same again")
    expected = again.outlook.measurement.error(clean, 1.0)
    assert np.median(expected / np.sqrt((clean + 0.85) / 400)) == pytest.approx(1.0, abs=0.1)


def test_solvents_bring_their_incoherent_background(spheres: FitResult) -> None:
    assert water_level(6.36) == pytest.approx(incoherent_scattering("D2O"), rel=0.01)
    assert water_level(7.5) == 0.0  # no water is as dense
    start = replace(_again(spheres), level=0.2)
    (light,) = list_solvents(start, ["H2O"], _D2O, {})
    difference = incoherent_scattering("H2O") - incoherent_scattering("D2O")
    assert light.level == pytest.approx(0.2 + difference, rel=0.01)


def test_a_detector_further_away_sees_lower_q_with_fewer_counts(spheres: FitResult) -> None:
    again = _again(spheres)
    far = move_detector(again, 0.5)
    np.testing.assert_allclose(far.curve.q, 0.5 * again.curve.q)
    np.testing.assert_allclose(far.exposure, again.exposure / 16)


def test_the_error_falls_with_the_root_of_the_counting_time(spheres: FitResult) -> None:
    rival, weak = _rival(spheres), _again(spheres)
    weak = replace(weak, exposure=weak.exposure * 1e-2)  # far from what no counting improves
    short, longer = (foresee([rival], [[rival.before.z]], weak, time, "radius").error for time in (1e3, 4e3))
    assert short is not None
    assert longer is not None
    value, before, _ = rival.errors(rival.before.covariance)["radius"]
    floor = calibration_error(value, "Ang")
    before, *after = (np.sqrt(error**2 - floor**2) for error in (before, short, longer))
    alone = [1 / np.sqrt(1 / error**2 - 1 / before**2) for error in after]
    assert alone[0] / alone[1] == pytest.approx(2.0, rel=0.15)


def test_the_error_of_now_is_that_of_the_fit(spheres: FitResult) -> None:
    radius = spheres.fits[0]["radius"]
    assert radius.error is not None
    plan = next_measurement(spheres, parameter="radius", aim=0.5, solvents=())
    assert plan.now * radius.value == pytest.approx(radius.error, rel=0.1)
    again = next(each for each in plan.ranked if each.name == "the same again")
    assert again.outlook.error is not None
    assert 0.6 * radius.error < again.outlook.error < radius.error
    # More data make no error larger, however a fit may report it.
    assert all((each.outlook.error or 0.0) <= radius.error * 1.001 for each in plan.ranked)


def test_what_no_counting_improves_stays(spheres: FitResult) -> None:
    rival, covariance = _rival(spheres), _rival(spheres).before.covariance
    alone = rival.errors(covariance / 1e4)["radius"][1]  # of noise, by the time of the last fit
    for share in (100.0, 10.0):
        foreseen = rival.errors(covariance / share, "again")["radius"]
        noise = rival.errors(covariance / share)["radius"][1]
        rival.learn_error("again", "radius", foreseen, float(np.hypot(noise, 5 * alone)))
    assert rival.errors(covariance / 1e4, "again")["radius"][1] == pytest.approx(5 * alone, rel=0.05)
    assert rival.errors(covariance / 1e4)["radius"][1] == alone  # nothing is learned of another one


def test_sizes_of_a_forecast_spread_as_far_as_the_data_leave_it_open(spheres: FitResult) -> None:
    fit = next(fit for fit in spheres.fits if fit.name == "ellipsoid")
    ellipsoid = Rival([replace(fit, distributions={})], [spheres.curve], [spheres.dintensity], 1.0)
    assert ellipsoid.list_sharp_sizes() == ["radius_polar", "radius_equatorial"]
    drawn, widths = ellipsoid.draw_spread(8, ellipsoid.list_sharp_sizes(), np.random.default_rng(0)), []
    for i, (rival, z) in enumerate(drawn):
        values = rival.values(z)
        widths.append(values[("radius_polar_pd", "radius_equatorial_pd")[i % 2]])
        plain = np.asarray(rival.predict(z, _again(spheres))) - spheres.curve.intensity
        background = np.mean(plain)
        assert np.mean(((plain - background) / spheres.dintensity) ** 2) < 2.0
    assert min(widths) > 0
    assert np.median(widths) < 0.2  # 40 Å of one size have sharp fringes


def test_a_plan_that_decides_nothing_tells_all_figures_of_the_longest_time(spheres: FitResult) -> None:
    fit = spheres.fits[0]
    same = (replace(fit, weight=0.5), replace(fit, weight=0.5))
    plan = next_measurement(replace(spheres, fits=same), solvents=())
    predicted, longest = plan.as_dict()["predictions"], plan.ranked[0].at_longest
    assert longest is not None
    assert predicted["time"] == longest.time > plan.time
    assert predicted["chance"] == longest.chance


def test_a_matched_solvent_decides_nothing(spheres: FitResult) -> None:
    matched = f"{100 * water_share(scattering_length_density('SiO2@2.2')):.1f}%D2O"
    rival, other = _rival(spheres, weight=0.5), _rival(spheres, "ellipsoid", 0.5)
    (offer,) = list_solvents(_again(spheres), [matched], _D2O, {})
    look = foresee([rival, other], [[rival.before.z], [other.before.z]], offer, 100.0)
    assert max(look.differences.values()) < 0.1


def test_a_vanished_component_is_no_rival_and_a_vanished_axis_is(spheres: FitResult) -> None:
    fit = replace(spheres.fits[0], weight=1.0)
    axes, component = (replace(fit, model=name, weight=0.0) for name in ("ellipsoid", "sphere+power_law"))
    assert _weights([fit, axes, component]) == pytest.approx([0.5, 0.5, 0.0])


def test_a_plan_begins_with_the_probabilities_of_the_answer(spheres: FitResult) -> None:
    """Models that the answer counts as a simpler one are compared; they do not share its probability."""
    fit = replace(spheres.fits[0], weight=1.0)
    counted = [replace(fit, model=name, weight=0.0) for name in ("ellipsoid", "fuzzy_sphere")]
    assert possible_fits([*counted, fit]) == pytest.approx({2: 1 / 1.02, 0: 0.01 / 1.02, 1: 0.01 / 1.02})
    two = [replace(fit, weight=0.2), replace(fit, model="ellipsoid", weight=0.8)]
    assert possible_fits(two) == pytest.approx({1: 0.8, 0: 0.2})


def test_two_names_of_one_curve_are_never_told_apart(spheres: FitResult) -> None:
    fit = spheres.fits[0]
    same = replace(spheres, fits=(replace(fit, weight=0.5), replace(fit, weight=0.5)))
    plan = next_measurement(same, solvents=["H2O"])
    assert plan.recommended is None
    assert all(each.outlook.chance < 0.6 for each in plan.ranked)
    assert any("no counting time separates" in note for note in plan.notes)
    assert "None of these measurements decides" in str(plan)


def test_two_names_of_one_curve_are_not_told_apart_by_an_unknown_density(spheres: FitResult) -> None:
    fit = spheres.fits[0]
    sld, scale = fit["sld"], fit["scale"]
    factor = ((sld.value - _D2O) / (1.0 - _D2O)) ** 2
    same = {"sld": replace(sld, value=1.0), "scale": replace(scale, value=scale.value * factor)}
    rivals = [
        Rival([each], [spheres.curve], [spheres.dintensity], 0.5, frozenset({"sld"}))
        for each in (fit, replace(fit, parameters={**fit.parameters, **same}))
    ]
    true = []
    for rival in rivals:
        rival.draws(2, np.random.default_rng(0))
        density = rival.coordinates[-1]
        assert density.all_contrasts
        # Near D2O, where the contrast in another solvent follows it steeply.
        true.append([np.append(rival.before.z[:-1], (5.3 - density.value) / density.unit)])
    for offer in list_solvents(_again(spheres), ["H2O", "60%D2O"], _D2O, {}):
        look = foresee(rivals, true, offer, 16.0)
        assert look.chance == pytest.approx(0.5, abs=0.1)
        assert max(look.differences.values()) < 0.5


def test_ellipsoids_and_spheres_are_told_apart_where_their_curves_differ() -> None:
    # The same curve as spheres of many sizes up to q = 0.1; a sphere's minima are deeper beyond.
    curve = _curve(0.5 * _sphere(_Q, 40.0) * 1e-5 * 0.6 + 0.2 * _sphere(_Q, 50.0) * 1e-5, exposure=2000.0)
    result = sasnet_plugin.fit(
        curve,
        models=["sphere", "ellipsoid"],
        structure_factor="none",
        time_limit=40,
        workers=1,
        progress=False,
    )
    plan = next_measurement(result)
    times = {each.name.partition(",")[0]: each.time_to_aim for each in plan.ranked}
    higher, *others = (times[name] or np.inf for name in ("higher q", "the same again", "lower q"))
    assert higher < min(others)


def test_shells_that_a_model_does_not_have_have_no_density(spheres: FitResult) -> None:
    fit, sld = spheres.fits[0], replace(spheres.fits[0]["sld"], fixed=True)
    slds = {f"sld{i}": sld for i in range(1, 11)} | {"sld_core": sld, "n": replace(sld, value=2.0)}
    shells = replace(fit, parameters={"sld_solvent": fit["sld_solvent"], **slds})
    assert _unknown_densities(spheres, shells) == {"sld_core", "sld1", "sld2"}


def test_the_background_of_any_possible_model_is_noise_again(spheres: FitResult) -> None:
    fit = spheres.fits[0]
    flat = [replace(fit["background"], value=value) for value in (-0.001, 0.02)]
    lower, higher = (
        replace(fit, weight=0.5, parameters={**fit.parameters, "background": each}) for each in flat
    )
    result = replace(spheres, fits=(lower, higher))
    plan = next_measurement(result, solvents=(), only=["the same again"])
    assert plan.ranked[0].outlook.measurement.level == 0.02


def test_a_plan_that_is_ended_early_says_so_and_no_more(spheres: FitResult) -> None:
    fit = spheres.fits[0]
    two = replace(spheres, fits=(replace(fit, weight=0.6), replace(fit, weight=0.4)))
    plan = next_measurement(two, solvents=(), ended=lambda: True)
    assert len(plan.ranked) == 1
    assert "Ended early: 1 of 3 measurements were compared" in plan.notes[-1]
    assert "is best; the time to 95 % was not calculated" in plan.lines()[1]
    assert "None of these" not in str(plan)


def test_a_plan_ends_with_its_time_limit_also_within_one_measurement(
    spheres: FitResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = spheres.fits[0]
    two = replace(spheres, fits=(replace(fit, weight=0.6), replace(fit, weight=0.4)))
    plan = next_measurement(two, solvents=(), time_limit=0.0)
    assert any(note.startswith("Ended early: 1 of 3") for note in plan.notes)
    # Where not even one is compared in time, there is no plan, and no wait either.
    monkeypatch.setattr(_GRACE, 0.0)
    with pytest.raises(SasnetError, match="before any measurement was compared"):
        next_measurement(two, solvents=(), time_limit=0.0)


def test_a_search_that_is_ended_stops_at_once_and_shows_no_half_found_time(
    spheres: FitResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []

    def count(*args: Any) -> Any:
        looks.append(args[3])
        return foresee(*args)

    monkeypatch.setattr("sasnet_plugin.planning.next_measurement.foresee", count)
    fit = spheres.fits[0]
    two = replace(spheres, fits=(replace(fit, weight=0.97), replace(fit, weight=0.03)))
    complete = next_measurement(two, solvents=())
    assert {ranked.time_to_aim for ranked in complete.ranked} == {1 / 16}
    most = len(looks) - 1  # in the last search
    looks.clear()
    plan = next_measurement(two, solvents=(), ended=lambda: len(looks) >= most)
    assert len(looks) == most
    assert sorted(str(ranked.time_to_aim) for ranked in plan.ranked) == ["0.0625", "0.0625", "None"]
    assert plan.table()[-1][-1] == "1 × the present time or less"


def test_an_aim_that_is_reached_already_is_said_to_be(spheres: FitResult) -> None:
    fit = spheres.fits[0]
    two = replace(spheres, fits=(replace(fit, weight=0.97), replace(fit, weight=0.03)))
    assert "already leads with a probability of 97 %" in next_measurement(two, solvents=()).lines()[1]
    assert "None of these" in next_measurement(two, solvents=(), aim=0.99).lines()[1]


def test_one_model_that_is_left_after_a_plan_is_an_answer(spheres: FitResult) -> None:
    sphere, other = spheres.fits[:2]
    left = replace(spheres, fits=(replace(sphere, weight=1.0), replace(other, weight=1e-6)))
    left = replace(left, fits=tuple(replace(fit, log_evidence=1e3 * fit.weight) for fit in left.fits))
    plan = next_measurement(left, earlier={"predictions": {}})
    assert plan.ranked == ()
    assert plan.is_reached
    now, answer, held, point = plan.lines()
    assert "match point" in point
    assert now == f"Now: {sphere.short_name} > 99 %."
    assert f"Only {sphere.short_name} is left" in answer
    assert "together with the earlier ones" in held
    assert plan.as_dict()["recommended"] is None


def test_solvents_are_water_for_neutrons_in_water_alone(spheres: FitResult) -> None:
    def notes(contrast: Contrast | None, given: tuple[str, ...] = ("sld_solvent",)) -> str:
        fits = (replace(spheres.fits[0], weight=0.5), replace(spheres.fits[1], weight=0.5))
        result = replace(spheres, fits=fits, contrast=contrast, given=given)
        return " ".join(next_measurement(result, ended=lambda: True).notes)

    assert "No other solvents" not in notes(Contrast(None, _D2O, "", "D2O"))
    assert "toluene is not water" in notes(Contrast(None, 0.94, "", "toluene"))
    assert "for neutrons only" in notes(Contrast(None, 9.4, "", "H2O", "xray"))
    assert "the present one is not given" in notes(None, ())


def test_the_match_point_of_a_model_is_that_of_its_material(spheres: FitResult) -> None:
    point = match_point_of_model(_rival(spheres), {})
    assert point is not None
    assert point.density == pytest.approx(scattering_length_density("SiO2@2.2"), abs=0.02)


def _core_shells(q: np.ndarray, width: float = 0.0) -> tuple[FitResult, np.ndarray, np.ndarray]:
    """A fit that is exact, of cores of 40 Å of density 1 with shells of 20 Å of density 4 in D2O."""
    values = {
        "scale": 0.01, "background": 0.0, "radius": 40.0, "thickness": 20.0, "sld_core": 1.0,
        "sld_shell": 4.0, "sld_solvent": _D2O,
    }  # fmt: skip
    spread = {"radius_pd": width, "radius_pd_n": 35, "radius_pd_type": "gaussian"} if width else {}
    exact = call("core_shell_sphere", q, values | spread).intensity
    sigma = 0.01 * exact
    units = {"radius": "Ang", "thickness": "Ang"}
    free = ("scale", "background", "radius", "thickness", "sld_shell")
    parameters = {
        name: Parameter(
            value, 0.001 if name in free else None,
            units.get(name, "1e-6/Ang^2" if "sld" in name else ""), name not in free,
            0.0, 1e4 if name in free else value,
        )
        for name, value in (values | ({"radius_pd": width} if width else {})).items()
    }  # fmt: skip
    kinds = {"radius": "gaussian"} if width else {}
    fit = ModelFit(
        "core_shell_sphere", None, parameters, kinds, float(q.size), 1.0, 100.0, 1.0, 0.1, exact, weight=1.0
    )
    result = FitResult(Curve(q, exact, sigma), sigma, (fit,), given=("sld_core", "sld_solvent"))
    radii = 40.0 * (1 + width * np.linspace(-3, 3, 601)) if width else np.array([40.0])
    numbers = np.exp(-0.5 * np.linspace(-3, 3, radii.size) ** 2) if width else np.ones(1)
    return result, radii, numbers


@pytest.mark.parametrize("low", [0.004, 0.05])
@pytest.mark.parametrize("width", [0.0, 0.3])
def test_the_match_point_is_where_the_forward_amplitude_vanishes(low: float, width: float) -> None:
    # Of particles of several sizes it is the least of the mean of (Σ Vᵢ Δρᵢ)²; the lowest q does not matter.
    result, radii, numbers = _core_shells(np.geomspace(low, 0.3, 60), width)
    point = match_point_of_model(_rival(result, "core_shell_sphere"), {})
    assert point is not None
    core, whole = radii**3, (radii + 20.0) ** 3
    excess = core * 1.0 + (whole - core) * 4.0
    exact = float(numbers @ (excess * whole) / (numbers @ whole**2))
    assert point.density == pytest.approx(exact, abs=0.01)
    assert 0 < point.error < (1.0 if width else 0.1)


def test_the_match_point_moves_with_what_exchanges_hydrogen() -> None:
    result, *_ = _core_shells(np.geomspace(0.004, 0.3, 60))
    sugar, share = "C6H7H[1]3O5@1.5", 40.0**3 / 60.0**3
    point = match_point_of_model(_rival(result, "core_shell_sphere"), {"sld_shell": sugar})
    assert point is not None
    mean = share * 1.0 + (1 - share) * exchanged_density(sugar, point.density)
    assert point.density == pytest.approx(mean, abs=0.01)


def test_other_models_that_are_left_widen_the_error_of_the_match_point() -> None:
    result, *_ = _core_shells(np.geomspace(0.004, 0.3, 60))
    shell = result.fits[0].parameters["sld_shell"]
    other = replace(
        result.fits[0],
        parameters=result.fits[0].parameters | {"sld_shell": replace(shell, value=5.0)},
    )
    curves = [result.curve], [result.dintensity]
    rivals = [Rival([result.fits[0]], *curves, 0.6), Rival([other], *curves, 0.4)]
    rivals[1].before = replace(rivals[1].before, z=np.zeros_like(rivals[1].before.z))
    alone, both = match_point_of_models(rivals[:1], {}), match_point_of_models(rivals, {})
    assert alone is not None
    assert both is not None
    assert both.density == alone.density
    apart = (1 - 40.0**3 / 60.0**3) * 1.0
    assert both.error == pytest.approx(np.sqrt(0.4) * apart, rel=0.1)


def test_one_model_alone_still_has_a_match_point() -> None:
    result, *_ = _core_shells(np.geomspace(0.004, 0.3, 60))
    plan = next_measurement(replace(result, verified=True))
    assert plan.ranked == ()
    assert "nothing to decide" in plan.lines()[1]
    assert any("According to core_shell_sphere, the match point is at" in note for note in plan.notes)


def test_the_match_point_of_a_given_density_has_no_error_of_rounding(spheres: FitResult) -> None:
    plan = next_measurement(spheres, solvents=["H2O"], ended=lambda: True)
    (said,) = (note for note in plan.notes if "match point" in note)
    assert re.search(r"at \d\d\.\d % D2O, with a scattering length density of \(\d\.\d\d\)", said), said


def test_an_unknown_density_has_no_match_point(spheres: FitResult) -> None:
    fit = next(fit for fit in spheres.fits if fit.name == "sphere")
    rival = Rival([fit], [spheres.curve], [spheres.dintensity], 1.0, frozenset({"sld"}))
    assert match_point_of_model(rival, {}) is None


def test_parts_have_their_own_match_points(spheres: FitResult) -> None:
    fit = spheres.fits[0]
    shell = replace(fit.parameters["sld"], value=3.0, error=0.2, fixed=False)
    two = replace(fit, parameters={**fit.parameters, "sld_shell": shell})
    rival = _rival(spheres)
    assert match_points_of_parts(rival, ["sld"], {}) == {}  # the whole is the only part
    rival.fit = two
    assert match_points_of_parts(rival, (), {}) == {}  # a contrast alone
    found = match_points_of_parts(rival, ["sld"], {})
    assert found["sld"] == MatchPoint(fit.parameters["sld"].value, 0.0)
    assert found["sld_shell"] == MatchPoint(3.0, 0.2)
    sugar = "C6H7H[1]3O5@1.5"
    matched = match_points_of_parts(rival, (), {"sld_shell": sugar})["sld_shell"].density
    assert exchanged_density(sugar, matched) == pytest.approx(matched)


def test_the_match_point_of_a_series_is_where_the_root_of_the_intensity_changes_sign() -> None:
    solvents = np.array([-0.56, 1.5, 4.6, 6.36])
    exact = 0.3 * (solvents - 2.4) ** 2
    rng = np.random.default_rng(3)
    found = [
        match_point_of_series(solvents, exact + 0.02 * rng.standard_normal(4), np.full(4, 0.02))
        for _ in range(200)
    ]
    pull = [(point.density - 2.4) / point.error for point in found]
    assert np.std(pull) == pytest.approx(1.0, abs=0.15)
    with pytest.raises(SasnetError, match="three different solvents"):
        match_point_of_series([1.0, 2.0, 2.0], [1.0, 2.0, 2.0], [0.1, 0.1, 0.1])


def test_plans_are_reproducible_and_tell_their_figures(spheres: FitResult) -> None:
    first, second = (next_measurement(spheres, parameter="radius", solvents=["H2O"]) for _ in range(2))
    assert first.as_dict() == second.as_dict()
    errors = [each.outlook.error for each in first.ranked]
    assert all(error is not None and error > 0 for error in errors)
    assert first.rivals.keys() == {fit.short_name for fit in spheres.fits if fit.short_name in first.rivals}
    assert "error of radius" in str(first)


def test_an_aim_is_printed_as_it_was_given_and_no_time_is_left_blank(spheres: FitResult) -> None:
    plan = next_measurement(spheres, parameter="radius", aim=0.004, solvents=["H2O", "40%D2O", "D2O"])
    head, *rows = plan.table()
    assert head[-1] == "time to 0.4 %"
    assert all(row[-1] for row in rows)
    easy = next_measurement(spheres, parameter="radius", aim=0.5, solvents=["H2O", "40%D2O", "D2O"])
    unsearched = [
        row for row, each in zip(easy.table()[1:], easy.ranked, strict=True) if each.time_to_aim is None
    ]
    assert unsearched
    assert all(row[-1] == "1 × the present time or less" for row in unsearched)


def test_a_plan_beyond_its_aim_offers_only_what_decides_more(spheres: FitResult) -> None:
    def answer(now: float, chance: float) -> str:
        look = Outlook(_again(spheres), 1.0, chance, {})
        soonest = Ranked(look, 1 / 16, at_aim=replace(look, time=1 / 16, chance=now))
        return Plan((soonest,), {"sphere": now}, 0.95, None, now, 1.0, False).lines()[1]

    said = "sphere already leads with a probability of 96 %, so that the aim of 95 % is reached."
    assert answer(0.96, 0.98) == f"{said} To decide more: again, for 1 × the present time, leads to 98 %."
    assert answer(0.96, 0.962) == answer(0.96, 0.95) == said


def test_no_measurement_is_worse_than_none(spheres: FitResult) -> None:
    fit = spheres.fits[0]
    alike = replace(spheres, fits=(replace(fit, weight=0.55), replace(fit, weight=0.45)))
    plan = next_measurement(alike, solvents=())
    assert {row[2] for row in plan.table()[1:]} == {"55 %"}
    assert all(row["chance"] >= plan.now for row in plan.as_dict()["measurements"])


def test_a_chance_below_the_aim_is_not_rounded_up_to_it(spheres: FitResult) -> None:
    look = Outlook(_again(spheres), 1.0, 0.9468, {})
    plan = Plan((Ranked(look, np.inf, at_longest=look),), {"sphere": 0.6}, 0.95, None, 0.6, 1.0, False)
    assert "with a probability of 94.6 % at most" in plan.lines()[1]
    assert plan.table()[1][2:] == ["94.6 %", "over 64 × the present time"]
    assert replace(plan, aim=0.94).table()[1][2] == replace(plan, aim=0.99).table()[1][2] == "95 %"


def test_the_page_gets_lines_a_table_a_picture_and_progress(spheres: FitResult, tmp_path: Path) -> None:
    from sasnet_plugin.service.fits import PROGRESS, plan_next

    said: list[tuple[str, Any]] = []
    fit = spheres.fits[0]
    two = replace(spheres, fits=(replace(fit, weight=0.5), replace(fit, weight=0.5)))
    found, files = plan_next(two, {"solvents": ()}, tmp_path, said.append)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files) == ["plan.json", "plan.png"]
    assert b64decode(found["picture"]).startswith(b"\x89PNG")
    head, *rows = found["table"]
    assert head[0] == "measurement"
    assert all(len(row) == len(head) for row in rows)
    assert found["lines"][0].startswith("Now: ")
    assert {kind for kind, _ in said} == {PROGRESS}
    assert said[-1][1]["done"] == said[-1][1]["of"]


_SETTING = "[[setting]]\nname = 'a'\nq_min = 0.1\nq_max = 0.2\npoints = 20\n"


@pytest.mark.parametrize("name", examples())
def test_examples_of_instruments_are_read(name: str) -> None:
    for setting in read_instrument(name):
        assert np.all(np.diff(setting.curve.q) > 0)
        assert np.all(setting.exposure > 0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = 1", r"no \[\[setting\]\]"),
        ("[[setting]]\nname = 'a'\nq_min = 0.1\nq_max = 0.2\npoints = 20", "has no rate"),
        ("[[setting]]\nname = 'a'\nq_min = 0.3\nq_max = 0.2\npoints = 20\nrate = 1", "q_min < q_max"),
        ("[[setting]]\nname = 'a'\nq_min = 'x'\nq_max = 0.2\npoints = 20\nrate = 1", "give a number"),
        ("[[setting", "not a TOML file"),
        ("setting = [1]", "is no table"),
        (f"{_SETTING}rate = nan", "rate = nan; give a number"),
        (f"{_SETTING}rate = 1\ndq = -1", "no negative dq"),
        (f"{_SETTING}rate = 1\nspacing = 'cubic'", "write linear or log"),
        (f"{_SETTING}rate = 1\ndq_rel = 0.1", "unknown entry dq_rel; use name, q_min"),
        (f"{_SETTING}rate = 1\n{_SETTING}rate = 2", "two settings are called a"),
    ],
)
def test_a_wrong_instrument_is_refused_in_a_sentence(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "instrument.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SasnetError, match=says):
        read_instrument(file)
    with pytest.raises(SasnetError, match="cannot be read"):
        read_instrument(tmp_path / "missing.toml")


def test_wrong_questions_are_refused_in_a_sentence(spheres: FitResult) -> None:
    with pytest.raises(
        SasnetError, match="thickness: is a fitted parameter of none of the possible models; choose one of"
    ):
        next_measurement(spheres, parameter="thickness", solvents=())
    with pytest.raises(SasnetError, match="aim of 2 is impossible"):
        next_measurement(spheres, aim=2.0)
    for question in ({"changes": {"heavy core": {"sld_coer": 6.2}}}, {"exchange": {"sld_coer": "H2O@1"}}):
        with pytest.raises(SasnetError, match="sld_coer: none of the fitted models has this parameter"):
            next_measurement(spheres, **question)
    one = spheres.fits[0]
    with pytest.raises(SasnetError, match="Only sphere was fitted, so there is nothing to decide. Give"):
        next_measurement(replace(spheres, fits=(one,)), solvents=())
    with pytest.raises(SasnetError, match="Only sphere is left with a probability above"):
        next_measurement(replace(spheres, fits=(one, replace(one, weight=1e-6))), solvents=())
    with pytest.raises(SasnetError, match="no model fits these data"):
        next_measurement(replace(spheres, fits=()))
