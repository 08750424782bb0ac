"""Orders are kept between questions, and are what they would be if they were made anew each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.images.tagging import selection
from sasnet_plugin.images.tagging.events import LABEL, UNDO, Answers, Event
from sasnet_plugin.images.tagging.selection import ORDERS, Orders, farthest_first
from sasnet_plugin.images.tagging.state import State
from sasnet_plugin.web.content import Images

TAGS = ("ring", "halo", "bcc")
NUMBER = 60


def told(state: State, rows: range, seed: int) -> Answers:
    """What a model says of some images."""
    p = np.random.default_rng(seed).random((len(rows), len(TAGS))).astype(np.float32)
    keys = tuple(("images.h5", row + 1) for row in rows)
    scope, last = np.ones(len(rows), np.float32), state.last_prediction + 1
    for file, _ in keys:
        state.images.content[file] = "same"
    content = ("same",) * len(rows)
    return Answers("model@1", TAGS, keys, content, p, scope, ("[]",) * len(rows), last)


def label(state: State, row: int, tag: str, value: int, kind: str = LABEL, action: str = "") -> Event:
    """What a person says of one image."""
    place = state.last_event + 1
    return Event(kind, action or str(place), "anna", "images.h5", row + 1, tag, value, id=place)


@pytest.fixture
def state(tmp_path: Path) -> State:
    """A model has seen all images."""
    images = Images(tmp_path)
    found = State(images, TAGS)
    for number in range(1, NUMBER + 1):
        images.add(("images.h5", number), there=True)
    found.take_predictions([told(found, range(NUMBER), 1)])
    return found


def test_a_kept_order_is_that_of_what_holds_now(state: State) -> None:
    kept, rng = Orders(state), np.random.default_rng(2)
    pictures = np.full((2 * NUMBER, 4), np.nan, np.float32)
    changes = [
        lambda: state.take([label(state, 3, "ring", 1), label(state, 7, "halo", 0)]),
        lambda: state.take([label(state, int(k), "bcc", int(k) % 2) for k in rng.integers(NUMBER, size=20)]),
        lambda: state.take([label(state, 3, "ring", 1, UNDO, "1")]),
        lambda: state.take_predictions([told(state, range(20, 40), 5)]),
        lambda: state.images.add(("images.h5", NUMBER + 1), there=True),
        lambda: state.take_predictions([told(state, range(NUMBER, NUMBER + 1), 6)]),
        lambda: state.take([label(state, 9, "new", 1)]),
    ]
    seen = {name: set() for name in ORDERS}
    for change in changes:
        change()
        every = np.arange(len(state.images))
        for rows in (every, every[rng.random(len(every)) < 0.4]):
            for name in ORDERS:
                now = kept.sort(name, rows, pictures)
                np.testing.assert_array_equal(now, Orders(state).sort(name, rows, pictures), err_msg=name)
                assert sorted(now) == rows.tolist()
                seen[name].add(tuple(now))
    # The changes did move images about.
    assert len(seen["uncertain"]) > len(changes)
    assert len(seen["suspect"]) > len(changes)


def test_after_a_key_was_pressed_only_that_image_is_measured(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = []

    def counted(state: State, rows: np.ndarray) -> np.ndarray:
        measured.append(rows.tolist())
        return selection.uncertainty(state, rows)

    monkeypatch.setitem(selection.MEASURES, "uncertain", counted)
    kept, every, pictures = Orders(state), np.arange(NUMBER), np.zeros((NUMBER, 4), np.float32)
    first = kept.sort("uncertain", every, pictures)
    kept.sort("uncertain", every[::2], pictures)
    state.take([label(state, int(first[0]), tag, 1) for tag in TAGS])
    # All that was not certain of it is answered: it comes last.
    assert kept.sort("uncertain", every, pictures)[-1] == first[0]
    assert measured == [every.tolist(), [first[0]]]


def test_diverse_images_follow_what_the_model_says_now_and_thumbnails_before_it(tmp_path: Path) -> None:
    images = Images(tmp_path)
    found = State(images, TAGS)
    for number in range(1, NUMBER + 1):
        images.add(("images.h5", number), there=True)
    kept, every = Orders(found), np.arange(NUMBER)
    pictures = np.full((NUMBER, 2), np.nan, np.float32)
    assert kept.sort("diverse", every, pictures).tolist() == every.tolist(), "nothing is known"
    pictures[:] = 0.0
    pictures[10], pictures[20] = (5, 0), (0, 3)
    found.touch(every.tolist())
    assert set(kept.sort("diverse", every, pictures)[1:3]) == {10, 20}
    found.take_predictions([told(found, range(NUMBER), 4)])
    p = found.probability.copy()
    logits = np.clip(np.log(p / (1 - p)), -8, 8)
    centre = np.argmin(((logits - logits.mean(axis=0)) ** 2).sum(axis=1))
    assert kept.sort("diverse", every, pictures)[0] == centre


def test_each_centre_is_the_farthest_from_those_before() -> None:
    points = np.random.default_rng(3).normal(size=(300, 5))
    centres, distance = farthest_first(points, 40)
    assert len(set(centres)) == 40
    apart = ((points[:, None] - points[centres]) ** 2).sum(axis=-1)
    for k in range(1, 40):
        assert apart[centres[k], :k].min() == pytest.approx(apart[:, :k].min(axis=1).max(), rel=1e-4)
    np.testing.assert_allclose(distance, apart.min(axis=1), atol=1e-4)
    # Of points that are alike one is enough.
    assert len(farthest_first(np.repeat(np.eye(3), 20, axis=0), 40)[0]) == 3
