"""Pixels to exit angles, against vectors turned in space and against the two beams."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from detectorfiles import pattern
from scipy.spatial.transform import Rotation

from sasnet_plugin.images.reading import (
    ImageSettings,
    exit_angles,
    incidence_from_beams,
    load_images,
    specular_height,
)

DISTANCE, ALPHA_I = 1730.0, 0.37


def _on_the_detector(phi: float, alpha_f: float, perpendicular_to: str) -> tuple[float, float]:
    """Where a ray with these exit angles meets the detector: a plane and a line, no angles' formula."""
    f, a, i = np.radians([phi, alpha_f, ALPHA_I])
    ray = np.array([np.cos(a) * np.cos(f), np.cos(a) * np.sin(f), np.sin(a)])
    beam = np.array([np.cos(i), 0.0, -np.sin(i)])
    if perpendicular_to == "sample":
        normal, up = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
    else:
        turned = Rotation.from_euler("y", ALPHA_I, degrees=True)
        normal, up = turned.apply([1.0, 0, 0]), turned.apply([0, 0, 1.0])
        assert np.allclose(normal, beam)
    hit = ray * DISTANCE / (ray @ normal) - beam * DISTANCE / (beam @ normal)
    return float(hit[1]), float(hit @ up)


@pytest.mark.parametrize("perpendicular_to", ["beam", "sample"])
@pytest.mark.parametrize(
    ("phi", "alpha_f"), [(0.0, 0.0), (1.07, 2.2), (-14.0, 9.0), (3.0, -ALPHA_I), (-0.4, 0.2)]
)
def test_ray_traced_to_the_detector_and_back(perpendicular_to: str, phi: float, alpha_f: float) -> None:
    y, z = _on_the_detector(phi, alpha_f, perpendicular_to)
    found = exit_angles(y, z, distance=DISTANCE, alpha_i=ALPHA_I, perpendicular_to=perpendicular_to)
    assert np.allclose(found, (phi, alpha_f), atol=1e-9)


@pytest.mark.parametrize("perpendicular_to", ["beam", "sample"])
def test_direct_and_specular_beam(perpendicular_to: str) -> None:
    height = specular_height(ALPHA_I, distance=DISTANCE, perpendicular_to=perpendicular_to)
    z = np.array([0.0, height])
    phi, alpha_f = exit_angles(0.0, z, distance=DISTANCE, alpha_i=ALPHA_I, perpendicular_to=perpendicular_to)
    assert np.allclose(phi, 0.0)
    assert np.allclose(alpha_f, [-ALPHA_I, ALPHA_I])
    back = incidence_from_beams(height, distance=DISTANCE, perpendicular_to=perpendicular_to)
    assert back == pytest.approx(ALPHA_I, rel=1e-12)


SHAPE, DIRECT, PITCH = (60, 80), (31.0, 48.0), 0.03
FLAT = {"wavelength": 1.3, "distance": 1000.0, "pixel_size": (1000 * np.radians(PITCH),) * 2}


def _turned(
    values: np.ndarray, point: tuple[float, float], side: str
) -> tuple[np.ndarray, tuple[float, float]]:
    """The detector mounted so that the surface normal points to ``side``, and where a point goes."""
    marked = np.zeros(values.shape)
    marked[round(point[1]), round(point[0])] = 1
    quarter = {"top": 0, "left": 1, "bottom": 2, "right": 3}[side]
    row, column = np.argwhere(np.rot90(marked, quarter))[0]
    return np.rot90(values, quarter), (float(column), float(row))


