"""Lengths beyond the smallest q: known where their fringes are seen, else only that they are longer."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sasnet_plugin.fitting.assessment.undetermined_lengths import mark_lengths_beyond_range
from sasnet_plugin.fitting.result.model_fit import Parameter
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve
from sasnet_plugin.zoo import bank_path

Q = np.geomspace(0.01, 0.2, 150)


def radius_of(truth: float, spread: float, begun: float) -> Parameter:
    """Of spheres measured with errors of 4 % of I and a resolution, fitted from a radius."""
    fine = np.unique(np.r_[Q, np.geomspace(0.008, 0.25, 20_000)])
    exact = call("sphere", fine, {"radius": truth, "background": 0.0}).intensity
    weights = np.exp(-0.5 * ((fine[None] - Q[:, None]) / (spread * Q[:, None])) ** 2) * np.gradient(fine)
    clean = weights @ exact / weights.sum(axis=1)
    dintensity = 0.04 * clean
    noisy = clean + dintensity * np.random.default_rng(2).standard_normal(Q.size)
    curve = Curve(Q, noisy, dintensity, dq=spread * Q)
    start = {"radius": begun, "sld": 1.0, "sld_solvent": 6.0, "scale": 1.0, "background": 0.0}
    task = Task(curve, dintensity, "sphere", None, starts=(start,), budget=Budget(20.0))
    fit = fit_candidate(task, Bank(bank_path()))
    return mark_lengths_beyond_range(fit, curve, dintensity).parameters["radius"]


@pytest.mark.parametrize("begun", [900.0, 1600.0, 5000.0])
def test_a_radius_of_which_only_the_surface_is_seen_is_longer_than_the_data_show(begun: float) -> None:
    """I = 2 π Δρ² S/V q⁻⁴ says nothing of R once the scale is free (G. Porod, 1951)."""
    radius = radius_of(7000.0, 0.05, begun)
    assert radius.at_least == pytest.approx(math.pi / Q[0])


def test_a_radius_whose_fringes_are_seen_is_known_however_long_it_is() -> None:
    radius = radius_of(1500.0, 0.005, 1490.0)
    assert radius.at_least is None
    assert radius.error is not None
    assert radius.value == pytest.approx(1500.0, abs=5 * radius.error)
    assert radius.error < 15
