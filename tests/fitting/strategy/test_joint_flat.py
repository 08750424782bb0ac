"""Errors of a joint fit where χ² is no parabola: as far as another joint fit held there is as good."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from sasnet_plugin.batch.worker import OneByOne
from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.data.sample.sample import Sample
from sasnet_plugin.fitting.assessment.error_estimates import errors_to_add
from sasnet_plugin.fitting.ledger import Ledger
from sasnet_plugin.fitting.result.sample_result import JointFit, SampleResult
from sasnet_plugin.fitting.strategy.joint_fit import (
    JointTask,
    fit_jointly,
    make_error_task,
    widen_joint_errors,
)
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve, Suggestion
from sasnet_plugin.zoo import bank_path

#: Polymer coils of many lengths: with a much wider distribution a curve is hardly another.
COILS = {"rg": 180.0, "polydispersity": 10.0, "i_zero": 100.0, "scale": 1.0, "background": 0.01}
WINDOWS = (np.geomspace(0.004, 0.06, 80), np.geomspace(0.04, 0.3, 80))


def settings() -> Sample:
    """Two windows of q of one measurement, with errors of 2 % of I."""
    found = []
    for seed, q in enumerate(WINDOWS):
        exact = call("poly_gauss_coil", q, COILS).intensity
        noise = 0.02 * exact * np.random.default_rng(5 + seed).standard_normal(q.size)
        found.append(Curve(q, exact + noise, 0.02 * exact, np.full_like(q, 1e-7), file=f"{seed}.dat"))
    return sample_of(found, {"kind": "settings"})


def fitted(sample: Sample, fixed: Mapping[str, float]) -> JointFit:
    errors = tuple(np.asarray(curve.dintensity) for curve in sample.curves)
    start: dict[str, Any] = {**COILS, **fixed}
    task = JointTask(sample, errors, "poly_gauss_coil", None, (start, start), dict(fixed))
    return fit_jointly(task, None, JointTask.budget)


def result_of(sample: Sample, found: JointFit) -> SampleResult:
    errors = tuple(np.asarray(curve.dintensity) for curve in sample.curves)
    return SampleResult(sample, errors, (found,), Suggestion("", "", (), (), 1.0))


def test_an_error_reaches_where_other_joint_fits_are_as_good() -> None:
    sample = settings()
    found = fitted(sample, {})
    result = result_of(sample, found)
    pool = OneByOne(Bank(bank_path()), {}, lambda *said: None)
    wide = widen_joint_errors(Ledger(pool, time.monotonic() + 60), result, FitOptions()).fits[0]
    fit = result.fits[0]
    own, error = (one.parameters["polydispersity"].error for one in (fit, wide))
    value = fit.parameters["polydispersity"].value
    far = 10 * value
    there = fitted(sample, {"polydispersity": far})
    assert there.total < found.total + 4
    assert own is not None
    assert error is not None
    assert own < (far - value) / 2 < error
    # What is known of the coils, their size, stays known.
    assert wide.parameters["rg"].error is not None


def test_a_shape_that_a_user_gives_has_no_error() -> None:
    shape = {name: COILS[name] for name in ("rg", "polydispersity", "i_zero")}
    sample = settings()
    result = result_of(sample, fitted(sample, shape))
    more = errors_to_add(
        make_error_task(result.sample, result.dintensities, result.fits[0], FitOptions(fixed=shape))
    )
    assert not set(shape) & {name for name, _ in more}
