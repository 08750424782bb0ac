"""What rests on uncertainties is said after these were looked at."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.data.scatter import use_scatter
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


RADIUS = 50.0
NOISES = {
    "a share of I": lambda clean: 0.05 * clean,
    "counts": lambda clean: 0.2 * np.sqrt(clean),
    "constant": lambda clean: np.full(clean.size, 0.5),
}


def _spheres(q: np.ndarray, width: float) -> np.ndarray:
    """Spheres of 50 Å with fringes, or so polydisperse that there are none."""
    radii = RADIUS * (1 + width * np.linspace(-4, 4, 81))
    numbers = np.exp(-0.5 * np.linspace(-4, 4, 81) ** 2) * radii**6
    x = q[:, None] * radii
    return 100 * ((3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2) @ numbers / numbers.sum() + 0.01


@pytest.mark.parametrize("width", [0.03, 0.2])
@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("stated", ["5 times too small", "1000 times too small", "constant", "counts"])
def test_uncertainties_far_too_small_at_some_q_are_replaced_by_the_scatter(
    width: float, noise: str, stated: str
) -> None:
    q = np.geomspace(0.003, 0.3, 200)
    clean = _spheres(q, width)
    true = NOISES[noise](clean)
    given = {
        "5 times too small": true / 5, "1000 times too small": true / 1000,
        "constant": np.full(q.size, true.max() / 450),
        "counts": np.sqrt(clean) * np.min(true / np.sqrt(clean)) / 10,
    }[stated]  # fmt: skip
    curve = Curve(q, clean + true * np.random.default_rng(4).standard_normal(q.size), given)
    used = use_scatter(curve)
    assert used.understated > 3
    assert used.dintensity is not None
    assert np.median(used.dintensity / true) == pytest.approx(1.0, rel=0.35)
    assert np.all(used.dintensity > 0.15 * true)
    assert use_scatter(used) is used


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0, 10.0])
@pytest.mark.parametrize("points", [60, 200])
def test_usual_and_too_large_uncertainties_are_used_as_they_are(
    noise: str, factor: float, points: int
) -> None:
    q = np.geomspace(0.003, 0.3, points)
    for seed, width in enumerate((0.03, 0.2)):
        clean = _spheres(q, width)
        true = NOISES[noise](clean)
        curve = Curve(q, clean + true * np.random.default_rng(seed).standard_normal(q.size), factor * true)
        assert use_scatter(curve) is curve


def test_peaks_and_curvature_are_no_scatter() -> None:
    q = np.linspace(0.01, 0.3, 150)
    smooth = 1e-4 * q**-3 + 0.01
    peaks = smooth + sum(20 * np.exp(-0.5 * ((q - 0.08 * k) / 0.0015) ** 2) for k in (1, 2, 3))
    noise = np.random.default_rng(1).standard_normal(q.size)
    for clean in (smooth, peaks):
        sigma = 0.003 * clean
        curve = Curve(q, clean + sigma * noise, sigma)
        assert use_scatter(curve) is curve
