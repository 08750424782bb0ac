"""Rounds of fits: no more is tried than a curve asks for, and more where nothing explains it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.assessment.ranking import explains
from sasnet_plugin.fitting.pool import answer_of
from sasnet_plugin.fitting.result.fit_result import ModelFit
from sasnet_plugin.fitting.strategy.more_models import Round, second_round
from sasnet_plugin.fitting.strategy.stages import Rounds
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.priors import structure_factors
from sasnet_plugin.types import Curve, ModelGuess

#: Uncertainties stated this much too large: then a wrong kind of size distribution explains the curve too.
WIDER = 1.7


class Here:
    """Does jobs in this process and remembers their names."""

    count = 1

    def __init__(self, bank: Bank) -> None:
        self.bank, self.names = bank, list[str]()

    def clock(self) -> float:
        return 0.0

    def run(self, work: Any, asked: Sequence[Any], seconds: float) -> Iterator[tuple[int, Any]]:
        least = np.inf
        for index, task in enumerate(asked):
            self.names.append(task.name)
            answer = answer_of(work, task, self.bank, Budget(8.0, least))
            least = min(least, getattr(answer, "reduced_chisq", np.inf))
            yield index, answer


def _task(curve: Curve, model: str) -> Task:
    assert curve.dintensity is not None
    return Task(curve, curve.dintensity, model, None)


def _run(curve: Curve, bank: Bank, *models: str) -> tuple[Here, Any]:
    assert curve.dintensity is not None
    pool, notes = Here(bank), list[str]()
    suggestion = open_classifier().suggest([curve], top=78)[0]
    tasks = [_task(curve, model) for model in models]
    rounds = Rounds(pool, curve.dintensity, suggestion, {}, None, notes, 100.0)
    return pool, rounds.run(curve, tasks, free=True, others=True)


def test_an_explained_curve_is_left_at_that(simulated: Callable[..., Curve], bank: Bank) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    pool, found = _run(curve, bank, "sphere", "mono_gauss_coil")
    assert pool.names == ["sphere", "mono_gauss_coil"]
    assert not found.unexplained
    assert found.curve is curve


def test_a_structure_factor_is_tried_where_no_form_explains(
    simulated: Callable[..., Curve], bank: Bank
) -> None:
    truth = {"radius": 50.0, "volfraction": 0.3, "radius_effective_mode": 1, "background": 0.01}
    curve = simulated("sphere@hardsphere", truth)
    _, found = _run(curve, bank, "sphere", "mono_gauss_coil")
    assert not found.unexplained
    best = min(found.fits, key=lambda f: f.bic)
    assert best.structure_factor is not None
    assert best.parameters["radius"].value == pytest.approx(50.0, rel=0.03)
    assert {t.name for t in found.tasks} >= {f.name for f in found.fits}


def test_a_model_that_was_not_named_is_tried_where_none_explains(
    simulated: Callable[..., Curve], bank: Bank
) -> None:
    curve = simulated("teubner_strey", {"d": 150.0, "xi": 60.0, "background": 0.01})
    _, found = _run(curve, bank, "sphere", "power_law")
    assert not found.unexplained
    assert "teubner_strey" in {f.model for f in found.fits}


def test_what_a_user_named_is_all_that_is_fitted(simulated: Callable[..., Curve], bank: Bank) -> None:
    curve = simulated("teubner_strey", {"d": 150.0, "xi": 60.0, "background": 0.01})
    assert curve.dintensity is not None
    pool = Here(bank)
    suggestion = open_classifier().suggest([curve], top=78)[0]
    rounds = Rounds(pool, curve.dintensity, suggestion, {}, None, [], 100.0)
    found = rounds.run(curve, [_task(curve, "sphere")], free=False, others=False)
    # Its fit, its leaps, and other kinds of its size distribution.
    assert pool.names == ["sphere"] * 4
    assert found.unexplained


def test_what_one_model_holds_is_not_held_in_others(simulated: Callable[..., Curve], bank: Bank) -> None:
    curve = simulated("teubner_strey", {"d": 150.0, "xi": 60.0, "background": 0.01})
    assert curve.dintensity is not None
    own = Task(curve, curve.dintensity, "sphere", None, fixed={"sld": 1.5, "background": 0.02})
    suggestion = open_classifier().suggest([curve], top=78)[0]
    rounds = Rounds(Here(bank), curve.dintensity, suggestion, {}, None, [], 100.0, fixed={"background": 0.02})
    found = rounds.run(curve, [own], free=True, others=True)
    more = [task for task in found.tasks if task.model != "sphere"]
    assert more
    assert all(task.fixed == {"background": 0.02} for task in more)


def test_explained_is_chisq_within_its_scatter() -> None:
    assert explains(1.15, 1000)
    assert not explains(1.3, 1000)
    assert explains(1.3, 60)
    assert not explains(2.0, 60)
    assert explains(0.2, 60)


def test_a_distribution_is_of_the_kind_that_the_data_like_best(
    simulated: Callable[..., Curve], bank: Bank
) -> None:
    """A fit with another kind ends where χ² is no longer more than the number of points."""
    truth = {"radius": 80.0, "background": 0.001, "radius_pd": 0.15, "radius_pd_n": 35}
    exact = simulated("sphere", truth | {"radius_pd_type": "lognormal", "radius_pd_nsigma": 5})
    assert exact.dintensity is not None
    curve = replace(exact, dintensity=WIDER * exact.dintensity)
    other = truth | {"radius_pd_type": "gaussian", "radius_pd_nsigma": 3}
    task = replace(_task(curve, "sphere"), starts=(other,))
    suggestion = open_classifier().suggest([curve], top=78)[0]
    rounds = Rounds(Here(bank), task.dintensity, suggestion, {}, None, [], 100.0)
    ended = rounds.explained(curve, [task], 10.0, free=False, others=False)
    assert ended.fits[0].distributions["radius"] == "gaussian"
    assert not ended.unexplained
    best = rounds.with_kinds(ended).fits[0]
    assert best.distributions["radius"] == "lognormal"
    assert best.chisq < ended.fits[0].chisq - 4


@pytest.mark.parametrize(("chisq", "share"), [(2.0, 0.1), (90.0, 0.5)])
def test_a_dear_model_meets_structure_factors_where_it_is_best_or_expected(
    simulated: Callable[..., Curve], bank: Bank, chisq: float, share: float
) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    assert curve.dintensity is not None
    forms = {"superball": (chisq, share), "sphere": (50.0, 0.2)}
    suggestion = open_classifier().suggest([curve], top=2)[0]
    models = tuple(ModelGuess(form, None, each, "") for form, (_, each) in forms.items())
    fits = [
        ModelFit(form, None, {}, {}, 1.0, least, 1.0, each, 1.0, np.ones(len(curve)))
        for form, (least, each) in forms.items()
    ]
    badness = {(form, factor): 1.0 for form in forms for factor in structure_factors()}
    badness |= {(form, None): 2.0 for form in forms}
    tasks = [_task(curve, form) for form in forms]

    def names(guesses: tuple[ModelGuess, ...], fitted: list[ModelFit]) -> list[str]:
        whole = replace(suggestion, models=guesses)
        given = Round(curve, tasks[0].dintensity, whole, tasks, fitted, badness, {}, {})
        return [t.name for t in second_round(Here(bank), given, 1.0)]

    found = names(models, fits)
    assert found[0].startswith("sphere@")
    assert found[-1].startswith("superball@")
    # It is neither the best nor expected.
    others = (replace(models[0], probability=0.1), models[1])
    worse = [replace(fits[0], reduced_chisq=90.0), fits[1]]
    assert not any(name.startswith("superball") for name in names(others, worse))