@pytest.mark.parametrize("side", ["top", "left", "bottom", "right"])
@pytest.mark.parametrize("told_by", ["up", "beams"])
def test_any_orientation_gives_the_same_image(
    side: str, told_by: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    values = pattern(SHAPE, direct=DIRECT, pitch=PITCH, alpha_i=0.3, counts=1e5, rng=rng)
    specular = (DIRECT[0], DIRECT[1] - 20.0)
    images = []
    for where in ("top", side):
        picture, direct = _turned(values, DIRECT, where)
        path = tmp_path / f"{where}.npy"
        np.save(path, picture)
        if told_by == "up":
            settings = ImageSettings(**FLAT, alpha_i=0.3, direct_beam=direct, up=where)
        else:
            settings = ImageSettings(
                **FLAT, alpha_i=0.3, direct_beam=direct, specular_beam=_turned(values, specular, where)[1]
            )
        images.append(load_images(path, settings)[0])
    assert np.array_equal(images[0].counts, images[1].counts)
    assert np.array_equal(images[0].mask, images[1].mask)
    assert np.allclose(images[0].geometry.phi, images[1].geometry.phi)
    assert np.allclose(images[0].geometry.alpha_f, images[1].geometry.alpha_f)
    # The horizon is 0.3 degrees, ten rows, above the direct beam, which is in row 11 counted from below.
    assert abs(images[0].geometry.alpha_f[SHAPE[0] - 1 - 48 + 10]) < 1e-3
    assert images[0].geometry.phi[31] == pytest.approx(0.0, abs=1e-12)


def test_mirror_exchanges_left_and_right(tmp_path: Path, rng: np.random.Generator) -> None:
    values = pattern(SHAPE, direct=DIRECT, pitch=PITCH, alpha_i=0.3, counts=1e5, rng=rng)
    np.save(tmp_path / "a.npy", values)
    np.save(tmp_path / "b.npy", values[:, ::-1])
    settings = ImageSettings(**FLAT, alpha_i=0.3, direct_beam=DIRECT)
    plain = load_images(tmp_path / "a.npy", settings)[0]
    beyond = ImageSettings(
        **FLAT, alpha_i=0.3, direct_beam=(SHAPE[1] - 1 - DIRECT[0], DIRECT[1]), mirror=True
    )
    mirrored = load_images(tmp_path / "b.npy", beyond)[0]
    assert np.array_equal(plain.counts, mirrored.counts)
    assert np.allclose(plain.geometry.phi, mirrored.geometry.phi)


def test_incidence_from_the_two_beams(tmp_path: Path, rng: np.random.Generator) -> None:
    values = pattern(SHAPE, direct=DIRECT, pitch=PITCH, alpha_i=0.3, counts=1e5, rng=rng)
    np.save(tmp_path / "a.npy", values)
    image = load_images(
        tmp_path / "a.npy", ImageSettings(**FLAT, direct_beam=DIRECT, specular_beam=(31.0, 28.0))
    )[0]
    assert image.geometry.alpha_i == pytest.approx(0.3, rel=1e-3)
    assert any("follows from the two beams" in note for note in image.notes)
    settings = ImageSettings(**FLAT, alpha_i=0.3, specular_beam=(31.0, 28.0))
    assert np.allclose(
        load_images(tmp_path / "a.npy", settings)[0].geometry.alpha_f, image.geometry.alpha_f, atol=1e-3
    )


def test_wide_detector_is_resampled_and_keeps_its_counts(tmp_path: Path, rng: np.random.Generator) -> None:
    """At 20 degrees a row is no line of one exit angle; a spot must land where its ray does."""
    pixel, distance, direct = 1.0, 150.0, (60.0, 85.0)
    values = rng.poisson(5.0, (91, 121))
    column, row = 105, 20
    values[row - 1 : row + 2, column - 1 : column + 2] += 20_000
    np.save(tmp_path / "wide.npy", values)
    settings = ImageSettings(
        wavelength=1.0, alpha_i=0.3, distance=distance, pixel_size=(pixel, pixel), direct_beam=direct
    )
    image = load_images(tmp_path / "wide.npy", settings)[0]
    phi, alpha_f = exit_angles(column - direct[0], direct[1] - row, distance=distance, alpha_i=0.3)
    spot, found = np.where(image.counts > 1000, image.counts, 0.0), image.geometry
    assert np.sum(spot.sum(axis=0) * found.phi) / spot.sum() == pytest.approx(float(phi), abs=0.05)
    assert np.sum(spot.sum(axis=1) * found.alpha_f) / spot.sum() == pytest.approx(float(alpha_f), abs=0.05)
    assert image.counts.sum() == pytest.approx(values.sum(), rel=1e-9)
    assert any("resampled" in note for note in image.notes)
