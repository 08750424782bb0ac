"""Attention lies where the answer comes from, by gradients and by covering."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.images.report import grad_cam, occlusion, spread_over


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
    counts = rng.uniform(1, 2, (32, 24))

    def score(masks: np.ndarray) -> np.ndarray:
        return (masks * counts)[:, 20:23, 5:8].sum(axis=(1, 2))

    found = occlusion(score, np.ones(counts.shape, bool), patch=(4, 4), batch=7)
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert 18 <= row <= 24
    assert 3 <= column <= 9
    assert found[5:12, 12:].max() == 0


def test_every_pixel_is_covered_once_or_more() -> None:
    found = occlusion(lambda m: m.sum(axis=(1, 2)), np.ones((10, 9), bool), patch=(4, 5))
    assert found.min() > 0


def test_what_is_masked_already_changes_nothing() -> None:
    mask = np.ones((8, 8), dtype=bool)
    mask[:, :4] = False
    found = occlusion(lambda m: m.sum(axis=(1, 2)), mask, patch=(2, 2))
    assert found[:, :2].max() == 0
    assert found[:, 6:].min() > 0
    assert not mask[:, :4].any()
    assert mask[:, 4:].all()


def test_a_coarse_map_keeps_its_place() -> None:
    coarse = np.zeros((4, 4))
    coarse[3, 0] = 1.0
    fine = spread_over(coarse, (64, 32))
    assert fine.shape == (64, 32)
    row, column = np.unravel_index(fine.argmax(), fine.shape)
    assert row >= 48
    assert column < 8
    assert (fine.min(), fine.max()) == (0.0, 1.0)
