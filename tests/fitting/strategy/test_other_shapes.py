"""Bodies of one volume: the long and the flat one, and those of another shape, from where a fit has ended."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.batch.worker import OneByOne
from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.fitting.ledger import Ledger
from sasnet_plugin.fitting.result.residuals import SharedError
from sasnet_plugin.fitting.result.sample_result import JointFit
from sasnet_plugin.fitting.strategy.joint_fit import JointTask, fit_jointly, make_restart_task
from sasnet_plugin.fitting.strategy.joint_search import (
    Alone,
    _Asked,
    _fit_other_shapes,
    either_proportions,
    kin,
    other_proportions,
    other_shapes,
)
from sasnet_plugin.fitting.task import Budget, FitOptions
from sasnet_plugin.simulate.bank import Bank

from .test_joint_fit import NOTHING, SOLVENTS, Here, known, measured, task

LONG, FLAT = (55.0, 35.0), (25.0, 50.0)


def fitted(error: float, start: tuple[float, float]) -> tuple[JointTask, JointFit]:
    """Contrasts of a long ellipsoid, fitted from a start, and the task that begins there."""
    values = {"radius_polar": LONG[0], "radius_equatorial": LONG[1], "sld": 3.5}
    curves = [measured("ellipsoid", i, error=error, sld_solvent=s, **values) for i, s in enumerate(SOLVENTS)]
    sample = known(curves)
    begun = values | {"radius_polar": start[0], "radius_equatorial": start[1]}
    joint = task(sample, "ellipsoid", begun)
    fit = fit_jointly(joint, None, Budget())
    return make_restart_task(sample, joint.dintensities, FitOptions(), fit), fit


def either(task: JointTask, fit: JointFit) -> JointFit:
    """The fit with what is found beside it."""
    return either_proportions(Ledger(Here(), np.inf), fit, lambda _: task)


@pytest.mark.parametrize("error", [0.01, 0.03])
def test_a_search_that_ends_at_a_flat_body_finds_the_long_one(error: float) -> None:
    begun, flat = fitted(error, FLAT)
    found = either(begun, flat)
    assert flat.parameters["radius_polar"].value < flat.parameters["radius_equatorial"].value
    for name, true in zip(("radius_polar", "radius_equatorial"), LONG, strict=True):
        size = found.parameters[name]
        assert size.error
        assert abs(size.value - true) < 3 * size.error
        assert size.error < 0.02 * true


def test_errors_hold_both_where_the_curves_do_not_tell_them_apart() -> None:
    begun, alone = fitted(0.1, LONG)
    found = either(begun, alone)
    before, size = alone.parameters["radius_polar"], found.parameters["radius_polar"]
    assert before.error
    assert size.error
    assert size.value == before.value
    assert before.error < 2 < 5 < size.error < 20  # the other one is 21 Å away, and a little less likely


def test_other_shapes_begin_with_the_volume_that_a_fit_has() -> None:
    begun, fit = fitted(0.1, LONG)
    volume = LONG[0] * LONG[1] ** 2
    for one in other_shapes(begun, fit, kin(fit, FitOptions())):
        model, start = one.model, one.starts[0]
        assert start
        if model == "cylinder":
            assert 0.75 * start["radius"] ** 2 * start["length"] == pytest.approx(volume, rel=0.1)
        elif model == "ellipsoid":
            assert start["radius_polar"] * start["radius_equatorial"] ** 2 == pytest.approx(volume, rel=0.1)
        else:
            assert start["radius"] ** 3 == pytest.approx(volume, rel=0.1)


def test_only_bodies_that_are_asked_for_are_tried() -> None:
    _, fit = fitted(0.1, LONG)
    assert kin(fit, FitOptions(models=("cylinder",))) == ["cylinder"]
    assert "cylinder" not in kin(fit, FitOptions(exclude=("cylinder",)))
    assert kin(replace(fit, model="lamellar"), FitOptions()) == []


def test_a_width_of_another_length_need_not_be_that_of_the_other_proportions() -> None:
    """AOT's three contrasts: a flat body of uneven shells is as likely as long ones of many radii."""
    begun, fit = fitted(0.1, LONG)
    width = replace(fit.parameters["radius_polar"], value=0.3)
    kinds = {"radius_polar": "gaussian"}
    wide = replace(fit, parameters={**fit.parameters, "radius_polar_pd": width}, distributions=kinds)
    same, other = (one.starts[0] for one in other_proportions(begun, wide))
    assert same
    assert other
    assert (same["radius_polar_pd"], "radius_equatorial_pd" in same) == (0.3, False)
    assert (other["radius_equatorial_pd"] > 0, "radius_polar_pd" in other) == (True, False)
    assert same["radius_polar"] == other["radius_polar"] < same["radius_equatorial"]


def test_rods_and_what_was_not_fitted_have_no_other_proportions() -> None:
    begun, fit = fitted(0.1, LONG)
    long = replace(fit.parameters["radius_polar"], value=400.0)
    held = replace(fit.parameters["radius_polar"], fixed=True)
    for size in (long, held):
        other = replace(fit, parameters={**fit.parameters, "radius_polar": size})
        assert other_proportions(begun, other) == []


def test_spheres_of_many_sizes_are_held_against_other_shapes_by_two_probes(bank: Bank) -> None:
    values = {"radius_polar": LONG[0], "radius_equatorial": LONG[1]}
    curves = [
        measured("ellipsoid", i, sld=sld, sld_solvent=around, **values)
        for i, (sld, around) in enumerate([(3.5, 6.36), (11.0, 9.44)])
    ]
    sample = sample_of(curves, {"kind": "probes"})
    start = {"radius": 42.0, "radius_pd": 0.2, "sld": 3.5, "sld_solvent": 6.36}
    joint = task(sample, "sphere", start)
    spheres = fit_jointly(joint, None, Budget())
    within = tuple(SharedError(relative=0.01) for _ in curves)
    explaining = replace(spheres, shared_errors=within)
    assert not explaining.lacking()
    ledger = Ledger(OneByOne(bank, {}, lambda *said: None), np.inf)
    alone = Alone(sample.curves, joint.dintensities, ())
    asked = _Asked(ledger, sample, joint.dintensities, FitOptions(), NOTHING, alone)
    found = {fit.model: fit for fit in _fit_other_shapes(asked, [explaining])}
    assert set(found) == {"ellipsoid", "cylinder"}
    assert found["ellipsoid"].minus_two_log < spheres.minus_two_log - 6
    assert found["ellipsoid"].parameters["radius_polar"].value == pytest.approx(LONG[0], rel=0.1)
    settings = replace(asked, sample=replace(sample, kind="settings"))
    assert _fit_other_shapes(settings, [explaining]) == []
