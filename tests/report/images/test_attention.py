"""Attention lies where the answer comes from, by gradients and by covering."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.report.images.attention import grad_cam, occlusion, spread_over


def test_grad_cam_looks_at_the_channel_that_raises_the_score() -> None:
    maps = np.zeros((6, 8, 3))
    maps[1, 2, 0], maps[4, 6, 1], maps[:, :, 2] = 5.0, 5.0, 0.1
    # The score is the mean of the first channel less the mean of the second.
    gradients = np.zeros_like(maps)
    gradients[..., 0], gradients[..., 1] = 1 / 48, -1 / 48
    found = grad_cam(maps, gradients)
    assert found.max() == 1.0
    assert np.unravel_index(found.argmax(), found.shape) == (1, 2)
    assert found[4, 6] == 0


def test_grad_cam_of_one_pixel_a_channel_is_by_hand() -> None:
    a, g = 2.0, 0.5
    maps, gradients = np.zeros((2, 2, 2)), np.zeros((2, 2, 2))
    maps[0, 0, 0], gradients[0, 0, 0] = a, g
    maps[1, 1, 1], gradients[1, 1, 1] = a, 2 * g
    weight = [(x**2 / (2 * x**2 + a * x**3)) * x for x in (g, 2 * g)]
    found = grad_cam(maps, gradients)
    assert found[1, 1] == 1
    assert found[0, 0] == pytest.approx(weight[0] / weight[1])


def test_grad_cam_of_a_score_that_nothing_raises_is_empty() -> None:
    assert not grad_cam(np.ones((3, 3, 2)), np.zeros((3, 3, 2))).any()
    assert not grad_cam(np.ones((3, 3, 2)), -np.ones((3, 3, 2))).any()


def test_covering_finds_the_pixels_that_an_answer_is_made_of(rng: np.random.Generator) -> None:
    features = rng.uniform(1, 2, (32, 24, 4)).astype(np.float32)

    def score(x: np.ndarray) -> np.ndarray:
        return x[:, 20:23, 5:8, 0].sum(axis=(1, 2)) + 100 * x[:, 0, 0, 3]

    found = occlusion(score, features, patch=(4, 4), pictures=3, batch=7)
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert 18 <= row <= 24
    assert 3 <= column <= 9
    assert found[5:12, 12:].max() == 0


def test_every_pixel_is_covered() -> None:
    features = np.ones((10, 9, 2), dtype=np.float32)
    found = occlusion(lambda x: x[..., 0].sum(axis=(1, 2)), features, patch=(4, 5), pictures=1)
    assert found.min() > 0


def test_what_is_covered_already_changes_nothing() -> None:
    features = np.ones((8, 8, 2), dtype=np.float32)
    features[:, :4, 0] = 0
    found = occlusion(lambda x: x[..., 0].sum(axis=(1, 2)), features, patch=(2, 2), pictures=1)
    assert found[:, :2].max() == 0
    assert found[:, 6:].min() > 0


def test_a_coarse_map_keeps_its_place() -> None:
    coarse = np.zeros((4, 4))
    coarse[3, 0] = 1.0
    fine = spread_over(coarse, (64, 32))
    assert fine.shape == (64, 32)
    row, column = np.unravel_index(fine.argmax(), fine.shape)
    assert row >= 48
    assert column < 8
    assert (fine.min(), fine.max()) == (0.0, 1.0)
