"""Neutrons and X-rays of one body: each probe's densities are found for a shape that both share."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.data.sample.sample import Sample
from sasnet_plugin.fitting.problem.contrast_forms import ContrastForms
from sasnet_plugin.fitting.problem.model_curves import ModelCurves
from sasnet_plugin.fitting.problem.shared_parameters import plan_of
from sasnet_plugin.fitting.start_values.contrast_starts import own_density_starts
from sasnet_plugin.fitting.strategy.joint_fit import JointTask, fit_jointly
from sasnet_plugin.fitting.task import Budget

from .test_joint_fit import SHELL, measured

SHAPE = {name: SHELL[name] for name in ("radius", "thickness")}
#: Densities of core, shell and solvent by neutrons and by X-rays, 10⁻⁶ Å⁻².
DENSITIES = {"neutron": (0.5, 3.0, 6.36), "xray": (7.6, 11.0, 9.44)}
#: Contrast of the core over that of the shell.
RATIOS = [(core - around) / (shell - around) for core, shell, around in DENSITIES.values()]


@pytest.fixture(scope="module")
def sample() -> Sample:
    curves = [
        measured("core_shell_sphere", i, **SHAPE, sld_core=core, sld_shell=shell, sld_solvent=around)
        for i, (core, shell, around) in enumerate(DENSITIES.values())
    ]
    return sample_of(curves, {"kind": "probes"})


def ratio(densities: dict[str, float]) -> float:
    around = densities["sld_solvent"]
    return (densities["sld_core"] - around) / (densities["sld_shell"] - around)


def test_each_probe_s_contrasts_are_found_for_a_known_shape(sample: Sample) -> None:
    curves = [ModelCurves(c, np.asarray(c.dintensity), "core_shell_sphere") for c in sample.curves]
    plan = plan_of(sample, "core_shell_sphere", None, {})
    shape = SHAPE | {"sld_solvent": 1.0}
    found = own_density_starts(ContrastForms(curves), plan, shape, np.random.default_rng(0))
    assert [one["sld_solvent"] for one in found] == [1.0, 1.0]
    assert [ratio(one) for one in found] == pytest.approx(RATIOS, abs=0.1)


def test_shape_is_found_though_no_curve_begins_with_its_densities(sample: Sample) -> None:
    errors = tuple(np.asarray(curve.dintensity) for curve in sample.curves)
    start = {"radius": 45.0, "thickness": 20.0, "sld_core": 3.0, "sld_shell": 2.0, "sld_solvent": 6.36}
    task = JointTask(sample, errors, "core_shell_sphere", None, (start, start))
    fit = fit_jointly(task, None, Budget())
    assert not fit.lacking()
    for name, value in SHAPE.items():
        assert fit.parameters[name].value == pytest.approx(value, rel=0.03), name
