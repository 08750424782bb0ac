"""The contest of labelled diffraction images judges what it says, on a few numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.images import diffraction_images, diffraction_labels
from benchmarks.images.diffraction_contestants import turned
from sasnet_plugin.domains import ReadOptions
from sasnet_plugin.domains.diffraction import LABELS
from sasnet_plugin.simulate.diffraction.samples import SEED, SEED_MORE


def test_kinds_are_as_frequent_as_published_and_every_part_has_its_share() -> None:
    found = diffraction_images.kinds(np.random.default_rng(3))
    names, more = (np.array(column) for column in zip(*found, strict=True))
    assert {name: int((names == name).sum()) for name in SEED} == SEED
    assert {name: int((more == name).sum()) for name in SEED_MORE} == SEED_MORE
    assert not set(names[more != ""]) & {"irregular", "empty"}
    first = round(diffraction_images.SHARE * len(found))
    for name, number in SEED_MORE.items():
        assert abs((more[:first] == name).sum() - diffraction_images.SHARE * number) <= 1


def test_smaller_pixels_keep_every_count_in_its_place() -> None:
    counts = np.random.default_rng(0).poisson(3.0, (2, 96, 96)).astype(float)
    found = diffraction_images.smaller(counts)
    assert found.shape == (2, 64, 64)
    np.testing.assert_allclose(found[:, :32, 32:].sum(axis=(1, 2)), counts[:, :48, 48:].sum(axis=(1, 2)))


def test_a_turned_picture_keeps_its_rings_and_loses_its_direction() -> None:
    at = np.arange(33) - 16
    radius, angle = np.hypot(at[:, None], at[None, :]), np.arctan2(at[:, None], at[None, :])
    inside = radius < 15
    ring = np.exp(-((radius - 9) ** 2) / 8) * inside
    found = turned(np.stack([ring] * 4 + [ring * np.cos(angle)] * 4), np.random.default_rng(1))
    assert np.abs(found[:4] - ring)[:, inside].max() < 0.1
    assert np.abs(found[4:] - ring * np.cos(angle))[:, inside].max(axis=1).min() > 0.2


def test_labels_held_out_are_never_fitted() -> None:
    fitted, held = diffraction_labels.parts(100)
    assert (fitted.size, held.size) == (85, 15)
    assert not set(fitted) & set(held)
    assert max(*fitted, *held) == 99


def test_scores_leave_out_tags_that_no_image_has() -> None:
    truth = np.zeros((4, len(LABELS)), dtype=bool)
    truth[:2, 0] = True
    p = np.zeros((4, len(LABELS)))
    p[:, 0] = 0.9, 0.2, 0.1, 0.1
    found = diffraction_labels.scores(truth, (p, p > 0.5))
    np.testing.assert_allclose(found[0, :4], [1, 0.5, 2 / 3, 1])
    assert np.isnan(found[1:]).all()


def test_the_better_verdict_is_better_by_more_than_chance() -> None:
    rng = np.random.default_rng(5)
    truth = rng.random((200, len(LABELS))) < 0.3
    worse = truth ^ (rng.random(truth.shape) < 0.2)
    gain, spread = diffraction_labels.difference(truth, (truth, truth), (worse, worse), draws=50)
    assert gain > 5 * spread > 0
    assert diffraction_labels.difference(truth, (worse, worse), (worse, worse), draws=5) == (0, 0)


def test_a_kept_set_is_read_with_the_masks_of_its_images(tmp_path: Path) -> None:
    counts, mask = np.ones((2, 96, 96), np.float32), np.ones((2, 96, 96), dtype=bool)
    mask[1, :40] = False
    made = diffraction_images.kept(tmp_path / "set.npz", lambda: {"counts": counts, "mask": mask})
    np.testing.assert_array_equal(made["mask"], mask)
    found = list(diffraction_images.read(str(tmp_path / "set.npz"), ReadOptions()))
    assert [one.entry for one in found] == ["frame 1", "frame 2"]
    np.testing.assert_array_equal(found[1].mask, mask[1])
