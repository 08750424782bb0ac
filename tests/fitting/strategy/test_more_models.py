"""More structure factors and models where nothing explains a curve: on which forms, and from which starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.fitting.strategy.more_models import more_models
from sasnet_plugin.fitting.task import FitOptions, Task
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.simulate.priors import structure_factors
from sasnet_plugin.types import Curve, ModelGuess


@pytest.mark.parametrize(("chisq", "share"), [(2.0, 0.1), (90.0, 0.5)])
def test_an_expensive_model_meets_structure_factors_where_it_is_best_or_expected(
    simulated: Callable[..., Curve], pool: Any, chisq: float, share: float
) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    assert curve.dintensity is not None
    sigma = curve.dintensity
    forms = {"superball": (chisq, share), "sphere": (50.0, 0.2)}
    suggestion = open_classifier().suggest([curve], top=2)[0]
    models = tuple(ModelGuess(form, None, each, "") for form, (_, each) in forms.items())
    fits = [
        ModelFit(form, None, {}, {}, 1.0, least, 1.0, each, 1.0, np.ones(len(curve)))
        for form, (least, each) in forms.items()
    ]
    residuals = {(form, factor): 1.0 for form in forms for factor in structure_factors()}
    residuals |= {(form, None): 2.0 for form in forms}

    def names(guesses: tuple[ModelGuess, ...], fitted: list[ModelFit]) -> list[str]:
        whole = replace(suggestion, models=guesses)
        tasks = [Task(curve, sigma, form, None) for form in forms]
        found = more_models(pool, curve, sigma, whole, FitOptions(), tasks, fitted, residuals, 1.0)
        return [task.name for task in found]

    found = names(models, fits)
    assert found[0].startswith("sphere@")
    assert found[-1].startswith("superball@")
    # It is neither the best nor expected.
    others = (replace(models[0], probability=0.1), models[1])
    worse = [replace(fits[0], reduced_chisq=90.0), fits[1]]
    assert not any(name.startswith("superball") for name in names(others, worse))


def test_a_product_starts_from_the_fit_of_its_form_with_a_weak_interaction(
    simulated: Callable[..., Curve], pool: Any
) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    assert curve.dintensity is not None
    suggestion = replace(
        open_classifier().suggest([curve], top=1)[0], models=(ModelGuess("sphere", None, 0.5, ""),)
    )
    fitted = {"radius": Parameter(77.0, 1.0, "Ang", False, 1.0, 1e3)}
    alone = ModelFit("sphere", None, fitted, {}, 1.0, 50.0, 1.0, 0.5, 1.0, np.ones(len(curve)))
    residuals = {("sphere", factor): 1.0 for factor in structure_factors()} | {("sphere", None): 2.0}
    options = FitOptions(fixed={"sld_solvent": 6.4})
    tasks = [Task(curve, curve.dintensity, "sphere", None)]
    found = more_models(pool, curve, curve.dintensity, suggestion, options, tasks, [alone], residuals, 1.0)
    assert found
    for task in found:
        assert task.structure_factor is not None
        assert task.extra is not None
        assert (task.extra["radius"], task.extra["volfraction"]) == (77.0, 0.05)
        assert task.fixed == {"sld_solvent": 6.4}
