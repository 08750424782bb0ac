"""The problem that bumps solves: finite residuals, an end in time, and a fit brought back as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from made_results import fitted, p

from sasnet_plugin.fitting.problem.experiment import (
    add_effective_radii,
    experiment,
    rebuilt,
    silent,
    starting_values,
)
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve

Simulated = Callable[..., Curve]
Q = np.geomspace(0.004, 0.2, 60)


def test_residuals_are_finite_where_the_model_has_no_value(simulated: Simulated) -> None:
    # hayter_msa has no solution for so strong a charge without screening at this volume fraction.
    curve = simulated("sphere", {"radius": 100.0})
    assert curve.dintensity is not None
    start = {"radius": 100.0, "volfraction": 0.7, "charge": 200.0, "radius_effective_mode": 1}
    fitness = experiment(curve, curve.dintensity, "sphere@hayter_msa", start)
    fitness.model.scale.value = np.nan
    fitness.update()
    assert np.all(np.isfinite(fitness.residuals()))
    assert np.isfinite(fitness.nllf())


def test_a_calculation_that_its_time_ends_leaves_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """bumps logs what ends one, on the terminal of whoever has set up no logging."""
    from bumps.fitproblem import FitProblem

    curve = Curve(Q, np.ones(Q.size), np.ones(Q.size))
    fitness = experiment(curve, np.ones(Q.size), "sphere", {"radius": 50.0})
    fitness.model.radius.range(10.0, 100.0)
    problem = FitProblem(fitness)
    fitness.deadline = 0.0
    with silent():
        problem.nllf(problem.getp() * 1.1)
    assert not caplog.records
    problem.nllf(problem.getp() * 1.1)
    assert "TimeUpError" in caplog.text  # nothing is silenced beyond that


def test_a_fit_comes_back_with_the_points_that_it_had(simulated: Simulated, bank: Bank) -> None:
    spread = {"radius_pd": 0.15, "radius_pd_n": 35, "radius_pd_nsigma": 3.0}
    curve = simulated("sphere", {"radius": 40.0, "background": 0.01} | spread)
    assert curve.dintensity is not None
    found = fit_candidate(Task(curve, curve.dintensity, "sphere", None), bank)
    assert starting_values(found)["radius_pd_n"] == found.pd_points < PROBLEM.one_width_points["fast"]
    _, fitness = rebuilt(curve, curve.dintensity, found)
    assert float(np.sum(fitness.residuals() ** 2)) == pytest.approx(found.chisq, rel=1e-9)


def test_the_effective_radius_stated_gives_the_same_curve_as_the_particle() -> None:
    """sasmodels ignores `radius_effective` where the particle gives it; it is read as the one in use."""
    sizes = {"radius_polar": p(30.0), "radius_equatorial": p(80.0), "radius_polar_pd": p(0.1, unit="")}
    modes = {"structure_factor_mode": p(0.0, unit=""), "radius_effective_mode": p(1.0, unit="")}
    sizes |= {"radius_effective": p(45.0), "volfraction": p(0.3, unit="")}
    fit = fitted("ellipsoid", factor="hardsphere", **sizes, **modes)
    stated = add_effective_radii(fit)
    given = replace(stated, parameters=stated.parameters | {"radius_effective_mode": p(0.0, unit="")})
    expected, found = (
        experiment(Curve(Q, Q, Q), Q, one.name, starting_values(one)).theory() for one in (fit, given)
    )
    assert found == pytest.approx(expected, rel=1e-9)
    assert stated.parameters["radius_effective"].value != pytest.approx(45.0, rel=0.01)
