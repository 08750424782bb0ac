"""The Python call, from a curve to a verified answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sasnet_plugin
from sasnet_plugin.fitting.api import uncertainties
from sasnet_plugin.types import Curve, SasnetError

Simulated = Callable[..., Curve]


def test_a_core_shell_sphere_is_found_ranked_verified_and_shown(simulated: Simulated) -> None:
    curve = simulated("core_shell_sphere", {"radius": 60.0, "thickness": 25.0, "background": 0.01})
    result = sasnet_plugin.fit(curve, models=["core_shell_sphere", "sphere", "lamellar"], time_limit=60)
    assert result.best is not None
    assert result.best.model == "core_shell_sphere"
    assert result.best.weight > 0.9
    assert result.verified
    assert not any(fit.given_up for fit in result.fits)  # as the user named them
    assert [row["weight"] for row in result.table()] == [f.weight for f in result.fits]
    assert "core_shell_sphere" in result._repr_html_()
    assert result.verdict.next.startswith(("fit(curve", "result.plot()"))
    data = result.plot()
    _, residuals = data.figure.axes
    line = next(x for x in data.lines if x.get_label().startswith("core_shell_sphere"))
    assert line.get_ydata() == pytest.approx(result.best.theory)
    shown = next(x for x in residuals.lines if x.get_gid() == "residual1").get_ydata()
    values = (curve.intensity - result.best.theory) / result.dintensity
    assert float(np.sum(values**2)) == pytest.approx(result.best.chisq)
    assert shown == pytest.approx(values[np.abs(values) <= np.abs(shown).max()])
    assert shown.size > 0.95 * values.size


def test_what_no_model_explains_is_said(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    assert curve.dintensity is not None
    bent = curve.intensity * (1 + 0.9 * np.sin(6 * np.log(curve.q)))
    odd = Curve(curve.q, bent, curve.dintensity, dq=curve.dq)
    result = sasnet_plugin.fit(odd, models=["sphere", "mono_gauss_coil"], time_limit=60)
    assert not result.verified
    assert any("None of these models" in note for note in result.notes)


def test_uncertainties_of_zero_are_replaced() -> None:
    q = np.geomspace(0.01, 0.3, 40)
    intensity = q**-2.0
    sigma = 0.02 * intensity
    sigma[3] = 0.0
    used, note = uncertainties(Curve(q, intensity, sigma))
    assert np.all(used > 0)
    assert used[4:] == pytest.approx(sigma[4:])
    assert "1 points" in note


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"models": ["spherre"]}, "spherre"),
        ({"fixed": {"radios": 1.0}, "models": ["sphere"]}, "radius"),
        ({"structure_factor": "hardspheres"}, "hardsphere"),
    ],
)
def test_unknown_names_are_one_sentence(simulated: Simulated, options: dict[str, object], words: str) -> None:
    with pytest.raises(SasnetError, match=words):
        sasnet_plugin.fit(simulated("sphere", {"radius": 50.0}), **options)


#: Spheres of silica's contrast in D2O, 10 % polydisperse.
SILICA = {
    "radius": 60.0, "sld": 4.0, "sld_solvent": 6.36, "scale": 0.01, "background": 0.01,
    "radius_pd": 0.1, "radius_pd_n": 35, "radius_pd_nsigma": 3,
}  # fmt: skip
SPHERES: dict[str, Any] = {"models": ["sphere"], "structure_factor": "none", "time_limit": 60}


def test_starting_values_of_what_is_not_fitted_are_kept(simulated: Simulated) -> None:
    """A curve shows no densities beside the scale: they stand where the user has put them."""
    start = {"radius": 55.0, "sld": 4.0, "sld_solvent": 6.36, "radius_pd": 0.2}
    best = sasnet_plugin.fit(simulated("sphere", SILICA), start=start, **SPHERES).best
    assert best is not None
    assert (best["sld"].value, best["sld_solvent"].value) == (4.0, 6.36)
    assert {"radius", "radius_pd", "scale"} <= set(best.free)
    for name in ("radius", "radius_pd", "scale"):
        assert abs(best[name].value - SILICA[name]) < 4 * (best[name].error or 0.0)


def test_a_chosen_parameter_is_fitted_or_said_to_be_open(simulated: Simulated) -> None:
    curve = simulated("sphere", SILICA)
    # The truth is above the particle's density, and so is where the search begins.
    known = {"scale": 0.01, "sld": 4.0}
    best = sasnet_plugin.fit(curve, fixed=known, fitted=["sld_solvent"], **SPHERES).best
    assert best is not None
    solvent = best["sld_solvent"]
    assert "sld_solvent" in best.free
    assert abs(abs(solvent.value - 4.0) - 2.36) < 4 * (solvent.error or 0.0)
    opened = sasnet_plugin.fit(curve, fitted=["sld_solvent"], **SPHERES)
    assert opened.verdict.doubt.startswith("sld_solvent cannot be fitted")


def test_a_chosen_width_is_kept_and_a_range_makes_no_error_smaller(simulated: Simulated) -> None:
    sharp = simulated("sphere", {name: value for name, value in SILICA.items() if "_pd" not in name})
    plain, ranged, chosen = (
        sasnet_plugin.fit(sharp, **SPHERES, **options).best
        for options in ({}, {"ranges": {"radius_pd": (0.0, 0.3)}}, {"fitted": ["radius_pd"]})
    )
    assert plain is not None
    assert ranged is not None
    assert chosen is not None
    assert (plain["radius"].error or 0.0) <= (ranged["radius"].error or 0.0) * (1 + 1e-6)
    assert "radius_pd" not in plain.parameters
    assert chosen["radius_pd"].value < 0.1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fixed": {"radius": 50.0}, "ranges": {"radius": (10.0, 90.0)}}, "radius: its value is fixed"),
        ({"fixed": {"radius": 50.0}, "fitted": ["radius"]}, "radius: its value is fixed"),
        ({"start": {"radius": 200.0}, "ranges": {"radius": (10.0, 90.0)}}, "outside its range 10 to 90"),
        ({"start": {"radius": 50.0}, "fixed": {"radius": 60.0}}, "fixed at 60 but starts at 50"),
        ({"fitted": ["radus"]}, "did you mean radius"),
        ({"fitted": ["sld_solvent"], "solvent": "D2O"}, "sample or solvent give its value"),
        ({"models": ["stacked_disks"], "fitted": ["n_stacking"]}, "no continuous parameter"),
    ],
)
def test_what_contradicts_itself_is_refused(
    simulated: Simulated, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(SasnetError, match=words):
        sasnet_plugin.fit(simulated("sphere", {"radius": 50.0}), **{"models": ["sphere"], **options})


def test_a_curve_that_the_network_does_not_know_and_a_fit_explains_says_so() -> None:
    from made_results import SPHERE, answer

    from sasnet_plugin.fitting.api import _compare_with_network
    from sasnet_plugin.types import Suggestion

    shown = Suggestion("a.dat", "", (), (), 0.3)
    (said,) = _compare_with_network(answer(SPHERE, notes=()), shown, 0.5).notes
    assert "no library model likely (30 %), but sphere fits the data" in said
    assert said.endswith("Trust the size more than the shape.")
    assert _compare_with_network(answer(SPHERE, notes=()), shown, 0.2).notes == ()


@pytest.mark.parametrize("model", ["sphere+power_law", "guinier_porod+power_law", "unified_power_Rg+lorentz"])
def test_the_hint_at_a_protein_does_not_depend_on_the_shape_that_leads(model: str) -> None:
    from dataclasses import replace

    from made_results import SPHERE

    from sasnet_plugin.fitting.verdict.doubts import describe_unlikely

    said = describe_unlikely(replace(SPHERE, model=model), 0.05)
    assert f"likely (5 %), but {model} fits the data" in said
    assert "such as a protein. Then trust the size, not the shape." in said
    without_shape = describe_unlikely(replace(SPHERE, model="lorentz+power_law"), 0.05)
    assert without_shape.endswith("Trust the fit, because it tested the model.")


@pytest.mark.parametrize("times", ["450 too small", "in proportion, 100 too small"])
def test_far_too_small_uncertainties_are_named_and_the_scatter_is_used(times: str) -> None:
    q = np.geomspace(0.003, 0.3, 160)
    radii = 50.0 * (1 + 0.05 * np.linspace(-4, 4, 81))
    x = q[:, None] * radii
    numbers = np.exp(-0.5 * np.linspace(-4, 4, 81) ** 2) * radii**6
    clean = 100 * ((3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2) @ numbers / numbers.sum() + 0.01
    noise = 0.05 * clean
    stated = np.full(q.size, noise.max() / 450) if times.startswith("450") else noise / 100
    curve = Curve(q, clean + noise * np.random.default_rng(8).standard_normal(q.size), stated)
    result = sasnet_plugin.fit(curve, models=["sphere"], structure_factor="none", workers=1, progress=False)
    assert result.best is not None
    radius = result.best.parameters["radius"]
    assert radius.value == pytest.approx(50.0, abs=3 * (radius.error or 0.0))
    assert 0.05 < (radius.error or 0.0) < 2.0
    assert result.verdict is not None
    said = " ".join(result.verdict.lines())
    assert "stated uncertainties are too small" in said
    assert "systematic error" not in said
    assert "too large" not in said


def test_a_model_that_follows_a_curve_within_a_few_per_cent_describes_it(simulated: Simulated) -> None:
    """98929.txt, whose estimated uncertainties are a tenth of those of its container, had no answer."""
    curve = simulated("sphere", {"radius": 60.0, "background": 0.01})  # with 2 % noise
    assert curve.dintensity is not None
    described, bent = (
        sasnet_plugin.fit(
            Curve(
                curve.q, curve.intensity * (1 + share * np.sin(6 * np.log(curve.q))), 0.55 * curve.dintensity,
                dq=curve.dq,
            ),
            models=["sphere"], structure_factor="none", time_limit=60,
        )
        for share in (0.02, 0.5)
    )  # fmt: skip
    assert described.best is not None
    assert not described.verified
    assert described.described_within == pytest.approx(0.025, abs=0.015)
    radius = described.best.parameters["radius"]
    assert radius.error is not None
    assert abs(radius.value - 60.0) < 3 * radius.error
    assert "Describes the curve within" in described.verdict.headline
    assert bent.described_within == 0
    assert (
        "None of the fitted models fits" in bent.verdict.headline or "does not fit" in bent.verdict.headline
    )
