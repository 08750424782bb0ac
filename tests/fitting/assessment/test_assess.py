"""The whole answer where nothing explains the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import StringIO

import numpy as np
from rich.console import Console

from sasnet_plugin.fitting.assessment import assess as assess_module
from sasnet_plugin.fitting.assessment.assess import (
    NONE_EXPLAINS,
    assess,
    describe_excused,
    none_explains,
    not_the_least,
    prefer_likeliest_group,
    rank_behind_explaining,
    reject_inexcusable,
    select_within_uncertainties,
    weightless_by_misfit,
)
from sasnet_plugin.fitting.result.model_fit import STOPPED, ModelFit, Parameter, Verification
from sasnet_plugin.fitting.result.residuals import SharedError
from sasnet_plugin.fitting.result.verdict import DOES_NOT
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.fitting.verdict.tell import add_verdict
from sasnet_plugin.report.figure import fit_plot
from sasnet_plugin.report.notebook import ranking_of, rows_of
from sasnet_plugin.report.page.reports import ranking
from sasnet_plugin.service.answers import Request, describe_fit
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve, GroupGuess

# --- The whole answer where nothing explains the data.

Simulated = Callable[..., Curve]


def test_none_explains_two_models_and_bragg_peaks_together(simulated: Simulated, bank: Bank) -> None:
    coil = simulated("mono_gauss_coil", {"i_zero": 10.0, "rg": 150.0})
    q = coil.q
    stack = np.exp(-0.5 * ((q - 0.11) / 0.004) ** 2) + 0.5 * np.exp(-0.5 * ((q - 0.22) / 0.006) ** 2)
    balls = simulated("sphere", {"radius": 25.0}).intensity
    exact = coil.intensity + 3 * balls / balls.max() + stack
    sigma = 0.02 * exact
    curve = Curve(q, exact + sigma * np.random.default_rng(4).standard_normal(q.size), sigma, dq=coil.dq)
    models = ("sphere", "mono_gauss_coil", "teubner_strey", "lamellar")
    fits = [fit_candidate(Task(curve, sigma, model, None, 0.5), bank) for model in models]
    result = assess(curve, sigma, fits)
    assert not result.verified
    assert NONE_EXPLAINS in result.notes
    assert result.verification is not None
    assert result.verification.chisq_quantile > 0.999
    assert result.best is not None
    assert any("not random" in w for w in result.best.warnings)
    assert add_verdict(result).verdict.level == DOES_NOT
    assert result.as_dict()["verification"]["worst_q"] == list(result.verification.worst)


def weighing(model: str, weight: float, log_evidence: float) -> ModelFit:
    theory = np.ones(50)
    return ModelFit(
        model, None, {}, {}, 50.0, 1.0, 60.0, 0.1, 0.1, theory, weight=weight, log_evidence=log_evidence
    )


def test_bodies_alike_share_what_speaks_for_their_shape() -> None:
    """Two round bodies, 0.31 and 0.16, are a likelier shape than a network of 0.32."""
    fits = [
        weighing("two_lorentzian", 0.32, -50.0),
        weighing("sphere", 0.31, -50.5),
        weighing("core_shell_sphere", 0.16, -51.0),
        weighing("cylinder", 0.21, -51.0),
    ]
    kinds = (("sphere", "core_shell_sphere"), ("two_lorentzian",), ("cylinder",))
    groups = [GroupGuess(names[0], names, 0.3) for names in kinds]
    names = [fit.name for fit in prefer_likeliest_group(fits, groups)]
    assert names == ["sphere", "two_lorentzian", "core_shell_sphere", "cylinder"]
    # What the data distinguish from the best does not lead, whatever its group has.
    behind = [fits[0], *(weighing(f.model, f.weight, -60.0) for f in fits[1:])]
    assert prefer_likeliest_group(behind, groups) == behind
    assert prefer_likeliest_group(fits, []) == fits


def test_a_fit_that_was_given_up_has_no_weight_and_every_surface_says_so(
    simulated: Simulated, bank: Bank
) -> None:
    """Not even where its χ² would give it one: how far it was followed says nothing of the model."""
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    assert curve.dintensity is not None
    sphere = fit_candidate(Task(curve, curve.dintensity, "sphere", None, 0.5), bank)
    early = replace(sphere, model="fuzzy_sphere", given_up=True)
    result = add_verdict(assess(curve, curve.dintensity, [early, sphere]))
    assert [fit.model for fit in result.fits] == ["sphere", "fuzzy_sphere"]
    assert [fit.weight for fit in result.fits] == [1.0, 0.0]
    assert result.alike == ()
    first, last = result.as_dict()["fits"]
    assert (first["weight"], first["given_up"]) == (1.0, False)
    assert (last["weight"], last["given_up"]) == (None, True)
    assert any(
        note.startswith("Stopped early, far worse than others: fuzzy_sphere.") for note in result.notes
    )
    pages = describe_fit(result, Request(1, "fit", {"curve": {}}))["pages"]
    assert [page["weight"] for page in pages] == [1.0, None]
    assert rows_of(result)[-1]["weight"] is None
    console = Console(width=120, record=True, file=StringIO())
    console.print(ranking_of(result.fits))
    for text in (console.export_text(), ranking(result.fits), "".join(fit_plot(result).key)):
        assert STOPPED in text


def test_of_fits_that_are_as_likely_that_with_fewer_parameters_leads() -> None:
    p = Parameter(1.0, 0.1, "", False, 0.0, 2.0)
    two = {"scale": p, "rg": p}
    three = {**two, "porod_exp": p}
    star = replace(weighing("star_polymer", 0.5, -50.0), parameters=three)
    coil = replace(weighing("mono_gauss_coil", 0.4, -50.2), parameters=two)
    assert prefer_likeliest_group([star, coil], [])[0] is coil
    # Not where the difference is worth a mention.
    less = replace(coil, weight=0.15)
    assert prefer_likeliest_group([star, less], [])[0] is star


def test_populations_of_spheres_are_one_kind_of_sum() -> None:
    p = Parameter(1.0, 0.1, "", False, 0.0, 2.0)
    names = ("sphere+fuzzy_sphere", "sphere+sphere")
    own = {"A_radius": p, "B_radius": p}
    fuzzy = replace(weighing(names[0], 0.6, -50.0), parameters={**own, "B_fuzziness": replace(p, fixed=True)})
    plain = replace(weighing(names[1], 0.1, -51.5), parameters=own)
    groups = [GroupGuess("spheres", ("sphere", "fuzzy_sphere"), 0.5)]
    assert prefer_likeliest_group([fuzzy, plain], groups)[0] is plain


def test_with_its_whole_error_a_vesicle_without_a_core_counts_as_the_sphere(
    simulated: Simulated, bank: Bank
) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    sigma = curve.dintensity
    assert sigma is not None
    vesicle, sphere = (fit_candidate(Task(curve, sigma, name, None), bank) for name in ("vesicle", "sphere"))
    core = replace(vesicle.parameters["radius"], value=12.0, error=2.0)
    vesicle = replace(vesicle, parameters={**vesicle.parameters, "radius": core})

    def completed(fits: list[ModelFit]) -> list[ModelFit]:
        asked.extend(fit.name for fit in fits)
        wide = replace(core, error=20.0)
        return [
            replace(fit, parameters={**fit.parameters, "radius": wide}) if fit.model == "vesicle" else fit
            for fit in fits
        ]

    for error_of, first in ((completed, "sphere"), (list, "vesicle")):
        asked: list[str] = []
        result = assess(curve, sigma, [vesicle, sphere], prior=(0.9999, 0.0001), completed=error_of)
        assert result.fits[0].name == first
        assert "vesicle" not in result.alike
        assert len(asked) == len(set(asked))


def test_a_larger_model_without_weight_is_not_refined_further() -> None:
    p = Parameter(1.0, 0.1, "", False, 0.0, 2.0)
    first = replace(weighing("sphere", 0.9, -40), parameters={"scale": p, "radius": p})
    larger = replace(weighing("cylinder", 1e-5, -90), parameters={**first.parameters, "length": p})
    smaller = replace(weighing("guinier", 1e-5, -90), parameters={"scale": p})
    weighty = replace(larger, model="ellipsoid", weight=0.01)
    found = assess_module._select_incomplete([first, larger, smaller, weighty], 100, frozenset())
    assert [fit.model for fit in found] == ["sphere", "guinier", "ellipsoid"]


def test_fits_without_weight_stand_by_how_far_they_miss_the_data() -> None:
    first, fuzzy, far = (
        weighing("sphere", 1.0, -40),
        weighing("fuzzy_sphere", 0.0, -50),
        weighing("lamellar", 1e-40, -132),
    )
    order = [first, replace(far, reduced_chisq=144_697.0), replace(fuzzy, reduced_chisq=348.0)]
    assert [fit.model for fit in weightless_by_misfit(order)] == ["sphere", "fuzzy_sphere", "lamellar"]


# --- What a systematic error excuses is said as the table of fits has it.

ERROR = SharedError(0.02, 0.3, 1.0)


def fit(name: str, reduced_chisq: float, parameters: int) -> ModelFit:
    free = {f"p{i}": Parameter(1.0, 0.1, "", False, 0.0, 2.0) for i in range(parameters)}
    return ModelFit(name, None, free, {}, 1.0, reduced_chisq, 1.0, 0.0, 0.0, np.ones(1))


def test_what_only_an_error_makes_as_good_is_said_with_it() -> None:
    best, simple = fit("onion", 1.0, 8), fit("sphere", 1.7, 4)
    (said,) = describe_excused(best, [simple], {"sphere": ERROR})
    assert said == (
        "Within a systematic error of 2 % of I, also indistinguishable from onion: sphere; sphere has 4"
        " parameters instead of 8."
    )
    assert describe_excused(best, [], {}) == []


def test_an_error_larger_than_measurements_have_puts_none_before_what_explains() -> None:
    """As lamellae of reduced χ² 79 stood, within 18 % of I, before a peak of 1.1 to the errors given."""
    smooth = replace(fit("lamellar", 79.0, 2), weight=0.9)
    peak = replace(fit("broad_peak", 1.1, 8), weight=0.06)
    within = replace(fit("onion", 1.7, 6), weight=0.04)
    errors = {"lamellar": replace(ERROR, relative=0.18), "broad_peak": ERROR, "onion": ERROR}
    order = rank_behind_explaining([smooth, peak, within], errors, 100)
    assert [one.name for one in order] == ["broad_peak", "onion", "lamellar"]
    assert np.allclose([one.weight for one in order], [0.6, 0.4, 0.0])
    # Where none explains, what is smooth stays the first.
    assert rank_behind_explaining([smooth, within], errors, 100)[0] is smooth


def test_why_the_first_is_not_the_nearest_is_what_the_table_shows() -> None:
    far = replace(fit("lamellar", 9.6, 3), bic=40.0)
    near = replace(fit("onion", 1.0, 6), bic=1.0, probability=0.3)
    (said,) = not_the_least([far, near], SharedError())
    assert said.endswith("lamellar ranks first, because it has 3 instead of 6 parameters.")
    (said,) = not_the_least(
        [replace(far, log_evidence=-9.0), replace(near, log_evidence=-8.0)], SharedError()
    )
    assert said.endswith("because it has 3 instead of 6 parameters and it is the more common model.")
    (said,) = not_the_least([far, near], ERROR)
    assert said.endswith("because its residuals are smooth, as a systematic error would be.")


def test_errors_that_are_no_noise_decide_little() -> None:
    best, sphere, far = (
        fit("vesicle", 0.21, 4),
        replace(fit("sphere", 0.3, 4), probability=0.4),
        fit("rod", 1.3, 4),
    )
    onion = fit("onion", 0.23, 6)
    waves = Verification(0.0, -5.8, (0.01, 0.02), True, ())
    assert select_within_uncertainties([best, onion, sphere, far], waves, ()) == [sphere, onion]
    assert select_within_uncertainties([best, onion, sphere, far], replace(waves, runs=0.3), ()) == []
    assert select_within_uncertainties([fit("vesicle", 0.8, 4), sphere], waves, ()) == []


def test_what_no_measurement_shares_is_not_explained_by_signs_that_look_random() -> None:
    good, sphere = Verification(1.0, -0.4, (0.01, 0.02), True, ()), fit("sphere", 1.72, 4)
    large = replace(ERROR, relative=0.13)
    found = reject_inexcusable(good, sphere, large, 200)
    assert not found.explained
    assert found.sentences[0].startswith(
        "Neighbouring residuals share a systematic error of 13 % of I, more than"
    )
    assert (
        reject_inexcusable(good, sphere, ERROR, 200)
        == reject_inexcusable(good, sphere, SharedError(), 200)
        == good
    )
    assert reject_inexcusable(good, fit("sphere", 1.02, 4), large, 200) == good


def test_none_explains_is_said_where_none_does() -> None:
    sphere, onion = fit("sphere", 1.7, 4), fit("onion", 1.0, 8)
    errors = {"sphere": ERROR, "onion": replace(ERROR, relative=0.0)}
    # The second explains the data to its noise; the first does with the error.
    (said,) = none_explains([sphere, onion], {"onion"}, errors, 200)
    assert said.startswith(
        "Within the given errors onion fits the data; within a systematic error of 2 % of I,"
    )
    (said,) = none_explains([sphere, fit("ellipsoid", 1.6, 5)], set(), errors, 200)
    assert said.startswith("None of these models fits the data within the given errors; within")
    assert said.endswith("sphere does.")
    # One whose residuals share nothing is not excused by another's error.
    (said,) = none_explains([onion_far := fit("raspberry", 9.0, 8), sphere], {"sphere"}, errors, 200)
    assert said.endswith("within a systematic error of 2 % of I, sphere does.")
    assert none_explains([onion_far], set(), errors, 200) == [NONE_EXPLAINS]
    # Nor is one whose noise is still five times the given, nor a background that is half of the curve.
    assert none_explains([sphere], set(), {"sphere": replace(ERROR, noise=5.0)}, 200) == [NONE_EXPLAINS]
    assert none_explains([sphere], set(), {"sphere": replace(ERROR, background=0.5)}, 200) == [NONE_EXPLAINS]
    # What a measurement does not have excuses nothing.
    large = {"sphere": replace(ERROR, relative=0.4)}
    assert none_explains([sphere], set(), large, 200) == [NONE_EXPLAINS]
    assert none_explains([sphere, onion], set(), large, 200) == []


def test_noise_somewhat_larger_than_stated_puts_no_fit_behind() -> None:
    """Independent noise of 1.2 times the stated is a usual misstatement, which the evidence weighs."""
    network = replace(fit("lorentz+power_law", 1.37, 5), weight=0.9)
    sphere = replace(fit("sphere+power_law", 1.34, 6), weight=0.1)
    errors = {"lorentz+power_law": SharedError(noise=1.17), "sphere+power_law": ERROR}
    assert rank_behind_explaining([network, sphere], errors, 147) == [network, sphere]
    # Noise of twice the stated is not excused by another fit's.
    noisy = errors | {"lorentz+power_law": SharedError(noise=2.0)}
    assert rank_behind_explaining([network, sphere], noisy, 147)[0].name == "sphere+power_law"
