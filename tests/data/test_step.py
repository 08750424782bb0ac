"""First points that the edge of a beamstop dims."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin import fit
from sasnet_plugin.data.clean import cut_to_q_range
from sasnet_plugin.data.step import count_below_step, exclude_step
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve

Q = np.geomspace(0.005, 0.4, 150)


def sphere(seed: int, dimmed: int = 0, share: float = 0.7) -> Curve:
    clean = call("sphere", Q, {"radius": 60.0, "radius_pd": 0.1, "radius_pd_n": 35}).intensity
    clean = 1e3 * clean / clean[0] + 0.1
    sigma = 0.01 * clean
    measured = clean + sigma * np.random.default_rng(seed).standard_normal(Q.size)
    measured[:dimmed] *= share
    return Curve(Q, measured, sigma)


@pytest.mark.parametrize("dimmed", [1, 2, 3, 4])
def test_dimmed_points_are_counted(dimmed: int) -> None:
    assert {count_below_step(sphere(seed, dimmed)) for seed in range(20)} == {dimmed}


def test_what_is_smooth_has_no_step() -> None:
    assert not any(count_below_step(sphere(seed)) for seed in range(200))
    repelled = call("hardsphere", Q, {"radius_effective": 60.0, "volfraction": 0.4}).intensity
    curve = sphere(1)
    assert count_below_step(replace(curve, intensity=curve.intensity * repelled)) == 0


def test_points_that_a_user_asks_for_stay() -> None:
    asked = cut_to_q_range(sphere(1, 2), 0.0, np.inf)
    assert exclude_step(asked) is asked


def test_a_dimmed_sphere_is_a_sphere_and_the_answer_says_what_was_left_out() -> None:
    result = fit(sphere(1, 2, 0.5), workers=1)
    assert len(result.curve) == Q.size - 2
    assert result.verified
    assert result.best is not None
    assert result.best.parameters["radius"].value == pytest.approx(60.0, abs=0.5)
    assert "without the first 2 points" in result.verdict.headline
    assert any("includes them again" in note for note in result.notes)


def test_a_curve_that_is_explained_with_all_points_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that is the sample's own, here one that is not there at all."""
    curve = sphere(3)
    monkeypatch.setattr("sasnet_plugin.data.step.count_below_step", lambda _: 2)
    result = fit(curve, models=["sphere"], structure_factor="none", workers=1)
    assert len(result.curve) == Q.size
