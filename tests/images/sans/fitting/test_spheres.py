"""Sizes of spheres in isotropic images: right whether or not q is smeared, and whether or not that is given.

Intensities are from Rayleigh's formula and sums over radii in this file, not from the package's simulator.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.domains import ReadOptions
from sasnet_plugin.images.sans.prediction import SHARPER, as_curve
from sasnet_plugin.images.sans.reading import read
from sasnet_plugin.images.sans.specification import SANS2D
from sasnet_plugin.images.sans.spheres import fit_spheres
from sasnet_plugin.predict.predictor import open_predictor
from sasnet_plugin.types import Curve, Image


def spheres(q: np.ndarray, radius: float, spread: float, distribution: str) -> np.ndarray:
    """Intensity over that at q = 0, for a number-mean radius and a relative standard deviation."""
    radii = radius * np.linspace(0.02, 2.5, 500)
    if distribution == "schulz":
        z = 1 / spread**2 - 1
        number = np.exp(z * np.log(radii / radius) - (z + 1) * radii / radius)
    elif distribution == "lognormal":
        sigma = np.sqrt(np.log(1 + spread**2))
        number = np.exp(-0.5 * ((np.log(radii / radius) + sigma**2 / 2) / sigma) ** 2) / radii
    else:
        number = np.exp(-0.5 * ((radii / radius - 1) / spread) ** 2)
    x = q[..., None] * radii
    weight = number * radii**6 / np.sum(number * radii**6)
    return np.asarray(((3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2) @ weight)


def smeared(q: np.ndarray, width: np.ndarray, radius: float, spread: float, distribution: str) -> np.ndarray:
    fine = np.geomspace(q.min() / 3, 1.5 * q.max(), 1200)
    single = spheres(fine, radius, spread, distribution)
    steps = np.linspace(-3, 3, 61)
    weight = np.exp(-(steps**2) / 2)
    moved = np.interp(np.abs(q[:, None] + width[:, None] * steps), fine, single)
    return np.asarray(moved @ weight / weight.sum())


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("sigma", [0.0, 0.045])
@pytest.mark.parametrize(
    ("radius", "spread", "distribution"),
    [(60, 0.1, "gaussian"), (40, 0.2, "schulz"), (100, 0.15, "lognormal"), (150, 0.07, "gaussian")],
)
def test_radius_and_spread_hold_within_their_errors(
    radius: float, spread: float, distribution: str, sigma: float, *, given: bool
) -> None:
    q = np.linspace(0.5, 11, 70) / radius
    width = np.maximum(sigma * q, 1e-6)
    expected = 10 * smeared(q, width, radius, spread, distribution) + 0.01
    errors = 0.02 * np.sqrt(expected * 10) + 1e-4
    noisy = expected + errors * np.random.default_rng(int(radius)).normal(size=q.size)
    found = fit_spheres([Curve(q, noisy, errors, width if given else None)])
    assert found is not None
    assert not found.is_sharper
    for name, truth in (("radius", radius), ("radius_pd", spread)):
        value = found.values()[name]
        assert abs(value.value - truth) < 3 * value.error, name
        assert value.error < (0.04 * radius if name == "radius" else 0.04)
        assert value.low < value.value < value.high


def image_of(
    path: Path, sigma: float, stated: float | None, radius: float = 60.0, spread: float = 0.1
) -> Image:
    """A reduced image, smeared by sigma q, in a file that gives a resolution of its own or none."""
    axis = np.linspace(-0.2, 0.2, 64)
    qx, qy = np.meshgrid(axis, axis)
    q = np.hypot(qx, qy)
    rings = np.linspace(q.min(), q.max(), 600)
    profile = smeared(rings, np.maximum(sigma * rings, 1e-6), radius, spread, "gaussian")
    expected = 50 * np.interp(q, rings, profile) + 0.05
    errors = 0.05 * np.sqrt(expected)
    noisy = expected + errors * np.random.default_rng(5).normal(size=q.shape)
    columns, names = [qx, qy, noisy, errors], "Qx - Qy - I(Qx,Qy) - err(I)"
    if stated is not None:
        columns, names = [*columns, stated * q, stated * q], f"{names} - SigmaQ_parall - SigmaQ_perp"
    table = np.stack([column.ravel() for column in columns], axis=1)
    np.savetxt(path, table, header=f"Data columns are {names}\nASCII data", comments="", fmt="%.7g")
    (image,) = read(path, ReadOptions())
    return image


@pytest.mark.parametrize("sigma", [0.0, 0.045])
def test_an_image_without_resolution_has_the_size_and_says_what_its_errors_hold(
    tmp_path: Path, sigma: float
) -> None:
    """The classifier alone, trained behind pinholes, finds a narrower distribution where nothing smears."""
    (answer,) = open_predictor(SANS2D.name).answers([image_of(tmp_path / "a.dat", sigma, None)])
    found = answer.as_dict()
    assert found["classes"][0]["name"] == "sphere"
    for name, truth in (("radius", 60.0), ("radius_pd", 0.1)):
        value = found["quantities"][name]
        assert abs(value["value"] - truth) < 2.5 * value["error"], name
        assert value["error"] < 0.15 * truth
    assert any("fit of spheres" in note for note in answer.notes)
    assert any("gives no resolution" in note for note in answer.notes if note.startswith("Their errors"))


def test_a_resolution_that_the_minima_exclude_is_not_used(tmp_path: Path) -> None:
    image = image_of(tmp_path / "a.dat", 0.0, 0.07, spread=0.01)
    curve = as_curve(image)
    assert curve is not None
    assert curve.dq is None
    assert SHARPER in curve.notes
    right = as_curve(image_of(tmp_path / "b.dat", 0.07, 0.07, spread=0.01))
    assert right is not None
    assert right.dq is not None
    assert SHARPER not in right.notes
