"""Flat and long bodies of one volume: the search looks at both, and what the curves do not tell is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from test_joint import contrasts, fitted, known, measured, result, task

from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.fitting.result.verdict import DOUBTS
from sasnet_plugin.fitting.task import Budget, FitOptions
from sasnet_plugin.fitting.together.joint_fit import joint_fit
from sasnet_plugin.fitting.together.one_model import fit_one
from sasnet_plugin.fitting.together.proportions import beside, long_over_wide, other_proportions
from sasnet_plugin.fitting.together.result import JointFit
from sasnet_plugin.fitting.together.said import told

VOLUMES = {
    "cylinder": lambda v: np.pi * v["radius"] ** 2 * v["length"],
    "ellipsoid": lambda v: 4 / 3 * np.pi * v["radius_equatorial"] ** 2 * v["radius_polar"],
}
LONG: dict[str, dict[str, Any]] = {
    "cylinder": {"radius": 20.0, "length": 90.0, "sld": 3.0},
    "ellipsoid": {"radius_equatorial": 20.0, "radius_polar": 45.0, "sld": 3.0},
}


def rods(model: str = "cylinder") -> JointFit:
    around = (-0.56, 3.9, 6.36)
    curves = [measured(model, i, **LONG[model], sld_solvent=s) for i, s in enumerate(around)]
    solvents = {str(i + 1): s for i, s in enumerate(around)}
    return fitted(sample_of(curves, {"solvents": solvents}), model, LONG[model])


@pytest.mark.parametrize("model", VOLUMES)
def test_a_long_body_is_tried_as_a_flat_one_of_its_volume(model: str) -> None:
    fit = rods(model)
    (other,) = other_proportions(task(known(contrasts()), model, LONG[model]), fit)
    start = other.starts[0]
    assert start is not None
    values = {name: p.value for name, p in fit.parameters.items()}
    assert VOLUMES[model](start) == pytest.approx(VOLUMES[model](values))
    inverse = replace(fit, parameters={n: replace(p, value=start[n]) for n, p in fit.parameters.items()})
    assert long_over_wide(inverse) == pytest.approx(1 / long_over_wide(fit))
    assert not other.settled


def test_spheres_rods_and_what_is_held_are_tried_as_nothing_else() -> None:
    fit = rods()
    again = task(known(contrasts()), "cylinder", LONG["cylinder"])

    def at(length: float, fixed: bool = False) -> JointFit:
        held = replace(fit.parameters["length"], value=length, fixed=fixed)
        return replace(fit, parameters={**fit.parameters, "length": held})

    for other in (at(2000.0), at(41.0), at(90.0, fixed=True), replace(fit, model="capped_cylinder")):
        assert other_proportions(again, other) == []


def test_body_of_other_proportions_is_said_where_the_curves_do_not_tell_it() -> None:
    fit = rods()
    sizes = {"radius": 29.0, "length": 25.0}
    parameters = {n: replace(p, value=sizes.get(n, p.value)) for n, p in fit.parameters.items()}
    flat = replace(fit, parameters=parameters, minus_two_log=fit.minus_two_log + 3.0)
    worse = replace(flat, minus_two_log=fit.minus_two_log + 30.0)
    assert not beside(fit, [fit, worse]).inverted
    both = beside(fit, [flat, worse])
    assert {name: p.value for name, p in both.inverted.items()} == sizes
    said = told(result(known(contrasts()), [both]), FitOptions()).verdict
    assert said.level == DOUBTS
    assert any(
        doubt.startswith("A flat body explains the curves as well: radius 29") for doubt in said.doubts
    )


@pytest.mark.parametrize(("factor", "explained"), [(1.1, True), (3.0, False)])
def test_settings_of_another_intensity_are_not_explained(factor: float, explained: bool) -> None:
    sphere = {"radius": 60.0, "sld": 3.0, "sld_solvent": 6.36}
    windows = np.geomspace(0.003, 0.05, 60), np.geomspace(0.01, 0.4, 60)
    curves = [measured("sphere", 1, windows[0], **sphere)]
    curves += [measured("sphere", 2, windows[1], **sphere, factor=factor)]
    sample = sample_of(curves, {"kind": "settings"})
    fit = joint_fit(fit_one(task(sample, "sphere", sphere), None, Budget()))
    assert all(fit.per_point(i) < 2 for i in range(2))
    assert (fit.lacking() == []) is explained
    asked = sample_of(curves, {"kind": "settings", "scale": {"2": factor}})
    stated = joint_fit(fit_one(task(asked, "sphere", sphere), None, Budget()))
    assert stated.lacking() == []
    assert not told(result(asked, [stated]), FitOptions()).verdict.doubts
