"""Stages of a fit: no more is tried than a curve asks for, and more where nothing explains it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.ledger import Ledger
from sasnet_plugin.fitting.problem.experiment import experiment
from sasnet_plugin.fitting.settings import EFFORT
from sasnet_plugin.fitting.strategy.fitted import Fitted
from sasnet_plugin.fitting.strategy.stages import Stages
from sasnet_plugin.fitting.task import FitOptions, Task
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.types import Curve

#: Uncertainties stated this much too large: then a wrong kind of size distribution explains the curve too.
WIDER = 1.7
#: Two points at a distance, all in one direction: finer fringes than 70 points show.
FRINGES = """
from numpy import cos, inf
name = "fringes"
title = "Two points"
description = "1 + cos(q distance)"
category = "shape-independent"
parameters = [["distance", "Ang", 900.0, [0, inf], "", "of two points"]]
def Iq(q, distance):
    return 1 + cos(q * distance)
Iq.vectorized = True
"""


def _task(curve: Curve, model: str) -> Task:
    assert curve.dintensity is not None
    return Task(curve, curve.dintensity, model, None)


def _run(curve: Curve, pool: Any, *models: str) -> Any:
    assert curve.dintensity is not None
    suggestion = open_classifier().suggest([curve], top=78)[0]
    tasks = [_task(curve, model) for model in models]
    stages = Stages(pool, curve.dintensity, suggestion, {}, FitOptions(), [], 100.0)
    return stages.run(curve, tasks)


def test_an_explained_curve_is_left_at_that(simulated: Callable[..., Curve], pool: Any) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    found = _run(curve, pool, "sphere", "mono_gauss_coil")
    assert pool.names == ["sphere", "mono_gauss_coil"]
    assert not found.unexplained
    assert found.curve is curve


def test_simple_bodies_are_fitted_before_a_second_component(
    simulated: Callable[..., Curve], pool: Any
) -> None:
    """Of slightly prolate bodies a sum of two populations explains the curve, too."""
    curve = simulated("ellipsoid", {"radius_polar": 46.0, "radius_equatorial": 34.0, "background": 0.01})
    assert curve.dintensity is not None
    suggestion = open_classifier().suggest([curve], top=78)[0]
    residuals = {("core_shell_sphere", None): 1.0, ("ellipsoid", None): 1.0}
    stages = Stages(pool, curve.dintensity, suggestion, residuals, FitOptions(), [], 100.0)
    tasks = [_task(curve, "core_shell_sphere")]
    found = stages.with_second_component(Fitted(curve, tasks, stages.fit(tasks)))
    assert min(found.fits, key=lambda fit: fit.bic).name == "ellipsoid"
    assert not any("+" in fit.model for fit in found.fits)


def test_a_second_component_has_time_of_its_own(simulated: Callable[..., Curve], pool: Any) -> None:
    """Single models that took all the time hide no second population."""
    truth = {
        "A_scale": 1.0, "A_radius": 25.0, "A_radius_pd": 0.06, "A_radius_pd_n": 25,
        "B_scale": 0.02, "B_radius": 80.0, "B_radius_pd": 0.06, "B_radius_pd_n": 25, "background": 0.01,
    }  # fmt: skip
    curve = simulated("sphere+sphere", truth)
    assert curve.dintensity is not None
    suggestion = open_classifier().suggest([curve], top=78)[0]
    tasks, deadline = [_task(curve, "sphere"), _task(curve, "fuzzy_sphere")], 40.0
    ledger = Ledger(pool, np.inf)
    residuals = {task.pair: 5.0 for task in tasks}
    stages = Stages(ledger, curve.dintensity, suggestion, residuals, FitOptions(), [], deadline)
    found = Fitted(curve, tasks, stages.fit(tasks))
    ledger.spent = EFFORT.lanes * deadline
    assert stages.left == 0
    found = stages.with_second_component(found)
    best = found.best
    assert best.model == "sphere+sphere"
    radii = sorted(best.parameters[f"{part}_radius"].value for part in "AB")
    assert radii == pytest.approx([25.0, 80.0], rel=0.02)


def test_a_structure_factor_is_tried_where_no_form_explains(
    simulated: Callable[..., Curve], pool: Any
) -> None:
    truth = {"radius": 50.0, "volfraction": 0.3, "radius_effective_mode": 1, "background": 0.01}
    curve = simulated("sphere@hardsphere", truth)
    found = _run(curve, pool, "sphere", "mono_gauss_coil")
    assert not found.unexplained
    best = min(found.fits, key=lambda f: f.bic)
    assert best.structure_factor is not None
    assert best.parameters["radius"].value == pytest.approx(50.0, rel=0.03)
    assert {t.name for t in found.tasks} >= {f.name for f in found.fits}


def test_a_model_that_was_not_named_is_tried_where_none_explains(
    simulated: Callable[..., Curve], pool: Any
) -> None:
    curve = simulated("teubner_strey", {"d": 150.0, "xi": 60.0, "background": 0.01})
    found = _run(curve, pool, "sphere", "power_law")
    assert not found.unexplained
    assert "teubner_strey" in {f.model for f in found.fits}


def test_what_a_user_named_is_all_that_is_fitted(simulated: Callable[..., Curve], pool: Any) -> None:
    curve = simulated("teubner_strey", {"d": 150.0, "xi": 60.0, "background": 0.01})
    assert curve.dintensity is not None
    suggestion = open_classifier().suggest([curve], top=78)[0]
    stages = Stages(pool, curve.dintensity, suggestion, {}, FitOptions(models=("sphere",)), [], 100.0)
    found = stages.run(curve, [_task(curve, "sphere")])
    # Its fit, its escape, the measured points alone, and perhaps other kinds of its size distribution.
    assert set(pool.names) == {"sphere"}
    assert len(pool.names) >= 3
    assert found.unexplained


def test_data_that_were_calculated_at_the_measured_points_are_fitted_so(pool: Any) -> None:
    """As sasdata's 100nmPinholeSphere: fringes finer than the points, smeared by sasmodels as they are."""
    q = np.geomspace(0.004, 0.3, 70)
    blank = Curve(q, np.ones(70), np.ones(70), dq=0.1 * q)
    truth = {"radius": 500.0, "background": 1e-3}
    exact = np.asarray(experiment(blank, np.ones(70), "sphere", truth).theory())
    sigma = 0.01 * exact
    noise = np.random.default_rng(3).standard_normal(70)
    curve = replace(blank, intensity=exact + sigma * noise, dintensity=sigma)
    task = replace(_task(curve, "sphere"), starts=({**truth, "radius": 497.0},))
    suggestion = open_classifier().suggest([curve], top=78)[0]
    stages = Stages(pool, sigma, suggestion, {}, FitOptions(models=("sphere",)), [], 100.0)
    finer = Fitted(curve, [task], stages.fit([task]))
    assert finer.fits[0].per_decade is not None
    assert finer.unexplained
    found = stages.at_measured_points(finer)
    (fit,) = found.fits
    assert fit.per_decade is None
    assert fit.reduced_chisq < 1.5
    assert fit.parameters["radius"].value == pytest.approx(500.0, abs=1.0)
    assert "at the measured points alone, as SasView does, sphere has" in found.notes[0]
    # What finer points explain is not tried again.
    assert stages.at_measured_points(found) is found
    # It is found before anything expensive is fitted, and said in the end.
    whole = stages.run(curve, [task])
    assert whole.fits[0].per_decade is None
    assert any("at the measured points alone" in note for note in whole.notes)


