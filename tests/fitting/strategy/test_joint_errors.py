"""Errors of a joint fit: as large as what all its curves hold moves what they share."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.batch.worker import OneByOne
from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.fitting.assessment.error_estimates import errors_beside_held
from sasnet_plugin.fitting.ledger import Ledger
from sasnet_plugin.fitting.result.model_fit import Parameter
from sasnet_plugin.fitting.result.reported_values import errors_of
from sasnet_plugin.fitting.result.sample_result import SampleResult
from sasnet_plugin.fitting.settings import ASSESSMENT
from sasnet_plugin.fitting.strategy.joint_fit import (
    JointTask,
    fit_jointly,
    make_error_task,
    widen_joint_errors,
)
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.fitting.verdict.sample import make_sample_verdict
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve, Suggestion
from sasnet_plugin.zoo import bank_path

SOLVENTS = (-0.56, 6.36)
GUINIER, FRINGES = np.linspace(0.003, 0.035, 300), np.geomspace(0.003, 0.4, 200)
FEW_FRINGES = np.geomspace(0.01, 0.12, 40)
NAMES = ("radius", "sld")
pytestmark = pytest.mark.usefixtures("exact_calibration")


def contrasts(q: np.ndarray, *, stated: bool = True) -> list[Curve]:
    """Spheres in two solvents, with 1 % of noise; the width in q is nearly none, or not stated."""
    found = []
    for seed, solvent in enumerate(SOLVENTS):
        values = {"radius": 60.0, "sld": 4.0, "sld_solvent": solvent, "scale": 1.0, "background": 0.0}
        exact = call("sphere", q, values).intensity
        size = 0.01 * exact + 1e-4 * np.max(exact)
        noise = np.random.default_rng(seed).standard_normal(q.size)
        dq = np.full_like(q, 1e-9) if stated else None
        found.append(Curve(q, exact + size * noise, size, dq, file=f"{seed}.dat"))
    return found


def fitted(curves: Sequence[Curve]) -> SampleResult:
    sample = sample_of(curves, {"solvents": {str(i + 1): value for i, value in enumerate(SOLVENTS)}})
    errors = tuple(np.asarray(curve.dintensity) for curve in curves)
    start: dict[str, Any] = {"radius": 58.0, "sld": 3.5}
    fit = fit_jointly(JointTask(sample, errors, "sphere", None, (start, None)), None, JointTask.budget)
    return SampleResult(sample, errors, (fit,), Suggestion("", "", (), (), 1.0))


@pytest.fixture(scope="module")
def guinier() -> SampleResult:
    return fitted(contrasts(GUINIER))


@pytest.fixture(scope="module")
def fringes() -> SampleResult:
    return fitted(contrasts(FRINGES))


def added(result: SampleResult, options: FitOptions | None = None) -> dict[str, float]:
    """Standard deviation that adds to those of `NAMES`, of their values."""
    pool = OneByOne(Bank(bank_path()), {}, lambda *said: None)
    wide = widen_joint_errors(Ledger(pool, time.monotonic() + 60), result, options or FitOptions())
    return {name: _more(wide.fits[0].parameters[name], result.fits[0].parameters[name]) for name in NAMES}


def _more(wide: Parameter, alone: Parameter) -> float:
    assert wide.error is not None
    assert alone.error is not None
    assert wide.value == alone.value
    return float(np.sqrt(wide.error**2 - alone.error**2)) / alone.value


def test_a_radius_that_curves_share_is_known_as_well_as_the_width_they_share(guinier: SampleResult) -> None:
    """Rg² = ⅗ R² (1 + 13 w²) of spheres of a narrow width w (A. Guinier, 1955): R moves by 6.5 w²."""
    moved = 6.5 * ASSESSMENT.held_width**2
    assert 0.3 * moved < added(guinier)["radius"] < moved
    # One who says that there is no width knows the radius as well as χ² says, which is nearly a parabola.
    radius = guinier.fits[0].parameters["radius"]
    assert radius.error is not None
    settled = FitOptions(fixed={"radius_pd": 0.0})
    held = errors_beside_held(make_error_task(guinier.sample, guinier.dintensities, guinier.fits[0], settled))
    assert held.get(("radius", None), 0.0) == pytest.approx(0.0, abs=1e-6)
    assert added(guinier, settled)["radius"] < 0.2 * radius.error / radius.value


def test_fringes_of_all_curves_leave_no_room_for_a_width(fringes: SampleResult) -> None:
    radius = fringes.fits[0].parameters["radius"]
    assert radius.error is not None
    assert added(fringes)["radius"] < radius.error / radius.value


def test_a_resolution_that_no_file_states_is_one_of_all_curves_at_the_same_q(fringes: SampleResult) -> None:
    assert added(fitted(contrasts(FRINGES, stated=False)))["radius"] > 2 * added(fringes)["radius"]
    # Where each has its own, as at other q, one curve's fringes say nothing of the other's. Of few fringes a
    # resolution is open.
    one, other = contrasts(FEW_FRINGES, stated=False)
    common = added(fitted([one, other]))["radius"]
    apart = added(fitted([one, replace(other, q=other.q * (1 + 1e-9))]))["radius"]
    # The place of all points is as uncertain in both cases.
    assert apart > 1.1 * common


def test_an_error_that_curves_have_in_common_does_not_hide_that_their_sizes_differ(
    guinier: SampleResult,
) -> None:
    """Two radii whose slopes are nearly opposite to one of a common parameter: known together, not alone."""
    q = np.geomspace(0.01, 0.3, 50)
    curve = Curve(q, np.ones(50), np.full(50, 0.01))
    rng = np.random.default_rng(1)
    own, common = rng.standard_normal((50, 1)), 0.05 * rng.standard_normal(50)
    one, other = (np.concatenate(pair) for pair in ((own[:, 0], 0 * q), (0 * q, own[:, 0])))
    slopes: dict[tuple[str, int | None], np.ndarray] = {
        ("radius", 0): one, ("radius", 1): other, ("radius_pd", None): one + other + np.tile(common, 2),
    }  # fmt: skip
    error = errors_of({str(key): column for key, column in slopes.items()})["('radius', 0)"]
    radii = tuple({"radius": Parameter(value, error, "Ang", False, value, value)} for value in (50.0, 55.0))
    fit = replace(guinier.fits[0], own=radii, derivatives=slopes)
    sample = sample_of(
        [replace(curve, file="a.dat"), replace(curve, q=q * 1.1, file="b.dat")], {"kind": "series"}
    )
    result = SampleResult(sample, (q, q), (fit,), Suggestion("", "", (), (), 1.0), changing="radius")
    assert "the difference is 5.0" in " ".join(make_sample_verdict(result, FitOptions()).doubts)
    clear = replace(fit, derivatives={key: slopes[key] for key in list(slopes)[:2]})
    doubts = " ".join(make_sample_verdict(replace(result, fits=(clear,)), FitOptions()).doubts)
    assert "do not share one radius" in doubts
    assert "the difference is" not in doubts
