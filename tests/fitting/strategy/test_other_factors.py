"""A form that interacts is fitted with every structure factor, each from the fit with another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.strategy.other_factors import other_factors
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.priors import allowed_structure_factors
from sasnet_plugin.types import Curve

CHARGED = {
    "radius": 60.0, "volfraction": 0.15, "charge": 30.0, "background": 0.01, "radius_effective_mode": 1,
}  # fmt: skip


def _fitted(bank: Bank, curve: Curve, factor: str | None, start: dict[str, Any]) -> tuple[Task, Any]:
    assert curve.dintensity is not None
    task = Task(curve, curve.dintensity, "sphere", factor, starts=(start,), budget=Budget(20.0))
    return task, fit_candidate(task, bank)


def test_charged_spheres_taken_for_hard_ones_are_found(simulated: Callable[..., Curve], bank: Bank) -> None:
    curve = simulated("sphere@hayter_msa", CHARGED)
    start = {"radius": 60.0, "scale": 1.0, "background": 0.01}
    pairs = [
        _fitted(bank, curve, None, start),
        _fitted(bank, curve, "hardsphere", {**start, "volfraction": 0.2}),
    ]
    tasks, fits = [t for t, _ in pairs], [f for _, f in pairs]
    more = other_factors(tasks, fits)
    assert {t.structure_factor for t in more} == set(allowed_structure_factors("sphere")) - {"hardsphere"}
    # What a factor has of its own does not go on to the next.
    assert all("charge" not in (t.extra or {}) for t in more if t.structure_factor != "hayter_msa")
    charged = fit_candidate(next(t for t in more if t.structure_factor == "hayter_msa"), bank)
    assert charged.reduced_chisq < 1.3 < min(f.reduced_chisq for f in fits)
    assert charged.parameters["radius"].value == pytest.approx(60.0, rel=0.03)


def test_spheres_apart_are_not_fitted_with_every_structure_factor(
    simulated: Callable[..., Curve], bank: Bank
) -> None:
    curve = simulated("sphere", {"radius": 60.0, "background": 0.01})
    start = {"radius": 60.0, "scale": 1.0, "background": 0.01}
    pairs = [
        _fitted(bank, curve, None, start),
        _fitted(bank, curve, "hardsphere", {**start, "volfraction": 0.05}),
    ]
    assert other_factors([t for t, _ in pairs], [f for _, f in pairs]) == []
