"""The whole answer where nothing explains the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sasnet_plugin.fitting.assessment.assess import (
    NONE_EXPLAINS,
    assess,
    prefer_likeliest_group,
    weightless_by_misfit,
)
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.fitting.result.verdict import DOES_NOT
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.fitting.verdict.tell import add_verdict
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve, GroupGuess

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


def test_fits_without_weight_stand_by_how_far_they_miss_the_data() -> None:
    first, fuzzy, far = (
        weighing("sphere", 1.0, -40),
        weighing("fuzzy_sphere", 0.0, -50),
        weighing("lamellar", 1e-40, -132),
    )
    order = [first, replace(far, reduced_chisq=144_697.0), replace(fuzzy, reduced_chisq=348.0)]
    assert [fit.model for fit in weightless_by_misfit(order)] == ["sphere", "fuzzy_sphere", "lamellar"]