def test_a_plugin_that_its_own_values_explain_is_fitted_from_these_alone(tmp_path: Path, pool: Any) -> None:
    """As octahedron_truncated of SasView's marketplace, whose curve takes longer than all else may."""
    path = tmp_path / "fringes.py"
    path.write_text(FRINGES, encoding="utf-8")
    q = np.linspace(0.005, 0.1, 70)
    blank = Curve(q, np.ones(70), np.ones(70), dq=0.02 * q)
    exact = np.asarray(experiment(blank, np.ones(70), str(path), {"background": 1e-3}).theory())
    noise = np.random.default_rng(3).standard_normal(70)
    curve = replace(blank, intensity=exact + 0.02 * noise, dintensity=np.full(70, 0.02))
    suggestion = open_classifier().suggest([curve], top=78)[0]
    options = FitOptions(models=(str(path),))
    stages = Stages(pool, np.full(70, 0.02), suggestion, {}, options, [], 100.0)
    found = stages.first_round(curve, [_task(curve, str(path))], sums=False)
    (fit,) = found.fits
    assert len(pool.names) == 1
    assert fit.per_decade is None
    assert fit.reduced_chisq < 1.5
    assert fit.parameters["distance"].value == pytest.approx(900.0, abs=2.0)
    # Where they do not explain the curve, its prior's curves are started from as well.
    bent = replace(curve, intensity=curve.intensity + 0.5 * np.exp(-20.0 * q))
    stages.first_round(bent, [_task(bent, str(path))], sums=False)
    assert len(pool.names) >= 3


def test_what_is_fixed_in_one_model_is_not_fixed_in_others(
    simulated: Callable[..., Curve], pool: Any
) -> None:
    curve = simulated("teubner_strey", {"d": 150.0, "xi": 60.0, "background": 0.01})
    assert curve.dintensity is not None
    own = Task(curve, curve.dintensity, "sphere", None, fixed={"sld": 1.5, "background": 0.02})
    suggestion = open_classifier().suggest([curve], top=78)[0]
    options = FitOptions(fixed={"background": 0.02})
    pool.seconds = 1.0  # what matters is what is asked for
    found = Stages(pool, curve.dintensity, suggestion, {}, options, [], 100.0).run(curve, [own])
    more = [task for task in found.tasks if task.model != "sphere"]
    assert more
    assert all(task.fixed == {"background": 0.02} for task in more)


def test_a_distribution_is_of_the_kind_that_the_data_like_best(
    simulated: Callable[..., Curve], pool: Any
) -> None:
    """A fit with another kind ends where χ² is no longer more than the number of points."""
    truth = {"radius": 80.0, "background": 0.001, "radius_pd": 0.15, "radius_pd_n": 35}
    exact = simulated("sphere", truth | {"radius_pd_type": "lognormal", "radius_pd_nsigma": 5})
    assert exact.dintensity is not None
    curve = replace(exact, dintensity=WIDER * exact.dintensity)
    other = truth | {"radius_pd_type": "gaussian", "radius_pd_nsigma": 3}
    task = replace(_task(curve, "sphere"), starts=(other,))
    suggestion = open_classifier().suggest([curve], top=78)[0]
    options = FitOptions(models=("sphere",))
    stages = Stages(pool, task.dintensity, suggestion, {}, options, [], 100.0)
    ended = stages.explained(curve, [task], 10.0)
    assert ended.fits[0].distributions["radius"] == "gaussian"
    assert not ended.unexplained
    best = stages.with_best_distribution(ended).fits[0]
    assert best.distributions["radius"] == "lognormal"
    assert best.chisq < ended.fits[0].chisq - 4
