"""What the network reads of a pattern: the same however long it was measured, turned as its mirror image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tinypatterns import pattern

from sasnet_plugin.images.features import CHANNELS, N_PICTURES, features, mirror_features
from sasnet_plugin.types import Image

LEVEL, SIGNIFICANCE = CHANNELS.index("level"), CHANNELS.index("significance")


def masked(image: Image) -> Image:
    mask = np.array(image.mask)
    mask[5:9] = False
    mask[:, 40:43] = False
    return replace(image, mask=mask)


@pytest.mark.parametrize("make", [lambda x: x, masked])
def test_mirrored_pattern_gives_mirrored_features(make) -> None:
    image = make(pattern())
    turned = replace(image, counts=image.counts[:, ::-1], mask=image.mask[:, ::-1])
    np.testing.assert_allclose(features([turned]), mirror_features(features([image])), atol=1e-6)


def test_measuring_longer_changes_only_what_noise_is() -> None:
    image = pattern(counts=1e6)
    short, long = features([image]), features([replace(image, counts=100 * image.counts)])
    alike = [c for c in range(N_PICTURES) if c not in (SIGNIFICANCE, CHANNELS.index("asymmetry"))]
    np.testing.assert_allclose(short[..., alike], long[..., alike], atol=1e-5)
    np.testing.assert_allclose(long[..., LEVEL] - short[..., LEVEL], 2 / 3, atol=1e-5)
    # Where there are counts the asymmetry is that of the pattern; its significance grows.
    bright = image.counts + image.counts[:, ::-1] > 200
    near = np.abs(long[0][bright] - short[0][bright])[:, CHANNELS.index("asymmetry")]
    assert near.max() < 0.01
    assert np.abs(long[..., SIGNIFICANCE]).mean() > 1.5 * np.abs(short[..., SIGNIFICANCE]).mean()


def test_rod_does_not_set_the_scale() -> None:
    """A hundred times as much in the specular rod leaves all other pixels of the pictures as they were."""
    image = pattern()
    beside = np.abs(image.geometry.phi) > 0.12
    taller = replace(image, counts=np.where(beside, image.counts, 100 * image.counts))
    one, other = features([image]), features([taller])
    np.testing.assert_allclose(one[:, :, beside], other[:, :, beside], atol=1e-6)


def test_masked_pixels_are_nothing_and_have_no_say() -> None:
    image = masked(pattern())
    loud = replace(image, counts=np.where(image.mask, image.counts, 1e9))
    np.testing.assert_array_equal(features([image]), features([loud]))
    assert np.all(features([image])[0][~image.mask][:, :N_PICTURES] == 0)


@pytest.mark.parametrize("counts", [0.0, 1.0])
def test_next_to_no_counts_stay_finite(counts: float) -> None:
    image = pattern()
    few = np.zeros_like(image.counts)
    few[3, 7] = counts
    assert np.all(np.isfinite(features([replace(image, counts=few)])))


def test_only_the_rod_measured() -> None:
    image = pattern()
    mask = np.array(image.mask) & (np.abs(image.geometry.phi) < 0.1)
    assert np.all(np.isfinite(features([replace(image, mask=mask)])))
