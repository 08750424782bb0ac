"""A gap in q is no structure factor."""

from __future__ import annotations

import numpy as np

from sasnet_plugin.data.raw import points
from sasnet_plugin.data.shadow import percus_yevick
from sasnet_plugin.predict.predictor import open_predictor
from sasnet_plugin.predict.tags import DETECTED, InteractionFinding, complete
from sasnet_plugin.types import Curve

Q = np.geomspace(0.004, 0.35, 90)


def _sphere(radius: float, width: float) -> np.ndarray:
    """Spheres with a normal distribution of radii (Rayleigh, 1911)."""
    steps = np.linspace(-3, 3, 61)
    radii, weight = radius * (1 + width * steps), np.exp(-(steps**2) / 2)
    x = Q[:, None] * radii
    amplitude = radii**3 * 3 * (np.sin(x) - x * np.cos(x)) / x**3
    return np.asarray(amplitude**2 @ weight)


def _coil(rg: float) -> np.ndarray:
    u = (Q * rg) ** 2
    return np.asarray(2 * (np.exp(-u) - 1 + u) / u**2)


def _measured(clean: np.ndarray, seed: int) -> Curve:
    clean = 10 * clean / clean.max() + 0.005
    sigma = np.hypot(0.01 * clean, 5e-3 * np.sqrt(clean))
    return Curve(Q, clean + sigma * np.random.default_rng(seed).normal(size=Q.size), sigma)


def _interacting(curves: list[Curve]) -> list[bool]:
    answers = map(complete, curves, open_predictor().answers(curves))
    found = [answer.finding(InteractionFinding) for answer in answers]
    return [one is not None and one.interacting >= DETECTED for one in found]


def _gapped(curve: Curve, first: int) -> Curve:
    return points(curve, np.delete(np.arange(len(curve)), slice(first, first + 20)))


def test_particles_alone_do_not_interact_for_a_gap_of_20_points() -> None:
    """At most one in thirty seems to, as of curves without a gap, which all are said not to."""
    shapes = [_sphere(r, width) for r in (30, 45, 65, 90) for width in (0.05, 0.1, 0.15)]
    shapes += [_coil(rg) for rg in (30, 50, 80, 120)]
    shapes += [np.exp(-((Q * rg) ** 2) / 3) for rg in (20, 35)] + [1 / (1 + (Q * xi) ** 2) for xi in (30, 80)]
    curves = [_measured(clean, seed) for seed, clean in enumerate(shapes)]
    assert not any(_interacting(curves))
    assert sum(_interacting([_gapped(curve, first) for curve in curves for first in (14, 30, 48)])) <= 2


def test_repelling_spheres_do_though_there_is_a_gap() -> None:
    curves = [
        _measured(_sphere(radius, 0.05) * percus_yevick(fraction, 2 * radius * Q), 7)
        for radius in (40, 60)
        for fraction in (0.2, 0.35)
    ]
    assert all(_interacting([_gapped(curve, first) for curve in curves for first in (14, 48)]))
