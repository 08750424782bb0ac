"""Curves that fix no model are said to be what they are; scattering with features is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.data.no_structure import simple_shape
from sasnet_plugin.predict.predictor import NO_MODEL, check_curve
from sasnet_plugin.types import Curve

Q = np.linspace(0.005, 0.4, 150)
INPUTS = {"q_range": (1e-4, 1.0)}
SHAPES = {
    "A power law": 3e-6 * Q**-4 + 0.2,
    "A straight line": 5 - 9 * Q,
    "An exponential": 20 * np.exp(-Q / 0.08) + 0.3,
    "Guinier's law": 50 * np.exp(-((Q * 12) ** 2) / 3) + 0.1,
    "A parabola": 1 + 40 * (Q - 0.2) ** 2,
}


def sphere(radius: float) -> np.ndarray:
    """Form factor of a sphere (Rayleigh, Proc. R. Soc. A 84 (1911) 25), with a background."""
    x = Q * radius
    return 100 * (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 + 0.01


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("relative", [0.003, 0.05])
def test_simple_shapes_are_named(name: str, relative: float) -> None:
    sigma = relative * SHAPES[name]
    curve = SHAPES[name] + sigma * np.random.default_rng(3).normal(size=Q.size)
    assert simple_shape(Q, curve, sigma).startswith(name)
    for given in (sigma, None):
        notes = check_curve(Curve(Q, curve, given), INPUTS).notes
        assert [note for note in notes if note.endswith(NO_MODEL)][0].startswith(name)


@pytest.mark.parametrize("relative", [0.003, 0.05])
def test_scattering_with_features_is_not(relative: float) -> None:
    for radius in (25.0, 60.0, 200.0):
        curve = sphere(radius)
        noisy = curve * (1 + relative * np.random.default_rng(4).normal(size=Q.size))
        assert simple_shape(Q, noisy, relative * curve) == ""
        assert not any(
            note.endswith(NO_MODEL) for note in check_curve(Curve(Q, noisy, relative * curve), INPUTS).notes
        )


def test_levels_and_rising_columns_are_said_to_be_so() -> None:
    rng = np.random.default_rng(5)
    log = 295 + 5 * np.sin(60 * Q) + 2 * np.cumsum(rng.normal(size=Q.size))
    heating = np.clip(20 + 900 * Q, 0, 250) * (1 + 0.002 * rng.normal(size=Q.size))
    for values, what in ((log, "varies by less"), (heating, "rises with q")):
        (flag,) = (note for note in check_curve(Curve(Q, values), INPUTS).notes if note.endswith(NO_MODEL))
        assert what in flag


def test_what_training_leaves_out_has_its_old_sentence() -> None:
    sigma = 0.02 * SHAPES["A power law"]
    curve = SHAPES["A power law"] + sigma * np.random.default_rng(6).normal(size=Q.size)
    assert (
        f"A power law plus a constant fits this curve within its uncertainties{NO_MODEL}"
        in check_curve(Curve(Q, curve, sigma), INPUTS).notes
    )


def test_real_curves_are_not_flagged(example_data: Path) -> None:
    from sasnet_plugin import load

    for name in (
        "apoferritin.txt",
        "ISIS_83404.TXT",
        "P123_D2O_10_percent.xml",
        "sphere_80.txt",
        "latex_smeared.xml",
    ):
        for curve in load(example_data / name):
            assert not any(note.endswith(NO_MODEL) for note in check_curve(curve, INPUTS).notes), name
