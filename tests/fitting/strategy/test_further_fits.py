"""Which candidates try to escape a local minimum, and which models are tried where none explains a curve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.fitting.strategy.further_fits import escapes, more_models
from sasnet_plugin.fitting.task import FitOptions, Task
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.simulate.priors import structure_factors
from sasnet_plugin.types import Curve, ModelGuess

SPHERE = {
    "radius": Parameter(50.0, 1.0, "Ang", False, 1.0, 1e3),
    "scale": Parameter(1.0, None, "", True, 1, 1),
}


@pytest.fixture
def curve(simulated: Callable[..., Curve]) -> Curve:
    return simulated("sphere", {"radius": 80.0, "background": 0.01})


def _task(curve: Curve, model: str, probability: float = 0.0) -> Task:
    assert curve.dintensity is not None
    return Task(curve, curve.dintensity, model, None, probability)


def _escaping(curve: Curve, *fits: tuple[str, float, float, float], seconds: float = 15.0) -> list[Task]:
    """Of fits with model, reduced χ², probability and seconds."""
    n = len(curve)
    return escapes(
        curve,
        [_task(curve, model) for model, *_ in fits],
        [
            ModelFit(model, None, SPHERE, {}, n * chisq, chisq, n * chisq, share, took, np.ones(n))
            for model, chisq, share, took in fits
        ],
        seconds,
    )


def test_where_the_likeliest_explains_the_curve_nothing_is_looked_for(curve: Curve) -> None:
    assert _escaping(curve, ("sphere", 1.0, 0.9, 1.0), ("cylinder", 20.0, 0.1, 1.0)) == []
    # Nor if it is only the likeliest of many.
    assert _escaping(curve, ("sphere", 1.0, 0.1, 1.0), ("cylinder", 20.0, 0.2, 1.0)) == []


def test_what_the_network_expects_is_not_given_up_because_a_flexible_model_explains_the_curve(
    curve: Curve,
) -> None:
    found = _escaping(curve, ("onion", 1.0, 0.05, 2.0), ("sphere", 20.0, 0.8, 1.0))
    assert [(t.model, t.basin_hopping) for t in found] == [("sphere", True)]
    assert found[0].extra is not None
    assert found[0].extra["radius"] == 50.0


def test_the_likeliest_comes_last_and_has_what_time_the_others_leave(curve: Curve) -> None:
    found = _escaping(
        curve,
        ("sphere", 30.0, 0.5, 1.0),
        ("ellipsoid", 10.0, 0.2, 1.0),
        ("cylinder", 12.0, 0.2, 1.0),
        ("lamellar", 900.0, 0.1, 1.0),
    )
    assert [t.model for t in found] == ["ellipsoid", "cylinder", "sphere"]
    assert found[-1].budget.seconds > max(t.budget.seconds for t in found[:-1])
    # If it is all but certain, little else is tried.
    sure = _escaping(
        curve, ("sphere", 30.0, 0.95, 1.0), ("ellipsoid", 10.0, 0.0, 1.0), ("cylinder", 9.0, 0.0, 1)
    )
    assert [t.model for t in sure] == ["cylinder", "sphere"]


def test_a_fit_that_explains_the_curve_just_so_is_no_end(curve: Curve) -> None:
    """By 2 standard deviations of χ², which a right fit exceeds in one of forty cases."""
    just = 1 + 2 * np.sqrt(2 / len(curve))
    found = _escaping(curve, ("onion", just, 0.05, 2.0), ("sphere", 3.0, 0.1, 1.0))
    assert [t.model for t in found] == ["onion", "sphere"]
    # But it has not all the time that there is.
    unexplained = _escaping(curve, ("onion", 9.0, 0.05, 2.0), ("sphere", 30.0, 0.1, 1.0))
    assert found[-1].budget.seconds < unexplained[-1].budget.seconds


def test_expensive_models_do_not_hop(curve: Curve) -> None:
    found = _escaping(curve, ("superball", 9.0, 0.9, 20.0), ("sphere", 30.0, 0.1, 1.0))
    assert [t.model for t in found] == ["sphere"]


def test_a_likely_expensive_model_is_fitted_again_where_there_is_time(curve: Curve) -> None:
    fits = ("superball", 90.0, 0.4, 20.0), ("sphere", 30.0, 0.1, 1.0)
    *_, last = _escaping(curve, *fits, seconds=50.0)
    assert (last.model, last.basin_hopping) == ("superball", False)
    assert last.budget.seconds > 15.0
    # Chosen by the network: what it thinks unlikely is left, and so is all where the curve is explained.
    for others in ((("superball", 90.0, 0.01, 20.0), fits[1]), (fits[0], ("sphere", 1.0, 0.1, 1.0))):
        assert "superball" not in {t.model for t in _escaping(curve, *others, seconds=50.0)}


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
        found, _ = more_models(pool, curve, sigma, whole, FitOptions(), tasks, fitted, residuals, 1.0)
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
    found, _ = more_models(pool, curve, curve.dintensity, suggestion, options, tasks, [alone], residuals, 1.0)
    assert found
    for task in found:
        assert task.structure_factor is not None
        assert task.extra is not None
        assert (task.extra["radius"], task.extra["volfraction"]) == (77.0, 0.05)
        assert task.fixed == {"sld_solvent": 6.4}
