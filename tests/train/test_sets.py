"""Sets of images in training: batches of one length; frames that are not there change no answer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.domains.heads import FRAME_MASK
from sasnet_plugin.images.sans.rings import FRAMES, N_CHANNELS, N_RINGS
from sasnet_plugin.images.sans.specification import SANS2D
from sasnet_plugin.train.feed import Feed

BATCH = 32


@pytest.fixture
def feed() -> Feed:
    """Of sets of one, two and three frames, each frame telling its example; no process measures more."""
    rng = np.random.default_rng(0)
    found = Feed(SANS2D, Path("nowhere"), seed=0, batch=BATCH, workers=0)
    for _ in range(16):
        lengths = rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15], size=2 * BATCH)
        there = (np.arange(FRAMES) < lengths[:, None]).astype(np.float16)
        frames = np.where(there[..., None] > 0, lengths[:, None, None], 0.0)
        found._store({"features": frames, FRAME_MASK: there}, {"class": lengths})
    return found


def test_a_batch_holds_sets_of_one_length_as_often_as_there_are_such(feed: Feed) -> None:
    seen: Counter[int] = Counter()
    # As many as these examples are for: the next would wait for a process that measures more.
    batches = int(feed.reuse * feed.received) // BATCH
    for _, (inputs, targets) in zip(range(batches), feed, strict=False):
        frames = inputs["features"].shape[1]
        assert inputs[FRAME_MASK].shape == (BATCH, frames)
        assert np.all(inputs[FRAME_MASK] == 1)
        assert np.all(inputs["features"] == frames)
        assert np.all(targets["class"] == frames)
        seen[frames] += 1
    assert seen[1] / batches == pytest.approx(0.6, abs=0.1)
    assert seen[3] / batches == pytest.approx(0.15, abs=0.08)


def test_the_first_two_batches_differ_in_length_so_that_keras_sees_that_they_may(feed: Feed) -> None:
    batches = iter(feed)
    assert [next(batches)[0][FRAME_MASK].shape[1] for _ in range(2)] == [1, 3]


def test_frames_that_are_not_there_change_no_answer() -> None:
    pytest.importorskip("keras")
    from sasnet_plugin.train.network import build

    shape = (FRAMES, N_RINGS, N_CHANNELS)
    sizes = {"stages": ((8, (1, 2)),), "where": 4, "dense": 16, "dropout": 0.0}
    network = build(
        SANS2D, {"inputs": {"features": shape, FRAME_MASK: (FRAMES,)}, "labels": {}, "net": sizes}
    )
    rng = np.random.default_rng(1)
    features = rng.normal(size=(4, *shape)).astype(np.float32)
    mask = np.tile(np.array([1, 1, 0], np.float32), (4, 1))
    three = network.predict({"features": features, FRAME_MASK: mask}, verbose=0)
    two = network.predict({"features": features[:, :2], FRAME_MASK: mask[:, :2]}, verbose=0)
    assert three["class"] == pytest.approx(two["class"], abs=1e-5)
    one = network.predict({"features": features[:, :1], FRAME_MASK: mask[:, :1]}, verbose=0)
    assert np.abs(one["class"] - two["class"]).max() > 1e-3
