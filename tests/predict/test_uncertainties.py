"""What rests on uncertainties is said after these were looked at."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.predict.predictor import NO_MODEL, check_curve, judge_uncertainties
from sasnet_plugin.types import Curve

Q = np.linspace(0.005, 0.4, 150)
INPUTS = {"q_range": (1e-4, 1.0)}
X = 60 * Q
SPHERE = 100 * (3 * (np.sin(X) - X * np.cos(X)) / X**3) ** 2 + 0.01
POWER = 3e-6 * Q**-4 + 0.2


def notes(intensity: np.ndarray, sigma: np.ndarray | None) -> str:
    return " ".join(check_curve(Curve(Q, intensity, sigma), INPUTS).notes)


def noisy(clean: np.ndarray, relative: float) -> np.ndarray:
    return clean * (1 + relative * np.random.default_rng(1).normal(size=Q.size))


def test_uncertainties_that_fit_are_not_spoken_of() -> None:
    for relative in (0.003, 0.03):
        assert judge_uncertainties(noisy(SPHERE, relative), relative * SPHERE).note == ""


def test_a_claim_rests_on_the_scatter_where_uncertainties_are_absurd() -> None:
    said = notes(noisy(SPHERE, 0.01), 0.9 * SPHERE)
    assert "times the scatter of the points" in said
    assert "fits this curve" not in said
    said = notes(noisy(POWER, 0.01), 0.5 * POWER)
    assert "fits this curve within the scatter of its points" in said
    assert "its uncertainties" not in said


def test_uncertainties_above_the_intensity_leave_nothing_to_tell() -> None:
    sigma = np.full(Q.size, 500.0)
    values = SPHERE + sigma * np.random.default_rng(2).normal(size=Q.size)
    said = [note for note in check_curve(Curve(Q, values, sigma), INPUTS).notes if note.endswith(NO_MODEL)]
    assert len(said) == 1
    assert said[0].startswith("The uncertainties are as large as the intensities or larger")


def test_estimated_uncertainties_are_named_as_such() -> None:
    said = notes(noisy(POWER, 0.02), None)
    assert (
        "fits this curve within the scatter of its points, which its uncertainties were estimated from"
        in said
    )
    assert "within its uncertainties" not in said


@pytest.mark.parametrize("times", [5, 30])
def test_uncertainties_below_the_scatter_are_said(times: float) -> None:
    said = notes(noisy(SPHERE, 0.03), 0.03 / times * SPHERE)
    assert "times as much as their uncertainties say" in said


def test_curvature_between_few_points_is_no_scatter() -> None:
    few = np.linspace(0, Q.size - 1, 40).astype(int)
    assert judge_uncertainties(SPHERE[few], 1e-4 * SPHERE[few]).note == ""
